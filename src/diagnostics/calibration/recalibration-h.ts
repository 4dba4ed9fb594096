import type { Calibration } from '../../base/calibration.ts';
import { Fault } from '../../base/fault.ts';
import { adam } from '../../base/maths/adam.ts';
import { argmax } from '../../base/maths/argmax.ts';
import { type ScoredRows, softmaxInPlace } from '../../base/maths/softmax-regression.ts';
import { massBins, widthBinOf } from './bins.ts';
import { binnedErrors, debiasedEce } from './errors.ts';
import { pile, put, runs } from './pairs.ts';
import { type Aid, mustErr, type TrainedRecalibrator, type TrainOptions } from './recalibration-define.ts';
import { windowLoss } from './recalibration-h-loss.ts';
import { type HMap, KEPT, piecewiseLinear, temperatureEnsemble } from './recalibration-h-maps.ts';

/** The loss is multiplied so in the authors' code; it matters only beside Adam's ε. */
const SCALE = 1e5;
/** Classes left out in one step, where there are more a random choice (card 43). */
const LEFT_OUT = 16;
const MANY = 50;
const RATE = 0.005;
const BATCH = 5000;
const BINS = 15;
/** Epochs without improvement of ECE after which the rate is halved, and of the selector after which training stops. */
const HALVE = 20;
const STOP = 160;

interface Pool {
  readonly classes: number;
  /** Log-probabilities as given. */
  readonly logProbs: Float64Array;
  readonly labels: Int32Array;
}

const poolOf = ({ classes, scores, labels }: ScoredRows): Pool => {
  const logProbs = Float64Array.from(scores);
  for (let at = 0; at < logProbs.length; at += classes) {
    const whole = softmaxInPlace(logProbs.slice(at, at + classes));
    for (let j = at; j < at + classes; j++) logProbs[j] = Math.min(0, logProbs[j] - whole);
  }
  return { classes, logProbs, labels };
};

/** ECE of the predictions in 15 bins of equal width, and what the parameters to keep are chosen by. */
const judged = (
  probs: Float64Array,
  { classes, labels }: Pool,
  select: TrainOptions['select'],
): { readonly ece: number; readonly by: number } => {
  const rows = labels.length;
  const bins = Array.from({ length: BINS }, () => ({ n: 0, f: 0, o: 0 }));
  const [right, wrong] = [pile(), pile()];
  let nll = 0;
  for (let i = 0; i < rows; i++) {
    const top = argmax(probs, i * classes, classes);
    const c = probs[i * classes + top];
    const bin = bins[widthBinOf(c, BINS)];
    bin.n++;
    bin.f += c;
    bin.o += Number(top === labels[i]);
    put(top === labels[i] ? right : wrong, c);
    nll -= Math.log(Math.max(probs[i * classes + labels[i]], 1e-12)) / rows;
  }
  const { ece } = binnedErrors(bins, rows);
  if (select === 'nll') return { ece, by: nll };
  if (select === 'classwise') return { ece, by: classwise(probs, classes, labels) };
  return { ece, by: debiasedEce(massBins(runs(right, wrong), BINS, 2), rows).value };
};

const classwise = (probs: Float64Array, classes: number, labels: Int32Array): number => {
  const gaps = new Float64Array(classes * BINS);
  for (let at = 0; at < probs.length; at++) {
    const j = at % classes;
    gaps[j * BINS + widthBinOf(probs[at], BINS)] += probs[at] - Number(labels[(at - j) / classes] === j);
  }
  return gaps.reduce((sum, g) => sum + Math.abs(g), 0) / probs.length;
};

interface Trained {
  readonly calibration: Calibration | null;
  readonly by: number;
}

