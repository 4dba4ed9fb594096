import type { ArrayFacts, DataArray, DataFacts } from '../../src/report/data-view.ts';
import type { DataLook } from '../../src/vscode/data-protocol.ts';
import { button, dropdown } from '../controls.ts';
import { el } from '../element.ts';
import { format, given, t, type Words } from '../l10n.ts';

const heads = [t('Array'), t('Type'), t('Shape'), t('Min'), t('Max'), t('Mean'), t('Missing')];

const canBeRows = ({ apart, dims, dtype, refused }: DataArray): boolean =>
  apart === true && refused === undefined && dtype !== 'string' && dims.length > 1;

/** The arrays of the file with what their values are like, and which of them are shown. */
export const arraysView = (
  facts: DataFacts,
  found: readonly ArrayFacts[] | undefined,
  look: DataLook,
  change: (part: Partial<DataLook>) => void,
): HTMLElement => {
  const labels = facts.columns.filter((c) => c.dims.length === 0 && c.role !== 'row' && (c.role === undefined || c.role === 'label'));
  const label = labels.find((c) => c.role === 'label');
  const row = (array: DataArray): HTMLElement => {
    const values = found?.find(({ name }) => name === array.name);
    const numbers = [values?.min, values?.max, values?.mean].map((v): Words | '' => (values ? format(v) : ''));
    return el(
      'tr',
      {},
      el(
        'th',
        { scope: 'row' },
        el('code', {}, given(array.name)),
        canBeRows(array) &&
          button(t('Show'), () => change({ x: array.name }), { look: 'quiet', title: t('Show the rows of {0}', array.name) }),
      ),
      el('td', {}, given(array.dtype)),
      el('td', {}, array.refused ? el('span', { class: 'wrong' }, given(array.refused)) : given(array.dims.join(' × '))),
      ...numbers.map((text) => el('td', { class: 'numeric' }, text)),
      el('td', { class: 'numeric' }, values ? format(values.missing, 'count') : ''),
    );
  };
  return el(
    'div',
    { class: 'arrays' },
    labels.length > 1 &&
      dropdown(
        t('Labels'),
        [...(label ? [] : [{ value: '', label: t('none') }]), ...labels.map(({ name }) => ({ value: name, label: given(name) }))],
        label?.name ?? '',
        (y) => y !== '' && change({ y }),
      ),
    look.x !== undefined && button(t('Show the first rows again'), () => change({ x: undefined, y: undefined }), { look: 'quiet' }),
    el(
      'div',
      { class: 'table-frame', tabindex: 0, role: 'region', 'aria-label': t('Arrays') },
      el(
        'table',
        {},
        el('thead', {}, el('tr', {}, ...heads.map((head, i) => el('th', { scope: 'col', class: i > 2 ? 'numeric' : undefined }, head)))),
        el('tbody', {}, ...facts.arrays.map(row)),
      ),
    ),
  );
};
