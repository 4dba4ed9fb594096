import type { CardOf } from '../../src/report/report.ts';
import { el } from '../element.ts';
import { type Followed, type Following, tally } from '../following.ts';
import { given, t } from '../l10n.ts';
import type { Stage, View } from '../stage.ts';
import { tableOf } from '../table.ts';

/** A table; row numbers lead to the sample. */
export const table = (card: CardOf<'table'>, stage: Stage): View => {
  const element = tableOf(card, {
    sortable: true,
    openRow: (row) =>
      stage.sample(row)
        ? el(
            'button',
            { class: 'link', type: 'button', on: { click: () => stage.select({ label: t('row {0}', row), total: 1, rows: [row] }) } },
            given(String(row)),
          )
        : given(String(row)),
  });
  let last: Following | null = null;
  const follow = (now: Following | null): Followed => {
    last = now;
    const found = tally(now);
    for (const line of element.querySelectorAll<HTMLElement>('tr[data-rows]')) {
      const named = (line.dataset.rows ?? '').split(' ').map(Number);
      const held = named.some((row) => now?.rows.has(row));
      line.classList.toggle('held', held);
      if (held) found.add(named);
    }
    return found;
  };
  element.addEventListener('assay-sorted', () => void follow(last));
  return { isTable: true, element, follow };
};
