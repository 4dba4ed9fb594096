import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { FunctionDef, Model } from '../../src/graph/types.ts';
import { verify } from '../../src/graph/verify.ts';
import { body, float, floatConstant, graph, int, ints, model, node, reference, value, wave } from './build.ts';
import { runModel } from './run.ts';

const def = (f: Partial<FunctionDef> & Pick<FunctionDef, 'name' | 'inputs' | 'outputs' | 'nodes'>, opset = 17): FunctionDef => ({
  domain: 'my',
  attributes: [],
  defaults: {},
  opsets: new Map([
    ['', opset],
    ['my', 1],
  ]),
  ...f,
});

// ONNX Runtime inlines functions itself: an independent evaluation of the same file.
const same = async (m: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Model> => {
  deepEqual(verify(m), []);
  const flat = normalise(m);
  deepEqual(verify(flat), []);
  equal(flat.functions.length, 0);
  const [a, b] = [await runModel(m, feeds), await runModel(flat, feeds)];
  for (const name of Object.keys(a)) deepEqual(b[name], a[name]);
  return flat;
};
const x = value('x', [2, 3]);

test('attributes come from the call, else from the default, else from the operator', async () => {
  const f = def({
    name: 'Leaky',
    inputs: ['a'],
    outputs: ['b'],
    attributes: ['unset'],
    defaults: { alpha: float(0.25) },
    nodes: [node('LeakyRelu', ['a'], ['c'], { alpha: reference('alpha') }), node('LeakyRelu', ['c'], ['b'], { alpha: reference('unset') })],
  });
  const m = model(
    graph([x], [node('Leaky', ['x'], ['u'], { alpha: float(0.5) }, 'my'), node('Leaky', ['u'], ['y'], {}, 'my')], ['y']),
    17,
    [f],
    ['my'],
  );
  const flat = await same(m, { x: wave([2, 3]) });
  const alphas = flat.graph.nodes.map((n) => n.attributes.alpha);
  deepEqual(alphas, [float(0.5), undefined, float(0.25), undefined]);
});

test('functions call functions, twice, with names that would collide', async () => {
  const square = def({ name: 'Square', inputs: ['x'], outputs: ['y'], nodes: [node('Mul', ['x', 'x'], ['y'])] });
  const quartic = def({
    name: 'Quartic',
    inputs: ['x'],
    outputs: ['y'],
    nodes: [node('Square', ['x'], ['t'], {}, 'my'), node('Square', ['t'], ['y'], {}, 'my')],
  });
  const nodes = [node('Quartic', ['x'], ['t'], {}, 'my'), node('Quartic', ['t'], ['u'], {}, 'my'), node('Add', ['t', 'u'], ['y'])];
  const flat = await same(model(graph([x], nodes, ['y']), 17, [square, quartic], ['my']), { x: wave([2, 3]) });
  equal(flat.graph.nodes.filter((n) => n.op === 'Mul').length, 4);
});

test('a body for an older operator set is brought up with its own version', async () => {
  const old = def(
    {
      name: 'Mean',
      inputs: ['x'],
      outputs: ['y'],
      nodes: [node('ReduceMean', ['x'], ['m'], { axes: reference('axes') }), node('Softmax', ['m'], ['y'], { axis: int(1) })],
      attributes: ['axes'],
    },
    12,
  );
  const m = model(graph([value('x', [2, 3, 4])], [node('Mean', ['x'], ['y'], { axes: ints(2) }, 'my')], ['y']), 18, [old], ['my']);
  deepEqual(verify(m), []);
  const flat = normalise(m);
  deepEqual(verify(flat), []);
  const input = wave([2, 3, 4]);
  const { y } = await runModel(flat, { x: input });
  // Rows of 3 × 1: the mean over the last axis, then softmax over the three of each row.
  const data = input.data as Float32Array;
  for (let r = 0; r < 2; r++) {
    const means = [0, 1, 2].map((c) => [0, 1, 2, 3].reduce((s, k) => s + data[(r * 3 + c) * 4 + k], 0) / 4);
    const total = means.reduce((s, v) => s + Math.exp(v), 0);
    // float32 against float64: 1e-6.
    for (const [c, v] of means.entries()) ok(Math.abs((y.data as Float32Array)[r * 3 + c] - Math.exp(v) / total) < 1e-6);
  }
});

test('omitted inputs and outputs, an output that is an input, and a body with a branch', async () => {
  const split = def({
    name: 'Odd',
    inputs: ['x', 'low', 'flag'],
    outputs: ['clipped', 'copy', 'chosen'],
    nodes: [
      node('Clip', ['x', 'low'], ['clipped']),
      node('Identity', ['x'], ['copy']),
      node('If', ['flag'], ['chosen'], {
        then_branch: body(graph([], [node('Neg', ['x'], ['t'])], ['t'])),
        else_branch: body(graph([], [node('Mul', ['x', 'k'], ['t'])], ['t'], { k: floatConstant([1]) })),
      }),
    ],
  });
  const nodes = [
    node('Odd', ['x', '', 'flag'], ['a', 'b', 'c'], {}, 'my'),
    node('Odd', ['c', 'low', 'flag'], ['d', '', 'e'], {}, 'my'),
    node('Sum', ['a', 'b', 'c', 'd', 'e'], ['y']),
  ];
  const m = model(graph([x, value('flag', [], 'bool')], nodes, ['y'], { low: constantOf('float32', [], [0.1]) }), 17, [split], ['my']);
  for (const flag of [0, 1]) await same(m, { x: wave([2, 3]), flag: { dtype: 'bool', dims: [], data: Uint8Array.of(flag) } });
});
