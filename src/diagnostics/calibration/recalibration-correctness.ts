import type { Adaptive } from '../../base/calibration-forms.ts';
import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import type { Random } from '../../base/random.ts';
import type { FitRows, TrainedRecalibrator } from './recalibration-define.ts';
import { fitBeta } from './recalibration-temperature.ts';

const [LOW, HIGH] = [0.1, 10];
const RATE = 1e-3;
const BATCH = 1000;
/** Wrong rows below which the temperatures follow chance (card 11). */
const FEW = 100;

/** Weights U(±1/√fan_in); the last bias is the temperature that fits all rows alike, so that no row begins beyond the clamp. */
const started = (width: number, hidden: number, offset: number, chance: Random): Adaptive => {
  const drawn = (length: number, fanIn: number): Float64Array =>
    Float64Array.from({ length }, () => (2 * chance.next() - 1) / Math.sqrt(fanIn));
  return {
    kind: 'adaptive',
    weights: drawn(hidden * width, width),
    biases: drawn(hidden, width),
    out: drawn(hidden, hidden),
    offset: Math.min(HIGH, Math.max(LOW, offset)),
    low: LOW,
    high: HIGH,
  };
};

/** One temperature of all rows; 1 where these rows have none. */
const common = (rows: FitRows): number => {
  try {
    return 1 / fitBeta(rows);
  } catch (error) {
    if (error instanceof Fault) return 1;
    throw error;
  }
};

const wrongOf = ({ classes, scores, labels }: FitRows): number => {
  let wrong = 0;
  for (let i = 0; i < labels.length; i++) wrong += Number(argmax(scores, i * classes, classes) !== labels[i]);
  return wrong;
};

/**
 * Liu et al. 2024: a temperature of every row's own, from what the model says of perturbed inputs, trained so that the confidence is high
 * where the answer is right. The released code's second branch, whose loss is never minimised, is left out.
 */
export const correctnessAware: TrainedRecalibrator = {
  id: 'correctness-aware',
  title: 'Correctness-aware calibration',
  source: 'arXiv:2404.13016',
  perturbs: true,
  async train(rows, options, aid) {
    const { classes, scores, labels, features } = rows;
    if (!features) throw new RangeError('correctness-aware calibration was given no features');
    const wrong = wrongOf(rows);
    if (wrong === 0 || wrong === labels.length) throw new Fault('diagnostic/one-outcome', { right: labels.length - wrong, wrong });
    if (wrong < FEW)
      aid.note(`Correctness-aware calibration was fitted on ${wrong} wrong predictions; with fewer than ${FEW} it follows chance.`);
    const width = features.length / labels.length;
    const { net, losses } = await aid.trainer.temperatureNet({
      features,
      logits: scores,
      labels,
      classes,
      start: started(width, options.hidden, common(rows), aid.random('correctness-aware/start')),
      weighting: options.weighting,
      rate: options.rate || RATE,
      steps: options.steps,
      batch: options.batch || BATCH,
      order: aid.random('correctness-aware/order'),
    });
    aid.trace('Correctness-aware loss', losses);
    if (![net.offset, ...net.weights, ...net.biases, ...net.out].every(Number.isFinite))
      throw new Fault('diagnostic/fit-not-finite', { title: correctnessAware.title, step: losses.length });
    return net;
  },
};
