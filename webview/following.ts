import type { Selection } from '../src/report/report.ts';

/** What is selected on the page, as a card is told of it; `own` where it was chosen in that card. */
export interface Following {
  readonly label: string;
  readonly rows: ReadonlySet<number>;
  readonly own: boolean;
}

/** How a mark stands to the selection: it is what was chosen, or rows of the selection are behind it too. */
export type Standing = 'chosen' | 'linked';

export const standingOf = (selection: Selection | null | undefined, now: Following | null): Standing | null => {
  if (now === null || !selection) return null;
  if (now.own && selection.label === now.label) return 'chosen';
  return selection.rows.some((row) => now.rows.has(row)) ? 'linked' : null;
};

/** What a card found of the selection: how many of its marks, and which rows. */
export interface Followed {
  readonly marks: number;
  readonly rows: ReadonlySet<number>;
}

/** Counts marks as they are found to hold rows of the selection. */
export const tally = (now: Following | null): Followed & { readonly add: (rows: readonly number[]) => void } => {
  const rows = new Set<number>();
  let marks = 0;
  return {
    rows,
    get marks() {
      return marks;
    },
    add(of) {
      marks++;
      for (const row of of) if (now?.rows.has(row)) rows.add(row);
    },
  };
};
