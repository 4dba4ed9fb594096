import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { type Adversarial, unitBall } from '../../src/training/adversarial.ts';
import { compileSteps } from '../../src/training/compile.ts';
import type { Plan } from '../../src/training/plan.ts';
import { numbers, open } from './session.ts';
import { call, planOf, type Rows } from './subject.ts';
import { atStep, digitsData, wholeAndInPieces, workshop } from './workshop.ts';

const rows = 12;
const dataOf = (row: readonly number[], classes: number): Rows => {
  const r = random(3, 'rows');
  const size = row.reduce((a, b) => a * b, 1);
  return {
    x: float32(
      [rows, ...row],
      Float32Array.from({ length: rows * size }, () => r.next()),
    ),
    y: int64(
      [rows],
      Array.from({ length: rows }, (_, i) => i % classes),
    ),
  };
};
const batches = [
  [0, 1, 2, 3, 4, 5],
  [6, 7, 8, 9, 10, 11],
  [0, 2, 4, 6, 8, 10],
];
const trained = async (plan: Plan, data: Rows, extra: Record<string, Tensor> = {}): Promise<readonly number[][]> => {
  const compiled = compileSteps(plan);
  const session = await open(compiled.model);
  const hyper = { ...compiled.hyper, ...(compiled.inputs.start ? { [compiled.inputs.start]: extra.start } : {}) };
  const { state, loss } = await call(session, { ...compiled, hyper }, compiled.start, data, batches, [0.1, 0.1, 0.1]);
  await session.release();
  return [...Object.keys(state).map((key) => numbers(state[key])), loss];
};

const forms: readonly Adversarial[] = (['linf', 'l2'] as const).flatMap((norm) =>
  [1, 3].map((steps) => ({ norm, steps, randomStart: false, epsilon: 0, step: 0.1 })),
);
for (const [arch, row, options] of [
  ['mlp', [7], { hidden: '5' }],
  ['cnn', [1, 6, 6], { channels: '4', hidden: '6', batchNorm: true }],
] as const) {
  test(`${arch}: with radius 0 training is plain training, bit for bit`, async () => {
    const plan = planOf(arch, row, 3, options);
    const data = dataOf(row, 3);
    const plain = await trained(plan, data);
    for (const adversarial of forms) assert.deepEqual(await trained({ ...plan, adversarial }, data), plain, JSON.stringify(adversarial));
    const start = float32([3, 6, ...row], unitBall('linf', 18, row, random(1, 'start')));
    const drawn = { ...forms[1], randomStart: true, range: [0, 1] } as const;
    assert.deepEqual(await trained({ ...plan, adversarial: drawn }, data, { start }), plain);
    // The same rows moved are other rows.
    assert.notDeepEqual(await trained({ ...plan, adversarial: { ...forms[1], epsilon: 0.2 } }, data), plain);
  });
}

const block = await onnxruntime().block();
test('on blocks of channels adversarial steps are the plain ones, to rounding', { skip: block === 0 }, async () => {
  const plan = { ...planOf('cnn', [1, 6, 6], 3, { channels: '16', hidden: '6' }), adversarial: { ...forms[3], epsilon: 0.3 } };
  const data = dataOf([1, 6, 6], 3);
  const [flat, blocks] = [await trained(plan, data), await trained({ ...plan, block }, data)];
  // Sums in another order, over 3 steps.
  for (const [k, values] of flat.entries()) for (const [i, v] of values.entries()) assert.ok(Math.abs(v - blocks[k][i]) < 1e-4);
});

test('points of the unit ball lie in it and fill it', () => {
  for (const norm of ['linf', 'l2'] as const) {
    const points = unitBall(norm, 4000, [3], random(0, norm));
    const sizes = Array.from({ length: 4000 }, (_, i) => {
      const p = Array.from(points.subarray(3 * i, 3 * i + 3));
      return norm === 'linf' ? Math.max(...p.map(Math.abs)) : Math.hypot(...p);
    });
    assert.ok(sizes.every((s) => s <= 1 + 1e-6));
    // P(size ≤ r) = r³ in three dimensions: at r = ½ an eighth, 5 standard errors of 4000 draws are 0.026.
    assert.ok(Math.abs(sizes.filter((s) => s <= 0.5).length / 4000 - 0.125) < 0.026, norm);
  }
});

const recipe = {
  arch: { kind: 'mlp', hidden: '64' },
  data: { ...digitsData, test: undefined },
  split: { val: 0 },
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 0.001 },
  epochs: 3,
};
const attack = { norm: 'l2', epsilon: 1, steps: 4, range: [0, 1] };

test('a recipe with radius 0 saves the weights of the recipe without an attack, bit for bit', async () => {
  const weights = async (more: object): Promise<readonly number[][]> => {
    const { out } = await workshop().run({ ...recipe, ...more });
    return Array.from(parse(readFileSync(out), out).graph.initializers.values(), (c) => Array.from(numbersOf(c), Number));
  };
  const plain = await weights({});
  assert.deepEqual(await weights({ adversarial: { ...attack, epsilon: 0 } }), plain);
  assert.notDeepEqual(await weights({ adversarial: attack }), plain);
});

test('a run against attacks from chance, stopped and resumed, is the run that was not', async () => {
  const drawn = { ...recipe, epochs: 2, adversarial: { ...attack, randomStart: true } };
  const { whole: a } = await wholeAndInPieces(drawn, atStep(1));
  assert.ok(a.notes.some((n) => n.includes('adversarial rows')));
});

test('tokens have no gradient to attack along', async () => {
  const shop = workshop();
  const data = shop.arrays('d.npz', { x: int64([4, 32], Array(128).fill(1)), y: int64([4], [0, 1, 0, 1]) });
  const model = fileURLToPath(new URL('../fixtures/models/text_sms.onnx', import.meta.url));
  await assert.rejects(
    shop.run({ ...recipe, arch: undefined, model, data: { train: data }, batch: 2, adversarial: attack }),
    (e) => Fault.is(e, 'training/recipe') && e.message.includes('int64') && e.message.includes('adversarial'),
  );
});
