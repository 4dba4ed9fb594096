import type { Subject } from '../../evidence/evidence.ts';
import type { Card, Interval, NumberCard } from '../../report/report.ts';
import { number, percent, pValue, range } from '../wording.ts';
import type { GroupCalibration } from './group-calibration.ts';
import { MOST_LABELS, type MultiLabel } from './multi-label-state.ts';
import { decomposition, diagram } from './reliability-cards.ts';
import { isotonicDiagram, smoothDiagram } from './reliability-curves.ts';
import { bucketNotes, reliabilityIntervals } from './reliability-headline.ts';
import { partLine } from './reliability-parts.ts';
import type { Words } from './reliability-words.ts';
import type { ReliabilityOptions } from './scores.ts';

export interface MultiLabelOptions extends ReliabilityOptions {
  readonly labelDiagrams: number;
}

const words: Words = {
  claim: 'Probability of a label',
  meanClaim: 'Mean probability',
  share: 'Share that have it',
  right: 'pairs of row and label where the row has it',
  counted: 'Pairs',
};

const macro = ({ each }: MultiLabel): number => each.reduce((sum, g) => sum + g.ece, 0) / each.length;

/** The labels furthest above the noise of their rows first. */
const worstFirst = (each: readonly GroupCalibration[]): GroupCalibration[] =>
  [...each].sort((a, b) => b.ece - b.floor.mean - (a.ece - a.floor.mean) || Number(a.name) - Number(b.name));

const nameOf = ({ name }: GroupCalibration, { classes }: Pick<Subject, 'classes'>): string => classes[Number(name)] ?? String(Number(name));

export const multiLabelHeadline = (r: MultiLabel): Record<string, number> => {
  const { pooled } = r;
  const worst = worstFirst(r.each)[0];
  return {
    rows: r.rows,
    labels: r.labels,
    pairs: pooled.rows,
    frequency: pooled.accuracy,
    mean_probability: pooled.confidence,
    ece: pooled.ece,
    ece_mass: pooled.eceMass,
    ece_debiased: Math.max(0, pooled.eceDebiased),
    ece_macro: macro(r),
    ece_worst: worst?.ece ?? Number.NaN,
    smooth_ece: pooled.smoothEce.value,
    mce: pooled.mce,
    rmsce: pooled.rmsce,
    ks: pooled.ks,
    noise_floor: pooled.floor.mean,
    noise_floor_sd: pooled.floor.sd,
    ece_p_value: pooled.p,
    nll: r.nll,
    brier: pooled.brierTop.score,
    brier_reliability: pooled.brierTop.reliability,
    brier_resolution: pooled.brierTop.resolution,
    brier_uncertainty: pooled.brierTop.uncertainty,
    corp_miscalibration: pooled.corp.mcb,
    corp_discrimination: pooled.corp.dsc,
    corp_uncertainty: pooled.corp.unc,
    auroc: pooled.auroc,
  };
};

/** Labels of one row are no independent draws, so only intervals of single labels are sound; pooled ones hold where labels do not depend. */
export const multiLabelIntervals = ({ pooled }: MultiLabel, options: ReliabilityOptions): Record<string, Interval> => {
  const found = reliabilityIntervals(pooled, options);
  return Object.fromEntries(
    ['frequency', 'ece', 'ece_debiased', 'smooth_ece'].flatMap((name) => (found[name] ? [[name, found[name]]] : [])),
  );
};

const numbers = (r: MultiLabel, options: MultiLabelOptions): Card => {
  const intervals = multiLabelIntervals(r, options);
  const { pooled } = r;
  const scalar = (
    name: string,
    label: string,
    value: number,
    more: Partial<NumberCard['values'][number]> = {},
  ): NumberCard['values'][number] => ({
    name,
    label,
    value: Number.isFinite(value) ? value : null,
    unit: 'none',
    ...(intervals[name] ? { interval: intervals[name] } : {}),
    ...more,
  });
  return {
    kind: 'number',
    title: 'Calibration scores',
    caption: 'The reference is what perfectly calibrated probabilities would score, where that is known.',
    values: [
      scalar('frequency', 'Share of labels that rows have (reference: mean probability)', pooled.accuracy, {
        unit: 'fraction',
        reference: pooled.confidence,
      }),
      scalar('ece', `Expected calibration error over all pairs, ${options.bins} bins of equal width`, pooled.ece, {
        reference: pooled.floor.mean,
        note: `noise floor ${number(pooled.floor.mean)} ± ${number(pooled.floor.sd)}; ${pValue(pooled.p, options.nullDraws)}`,
      }),
      scalar('ece_mass', 'The same, bins of equal mass', pooled.eceMass, { reference: pooled.floorMass.mean }),
      scalar('ece_debiased', 'The same, debiased (equal mass)', pooled.eceDebiased, { reference: 0 }),
      scalar('ece_macro', 'Expected calibration error, mean over labels', macro(r), {
        ...(r.each.length > 0 ? { reference: r.each.reduce((sum, g) => sum + g.floor.mean, 0) / r.each.length } : {}),
      }),
      scalar('smooth_ece', 'Smooth calibration error (no bins; its own kernel width)', pooled.smoothEce.value, {
        reference: pooled.smoothEce.expected,
      }),
      scalar('mce', 'Maximum calibration error (over non-empty bins)', pooled.mce, { reference: pooled.expected.mce }),
      scalar('ks', 'Kolmogorov–Smirnov calibration error (no bins)', pooled.ks, { reference: pooled.expected.ks }),
      scalar('nll', 'Log loss of a label', r.nll, { unit: 'nats' }),
      scalar('brier', 'Brier score of a label', pooled.brierTop.score, { reference: pooled.expectedBrierTop }),
      scalar('corp_miscalibration', 'Miscalibration (CORP: Brier score lost against the isotonic fit)', pooled.corp.mcb, {
        reference: pooled.mcb.expected,
      }),
      scalar('auroc', 'AUROC of the probability, all pairs', pooled.auroc),
      scalar('rows', 'Rows', r.rows, { unit: 'count' }),
      scalar('pairs', 'Pairs of row and label', pooled.rows, { unit: 'count' }),
    ],
  };
};

