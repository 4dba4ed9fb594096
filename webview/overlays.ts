import type { Chart, Plugin } from 'chart.js';
import type { LegendEntry } from './chart.ts';
import type { Words } from './l10n.ts';
import { type Colour, css, dashOf, type Theme } from './theme.ts';

/** Pixel places of a vertical span; null where nothing is drawn. */
export interface Whisker {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

const clipped = (chart: Chart, paint: (context: CanvasRenderingContext2D) => void): void => {
  const { ctx, chartArea } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(chartArea.left - 6, chartArea.top - 4, chartArea.right - chartArea.left + 12, chartArea.bottom - chartArea.top + 8);
  ctx.clip();
  paint(ctx);
  ctx.restore();
};

/** Error bars with caps, placed by the chart's own scales after the data is drawn. */
export const whiskers = (id: string, colour: Colour, at: (chart: Chart) => readonly Whisker[]): Plugin => ({
  id,
  afterDatasetsDraw: (chart) =>
    clipped(chart, (context) => {
      context.strokeStyle = css(colour);
      context.lineWidth = 1;
      context.beginPath();
      for (const { x, low, high } of at(chart)) {
        const middle = Math.round(x) + 0.5;
        context.moveTo(middle, low);
        context.lineTo(middle, high);
        for (const end of [low, high]) {
          context.moveTo(middle - 3, end);
          context.lineTo(middle + 3, end);
        }
      }
      context.stroke();
    }),
});

export type Outline = readonly (readonly [x: number, low: number, high: number])[];

/** Shaded bands with thin edges, under the data. */
export const bands = (id: string, colour: Colour, contrast: boolean, outlines: (chart: Chart) => readonly Outline[]): Plugin => ({
  id,
  beforeDatasetsDraw: (chart) =>
    clipped(chart, (context) => {
      for (const outline of outlines(chart)) {
        if (outline.length === 0) continue;
        context.fillStyle = css(colour, contrast ? 0.25 : 0.16);
        context.strokeStyle = css(colour, contrast ? 1 : 0.45);
        context.lineWidth = 1;
        context.beginPath();
        for (const [x, low] of outline) context.lineTo(x, low);
        for (const [x, , high] of [...outline].reverse()) context.lineTo(x, high);
        context.closePath();
        context.fill();
        for (const end of [1, 2] as const) {
          context.beginPath();
          for (const point of outline) context.lineTo(point[0], point[end]);
          context.stroke();
        }
      }
    }),
});

/** y = x, dashed, across what both axes show. */
export const diagonalLine = (colour: Colour): Plugin => ({
  id: 'diagonal',
  beforeDatasetsDraw: (chart) =>
    clipped(chart, (context) => {
      const { x, y } = chart.scales;
      const from = Math.max(x.min, y.min);
      const to = Math.min(x.max, y.max);
      if (!(to > from)) return;
      context.strokeStyle = css(colour);
      context.setLineDash([5, 4]);
      context.lineWidth = 1.25;
      context.beginPath();
      context.moveTo(x.getPixelForValue(from), y.getPixelForValue(from));
      context.lineTo(x.getPixelForValue(to), y.getPixelForValue(to));
      context.stroke();
    }),
});

/** Swatches of the legend, drawn like the marks they name. */
export const barSwatch = (name: Words, i: number): LegendEntry => ({
  name,
  swatch(context, theme) {
    context.fillStyle = css(theme.series(i), theme.contrast ? 0.25 : 0.45);
    context.fillRect(3, 1, 16, 11);
    context.fillStyle = css(theme.series(i));
    context.fillRect(3, 1, 16, 2);
  },
});
export const lineSwatch = (name: Words, i: number, points = false): LegendEntry => ({
  name,
  swatch(context, theme) {
    context.strokeStyle = context.fillStyle = css(theme.series(i));
    context.lineWidth = 2;
    context.setLineDash(dashOf(i));
    context.beginPath();
    if (points) context.arc(11, 6, 3.5, 0, 2 * Math.PI);
    else {
      context.moveTo(1, 6);
      context.lineTo(21, 6);
    }
    if (points) context.fill();
    else context.stroke();
    context.setLineDash([]);
  },
});
const strokeSwatch = (name: Words, colour: (theme: Theme) => Colour, paint: (context: CanvasRenderingContext2D) => void): LegendEntry => ({
  name,
  swatch(context, theme) {
    context.strokeStyle = css(colour(theme));
    context.fillStyle = css(colour(theme), 0.16);
    context.lineWidth = 1;
    context.beginPath();
    paint(context);
    context.stroke();
    context.setLineDash([]);
  },
});
/** The first band is grey; others have the colour of the lines, in their order. */
export const bandColour = (theme: Theme, band: number): Colour => (band === 0 ? theme.foreground : theme.series(band - 1));
export const bandSwatch = (name: Words, band = 0): LegendEntry =>
  strokeSwatch(
    name,
    (theme) => bandColour(theme, band),
    (context) => {
      context.fillRect(2, 2, 18, 9);
      context.moveTo(2, 2.5);
      context.lineTo(20, 2.5);
      context.moveTo(2, 10.5);
      context.lineTo(20, 10.5);
    },
  );
export const whiskerSwatch = (name: Words): LegendEntry =>
  strokeSwatch(
    name,
    (theme) => theme.foreground,
    (context) => {
      for (const [x, y] of [
        [8, 1.5],
        [8, 10.5],
      ]) {
        context.moveTo(x, y);
        context.lineTo(x + 6, y);
      }
      context.moveTo(11, 1.5);
      context.lineTo(11, 10.5);
    },
  );
export const diagonalSwatch = (name: Words): LegendEntry =>
  strokeSwatch(
    name,
    (theme) => theme.muted,
    (context) => {
      context.setLineDash([4, 3]);
      context.moveTo(1, 11);
      context.lineTo(21, 1);
    },
  );
export const markSwatch = (name: Words, i: number): LegendEntry => ({
  name,
  swatch(context, theme) {
    context.fillStyle = css(theme.series(i));
    context.beginPath();
    context.moveTo(11, 1);
    context.lineTo(16, 6);
    context.lineTo(11, 11);
    context.lineTo(6, 6);
    context.fill();
  },
});
