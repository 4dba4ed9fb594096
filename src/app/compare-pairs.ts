import type { PairedRuns } from '../diagnostics/define.ts';
import { diagnostics } from '../diagnostics/index.ts';
import type { Report } from '../report/report.ts';

/** Truths that must differ among the rows of two files, before their agreeing row by row shows that the rows are the same. */
const DISTINCT = 10;
/** Below so many rows nothing is known of how errors go together. */
const FEW = 10;

export const sameRows = ({ provenance: a }: Report, { provenance: b }: Report): boolean =>
  a.dataSha256 === b.dataSha256 && a.split === b.split && a.rows === b.rows;

/** Two runs by the rows that both show, where the diagnostic shows any and they are the same ones. */
export const pairedRuns = (a: Report, b: Report, names: readonly [string, string]): PairedRuns | undefined => {
  const paired = diagnostics.find(({ id }) => id === a.id)?.pairRuns?.(a, b, names);
  if (!paired || paired.rows < FEW) return undefined;
  return sameRows(a, b) || paired.distinct >= DISTINCT ? paired : undefined;
};

const subjectOf = ({ provenance: { dataPath, split, rows } }: Report): string => `'${dataPath}'${split ? ` ${split}` : ''}, ${rows} rows`;

/** How far the rows of two runs are the same, and what that makes of the intervals. */
export const rowNotes = (a: Report, b: Report, paired: PairedRuns | undefined): string[] => {
  if (paired)
    return [
      `${
        sameRows(a, b)
          ? 'Both runs are on the same rows'
          : `The runs are on two files (${subjectOf(a)}, and ${subjectOf(b)}) whose rows have the same targets in the same order, so they were taken for the same rows`
      }. The ${paired.rows} rows that both reports show tell how far the errors of the two go together, and intervals of differences are those of pairs of rows${paired.rows < a.headline.rows ? `, as if the other ${a.headline.rows - paired.rows} rows were like them` : ''}.`,
    ];
  return sameRows(a, b)
    ? [
        'Both runs are on the same rows. Their reports hold no rows to pair, so intervals of differences are those of independent runs and wider than need be; compare the two models on the data for paired ones.',
      ]
    : [`The runs are on different rows (${subjectOf(a)}, and ${subjectOf(b)}): a difference may be that of the data.`];
};
