import assert from 'node:assert/strict';
import { test } from 'node:test';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { emitter } from '../../src/graph/emit.ts';
import { staged } from '../../src/graph/passes/stage.ts';
import type { Model, TensorType } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { run } from './run.ts';

const type = (...dims: readonly (number | string)[]): TensorType => ({ kind: 'tensor', dtype: 'float32', dims });
const model = (): Model => {
  const emit = emitter();
  const inputs = [
    { name: emit.typed('x', type('N', 4)), type: type('N', 4) },
    { name: emit.typed('v', type(4, 4)), type: type(4, 4) },
  ];
  const early = emit.Exp(
    emit.MatMul(
      'x',
      emit.hold('w', { dtype: 'float32', dims: [4, 4], bytes: new Uint8Array(Float32Array.from({ length: 16 }, (_, i) => i / 16).buffer) }),
    ),
  );
  const view = emit.Reshape(early, emit.ints([-1, 2, 2]));
  const late = emit.Add(emit.Reshape(emit.MatMul(early, 'v'), emit.ints([-1, 2, 2])), view);
  emit.rename(emit.ReduceSum(early, { keepdims: 0 }), 'sum');
  emit.rename(late, 'y');
  const outputs = ['sum', 'y'].map((name) => ({ name }));
  return {
    irVersion: 8,
    opsets: new Map([['', 18]]),
    producer: '',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    functions: [],
    graph: emit.graph('staged', inputs, outputs),
  };
};
const fill = (dims: readonly number[]): Tensor =>
  float32(
    dims,
    Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
  );

test('a model in two parts gives what it gave whole, and the first part is not made again', async () => {
  const whole = model();
  const { first, second, handed } = staged(whole, ['v']);
  mustVerify(first);
  mustVerify(second);
  const feeds = { x: fill([3, 4]), v: fill([4, 4]) };
  const want = await run(write(whole), feeds, ['sum', 'y']);
  const early = await run(write(first), { x: feeds.x }, ['sum', ...handed]);
  const late = await run(write(second), { ...Object.fromEntries(handed.map((h) => [h, early[h]])), v: feeds.v }, ['y']);
  assert.deepEqual(early.sum, want.sum);
  assert.deepEqual(late.y, want.y);
  assert.deepEqual(second.graph.nodes.map((n) => n.op).sort(), ['Add', 'Identity', 'MatMul', 'Reshape', 'Reshape']);
  assert.equal(handed.length, 1);
  assert.ok(!first.graph.inputs.some((i) => i.name === 'v'));
});

test('with nothing late the second part is empty', () => {
  const { first, second, handed } = staged(model(), []);
  assert.deepEqual(
    first.graph.outputs.map((o) => o.name),
    ['sum', 'y'],
  );
  assert.equal(second.graph.nodes.length, 0);
  assert.deepEqual(handed, []);
});
