import { curveAt } from '../../base/calibration.ts';
import type { Subject } from '../../evidence/evidence.ts';
import type { Card, CardOf } from '../../report/report.ts';
import type { Candidate, Recalibrated, RecalibrationOptions } from './recalibration-run.ts';
import { adaptiveCards, localErrorCard, mapCard, trainingCards } from './recalibration-trained-cards.ts';
import { diagram } from './reliability-cards.ts';
import { classwise } from './reliability-headline.ts';
import type { Reliability } from './scores.ts';

export const flipsOf = ({ flips }: Candidate): number => flips.toRight + flips.toWrong + flips.between;

type TableRow = CardOf<'table'>['rows'][number];

/** One row for the scores as they are and one for each candidate. */
const compared = (
  { before, candidates, kept }: Recalibrated,
  row: (of: Recalibrated['before'], c?: Candidate) => TableRow,
): readonly TableRow[] => [
  ['As it is', ...row(before)],
  ...candidates.map((c, k): TableRow => [k === kept && candidates.length > 1 ? `${c.title} (chosen)` : c.title, ...row(c, c)]),
];

const comparison = (r: Recalibrated, { folds, fitOn }: RecalibrationOptions): Card[] => [
  {
    kind: 'table',
    title: 'Losses before and after',
    caption: `Of rows that the calibrator was not fitted on (${fitOn === '' ? `${folds} folds` : `fitted on split ${fitOn}`}). An interval of a change that lies below 0 is an improvement beyond noise.`,
    columns: [
      { name: 'method', label: 'Calibrator', type: 'text' },
      { name: 'nll', label: 'Log loss (nats)', type: 'number' },
      { name: 'nll_change', label: 'Change', type: 'number' },
      { name: 'nll_change_interval', label: 'Interval', type: 'interval' },
      { name: 'brier', label: 'Brier score', type: 'number' },
      { name: 'brier_change', label: 'Change', type: 'number' },
      { name: 'brier_change_interval', label: 'Interval', type: 'interval' },
    ],
    rows: compared(r, ({ nll, brier }, c) => [
      nll.value,
      ...(c ? [c.change.nll.value, c.change.nll.range] : [null, null]),
      brier.value,
      ...(c ? [c.change.brier.value, c.change.brier.range] : [null, null]),
    ]),
  },
  {
    kind: 'table',
    title: 'Calibration before and after',
    caption:
      'Of the same rows; AUROC is that of confidence for correctness. Temperature, h-calibration and correctness-aware calibration leave every prediction as it is; the others may change some.',
    columns: [
      { name: 'method', label: 'Calibrator', type: 'text' },
      { name: 'ece', label: 'ECE', type: 'number' },
      { name: 'ece_debiased', label: 'ECE, debiased', type: 'number' },
      { name: 'ece_interval', label: 'Interval of ECE', type: 'interval' },
      { name: 'classwise_ece', label: 'Classwise ECE', type: 'number' },
      { name: 'ks', label: 'KS', type: 'number' },
      { name: 'auroc', label: 'AUROC', type: 'number' },
      { name: 'accuracy', label: 'Accuracy', type: 'number', unit: 'fraction' },
      { name: 'flips', label: 'Predictions changed', type: 'number', unit: 'count' },
    ],
    rows: compared(r, ({ scores: s }, c) => [
      s.ece,
      Number.isNaN(s.eceDebiased) ? null : Math.max(0, s.eceDebiased),
      s.eceInterval,
      classwise(s).mean,
      s.ks,
      Number.isFinite(s.auroc) ? s.auroc : null,
      s.accuracy,
      c ? flipsOf(c) : null,
    ]),
  },
];

const diagrams = ({ before, candidates, kept }: Recalibrated, { confidenceLevel, method }: RecalibrationOptions): Card[] => {
  const named = (r: Reliability, name: string): Card => ({
    ...diagram(r, { bins: r.bins.length, binning: 'width', confidenceLevel, nullDraws: 0, bootstrap: 0 })[0],
    title: `Reliability diagram, ${name}`,
  });
  const after = (c: Candidate): Card => named(c.scores, `after: ${c.title.toLowerCase()}`);
  // One that was asked for stands beside the temperature it has to beat.
  const shown = candidates[kept].id === method ? candidates : [candidates[kept]];
  return [named(before.scores, 'before'), ...shown.map(after)];
};

