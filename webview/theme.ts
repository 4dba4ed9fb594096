import type { Colour } from '../src/report/palette.ts';

export type { Colour };

/** The editor's colours as numbers, so that canvases can mix them. */
export interface Theme {
  readonly foreground: Colour;
  readonly muted: Colour;
  readonly background: Colour;
  readonly line: Colour;
  readonly focus: Colour;
  readonly hover: { readonly background: Colour; readonly foreground: Colour; readonly border: Colour };
  readonly series: (i: number) => Colour;
  readonly font: string;
  readonly fontSize: number;
  /** High contrast or forced colours: outlines instead of tints. */
  readonly contrast: boolean;
}

const SERIES = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'];
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3]];
const SHAPES = ['circle', 'rect', 'triangle', 'rectRot', 'crossRot', 'star'] as const;

/** Lines and points differ in more than colour. */
export const dashOf = (i: number): number[] => [...DASHES[i % DASHES.length]];
export const shapeOf = (i: number): (typeof SHAPES)[number] => SHAPES[i % SHAPES.length];

export const css = ([r, g, b]: Colour, alpha = 1): string => `rgba(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)}, ${alpha})`;
export const mix = (from: Colour, to: Colour, t: number): Colour => [
  from[0] + (to[0] - from[0]) * t,
  from[1] + (to[1] - from[1]) * t,
  from[2] + (to[2] - from[2]) * t,
];
/** Relative luminance (WCAG 2). */
const luminance = (colour: Colour): number => {
  const [r, g, b] = colour.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
export const readableOn = (colour: Colour): Colour => (luminance(colour) > 0.179 ? [0, 0, 0] : [255, 255, 255]);

/** Any CSS colour, also a system colour of a forced palette, as numbers: the browser resolves it. */
const resolver = (): ((value: string, fallback: Colour) => Colour) => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const probe = document.createElement('span');
  probe.className = 'colour-probe';
  document.body.append(probe);
  queueMicrotask(() => probe.remove());
  return (value, fallback) => {
    if (value === '' || context === null) return fallback;
    probe.style.color = '';
    probe.style.color = value;
    if (probe.style.color === '') return fallback;
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = getComputedStyle(probe).color;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return a === 0 ? fallback : [r, g, b];
  };
};

let current: Theme | null = null;
const read = (): Theme => {
  const styles = getComputedStyle(document.body);
  const resolve = resolver();
  const variable = (name: string, fallback: Colour): Colour => resolve(styles.getPropertyValue(`--vscode-${name}`).trim(), fallback);
  const background = variable('editor-background', [255, 255, 255]);
  const dark = luminance(background) < 0.2;
  const foreground = variable('foreground', dark ? [204, 204, 204] : [59, 59, 59]);
  const contrast = document.body.className.includes('high-contrast') || matchMedia('(forced-colors: active)').matches;
  const border = variable('contrastBorder', mix(background, foreground, 0.18));
  const colours = SERIES.map((name) => variable(`charts-${name}`, foreground));
  return {
    foreground,
    muted: variable('descriptionForeground', mix(background, foreground, 0.75)),
    background,
    line: contrast ? border : mix(background, foreground, 0.14),
    focus: variable('focusBorder', foreground),
    hover: {
      background: variable('editorHoverWidget-background', background),
      foreground: variable('editorHoverWidget-foreground', foreground),
      border: variable('editorHoverWidget-border', border),
    },
    series: (i) => colours[i % colours.length],
    font: styles.fontFamily,
    fontSize: Number.parseFloat(styles.fontSize) || 13,
    contrast,
  };
};

export const theme = (): Theme => {
  current ??= read();
  return current;
};

const listeners = new Set<() => void>();
let queued = false;
const changed = (): void => {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => {
    queued = false;
    current = null;
    for (const listener of [...listeners]) listener();
  });
};

/** Calls back after the editor's theme changed, until the signal ends. */
export const onThemeChange = (listener: () => void, signal: AbortSignal): void => {
  listeners.add(listener);
  signal.addEventListener('abort', () => listeners.delete(listener));
};

/** VS Code rewrites variables, classes and data attributes; a browser changes its preferences. */
export const watchTheme = (standalone: boolean): void => {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ['class', 'style', 'data-vscode-theme-id', 'data-vscode-theme-kind'],
  });
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const forced = matchMedia('(forced-colors: active)');
  const name = (): void => {
    if (standalone)
      document.body.className = `${dark.matches ? 'vscode-dark' : 'vscode-light'}${forced.matches ? ' vscode-high-contrast' : ''}`;
    changed();
  };
  for (const query of [dark, forced]) query.addEventListener('change', name);
  name();
};
