import { context2d, el } from './element.ts';

const attribute = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const short = (value: number): string => String(Number(value.toFixed(2)));

const hexOf = (...parts: readonly number[]): string => `#${parts.map((v) => v.toString(16).padStart(2, '0')).join('')}`;

/** Opaque colour and opacity apart: not every reader of SVG knows `rgba()`. */
const paintOf = (name: 'fill' | 'stroke', style: CanvasRenderingContext2D['fillStyle'], alpha: number): string => {
  const text = String(style);
  const parts = /^rgba\((\d+), (\d+), (\d+), ([\d.]+)\)$/.exec(text);
  const hex = parts ? hexOf(...parts.slice(1, 4).map(Number)) : text;
  const opacity = (parts ? Number(parts[4]) : 1) * alpha;
  return `${name}="${hex}"${opacity < 1 ? ` ${name}-opacity="${short(opacity)}"` : ''}`;
};

const ANCHOR: Readonly<Record<string, string>> = { center: 'middle', right: 'end', end: 'end' };
/** A picture of more runs of one colour than this is embedded as it is. */
const MOST_RUNS = 60_000;

/** Runs of one colour along the rows of a picture, as one path per colour in units of its pixels; null where there are too many. */
const pixelRuns = (source: HTMLCanvasElement): ReadonlyMap<string, string> | null => {
  const { width, height } = source;
  const { data } = context2d(source).getImageData(0, 0, width, height);
  const words = new Uint32Array(data.buffer);
  const paths = new Map<number, string[]>();
  let runs = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; ) {
      const word = words[y * width + x];
      let end = x + 1;
      while (end < width && words[y * width + end] === word) end++;
      if (++runs > MOST_RUNS) return null;
      const path = paths.get(word) ?? [];
      path.push(`M${x} ${y}h${end - x}v1h${x - end}z`);
      paths.set(word, path);
      x = end;
    }
  }
  return new Map(
    [...paths].flatMap(([word, path]) => {
      const [r, g, b, a] = new Uint8ClampedArray(Uint32Array.of(word).buffer);
      return a === 0 ? [] : [[`rgba(${r}, ${g}, ${b}, ${a / 255})`, path.join('')] as const];
    }),
  );
};

export interface Pen {
  readonly context: CanvasRenderingContext2D;
  /** All that was drawn, as elements of an SVG. */
  readonly markup: () => string;
}

/**
 * A canvas context that writes down what is drawn as SVG. Colours, fonts, dashes and the transform are kept by a real context
 * behind it; only what leaves ink is caught.
 */