/** Points at which a curve of an affine or sigmoid calibrator is drawn. */
const GRID = 60;
/** Curves drawn. */
const MOST = 10;

/** What the kept calibrator does: its numbers, or its curves. */
const parameters = ({ candidates, kept }: Recalibrated, { classes }: Pick<Subject, 'classes'>): Card[] => {
  const { calibration, title } = candidates[kept];
  const name = (j: number): string => classes[j] ?? String(j);
  if (calibration.kind === 'affine') {
    const { weights, biases } = calibration;
    if (weights.length === 1)
      return [
        {
          kind: 'number',
          title: 'What the calibrator does',
          caption: 'Logits are divided by the temperature: above 1 confidence falls, below 1 it rises; predictions stay.',
          values: [{ name: 'temperature', label: 'Temperature', value: 1 / weights[0], unit: 'none', reference: 1 }],
        },
      ];
    const full = weights.length > classes.length;
    return [
      {
        kind: 'table',
        title: `What ${title.toLowerCase()} does`,
        caption: full
          ? 'Each class’s new logit as weights of all logits, plus a bias.'
          : 'Each logit is multiplied by a weight, and a bias added.',
        columns: [
          { name: 'class', label: 'Class', type: 'text' },
          ...(full
            ? classes.map((_, k) => ({ name: `w${k}`, label: `Weight of ${name(k)}`, type: 'number' as const }))
            : [{ name: 'weight', label: 'Weight', type: 'number' as const }]),
          { name: 'bias', label: 'Bias', type: 'number' },
        ],
        rows: Array.from(biases, (bias, j) => [
          name(j),
          ...(full ? weights.subarray(j * classes.length, (j + 1) * classes.length) : [weights[j]]),
          bias,
        ]),
      },
    ];
  }
  if (calibration.kind === 'mixture' || calibration.kind === 'monotone') return [mapCard(candidates[kept])];
  if (calibration.kind === 'adaptive') return [];
  const curves = calibration.kind === 'pieces' ? calibration.curves.length : calibration.a.length;
  return [
    {
      kind: 'curve',
      title: `What ${title.toLowerCase()} does`,
      caption: `New against old probability of a class, before the row is made to sum to 1${curves > MOST ? `; the first ${MOST} of ${curves} classes` : ''}. On the diagonal nothing changes.`,
      x: { label: 'Probability', unit: 'fraction', min: 0, max: 1 },
      y: { label: 'Calibrated', unit: 'fraction', min: 0, max: 1 },
      diagonal: true,
      lines: Array.from({ length: Math.min(MOST, curves) }, (_, k) => ({
        name: name(curves === 1 ? 1 : k),
        points: Array.from({ length: GRID + 1 }, (_, i): [number, number] => [i / GRID, curveAt(calibration, k, i / GRID, 1 - i / GRID)]),
      })),
    },
  ];
};

const flipped = ({ candidates, kept }: Recalibrated, { classes }: Pick<Subject, 'classes'>): Card[] => {
  const { flips, title } = candidates[kept];
  const all = flipsOf(candidates[kept]);
  if (all === 0) return [];
  return [
    {
      kind: 'table',
      title: 'Predictions that change',
      caption: `${title} changes ${all} predictions: ${flips.toRight} become right, ${flips.toWrong} become wrong, ${flips.between} stay wrong.${all > flips.rows.length ? ` The first ${flips.rows.length} are listed.` : ''}`,
      columns: [
        { name: 'row', label: 'Row', type: 'row' },
        { name: 'label', label: 'Label', type: 'text' },
        { name: 'before', label: 'Before', type: 'text' },
        { name: 'after', label: 'After', type: 'text' },
      ],
      rows: flips.rows.map((f) => [f.row, ...[f.label, f.before, f.after].map((j) => classes[j] ?? String(j))]),
    },
  ];
};

export const recalibrationCards = (r: Recalibrated, options: RecalibrationOptions, subject: Pick<Subject, 'classes'>): Card[] => [
  ...comparison(r, options),
  ...diagrams(r, options),
  ...localErrorCard(r.look, options.window),
  ...parameters(r, subject),
  ...adaptiveCards(r.look, subject.classes),
  ...trainingCards(r.candidates[r.kept]),
  ...flipped(r, subject),
];
