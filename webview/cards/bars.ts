import type { CardOf, Selection } from '../../src/report/report.ts';
import { barNames } from '../../src/report/twin.ts';
import { type BinPoint, extentOf } from '../bins.ts';
import { drawPlot, type Mark, scaleOf } from '../chart.ts';
import { format, formatRange, given, t } from '../l10n.ts';
import { bandSwatch, bands, barSwatch, diagonalLine, diagonalSwatch, markSwatch, whiskerSwatch, whiskers } from '../overlays.ts';
import { countOf } from '../selection-bar.ts';
import type { Stage, View } from '../stage.ts';
import { css, type Theme } from '../theme.ts';

type Bars = CardOf<'bars'>;

const present = (values: readonly (number | null)[]): readonly number[] =>
  values.flatMap((value, i) => (value === null || value === undefined ? [] : [i]));

const describe = (card: Bars, names: readonly string[], s: number, i: number): Mark => {
  const one = card.series[s];
  const interval = one.intervals?.[i];
  const selection = one.selections?.[i] ?? null;
  const band = card.bands?.[0];
  const [low, high] = [band?.low[i], band?.high[i]];
  return {
    title: given(`${card.x.label} ${names[i]}`),
    lines: [
      given(
        `${one.name} ${format(one.values[i], card.y.unit)}${interval ? ` (${formatRange(interval[0], interval[1], card.y.unit)})` : ''}`,
      ),
      ...(card.marks ?? []).map((mark) => given(`${mark.name} ${format(mark.values[i], card.y.unit)}`)),
      ...(band && typeof low === 'number' && typeof high === 'number'
        ? [given(`${band.name} ${formatRange(low, high, card.y.unit)}`)]
        : []),
      ...(selection ? [countOf(selection)] : []),
    ],
  };
};

