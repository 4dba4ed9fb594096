import { extent } from '../../src/report/extent.ts';
import type { CardOf } from '../../src/report/report.ts';
import { drawPlot, scaleOf } from '../chart.ts';
import { format, formatRange, given, t } from '../l10n.ts';
import { bandColour, bandSwatch, bands, diagonalLine, diagonalSwatch, lineSwatch, whiskers } from '../overlays.ts';
import { countOf } from '../selection-bar.ts';
import type { Stage, View } from '../stage.ts';
import { css, dashOf, shapeOf } from '../theme.ts';

/** Beyond this many points a line is drawn without dots. */
const MOST_DOTS = 60;

/** Lines, steps and points over two axes, with bands and whiskers. */
export const curve = (card: CardOf<'curve'>, stage: Pick<Stage, 'select' | 'signal'>): View => {
  const { x, y, lines, diagonal } = card;
  const extremes = [
    ...(card.bands ?? []).flatMap((band) => band.points.flatMap(([, low, high]) => [low, high])),
    ...lines.flatMap((line) => (line.intervals ?? []).flatMap((interval) => interval ?? [])),
  ];
  /** The axis shows bands and whiskers whole, where the card does not bound it. */
  const span = extent(extremes);
  const reach = span ? { suggestedMin: span[0], suggestedMax: span[1] } : {};
  const drawn = drawPlot(
    {
      label: t(
        '{0}: {1}; {2} against {3}. Use the arrow keys; the same numbers are in the table.',
        card.title,
        lines.map((line) => line.name).join(', '),
        y.label,
        x.label,
      ),
      ...(diagonal && { square: true }),
      nearest: 'xy',
      configure: (theme) => ({
        type: 'line',
        data: {
          datasets: lines.map((line, i) => {
            const onlyPoints = line.shape === 'points';
            return {
              type: 'line' as const,
              label: line.name,
              data: line.points.map(([px, py]) => ({ x: px, y: py })),
              clip: 8,
              showLine: !onlyPoints,
              ...(line.shape === 'step' && { stepped: true as const }),
              borderColor: css(theme.series(i)),
              backgroundColor: css(theme.series(i)),
              borderWidth: 2,
              borderDash: onlyPoints ? [] : dashOf(i),
              pointStyle: shapeOf(onlyPoints ? 0 : i),
              pointRadius: onlyPoints ? 4 : line.points.length <= MOST_DOTS && lines.length === 1 ? 2 : 0,
              pointHoverRadius: 5,
            };
          }),
        },
        scales: { x: scaleOf(x, theme), y: { ...scaleOf(y, theme), ...reach } },
        plugins: [
          ...(diagonal ? [diagonalLine(theme.muted)] : []),
          ...(card.bands ?? []).map((band, k) =>
            bands(`band-${k}`, bandColour(theme, k), theme.contrast, (chart) => [
              band.points.map(
                ([px, low, high]) =>
                  [
                    chart.scales.x.getPixelForValue(px),
                    chart.scales.y.getPixelForValue(low),
                    chart.scales.y.getPixelForValue(high),
                  ] as const,
              ),
            ]),
          ),
          ...lines.map((line, i) =>
            whiskers(`whiskers-${i}`, lines.length > 1 ? theme.series(i) : theme.foreground, (chart) =>
              (line.intervals ?? []).flatMap((interval, k) =>
                interval === null
                  ? []
                  : [
                      {
                        x: chart.scales.x.getPixelForValue(line.points[k][0]),
                        low: chart.scales.y.getPixelForValue(interval[0]),
                        high: chart.scales.y.getPixelForValue(interval[1]),
                      },
                    ],
              ),
            ),
          ),
        ],
      }),
      sizes: () => lines.map((line) => line.points.length),
      selection: (dataset, index) => lines[dataset]?.selections?.[index],
      mark(dataset, index) {
        const line = lines[dataset];
        const point = line?.points[index];
        if (point === undefined) return null;
        const interval = line.intervals?.[index];
        const selection = line.selections?.[index] ?? null;
        return {
          title: given(line.name),
          lines: [
            given(`${x.label} ${format(point[0], x.unit)}`),
            given(`${y.label} ${format(point[1], y.unit)}${interval ? ` (${formatRange(interval[0], interval[1], y.unit)})` : ''}`),
            ...(selection ? [countOf(selection)] : []),
          ],
        };
      },
      legend: [
        ...lines.map((line, i) => lineSwatch(given(line.name), i, line.shape === 'points')),
        ...(card.bands ?? []).map((band, k) => bandSwatch(given(band.name), k)),
        ...(diagonal ? [diagonalSwatch(card.diagonalName === undefined ? t('ideal') : given(card.diagonalName))] : []),
      ],
    },
    stage.select,
    stage.signal,
  );
  return { element: drawn.element, sketch: drawn.sketch, follow: drawn.follow };
};
