import { type Palette, palettes } from '../src/report/palette.ts';
import type { Attribution, Shown } from '../src/report/tasks.ts';
import { context2d, dress, el } from './element.ts';
import { format, given, t, type Words } from './l10n.ts';
import type { MapLook } from './map-look.ts';
import { modeOf, paint, paintPicture, shade, sizedCanvas } from './picture.ts';
import { type ShownToken, shadedWords } from './shaded-words.ts';
import { css, dashOf } from './theme.ts';

/** Least width of a picture on its canvas. */
const LEAST = 384;
/** Bars drawn; the strongest ones. */
const BARS = 40;
/** Channels of a signal that are drawn as lines. */
const LINES = 3;

type Of<K extends Shown['kind']> = Extract<Shown, { kind: K }>;

const picture = ({ picture, width, height }: Of<'map'>, { values }: Attribution, look: MapLook, scale: number): HTMLCanvasElement => {
  const canvas = sizedCanvas(picture?.width ?? width, picture?.height ?? height, LEAST);
  paint(canvas, picture, { width, height, values, scale }, look);
  return canvas;
};

/** The places of a signal are shaded behind its lines, on white as every map without a picture. */
const signal = (
  { channels, places, signal: x }: Of<'signal'>,
  { values }: Attribution,
  look: MapLook,
  scale: number,
): HTMLCanvasElement => {
  const [width, height, edge] = [Math.max(LEAST, Math.min(1200, places * 4)), 180, 10];
  const canvas = el('canvas', { class: 'signal', width, height });
  const context = context2d(canvas);
  const own = { ...look, mode: modeOf(values, look.mode) };
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  for (let k = 0; k < places; k++) {
    const { colour, share } = shade(scale > 0 ? values[k] / scale : 0, own);
    const from = Math.round((k * width) / places);
    context.fillStyle = css(colour, share);
    context.fillRect(from, 0, Math.round(((k + 1) * width) / places) - from, height);
  }
  const [low, high] = x.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
  const y = (v: number): number => (high > low ? height - edge - ((v - low) / (high - low)) * (height - 2 * edge) : height / 2);
  context.strokeStyle = '#1f1f1f';
  context.lineWidth = 1.5;
  for (let c = 0; c < Math.min(channels, LINES); c++) {
    context.setLineDash(dashOf(c));
    context.beginPath();
    for (let k = 0; k < places; k++) context.lineTo(((k + 0.5) * width) / places, y(x[c * places + k]));
    context.stroke();
  }
  return canvas;
};

const bar = (value: number, most: number, signed: boolean, look: MapLook): HTMLElement => {
  const share = most > 0 ? Math.min(1, Math.abs(value) / most) * (signed ? 50 : 100) : 0;
  const colours: Palette = palettes[look.palette];
  const fill = el('span', { class: 'bar-fill' });
  fill.style.left = `${signed ? (value < 0 ? 50 - share : 50) : 0}%`;
  fill.style.width = `${share}%`;
  fill.style.backgroundColor = css(signed ? (value < 0 ? colours.against : colours.for) : colours.strength);
  return el('span', { class: signed ? 'bar-track signed' : 'bar-track' }, fill);
};

/** Bars are as long as the largest value, unless that of another model is given. */
const bars = ({ what, names, inputs }: Of<'bars'>, { values }: Attribution, look: MapLook, most: number): HTMLElement => {
  const signed = modeOf(values, look.mode) === 'signed';
  const order = Array.from(values.keys()).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b);
  const kept = order.slice(0, BARS);
  const heads = [what === 'Input' ? t('Input') : t('Unit'), ...(inputs ? [t('Value')] : []), '' as const, t('Attribution')];
  return el(
    'div',
    { class: 'bars-frame' },
    el(
      'table',
      { class: 'attribution-bars' },
      el('thead', {}, el('tr', {}, ...heads.map((head, i) => el('th', { scope: 'col', class: i === 0 ? undefined : 'numeric' }, head)))),
      el(
        'tbody',
        {},
        ...kept.map((k) =>
          el(
            'tr',
            {},
            el('th', { scope: 'row' }, given(names[k])),
            inputs && el('td', { class: 'numeric' }, format(inputs[k])),
            el('td', { class: 'bar-cell' }, bar(values[k], most, signed, look)),
            el('td', { class: 'numeric' }, format(signed ? values[k] : Math.abs(values[k]))),
          ),
        ),
      ),
    ),
    kept.length < order.length && el('p', { class: 'muted' }, t('The {0} strongest of {1}.', kept.length, format(order.length, 'count'))),
  );
};

const tokens = ({ words, pieces }: Of<'tokens'>): readonly ShownToken[] => words.map((text, k) => ({ text, ...pieces?.[k] }));

/** An attribution as it is looked at; `scale` is the |value| at full strength, and `most` the largest one. */
export const drawingOf = (a: Attribution, label: Words, look: MapLook, scale: number, most: number): HTMLElement => {
  switch (a.shown.kind) {
    case 'map':
    case 'signal': {
      const canvas = a.shown.kind === 'map' ? picture(a.shown, a, look, scale) : signal(a.shown, a, look, scale);
      dress(canvas, { role: 'img', 'aria-label': label });
      return canvas;
    }
    case 'tokens':
      return el('p', { class: 'tokens', 'aria-label': label }, ...shadedWords(tokens(a.shown), a.values, scale, look));
    case 'bars':
      return bars(a.shown, a, look, most);
  }
};

/** The sample as it is, where it is a picture. */
export const originalOf = ({ shown, row }: Attribution): HTMLElement | undefined => {
  if (shown.kind !== 'map' || !shown.picture) return undefined;
  const canvas = sizedCanvas(shown.picture.width, shown.picture.height, LEAST);
  paintPicture(canvas, shown.picture);
  dress(canvas, { role: 'img', 'aria-label': t('Row {0}, original', row) });
  return el('figure', { class: 'big' }, canvas, el('figcaption', {}, t('original, {0} × {1}', shown.picture.width, shown.picture.height)));
};
