import { calibrate } from '../../base/calibration.ts';
import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import { quantile } from '../../base/maths/quantile.ts';
import { choice, int, real } from '../../base/option.ts';
import type { Random } from '../../base/random.ts';
import type { ScoreTable, Subject } from '../../evidence/evidence.ts';
import type { Card } from '../../report/report.ts';
import { type Diagnostic, defineStudy, type Findings } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { number, percent, pValue } from '../wording.ts';
import { mustBeEven, windowsOf } from './local-errors.ts';

interface LocalOptions {
  readonly window: number;
  readonly scope: 'canonical' | 'classwise';
  readonly nullDraws: number;
  readonly confidenceLevel: number;
}

/** One curve, with what a calibrated model with these probabilities would draw. */
interface Curve {
  readonly name: string;
  readonly probabilities: Float64Array;
  readonly errors: Float64Array;
  readonly band: readonly (readonly [number, number])[];
  readonly mean: number;
  readonly most: number;
  /** Mean and largest |T| of a calibrated model, and how often it has more. */
  readonly expected: { readonly mean: number; readonly most: number };
  readonly p: { readonly mean: number; readonly most: number };
}

interface Local {
  readonly rows: number;
  readonly events: number;
  readonly curves: readonly Curve[];
}

/** Classes with a curve of their own. */
const MOST = 10;

/** Labels of a perfectly calibrated model: of each row drawn by its probabilities. */
const drawLabels = (probs: Float64Array, classes: number, into: Int32Array, chance: Random): void => {
  for (let i = 0; i < into.length; i++) {
    let left = chance.next();
    let j = 0;
    for (; j < classes - 1; j++) {
      left -= probs[i * classes + j];
      if (left < 0) break;
    }
    into[i] = j;
  }
};

const measure = async (
  { classes, labels, logits }: ScoreTable,
  options: LocalOptions,
  names: readonly string[],
  job: Job,
): Promise<Local> => {
  mustBeEven(options.window);
  const none = { kind: 'affine', weights: Float64Array.of(1), biases: new Float64Array(classes) } as const;
  const { probs } = calibrate(none, logits, classes, 0, labels.length);
  const scopes: readonly (number | 'all')[] =
    options.scope === 'canonical' ? ['all'] : Array.from({ length: Math.min(MOST, classes) }, (_, j) => j);
  const events = options.scope === 'canonical' ? labels.length * classes : labels.length;
  const found = scopes.map((of) => {
    const windows = windowsOf({ classes, probs }, options.window, of);
    if (!windows) throw new Fault('diagnostic/local-window', { window: options.window, events, rows: labels.length });
    return { of, windows, observed: windows.errors(labels), drawn: [] as Float64Array[], means: [] as number[], mosts: [] as number[] };
  });
  const chance = job.random('null-draws');
  const imagined = new Int32Array(labels.length);
  for (let d = 0; d < options.nullDraws; d++) {
    if (d % 5 === 0) {
      job.progress(0.3 + (0.7 * d) / options.nullDraws, `null draw ${d} of ${options.nullDraws}`);
      await breathe(job);
    }
    drawLabels(probs, classes, imagined, chance);
    for (const { windows, drawn, means, mosts } of found) {
      const one = windows.errors(imagined);
      drawn.push(one.drawn);
      means.push(one.mean);
      mosts.push(one.most);
    }
  }
  const tail = (1 - options.confidenceLevel) / 2;
  const p = (draws: readonly number[], seen: number): number => (1 + draws.filter((v) => v >= seen - 1e-12).length) / (draws.length + 1);
  const average = (draws: readonly number[]): number => draws.reduce((sum, v) => sum + v, 0) / draws.length;
  return {
    rows: labels.length,
    events,
    curves: found.map(
      ({ of, windows, observed, drawn, means, mosts }): Curve => ({
        name: of === 'all' ? 'All classes' : (names[of] ?? String(of)),
        probabilities: windows.probabilities,
        errors: observed.drawn,
        band: Array.from(observed.drawn, (_, k) => {
          const at = Float64Array.from(drawn, (t) => t[k]).sort();
          return [quantile(at, tail), quantile(at, 1 - tail)] as const;
        }),
        mean: observed.mean,
        most: observed.most,
        expected: { mean: average(means), most: average(mosts) },
        p: { mean: p(means, observed.mean), most: p(mosts, observed.most) },
      }),
    ),
  };
};