export const vectorPen = (width: number, height: number): Pen => {
  const canvas = el('canvas', { width, height });
  const real = context2d(canvas);
  let out: string[] = [];
  let path: string[] = [];
  /** How many groups of clips are open, per saved state. */
  let clips = 0;
  const saved: number[] = [];
  let clipId = 0;
  const prefix = `c${Math.floor(performance.now() * 1000).toString(36)}`;

  const at = (x: number, y: number): string => {
    const m = real.getTransform();
    return `${short(m.a * x + m.c * y + m.e)} ${short(m.b * x + m.d * y + m.f)}`;
  };
  const scale = (): number => {
    const { a, b } = real.getTransform();
    return Math.hypot(a, b);
  };
  const box = (x: number, y: number, w: number, h: number): string => `M${at(x, y)}L${at(x + w, y)}L${at(x + w, y + h)}L${at(x, y + h)}Z`;
  const ink = (d: string, paint: string): void => {
    if (d !== '') out.push(`<path d="${d}" ${paint}/>`);
  };
  const filled = (): string => `${paintOf('fill', real.fillStyle, real.globalAlpha)}`;
  const stroked = (): string => {
    const dash = real.getLineDash().map((v) => short(v * scale()));
    return [
      'fill="none"',
      paintOf('stroke', real.strokeStyle, real.globalAlpha),
      `stroke-width="${short(real.lineWidth * scale())}"`,
      dash.length > 0 && `stroke-dasharray="${dash.join(' ')}"`,
      real.lineJoin !== 'miter' && `stroke-linejoin="${real.lineJoin}"`,
      real.lineCap !== 'butt' && `stroke-linecap="${real.lineCap}"`,
    ]
      .filter(Boolean)
      .join(' ');
  };
  const arc = (x: number, y: number, rx: number, ry: number, turn: number, from: number, to: number, back = false): void => {
    const whole = Math.abs(to - from) >= 2 * Math.PI - 1e-9;
    const end = whole ? from + (back ? -2 : 2) * Math.PI : to;
    let span = end - from;
    if (!back && span < 0) span += 2 * Math.PI * Math.ceil(-span / (2 * Math.PI));
    if (back && span > 0) span -= 2 * Math.PI * Math.ceil(span / (2 * Math.PI));
    const point = (angle: number): string => {
      const [px, py] = [rx * Math.cos(angle), ry * Math.sin(angle)];
      return at(x + px * Math.cos(turn) - py * Math.sin(turn), y + px * Math.sin(turn) + py * Math.cos(turn));
    };
    path.push(`${path.length === 0 ? 'M' : 'L'}${point(from)}`);
    // Halves, so that a whole circle has two different ends.
    const parts = Math.max(1, Math.ceil(Math.abs(span) / Math.PI - 1e-9));
    const { a, b } = real.getTransform();
    const angle = ((Math.atan2(b, a) + turn) * 180) / Math.PI;
    for (let k = 1; k <= parts; k++)
      path.push(`A${short(rx * scale())} ${short(ry * scale())} ${short(angle)} 0 ${back ? 0 : 1} ${point(from + (span * k) / parts)}`);
  };
  const text = (content: string, x: number, y: number, paint: string): void => {
    if (content === '') return;
    const m = real.getTransform();
    const metrics = real.measureText(content);
    // Where the letters stand, whatever the place given meant: readers of SVG differ in their baselines.
    const base = y - (metrics.alphabeticBaseline ?? 0);
    const [, style = '', size = '12', family = 'sans-serif'] = /^(.*?)([\d.]+)px (.*)$/.exec(real.font) ?? [];
    const weight = /\b(bold|[1-9]00)\b/.exec(style)?.[1];
    const place =
      m.a === 1 && m.b === 0
        ? `x="${short(x + m.e)}" y="${short(base + m.f)}"`
        : `x="${short(x)}" y="${short(base)}" transform="matrix(${[m.a, m.b, m.c, m.d, m.e, m.f].map(short).join(' ')})"`;
    const anchor = ANCHOR[real.textAlign];
    out.push(
      `<text ${place} font-family="${attribute(family)}" font-size="${size}"${weight ? ` font-weight="${weight}"` : ''}${/italic/.test(style) ? ' font-style="italic"' : ''}${anchor ? ` text-anchor="${anchor}"` : ''} ${paint}>${attribute(content)}</text>`,
    );
  };
  const place = (source: CanvasImageSource, ...[x, y, w, h]: readonly number[]): void => {
    if (!(source instanceof HTMLCanvasElement)) return;
    const m = real.getTransform();
    const [sx, sy] = [(w ?? source.width) / source.width, (h ?? source.height) / source.height];
    const matrix = `matrix(${[m.a * sx, m.b * sx, m.c * sy, m.d * sy].map((v) => Number(v.toFixed(5))).join(' ')} ${at(x, y)})`;
    const runs = real.imageSmoothingEnabled ? null : pixelRuns(source);
    if (runs === null)
      out.push(`<image width="${source.width}" height="${source.height}" transform="${matrix}" href="${source.toDataURL()}"/>`);
    else {
      out.push(`<g transform="${matrix}" shape-rendering="crispEdges">`);
      for (const [colour, d] of runs) ink(d, paintOf('fill', colour, 1));
      out.push('</g>');
    }
  };

  const caught: Readonly<Record<string, (...args: never[]) => void>> = {
    save() {
      real.save();
      saved.push(clips);
    },
    restore() {
      real.restore();
      const before = saved.pop() ?? 0;
      for (; clips > before; clips--) out.push('</g>');
    },
    beginPath() {
      path = [];
    },
    closePath: () => void path.push('Z'),
    moveTo: (x: number, y: number) => void path.push(`M${at(x, y)}`),
    lineTo: (x: number, y: number) => void path.push(`${path.length === 0 ? 'M' : 'L'}${at(x, y)}`),
    bezierCurveTo: (a: number, b: number, c: number, d: number, x: number, y: number) =>
      void path.push(`C${at(a, b)} ${at(c, d)} ${at(x, y)}`),
    quadraticCurveTo: (a: number, b: number, x: number, y: number) => void path.push(`Q${at(a, b)} ${at(x, y)}`),
    rect: (x: number, y: number, w: number, h: number) => void path.push(box(x, y, w, h)),
    arc: (x: number, y: number, r: number, from: number, to: number, back?: boolean) => arc(x, y, r, r, 0, from, to, back),
    ellipse: arc,
    fill: (rule?: CanvasFillRule) => ink(path.join(''), `${filled()}${rule === 'evenodd' ? ' fill-rule="evenodd"' : ''}`),
    stroke: () => ink(path.join(''), stroked()),
    fillRect: (x: number, y: number, w: number, h: number) => ink(box(x, y, w, h), filled()),
    strokeRect: (x: number, y: number, w: number, h: number) => ink(box(x, y, w, h), stroked()),
    clearRect() {
      // Charts clear all of it before they draw.
      if (clips === 0) out = [];
    },
    clip() {
      const id = `${prefix}-${++clipId}`;
      out.push(`<clipPath id="${id}"><path d="${path.join('')}"/></clipPath><g clip-path="url(#${id})">`);
      clips++;
    },
    fillText: (content: string, x: number, y: number) => text(content, x, y, filled()),
    strokeText() {},
    drawImage: place,
  };
  const context = new Proxy(real, {
    get(target, name) {
      if (typeof name === 'string' && Object.hasOwn(caught, name)) return caught[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
  // A chart asks its canvas for the context.
  Object.defineProperty(canvas, 'getContext', { value: () => context });
  return { context, markup: () => out.join('') + '</g>'.repeat(clips) };
};
