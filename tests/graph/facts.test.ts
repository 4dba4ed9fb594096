import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { constantOf } from '../../src/graph/constant.ts';
import { factsOf } from '../../src/graph/facts.ts';
import { prepare } from '../../src/graph/prepare.ts';
import type { Attribute, Constant, Node } from '../../src/graph/types.ts';
import { floatConstant, graph, int, ints, model, node, text, value } from './build.ts';
import { fixture, run } from './run.ts';

const facts = async (dims: readonly (number | string)[], nodes: readonly Node[], constants: Readonly<Record<string, Constant>> = {}) => {
  const { model: m, probed } = await prepare(model(graph([value('x', dims)], nodes, ['y'], constants), 21, [], ['com.microsoft']), run);
  return factsOf(m.graph, probed.types);
};
const one = async (
  op: string,
  dims: readonly (number | string)[],
  weights: readonly Constant[],
  attributes: Readonly<Record<string, Attribute>> = {},
) => {
  const constants = Object.fromEntries(weights.map((w, i) => [`w${i}`, w]));
  return facts(dims, [node(op, ['x', ...Object.keys(constants)], ['y'], attributes)], constants);
};

// By hand: multiply–accumulates for one row.
test('multiply–accumulates of one row', async () => {
  const conv = await one('Conv', ['N', 4, 8, 8], [floatConstant([6, 2, 3, 3])], { group: int(2) });
  equal(conv.macs, 6 * 6 * 6 * (2 * 3 * 3));
  const up = await one('ConvTranspose', ['N', 4, 5, 5], [floatConstant([4, 3, 2, 2])], { strides: ints(2, 2) });
  equal(up.macs, 4 * 5 * 5 * (3 * 2 * 2));
  equal((await one('Gemm', ['N', 7], [floatConstant([5, 7]), floatConstant([5])], { transB: int(1) })).macs, 35);
  equal((await one('MatMul', ['N', 3, 7], [floatConstant([7, 5])])).macs, 3 * 7 * 5);
  // 6 steps of W [1, 12, 5] and R [1, 12, 4]; 3 gates of width 4. x is [sequence, batch, input].
  equal(
    (await one('RNN', [6, 'batch', 5], [floatConstant([1, 4, 5]), floatConstant([1, 4, 4])], { hidden_size: int(4) })).macs,
    6 * (20 + 16),
  );
  equal((await one('Einsum', ['N', 3, 7], [floatConstant([7, 5])], { equation: text('bij,jk->bik') })).macs, 3 * 7 * 5);
  equal((await one('Relu', ['N', 3], [])).macs, 0);
});

// Card 39, check (a) 3.
test('multiply–accumulates of a strided, a depthwise and a dense layer and of attention scores', async () => {
  const strided = { strides: ints(2, 2), pads: ints(1, 1, 1, 1) };
  equal((await one('Conv', ['N', 3, 224, 224], [floatConstant([16, 3, 3, 3])], strided)).macs, 5_419_008);
  const depthwise = { group: int(16), pads: ints(1, 1, 1, 1) };
  equal((await one('Conv', ['N', 16, 112, 112], [floatConstant([16, 1, 3, 3])], depthwise)).macs, 1_806_336);
  equal((await one('Gemm', ['N', 512], [floatConstant([512, 10])])).macs, 5_120);
  const scores = [node('Transpose', ['x'], ['t'], { perm: ints(0, 1, 3, 2) }), node('MatMul', ['x', 't'], ['y'])];
  equal((await facts(['N', 8, 197, 64], scores)).macs, 19_870_208);
});

test('what cannot be counted makes the total unknown, not wrong', async () => {
  const { macs, layers } = await facts(
    ['N', 4, 1],
    [node('DFT', ['x'], ['f']), node('ReduceSum', ['f', 'last'], ['r'], { keepdims: int(0) }), node('MatMul', ['r', 'w'], ['y'])],
    { last: constantOf('int64', [1], [2]), w: floatConstant([4, 3]) },
  ).then((f) => ({ macs: f.macs, layers: f.layers.map((l) => l.macs) }));
  equal(macs, null);
  deepEqual(layers, [null, 0, 12]);
});

test('parameters: floats of the file, shared ones once, running statistics not', async () => {
  // PyTorch's count, from the training script: 38,006 with BatchNormalization.
  for (const f of ['lenet_mnist.raw', 'lenet_mnist.train']) {
    const { model: m, probed } = await prepare(fixture(f), run);
    equal(factsOf(m.graph, probed.types).parameters, 38006);
  }
  const { parameters, layers } = await facts(
    ['N', 3],
    [node('MatMul', ['x', 'w'], ['a']), node('MatMul', ['a', 'w'], ['b']), node('Reshape', ['b', 's'], ['y'])],
    { w: floatConstant([3, 3]), s: constantOf('int64', [2], [-1, 3]) },
  );
  equal(parameters, 9);
  deepEqual(
    layers.map((l) => l.parameters),
    [9, 0, 0],
  );
});

test('the table of layers of LeNet', async () => {
  const { model: m, probed } = await prepare(fixture('lenet_mnist'), run);
  const { layers, macs, parameters } = factsOf(m.graph, probed.types);
  equal(parameters, 37958);
  deepEqual(
    layers.map((l) => [l.op, l.dims.join('×'), l.parameters, l.macs]),
    [
      ['Conv', 'N×8×28×28', 208, 8 * 28 * 28 * 25],
      ['Relu', 'N×8×28×28', 0, 0],
      ['MaxPool', 'N×8×14×14', 0, 0],
      ['Conv', 'N×16×10×10', 3216, 16 * 100 * 200],
      ['Relu', 'N×16×10×10', 0, 0],
      ['MaxPool', 'N×16×5×5', 0, 0],
      ['Flatten', 'N×400', 0, 0],
      ['Gemm', 'N×84', 33684, 84 * 400],
      ['Relu', 'N×84', 0, 0],
      ['Gemm', 'N×10', 850, 840],
    ],
  );
  equal(
    macs,
    layers.reduce((n, l) => n + (l.macs ?? 0), 0),
  );
});