/** Bars over bins or categories, with whiskers, a band and marks. */
export const bars = (card: Bars, stage: Pick<Stage, 'select' | 'signal'>): View => {
  const { x, y, edges, categories, series, marks = [], diagonal } = card;
  const names = barNames(card);
  const count = names.length;
  const stacked = edges !== undefined && card.stacked === true;
  // A part of nothing has no bar of its own.
  const shown = series.map((one) => present(one.values).filter((i) => !stacked || one.values[i] !== 0));
  const centre = (i: number): number => (edges ? (edges[i] + edges[i + 1]) / 2 : i);

  const under = (s: number, i: number): number => (stacked ? series.slice(0, s).reduce((sum, one) => sum + (one.values[i] ?? 0), 0) : 0);
  const barData = (s: number): readonly BinPoint[] | readonly (number | null)[] =>
    edges
      ? shown[s].map((i) => ({
          x: centre(i),
          y: under(s, i) + (series[s].values[i] ?? 0),
          from: under(s, i),
          low: edges[i],
          high: edges[i + 1],
          lane: stacked ? 0 : s,
          lanes: stacked ? 1 : series.length,
        }))
      : series[s].values;
  /** Room above a bar of nearly all would pass 100 %. */
  const top = Math.max(...shown.flatMap((places, s) => places.map((i) => under(s, i) + (series[s].values[i] ?? 0))));
  const whole = y.unit === 'fraction' && y.max === undefined && top > 0.9 && top <= 1;
  const placeOf = (s: number, index: number): number => (edges ? shown[s][index] : index);

  const configure = (theme: Theme): ReturnType<Parameters<typeof drawPlot>[0]['configure']> => ({
    type: edges ? 'bin' : 'bar',
    data: {
      ...(categories && { labels: [...categories] }),
      datasets: [
        ...series.map((one, s) => ({
          type: edges ? ('bin' as const) : ('bar' as const),
          label: one.name,
          data: barData(s) as number[],
          backgroundColor: css(theme.series(s), theme.contrast ? 0.2 : card.bands ? 0.24 : 0.42),
          hoverBackgroundColor: css(theme.series(s), theme.contrast ? 0.45 : card.bands ? 0.45 : 0.65),
          borderColor: css(theme.series(s)),
          borderWidth: theme.contrast ? 1 : { top: 2, left: 0, right: 0, bottom: 0 },
          borderSkipped: false as const,
          maxBarThickness: 56,
          order: 2,
        })),
        ...marks.map((mark, m) => ({
          type: 'line' as const,
          label: mark.name,
          data: (edges ? present(mark.values).map((i) => ({ x: centre(i), y: mark.values[i] })) : mark.values) as number[],
          showLine: false,
          pointStyle: 'rectRot' as const,
          clip: 8,
          pointRadius: 4,
          pointHoverRadius: 4,
          backgroundColor: css(theme.series(series.length + m)),
          borderColor: css(theme.background),
          borderWidth: 1,
          order: 1,
        })),
      ],
    },
    scales: {
      x: edges
        ? { ...scaleOf({ ...x, min: x.min ?? edges[0], max: x.max ?? edges[edges.length - 1] }, theme), offset: false }
        : {
            ...scaleOf(x, theme),
            type: 'category',
            ticks: { color: css(theme.muted), maxRotation: 60, autoSkipPadding: 8 },
            grid: { display: false },
          },
      y: {
        ...scaleOf(whole ? { ...y, max: 1 } : y, theme),
        beginAtZero: y.scale !== 'log',
        grace: whole || y.max !== undefined ? 0 : '5%',
      } as never,
    },
    plugins: [
      ...(diagonal && edges ? [diagonalLine(theme.muted)] : []),
      bands('bands', theme.foreground, theme.contrast, (chart) =>
        (card.bands ?? []).flatMap((band) =>
          present(band.low).map((i) => {
            const [left, right] = extentOf(chart, i, edges, count);
            const [low, high] = [chart.scales.y.getPixelForValue(band.low[i] ?? 0), chart.scales.y.getPixelForValue(band.high[i] ?? 0)];
            return [
              [left + 1, low, high],
              [right - 1, low, high],
            ] as const;
          }),
        ),
      ),
      whiskers('whiskers', theme.foreground, (chart) =>
        series.flatMap((one, s) =>
          (one.intervals ?? []).flatMap((interval, i) => {
            const bar = chart.getDatasetMeta(s).data[edges ? shown[s].indexOf(i) : i];
            if (interval === null || bar === undefined || one.values[i] === null) return [];
            return [{ x: bar.x, low: chart.scales.y.getPixelForValue(interval[0]), high: chart.scales.y.getPixelForValue(interval[1]) }];
          }),
        ),
      ),
    ],
  });

  const total = series.reduce((sum, _, s) => sum + shown[s].length, 0);
  const drawn = drawPlot(
    {
      label: t(
        '{0}: {1} by {2}, {3} bars. Use the arrow keys; the same numbers are in the table.',
        card.title,
        series.map((one) => one.name).join(', '),
        x.label,
        total,
      ),
      ...(diagonal && { square: true }),
      nearest: 'x',
      configure,
      sizes: () => series.map((one, s) => (edges ? shown[s].length : one.values.length)),
      mark: (dataset, index) => (dataset < series.length ? describe(card, names, dataset, placeOf(dataset, index)) : null),
      selection: (dataset, index): Selection | null => series[dataset]?.selections?.[placeOf(dataset, index)] ?? null,
      legend: [
        ...series.map((one, s) => barSwatch(given(one.name), s)),
        ...(series.some((one) => one.intervals) ? [whiskerSwatch(t('interval'))] : []),
        ...marks.map((mark, m) => markSwatch(given(mark.name), series.length + m)),
        ...(card.bands ?? []).map((band) => bandSwatch(given(band.name))),
        ...(diagonal && edges ? [diagonalSwatch(t('ideal'))] : []),
      ],
    },
    stage.select,
    stage.signal,
  );
  return { element: drawn.element, sketch: drawn.sketch, follow: drawn.follow };
};
