import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type GradientAsk, gradientGraph } from '../../src/autodiff/gradient-graph.ts';
import { Fault } from '../../src/base/fault.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { type Feeds, numbers, open, probed, run } from './ort.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const fixture = (name: string): Model => normalise(parse(readFileSync(at(`fixtures/models/${name}.onnx`)), name));
const golden = (name: string): Record<string, Tensor> => readNpz(readFileSync(at(`golden/autodiff/${name}.npz`)));

const build = async (name: string, ask: GradientAsk): Promise<Model> => {
  const model = fixture(name);
  return mustVerify(gradientGraph(model, await probed(model), ask).model);
};
const near = (a: Tensor | undefined, b: readonly number[], tolerance: number): void => {
  assert.ok(a);
  const got = numbers(a);
  assert.equal(got.length, b.length);
  const scale = Math.max(...b.map(Math.abs), 1e-12);
  const off = Math.max(...got.map((v, i) => Math.abs(v - b[i])));
  assert.ok(off <= tolerance * scale, `off by ${off} of ${scale}`);
};
const digits = golden('mlp_digits');
const feeds: Feeds = { x: digits.x, target: digits.y };
const names = (model: Model): { inputs: string[]; outputs: string[] } => ({
  inputs: model.graph.inputs.map((i) => i.name),
  outputs: model.graph.outputs.map((o) => o.name),
});

test('inputs: loss, target and grad/x stand beside the original outputs, and the formula is in the metadata', async () => {
  const model = await build('mlp_digits', { of: 'cross-entropy', wrt: ['inputs'] });
  assert.deepEqual(names(model), { inputs: ['x', 'target'], outputs: ['logits', 'loss', 'grad/x'] });
  assert.match(model.metadata.get('assay.loss') ?? '', /mean over the batch of -log softmax\(z\)\[target\], z from 'logits'/);
  const out = await run(model, feeds);
  near(out['grad/x'], numbers(digits.grad_input), 1e-4);
  assert.deepEqual(out['grad/x'].dims, digits.x.dims);
});

test('parameters: every learned array, none of the running statistics', async () => {
  const model = await build('lenet_mnist.raw', { of: 'cross-entropy', wrt: ['parameters'] });
  const lenet = golden('lenet_mnist');
  const expected = Object.keys(lenet).flatMap((k) => (k.startsWith('raw/grad/') ? [k.slice(4)] : []));
  assert.deepEqual(names(model).outputs.toSorted(), ['logits', 'loss', ...expected].toSorted());
  const out = await run(model, { x: lenet.x, target: lenet.y });
  near(out['grad/fc2.weight'], numbers(lenet['raw/grad/fc2.weight']), 1e-4);
});

test('hvp: vec/x in, hvp/x out', async () => {
  const parameters = Object.keys(digits).flatMap((k) => (k.startsWith('grad/') ? [k.slice(5)] : []));
  const model = await build('mlp_digits', { of: 'cross-entropy', wrt: parameters, product: 'hvp' });
  const vectors = Object.fromEntries(
    parameters.map((p, k) => {
      const { dims } = digits[`grad/${p}`];
      return [
        `vec/${p}`,
        float32(
          dims,
          Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, (_, i) => Math.cos(i + k)),
        ),
      ];
    }),
  );
  const out = await run(model, { ...feeds, ...vectors });
  for (const p of parameters) near(out[`hvp/${p}`], numbers(digits[`hvp/${p}`]), 1e-4);
});

// Softmax regression has no curvature but the loss's, so Gauss–Newton and Hessian agree exactly there.
for (const product of ['ggn', 'fisher'] as const) {
  test(`${product} equals the Hessian of a model that is linear in its parameters`, async () => {
    const soft = golden('softmax_digits');
    const parameters = Object.keys(soft).flatMap((k) => (k.startsWith('grad/') ? [k.slice(5)] : []));
    const model = await build('softmax_digits', { of: 'cross-entropy', wrt: parameters, product });
    const vectors = Object.fromEntries(
      parameters.map((p, k) => {
        const { dims } = soft[`grad/${p}`];
        return [
          `vec/${p}`,
          float32(
            dims,
            Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, (_, i) => Math.cos(i + k)),
          ),
        ];
      }),
    );
    const out = await run(model, { x: soft.x, target: soft.y, ...vectors });
    for (const p of parameters) near(out[`${product}/${p}`], numbers(soft[`hvp/${p}`]), 1e-4);
  });
}

