import type { Subject } from '../../evidence/evidence.ts';
import type { Axis, Card, NumberCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { number, percent, pValue } from '../wording.ts';
import type { BrierTerms } from './brier.ts';
import { classwiseSum, reliabilityIntervals } from './reliability-headline.ts';
import type { DrawnBin, Reliability, ReliabilityOptions } from './scores.ts';

type Value = NumberCard['values'][number];

const confidenceAxis: Axis = { label: 'Confidence', unit: 'fraction', min: 0, max: 1 };

const rangeOf = (b: DrawnBin): string => `${number(b.low)} to ${number(b.high)}`;

const edges = (bins: readonly DrawnBin[]): number[] => [...bins.map((b) => b.low), ...bins.slice(-1).map((b) => b.high)];

export const diagram = (r: Reliability, { binning, confidenceLevel }: ReliabilityOptions): Card[] => [
  {
    kind: 'bars',
    title: 'Reliability diagram',
    caption: `Bars: share of right answers with Wilson’s ${percent(confidenceLevel)} interval, points: mean confidence, in bins of equal ${binning}. A calibrated model stays in the shaded band; bars below the diagonal mean overconfidence.`,
    x: confidenceAxis,
    y: { label: 'Accuracy', unit: 'fraction', min: 0, max: 1 },
    edges: edges(r.bins),
    series: [
      {
        name: 'Accuracy',
        values: r.bins.map((b) => b.accuracy),
        intervals: r.bins.map((b) => b.wilson),
        selections: r.bins.map((b) => selection(`Confidence ${rangeOf(b)}`, b.n, b.rows)),
      },
    ],
    bands: [{ name: 'Consistency band', low: r.bins.map((b) => b.band?.[0] ?? null), high: r.bins.map((b) => b.band?.[1] ?? null) }],
    marks: [{ name: 'Mean confidence', values: r.bins.map((b) => b.confidence) }],
    diagonal: true,
  },
  {
    kind: 'bars',
    title: 'Confidence histogram',
    caption: 'How many answers were given with each confidence; bins with few rows have wide bands above.',
    x: confidenceAxis,
    y: { label: 'Rows', unit: 'count', min: 0 },
    edges: edges(r.bins),
    series: [
      {
        name: 'Rows',
        values: r.bins.map((b) => b.n),
        selections: r.bins.map((b) => selection(`Confidence ${rangeOf(b)}`, b.n, b.rows)),
      },
    ],
  },
];

const riskCurve = ({ risk }: Reliability): Card => ({
  kind: 'curve',
  title: 'Risk–coverage curve',
  caption: 'Error rate among the most confident answers, by the share of rows answered; the second line is what the confidences promise.',
  x: { label: 'Coverage', unit: 'fraction', min: 0, max: 1 },
  y: { label: 'Error rate', unit: 'fraction', min: 0 },
  lines: [
    { name: 'Observed', points: risk.points.map((p) => [p.coverage, p.risk]) },
    { name: 'If calibrated', points: risk.points.map((p) => [p.coverage, p.expected]) },
  ],
});

/** A value, null where undefined, with what perfect calibration would score on the same confidences. */
const scalar = (name: string, label: string, value: number, more: Partial<Value> = {}): Value => ({
  name,
  label,
  value: Number.isFinite(value) ? value : null,
  unit: 'none',
  ...more,
});

const floorNote = (floor: { readonly mean: number; readonly sd: number }, p: number, draws: number): string =>
  `noise floor ${number(floor.mean)} ± ${number(floor.sd)}; ${pValue(p, draws)}`;

const numbers = (r: Reliability, options: ReliabilityOptions): Card => {
  const intervals = reliabilityIntervals(r, options);
  const interval = (name: string): Partial<Value> => (intervals[name] ? { interval: intervals[name] } : {});
  const few = { note: `undefined: ${options.bins} bins need at least ${2 * options.bins} rows` };
  const oneSided = { note: 'undefined: needs both right and wrong answers' };
  return {
    kind: 'number',
    title: 'Calibration scores',
    caption: 'The reference is what a perfectly calibrated model would score on the same confidences, where that is known.',
    values: [
      scalar('accuracy', 'Accuracy (reference: mean confidence)', r.accuracy, {
        unit: 'fraction',
        reference: r.confidence,
        ...interval('accuracy'),
      }),
      scalar('ece', `Expected calibration error, ${options.bins} bins of equal width`, r.ece, {
        reference: r.floor.mean,
        note: floorNote(r.floor, r.p, options.nullDraws),
        ...interval('ece'),
      }),
      scalar('ece_mass', 'Expected calibration error, bins of equal mass', r.eceMass, {
        reference: r.floorMass.mean,
        note: floorNote(r.floorMass, r.pMass, options.nullDraws),
      }),
      scalar('ece_debiased', 'Expected calibration error, debiased (equal mass)', r.eceDebiased, {
        reference: 0,
        ...interval('ece_debiased'),
        ...(Number.isNaN(r.eceDebiased) ? few : r.eceDebiased < 0 ? { note: 'below 0: all of the plain error is sampling noise' } : {}),
      }),
      scalar('ce2_debiased', 'Squared calibration error, debiased (equal mass)', r.ce2Debiased, {
        reference: 0,
        ...(Number.isNaN(r.ce2Debiased) ? few : {}),
      }),
      scalar('rmsce', 'Root mean square calibration error', r.rmsce, { reference: r.expected.rmsce }),
      scalar('mce', 'Maximum calibration error (over non-empty bins)', r.mce, { reference: r.expected.mce }),
      scalar('average_ce', 'Average calibration error (every non-empty bin weighs the same)', r.averageCe, {
        reference: r.expected.averageCe,
      }),
      scalar('classwise_ece', 'Classwise calibration error, mean over classes', classwiseSum(r) / r.classwise.length),
      scalar('classwise_ece_sum', 'Classwise calibration error, sum over classes', classwiseSum(r)),
      scalar('ks', 'Kolmogorov–Smirnov calibration error (no bins)', r.ks, { reference: r.expected.ks }),
      scalar('nll', 'Log loss', r.nll, {
        unit: 'nats',
        reference: r.expectedNll,
        ...(r.clipped > 0 ? { note: `${r.clipped} label probabilities below 1e-12` } : {}),
      }),
      scalar('brier', 'Brier score, summed over classes (0 to 2)', r.brier.score, { reference: r.expectedBrier }),
      scalar('brier_mean', 'Brier score, mean over classes', r.brier.score / r.classwise.length, {
        reference: r.expectedBrier / r.classwise.length,
      }),
      scalar('brier_top', 'Brier score of the confidence', r.brierTop.score, { reference: r.expectedBrierTop }),
      scalar('bss', 'Brier skill score of the confidence', r.bss, Number.isNaN(r.bss) ? oneSided : {}),
      scalar('auroc_correct', 'AUROC of confidence for correctness', r.auroc, Number.isNaN(r.auroc) ? oneSided : {}),
      scalar('aurc', 'Area under the risk–coverage curve', r.risk.aurc, { reference: r.risk.expectedAurc }),
      scalar('e_aurc', 'Excess area over the best order of these answers', r.risk.eAurc, { reference: 0 }),
      scalar('rows', 'Rows', r.rows, { unit: 'count' }),
    ],
  };
};

const binTable = (r: Reliability): Card => ({
  kind: 'table',
  title: 'Bins',
  columns: [
    { name: 'from', label: 'Above', type: 'number', unit: 'fraction' },
    { name: 'to', label: 'Up to', type: 'number', unit: 'fraction' },
    { name: 'rows', label: 'Rows', type: 'number', unit: 'count' },
    { name: 'confidence', label: 'Mean confidence', type: 'number', unit: 'fraction' },
    { name: 'accuracy', label: 'Accuracy', type: 'number', unit: 'fraction' },
    { name: 'accuracy_interval', label: 'Wilson interval', type: 'interval', unit: 'fraction' },
    { name: 'band', label: 'Consistency band', type: 'interval', unit: 'fraction' },
    { name: 'gap', label: 'Confidence − accuracy', type: 'number', unit: 'fraction' },
  ],
  rows: r.bins.map((b) => [
    b.low,
    b.high,
    b.n,
    b.confidence,
    b.accuracy,
    b.wilson,
    b.band,
    b.confidence === null || b.accuracy === null ? null : b.confidence - b.accuracy,
  ]),
});

const classTable = (r: Reliability, names: readonly string[]): Card => ({
  kind: 'table',
  title: 'Classes',
  caption: 'Each class against the rest: its share of the labels, its mean probability, and its calibration error in bins of equal width.',
  columns: [
    { name: 'class', label: 'Class', type: 'text' },
    { name: 'frequency', label: 'Share of labels', type: 'number', unit: 'fraction' },
    { name: 'probability', label: 'Mean probability', type: 'number', unit: 'fraction' },
    { name: 'ece', label: 'Calibration error', type: 'number' },
  ],
  rows: r.classwise.map((k, i) => [names[i] ?? String(i), k.frequency, k.probability, k.ce]),
});

const decomposition = (r: Reliability): Card => {
  const row = (label: string, of: (t: BrierTerms) => number): (string | number)[] => [label, of(r.brier), of(r.brierTop)];
  return {
    kind: 'table',
    title: 'Brier score, decomposed',
    caption: 'Score = reliability − resolution + uncertainty + variance within bins − covariance within bins, exactly.',
    columns: [
      { name: 'term', label: 'Term', type: 'text' },
      { name: 'brier', label: 'All classes', type: 'number' },
      { name: 'brier_top', label: 'Confidence', type: 'number' },
    ],
    rows: [
      row('Score', (t) => t.score),
      row('Reliability (miscalibration, lower is better)', (t) => t.reliability),
      row('Resolution (how far bins differ, higher is better)', (t) => t.resolution),
      row('Uncertainty (of the labels alone)', (t) => t.uncertainty),
      row('Variance within bins', (t) => t.withinVariance),
      row('Covariance within bins', (t) => t.withinCovariance),
    ],
  };
};

export const reliabilityCards = (r: Reliability, options: ReliabilityOptions, subject: Pick<Subject, 'classes'>): Card[] =>
  r.rows === 0
    ? []
    : [...diagram(r, options), numbers(r, options), riskCurve(r), binTable(r), decomposition(r), classTable(r, subject.classes)];