const labelCards = (r: MultiLabel, { labelDiagrams }: MultiLabelOptions, subject: Pick<Subject, 'classes'>): Card[] => {
  if (r.each.length === 0) return [];
  const order = worstFirst(r.each);
  const shown = order.slice(0, labelDiagrams);
  return [
    ...(shown.length > 0
      ? [
          {
            kind: 'curve',
            title: 'Reliability by label',
            caption: `How many rows have the label where it is given a probability, in bins of equal width${order.length > shown.length ? `; the ${shown.length} labels furthest above their noise are drawn, worst first` : ''}.`,
            x: { label: 'Mean probability', unit: 'fraction', min: 0, max: 1 },
            y: { label: 'Share that have it', unit: 'fraction', min: 0, max: 1 },
            lines: shown.map((g) => partLine(nameOf(g, subject), g.points)),
            diagonal: true,
          } satisfies Card,
        ]
      : []),
    {
      kind: 'table',
      title: 'Labels',
      caption:
        'A gap above 0 means that the label is promised more often than it occurs. If calibrated: the error of so many rows by chance.',
      columns: [
        { name: 'label', label: 'Label', type: 'text' },
        { name: 'frequency', label: 'Share that have it', type: 'number', unit: 'fraction' },
        { name: 'probability', label: 'Mean probability', type: 'number', unit: 'fraction' },
        { name: 'gap', label: 'Probability − share', type: 'number', unit: 'fraction' },
        { name: 'gap_interval', label: 'Interval of the gap', type: 'interval', unit: 'fraction' },
        { name: 'ece', label: 'Calibration error', type: 'number' },
        { name: 'floor', label: 'If calibrated', type: 'number' },
        { name: 'p', label: 'p-value', type: 'number' },
        { name: 'ece_interval', label: 'Interval of the error, debiased', type: 'interval' },
      ],
      rows: order.map((g) => [nameOf(g, subject), g.accuracy, g.confidence, g.gap, g.gapInterval, g.ece, g.floor.mean, g.p, g.eceInterval]),
    },
  ];
};

export const multiLabelCards = (r: MultiLabel, options: MultiLabelOptions, subject: Pick<Subject, 'classes'>): Card[] =>
  r.rows === 0
    ? []
    : [
        ...diagram(r.pooled, options, words),
        smoothDiagram(r.pooled, options, words),
        isotonicDiagram(r.pooled, options, words),
        numbers(r, options),
        ...labelCards(r, options, subject),
        decomposition(r.pooled, words, ['event']),
      ];

export const multiLabelGuide = (
  r: MultiLabel,
  { confidenceLevel: level, nullDraws }: MultiLabelOptions,
  subject: Pick<Subject, 'classes'>,
): string => {
  if (r.rows === 0) return 'There are no rows to judge: choose a split that holds some.';
  const { pooled } = r;
  const off = r.each.filter((g) => g.p <= 1 - level);
  const [worst] = worstFirst(off);
  const facts = `Over all ${r.labels} labels of ${r.rows} rows ECE is ${number(pooled.ece)}, where calibrated probabilities would score ${number(pooled.floor.mean)} ± ${number(pooled.floor.sd)} by sampling alone (${pValue(pooled.p, nullDraws)}); labels are given ${percent(pooled.confidence)} on average and occur in ${percent(pooled.accuracy)} of cases.`;
  const parts =
    r.each.length === 0
      ? ` There are more than ${MOST_LABELS} labels, so they were not judged one by one.`
      : worst
        ? ` ${off.length} of ${r.each.length} labels leave their own noise, most of all ‘${nameOf(worst, subject)}’ (ECE ${number(worst.ece)} against ${number(worst.floor.mean)}${worst.eceInterval ? `, true error ${range(worst.eceInterval)}` : ''}); by chance about ${number(r.each.length * (1 - level))} would.`
        : ` No label leaves the noise of its own rows.`;
  const decision =
    pooled.p > 1 - level && !worst
      ? ' So there is nothing to recalibrate on these rows; a smaller error than they can show needs more of them.'
      : ' A threshold for a label, and any cost that is reckoned with these probabilities, is off by as much: rescale the labels that are off, each with a curve of its own (Platt or isotonic) fitted on other rows, before thresholds are set. Pooled errors of opposite sign cancel, so it is the table of labels that decides.';
  return `${facts}${parts}${decision}`;
};

export const multiLabelNotes = ({ pooled, labels, clipped }: MultiLabel): string[] => [
  'Labels of one row may depend on each other: p-values and intervals of all pairs together take them as independent and are too narrow where they are not; those of single labels are not touched by it.',
  ...bucketNotes(pooled),
  ...(labels > MOST_LABELS ? [`${labels} labels are more than the ${MOST_LABELS} that are judged one by one; all pairs are pooled.`] : []),
  ...(clipped > 0 ? [`${clipped} probabilities of what happened are below 1e-12 and were clipped in the log loss.`] : []),
];
