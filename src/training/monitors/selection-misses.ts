import { defineMonitor, type Monitor } from '../define.ts';
import { NOT_ABOVE } from '../selected.ts';

const codes = { float32: 1, float64: 11 } as const;

/** Rows whose own class a head with a selection did not select; 0 with other heads. */
export const selectionMisses: Monitor = defineMonitor({
  id: 'selection-misses',
  title: 'Rows whose class was not selected',
  source: 'arXiv:2503.18430 (CQ-DINO); card 02-cq-dino',
  about: 'What category queries do not select they cannot predict: this is the least error of the head.',
  formula: ['share of rows whose class is not among the K selected'],
  unit: 'fraction',
  options: {},
  build(emit, { given, logits, target, classes }) {
    if (given.selection === undefined || classes === 0) return { '': emit.scalar(0) };
    const axis = emit.ints([1]);
    const own = emit.Squeeze(emit.GatherElements(logits, emit.Unsqueeze(target, axis), { axis: 1 }), axis);
    const code = codes[emit.type(logits)?.dtype === 'float64' ? 'float64' : 'float32'];
    return { '': emit.ReduceMean(emit.Cast(emit.Less(own, emit.scalar(NOT_ABOVE)), { to: code }), { keepdims: 0 }) };
  },
});
