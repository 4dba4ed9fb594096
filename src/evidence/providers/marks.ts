import { Fault } from '../../base/fault.ts';
import type { Provider } from './define.ts';

/** As many as the scores; who asks for them is refused before the pass where the data have none. */
export const marks: Provider<'marks'> = ({ marks: found, scores, rows }) => {
  if (!found) return { rows: rows.length, cols: 0, data: new Float64Array(0) };
  if (found.cols !== scores.cols) throw new Fault('evidence/marks-width', { labels: found.cols, scores: scores.cols });
  return found;
};