/** Trains one family of maps; null where no parameters are better than the pool as it is. */
const train = async (map: HMap, pool: Pool, options: TrainOptions, aid: Aid): Promise<Trained> => {
  const { classes, logProbs, labels } = pool;
  const rows = labels.length;
  const most = Math.max(1, Math.floor(KEPT / (classes * Math.max(options.temperatures, 1))));
  const size = Math.min(rows, options.batch || BATCH, most);
  const theta = map.start(aid.random(`h-calibration/${map.id}`));
  const optimizer = adam(theta.length);
  const order = Array.from({ length: rows }, (_, i) => i);
  const chance = aid.random('h-calibration/order');
  const every = Array.from({ length: classes }, (_, j) => j);
  let best = judged(logProbs.map(Math.exp), pool, options.select).by;
  let kept: Float64Array | undefined;
  let [least, rate, sinceLeast, sinceBest] = [Number.POSITIVE_INFINITY, options.rate || RATE, 0, 0];
  const step = (part: Pool, applied: ReturnType<HMap['apply']>, number: number): number => {
    const out = classes > MANY ? chance.shuffle([...every]).slice(0, LEFT_OUT) : every;
    const { value, gradient } = windowLoss({ classes, probs: applied.probs, labels: part.labels }, options, out);
    if (!Number.isFinite(value)) throw new Fault('diagnostic/fit-not-finite', { title: hCalibration.title, step: number });
    for (let k = 0; k < gradient.length; k++) gradient[k] *= SCALE;
    optimizer.step(theta, applied.back(gradient), rate);
    return value;
  };
  const partOf = (chosen: readonly number[]): Pool => ({
    classes,
    labels: Int32Array.from(chosen, (i) => labels[i]),
    logProbs: Float64Array.from(
      { length: chosen.length * classes },
      (_, k) => logProbs[chosen[Math.floor(k / classes)] * classes + (k % classes)],
    ),
  });
  const whole = size === rows;
  const [losses, picks]: [number[], number[]] = [[], []];
  for (let epoch = 0; epoch <= options.epochs; epoch++) {
    await aid.pause();
    const applied = whole ? map.apply(theta, logProbs, classes) : undefined;
    const { ece, by } = judged(applied?.probs ?? inParts(map, theta, pool, size), pool, options.select);
    picks.push(by);
    if (by < best) [best, kept, sinceBest] = [by, theta.slice(), 0];
    else if (++sinceBest >= STOP) break;
    if (ece < least) [least, sinceLeast] = [ece, 0];
    else if (++sinceLeast >= HALVE) [rate, sinceLeast] = [rate / 2, 0];
    if (epoch === options.epochs) break;
    if (applied) losses.push(step(pool, applied, epoch));
    else {
      chance.shuffle(order);
      let [sum, steps] = [0, 0];
      for (let from = 0; from + size <= rows; from += size) {
        const part = partOf(order.slice(from, from + size));
        sum += step(part, map.apply(theta, part.logProbs, classes), epoch);
        steps++;
        await aid.pause();
      }
      losses.push(sum / steps);
    }
  }
  aid.trace(`Loss, ${map.id}`, losses);
  aid.trace(`Selector, ${map.id}`, picks);
  return { calibration: kept ? map.calibration(kept) : null, by: best };
};

/** Probabilities of the whole pool, some rows at a time. */
const inParts = (map: HMap, theta: Float64Array, { classes, logProbs }: Pool, size: number): Float64Array => {
  const probs = new Float64Array(logProbs.length);
  for (let from = 0; from < probs.length; from += size * classes)
    probs.set(map.apply(theta, logProbs.subarray(from, from + size * classes), classes).probs, from);
  return probs;
};

/** What a window needs: more events than it is wide once any class is left out. */
const mustFill = ({ classes, labels }: ScoredRows, window: number, size: number): void => {
  const counts = new Int32Array(classes);
  for (const label of labels) counts[label]++;
  const most = Math.max(...counts);
  if (most === labels.length) throw new Fault('diagnostic/one-class', { title: hCalibration.title, rows: labels.length });
  const rows = Math.min(size, labels.length) - Math.min(size, most);
  if (rows * classes < window + 1) throw new Fault('diagnostic/window-events', { window, events: rows * classes, rows, classes });
};

/** Huang et al. 2025 (h-calibration): a map that keeps every prediction, trained so that predicted and met frequencies agree in every window of probability. */
export const hCalibration: TrainedRecalibrator = {
  id: 'h-calibration',
  title: 'h-calibration',
  source: 'arXiv:2506.17968',
  async train(rows, options, aid) {
    mustErr(rows, hCalibration.title);
    mustFill(rows, options.window, options.batch || BATCH);
    const pool = poolOf(rows);
    const maps = [temperatureEnsemble(options.temperatures), piecewiseLinear(options.segments)].filter(
      ({ id }) => options.mapping === 'auto' || options.mapping === id,
    );
    let best: Trained = { calibration: null, by: Number.POSITIVE_INFINITY };
    for (const map of maps) {
      const found = await train(map, pool, options, aid);
      if (found.calibration && found.by < best.by) best = found;
    }
    if (best.calibration) return best.calibration;
    aid.note(`${hCalibration.title}: no improvement on the rows of the fit, so they are left as they are.`);
    return { kind: 'monotone', width: 1, slopes: Float64Array.of(1) };
  },
};
