import type { Provider } from './define.ts';

/** Softmax or sigmoid of logits in float64; given probabilities stay as they are, a single column p becomes (1 − p, p). */
export const probs: Provider<'probs'> = ({ scores, meaning }, of) => {
  if (meaning.scores === 'logits') {
    const { rows, cols, data } = of('logProbs');
    return { rows, cols, data: data.map(Math.exp) };
  }
  if (!meaning.binary) return scores;
  const data = new Float64Array(2 * scores.rows);
  for (let r = 0; r < scores.rows; r++) {
    data[2 * r] = 1 - scores.data[r];
    data[2 * r + 1] = scores.data[r];
  }
  return { rows: scores.rows, cols: 2, data };
};
