import { emitter } from './src/graph/emit.ts';
import { modelOf } from './src/training/plan.ts';
import { constantOf } from './src/graph/constant.ts';
import { float32 } from './src/base/tensor.ts';
import { sharesOf } from './tests/bench/engine/profile.ts';
for (const n of [1296, 2304, 20736, 82944, 331776, 2359296]) {
  const emit = emitter({ taken: ['x'] });
  const type = { kind: 'tensor', dtype: 'float32', dims: [n] } as any;
  emit.typed('x', type);
  const idx = emit.constant(constantOf('int32', [n], Int32Array.from({ length: n }, (_, i) => (i * 769) % n)));
  const p = emit.Pad(emit.Identity('x'), emit.ints([0, 1]));
  const out = emit.Gather(p, idx, { axis: 0 });
  const model = modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, emit.graph('m', [{ name: 'x', type }], [{ name: out, type }]));
  const shares = await sharesOf({ model, feeds: { x: float32([n], new Float32Array(n)) }, wanted: [out], steps: 1, run: async () => 0 } as never, 2, { by: 'operator', runs: 30 });
  console.log(n, shares.map((s) => `${s.operator} ${s.ms}`).join(' '));
}
process.exit(0);
