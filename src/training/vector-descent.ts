import { constantOf } from '../graph/constant.ts';
import { emitter } from '../graph/emit.ts';
import type { Model } from '../graph/types.ts';
import { modelOf, tensorType } from './plan.ts';

const codes = { float32: 1, float64: 11 } as const;

/**
 * Steps of `descent` (base/maths/equiangular.ts) as one Loop with the products on the device. Inputs: `vectors` [n, d], `best` [n, d] and
 * `worst`, the best so far, `rates` [K] of the steps, `alpha` and `goal`, at which it ends. Outputs: the same three after them.
 */
export const vectorDescent = (n: number, d: number, dtype: 'float32' | 'float64' = 'float32'): Model => {
  const matrix = tensorType(dtype, [n, d]);
  const number = tensorType(dtype, []);
  const flag = tensorType('bool', []);
  const emit = emitter({});
  for (const name of ['vectors', 'best']) emit.typed(name, matrix);
  for (const name of ['worst', 'alpha', 'goal']) emit.typed(name, number);
  emit.typed('rates', tensorType(dtype, ['K']));
  const inner = emitter({ within: emit });
  const own = (value: number): string => inner.constant(constantOf(dtype, [], [value]));
  const [turn, going] = [emit.fresh('turn'), emit.fresh('going')];
  inner.typed(turn, tensorType('int64', []));
  inner.typed(going, flag);
  const carried = { w: emit.fresh('w'), best: emit.fresh('kept'), worst: emit.fresh('least') };
  inner.typed(carried.w, matrix);
  inner.typed(carried.best, matrix);
  inner.typed(carried.worst, number);
  const lengths = inner.Sqrt(inner.call('ReduceSumSquare', [carried.w, inner.ints([1])], { keepdims: 1 }));
  const rows = inner.Div(carried.w, lengths);
  const cosines = inner.MatMul(rows, inner.Transpose(rows, { perm: [1, 0] }));
  const apart = inner.Sub(own(1), inner.call('EyeLike', [cosines], { dtype: codes[dtype] }));
  const sizes = inner.Mul(inner.Abs(cosines), apart);
  const largest = inner.call('ReduceMax', [sizes], { keepdims: 0 });
  const better = inner.Less(largest, carried.worst);
  const over = inner.Cast(inner.Greater(sizes, 'alpha'), { to: codes[dtype] });
  const pull = inner.MatMul(inner.Mul(over, inner.Sign(cosines)), rows);
  const rate = inner.Mul(own(2), inner.Gather('rates', turn));
  const ends = [
    inner.Greater(largest, 'goal'),
    inner.Sub(rows, inner.Mul(rate, pull)),
    inner.Where(better, rows, carried.best),
    inner.Min(largest, carried.worst),
  ];
  const types = [flag, matrix, matrix, number];
  const body = inner.graph(
    'step',
    [
      { name: turn, type: tensorType('int64', []) },
      { name: going, type: flag },
      { name: carried.w, type: matrix },
      { name: carried.best, type: matrix },
      { name: carried.worst, type: number },
    ],
    ends.map((name, i) => ({ name, type: types[i] })),
  );
  const yes = emit.constant({ dtype: 'bool', dims: [], bytes: Uint8Array.of(1) });
  const found = emit.calls('Loop', [emit.Size('rates'), yes, 'vectors', 'best', 'worst'], 3, { body });
  const names = ['next/vectors', 'next/best', 'next/worst'];
  const outputs = found.map((value, i) => ({ name: emit.rename(value, names[i]), type: types[i + 1] }));
  const inputs = ['vectors', 'best', 'worst', 'rates', 'alpha', 'goal'].map((name) => ({ name, type: emit.type(name) ?? number }));
  return modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, emit.graph('descent', inputs, outputs));
};
