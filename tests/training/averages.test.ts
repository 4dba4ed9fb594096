import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { int64 } from '../../src/base/tensor.ts';
import { compileSteps, type State } from '../../src/training/compile.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import type { Plan } from '../../src/training/plan.ts';
import { readRecipe } from '../../src/training/recipe.ts';
import { float64, numbers, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';
import { digitsData, workshop } from './workshop.ts';

const draw = random(3, 'averages');
const data = {
  x: float64(
    [12, 3],
    Array.from({ length: 36 }, () => 2 * draw.next() - 1),
  ),
  y: int64(
    [12],
    Array.from({ length: 12 }, (_, i) => i % 3),
  ),
};
const plan: Plan = { ...planOf('mlp', [3], 3, { hidden: '5' }), precision: 'float64', optimizer: pick(optimizers, 'adam', { lr: 0.05 }) };
const rowsOf = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const run = async (given: Plan, rows: readonly (readonly number[])[], from?: State) => {
  const compiled = compileSteps(given);
  const session = await open(compiled.model);
  const made = await call(session, compiled, from ?? compiled.start, data, rows, Array(rows.length).fill(0.05));
  await session.release();
  return { ...made, start: compiled.start };
};
const off = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((v, i) => Math.abs(v - b[i])));

test('three batches accumulated are one batch of their rows', async () => {
  const parts = [rowsOf(0, 4), rowsOf(4, 8), rowsOf(8, 12)];
  const clip = { norm: 0.2 };
  const small = await run({ ...plan, clip, accumulate: 3 }, [...parts, ...parts]);
  const large = await run({ ...plan, clip }, [rowsOf(0, 12), rowsOf(0, 12)]);
  // float64: the sums are taken in another order.
  assert.ok(off(numbers(small.state.theta), numbers(large.state.theta)) < 1e-14);
  assert.deepEqual([numbers(small.state.t), numbers(small.state.filled)], [[2], [0]]);
});

test('until the last of them nothing moves, and a call may end in between', async () => {
  const given = { ...plan, accumulate: 3 };
  const [a, b, c] = [rowsOf(0, 4), rowsOf(4, 8), rowsOf(8, 12)];
  const first = await run(given, [a, b]);
  assert.deepEqual(numbers(first.state.theta), numbers(first.start.theta));
  assert.deepEqual([numbers(first.state.t), numbers(first.state.filled)], [[0], [2]]);
  const second = await run(given, [c], first.state);
  assert.deepEqual(second.state, (await run(given, [a, b, c])).state);
});

test('the mean of the parameters runs after every update, by its formula', async () => {
  const given = { ...plan, ema: 0.7 };
  let state: State | undefined;
  let mean: number[] = [];
  for (let k = 0; k < 5; k++) {
    const made = await run(given, [rowsOf(0, 6)], state);
    if (k === 0) mean = numbers(made.start.theta);
    state = made.state;
    mean = numbers(state.theta).map((w, i) => 0.7 * mean[i] + 0.3 * w);
    assert.ok(off(numbers(state.ema), mean) < 1e-15);
  }
  const plain = await run(plan, Array(5).fill(rowsOf(0, 6)));
  assert.deepEqual(numbers(state?.theta ?? plain.start.theta), numbers(plain.state.theta));
});

test('what is validated, tested and saved is the mean', async () => {
  const recipe = { arch: { kind: 'mlp', hidden: '' }, data: digitsData, loss: 'cross-entropy', optimizer: 'sgd', epochs: 1 };
  const [plain, still, moving] = [workshop(), workshop(), workshop()];
  const last = await plain.run(recipe);
  const first = await still.run({ ...recipe, ema: { decay: 1 } });
  assert.ok(first.notes.some((n) => n.includes('running mean')));
  const same = await moving.run({ ...recipe, ema: { decay: 0 } });
  // Of decay 1 the mean stays the start, at chance; of decay 0 it is the last parameters.
  assert.ok(first.report.headline.test_accuracy < 0.3, `${first.report.headline.test_accuracy}`);
  for (const key of ['validation_loss', 'test_loss', 'test_accuracy'])
    assert.equal(same.report.headline[key], last.report.headline[key], key);
  assert.equal(first.report.headline.train_loss, last.report.headline.train_loss);
});

test('an absent key stays absent in what a checkpoint compares, and a share above 1 is refused', () => {
  const base = { model: 'm.onnx', data: { train: 'd.npz' }, loss: 'mse', optimizer: 'sgd' };
  const { settings } = readRecipe(JSON.stringify({ ...base, batch: { size: 4 } }), 'r.train.json');
  assert.deepEqual([settings.batch, 'ema' in settings], [{ size: 4, dropLast: false }, false]);
  for (const wrong of [{ ema: { decay: 1.1 } }, { batch: { size: 4, accumulate: 0 } }])
    assert.throws(
      () => readRecipe(JSON.stringify({ ...base, ...wrong }), 'r.train.json'),
      (e) => e instanceof Fault,
    );
});
