import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inputGradient } from '../../src/autodiff/path-gradient.ts';
import { gradients, reachable } from '../../src/autodiff/reverse.ts';
import { Fault } from '../../src/base/fault.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { type Emit, emitter, type Given } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Model, TensorType } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { numbers, probed, run } from './ort.ts';

const tensor = (dims: readonly (number | string)[]): TensorType => ({ kind: 'tensor', dtype: 'float32', dims });
const modelOf = (emit: Emit, inputs: Readonly<Record<string, TensorType>>, outputs: readonly string[]): Model => ({
  irVersion: 10,
  opsets: new Map([['', 21]]),
  producer: '',
  producerVersion: '',
  domain: '',
  version: 0,
  metadata: new Map(),
  graph: emit.graph(
    'test',
    Object.entries(inputs).map(([name, type]) => ({ name, type })),
    outputs.map((name) => ({ name, type: emit.type(name) ?? tensor([]) })),
  ),
  functions: [],
});

/** Gradient of Σ op(x) at the given numbers. */
const slope = async (
  op: string,
  x: readonly number[],
  dims: readonly number[],
  more: (emit: Emit) => readonly string[] = () => [],
  attributes: Readonly<Record<string, Given>> = {},
): Promise<number[]> => {
  const emit = emitter({ types: new Map([['x', tensor(dims)]]) });
  const y = emit.call(op, ['x', ...more(emit)], attributes);
  const g = gradients(emit, emit.ReduceSum(y, { keepdims: 0 }), ['x']).get('x') ?? '';
  return numbers((await run(modelOf(emit, { x: tensor(dims) }, [g]), { x: float32(dims, x) }))[g]);
};

