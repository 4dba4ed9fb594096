import assert from 'node:assert/strict';
import { test } from 'node:test';
import { separate } from '../../src/base/maths/large-step-logistic.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { initialise } from '../../src/training/initialise.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { parametersOf } from '../../src/training/parameters.ts';
import { float64, numbers, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';
import { digitsData, workshop } from './workshop.ts';

/** Weights of a linear model without biases from 0, after each of so many full-batch steps. */
const walk = async (features: readonly (readonly number[])[], labels: readonly number[], lr: number, steps: number) => {
  const classes = Math.max(...labels) + 1;
  const width = features[0].length;
  const plan = planOf('mlp', [width], classes, { hidden: '' });
  const weight = parametersOf(plan.graph).filter((p) => p.role === 'weight');
  const compiled = compileSteps({
    ...plan,
    graph: initialise(plan.graph, 'zeros', 0),
    groups: [{ parameters: weight, lrScale: 1 }],
    optimizer: pick(optimizers, 'normalized-lr-gd', { lr }),
    precision: 'float64',
  });
  const session = await open(compiled.model);
  const data = {
    x: float64([features.length, width], features.flat()),
    y: { dtype: 'int64', dims: [labels.length], data: BigInt64Array.from(labels, BigInt) } as const,
  };
  const rows = labels.map((_, i) => i);
  let state = compiled.start;
  const path: number[][] = [];
  for (let t = 0; t < steps; t++) {
    ({ state } = await call(session, compiled, state, data, [rows], [lr]));
    path.push(numbers(state.theta));
  }
  await session.release();
  return path;
};

test('the worst set of 100 rows is separated in the 11 steps of the card, along the reference path, for both classes', async () => {
  const features = Array.from({ length: 100 }, (_, i) => (i === 0 ? [0.5, -1] : [-0.5, -1]));
  const labels = features.map((_, i) => Number(i === 0));
  const signed = { rows: 100, width: 2, data: Float64Array.from(features.flatMap((a, i) => a.map((v) => (labels[i] ? v : -v)))) };
  const path = await walk(features, labels, 1, 11);
  for (const [t, theta] of path.entries()) {
    const wanted = await separate(signed, { method: 'normalized-lr-gd', rate: 1, most: t + 1 });
    // Rows of the weight are classes: that of class 0 is the mirror image.
    for (const k of [0, 1]) {
      assert.ok(Math.abs(theta[2 + k] - wanted.theta[k]) < 1e-9, `step ${t + 1}`);
      assert.ok(Math.abs(theta[k] + wanted.theta[k]) < 1e-9);
    }
  }
  const least = ([a, b]: readonly number[]): number => {
    const margins = Array.from({ length: 100 }, (_, i) => signed.data[2 * i] * a + signed.data[2 * i + 1] * b);
    return Math.min(...margins);
  };
  assert.ok(least(path[9].slice(2)) <= 0 && least(path[10].slice(2)) > 0);
});

test('a linear model of the digits from 0 is told apart in full batches, and large rates are safe', async () => {
  const recipe = {
    arch: { kind: 'mlp', hidden: '' },
    data: { train: digitsData.train },
    split: { val: 0 },
    init: 'zeros',
    loss: 'cross-entropy',
    optimizer: { kind: 'normalized-lr-gd', lr: 10 },
    batch: 'full',
    epochs: 300,
  };
  const { report } = await workshop().run(recipe);
  assert.ok(report.headline.train_accuracy > 0.93, String(report.headline.train_accuracy));
});

test('one score for two classes takes the same way', async () => {
  const shop = workshop();
  const x = Float32Array.from({ length: 60 }, (_, i) => Math.sin(3 * i) + (i % 3 === 0 ? 2 : -1));
  const path = shop.arrays('two.npz', {
    x: { dtype: 'float32', dims: [20, 3], data: x },
    y: { dtype: 'int32', dims: [20], data: Int32Array.from({ length: 20 }, (_, i) => Number(x[3 * i + 1] > x[3 * i + 2])) },
  });
  const { report } = await shop.run({
    arch: { kind: 'mlp', hidden: '' },
    data: { train: { path } },
    split: { val: 0 },
    init: 'zeros',
    loss: 'binary-cross-entropy',
    optimizer: { kind: 'normalized-lr-gd', lr: 10 },
    batch: 'full',
    epochs: 200,
  });
  assert.equal(report.headline.train_accuracy, 1);
});

test('zeros are for a linear model or a new head; labels must be plain', async () => {
  const base = { data: { train: digitsData.train }, split: { val: 0 }, loss: 'cross-entropy', batch: 'full', epochs: 1 };
  const optimizer = 'normalized-lr-gd';
  const shop = workshop();
  await assert.rejects(shop.run({ ...base, arch: 'mlp', init: 'zeros', optimizer }), /'zeros' is for a linear model or a new head/);
  await shop.run({ ...base, arch: 'mlp', init: 'zeros', head: 'linear', optimizer });
  await assert.rejects(
    shop.run({ ...base, arch: { kind: 'mlp', hidden: '' }, augment: { mixup: 0.2 }, optimizer }),
    /goes by the labels of the rows, and augment.mixup mixes them/,
  );
  await assert.rejects(
    shop.run({ ...base, arch: { kind: 'mlp', hidden: '' }, loss: 'mse', optimizer }),
    /goes by the labels of the rows, and loss 'mse' has none/,
  );
});
