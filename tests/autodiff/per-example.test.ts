import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradientGraph } from '../../src/autodiff/gradient-graph.ts';
import { int64, type Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { type Emit, emitter, float } from '../../src/graph/emit.ts';
import type { Dim, Model, TensorType } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { wave } from '../graph/build.ts';
import { numbers, probed, run } from './ort.ts';

/** A layer whose parameters are named p…; what it makes of x has rows in front and is summed to logits. */
interface Layer {
  readonly name: string;
  /** Sizes of x behind the rows. */
  readonly x: readonly number[];
  readonly parameters: Readonly<Record<string, readonly number[]>>;
  readonly build: (emit: Emit) => string;
}
const rows = 4;
const ids = (emit: Emit): string => emit.Cast(emit.call('Floor', [emit.Mul(emit.Abs('x'), emit.scalar(2))]), { to: 7 });
const layers: readonly Layer[] = [
  { name: 'Gemm', x: [3], parameters: { p: [3, 5], pb: [5] }, build: (e) => e.Gemm('x', 'p', 'pb') },
  {
    name: 'Gemm, factors, transposed, a row',
    x: [3],
    parameters: { p: [5, 3], pb: [1, 5] },
    build: (e) => e.Gemm('x', 'p', 'pb', { transB: 1, alpha: float(0.5), beta: float(2) }),
  },
  { name: 'Gemm, one number added', x: [3], parameters: { p: [3, 5], pb: [1] }, build: (e) => e.Gemm('x', 'p', 'pb') },
  { name: 'MatMul', x: [3], parameters: { p: [3, 5] }, build: (e) => e.MatMul('x', 'p') },
  {
    name: 'MatMul of sequences, few and many steps',
    x: [2, 7],
    parameters: { p: [7, 6], q: [6, 2] },
    build: (e) => e.MatMul(e.MatMul('x', 'p'), 'q'),
  },
  { name: 'MatMul from the left', x: [3, 2], parameters: { p: [4, 3] }, build: (e) => e.MatMul('p', 'x') },
  {
    name: 'rows and steps folded into one axis',
    x: [3, 4],
    parameters: { p: [4, 5], pb: [5] },
    build: (e) => e.Reshape(e.Gemm(e.Reshape('x', e.ints([-1, 4])), 'p', 'pb'), e.ints([-1, 15])),
  },
  {
    name: 'steps in front of rows',
    x: [3, 4],
    parameters: { p: [4, 5] },
    build: (e) => e.Transpose(e.MatMul(e.Transpose('x', { perm: [1, 0, 2] }), 'p'), { perm: [1, 0, 2] }),
  },
  {
    name: 'Add and Mul of channels',
    x: [3, 2, 2],
    parameters: { p: [3, 1, 1], q: [1, 3, 1, 1] },
    build: (e) => e.Mul(e.Add('x', 'p'), 'q'),
  },
  {
    name: 'Sub and Div of the last axis, from both sides',
    x: [2, 3],
    parameters: { p: [3], q: [3], r: [1] },
    build: (e) => e.Div(e.Sub('p', 'x'), e.Add(e.Mul('q', 'q'), e.Add(e.Exp('x'), 'r'))),
  },
  { name: 'Div by x', x: [3], parameters: { p: [3] }, build: (e) => e.Div('p', e.Add(e.Abs('x'), e.scalar(1))) },
  { name: 'one parameter read twice', x: [3], parameters: { p: [3, 3] }, build: (e) => e.MatMul(e.Tanh(e.MatMul('x', 'p')), 'p') },
  {
    name: 'a parameter behind a Transpose',
    x: [3],
    parameters: { p: [5, 3] },
    build: (e) => e.MatMul('x', e.Transpose('p', { perm: [1, 0] })),
  },
  { name: 'a parameter that is computed with', x: [3], parameters: { p: [3, 5] }, build: (e) => e.MatMul('x', e.Mul('p', 'p')) },
  { name: 'Expand', x: [3], parameters: { p: [1, 3] }, build: (e) => e.Mul('x', e.Expand('p', e.Shape('x'))) },
  { name: 'Conv', x: [2, 4, 4], parameters: { p: [3, 2, 3, 3], pb: [3] }, build: (e) => e.Conv('x', 'p', 'pb', { pads: [1, 1, 1, 1] }) },
  {
    name: 'Conv, groups and strides',
    x: [4, 5, 5],
    parameters: { p: [4, 2, 3, 3], pb: [4] },
    build: (e) => e.Conv('x', 'p', 'pb', { group: 2, strides: [2, 2] }),
  },
  {
    name: 'Conv, depthwise in 1-D',
    x: [3, 6],
    parameters: { p: [3, 1, 2] },
    build: (e) => e.Conv('x', 'p', '', { group: 3, dilations: [2] }),
  },
  { name: 'ConvTranspose', x: [2, 3, 3], parameters: { p: [2, 3, 2, 2], pb: [3] }, build: (e) => e.ConvTranspose('x', 'p', 'pb') },
  {
    name: 'BatchNormalization',
    x: [3, 2],
    parameters: { p: [3], pb: [3] },
    build: (e) => e.call('BatchNormalization', ['x', 'p', 'pb', 'mean', 'variance']),
  },
  { name: 'LayerNormalization', x: [2, 3], parameters: { p: [3], pb: [3] }, build: (e) => e.call('LayerNormalization', ['x', 'p', 'pb']) },
  {
    name: 'LayerNormalization over two axes',
    x: [2, 3],
    parameters: { p: [2, 3], pb: [2, 3] },
    build: (e) => e.call('LayerNormalization', ['x', 'p', 'pb'], { axis: 1 }),
  },
  {
    name: 'InstanceNormalization',
    x: [3, 4],
    parameters: { p: [3], pb: [3] },
    build: (e) => e.call('InstanceNormalization', ['x', 'p', 'pb']),
  },
  { name: 'an embedding that reads rows twice', x: [4], parameters: { p: [3, 2] }, build: (e) => e.Gather('p', ids(e), { axis: 0 }) },
  { name: 'PRelu', x: [3, 2], parameters: { p: [3, 1] }, build: (e) => e.call('PRelu', ['x', 'p']) },
  {
    name: 'GRU',
    x: [3, 2],
    parameters: { p: [1, 9, 2], q: [1, 9, 3] },
    build: (e) =>
      e.Transpose(e.calls('GRU', [e.Transpose('x', { perm: [1, 0, 2] }), 'p', 'q'], [true], { hidden_size: 3 })[0], { perm: [2, 0, 1, 3] }),
  },
];

const modelOf = ({ x, parameters, build }: Layer): Model => {
  const type: TensorType = { kind: 'tensor', dtype: 'float32', dims: ['N', ...x] as readonly Dim[] };
  const emit = emitter({ types: new Map([['x', type]]), taken: ['y'] });
  Object.entries(parameters).forEach(([name, dims], i) => {
    const { data } = wave(dims, 0.7 + 0.1 * i);
    emit.hold(name, constantOf('float32', dims, data as Float32Array));
  });
  emit.hold('mean', constantOf('float32', [3], [0.1, -0.2, 0.3]));
  emit.hold('variance', constantOf('float32', [3], [0.5, 1, 2]));
  const wide = emit.Reshape(build(emit), emit.ints([0, -1, 1]));
  // Three logits that no part of the row enters alike.
  const weights = emit.constant(constantOf('float32', [1, 1, 3], [0.3, -0.5, 0.9]));
  emit.rename(emit.ReduceSum(emit.Sin(emit.Mul(wide, weights)), emit.ints([1]), { keepdims: 0 }), 'y');
  const graph = emit.graph('layer', [{ name: 'x', type }], [{ name: 'y', type: { ...type, dims: ['N', 3] } }]);
  return {
    irVersion: 8,
    opsets: new Map([['', 21]]),
    producer: '',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    graph,
    functions: [],
  };
};
const rowOf = (t: Tensor, row: number): Tensor => {
  const width = t.data.length / t.dims[0];
  return { ...t, dims: [1, ...t.dims.slice(1)], data: t.data.slice(row * width, (row + 1) * width) } as Tensor;
};

for (const layer of layers) {
  test(`${layer.name}: norms and gradients of examples are those of rows run alone`, async () => {
    const model = modelOf(layer);
    const known = await probed(model);
    const wrt = Object.keys(layer.parameters);
    const made = (perExample?: 'norms' | 'gradients'): Model =>
      mustVerify(gradientGraph(model, known, { of: 'cross-entropy', wrt, ...(perExample ? { perExample } : {}) }).model);
    const feeds = { x: wave([rows, ...layer.x]), target: int64([rows], [0, 2, 1, 2]) };
    const norms = numbers((await run(made('norms'), feeds))['norm/example']);
    const each = await run(made('gradients'), feeds);
    assert.equal(norms.length, rows);
    for (let r = 0; r < rows; r++) {
      const alone = await run(made(), { x: rowOf(feeds.x, r), target: rowOf(feeds.target, r) });
      const found = wrt.map((p) => numbers(alone[`grad/${p}`]));
      // float32 sums of some ten terms in another order, against the largest entry of all.
      const scale = Math.max(...found.flat().map(Math.abs));
      const expected = Math.hypot(...found.flat());
      assert.ok(Math.abs(norms[r] - expected) <= 1e-5 * expected + 1e-6, `row ${r}: ${norms[r]} for ${expected}`);
      wrt.forEach((p, i) => {
        const own = each[`grad/example/${p}`];
        assert.deepEqual(own.dims, [rows, ...layer.parameters[p]], p);
        numbers(rowOf(own, r)).forEach((v, k) => void assert.ok(Math.abs(v - found[i][k]) <= 1e-5 * scale + 1e-7, `${p}[${k}], row ${r}`));
      });
    }
  });
}