// What PyTorch does where a derivative does not exist (torch 1.13, checked by hand).
test('conventions at kinks', async () => {
  assert.deepEqual(await slope('Relu', [-1, 0, 1], [3]), [0, 0, 1]);
  assert.deepEqual(await slope('Abs', [-1, 0, 1], [3]), [-1, 0, 1]);
  assert.deepEqual(await slope('LeakyRelu', [0], [1], undefined, { alpha: { type: 'float', value: 0.5 } }), [0.5]);
  assert.deepEqual(await slope('Clip', [-2, -1, 0, 1, 2], [5], (e) => [e.scalar(-1), e.scalar(1)]), [0, 1, 1, 1, 0]);
  assert.deepEqual(await slope('HardSigmoid', [-3, 0, 3], [3], undefined, { alpha: { type: 'float', value: 1 / 6 } }), [
    0,
    Math.fround(1 / 6),
    0,
  ]);
  assert.deepEqual(await slope('Sqrt', [0], [1]), [Number.POSITIVE_INFINITY]);
  assert.deepEqual(await slope('ReduceL2', [0, 0], [2]), [0, 0]);
  assert.deepEqual(await slope('ReduceProd', [0, 2, 3], [3]), [6, 0, 0]);
  assert.deepEqual(await slope('ReduceProd', [0, 2, 0], [3]), [0, 0, 0]);
});
test('conventions at ties', async () => {
  assert.deepEqual(await slope('Max', [1, 2, 3], [3], (e) => [e.scalar(2)]), [0, 0.5, 1]);
  assert.deepEqual(
    await slope('ReduceMax', [3, 1, 3, 3], [4]),
    [1, 0, 1, 1].map((v) => Math.fround(v / 3)),
  );
  // Windows of a constant image: the first element in row-major order takes all.
  const pool = await slope('MaxPool', new Array(16).fill(1), [1, 1, 4, 4], undefined, { kernel_shape: [2, 2], strides: [2, 2] });
  assert.deepEqual(pool, [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
  const overlapping = await slope('MaxPool', new Array(9).fill(1), [1, 1, 3, 3], undefined, { kernel_shape: [2, 2] });
  assert.deepEqual(overlapping, [1, 1, 0, 1, 1, 0, 0, 0, 0]);
  assert.deepEqual(await slope('GlobalMaxPool', [1, 1, 1, 0], [1, 1, 2, 2]), [1, 0, 0, 0]);
});

test('a value read by several nodes gets the sum, and a wanted value in between its whole derivative', async () => {
  const emit = emitter({ types: new Map([['x', tensor([])]]) });
  const y = emit.Mul('x', 'x');
  const z = emit.Add(emit.Mul(y, 'x'), y); // x³ + x²
  const g = gradients(emit, z, ['x', y]);
  const out = await run(modelOf(emit, { x: tensor([]) }, [g.get('x') ?? '', g.get(y) ?? '']), { x: float32([], [3]) });
  assert.deepEqual(
    Object.values(out).map((t) => numbers(t)[0]),
    [33, 4],
  );
});

const fault = (work: () => unknown): Fault => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Fault);
    return error;
  }
  throw new assert.AssertionError({ message: 'no fault' });
};
test('a gradient that cannot flow names what stops it and what is reachable', () => {
  const emit = emitter({
    types: new Map([
      ['x', tensor([3])],
      ['w', tensor([3])],
    ]),
  });
  emit.node({ op: 'Round', domain: '', name: 'rounding', inputs: ['x'], outputs: ['r'], attributes: {} });
  const loss = emit.ReduceSum(emit.Mul('r', 'w'), { keepdims: 0 });
  const message = fault(() => gradients(emit, loss, ['x'])).message;
  assert.equal(
    message,
    "No gradient can flow to 'x': it is stopped at 'rounding' (Round: its output is constant between jumps). Reachable: w.",
  );
  assert.match(fault(() => gradients(emit, loss, ['nothing'])).message, /the loss, which does not depend on it/);
  assert.deepEqual([...gradients(emit, loss, ['x', 'w'], { missing: 'omit' }).keys()], ['w']);
  assert.ok(reachable(emit, loss).has('w') && !reachable(emit, loss).has('x'));
});
test('an operator not known is named where it is in the way, and harmless elsewhere', () => {
  const emit = emitter({
    types: new Map([
      ['x', tensor([3])],
      ['w', tensor([3])],
    ]),
  });
  emit.node({ op: 'Frobnicate', domain: 'com.example', name: 'odd', inputs: ['x'], outputs: ['o'], attributes: {} });
  const loss = emit.ReduceSum(emit.Mul('o', 'w'), { keepdims: 0 });
  assert.match(fault(() => gradients(emit, loss, ['x'])).message, /'odd' \(com\.example\.Frobnicate: an operator Assay does not know\)/);
  assert.ok(gradients(emit, loss, ['w']).get('w'));
});
test('a set of own rules takes the place of the table', async () => {
  const emit = emitter({ types: new Map([['x', tensor([3])]]) });
  const loss = emit.ReduceSum(emit.Relu(emit.Neg('x')), { keepdims: 0 });
  // Deconvolution: the gradient's own sign decides, not the input's.
  const g = gradients(emit, loss, ['x'], { rules: { Relu: { back: [(e, d) => e.Relu(d)] } } }).get('x') ?? '';
  assert.deepEqual(numbers((await run(modelOf(emit, { x: tensor([3]) }, [g]), { x: float32([3], [-1, 0, 1]) }))[g]), [-1, -1, -1]);
});

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
test('path gradients: weighted sums over the points of each row, from one backward pass', async () => {
  const model = normalise(parse(readFileSync(at('fixtures/models/mlp_digits.onnx')), 'mlp_digits'));
  const known = await probed(model);
  const made = inputGradient(model, known, { input: 'x', output: 'logits', square: true });
  assert.deepEqual([made.of, made.targets, made.rowDims], ['logits', 10, [1, 8, 8]]);
  const { x } = readNpz(readFileSync(at('golden/autodiff/mlp_digits.npz')));
  const file = mustVerify(made.model);
  const ask = (points: Tensor, target: readonly number[], weights: readonly number[]): Promise<Record<string, Tensor>> =>
    run(file, {
      [made.inputs.points]: points,
      [made.inputs.target]: int64([target.length], target),
      [made.inputs.weights]: float32([weights.length], weights),
    });
  const rows = numbers(x).slice(0, 4 * 64);
  const single = await ask(float32([4, 1, 8, 8], rows), [1, 1, 7, 7], [1]);
  const g = numbers(single[made.outputs.gradient]);
  assert.deepEqual(single[made.outputs.gradient].dims, [4, 64]);
  // Rows 0 and 1 as the two points of one path, rows 2 and 3 of another.
  const paths = await ask(float32([4, 1, 8, 8], rows), [1, 7], [0.25, 2]);
  // The same numbers summed in another order: a few float32 roundings apart.
  const close = (found: readonly number[], expected: readonly number[]): void => {
    const scale = Math.max(...expected.map(Math.abs));
    found.forEach((v, i) => {
      assert.ok(Math.abs(v - expected[i]) <= 1e-6 * scale, `${v} for ${expected[i]}`);
    });
  };
  close(
    numbers(paths[made.outputs.gradient]),
    [0, 1].flatMap((b) => Array.from({ length: 64 }, (_, i) => 0.25 * g[b * 128 + i] + 2 * g[b * 128 + 64 + i])),
  );
  close(
    numbers(paths[made.outputs.squared ?? '']),
    [0, 1].flatMap((b) => Array.from({ length: 64 }, (_, i) => 0.25 * g[b * 128 + i] ** 2 + 2 * g[b * 128 + 64 + i] ** 2)),
  );
  assert.deepEqual(paths[made.outputs.values].dims, [2, 2]);
  close(numbers(paths[made.outputs.values]), numbers(single[made.outputs.values]));
});
test('an embedding takes the place of token ids', async () => {
  const model = normalise(parse(readFileSync(at('fixtures/models/text_sms.onnx')), 'text_sms'));
  const golden = readNpz(readFileSync(at('golden/autodiff/text_sms.npz')));
  const [name] = golden.embedding_name.data as string[];
  const made = inputGradient(model, await probed(model), { input: name, output: 'logits' });
  const rest = mustVerify(made.model).graph.inputs.map((i) => i.name);
  assert.ok(rest.includes(name));
});
