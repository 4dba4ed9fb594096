import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { fromHalf, toHalf } from '../../src/base/half.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { liftHalf } from '../../src/graph/passes/half.ts';
import { prepare } from '../../src/graph/prepare.ts';
import type { Constant, Model } from '../../src/graph/types.ts';
import { verify } from '../../src/graph/verify.ts';
import { nodesWithin } from '../../src/graph/walk.ts';
import { body, graph, int, model, node, value } from './build.ts';
import { fixture, run, runModel } from './run.ts';

const half = (dims: readonly number[], values: readonly number[]): Constant => constantOf('float16', dims, values.map(toHalf));
const fed = (dims: readonly number[], values: readonly number[]): Tensor => ({
  dtype: 'float16',
  dims,
  data: Uint16Array.from(values, toHalf),
});
const read = (t: Tensor): number[] => Array.from(t.data as Uint16Array, t.dtype === 'float16' ? fromHalf : Number);
/** The outputs of ONNX Runtime on the file itself, which rounds after each operator: 2⁻¹⁰ apart for each of a few of them. */
const lawful = async (file: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Model> => {
  const lifted = liftHalf(file);
  deepEqual(verify(lifted), []);
  const [a, b] = [await runModel(file, feeds), await runModel(lifted, feeds)];
  for (const [name, t] of Object.entries(a)) {
    equal(b[name].dtype, t.dtype, name);
    deepEqual(b[name].dims, t.dims, name);
    const scale = Math.max(...read(t).map(Math.abs));
    read(t).forEach((v, i) => void ok(Math.abs(v - read(b[name])[i]) <= 5e-3 * scale, `${name}[${i}]: ${read(b[name])[i]} for ${v}`));
  }
  return lifted;
};

test('a model without half precision is given back as it is', () => {
  const file = fixture('mlp_digits');
  equal(liftHalf(file), file);
});

test('inputs, outputs and parameters keep their type behind one cast each; an output may be read inside', async () => {
  const file = model(
    graph(
      [value('x', ['N', 3], 'float16')],
      [
        node('MatMul', ['x', 'w'], ['h']),
        node('Add', ['h', 'x'], ['y']),
        node('Mul', ['y', 'w'], ['z']),
        node('Pow', ['z', 'two'], ['q']),
        node('Shape', ['x'], ['shape']),
      ],
      [value('y', ['N', 3], 'float16'), value('q', [3, 3], 'float16'), value('shape', [2], 'int64')],
      { w: half([3, 3], [1, 2, -1, 0.5, 0.25, 1.5, -2, 3, 0.125]), two: half([], [2]) },
    ),
  );
  const lifted = await lawful(file, { x: fed([3, 3], [0.1, -0.7, 1.3, 2.1, 0.4, -0.9, 1.1, 0.2, -0.3]) });
  const casts = lifted.graph.nodes.filter((n) => n.op === 'Cast');
  deepEqual(casts.map((n) => n.inputs[0]).sort(), ['q/float32', 'w', 'x', 'y/float32']);
  equal(lifted.graph.initializers.get('two')?.dtype, 'float32');
});

test('constants, casts and the bodies of control flow compute in float32', async () => {
  const branch = (op: string): ReturnType<typeof graph> =>
    graph([], [node(op, ['x', 'own'], [`in_${op}`])], [value(`in_${op}`, [2], 'float16')], { own: half([2], [0.3, 0.6]) });
  const file = model(
    graph(
      [value('x', [2], 'float16'), value('c', [], 'bool'), value('k', [2], 'int64')],
      [
        node('If', ['c'], ['chosen'], { then_branch: body(branch('Add')), else_branch: body(branch('Mul')) }),
        node('Cast', ['k'], ['number'], { to: int(10) }),
        node('ConstantOfShape', ['size'], ['filled'], { value: { type: 'tensor', value: half([1], [0.75]) } }),
        node('Sum', ['chosen', 'number', 'filled'], ['y']),
      ],
      [value('y', [2], 'float16')],
      { size: constantOf('int64', [1], [2]) },
    ),
  );
  const c = (v: number): Tensor => ({ dtype: 'bool', dims: [], data: Uint8Array.of(v) });
  const k: Tensor = { dtype: 'int64', dims: [2], data: BigInt64Array.of(3n, -4n) };
  for (const v of [0, 1]) {
    const lifted = await lawful(file, { x: fed([2], [0.37, -1.9]), c: c(v), k });
    const types = Array.from(nodesWithin(lifted.graph)).flatMap((n) =>
      Object.values(n.attributes).flatMap((a) => (a.type === 'tensor' ? [a.value.dtype] : [])),
    );
    deepEqual(types, ['float32']);
  }
});

test('preparing a half-precision file says that it computes in float32', async () => {
  const file = model(
    graph([value('x', ['N', 2], 'float16')], [node('MatMul', ['x', 'w'], ['y'])], [value('y', ['N', 2], 'float16')], {
      w: half([2, 2], [1, 2, 3, 4]),
    }),
  );
  const { model: ready, probed, notes } = await prepare(file, run);
  deepEqual(notes, ['The file computes in half precision; here it computes in float32, from the same parameters.']);
  equal(probed.types.get('x/float32')?.dtype, 'float32');
  equal(probed.types.get('y')?.dtype, 'float16');
  deepEqual(ready.graph.nodes.map((n) => n.op).sort(), ['Cast', 'Cast', 'Cast', 'MatMul']);
});