test('per-example gradients average to the gradient of the mean loss; their norms are norm/example', async () => {
  const weight =
    Object.keys(digits)
      .find((k) => k.startsWith('grad/'))
      ?.slice(5) ?? '';
  const each = await run(await build('mlp_digits', { of: 'cross-entropy', wrt: [weight], perExample: 'gradients' }), feeds);
  const all = each[`grad/example/${weight}`];
  const [n, ...dims] = all.dims;
  assert.deepEqual([n, ...dims], [8, ...digits[`grad/${weight}`].dims]);
  const size = dims.reduce((a, b) => a * b, 1);
  const rows = numbers(all);
  near(
    float32(
      dims,
      Float32Array.from({ length: size }, (_, i) => Array.from({ length: n }, (_, r) => rows[r * size + i]).reduce((a, b) => a + b) / n),
    ),
    numbers(digits[`grad/${weight}`]),
    1e-4,
  );
  const norms = await run(await build('mlp_digits', { of: 'cross-entropy', wrt: [weight], perExample: 'norms' }), feeds);
  near(
    norms['norm/example'],
    Array.from({ length: n }, (_, r) => Math.hypot(...rows.slice(r * size, (r + 1) * size))),
    1e-5,
  );
});

test('the Jacobian of softmax regression is its weight matrix, for every row', async () => {
  const model = fixture('softmax_digits');
  const out = await run(await build('softmax_digits', { of: 'logits', wrt: ['inputs'], jacobian: true }), { x: digits.x });
  assert.deepEqual(out['jac/x'].dims, [8, 10, 1, 8, 8]);
  const weight = [...model.graph.initializers.values()].find((c) => c.dims.length === 2);
  const w = new Float32Array((weight?.bytes ?? new Uint8Array()).slice().buffer);
  near(float32([10, 64], Float32Array.from(out['jac/x'].data as Float32Array).slice(0, 640)), [...w], 1e-6);
});

test('sum needs no target; a value by name is summed as well', async () => {
  const x = { x: digits.x };
  const sum = await run(await build('mlp_digits', { of: 'sum', wrt: ['inputs'] }), x);
  const named = await run(await build('mlp_digits', { of: 'logits', wrt: ['x'] }), x);
  assert.deepEqual(numbers(sum['grad/x']), numbers(named['grad/x']));
});

