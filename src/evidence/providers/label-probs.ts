import type { Provider } from './define.ts';

/** Sigmoid of each logit in float64; given probabilities stay as they are. */
export const labelProbs: Provider<'labelProbs'> = ({ scores, meaning }) => {
  if (meaning.scores !== 'logits') return scores;
  const data = new Float64Array(scores.data.length);
  for (let i = 0; i < data.length; i++) data[i] = 1 / (1 + Math.exp(-scores.data[i]));
  return { rows: scores.rows, cols: scores.cols, data };
};
