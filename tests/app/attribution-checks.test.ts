import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';

const ports = await world();
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const run = (model: string, data: object, options: object): Promise<Report> =>
  diagnose(
    {
      id: 'attribution-checks',
      device: 'cpu',
      seed: 0,
      model: { path: fixture(`models/${model}.onnx`) },
      data: data as never,
      options: { samples: 12, ...options },
    },
    ports,
    { ...quietJob(), live: () => {} },
  );
const digits = { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } };
const verdicts = ({ cards }: Report): Readonly<Record<string, unknown>> => {
  const [table] = cards;
  assert.ok(table.kind === 'table');
  return Object.fromEntries(table.rows.map((r) => [r[0], r[1]]));
};

test('Integrated Gradients of digits keep what they promise; the gradient follows weights and labels, and promises less', async () => {
  const ig = await run('mlp_digits', digits, {});
  const found = verdicts(ig);
  assert.deepEqual([found.Completeness, found['Sensitivity (a)'], found.Deletion], ['passes', 'passes', 'passes']);
  assert.deepEqual([ig.headline.sensitivity_a_tested, ig.headline.sensitivity_a_missed], [64, 0]);
  // Card 00 (c): a zero baseline keeps the input's zeros.
  assert.equal(found['Parameter randomisation'], 'fails');
  assert.equal(ig.headline.checks_passed + ig.headline.checks_failed, Object.values(found).filter((v) => v !== 'does not apply').length);
  assert.match(ig.guide, /^Integrated Gradients fails parameter randomisation here/);

  const gradient = await run('mlp_digits', digits, { method: 'gradient', labelRandomisation: true, epochs: 20 });
  const own = verdicts(gradient);
  assert.deepEqual(
    [own.Completeness, own['Sensitivity (a)'], own['Parameter randomisation'], own['Label randomisation']],
    ['does not apply', 'does not apply', 'passes', 'passes'],
  );
  const { headline } = gradient;
  assert.ok(headline.label_accuracy > 0.8 && headline.shuffled_label_accuracy < 0.5, JSON.stringify(headline));
  assert.ok(headline.label_randomised_spearman < 0.5);
});

test('occlusion one place at a time promises sensitivity, too; a regression and text are checked alike', async () => {
  const occlusion = await run('mlp_breast_cancer', { path: fixture('data/breast_cancer.npz') }, { method: 'occlusion', samples: 4 });
  assert.equal(verdicts(occlusion)['Sensitivity (a)'], 'passes');
  const regression = await run(
    'mlp_diabetes',
    { path: join(import.meta.dirname, '../golden/autodiff/mlp_diabetes.npz') },
    { method: 'deeplift' },
  );
  assert.deepEqual([verdicts(regression).Completeness, verdicts(regression)['Sensitivity (a)']], ['passes', 'passes']);
  const text = await run('text_sms', { path: join(import.meta.dirname, '../golden/autodiff/text_sms.npz') }, { samples: 2 });
  assert.equal(text.outcome, 'measured', text.reason?.sentence);
  assert.equal(verdicts(text)['Sensitivity (a)'], 'passes');
});

test('label randomisation is refused where there are no classes to train on', async () => {
  for (const [model, pattern] of [
    ['mlp_diabetes', /mlp_diabetes\.onnx predicts values; leave labelRandomisation off/],
    ['text_sms', /text_sms\.onnx takes tokens/],
  ] as const) {
    const data = { path: join(import.meta.dirname, `../golden/autodiff/${model}.npz`) };
    const told = await run(model, data, { labelRandomisation: true, samples: 2 }).then(
      (report) => report.reason?.sentence,
      (error: Error) => error.message,
    );
    assert.match(told ?? '', pattern);
  }
});