const scores = (op: 'Softmax' | 'LogSoftmax' | 'Sigmoid', classes: number): Model => {
  const emit = emitter({ types: new Map([['x', { kind: 'tensor', dtype: 'float32', dims: ['N', classes] }]]) });
  const y = emit.rename(emit.call(op, [emit.Mul('x', emit.scalar(2))]), 'y');
  const graph = emit.graph(
    'scores',
    [{ name: 'x', type: { kind: 'tensor', dtype: 'float32', dims: ['N', classes] } }],
    [{ name: y, type: { kind: 'tensor', dtype: 'float32', dims: ['N', classes] } }],
  );
  return {
    irVersion: 10,
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

// d/dx of −log softmax(2x)[t], averaged over two rows: 2(p − 1_t)/2.
for (const op of ['Softmax', 'LogSoftmax'] as const) {
  test(`cross-entropy of an output made by ${op} starts from what is in front of it`, async () => {
    const model = scores(op, 3);
    const built = gradientGraph(model, await probed(model), { of: 'cross-entropy', wrt: ['inputs'] });
    const x = [0.5, -1, 0.25, 100, 0, -100];
    const out = await run(built.model, { x: float32([2, 3], x), target: int64([2], [2, 1]) });
    const e = x.slice(0, 3).map((v) => Math.exp(2 * v));
    const p = e.map((v) => v / (e[0] + e[1] + e[2]));
    // In the second row softmax is exactly (1, 0, 0) in float32: through probabilities the gradient would be lost.
    near(out['grad/x'], [p[0], p[1], p[2] - 1, 1, -1, 0], 1e-6);
    assert.match(built.model.metadata.get('assay.loss') ?? '', new RegExp(`the input of ${op}`));
  });
}

test('a single sigmoid logit takes the binary form, which the metadata states', async () => {
  const model = scores('Sigmoid', 1);
  const built = gradientGraph(model, await probed(model), { of: 'cross-entropy', wrt: ['inputs'] });
  const x = [0.3, -200];
  const out = await run(built.model, { x: float32([2, 1], x), target: int64([2], [1, 1]) });
  near(out['grad/x'], [1 / (1 + Math.exp(-0.6)) - 1, -1], 1e-6);
  assert.ok(Math.abs(numbers(out.loss)[0] - (Math.log1p(Math.exp(-0.6)) + 400) / 2) < 1e-4);
  assert.match(built.model.metadata.get('assay.loss') ?? '', /^binary cross-entropy/);
});

test('a loss given as a graph reads the model by value names and adds its other inputs', async () => {
  const model = fixture('mlp_digits');
  const tensor = (dims: readonly (number | string)[]) => ({ kind: 'tensor' as const, dtype: 'float32' as const, dims });
  const emit = emitter({
    types: new Map([
      ['logits', tensor(['N', 10])],
      ['wanted', tensor(['N', 10])],
    ]),
  });
  const half = emit.hold('half', constantOf('float32', [], [0.5]));
  const d = emit.Sub('logits', 'wanted');
  const loss = emit.rename(emit.Mul(half, emit.ReduceSum(emit.Mul(d, d), { keepdims: 0 })), 'value');
  const graph = emit.graph(
    'half squares',
    [
      { name: 'logits', type: tensor(['N', 10]) },
      { name: 'wanted', type: tensor(['N', 10]) },
    ],
    [{ name: loss, type: tensor([]) }],
  );
  const lossModel: Model = { ...model, graph };
  const built = gradientGraph(model, await probed(model), {
    of: '',
    wrt: ['logits'],
    loss: { model: lossModel, known: await probed(lossModel) },
  });
  const out = await run(mustVerify(built.model), { x: digits.x, wanted: float32([8, 10], new Float32Array(80).fill(0.25)) });
  near(
    out['grad/logits'],
    numbers(out.logits).map((v) => v - 0.25),
    1e-6,
  );
});

const refused = (code: string, ask: GradientAsk, words: RegExp, name = 'mlp_digits'): Promise<void> =>
  assert.rejects(build(name, ask), (e) => e instanceof Fault && e.code === code && words.test(e.message));
test('what cannot be differentiated is named', async () => {
  await refused('id/unknown', { of: 'logit', wrt: ['inputs'] }, /Did you mean 'logits'/);
  await refused('id/unknown', { of: 'sum', wrt: ['y'] }, /Unknown value 'y'/);
  await refused('grad/inputs', { of: 'cross-entropy', wrt: ['inputs'] }, /'ids' \(int64\)/, 'text_sms');
  await refused('grad/twice', { of: 'sum', wrt: ['x', 'x'] }, /names 'x' twice/);
  const model = fixture('mlp_digits');
  await refused('id/unknown', { of: 'cross-entropy', wrt: ['nothing*'] }, /Known: x, /);
  const itself = { model, known: await probed(model) };
  await refused(
    'grad/loss',
    { of: '', wrt: ['x'], loss: itself },
    /its inputs are 'x', none of which the model computes; .* such as 'logits'/,
  );
  await refused('grad/product', { of: 'sum', wrt: ['inputs'], product: 'ggn' }, /curvature of its own/);
});

// Independent of both ways inside: one run of the parameter gradient for each row.
for (const name of ['softmax_digits', 'lenet_mnist.raw', 'resnet8_cifar10', 'vit_digits', 'text_sms']) {
  test(`${name}: norms of per-example gradients come from one backward pass and agree with rows run alone`, async () => {
    const data = golden(name.split('.')[0]);
    const input = fixture(name).graph.inputs[0].name;
    const norms = await build(name, { of: 'cross-entropy', wrt: ['parameters'], perExample: 'norms' });
    assert.ok(!norms.graph.nodes.some((n) => n.op === 'Loop'));
    const all = numbers((await run(norms, { [input]: data.x, target: data.y }))['norm/example']);
    const single = await build(name, { of: 'cross-entropy', wrt: ['parameters'] });
    const runs = await open(write(single));
    const size = data.x.data.length / data.x.dims[0];
    for (const row of [0, 3, 7]) {
      const x = { ...data.x, dims: [1, ...data.x.dims.slice(1)], data: data.x.data.slice(row * size, (row + 1) * size) } as Tensor;
      const out = await runs({ [input]: x, target: int64([1], [numbers(data.y)[row]]) });
      const squares = Object.keys(out).flatMap((k) => (k.startsWith('grad/') ? numbers(out[k]) : []));
      const expected = Math.hypot(...squares);
      assert.ok(Math.abs(all[row] - expected) <= 1e-4 * expected + 1e-6, `row ${row}: ${all[row]} for ${expected}`);
    }
  });
}

test('full per-example gradients of a convolution and an embedding come from one backward pass', async () => {
  for (const [name, parameter] of [
    ['lenet_mnist.raw', 'conv2.weight'],
    ['text_sms', ''],
  ] as const) {
    const data = golden(name.split('.')[0]);
    const model = fixture(name);
    const wanted = parameter || model.graph.nodes.find((n) => n.op === 'Gather')?.inputs[0] || '';
    const each = await build(name, { of: 'cross-entropy', wrt: [wanted], perExample: 'gradients' });
    assert.ok(!each.graph.nodes.some((n) => n.op === 'Loop'));
    const input = model.graph.inputs[0].name;
    const out = (await run(each, { [input]: data.x, target: data.y }))[`grad/example/${wanted}`];
    const [n, ...dims] = out.dims;
    const size = dims.reduce((a, b) => a * b, 1);
    const rows = numbers(out);
    const mean = Array.from(
      { length: size },
      (_, i) => Array.from({ length: n }, (_, r) => rows[r * size + i]).reduce((a, b) => a + b) / n,
    );
    const prefix = name.endsWith('.raw') ? 'raw/' : '';
    near(float32(dims, Float32Array.from(mean)), numbers(data[`${prefix}grad/${wanted}`]), 1e-4);
  }
});

test('parameters behind DequantizeLinear, Transpose and Cast are found, quantised ones as the numbers they stand for', async () => {
  const dequantise = chain(
    [4, 3],
    Array.from({ length: 12 }, (_, i) => ((i * 7) % 19) - 9),
  );
  const asked = { of: 'cross-entropy', wrt: ['parameters'] };
  const { model, wrt, notes } = gradientGraph(dequantise, await probed(dequantise), asked);
  assert.deepEqual(wrt, ['p', 'wd']);
  assert.match(notes.join('\n'), /Quantised parameters are differentiated as the numbers they stand for: 'wd'/);
  const rows = float32([2, 3], Float32Array.of(0.3, -0.7, 0.2, 0.9, 0.1, -0.4));
  const target = int64([2], [1, 3]);
  const out = await run(mustVerify(model), { x: rows, target });
  assert.deepEqual(out['grad/wd'].dims, [4, 3]);
  // By hand: (softmax − one-hot)ᵀ·x / rows.
  const logits = numbers(out.y);
  const expected = new Array<number>(12).fill(0);
  for (let n = 0; n < 2; n++) {
    const row = logits.slice(4 * n, 4 * n + 4).map(Math.exp);
    const total = row.reduce((a, b) => a + b);
    row.forEach((e, c) => {
      for (let i = 0; i < 3; i++) expected[3 * c + i] += ((e / total - (c === numbers(target)[n] ? 1 : 0)) * numbers(rows)[3 * n + i]) / 2;
    });
  }
  near(out['grad/wd'], expected, 1e-5);
});

/** y = x·Transpose(DequantizeLinear(w)) + Cast(p). */
const chain = (dims: readonly number[], values: readonly number[]): Model => {
  const emit = emitter({ types: new Map([['x', { kind: 'tensor', dtype: 'float32', dims: ['N', 3] }]]) });
  emit.hold('w', constantOf('int8', dims, values));
  emit.hold('p', constantOf('float64', [4], [0.1, -0.2, 0.3, 0]));
  const scale = emit.scalar(0.1);
  emit.node({ op: 'DequantizeLinear', domain: '', name: 'd', inputs: ['w', scale], outputs: ['wd'], attributes: {} });
  emit.rename(emit.Add(emit.MatMul('x', emit.Transpose('wd', { perm: [1, 0] })), emit.Cast('p', { to: 1 })), 'y');
  const value = (name: string, size: number) => ({ name, type: { kind: 'tensor' as const, dtype: 'float32' as const, dims: ['N', size] } });
  const graph = emit.graph('chain', [value('x', 3)], [value('y', 4)]);
  return normalise({
    irVersion: 8,
    opsets: new Map([['', 21]]),
    producer: '',
    producerVersion: '',
    domain: '',
    version: 0,
    metadata: new Map(),
    graph,
    functions: [],
  });
};
