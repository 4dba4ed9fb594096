import type { DataColumn } from '../../src/report/data-view.ts';
import { parseFilter } from '../../src/report/row-filter.ts';
import { toggle } from '../controls.ts';
import { el, freshId, say } from '../element.ts';
import { given, t, type Words } from '../l10n.ts';

/** How long after the last key a filter is put to use. */
const PAUSE = 350;

const syntax: readonly (readonly [example: string, meaning: Words])[] = [
  ['label = 3 && confidence < 0.6', t('comparisons = != < <= > >=, joined by && || ! and parentheses')],
  ['label != prediction', t('columns with each other')],
  ['label in (3, "cat")', t('one of several; text in quotes')],
  ['text contains "refund"', t('text inside of text, upper or lower case')],
  ['confidence is missing', t('no value; comparisons with a missing value do not hold')],
  ['x[3] > 0.5', t('one of several values of a row')],
  ['`long name` > 2', t('names that are no plain words in backquotes')],
];

export interface FilterBox {
  readonly element: HTMLElement;
  readonly value: string;
  columns(columns: readonly DataColumn[]): void;
  /** Puts a filter in, without telling of it. */
  set(filter: string): void;
  refuse(sentence: string): void;
}

/** A filter as text, read while it is typed: where it is wrong stands beneath it. */
export const filterBox = (change: (filter: string) => void): FilterBox => {
  let columns: readonly DataColumn[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = '';
  const said = el('p', { class: 'filter-problem wrong', id: freshId('problem'), role: 'status' });
  const input = el('input', {
    type: 'text',
    class: 'search filter',
    spellcheck: 'false',
    autocomplete: 'off',
    placeholder: t('Filter rows, as in label = 3 && confidence < 0.6'),
    'aria-label': t('Filter rows'),
    'aria-describedby': said.id,
  });
  const refuse = (sentence: string): void => {
    say(said, given(sentence));
    if (sentence === '') input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
  };
  const isRight = (): boolean => {
    const text = input.value;
    const parsed = text.trim() === '' ? undefined : parseFilter(text, columns);
    refuse(parsed && 'problem' in parsed ? t('Character {0}: {1}.', parsed.at + 1, parsed.problem) : '');
    return !parsed || 'filter' in parsed;
  };
  const apply = (): void => {
    clearTimeout(timer);
    if (!isRight() || input.value === last) return;
    last = input.value;
    change(last);
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(apply, PAUSE);
  });
  input.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter') apply();
    if (key === 'Escape' && input.value !== '') {
      input.value = '';
      apply();
    }
  });
  const help = el(
    'dl',
    { class: 'filter-help', hidden: true },
    ...syntax.flatMap(([example, meaning]) => [el('dt', {}, el('code', {}, given(example))), el('dd', { class: 'muted' }, meaning)]),
  );
  const more = toggle(
    t('Syntax'),
    false,
    (on) => {
      help.hidden = !on;
    },
    t('Syntax of filters'),
  );
  return {
    element: el('div', { class: 'filter-box' }, el('div', { class: 'filter-line' }, input, more), said, help),
    get value() {
      return last;
    },
    columns(given) {
      columns = given;
    },
    set(filter) {
      last = filter;
      input.value = filter;
      refuse('');
    },
    refuse,
  };
};
