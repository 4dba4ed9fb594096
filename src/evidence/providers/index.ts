import type { Noun } from '../evidence.ts';
import type { Provider } from './define.ts';
import { groups } from './groups.ts';
import { labelProbs } from './label-probs.ts';
import { labels } from './labels.ts';
import { logProbs } from './log-probs.ts';
import { logits } from './logits.ts';
import { marks } from './marks.ts';
import { predictions } from './predictions.ts';
import { probs } from './probs.ts';
import { rows } from './rows.ts';
import { targets } from './targets.ts';

/** Every noun and what makes it; a new noun does not compile without its provider. */
export const providers: { readonly [N in Noun]: Provider<N> } = {
  rows,
  labels,
  probs,
  logProbs,
  logits,
  groups,
  targets,
  predictions,
  marks,
  labelProbs,
};
