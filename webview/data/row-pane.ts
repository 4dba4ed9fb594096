import type { DataColumn, DataRow } from '../../src/report/data-view.ts';
import { format } from '../../src/report/format.ts';
import { button } from '../controls.ts';
import { el } from '../element.ts';
import { sizedCanvas } from '../picture.ts';
import { pictureCanvas } from './cells.ts';

type Field = DataRow['fields'][number];

const enlarged = (picture: NonNullable<Field['picture']>, name: string): HTMLCanvasElement => {
  const canvas = sizedCanvas(picture.width, picture.height, 224);
  const context = canvas.getContext('2d');
  if (context) {
    context.imageSmoothingEnabled = false;
    context.drawImage(pictureCanvas(picture, name), 0, 0, canvas.width, canvas.height);
  }
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', name);
  return canvas;
};

const words = (value: number, column: DataColumn | undefined): string => {
  if (Number.isNaN(value)) return 'missing';
  const name = column?.kind === 'class' ? column.classes?.[value] : undefined;
  if (name !== undefined) return name === String(value) ? name : `${name} (${value})`;
  if (column?.kind === 'truth') return value === 0 ? 'false' : 'true';
  return String(value);
};

const shownValue = (field: Field, column: DataColumn | undefined): Node => {
  if (field.problem !== undefined) return el('span', { class: 'wrong' }, field.problem);
  if (field.text !== undefined)
    return field.text === '' ? el('span', { class: 'muted' }, 'missing') : el('span', { class: 'row-text' }, field.text);
  const { values } = field;
  if (!values) return el('span', { class: 'muted' }, '–');
  if (field.dims.length === 0) return el('span', {}, words(values[0], column));
  const more = field.total > values.length ? `\n… ${format(field.total - values.length, 'count')} more` : '';
  const across = field.dims.at(-1) ?? values.length;
  const lines: string[] = [];
  for (let at = 0; at < values.length; at += across)
    lines.push(Array.from(values.subarray(at, at + across), (v) => (Number.isNaN(v) ? 'NaN' : String(Number(v.toPrecision(6))))).join(' '));
  return el(
    'details',
    {},
    el('summary', {}, `${field.dims.join(' × ')} values`),
    el('pre', { class: 'row-values', tabindex: 0, 'aria-label': `Values of ${field.name}` }, lines.join('\n') + more),
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
  const element = el('section', { class: 'row-pane', 'aria-label': 'Chosen row', hidden: true });
  const close = (): void => {
    element.hidden = true;
    ports.closed();
  };
  const heading = (row: number, explain: boolean): HTMLElement =>
    el(
      'header',
      {},
      el('h2', {}, `Row ${row}`),
      el(
        'div',
        { class: 'actions' },
        explain && button('Saliency', () => ports.saliency(row), { title: `Open the saliency of row ${row}` }),
        button('Close', close, { look: 'quiet', title: 'Close the row' }),
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
      if (element.childElementCount === 0) element.replaceChildren(heading(row, false), el('p', { class: 'muted' }, 'Reading…'));
    },
    show(row, columns, explain) {
      const fields = row.fields.filter(({ name }) => columns.find((c) => c.name === name)?.role !== 'row');
      element.hidden = false;
      element.replaceChildren(
        heading(row.row, explain),
        ...fields.flatMap(({ picture, name }) => (picture ? [enlarged(picture, name)] : [])),
        el(
          'dl',
          { class: 'pairs' },
          ...fields.flatMap((field) => [
            el('dt', {}, field.name),
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
      element.append(el('p', { class: 'wrong', role: 'alert' }, sentence));
    },
  };
};
