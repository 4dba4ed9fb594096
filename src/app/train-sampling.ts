import type { BarsCard, Card, TableCard } from '../report/report.ts';
import { rowHistogram } from './row-histogram.ts';
import { lengthOf } from './train-loop.ts';
import type { Snapshot } from './train-progress.ts';
import type { Setup } from './train-setup.ts';
import { hostKept } from './train-targets.ts';

/** Rows of the table from either end. */
const LISTED = 25;
const BINS = 20;

interface Chance {
  readonly row: number;
  readonly label: number;
  /** How many times as likely as in an even draw. */
  readonly times: number;
}

const extremes = ({ classNames, run }: Setup, chances: readonly Chance[]): TableCard => {
  const sorted = chances.toSorted((a, b) => b.times - a.times || a.row - b.row);
  const shown = sorted.length <= 2 * LISTED ? sorted : [...sorted.slice(0, LISTED), ...sorted.slice(-LISTED)];
  return {
    kind: 'table',
    title: 'Training rows drawn most and least',
    caption:
      'By the probability that an epoch after the last would draw them with. Rows at the top carry the most gradient: they are hard, or their label is wrong. Rows at the bottom the model has learnt.',
    columns: [
      { name: 'row', label: 'Row', type: 'row' },
      { name: 'label', label: 'Label', type: run.facts.classes > 0 ? 'text' : 'number' },
      { name: 'times', label: 'Times as likely as in an even draw', type: 'number' },
    ],
    rows: shown.map(({ row, label, times }) => [row, run.facts.classes > 0 ? (classNames?.[label] ?? String(label)) : label, times]),
  };
};

const spread = (chances: readonly Chance[]): BarsCard => {
  const most = chances.reduce((a, { times }) => Math.max(a, times), 1);
  const says = (low: number, high: number): string => `${low.toPrecision(3)} to ${high.toPrecision(3)} times as likely`;
  return {
    kind: 'bars',
    title: 'How often rows are drawn',
    caption: 'Training rows by how many times as likely they are drawn as in an even draw (1), after the last epoch.',
    x: { label: 'Times as likely as in an even draw', unit: 'none', min: 0 },
    y: { label: 'Rows', unit: 'count', min: 0 },
    ...rowHistogram(
      chances.map(({ row, times }) => ({ row, value: times })),
      most,
      BINS,
      says,
    ),
  };
};

/** What a sampler that changes its mind has to show: the rows that it came to draw most and least. */
export const samplingCards = (setup: Setup, { progress, host }: Snapshot): Card[] => {
  const { train, run, recipe } = setup;
  const { sampler } = recipe.extra;
  const kept = hostKept(host, 'sampler');
  if (!sampler?.part.chances || Object.keys(kept).length === 0 || progress.history.length === 0) return [];
  const { epochs } = lengthOf(recipe, train.positions.length, run.batch);
  const moment = { epoch: progress.history.length, epochs, batch: progress.batch };
  const p = sampler.part.chances(kept, moment, sampler.chosen);
  const width = run.facts.labels.length / train.rows.count;
  const chances = Array.from(train.positions, (at, i) => ({
    row: train.rows.bound.rowAt(at),
    label: run.facts.labels[at * width],
    times: p[i] * p.length,
  }));
  return [spread(chances), extremes(setup, chances)];
};
