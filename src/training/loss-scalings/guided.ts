import { real } from '../../base/option.ts';
import { defineLossScaling, type LossScaling } from '../define.ts';

/** A factor below this for so many steps in a row starves the loss. */
const LOW = 0.3;
const STARVED = 100;

/** w = other/loss as a constant; where that is 0 or not finite, the running mean of those before. */
export const guided: LossScaling = defineLossScaling({
  id: 'guided',
  source: 'arXiv:1909.04868, section 3.3; card 01-sampling-free',
  about:
    'Multiplies the loss by a factor that gives it the size of the other terms, step by step. Where those are small the classes are starved: watch the factor.',
  formula: ['w = stopgrad(L_other / L)', 'objective = w·L + L_other'],
  options: { decay: real({ default: 0.9, min: 0, max: 1, help: 'Share of the running mean of factors that stays.' }) },
  baseline: 'none',
  guide: {
    scalars: { mean: 1, usable: 0 },
    scale(emit, { loss, other }, { mean, usable: before }, { decay }) {
      const [zero, one] = [emit.scalar(0), emit.scalar(1)];
      const ratio = emit.Div(other, loss);
      const usable = emit.And(emit.Greater(ratio, zero), emit.Less(ratio, emit.scalar(1e30)));
      const running = emit.Add(emit.Mul(emit.scalar(decay), mean), emit.Mul(emit.scalar(1 - decay), ratio));
      // The first factor is the mean of those so far.
      const next = emit.Where(emit.Greater(before, zero), running, ratio);
      return {
        factor: emit.Where(usable, ratio, mean),
        scalars: {
          mean: emit.Where(usable, next, mean),
          usable: emit.Where(usable, one, before),
        },
      };
    },
    remarks({ factor, other }) {
      let [low, starved] = [0, false];
      for (const w of factor) {
        low = w < LOW ? low + 1 : 0;
        starved ||= low >= STARVED;
      }
      const held = other.filter((v) => !(v > 0)).length;
      return [
        ...(starved
          ? [
              `For ${STARVED} steps in a row the factor of the loss was below ${LOW}: the classes are starved by the other terms; raise the learning rate, or give the other terms a larger weight.`,
            ]
          : []),
        ...(held > 0
          ? [
              `In ${held} ${held === 1 ? 'step' : 'steps'} the other terms were 0, and the loss kept the running mean of the factors before.`,
            ]
          : []),
      ];
    },
  },
});
