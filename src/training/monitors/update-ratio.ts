import { flag } from '../../base/option.ts';
import { defineMonitor, type Monitor } from '../define.ts';
import { stepLength, weightsOf } from './per-weight.ts';

/** ‖Δθ‖/‖θ‖ of the step, over all parameters. */
export const updateRatio: Monitor = defineMonitor({
  id: 'update-ratio',
  title: 'Update-to-weight ratio',
  source: 'Karpathy 2015, cs231n notes on training; near 1e-3 is usual',
  formula: ['‖θ⁺ − θ‖ / ‖θ‖'],
  unit: 'none',
  scale: 'log',
  options: { weights: flag({ default: false, help: 'One line for each weight.' }) },
  build(emit, view, chosen) {
    if (!chosen.weights) return { '': stepLength(emit, view.flat, false) };
    return Object.fromEntries(weightsOf(view).map((w) => [w.name, stepLength(emit, w, false)]));
  },
});
