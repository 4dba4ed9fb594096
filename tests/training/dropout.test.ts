import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { dropoutDoc, dropoutOf } from '../../src/graph/dropout.ts';
import { parse } from '../../src/graph/parse.ts';
import { dropIdentity } from '../../src/graph/passes/identity.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { modelOf, type Plan } from '../../src/training/plan.ts';
import { hostInputs } from '../../src/training/step-inputs.ts';
import { float64, numbers, once, open } from './session.ts';
import { call, pick, planOf, planOfModel } from './subject.ts';
import { atStep, digitsData, wholeAndInPieces, workshop } from './workshop.ts';

const moment = (step: number) => ({ t: step, total: 10, lr: 1 });
const fedOf = (plan: Plan, keys: Readonly<Record<string, string>>, batch: number, first = 0, seed = 0): Record<string, Tensor> => {
  const made = hostInputs(plan, seed, [first, 1], batch, moment);
  return Object.fromEntries(Object.entries(keys).map(([key, name]) => [name, made[key]]));
};

test('what is dropped is 0, the rest is scaled up, and the mean stays', () => {
  const plan = planOf('mlp', [4], 3, { hidden: '50', dropout: 0.3 });
  const keys = Object.keys(compileSteps(plan).inputs.each);
  assert.equal(keys.length, 1);
  const mask = numbers(hostInputs(plan, 0, [0, 4], 100, moment)[keys[0]]);
  const [off, on] = [0, Math.fround(65536 / (65536 - Math.round(0.3 * 65536)))];
  assert.ok(mask.every((v) => v === off || v === on));
  // 20,000 numbers of standard deviation √(0.3/0.7): their mean has one of 0.0046.
  assert.ok(Math.abs(mask.reduce((a, b) => a + b, 0) / mask.length - 1) < 0.02);
  // Neighbours share a draw of 32 bits, of which each has 16 of its own: as often both 0 as by chance, 0.09 ± 0.0028 of 10,000.
  const pairs = Array.from({ length: mask.length / 2 }, (_, i) => Number(mask[2 * i] === 0 && mask[2 * i + 1] === 0));
  assert.ok(Math.abs(pairs.reduce((a, b) => a + b, 0) / pairs.length - 0.09) < 0.014);
  // Rows, units and steps are drawn apart.
  const row = (k: number): string => mask.slice(50 * k, 50 * (k + 1)).join();
  assert.equal(new Set(Array.from({ length: 400 }, (_, k) => row(k))).size, 400);
});

test('a step is that of the formula: forward by the mask, gradient by the mask', async () => {
  const plan: Plan = {
    ...planOf('mlp', [4], 3, { hidden: '5', activation: 'tanh', dropout: 0.4 }),
    precision: 'float64',
    optimizer: pick(optimizers, 'sgd', { lr: 1 }),
  };
  const compiled = compileSteps(plan);
  const session = await open(compiled.model);
  const chance = random(0, 'rows of dropout');
  const [count, seed] = [6, 3];
  const x = Array.from({ length: count }, () => Array.from({ length: 4 }, () => chance.normal()));
  const y = [0, 1, 2, 0, 1, 2];
  const fed = fedOf(plan, compiled.inputs.each, count, 0, seed);
  const mask = numbers(Object.values(fed)[0]);
  const { state } = await call(
    session,
    compiled,
    compiled.start,
    { x: float64([count, 4], x.flat()), y: int64([count], y) },
    [[0, 1, 2, 3, 4, 5]],
    [1],
    fed,
  );
  await session.release();
  const theta = numbers(compiled.start.theta);
  const at = (name: string): number => compiled.layout.entries.find((e) => e.name === name)?.offset ?? Number.NaN;
  const [w1, b1, w2, b2] = ['dense1.weight', 'dense1.bias', 'dense2.weight', 'dense2.bias'].map(at);
  const gradient = new Float64Array(theta.length);
  for (const [i, row] of x.entries()) {
    const h = Array.from({ length: 5 }, (_, j) => Math.tanh(row.reduce((s, v, k) => s + v * theta[w1 + 4 * j + k], theta[b1 + j])));
    const kept = h.map((v, j) => v * mask[5 * i + j]);
    const z = Array.from({ length: 3 }, (_, c) => kept.reduce((s, v, j) => s + v * theta[w2 + 5 * c + j], theta[b2 + c]));
    const total = z.reduce((s, v) => s + Math.exp(v), 0);
    const d = z.map((v, c) => (Math.exp(v) / total - Number(c === y[i])) / count);
    for (const [c, g] of d.entries()) {
      gradient[b2 + c] += g;
      for (const [j, v] of kept.entries()) gradient[w2 + 5 * c + j] += g * v;
    }
    for (const [j, v] of h.entries()) {
      const back = d.reduce((s, g, c) => s + g * theta[w2 + 5 * c + j], 0) * mask[5 * i + j] * (1 - v * v);
      gradient[b1 + j] += back;
      for (const [k, u] of row.entries()) gradient[w1 + 4 * j + k] += back * u;
    }
  }
  // Float64 on both sides.
  for (const [i, v] of numbers(state.theta).entries()) assert.ok(Math.abs(v - (theta[i] - gradient[i])) < 1e-12, String(i));
});

