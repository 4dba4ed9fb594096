import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Node } from '../../src/graph/types.ts';
import { verify } from '../../src/graph/verify.ts';
import { floatConstant, graph, model, node, value, wave } from './build.ts';
import { built, image, oldCases, titleOf } from './old-cases.ts';
import { runModel } from './run.ts';

const newForm = (nodes: readonly Node[]): boolean =>
  nodes.every((n) => !(['Squeeze', 'Unsqueeze', 'ReduceSum', 'ReduceMean', 'Slice'].includes(n.op) && n.attributes.axes));

// One kernel serves both forms in ONNX Runtime, except where a rewrite composes others: 1e-6 relative to values near 1.
const close = (a: Tensor, b: Tensor): void => {
  deepEqual(b.dims, a.dims);
  equal(b.dtype, a.dtype);
  const [u, v] = [a.data as Float32Array, b.data as Float32Array];
  for (let i = 0; i < u.length; i++) ok(u[i] === v[i] || Math.abs(u[i] - v[i]) <= 1e-6, `element ${i}: ${u[i]} and ${v[i]}`);
};

for (const c of oldCases) {
  test(`${titleOf(c)} means the same in the dialect`, async () => {
    const old = built(c);
    const now = normalise(old);
    deepEqual(verify(now), []);
    equal(now.opsets.get(''), 21);
    ok(newForm(now.graph.nodes));
    for (const op of c.gone ?? []) ok(!now.graph.nodes.some((n) => n.op === op));
    const feeds = { x: wave(c.dims) };
    const [before, after] = [await runModel(old, feeds), await runModel(now, feeds)];
    for (const name of Object.keys(before)) close(before[name], after[name]);
  });
}

test('Resize of operator set 10 that grows one axis and shrinks another takes two rounding rules', async () => {
  const s = constantOf('float32', [4], [1, 1, 2, 0.5]);
  const old = model(graph([value('x', image)], [node('Resize', ['x', 's'], ['y'])], ['y'], { s }), 10);
  const x = wave(image);
  const { y } = await runModel(normalise(old), { x });
  deepEqual(y.dims, [2, 3, 12, 3]);
  // Row i comes from floor(i / 2), column j from ceil(2 j).
  const at = (i: number, j: number): number => (x.data as Float32Array)[Math.floor(i / 2) * 6 + Math.ceil(2 * j)];
  for (const [i, j] of [
    [0, 0],
    [5, 1],
    [11, 2],
  ])
    equal((y.data as Float32Array)[i * 3 + j], at(i, j));
});

test('a file older than ONNX Runtime reads is refused with its version', () => {
  const old = model(graph([value('x', [2])], [node('Relu', ['x'], ['y'])], ['y']), 6);
  let seen: unknown;
  try {
    normalise(old);
  } catch (error) {
    seen = error;
  }
  ok(Fault.is(seen, 'graph/opset'));
  equal(seen.detail.opset, 6);
});

test('a newer file keeps its operator set', () => {
  const m = model(graph([value('x', [2])], [node('Relu', ['x'], ['y'])], ['y']), 24);
  equal(normalise(m).opsets.get(''), 24);
});

test('initializers that are inputs as well become constants only', () => {
  const m = model(graph([value('x', [2]), value('w', [2])], [node('Mul', ['x', 'w'], ['y'])], ['y'], { w: floatConstant([2]) }), 8);
  deepEqual(
    normalise(m).graph.inputs.map((i) => i.name),
    ['x'],
  );
});
