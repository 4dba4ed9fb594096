import { format } from '../../src/report/format.ts';
import type { CardOf } from '../../src/report/report.ts';
import { drawPlot, scaleOf } from '../chart.ts';
import { diagonalLine, diagonalSwatch, lineSwatch } from '../overlays.ts';
import type { Stage, View } from '../stage.ts';
import { css, shapeOf } from '../theme.ts';

/** Points by group; those of the rows selected elsewhere in the report are ringed. */
export const scatter = (card: CardOf<'scatter'>, stage: Stage): View => {
  const { x, y, groups, diagonal } = card;
  let selected: ReadonlySet<number> = new Set();
  const isSelected = (group: number, i: number): boolean => {
    const row = groups[group].rows?.[i];
    return row !== undefined && selected.has(row);
  };
  const total = groups.reduce((sum, group) => sum + group.points.length, 0);
  const drawn = drawPlot(
    {
      label: `${card.title}: ${format(total, 'count')} points in ${groups.length} groups, ${y.label} against ${x.label}. Use the arrow keys; the same numbers are in the table.`,
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
            pointRadius: group.points.map((_, i) => (isSelected(g, i) ? 6 : 3)),
            pointHoverRadius: 6,
            backgroundColor: css(theme.series(g), theme.contrast ? 1 : 0.6),
            borderColor: group.points.map((_, i) => css(isSelected(g, i) ? theme.foreground : theme.series(g))),
            borderWidth: group.points.map((_, i) => (isSelected(g, i) ? 2 : 1)),
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
          title: row === undefined ? group.name : `${group.name}, row ${row}`,
          lines: [`${x.label} ${format(point[0], x.unit)}`, `${y.label} ${format(point[1], y.unit)}`],
          selection: row === undefined ? null : { label: `row ${row}`, total: 1, rows: [row] },
        };
      },
      legend: [...groups.map((group, g) => lineSwatch(group.name, g, true)), ...(diagonal ? [diagonalSwatch('y = x')] : [])],
    },
    stage.select,
    stage.signal,
  );
  stage.onSelection((rows) => {
    selected = rows;
    drawn.refresh();
  });
  return { element: drawn.element, picture: drawn.picture };
};
