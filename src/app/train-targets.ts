import type { BarsCard, Card, CurveCard, TableCard } from '../report/report.ts';
import { rowHistogram } from './row-histogram.ts';
import { lengthOf } from './train-loop.ts';
import type { Snapshot } from './train-progress.ts';
import type { Setup } from './train-setup.ts';

/** Rows in the table of those whose label is doubted most. */
const LISTED = 50;
const BINS = 10;

const nameOf = ({ classNames }: Setup, c: number): string => classNames?.[c] ?? String(c);

interface Word {
  readonly row: number;
  readonly label: number;
  readonly says: number;
  /** Share of the label, and of the class that it says. */
  readonly own: number;
  readonly most: number;
}
const wordsOf = ({ train, run }: Setup, said: Float64Array): Word[] => {
  const { classes, labels } = run.facts;
  return Array.from(train.positions, (p, i) => {
    const row = said.subarray(i * classes, (i + 1) * classes);
    const most = row.reduce((a, b) => Math.max(a, b));
    return { row: train.rows.bound.rowAt(p), label: labels[p], says: row.indexOf(most), own: row[labels[p]], most };
  });
};

const doubted = (setup: Setup, words: readonly Word[]): TableCard => ({
  kind: 'table',
  title: 'Training rows whose label the model doubts most',
  caption:
    'By what the model said of each row when it last trained on it. Rows at the top are hard, or carry a wrong label: look at them before you train again.',
  columns: [
    { name: 'row', label: 'Row', type: 'row' },
    { name: 'label', label: 'Label', type: 'text' },
    { name: 'says', label: 'The model says', type: 'text' },
    { name: 'doubt', label: 'Doubt: 1 − share of the label', type: 'number', unit: 'fraction' },
    { name: 'share', label: 'Share of what it says', type: 'number', unit: 'fraction' },
  ],
  rows: words
    .toSorted((a, b) => a.own - b.own || a.row - b.row)
    .slice(0, LISTED)
    .map((w) => [w.row, nameOf(setup, w.label), nameOf(setup, w.says), 1 - w.own, w.most]),
});

const softness = (words: readonly Word[]): BarsCard => ({
  kind: 'bars',
  title: 'Target softness',
  caption: "Training rows by the share that the model last gave their label. The lower it is, the softer is the row's target.",
  x: { label: 'Share of the label', unit: 'fraction', min: 0, max: 1 },
  y: { label: 'Rows', unit: 'count', min: 0 },
  ...rowHistogram(
    words.map(({ row, own }) => ({ row, value: own })),
    1,
    BINS,
    (low, high) => `share ${low} to ${high}`,
  ),
});

/** What a part keeps, of what the host does. */
export const hostKept = (host: Snapshot['host'], part: 'sampler' | 'targets'): Readonly<Record<string, Float64Array>> =>
  Object.fromEntries(
    Object.entries(host ?? {}).flatMap(([key, v]) => (key.startsWith(`${part}/`) ? [[key.slice(part.length + 1), v]] : [])),
  );

/** What targets that change over the run have to show: their numbers by epoch, and the rows whose label the model doubts. */
export const targetCards = (setup: Setup, { progress, host }: Snapshot): Card[] => {
  const { targets } = setup.recipe.extra;
  const table = targets?.part.table;
  if (!table) return [];
  const { epochs } = lengthOf(setup.recipe, setup.train.positions.length, setup.run.batch);
  const moments = progress.history.map((_, epoch) => ({ epoch, epochs, batch: progress.batch }));
  const given = moments.map((m) => table.lines?.(m, targets.chosen) ?? {});
  const lines = Object.keys(given[0] ?? {}).map((name) => ({
    name,
    points: given.map((at, epoch): readonly [number, number] => [epoch + 1, at[name]]),
    shape: given.length === 1 ? ('points' as const) : ('line' as const),
  }));
  const curve: CurveCard[] =
    lines.length === 0
      ? []
      : [{ kind: 'curve', title: 'Targets', x: { label: 'Epoch', unit: 'count' }, y: { label: 'Value', unit: 'none', min: 0 }, lines }];
  const kept = hostKept(host, 'targets');
  const said = Object.keys(kept).length > 0 ? table.said?.(kept) : undefined;
  if (!said) return curve;
  const words = wordsOf(setup, said);
  return [...curve, softness(words), doubted(setup, words)];
};
