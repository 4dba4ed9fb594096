import type { Matrix } from '../evidence.ts';
import type { Provider } from './define.ts';

/** log(1 + e^x) without overflow. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Log-softmax of every row, the largest logit subtracted first. */
export const logSoftmax = ({ rows, cols, data }: Matrix): Float64Array => {
  const out = new Float64Array(data.length);
  for (let at = 0; at < rows * cols; at += cols) {
    let most = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < cols; c++) most = Math.max(most, data[at + c]);
    let sum = 0;
    for (let c = 0; c < cols; c++) sum += Math.exp(data[at + c] - most);
    const log = most + Math.log(sum);
    for (let c = 0; c < cols; c++) out[at + c] = data[at + c] - log;
  }
  return out;
};

/** Least probability whose logarithm is taken, where only probabilities are known (card 00-calibration-common). */
export const leastProbability = 1e-12;

export const logProbs: Provider<'logProbs'> = ({ scores, meaning }, of) => {
  if (meaning.scores === 'probabilities') {
    const { rows, cols, data } = of('probs');
    const logs = new Float64Array(data.length);
    for (let i = 0; i < logs.length; i++) logs[i] = Math.log(Math.max(data[i], leastProbability));
    return { rows, cols, data: logs };
  }
  if (!meaning.binary) return { rows: scores.rows, cols: scores.cols, data: logSoftmax(scores) };
  const data = new Float64Array(2 * scores.rows);
  for (let r = 0; r < scores.rows; r++) {
    data[2 * r] = -softplus(scores.data[r]);
    data[2 * r + 1] = -softplus(-scores.data[r]);
  }
  return { rows: scores.rows, cols: 2, data };
};
