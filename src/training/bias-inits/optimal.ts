import { flag } from '../../base/option.ts';
import { deviation } from '../bias-deviation.ts';
import { type BiasFacts, type BiasInit, defineBiasInit } from '../define-run.ts';

const ones = ({ counts }: BiasFacts): number => Array.from(counts).reduce((a, b) => a + b, 0);
const logit = (p: number): number => -Math.log((1 - p) / p);
/** At least half a row, and at most all but half a row, of `rows`. */
const bounded = (n: number, rows: number): number => Math.min(Math.max(n, 0.5), rows - 0.5) / rows;

/** The constant prediction that minimises the loss: ln π_c for softmax, logit π for every sigmoid, π their common share of ones or each its own. */
export const optimal: BiasInit = defineBiasInit({
  id: 'optimal',
  source: 'arXiv:1909.04868, section 3.2; card 01-sampling-free',
  about:
    'Starts where the shares of the classes put it, so that the first steps do not go into learning how rare they are. One bias for each label of its own share is an extension of ours.',
  formula: ['softmax: b_c = ln(N_c / N)', 'sigmoid: b = −ln((1 − π)/π), π = Σ y / (N · C); per class π_c = N_c / N'],
  options: {
    perClass: flag({
      default: false,
      help: 'With several labels a row: each bias from the share of its own label, in place of one for all.',
    }),
    deviation,
  },
  baseline: 'keep',
  refuses: (facts) =>
    ones(facts) === 0
      ? 'finds no row with a label of 1: look at how the labels are read, or at the thresholds they were matched by'
      : undefined,
  remarks({ counts, marks }, { perClass }) {
    const absent = Array.from(counts).flatMap((n, c) => (n === 0 ? [c] : []));
    return absent.length === 0 || (marks && !perClass)
      ? []
      : [
          `No training row has ${absent.length === 1 ? 'class' : 'classes'} ${absent.join(', ')}: ${absent.length === 1 ? 'its' : 'their'} first bias is that of half a row.`,
        ];
  },
  deviation: ({ deviation }) => deviation,
  values(facts, { perClass }) {
    const { counts, rows, marks } = facts;
    const each = Array.from(counts, (n) => bounded(n, rows));
    if (!marks) return Array.from(counts, (n) => Math.log(Math.max(n, 0.5) / rows));
    if (perClass) return each.map(logit);
    const prior = bounded(ones(facts), rows * counts.length);
    return each.map(() => logit(prior));
  },
});
