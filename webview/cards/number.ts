import type { CardOf, TableCard } from '../../src/report/report.ts';
import { el } from '../element.ts';
import { format, formatInterval, given, intervalName, t } from '../l10n.ts';
import type { View } from '../stage.ts';
import { tableSketch } from '../table-sketch.ts';

/** Scalars by their long names, each with its unit, interval and reference. */
export const number = ({ title, values }: CardOf<'number'>): View => {
  const intervals = values.some((v) => v.interval);
  const references = values.some((v) => v.reference !== undefined);
  const rows = values.map((v) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, given(v.label), v.note !== undefined && el('span', { class: 'note' }, given(v.note))),
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
  /** As it is read on the page: every number in its own unit. */
  const written: TableCard = {
    kind: 'table',
    title,
    columns: [
      { name: 'label', label: t('Measure'), type: 'text' },
      { name: 'value', label: t('Value'), type: 'number' },
      ...(intervals ? [{ name: 'interval', label: t('Interval'), type: 'number' } as const] : []),
      ...(references ? [{ name: 'reference', label: t('Reference'), type: 'number' } as const] : []),
    ],
    rows: values.map((v) => [
      v.label,
      format(v.value, v.unit),
      ...(intervals ? [v.interval ? formatInterval(v.interval, v.unit) : ''] : []),
      ...(references ? [v.reference === undefined ? '' : format(v.reference, v.unit)] : []),
    ]),
  };
  return {
    isTable: true,
    sketch: () => tableSketch(written, false),
    element: el(
      'div',
      { class: 'table-frame whole', tabindex: 0, role: 'region', 'aria-label': given(title) },
      el(
        'table',
        { class: 'numbers' },
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            el('th', { scope: 'col' }, t('Measure')),
            el('th', { scope: 'col', class: 'numeric' }, t('Value')),
            intervals && el('th', { scope: 'col', class: 'numeric' }, t('Interval')),
            references && el('th', { scope: 'col', class: 'numeric' }, t('Reference')),
          ),
        ),
        el('tbody', {}, ...rows),
      ),
    ),
  };
};
