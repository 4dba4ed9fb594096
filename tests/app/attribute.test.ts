import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attribute } from '../../src/app/attribute.ts';
import type { AppJob, Ports } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { world } from '../../src/jobs/world.ts';
import type { AttributeRequest, Attribution } from '../../src/report/tasks.ts';

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const golden = JSON.parse(readFileSync(file('golden/diagnostics/attribution.json'), 'utf8')) as Record<
  string,
  { integrated: number[]; gradient: number[]; target: number[]; baseline: number[] }
>;

let ports: Ports;
before(async () => {
  ports = await world();
});
const job: AppJob = { ...quietJob(), live: () => {} };
const run = (model: string, data: string, asked: Partial<AttributeRequest> = {}): Promise<Attribution> =>
  attribute(
    {
      model: { path: file(`fixtures/models/${model}.onnx`) },
      data: { path: file(data) },
      device: 'cpu',
      seed: 0,
      position: 0,
      method: 'gradient',
      options: {},
      ...asked,
    },
    ports,
    job,
  );
const fact = ({ facts }: Attribution, label: string): string | number | undefined => facts.find((f) => f.label === label)?.value;

for (const model of ['mlp_digits', 'vit_digits'])
  test(`${model}: gradient and integrated gradients are PyTorch's`, async () => {
    const { integrated, gradient, target, baseline } = golden[model];
    const data = `golden/autodiff/${model}.npz`;
    const options = { quadrature: 'riemann_middle' };
    for (const position of [0, 5]) {
      const { label } = await run(model, data, { position });
      assert.ok(label !== undefined);
      const g = await run(model, data, { position, target: label });
      const ig = await run(model, data, { position, target: label, method: 'integrated-gradients', options });
      for (const [found, expected] of [
        [g.values, gradient],
        [ig.values, integrated],
      ] as const) {
        const part = expected.slice(64 * position, 64 * (position + 1));
        // float32 forward and backward against float64: the suggested 1e-4 of the largest entry.
        const tolerance = 1e-4 * Math.max(...part.map(Math.abs));
        part.forEach((v, k) => {
          assert.ok(Math.abs(found[k] - v) <= tolerance, `row ${position}, pixel ${k}: ${found[k]} is not ${v} ± ${tolerance}`);
        });
      }
      const rounding = 1e-5 * Math.max(1, Math.abs(target[position]));
      assert.ok(Math.abs(Number(fact(ig, 'Value')) - target[position]) <= rounding);
      assert.ok(Math.abs(Number(fact(ig, 'Value at the baseline')) - baseline[position]) <= rounding);
      assert.ok(ig.scale > 0);
      assert.deepEqual([ig.width, ig.height], [8, 8]);
    }
  });

test('the sample as the tab shows it: picture, classes, probabilities, label, place in the split', async () => {
  const found = await run('mlp_digits', 'fixtures/data/digits.npz', {
    data: { path: file('fixtures/data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } },
    position: 3,
  });
  assert.equal(found.count, 359);
  assert.deepEqual([found.picture?.width, found.picture?.height, found.picture?.channels], [8, 8, 1]);
  assert.equal(found.classes.length, 10);
  assert.ok(Math.abs(found.probs.reduce((sum, p) => sum + p, 0) - 1) < 1e-12);
  assert.equal(found.prediction, found.probs.indexOf(Math.max(...found.probs)));
  assert.equal(found.target, found.prediction);
  const again = await run('mlp_digits', 'fixtures/data/digits.npz', {
    data: { path: file('fixtures/data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } },
    row: found.row,
  });
  assert.deepEqual({ ...again }, { ...found });
});

test('a row of a table has one value per column and no picture', async () => {
  const found = await run('mlp_breast_cancer', 'fixtures/data/breast_cancer.npz', { method: 'integrated-gradients' });
  assert.equal(found.picture, null);
  assert.deepEqual([found.width, found.height, found.values.length], [30, 1, 30]);
  assert.match(String(fact(found, 'Baseline')), /^mean of 256 rows/);
});

test('a regression has neither classes nor probabilities', async () => {
  const found = await run('mlp_diabetes', 'golden/autodiff/mlp_diabetes.npz');
  assert.deepEqual([found.classes, found.probs, found.label], [[], [], undefined]);
  assert.equal(found.values.length, 10);
});

test('another class, and another method, give another map of the same sample', async () => {
  const data = 'golden/autodiff/mlp_digits.npz';
  const [a, b, c] = [
    await run('mlp_digits', data, { target: 0 }),
    await run('mlp_digits', data, { target: 1 }),
    await run('mlp_digits', data, { target: 0, method: 'smoothgrad' }),
  ];
  assert.notDeepEqual(a.values, b.values);
  assert.notDeepEqual(a.values, c.values);
  assert.deepEqual(a.picture, b.picture);
  assert.equal(fact(c, 'Method'), 'SmoothGrad');
});

test('bad input: place, class, method, option', async () => {
  const data = 'golden/autodiff/mlp_digits.npz';
  await assert.rejects(run('mlp_digits', data, { position: 8 }), { message: /'position' is '8' but must be a whole number from 0 to 7/ });
  await assert.rejects(run('mlp_digits', data, { row: 99 }), { message: /'row' is '99' but must be a row of the split/ });
  await assert.rejects(run('mlp_digits', data, { target: 10 }), (e) => Fault.is(e, 'diagnostic/target'));
  await assert.rejects(run('mlp_digits', data, { method: 'gradcam' }), (e) => Fault.is(e, 'option/value'));
  await assert.rejects(run('mlp_digits', data, { options: { step: 5 } }), { message: /Did you mean 'steps'\?/ });
});