const curveCard = (c: Curve, { window, confidenceLevel, scope }: LocalOptions): Card => ({
  kind: 'curve',
  title: scope === 'canonical' ? 'Local calibration error' : `Local calibration error of ${c.name}`,
  caption: `Predicted minus met, averaged over ${window + 1} neighbouring probabilities. Above 0 is overconfidence there. A calibrated model stays in the band at ${percent(confidenceLevel)} of the points.`,
  x: { label: 'Probability', unit: 'fraction', min: 0, max: 1 },
  y: { label: 'Predicted − met', unit: 'fraction' },
  lines: [{ name: c.name, points: Array.from(c.errors, (t, k): [number, number] => [c.probabilities[k], t]) }],
  bands: [{ name: 'If calibrated', points: c.band.map(([low, high], k) => [c.probabilities[k], low, high] as const) }],
});

const tableCard = (curves: readonly Curve[]): Card => ({
  kind: 'table',
  title: 'Local calibration errors',
  caption: 'Beside each what a calibrated model with the same probabilities would have on average, and how often it would have more.',
  columns: [
    { name: 'events', label: 'Events', type: 'text' },
    { name: 'mean', label: 'Mean size', type: 'number' },
    { name: 'mean_expected', label: 'If calibrated', type: 'number' },
    { name: 'mean_p', label: 'p', type: 'number' },
    { name: 'most', label: 'Largest', type: 'number' },
    { name: 'most_expected', label: 'If calibrated', type: 'number' },
    { name: 'most_p', label: 'p', type: 'number' },
  ],
  rows: curves.map((c) => [c.name, c.mean, c.expected.mean, c.p.mean, c.most, c.expected.most, c.p.most]),
});

/** Where along the curve the error leaves its band the furthest. */
const worstOf = (c: Curve): number => {
  let [at, most] = [0, Number.NEGATIVE_INFINITY];
  for (const [k, t] of c.errors.entries()) {
    const out = Math.max(t - c.band[k][1], c.band[k][0] - t);
    if (out > most) [at, most] = [k, out];
  }
  return at;
};

const findings = ({ rows, events, curves }: Local, options: LocalOptions, subject: Subject): Findings => {
  const order = [...curves].sort((a, b) => a.p.mean - b.p.mean || b.mean - a.mean);
  const worst = order[0];
  const k = worstOf(worst);
  const off = worst.errors[k];
  const clear = worst.p.mean <= (1 - options.confidenceLevel) / curves.length;
  const of = options.scope === 'canonical' ? 'over all classes' : `of ${worst.name}`;
  const guide = `The mean local error ${of} is ${number(worst.mean)}, where a calibrated model would have ${number(worst.expected.mean)} by chance (${pValue(worst.p.mean, options.nullDraws)}). ${
    clear
      ? `That is more than noise: near a probability of ${number(worst.probabilities[k])} the model ${off > 0 ? 'promises more' : 'promises less'} than comes true, by ${number(Math.abs(off))}. Whoever thresholds these probabilities or puts them into a cost should recalibrate all of them (method h-calibration of recalibration), not the largest alone.`
      : 'That is no more than noise: these probabilities may be thresholded as they are.'
  } A smaller window (window) shows narrower errors and more noise; more rows than these ${rows} narrow the band, and data from elsewhere may lie outside of it.`;
  return {
    headline: {
      rows,
      events,
      local_error: worst.mean,
      local_error_expected: worst.expected.mean,
      local_error_p_value: worst.p.mean,
      local_error_max: worst.most,
      local_error_max_p_value: worst.p.most,
    },
    cards: [...curves.map((c) => curveCard(c, options)), tableCard(curves)],
    guide,
    notes:
      options.scope === 'classwise' && subject.classes.length > MOST
        ? [`The first ${MOST} of ${subject.classes.length} classes are shown.`]
        : [],
  };
};

/** Huang et al. 2025: predicted and met frequencies in every window of probability, of all classes and not the largest alone. */
export const localCalibration: Diagnostic = defineStudy({
  id: 'local-calibration',
  title: 'Local calibration error',
  family: 'calibration',
  question: 'At which probabilities, of any class, does the model promise more or less than comes true?',
  source: 'arXiv:2506.17968; card 43-h-calibration',
  uses: ['scores'],
  confidences: true,
  options: {
    scope: choice({
      default: 'canonical',
      of: ['canonical', 'classwise'],
      help: 'All class probabilities together, or a curve for each class (the first ten).',
    }),
    window: int({
      default: 200,
      min: 2,
      max: 100_000,
      help: 'Neighbouring probabilities that an average takes in, half on either side: an even number.',
    }),
    nullDraws: int({ default: 200, min: 100, max: 100_000, help: 'Simulated data sets of a perfectly calibrated model.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the band.' }),
    logits: scoresOption,
  },
  study: ({ scores: { shown } }, chosen, job, subject) => measure(shown, chosen, subject.classes, job),
  report: findings,
});
