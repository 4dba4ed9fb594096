import type { CardOf } from '../../src/report/report.ts';
import { el } from '../element.ts';
import type { Stage, View } from '../stage.ts';
import { tableOf } from '../table.ts';

/** A table; row numbers lead to the sample. */
export const table = (card: CardOf<'table'>, stage: Stage): View => ({
  isTable: true,
  element: tableOf(card, {
    sortable: true,
    openRow: (row) =>
      stage.sample(row)
        ? el(
            'button',
            { class: 'link', type: 'button', on: { click: () => stage.select({ label: `row ${row}`, total: 1, rows: [row] }) } },
            String(row),
          )
        : String(row),
  }),
});
