import { emitter } from './src/graph/emit.ts';
import { modelOf } from './src/training/plan.ts';
import { constantOf } from './src/graph/constant.ts';
import { float32 } from './src/base/tensor.ts';
import { sharesOf } from './tests/bench/engine/profile.ts';
const cases: [number, number, number, number, number[], number[], number[], string?][] = [
  // N, C, F, H, kernel, strides, pads
  [16,16,16,32,[3,3],[1,1],[1,1,1,1]],
  [16,32,32,32,[3,3],[1,1],[1,1,1,1]],
  [16,16,32,32,[3,3],[1,1],[1,1,1,1]],
  [16,16,48,32,[3,3],[1,1],[1,1,1,1]],
  [16,16,64,32,[3,3],[1,1],[1,1,1,1]],
  [16,16,32,32,[4,3],[2,1],[1,1,1,1]],
  [16,16,32,32,[3,4],[1,2],[1,1,1,1]],
  [16,32,16,32,[3,3],[1,1],[1,1,1,1]],
  [16,32,32,16,[3,3],[1,1],[1,1,1,1]],
  [16,48,48,8,[3,3],[1,1],[1,1,1,1]],
  [16,64,64,8,[3,3],[1,1],[1,1,1,1]],
  [16,64,16,15,[3,3],[1,1],[1,1,1,1]],
];
for (const [N, C, F, H, k, s, p] of cases) {
  const emit = emitter({ taken: ['x', 'g', 'w'] });
  const dims = [N, C, H, H];
  emit.typed('x', { kind: 'tensor', dtype: 'float32', dims });
  const c = (d: number[]) => emit.constant(constantOf('float32', d, Float32Array.from({ length: d.reduce((a, b) => a * b) }, () => Math.random())));
  const one = c([C, C, 1, 1]);
  let v = emit.call('Conv', ['x', one], { pads: [0, 0, 0, 0] });
  const w = c([F, C, ...k]);
  const out = emit.call('Conv', [v, w], { pads: p, strides: s });
  const end = emit.call('Conv', [out, c([16, F, 1, 1])], { pads: [0, 0, 0, 0] });
  emit.typed(end, { kind: 'tensor', dtype: 'float32', dims: ['a', 'b', 'c', 'd'] });
  const model = modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, emit.graph('m', [{ name: 'x', type: { kind: 'tensor', dtype: 'float32', dims } as any }], [{ name: end, type: { kind: 'tensor', dtype: 'float32', dims: ['a', 'b', 'c', 'd'] } as any }]));
  const feeds: any = { x: float32(dims, Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => Math.random())) };
  const shares = await sharesOf({ model, feeds, wanted: [end], steps: 1, run: async () => 0 } as never, Number(process.argv[2] ?? 1), { by: 'node', runs: 60, most: 20 });
  const mine = shares.find((r) => r.operator.includes(`{float:[${F},${C},${k}]}`))!;
  const dimsOut = mine.operator.match(/→\[\{float:\[([\d,]+)\]/)![1].split(',').map(Number);
  const macs = dimsOut.reduce((a, b) => a * b) * C * k[0] * k[1];
  console.log(N, C, F, H, k.join('x'), s.join(), 'ms', mine.ms, 'GMAC/s', (macs / mine.ms / 1e6).toFixed(0));
}
process.exit(0);
