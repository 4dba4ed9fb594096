import type { Selection } from '../src/report/report.ts';
import { button } from './controls.ts';
import { el, say } from './element.ts';
import { copy } from './host.ts';
import { format, t, type Words } from './l10n.ts';

export const countOf = ({ total }: Pick<Selection, 'total'>): Words =>
  total === 1 ? t('{0} row', format(total, 'count')) : t('{0} rows', format(total, 'count'));

/** `12 rows`, or how many of them are known by number. */
export const rowsOf = (selection: Selection): Words =>
  selection.rows.length < selection.total
    ? t('{0} of {1} rows', format(selection.rows.length, 'count'), format(selection.total, 'count'))
    : countOf(selection);

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
        say(said, '');
        actions.replaceChildren();
        return;
      }
      say(said, t('Selection: {0} of ‘{1}’', rowsOf(selection), selection.label));
      const [first] = selection.rows;
      actions.replaceChildren(
        button(t('Show'), reveal, { look: 'quiet', title: t('Show the selected samples') }),
        ...(selection.rows.length > 0
          ? [button(t('Copy row numbers'), () => copy(selection.rows.join('\n')), { look: 'quiet', title: t('Copy row numbers') })]
          : []),
        ...(open && first !== undefined
          ? [button(t('Open in image tab'), () => open(first), { look: 'quiet', title: t('Open in image tab: row {0}', first) })]
          : []),
        button(t('Clear'), clear, { look: 'quiet', title: t('Clear the selection (Escape)') }),
      );
    },
  };
};
