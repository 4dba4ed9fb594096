import { meanReach } from '../../base/maths/student.ts';
import type { Card, Interval } from '../../report/report.ts';
import { headlineLines } from '../headline-line.ts';
import { number, percent } from '../wording.ts';
import type { Cell, Sweep, SweepOptions } from './z-loss-sweep-run.ts';

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** What is compared, the greater the better: mean reciprocal rank, or the share of rows among the first. */
const valuesOf = ({ counts }: Sweep, { among, mrr }: Cell, by: SweepOptions['by']): readonly number[] => {
  if (by === 'mrr') return mrr;
  const at = by === 'top1' ? 0 : counts.includes(5) ? counts.indexOf(5) : counts.length - 1;
  return among[at];
};
const words = (s: Sweep, by: SweepOptions['by']): string =>
  by === 'mrr' ? 'mean reciprocal rank' : by === 'top1' ? 'top-1 share' : `top-${s.counts.includes(5) ? 5 : s.counts.at(-1)} share`;

const bestOf = (s: Sweep, by: SweepOptions['by']): Cell =>
  s.cells.slice(1).reduce((a, b) => (mean(valuesOf(s, b, by)) > mean(valuesOf(s, a, by)) ? b : a));

const gains = (s: Sweep, by: SweepOptions['by']): number[] => {
  const base = valuesOf(s, s.cells[0], by);
  return valuesOf(s, bestOf(s, by), by).map((v, r) => v - base[r]);
};

export const sweepHeadline = (s: Sweep, { by }: Pick<SweepOptions, 'by'>): Record<string, number> => {
  const best = bestOf(s, by);
  const of = (prefix: string, { among, mrr }: Cell): [string, number][] => [
    ...s.counts.map((k, n): [string, number] => [`${prefix}_top${k}_error`, 1 - mean(among[n])]),
    [`${prefix}_mrr`, mean(mrr)],
  ];
  return {
    ...Object.fromEntries([...of('cross_entropy', s.cells[0]), ...of('best', best)]),
    best_a: best.at?.a ?? Number.NaN,
    best_b: best.at?.b ?? Number.NaN,
    best_difference: mean(gains(s, by)),
    classes: s.classes,
    test_rows: s.test,
  };
};

export const sweepIntervals = (s: Sweep, { by, confidenceLevel: level }: SweepOptions): Record<string, Interval> => {
  const found = gains(s, by);
  const reach = meanReach(found, level);
  return Number.isFinite(reach)
    ? {
        best_difference: {
          low: mean(found) - reach,
          high: mean(found) + reach,
          level,
          method: `Student's t over ${found.length} repeats, paired; of the best cell, so it flatters`,
        },
      }
    : {};
};

export const sweepCards = (s: Sweep, options: SweepOptions): Card[] => {
  const headline = sweepHeadline(s, options);
  const line = headlineLines(headline, sweepIntervals(s, options));
  const [, ...grid] = s.cells;
  const named = words(s, options.by);
  const errors = (prefix: string, of: string) => s.counts.map((k) => line(`${prefix}_top${k}_error`, `Top-${k} error, ${of}`, 'fraction'));
  const layers = [
    ...s.counts.map((k, n) => ({ name: `top-${k} error`, values: grid.map((c) => 1 - mean(c.among[n])) })),
    { name: 'mean reciprocal rank', values: grid.map((c) => mean(c.mrr)) },
  ];
  return [
    {
      kind: 'number',
      title: 'Z-loss beside cross-entropy',
      caption: `${s.how}; ${s.parameters} parameters, ${s.train} rows to train and ${s.test} to test, ${options.repeats} ${options.repeats === 1 ? 'repeat' : 'repeats'} of every loss from the same first values.`,
      values: [
        line('best_a', 'a of the best', 'none'),
        line('best_b', 'b of the best', 'none'),
        line('best_difference', `Best less cross-entropy, ${named}`, 'fraction'),
        ...errors('best', 'best z-loss'),
        line('best_mrr', 'Mean reciprocal rank, best z-loss', 'fraction'),
        ...errors('cross_entropy', 'cross-entropy'),
        line('cross_entropy_mrr', 'Mean reciprocal rank, cross-entropy', 'fraction'),
        line('test_rows', 'Test rows', 'count'),
      ],
    },
    {
      kind: 'heatmap',
      title: 'Every (a, b)',
      caption: 'Means over repeats.',
      rows: { label: 'a', names: s.as.map(String) },
      columns: { label: 'b', names: s.bs.map(String) },
      layers: layers.map((l) => ({ ...l, unit: 'fraction' as const })),
    },
    {
      kind: 'table',
      title: 'Every loss',
      caption: 'Cross-entropy first. Means over repeats, and for the mean reciprocal rank its least and most.',
      columns: [
        { name: 'loss', label: 'Loss', type: 'text' },
        { name: 'a', label: 'a', type: 'number' },
        { name: 'b', label: 'b', type: 'number' },
        ...s.counts.map((k) => ({ name: `top${k}`, label: `Top-${k} error`, type: 'number' as const, unit: 'fraction' as const })),
        { name: 'mrr', label: 'Mean reciprocal rank', type: 'number', unit: 'fraction' },
        { name: 'spread', label: 'from, to', type: 'interval', unit: 'fraction' },
      ],
      rows: s.cells.map((c) => [
        c.at ? 'z-loss' : 'cross-entropy',
        c.at?.a ?? null,
        c.at?.b ?? null,
        ...s.counts.map((_, n) => 1 - mean(c.among[n])),
        mean(c.mrr),
        [Math.min(...c.mrr), Math.max(...c.mrr)],
      ]),
    },
  ];
};

export const sweepNotes = ({ bs, classes }: Sweep): string[] => {
  const beyond = bs.filter((b) => b > Math.sqrt(classes - 1));
  return beyond.length === 0
    ? []
    : [
        `No standardised score of ${classes} classes exceeds ${number(Math.sqrt(classes - 1))}: with b of ${beyond.join(', ')} every row keeps pulling.`,
      ];
};

export const sweepGuide = (s: Sweep, options: SweepOptions): string => {
  const best = bestOf(s, options.by);
  const difference = mean(gains(s, options.by));
  const interval = sweepIntervals(s, options).best_difference;
  const sure = interval && interval.low > 0;
  const said =
    difference <= 0
      ? `No (a, b) tried is better than cross-entropy by the ${words(s, options.by)}: keep cross-entropy.`
      : `By the ${words(s, options.by)} z-loss is best at a ${best.at?.a}, b ${best.at?.b}: ${percent(Math.abs(difference))} more than cross-entropy${sure ? ', beyond what the repeats differ by' : interval ? ', which is within what the repeats differ by' : ''}.`;
  return `${said} ${s.cells.length - 1} settings were tried on the same rows, so the best of them looks better than it is: train it beside cross-entropy with new seeds ("Train Beside Baseline…", or --compare baseline) before you choose it. A larger a·b usually buys the first place at the cost of the third. These trainings are short; a loss that learns faster is ahead in them and may not be at the end. Scores of z-loss are no probabilities until they are recalibrated.`;
};