test('outside training nothing is dropped: outputs are those of the same weights without dropout, bit for bit', async () => {
  for (const [arch, row, given] of [
    ['mlp', [4], { hidden: '6,5' }],
    ['cnn', [1, 8, 8], { channels: '3', hidden: '6' }],
    ['vit-tiny', [1, 8, 8], { width: 8, depth: 1, heads: 2, hidden: 8 }],
    ['mil-attention', [5, 3], { features: 6, attention: 4 }],
  ] as const) {
    const [with_, without] = [0.5, 0].map((dropout) => planOf(arch, row, 3, { ...given, dropout }));
    const x: Tensor = {
      dtype: 'float32',
      dims: [2, ...row],
      data: Float32Array.from({ length: 2 * row.reduce<number>((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
    };
    const outputs = await Promise.all([with_, without].map((plan) => once(modelOf(plan, plan.graph), { x })));
    assert.deepEqual(outputs[0].logits, outputs[1].logits, arch);
    assert.equal(without.graph.nodes.filter((n) => dropoutOf(n) !== undefined).length, 0);
  }
});

test('every architecture with the option trains by it: as many masks as the formula has places', async () => {
  for (const [arch, row, given, places] of [
    ['mlp', [4], { hidden: '6,5' }, 2],
    ['cnn', [1, 8, 8], { channels: '3', hidden: '6' }, 2],
    ['vit-tiny', [1, 8, 8], { width: 8, depth: 2, heads: 2, hidden: 8 }, 5],
    ['text-transformer', [6], { width: 8, depth: 1, heads: 2, hidden: 8, vocabulary: 5 }, 3],
    ['mil-attention', [5, 3], { features: 6, attention: 4 }, 1],
  ] as const) {
    const plan = planOf(arch, row, 3, { ...given, dropout: 0.5 });
    const compiled = compileSteps(plan);
    assert.equal(Object.keys(compiled.inputs.each).length, places, arch);
    const session = await open(compiled.model);
    const size = 4 * row.reduce<number>((a, b) => a * b, 1);
    const x: Tensor =
      arch === 'text-transformer'
        ? int64(
            [4, ...row],
            Array.from({ length: size }, (_, i) => 1 + (i % 4)),
          )
        : { dtype: 'float32', dims: [4, ...row], data: Float32Array.from({ length: size }, (_, i) => Math.cos(i)) };
    const step = (first: number) =>
      call(
        session,
        compiled,
        compiled.start,
        { x, y: int64([4], [0, 1, 2, 0]) },
        [[0, 1, 2, 3]],
        [0.1],
        fedOf(plan, compiled.inputs.each, 4, first),
      );
    const [a, b, again] = [await step(0), await step(1), await step(0)];
    assert.ok(numbers(a.state.theta).every(Number.isFinite));
    assert.deepEqual(a.state.theta, again.state.theta);
    assert.notDeepEqual(a.state.theta, b.state.theta);
    await session.release();
  }
});

test('a run with dropout, stopped and resumed, is the run that was not; the model file keeps what it means', async () => {
  const recipe = {
    arch: { kind: 'cnn', input: [1, 8, 8], channels: '4', hidden: '12', dropout: 0.25 },
    data: digitsData,
    loss: 'cross-entropy',
    optimizer: { kind: 'adam', lr: 1e-3 },
    batch: 32,
    epochs: 3,
    seed: 1,
  };
  const { whole, pieces } = await wholeAndInPieces(recipe, atStep(1));
  const states = [whole, pieces].map(({ shop }) => readNpz(readFileSync(shop.at('out.checkpoint.state'))));
  for (const [key, tensor] of Object.entries(states[0])) if (key !== 'meta') assert.deepEqual(states[1][key], tensor, key);
  const plain = await workshop().run({ ...recipe, arch: { ...recipe.arch, dropout: 0 } });
  const model = parse(readFileSync(whole.shop.at('out.onnx')), 'out.onnx');
  const weights = (path: string): number[] => {
    const c = parse(readFileSync(path), path).graph.initializers.get('dense1.weight');
    return c ? Array.from(numbersOf(c)) : [];
  };
  assert.notDeepEqual(weights(plain.out), weights(whole.shop.at('out.onnx')));
  // Fine-tuning the file drops again.
  assert.equal(dropIdentity(model).graph.nodes.filter((n) => dropoutOf(n) === 0.25).length, 2);
  assert.equal(Object.keys(compileSteps(await planOfModel(model, 10)).inputs.each).length, 2);
});

test('a share is read as it was written, and other copies are none', () => {
  const node = { op: 'Identity', domain: '', name: 'n', inputs: ['x'], outputs: ['y'], attributes: {} };
  for (const share of [0.5, 0.1, 1e-7, 0.95]) assert.equal(dropoutOf({ ...node, doc: dropoutDoc(share) }), share);
  assert.equal(dropoutOf(node), undefined);
  assert.equal(dropoutOf({ ...node, op: 'Abs', doc: dropoutDoc(0.5) }), undefined);
});

test('shares of 1 and below 0, and optimizers outside the compiled steps, are refused', async () => {
  const recipe = { arch: { kind: 'mlp', dropout: 0.5 }, data: digitsData, loss: 'cross-entropy', optimizer: 'adam', batch: 32, epochs: 1 };
  for (const dropout of [1, -0.1])
    await assert.rejects(
      workshop().run({ ...recipe, arch: { kind: 'mlp', dropout } }),
      (e) => Fault.is(e, 'training/recipe') && /dropout/.test(e.message),
    );
  await assert.rejects(
    workshop().run({ ...recipe, optimizer: 'lbfgs', batch: 'full' }),
    (e) => Fault.is(e, 'training/recipe') && /arch\.dropout/.test(e.message) && /outside the compiled steps/.test(e.message),
  );
});
