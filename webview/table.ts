import { UNDEFINED } from '../src/report/format.ts';
import type { TableCard } from '../src/report/report.ts';
import { el, say } from './element.ts';
import { format, formatRange, given, t, type Words } from './l10n.ts';

type Cell = TableCard['rows'][number][number];
type Column = TableCard['columns'][number];

/** The rows of a table that its card does not show. */
export const leftOver = (rows: number): Words =>
  rows === 1 ? t('1 more row is in the CSV export.') : t('{0} more rows are in the CSV export.', format(rows, 'count'));

/** Rows put into the page at once; the CSV holds all. */
const MOST_ROWS = 1000;

const keyOf = (cell: Cell): string | number | null => (typeof cell === 'object' && cell !== null ? cell[0] : cell);
const order = (a: Cell, b: Cell): number => {
  const [x, y] = [keyOf(a), keyOf(b)];
  if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
  return typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true });
};

export const cellText = (cell: Cell, { type, unit }: Column): Words => {
  if (typeof cell === 'string') return given(cell);
  if (cell === null) return given(UNDEFINED);
  if (typeof cell === 'number') return type === 'row' ? given(String(cell)) : format(cell, unit);
  return formatRange(cell[0], cell[1], unit);
};
const show = (cell: Cell, column: Column, openRow: TableLook['openRow']): Node | Words =>
  column.type === 'row' && typeof cell === 'number' && openRow ? openRow(cell) : cellText(cell, column);

export interface TableLook {
  readonly sortable?: boolean;
  readonly caption?: boolean;
  readonly openRow?: (row: number) => HTMLElement | Words;
}

/** Dataset rows that a line of the table names. */
const rowsNamed = (columns: readonly Column[], row: TableCard['rows'][number]): readonly number[] =>
  columns.flatMap(({ type }, c) => {
    const cell = row[c];
    return type === 'row' && typeof cell === 'number' ? [cell] : [];
  });

/** A table with headings, units and (where wanted) sorting by any column. */
export const tableOf = (card: TableCard, { sortable = false, caption = false, openRow }: TableLook = {}): HTMLElement => {
  const body = el('tbody');
  const rowNumbers = (row: TableCard['rows'][number]): string | undefined => rowsNamed(card.columns, row).join(' ') || undefined;
  const heads = card.columns.map((column, c) => {
    const numeric = column.type !== 'text';
    const head = el('th', { scope: 'col', class: numeric ? 'numeric' : undefined });
    if (!sortable) {
      say(head, given(column.label));
      return head;
    }
    head.append(el('button', { class: 'sort', type: 'button', on: { click: () => sort(c) } }, given(column.label)));
    head.setAttribute('aria-sort', 'none');
    return head;
  });
  const rows = (all: TableCard['rows']): void => {
    body.replaceChildren(
      ...all.slice(0, MOST_ROWS).map((row) =>
        el(
          'tr',
          { 'data-rows': rowNumbers(row) },
          ...card.columns.map((column, c) => {
            const content = show(row[c] ?? null, column, openRow);
            if (c === 0 && column.type === 'text') return el('th', { scope: 'row' }, content);
            return el('td', { class: column.type === 'text' ? undefined : 'numeric' }, content);
          }),
        ),
      ),
    );
  };
  const sort = (c: number): void => {
    const up = heads[c].getAttribute('aria-sort') !== 'ascending';
    for (const head of heads) head.setAttribute('aria-sort', 'none');
    heads[c].setAttribute('aria-sort', up ? 'ascending' : 'descending');
    const sorted = [...card.rows].sort((a, b) => {
      const [x, y] = [a[c] ?? null, b[c] ?? null];
      if (keyOf(x) === null || keyOf(y) === null) return order(x, y);
      return up ? order(x, y) : order(y, x);
    });
    rows(sorted);
    body.dispatchEvent(new Event('assay-sorted', { bubbles: true }));
  };
  rows(card.rows);
  const left = card.rows.length - MOST_ROWS;
  return el(
    'div',
    { class: 'table-frame', tabindex: 0, role: 'region', 'aria-label': given(card.title) },
    el('table', {}, caption && el('caption', {}, given(card.title)), el('thead', {}, el('tr', {}, ...heads)), body),
    card.rows.length === 0 && el('p', { class: 'muted' }, t('Nothing to list.')),
    left > 0 && el('p', { class: 'muted' }, leftOver(left)),
  );
};
