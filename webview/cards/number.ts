import { format, formatInterval, intervalName } from '../../src/report/format.ts';
import type { CardOf } from '../../src/report/report.ts';
import { el } from '../element.ts';
import type { View } from '../stage.ts';

/** Scalars by their long names, each with its unit, interval and reference. */
export const number = ({ title, values }: CardOf<'number'>): View => {
  const intervals = values.some((v) => v.interval);
  const references = values.some((v) => v.reference !== undefined);
  const rows = values.map((v) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, v.label, v.note !== undefined && el('span', { class: 'note' }, v.note)),
      el('td', { class: 'numeric value' }, format(v.value, v.unit)),
      intervals &&
        el(
          'td',
          { class: 'numeric' },
          v.interval ? formatInterval(v.interval, v.unit) : '',
          v.interval && el('span', { class: 'note' }, intervalName(v.interval)),
        ),
      references && el('td', { class: 'numeric muted' }, v.reference === undefined ? '' : format(v.reference, v.unit)),
    ),
  );
  return {
    isTable: true,
    element: el(
      'div',
      { class: 'table-frame whole', tabindex: 0, role: 'region', 'aria-label': title },
      el(
        'table',
        { class: 'numbers' },
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            el('th', { scope: 'col' }, 'Measure'),
            el('th', { scope: 'col', class: 'numeric' }, 'Value'),
            intervals && el('th', { scope: 'col', class: 'numeric' }, 'Interval'),
            references && el('th', { scope: 'col', class: 'numeric' }, 'Reference'),
          ),
        ),
        el('tbody', {}, ...rows),
      ),
    ),
  };
};
