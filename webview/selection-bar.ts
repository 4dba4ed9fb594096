import { format } from '../src/report/format.ts';
import type { Selection } from '../src/report/report.ts';
import { button } from './controls.ts';
import { el } from './element.ts';
import { copy } from './host.ts';

/** `12 rows`, or how many of them are known by number. */
export const rowsOf = ({ rows, total }: Selection): string =>
  rows.length < total
    ? `${format(rows.length, 'count')} of ${format(total, 'count')} rows`
    : `${format(total, 'count')} ${total === 1 ? 'row' : 'rows'}`;

export interface SelectionBar {
  readonly element: HTMLElement;
  readonly show: (selection: Selection | null) => void;
}

export interface SelectionActions {
  readonly clear: () => void;
  /** Brings the samples into view. */
  readonly reveal: () => void;
  /** Opens the image tab; absent where there is none. */
  readonly open?: (row: number) => void;
}

/** What is selected, and what can be done with it; stays in sight. */
export const selectionBar = ({ clear, reveal, open }: SelectionActions): SelectionBar => {
  const said = el('span', { class: 'selection-text' });
  const status = el('div', { role: 'status', class: 'selection-status' }, said);
  const actions = el('div', { class: 'selection-actions' });
  const element = el('div', { class: 'selection-bar', hidden: true }, status, actions);
  return {
    // The status is on the page before there is anything to say, so that it is said.
    element: el('div', { class: 'selection-place' }, element),
    show(selection) {
      element.hidden = selection === null;
      if (selection === null) {
        said.textContent = '';
        actions.replaceChildren();
        return;
      }
      said.textContent = `Selection: ${rowsOf(selection)} of ‘${selection.label}’`;
      const [first] = selection.rows;
      actions.replaceChildren(
        button('Show', reveal, { look: 'quiet', title: 'Show the selected samples' }),
        ...(selection.rows.length > 0
          ? [button('Copy row numbers', () => copy(selection.rows.join('\n')), { look: 'quiet', title: 'Copy row numbers' })]
          : []),
        ...(open && first !== undefined
          ? [button('Open in image tab', () => open(first), { look: 'quiet', title: `Open in image tab: row ${first}` })]
          : []),
        button('Clear', clear, { look: 'quiet', title: 'Clear the selection (Escape)' }),
      );
    },
  };
};
