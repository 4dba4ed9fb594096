import { extent } from '../../src/report/extent.ts';
import type { CardOf } from '../../src/report/report.ts';
import { given, t, type Words } from '../l10n.ts';
import { type Colour, mix, type Theme } from '../theme.ts';

type Heatmap = CardOf<'heatmap'>;
type Layer = Heatmap['layers'][number];

/** Where the cells lie on the canvas, in CSS pixels. */
export interface Layout {
  readonly left: number;
  readonly top: number;
  readonly cell: number;
  readonly width: number;
  readonly height: number;
  /** Column names stand upright. */
  readonly upright: boolean;
}

const [LARGEST, TITLE] = [44, 20];
/** Many classes make small cells, so that the grid stays a picture a screen can hold. */
const smallest = (columns: number): number => (columns > 256 ? 2 : 4);

export const layoutOf = (card: Heatmap, room: number, measure: (text: string) => number): Layout => {
  const rowNames = Math.min(140, Math.max(8, extent(card.rows.names.map(measure))?.[1] ?? 0));
  const columnNames = Math.min(110, Math.max(8, extent(card.columns.names.map(measure))?.[1] ?? 0));
  const left = TITLE + rowNames + 10;
  const columns = card.columns.names.length;
  const cell = Math.max(smallest(columns), Math.min(LARGEST, Math.floor((room - left - 2) / Math.max(1, columns))));
  const upright = columnNames > cell - 4;
  const top = TITLE + (upright ? columnNames : 14) + 8;
  return { left, top, cell, upright, width: left + columns * cell + 2, height: top + card.rows.names.length * cell + 2 };
};

/** Rows and columns as given, or both with the classes first that are confused most. */
export interface Order {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

export const orderOf = (card: Heatmap, byErrors: boolean): Order => {
  const rows = card.rows.names.map((_, i) => i);
  const columns = card.columns.names.map((_, i) => i);
  if (!byErrors || card.diagonal !== true) return { rows, columns };
  const { values } = card.layers[0];
  const n = rows.length;
  const errors = rows.map((r) => rows.reduce((sum, c) => (c === r ? sum : sum + (values[r * n + c] ?? 0) + (values[c * n + r] ?? 0)), 0));
  const sorted = [...rows].sort((a, b) => errors[b] - errors[a] || a - b);
  return { rows: sorted, columns: sorted };
};

/** One colour scale: which cells it colours, from which value to which. */
export interface Ramp {
  readonly name: Words;
  readonly low: number;
  readonly high: number;
  readonly series: number;
}

/** Same classes on both sides: agreement and confusion each have a scale, or a good model would show nothing but its diagonal. */
export const rampsOf = (card: Heatmap, layer: Layer): readonly Ramp[] => {
  const n = card.columns.names.length;
  const span = extent(layer.values) ?? [0, 0];
  const [low, high] = layer.domain ?? [Math.min(0, span[0]), Math.max(0, span[1])];
  if (card.diagonal !== true) return [{ name: given(layer.name), low, high, series: 0 }];
  const largest = (diagonal: boolean): number =>
    extent(layer.values.map((value, i) => ((Math.floor(i / n) === i % n) === diagonal ? value : null)))?.[1] ?? 0;
  return [
    { name: t('diagonal'), low: 0, high: layer.domain?.[1] ?? largest(true), series: 0 },
    { name: t('off the diagonal'), low: 0, high: largest(false), series: 1 },
  ];
};

/** Below zero the second colour of the theme, above it the ramp's. */
export const cellColour = (value: number | null, ramp: Ramp, theme: Theme): Colour => {
  if (value === null || value === 0) return mix(theme.background, theme.foreground, 0.04);
  const span = value < 0 ? -ramp.low : ramp.high;
  const share = span > 0 ? Math.min(1, Math.abs(value) / span) : 0;
  return mix(theme.background, theme.series(value < 0 ? ramp.series + 1 : ramp.series), 0.12 + 0.78 * share);
};
