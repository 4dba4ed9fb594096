import { defineMonitor, type Monitor } from '../define.ts';
import { weightsOf } from './per-weight.ts';

/** ‖w‖ of every weight after the step. */
export const weightNorm: Monitor = defineMonitor({
  id: 'weight-norm',
  title: 'Length of the weights',
  source: 'arXiv:2006.08217, section 2 (AdamP)',
  about: 'Weights before a normalisation grow under momentum, which makes the same step turn them less.',
  formula: ['‖w⁺‖'],
  unit: 'none',
  scale: 'log',
  options: {},
  build: (emit, view) =>
    Object.fromEntries(weightsOf(view).map(({ name, after }) => [name, emit.call('ReduceL2', [after], { keepdims: 0 })])),
  says(lines) {
    const grown = Object.entries(lines).flatMap(([line, values]) => {
      const [first, last] = [values.find(Number.isFinite), values.findLast(Number.isFinite)];
      return first && last ? [`${line.slice('weight-norm/'.length)} ${(last / first).toPrecision(3)} ×`] : [];
    });
    return grown.length > 0 ? `Last length beside that after the first step: ${grown.join(', ')}.` : undefined;
  },
});
