import type { CardOf } from '../../src/report/report.ts';
import { drawPlot, scaleOf } from '../chart.ts';
import { format, given, t } from '../l10n.ts';
import { diagonalLine, diagonalSwatch, lineSwatch } from '../overlays.ts';
import type { Stage, View } from '../stage.ts';
import { css, shapeOf } from '../theme.ts';

/** Points by group; each of a row leads to it. */
export const scatter = (card: CardOf<'scatter'>, stage: Stage): View => {
  const { x, y, groups, diagonal } = card;
  const total = groups.reduce((sum, group) => sum + group.points.length, 0);
  const drawn = drawPlot(
    {
      label: t(
        '{0}: {1} points in {2} groups, {3} against {4}. Use the arrow keys; the same numbers are in the table.',
        card.title,
        format(total, 'count'),
        groups.length,
        y.label,
        x.label,
      ),
      ...(diagonal && { square: true }),
      nearest: 'xy',
      configure: (theme) => ({
        type: 'scatter',
        data: {
          datasets: groups.map((group, g) => ({
            label: group.name,
            data: group.points.map(([px, py]) => ({ x: px, y: py })),
            clip: 8,
            pointStyle: shapeOf(g),
            pointRadius: 3,
            pointHoverRadius: 6,
            backgroundColor: css(theme.series(g), theme.contrast ? 1 : 0.6),
            borderColor: css(theme.series(g)),
            borderWidth: 1,
          })),
        },
        scales: { x: scaleOf(x, theme), y: scaleOf(y, theme) },
        plugins: diagonal ? [diagonalLine(theme.muted)] : [],
      }),
      mark(dataset, index) {
        const group = groups[dataset];
        const point = group?.points[index];
        if (point === undefined) return null;
        const row = group.rows?.[index];
        return {
          title: row === undefined ? given(group.name) : t('{0}, row {1}', group.name, row),
          lines: [given(`${x.label} ${format(point[0], x.unit)}`), given(`${y.label} ${format(point[1], y.unit)}`)],
        };
      },
      sizes: () => groups.map((group) => group.points.length),
      selection(dataset, index) {
        const row = groups[dataset]?.rows?.[index];
        return row === undefined ? null : { label: t('row {0}', row), total: 1, rows: [row] };
      },
      legend: [...groups.map((group, g) => lineSwatch(given(group.name), g, true)), ...(diagonal ? [diagonalSwatch(t('y = x'))] : [])],
    },
    stage.select,
    stage.signal,
  );
  return { element: drawn.element, sketch: drawn.sketch, follow: drawn.follow };
};
