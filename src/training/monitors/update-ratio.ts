import { defineMonitor, type Monitor } from '../define.ts';

/** ‖Δθ‖/‖θ‖ of the step, over all parameters. */
export const updateRatio: Monitor = defineMonitor({
  id: 'update-ratio',
  title: 'Update-to-weight ratio',
  source: 'Karpathy 2015, cs231n notes on training; near 1e-3 is usual',
  formula: ['‖θ⁺ − θ‖ / ‖θ‖'],
  unit: 'none',
  scale: 'log',
  options: {},
  build(emit, { flat: { before, after } }) {
    const length = (v: string): string => emit.call('ReduceL2', [v], { keepdims: 0 });
    return { '': emit.Div(length(emit.Sub(after, before)), emit.Max(length(before), emit.scalar(1e-12))) };
  },
});
