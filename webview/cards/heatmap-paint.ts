import type { CardOf, Unit } from '../../src/report/report.ts';
import { context2d, el, writeAt } from '../element.ts';
import { format, given, t, type Words } from '../l10n.ts';
import { drawnAt, fitted, type Sketch } from '../sketch.ts';
import { type Colour, css, readableOn, type Theme } from '../theme.ts';
import { cellColour, type Layout, type Order, type Ramp, rampsOf } from './heatmap-layout.ts';

type Heatmap = CardOf<'heatmap'>;

/** As short as a cell of a matrix asks for; zero is left blank. */
const brief = (value: number | null, unit: Unit): Words | '' => {
  if (value === null || value === 0) return '';
  if (unit === 'fraction') return given(Math.abs(value) < 0.005 ? '<1' : String(Math.round(value * 100)));
  if (Math.abs(value) >= 10_000) return t('{0}k', Math.round(value / 1000));
  return given(String(Number.isInteger(value) ? value : Number(value.toPrecision(2))));
};

/** Cells too small for gaps and values are the pixels of one picture: a million of them cost no more than a photograph. */
const paintPixels = (
  context: CanvasRenderingContext2D,
  { left, top, cell }: Layout,
  rows: number,
  columns: number,
  colourAt: (r: number, c: number) => Colour,
): void => {
  const image = new ImageData(columns, rows);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const [red, green, blue] = colourAt(r, c);
      const at = 4 * (r * columns + c);
      image.data[at] = red;
      image.data[at + 1] = green;
      image.data[at + 2] = blue;
      image.data[at + 3] = 255;
    }
  }
  const native = el('canvas', { width: columns, height: rows });
  context2d(native).putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(native, left, top, columns * cell, rows * cell);
};

/** The grid with its names, without what moves over it. */
export const paintGrid = (
  context: CanvasRenderingContext2D,
  card: Heatmap,
  layer: number,
  order: Order,
  layout: Layout,
  colours: Theme,
): void => {
  const { rows, columns, layers } = card;
  const { left, top, cell, upright } = layout;
  const { values, unit } = layers[layer];
  const ramps = rampsOf(card, layers[layer]);
  const [R, C] = [rows.names.length, columns.names.length];
  const valueAt = (r: number, c: number): number | null => values[order.rows[r] * C + order.columns[c]] ?? null;
  const colourAt = (r: number, c: number): Colour =>
    cellColour(valueAt(r, c), ramps.length > 1 && order.rows[r] !== order.columns[c] ? ramps[1] : ramps[0], colours);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  if (cell < 12 && R > 0 && C > 0) paintPixels(context, layout, R, C, colourAt);
  else {
    for (let r = 0; r < R; r++) {
      for (let c = 0; c < C; c++) {
        const colour = colourAt(r, c);
        context.fillStyle = css(colour);
        context.fillRect(left + c * cell, top + r * cell, cell - 1, cell - 1);
        const text = cell >= 24 ? brief(valueAt(r, c), unit) : '';
        if (text === '' || context.measureText(text).width > cell - 4) continue;
        context.fillStyle = css(readableOn(colour));
        writeAt(context, text, left + (c + 0.5) * cell, top + (r + 0.5) * cell + 0.5);
      }
    }
  }
  context.fillStyle = css(colours.muted);
  const every = Math.max(1, Math.ceil(13 / cell));
  context.textAlign = 'right';
  for (let r = 0; r < R; r += every) {
    writeAt(context, fitted(context, given(rows.names[order.rows[r]]), left - 30), left - 8, top + (r + 0.5) * cell);
  }
  for (let c = 0; c < C; c += every) {
    context.save();
    context.translate(left + (c + 0.5) * cell, top - 8);
    if (upright) context.rotate(-Math.PI / 2);
    context.textAlign = upright ? 'left' : 'center';
    writeAt(context, fitted(context, given(columns.names[order.columns[c]]), upright ? top - 28 : cell), 0, upright ? 0 : -4);
    context.restore();
  }
  context.fillStyle = css(colours.foreground);
  context.textAlign = 'left';
  writeAt(context, given(`${columns.label} →`), left, 8);
  context.save();
  context.translate(8, top);
  context.rotate(-Math.PI / 2);
  context.textAlign = 'right';
  writeAt(context, given(`← ${rows.label}`), 0, 0);
  context.restore();
};

/** What the colours mean: a scale with its ends. */
export const rampScale = (ramp: Ramp, unit: Unit, colours: Theme): HTMLElement => {
  const bar = el('canvas', { class: 'ramp', width: 64, height: 8, 'aria-hidden': 'true' });
  const context = context2d(bar);
  for (let x = 0; x < 64; x++) {
    context.fillStyle = css(cellColour(ramp.low + ((ramp.high - ramp.low) * (x + 0.5)) / 64, ramp, colours));
    context.fillRect(x, 0, 1, 8);
  }
  return el(
    'div',
    {},
    el('span', { class: 'ramp-name' }, ramp.name),
    el('span', { class: 'ramp-scale' }, format(ramp.low, unit), bar, format(ramp.high, unit)),
  );
};

/** The same scales for a file, with the name of what is shown. */
export const rampsSketch = (card: Heatmap, layer: number, font: string, colours: Theme): Sketch => {
  const { name, unit } = card.layers[layer];
  const ramps = rampsOf(card, card.layers[layer]);
  return drawnAt(420, 20 * (ramps.length + 1), (context) => {
    context.font = font;
    context.textBaseline = 'middle';
    context.fillStyle = css(colours.foreground);
    writeAt(context, given(name), 0, 10);
    ramps.forEach((ramp, i) => {
      const y = 20 * (i + 1);
      for (let x = 0; x < 64; x += 4) {
        context.fillStyle = css(cellColour(ramp.low + ((ramp.high - ramp.low) * (x + 2)) / 64, ramp, colours));
        context.fillRect(x, y + 5, 4, 10);
      }
      context.fillStyle = css(colours.muted);
      writeAt(context, t('{0}: {1} to {2}', ramp.name, format(ramp.low, unit), format(ramp.high, unit)), 74, y + 10);
    });
  });
};
