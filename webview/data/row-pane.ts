import type { DataColumn, DataRow } from '../../src/report/data-view.ts';
import { button } from '../controls.ts';
import { dress, el } from '../element.ts';
import { format, given, t, type Words } from '../l10n.ts';
import { sizedCanvas } from '../picture.ts';
import { pictureCanvas } from './cells.ts';

type Field = DataRow['fields'][number];

const enlarged = (picture: NonNullable<Field['picture']>, name: Words): HTMLCanvasElement => {
  const canvas = sizedCanvas(picture.width, picture.height, 224);
  const context = canvas.getContext('2d');
  if (context) {
    context.imageSmoothingEnabled = false;
    context.drawImage(pictureCanvas(picture, name), 0, 0, canvas.width, canvas.height);
  }
  dress(canvas, { role: 'img', 'aria-label': name });
  return canvas;
};

const words = (value: number, column: DataColumn | undefined): Words => {
  if (Number.isNaN(value)) return t('missing');
  const name = column?.kind === 'class' ? column.classes?.[value] : undefined;
  if (name !== undefined) return given(name === String(value) ? name : `${name} (${value})`);
  if (column?.kind === 'truth') return value === 0 ? t('false') : t('true');
  return given(String(value));
};

const shownValue = (field: Field, column: DataColumn | undefined): Node => {
  if (field.problem !== undefined) return el('span', { class: 'wrong' }, given(field.problem));
  if (field.text !== undefined)
    return field.text === '' ? el('span', { class: 'muted' }, t('missing')) : el('span', { class: 'row-text' }, given(field.text));
  const { values } = field;
  if (!values) return el('span', { class: 'muted' }, given('–'));
  if (field.dims.length === 0) return el('span', {}, words(values[0], column));
  const more = field.total > values.length ? [t('… {0} more', format(field.total - values.length, 'count'))] : [];
  const across = field.dims.at(-1) ?? values.length;
  const lines: string[] = [];
  for (let at = 0; at < values.length; at += across)
    lines.push(Array.from(values.subarray(at, at + across), (v) => (Number.isNaN(v) ? 'NaN' : String(Number(v.toPrecision(6))))).join(' '));
  return el(
    'details',
    {},
    el('summary', {}, t('{0} values', field.dims.join(' × '))),
    el('pre', { class: 'row-values', tabindex: 0, 'aria-label': t('Values of {0}', field.name) }, given([...lines, ...more].join('\n'))),
  );
};

export interface RowPane {
  readonly element: HTMLElement;
  waiting(row: number): void;
  show(row: DataRow, columns: readonly DataColumn[], explain: boolean): void;
  refuse(sentence: string): void;
  close(): void;
}

/** Everything one row holds, and the way to its saliency. */
export const rowPane = (ports: { saliency(row: number): void; closed(): void }): RowPane => {
  const element = el('section', { class: 'row-pane', 'aria-label': t('Chosen row'), hidden: true });
  const close = (): void => {
    element.hidden = true;
    ports.closed();
  };
  const heading = (row: number, explain: boolean): HTMLElement =>
    el(
      'header',
      {},
      el('h2', {}, t('Row {0}', row)),
      el(
        'div',
        { class: 'actions' },
        explain && button(t('Saliency'), () => ports.saliency(row), { title: t('Open the saliency of row {0}', row) }),
        button(t('Close'), close, { look: 'quiet', title: t('Close the row') }),
      ),
    );
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
  });
  return {
    element,
    close,
    waiting(row) {
      element.hidden = false;
      if (element.childElementCount === 0) element.replaceChildren(heading(row, false), el('p', { class: 'muted' }, t('Reading…')));
    },
    show(row, columns, explain) {
      const fields = row.fields.filter(({ name }) => columns.find((c) => c.name === name)?.role !== 'row');
      element.hidden = false;
      element.replaceChildren(
        heading(row.row, explain),
        ...fields.flatMap(({ picture, name }) => (picture ? [enlarged(picture, given(name))] : [])),
        el(
          'dl',
          { class: 'pairs' },
          ...fields.flatMap((field) => [
            el('dt', {}, given(field.name)),
            el(
              'dd',
              {},
              shownValue(
                field,
                columns.find((c) => c.name === field.name),
              ),
            ),
          ]),
        ),
      );
    },
    refuse(sentence) {
      element.hidden = false;
      element.append(el('p', { class: 'wrong', role: 'alert' }, given(sentence)));
    },
  };
};
