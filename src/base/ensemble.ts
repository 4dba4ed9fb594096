import type { LinearHead } from './maths/linear-head.ts';

/** Who votes in each domain. Heads read features of the model, or how often each token id occurs in a row. */
export type Voters =
  | { readonly kind: 'models'; readonly paths: readonly string[] }
  | {
      readonly kind: 'features';
      readonly layer: string;
      readonly pooling: 'none' | 'channels-first' | 'channels-last' | 'flatten';
      readonly heads: readonly LinearHead[];
    }
  | { readonly kind: 'tokens'; readonly heads: readonly LinearHead[] };

/** p(y|x) = Σ_d g_d(x)·p_d(y|x), g the belonging of the row's token ids to the domains made to sum to 1, as plain data. */
export interface GatedEnsemble {
  readonly domains: readonly string[];
  readonly classes: readonly string[];
  /** [ids + 1, domains]: belonging by token id; the last row is 0, for ids beyond. */
  readonly gate: Float64Array;
  readonly voters: Voters;
}
