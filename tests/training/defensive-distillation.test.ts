import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { softened } from '../../src/training/softened.ts';
import { workshop } from './workshop.ts';

const COUNT = 24;
const x = Array.from({ length: COUNT * 2 }, (_, i) => Math.sin(1.7 * i) * 2);
const y = Array.from({ length: COUNT }, (_, i) => Number(x[2 * i] + x[2 * i + 1] > 0) + Number(x[2 * i] > 1));
const rate = 0.5;
const recipe = { arch: 'linear', loss: 'cross-entropy', optimizer: { kind: 'sgd', lr: rate }, batch: 'full', split: { val: 0 } };

const prepared = () => {
  const shop = workshop();
  const data = shop.arrays('d.npz', { x: float32([COUNT, 2], x), y: int64([COUNT], y) });
  const weights = (): number[] => {
    const { initializers } = parse(readFileSync(shop.at('out.onnx')), 'out.onnx').graph;
    return ['fc.weight', 'fc.bias'].flatMap((name) => {
      const c = initializers.get(name);
      return c ? Array.from(numbersOf(c)) : [];
    });
  };
  return { shop, weights, recipe: { ...recipe, data: { train: data } } };
};

const logitsOf = (theta: readonly number[]): Float64Array =>
  Float64Array.from({ length: COUNT * 3 }, (_, at) => {
    const [i, c] = [Math.floor(at / 3), at % 3];
    return theta[2 * c] * x[2 * i] + theta[2 * c + 1] * x[2 * i + 1] + theta[6 + c];
  });
/** Steps of SGD on CE(shares, softmax(z/T)), in float64. */
const descended = (theta: readonly number[], shares: Float64Array, temperature: number, steps: number): number[] => {
  const next = [...theta];
  for (let k = 0; k < steps; k++) {
    const p = softened(logitsOf(next), 3, temperature);
    const gradient = new Array(9).fill(0);
    for (let i = 0; i < COUNT; i++)
      for (let c = 0; c < 3; c++) {
        const d = (p[3 * i + c] - shares[3 * i + c]) / temperature / COUNT;
        gradient[2 * c] += d * x[2 * i];
        gradient[2 * c + 1] += d * x[2 * i + 1];
        gradient[6 + c] += d;
      }
    for (const [j, g] of gradient.entries()) next[j] -= rate * g;
  }
  return next;
};

test('teacher and student are those of the formula: both from the same first values, at temperature T', async () => {
  const { shop, weights, recipe } = prepared();
  await shop.run({ ...recipe, optimizer: { kind: 'sgd', lr: 0 }, epochs: 1 }, { force: true });
  const first = weights();
  const marks = new Float64Array(COUNT * 3);
  for (const [i, c] of y.entries()) marks[3 * i + c] = 1;
  const regime = { kind: 'defensive-distillation', temperature: 4, teacherEpochs: 5 };
  const { report, notes } = await shop.run({ ...recipe, epochs: 7, regime }, { force: true });
  const teacher = descended(first, marks, 4, 5);
  const student = descended(first, softened(logitsOf(teacher), 3, 4), 4, 7);
  // Float32 against float64 over a dozen steps.
  for (const [j, v] of weights().entries()) assert.ok(Math.abs(v - student[j]) < 2e-6, `${v} is not ${student[j]}`);
  assert.ok(notes.some((n) => /no evidence of safety/.test(n)));
  assert.ok(JSON.stringify(report.cards).includes('student'));
});

test('at temperature 1 the teacher is the plain training', async () => {
  const { shop, recipe } = prepared();
  const plain = await shop.run({ ...recipe, epochs: 6 }, { force: true });
  const distilled = await shop.run({ ...recipe, epochs: 6, regime: { kind: 'defensive-distillation', temperature: 1 } }, { force: true });
  const table = distilled.report.cards.find((c) => c.kind === 'table' && c.title === 'Stages');
  assert.ok(table?.kind === 'table');
  const loss = Number(JSON.stringify(table).match(/"teacher"[^\]]*?(\d\.\d+)/)?.[1]);
  // The table holds the loss as a number; one-hot shares and labels differ by rounding alone.
  assert.ok(Math.abs(loss - plain.report.headline.train_loss) < 1e-6, `${loss} is not ${plain.report.headline.train_loss}`);
});

test('distillation refuses other targets, losses without shares and temperatures of 0', async () => {
  const { shop, recipe } = prepared();
  const regime = 'defensive-distillation';
  const refused = (more: object, code: 'training/regime' | 'training/recipe', words: RegExp) =>
    assert.rejects(shop.run({ ...recipe, epochs: 1, ...more }, { force: true }), (e) => Fault.is(e, code) && words.test(e.message));
  await refused({ regime: { kind: regime, temperature: 0 } }, 'training/recipe', /temperature/);
  await refused({ regime, loss: 'focal' }, 'training/regime', /such as cross-entropy, not 'focal'/);
  await refused({ regime, targets: 'ps-kd' }, 'training/regime', /remove the key 'targets'/);
});
