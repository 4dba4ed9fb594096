import { defineMonitor, type Monitor } from '../define.ts';

const codes = { float32: 1, float64: 11 } as const;

/** Rows whose embedding (or whose features, where the head gives none) is all zeros: cosines with them say nothing. */
export const zeroEmbeddings: Monitor = defineMonitor({
  id: 'zero-embeddings',
  title: 'Rows with an embedding of zeros',
  source: 'arXiv:2303.11637 (EBV); card 26-equiangular-basis-vectors',
  about: 'A row without a direction has the same cosine, 0, with every class vector.',
  formula: ['share of rows with ‖v‖ = 0'],
  unit: 'fraction',
  reads: ['features'],
  options: {},
  build(emit, { given, features = '' }) {
    const rows = given.embedding ?? features;
    const code = codes[emit.type(rows)?.dtype === 'float64' ? 'float64' : 'float32'];
    const size = emit.ReduceMax(emit.Abs(rows), emit.ints([1]), { keepdims: 0 });
    return { '': emit.ReduceMean(emit.Cast(emit.Equal(size, emit.Mul(emit.scalar(0), size)), { to: code }), { keepdims: 0 }) };
  },
});
