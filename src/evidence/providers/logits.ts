import { LEAST } from '../../base/calibration.ts';
import type { Provider } from './define.ts';

/** Logits as given, a single column s as (0, s); from probabilities ln max(p, 1e-25). */
export const logits: Provider<'logits'> = ({ scores, meaning }, of) => {
  if (meaning.scores === 'probabilities') {
    const { rows, cols, data } = of('probs');
    return { rows, cols, data: data.map((p) => Math.log(Math.max(p, LEAST))) };
  }
  if (!meaning.binary) return scores;
  const data = new Float64Array(2 * scores.rows);
  for (let r = 0; r < scores.rows; r++) data[2 * r + 1] = scores.data[r];
  return { rows: scores.rows, cols: 2, data };
};
