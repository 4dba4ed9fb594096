import type { Emit } from '../../graph/emit.ts';
import type { Rules } from '../rule.ts';
import { deepLift } from './deeplift.ts';
import { rectified } from './guided.ts';
import { type Lrp, relevance } from './lrp.ts';
import { pathBetween } from './path.ts';

/** Rules that take the place of the derivative's at some operators; the compiler stays the same. */
export type RuleSet = { readonly name: 'guided' } | { readonly name: 'deconvolution' } | { readonly name: 'deeplift' } | Lrp;

/** The rules of a set for what lies between `input` and `output`. Throws `graph/rule-set` where it is not defined there. */
export const rulesOf = (set: RuleSet, emit: Emit, input: string, output: string): Rules => {
  const path = pathBetween(emit, input, output);
  switch (set.name) {
    case 'guided':
    case 'deconvolution':
      return rectified(set.name, path, emit);
    case 'deeplift':
      return deepLift(path, emit);
    case 'lrp':
      return relevance(set, path, emit);
  }
};
