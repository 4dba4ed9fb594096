import { context2d, el, writeAt } from './element.ts';
import { given, type Words } from './l10n.ts';
import { css, theme } from './theme.ts';
import { vectorPen } from './vector.ts';

/** Something drawn as vectors: elements of an SVG of this size. */
export interface Sketch {
  readonly width: number;
  readonly height: number;
  readonly markup: string;
}

/** What is drawn with a canvas context, as vectors. */
export const drawnAt = (width: number, height: number, paint: (context: CanvasRenderingContext2D) => void, after?: () => void): Sketch => {
  const pen = vectorPen(width, height);
  paint(pen.context);
  const markup = pen.markup();
  after?.();
  return { width, height, markup };
};

const GAP = 8;

/** One under the other. */
export const stacked = (parts: readonly Sketch[], gap: number = GAP): Sketch => {
  let y = 0;
  const markup = parts.map((part) => {
    const placed = `<g transform="translate(0 ${y})">${part.markup}</g>`;
    y += part.height + gap;
    return placed;
  });
  return { width: Math.max(1, ...parts.map(({ width }) => width)), height: Math.max(1, y - gap), markup: markup.join('') };
};

/** Text cut to a width. Names differ at their ends, so what is left out is the middle. */
export const fitted = (context: CanvasRenderingContext2D, text: Words, width: number): Words => {
  if (context.measureText(text).width <= width) return text;
  const letters = [...text];
  const cut = (kept: number): Words =>
    given(`${letters.slice(0, Math.ceil(kept / 2)).join('')}…${letters.slice(letters.length - Math.floor(kept / 2)).join('')}`);
  let kept = letters.length - 1;
  while (kept > 1 && context.measureText(cut(kept)).width > width) kept--;
  return cut(kept);
};

export interface Writing {
  readonly size?: number;
  readonly bold?: boolean;
  readonly muted?: boolean;
}

/** Words in lines of at most `width`; a word longer than a line is broken. */
const lineBreaks = (text: Words, width: number, measure: (text: string) => number): readonly Words[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (measure(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (measure(line) > width && line.length > 1) {
      let kept = line.length - 1;
      while (kept > 1 && measure(line.slice(0, kept)) > width) kept--;
      lines.push(line.slice(0, kept));
      line = line.slice(kept);
    }
  }
  return (line === '' ? lines : [...lines, line]).map((one) => given(one));
};

/** A paragraph. */
export const written = (text: Words, width: number, { size, bold = false, muted = false }: Writing = {}): Sketch => {
  const colours = theme();
  const px = size ?? colours.fontSize;
  const font = `${bold ? '600 ' : ''}${px}px ${colours.font}`;
  const measure = context2d(el('canvas'));
  measure.font = font;
  const lines = lineBreaks(text, width, (part) => measure.measureText(part).width);
  const step = Math.round(px * 1.5);
  return drawnAt(width, lines.length * step, (context) => {
    context.font = font;
    context.textBaseline = 'middle';
    context.fillStyle = css(muted ? colours.muted : colours.foreground);
    lines.forEach((line, i) => {
      writeAt(context, line, 0, (i + 0.5) * step);
    });
  });
};

const MARGIN = 16;

/** A whole SVG file on the editor's background. */
export const svgFile = ({ width, height, markup }: Sketch): string => {
  const [w, h] = [Math.ceil(width + 2 * MARGIN), Math.ceil(height + 2 * MARGIN)];
  const [ground] = /#[0-9a-f]{6}/.exec(
    drawnAt(1, 1, (context) => {
      context.fillStyle = css(theme().background);
      context.fillRect(0, 0, 1, 1);
    }).markup,
  ) ?? ['#ffffff'];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}"><rect width="${w}" height="${h}" fill="${ground}"/><g transform="translate(${MARGIN} ${MARGIN})">${markup}</g></svg>\n`;
};

/** Pixels a side that browsers still draw. */
const MOST_PIXELS = 16_000;

/** The same as pixels, two to a point unless that is more than a canvas holds. */
export const pngFile = async (sketch: Sketch): Promise<Uint8Array> => {
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgFile(sketch))}`;
  await picture.decode();
  const scale = Math.min(2, MOST_PIXELS / Math.max(picture.width, picture.height));
  const canvas = el('canvas', { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  context2d(canvas).drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  return new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0));
};
