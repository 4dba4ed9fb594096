import { Fault } from '../../base/fault.ts';
import { type ScoredRows, softmaxInPlace } from '../../base/maths/softmax-regression.ts';
import { type FittedRecalibrator, mustErr } from './recalibration-define.ts';

const LOW = 1e-3;
const HIGH = 1e3;

/** Slope and curvature in β of the mean log loss of softmax(βz): mean(Σp·z − z_y) and the mean variance of z under p. */
const slopeAt = ({ classes, scores, labels }: ScoredRows, beta: number): readonly [slope: number, curvature: number] => {
  const p = new Float64Array(classes);
  let [slope, curvature] = [0, 0];
  for (let i = 0, at = 0; i < labels.length; i++, at += classes) {
    for (let j = 0; j < classes; j++) p[j] = beta * scores[at + j];
    softmaxInPlace(p);
    let mean = 0;
    for (let j = 0; j < classes; j++) mean += p[j] * scores[at + j];
    let variance = 0;
    for (let j = 0; j < classes; j++) variance += p[j] * (scores[at + j] - mean) ** 2;
    slope += mean - scores[at + labels[i]];
    curvature += variance;
  }
  return [slope / labels.length, curvature / labels.length];
};

/** Guo et al. 2017: the β = 1/T of least log loss, by Newton steps kept inside a shrinking bracket. No prediction changes. */
export const fitBeta = (rows: ScoredRows): number => {
  mustErr(rows, 'Temperature scaling');
  let [low, high] = [LOW, HIGH];
  if (slopeAt(rows, low)[0] > 0) throw new Fault('diagnostic/unbounded-temperature', { rows: rows.labels.length });
  let beta = 1;
  for (let step = 0; step < 100; step++) {
    const [slope, curvature] = slopeAt(rows, beta);
    if (Math.abs(slope) < 1e-10) break;
    if (slope > 0) high = beta;
    else low = beta;
    const next = beta - slope / curvature;
    beta = next > low && next < high ? next : (low + high) / 2;
  }
  return beta;
};

export const temperature: FittedRecalibrator = {
  id: 'temperature',
  title: 'Temperature scaling',
  source: 'arXiv:1706.04599',
  fit: (rows) => ({ kind: 'affine', weights: Float64Array.of(fitBeta(rows)), biases: new Float64Array(rows.classes) }),
};
