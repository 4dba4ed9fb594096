import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recording } from '../../src/autodiff/differentiate.ts';
import { gradients } from '../../src/autodiff/reverse.ts';
import { sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { prepare } from '../../src/graph/prepare.ts';
import type { Constant, FunctionDef, Model, Node } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import {
  body,
  float,
  floatConstant,
  floats,
  graph,
  int,
  intConstant,
  ints,
  model,
  node,
  reference,
  text,
  value,
  wave,
} from '../graph/build.ts';
import { built, oldCases, titleOf } from '../graph/old-cases.ts';
import { run as session } from '../graph/run.ts';
import { type Feeds, numbers, open } from './ort.ts';

const weightsOf = (dims: readonly number[]): number[] => Array.from({ length: sizeOf(dims) }, (_, i) => Math.cos(1 + i));

/** The file with the rank of its inputs, where it does not say them: that of the data, as the product has it. */
const ranked = (file: Model, feeds: Feeds): Model => {
  const inputs = file.graph.inputs.map((i) =>
    i.type?.kind === 'tensor' && i.type.dims ? i : value(i.name, ['N', ...feeds[i.name].dims.slice(1)], feeds[i.name].dtype),
  );
  return { ...file, graph: { ...file.graph, inputs } };
};

/**
 * f = Σ cos(1 + i)·yᵢ over the first output of the file as it is, run by ONNX Runtime in its own reading of old operators,
 * differentiated numerically; against the gradient of what preparing makes of the file. In float32, so steps of 1e-2 and 1 % of the
 * largest entry plus rounding, or anything between the one-sided slopes, which differ at a kink.
 */
const agrees = async (file: Model, feeds: Feeds, by: readonly string[]): Promise<void> => {
  const [{ name: output }] = file.graph.outputs;
  const original = await open(write(file), false);
  const f = async (name: string, i: number, h: number): Promise<number> => {
    const moved = numbers(feeds[name]).map((v, k) => (k === i ? v + h : v));
    const y = (await original({ ...feeds, [name]: { ...feeds[name], data: Float32Array.from(moved) } }, [output]))[output];
    return numbers(y).reduce((s, v, k) => s + v * Math.cos(1 + k), 0);
  };
  const { model: simple, probed } = await prepare(ranked(file, feeds), session);
  const emit = recording(simple.graph, probed);
  const y = (await original(feeds, [output]))[output];
  const seed = emit.constant(constantOf('float32', y.dims, weightsOf(y.dims)));
  const found = gradients(emit, new Map([[output, seed]]), by, { missing: 'omit' });
  const inputs = simple.graph.inputs.map((i) => ({
    ...i,
    type: { kind: 'tensor' as const, dtype: feeds[i.name].dtype, dims: feeds[i.name].dims },
  }));
  const backward = {
    ...simple,
    graph: emit.graph(
      'g',
      inputs,
      [...found.values()].map((name) => ({ name })),
    ),
  };
  const domains = new Set(emit.nodes.map((n) => n.domain));
  const opsets = new Map([...simple.opsets, ...[...domains].flatMap((d) => (simple.opsets.has(d) ? [] : [[d, 1] as const]))]);
  const results = found.size > 0 ? await (await open(write(mustVerify({ ...backward, opsets }))))(feeds) : {};
  let kinks = 0;
  let entries = 0;
  for (const x of by) {
    const g = found.get(x);
    const actual = g ? numbers(results[g]) : weightsOf(feeds[x].dims).map(() => 0);
    if (g) assert.deepEqual([...results[g].dims], [...feeds[x].dims]);
    const slopes: (readonly [number, number])[] = [];
    const h = 1e-2;
    for (let i = 0; i < actual.length; i++) {
      const [low, middle, high] = [await f(x, i, -h), await f(x, i, 0), await f(x, i, h)];
      slopes.push([(middle - low) / h, (high - middle) / h]);
    }
    const scale = Math.max(...slopes.map(([a, b]) => Math.abs(a + b) / 2), 0.1);
    slopes.forEach(([left, right], i) => {
      entries++;
      if (Math.abs(left - right) > 0.1 * scale) kinks++;
      const [middle, slack] = [(left + right) / 2, Math.abs(left - right) / 2];
      assert.ok(Math.abs(middle - actual[i]) <= slack + 0.01 * scale + 2e-3, `by ${x}[${i}]: ${actual[i]}, by differences ${middle}`);
    });
  }
  assert.ok(kinks <= 0.1 * entries, `${kinks} of ${entries} entries at kinks`);
};

// Cast to a whole number jumps; its gradient, none, is that of rules.test.ts.
for (const one of oldCases.filter((c) => c.op !== 'Cast')) {
  test(`${titleOf(one)}: its gradient`, () => agrees(built(one), { x: wave(one.dims) }, ['x']));
}

/** A small network in the forms of its time. Weights are inputs, so that differences can move them. */
const networkOf = (opset: number): { readonly file: Model; readonly feeds: Feeds; readonly by: readonly string[] } => {
  const weights: Record<string, Tensor> = {
    kernel: wave([4, 2, 3, 3], 0.3),
    scale: { dtype: 'float32', dims: [4], data: Float32Array.of(0.8, 1.1, 0.9, 1.3) },
    bias: wave([4], 0.2),
    dense: wave([4, 3], 0.5),
  };
  const constants: Record<string, Constant> = {
    mean: floatConstant([4], 0.1),
    spread: constantOf('float32', [4], [1, 0.5, 2, 1.5]),
    ratio: constantOf('float32', [], [0.5]),
    one: intConstant(1),
    big: intConstant(2 ** 31),
    two: intConstant(2),
    pads: intConstant(0, 0, 1, 0, 0, 0, 0, 1),
    sides: intConstant(2, 3),
    scales: constantOf('float32', [4], [1, 1, 2, 2]),
    none: constantOf('float32', [0], []),
    low: constantOf('float32', [], [-1.5]),
    high: constantOf('float32', [], [1.5]),
    k: intConstant(2),
    parts: intConstant(1, 3),
  };
  const attribute = <T>(until: number, old: T, now: T): T => (opset < until ? old : now);
  const nodes: Node[] = [
    attribute(
      11,
      node('Pad', ['x'], ['padded'], { pads: ints(0, 0, 1, 0, 0, 0, 0, 1), mode: text('reflect') }),
      node('Pad', ['x', 'pads'], ['padded'], { mode: text('reflect') }),
    ),
    node('Conv', ['padded', 'kernel'], ['c'], { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) }),
    attribute(
      9,
      node('BatchNormalization', ['c', 'scale', 'bias', 'mean', 'spread'], ['b'], { spatial: int(1), epsilon: float(1e-3) }),
      node('BatchNormalization', ['c', 'scale', 'bias', 'mean', 'spread'], ['b'], { epsilon: float(1e-3) }),
    ),
    attribute(11, node('Clip', ['b'], ['clipped'], { min: float(-1.5), max: float(1.5) }), node('Clip', ['b', 'low', 'high'], ['clipped'])),
    opset < 9
      ? node('Upsample', ['clipped'], ['wide'], { scales: floats(1, 1, 2, 2) })
      : opset < 10
        ? node('Upsample', ['clipped', 'scales'], ['wide'], { mode: text('linear') })
        : opset < 11
          ? node('Resize', ['clipped', 'scales'], ['wide'], { mode: text('linear') })
          : opset < 13
            ? node('Resize', ['clipped', 'none', 'scales'], ['wide'], { mode: text('linear') })
            : node('Resize', ['clipped', '', 'scales'], ['wide'], { mode: text('linear') }),
    node('MaxPool', ['wide'], ['pooled'], { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
    attribute(
      10,
      node('Slice', ['pooled'], ['cut'], { starts: ints(1), ends: ints(2 ** 31), axes: ints(2) }),
      node('Slice', ['pooled', 'one', 'big', 'two'], ['cut']),
    ),
    attribute(
      18,
      node('ReduceMean', ['cut'], ['mean/space'], { axes: ints(2, 3), keepdims: int(0) }),
      node('ReduceMean', ['cut', 'sides'], ['mean/space'], { keepdims: int(0) }),
    ),
    attribute(
      12,
      node('Dropout', ['mean/space'], ['dropped'], opset < 12 ? { ratio: float(0.5) } : {}),
      node('Dropout', ['mean/space', 'ratio'], ['dropped']),
    ),
    attribute(
      13,
      node('Split', ['dropped'], ['left', 'right'], { axis: int(1), split: ints(1, 3) }),
      node('Split', ['dropped', 'parts'], ['left', 'right'], { axis: int(1) }),
    ),
    node('Concat', ['right', 'left'], ['joined'], { axis: int(1) }),
    node('MatMul', ['joined', 'dense'], ['scores']),
    attribute(13, node('Unsqueeze', ['scores'], ['u'], { axes: ints(2) }), node('Unsqueeze', ['scores', 'two'], ['u'])),
    // Over both last axes of the matrix before version 13, over the last alone after it: the same where that has one entry.
    attribute(13, node('Softmax', ['u'], ['y'], { axis: int(1) }), node('Softmax', ['u'], ['y'], { axis: int(1) })),
  ];
  const used = new Set(nodes.flatMap((n) => n.inputs));
  const held = Object.fromEntries(Object.entries(constants).filter(([name]) => used.has(name)));
  const inputs = Object.entries(weights).map(([name, w]) => value(name, w.dims));
  const file = model(graph([value('x', [2, 2, 4, 4]), ...inputs], nodes, ['y'], held), opset);
  return { file, feeds: { ...weights, x: wave([2, 2, 4, 4]) }, by: ['x', ...Object.keys(weights)] };
};

for (const opset of [7, 9, 10, 11, 12, 13, 17, 21]) {
  test(`a network of operator set ${opset}: gradients by its input and its weights`, async () => {
    const { file, feeds, by } = networkOf(opset);
    await agrees(file, feeds, by);
  });
}

test('an attention layer of operator set 11, in squeezed and reshaped pieces', async () => {
  const feeds = { x: wave([2, 3, 4]), w: wave([4, 12], 0.5) };
  const nodes = [
    node('MatMul', ['x', 'w'], ['qkv']),
    node('Split', ['qkv'], ['q', 'k', 'v'], { axis: int(2), split: ints(4, 4, 4) }),
    node('Transpose', ['k'], ['kt'], { perm: ints(0, 2, 1) }),
    node('MatMul', ['q', 'kt'], ['s']),
    node('Softmax', ['s'], ['a'], { axis: int(2) }),
    node('MatMul', ['a', 'v'], ['o']),
    node('Shape', ['x'], ['shape']),
    node('Gather', ['shape', 'zero'], ['n']),
    node('Unsqueeze', ['n'], ['n1'], { axes: ints(0) }),
    node('Concat', ['n1', 'rest'], ['target'], { axis: int(0) }),
    node('Reshape', ['o', 'target'], ['flat']),
    node('ReduceL2', ['flat'], ['norm'], { axes: ints(1), keepdims: int(1) }),
    node('Div', ['flat', 'norm'], ['unit']),
    node('Squeeze', ['norm'], ['length'], { axes: ints(1) }),
    node('Unsqueeze', ['length'], ['column'], { axes: ints(1) }),
    node('Mul', ['unit', 'column'], ['y']),
  ];
  const constants = { zero: constantOf('int64', [], [0]), rest: intConstant(12) };
  await agrees(model(graph([value('x', [2, 3, 4]), value('w', [4, 12])], nodes, ['y'], constants), 11), feeds, ['x', 'w']);
});

const def = (f: Partial<FunctionDef> & Pick<FunctionDef, 'name' | 'inputs' | 'outputs' | 'nodes'>, opset: number): FunctionDef => ({
  domain: 'my',
  attributes: [],
  defaults: {},
  opsets: new Map([
    ['', opset],
    ['my', 1],
  ]),
  ...f,
});

test('functions of the model, one inside another, with attributes and a branch: gradients through all', async () => {
  const swish = def(
    {
      name: 'Swish',
      inputs: ['a'],
      outputs: ['b'],
      defaults: { alpha: float(0.25) },
      nodes: [
        node('Constant', [], ['k'], { value_float: reference('alpha') }),
        node('Mul', ['a', 'k'], ['t']),
        node('Sigmoid', ['t'], ['s']),
        node('Mul', ['a', 's'], ['b']),
      ],
    },
    17,
  );
  // Of an older operator set than the file: its Unsqueeze has attributes.
  const layer = def(
    {
      name: 'Layer',
      inputs: ['x', 'w'],
      outputs: ['y', 'positive'],
      attributes: ['steepness'],
      nodes: [
        node('MatMul', ['x', 'w'], ['h']),
        node('Swish', ['h'], ['u'], { alpha: reference('steepness') }, 'my'),
        node('ReduceMax', ['u'], ['most'], { keepdims: int(0) }),
        node('Constant', [], ['zero'], { value_float: float(0) }),
        node('Greater', ['most', 'zero'], ['positive']),
        node('If', ['positive'], ['y'], {
          then_branch: body(graph([], [node('Tanh', ['u'], ['then'])], ['then'])),
          else_branch: body(graph([], [node('Swish', ['u'], ['else'], {}, 'my')], ['else'])),
        }),
      ],
    },
    12,
  );
  const nodes = [
    node('Layer', ['x', 'w'], ['h', 'p'], { steepness: float(1.5) }, 'my'),
    node('Neg', ['h'], ['n']),
    node('Layer', ['n', 'v'], ['y', ''], { steepness: float(0.5) }, 'my'),
  ];
  const inputs = [value('x', [2, 3]), value('w', [3, 4]), value('v', [4, 2])];
  const file = model(graph(inputs, nodes, ['y']), 17, [swish, layer], ['my']);
  await agrees(file, { x: wave([2, 3]), w: wave([3, 4]), v: wave([4, 2], 0.7) }, ['x', 'w', 'v']);
});
