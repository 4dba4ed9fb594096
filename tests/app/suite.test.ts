import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { judge } from '../../src/app/gates.ts';
import { suite } from '../../src/app/suite.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { world } from '../../src/jobs/world.ts';
import type { SuiteResult } from '../../src/report/tasks.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-suite-'));
after(() => rmSync(folder, { recursive: true, force: true }));
cpSync(join(import.meta.dirname, '../fixtures/models/mlp_digits.onnx'), join(folder, 'digits.onnx'));
cpSync(join(import.meta.dirname, '../fixtures/data/digits.npz'), join(folder, 'digits.npz'));

const models = { digits: { path: 'digits.onnx' } };
const datasets = { test: { path: 'digits.npz', split: 'test', preprocess: { scale: 0.0625 } } };
const check = (name: string, more: object): object => ({ name, run: 'confusion-matrix', model: 'digits', data: 'test', ...more });
const run = (content: object | string, only?: readonly string[]): Promise<SuiteResult> => {
  const path = join(folder, 'assay.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
  return suite({ path, device: 'cpu', seed: 0, ...(only ? { only } : {}) }, ports, { ...quietJob(), live: () => {} });
};

// Accuracy is 352/359 = 0.98050; its 95 % Wilson interval (0.96034, 0.99052), its 99 % one (0.95109, 0.99237).
test('gates on points and interval ends; the level asked for is the level computed', async () => {
  const { checks } = await run({
    models,
    datasets,
    checks: [
      check('point', { expect: { accuracy: { min: 0.98 } } }),
      check('lower', { expect: { accuracy: { min: 0.98, bound: 'lower' } } }),
      check('lower 99', { expect: { accuracy: { min: 0.955, bound: 'lower', level: 0.99 } } }),
      check('upper', { expect: { accuracy: { min: 0.99, max: 0.991, bound: 'upper', level: 0.95 } } }),
      check('no gates', {}),
      check('clash', { options: { confidenceLevel: 0.9 }, expect: { accuracy: { min: 0.9, bound: 'lower', level: 0.95 } } }),
      check('no interval', { expect: { majority_rate: { min: 0.9, bound: 'lower' } } }),
      check('typo', { expect: { acuracy: { min: 0.9 } } }),
      check('calibrated', { run: 'reliability', expect: { ece: { max: 0.05, bound: 'upper' }, nll: { max: 0.01 } } }),
    ],
  });
  assert.deepEqual(
    checks.map((c) => [c.name, c.status]),
    [
      ['point', 'passed'],
      ['lower', 'failed'],
      ['lower 99', 'failed'],
      ['upper', 'passed'],
      ['no gates', 'passed'],
      ['clash', 'error'],
      ['no interval', 'error'],
      ['typo', 'error'],
      ['calibrated', 'failed'],
    ],
  );
  const by = (name: string) => checks.find((c) => c.name === name);
  assert.match(
    by('lower')?.sentence ?? '',
    /lower bound of accuracy is 0\.960\d+ \(accuracy 0\.9805\), but is expected to be at least 0\.98/,
  );
  assert.ok(Math.abs((by('lower 99')?.gates[0].interval?.low ?? 0) - 0.9511) < 1e-3);
  assert.equal(by('lower 99')?.gates[0].actual, 352 / 359);
  assert.match(by('clash')?.sentence ?? '', /at level 0\.9, but the gate asks for 0\.95/);
  assert.match(by('no interval')?.sentence ?? '', /'majority_rate' has no interval.*bound 'point'/);
  assert.match(by('typo')?.sentence ?? '', /Did you mean 'accuracy'/);
  assert.deepEqual(
    by('calibrated')?.gates.map((g) => g.holds),
    [true, false],
  );
  assert.equal(by('point')?.report?.provenance.modelPath, join(folder, 'digits.onnx'));
});

test('unavailable is skipped; a wrong dataset is the error of its own checks only', async () => {
  writeFileSync(join(folder, 'p.csv'), 'prob_a,prob_b\n0.5,0.5\n');
  const { checks } = await run({
    models,
    datasets: { ...datasets, table: { path: 'p.csv' }, gone: { path: 'gone.npz' } },
    checks: [check('good', {}), { name: 'unlabelled', run: 'reliability', data: 'table' }, check('missing', { data: 'gone' })],
  });
  assert.deepEqual(
    checks.map((c) => c.status),
    ['passed', 'skipped', 'error'],
  );
  assert.match(checks[1].sentence, /needs labels/);
  assert.match(checks[2].sentence, /gone\.npz' does not exist/);
});

test('only some checks', async () => {
  const content = { models, datasets, checks: [check('a', {}), check('b', {})] };
  assert.deepEqual(
    (await run(content, ['b'])).checks.map((c) => c.name),
    ['b'],
  );
  await assert.rejects(run(content, ['bb']), (e) => Fault.is(e, 'id/unknown') && /Did you mean 'b'/.test(e.message));
});

test('faults of assay.json name the key and the line', async () => {
  const wrong = (content: object | string, code: string, ...parts: RegExp[]): Promise<void> =>
    assert.rejects(run(content), (e) => e instanceof Fault && e.code === code && parts.every((p) => p.test(e.message)));
  const with1 = (more: object): object => ({ models, datasets, checks: [check('a', more)] });
  await wrong('{\n  "models": {,}\n}', 'suite/syntax', /line 2/, /no JSON/);
  await wrong('', 'file/empty', /assay\.json/);
  await wrong('[]', 'suite/value', /the file must be an object/);
  await wrong({ modls: {} }, 'suite/key', /line 2: unknown key modls\. Did you mean 'models'/);
  await wrong('{"models": {"m": {"path": "a"},\n"m": {"path": "b"}}}', 'suite/key-twice', /line 2: models\.m is there twice/);
  await wrong(
    with1({ expect: { accuracy: { min: 0.9, max: 0.1 } } }),
    'suite/value',
    /expect\.accuracy\.min must be at most its max, 0\.1/,
  );
  await wrong({ models: { m: {} } }, 'suite/value', /models\.m must be given a 'path'/);
  await wrong(with1({ run: 'confusion' }), 'suite/name', /checks\[0\]\.run names the diagnostic 'confusion'/);
  await wrong(with1({ model: 'digit' }), 'suite/name', /Did you mean 'digits'/);
  await wrong(with1({ data: 'train' }), 'suite/name', /dataset 'train'/);
  await wrong(with1({ expect: { accuracy: { min: '0.9' } } }), 'suite/value', /checks\[0\]\.expect\.accuracy\.min must be a number/);
  await wrong(with1({ expect: { accuracy: { bound: 'low' } } }), 'suite/value', /one of point, lower, upper/);
  await wrong({ models, datasets, checks: [check('a', {}), check('a', {})] }, 'suite/twice', /checks\[1\] is called 'a'/);
  await wrong({ models, datasets }, 'suite/value', /at least one check/);
});

test('both limits of a gate are included', () => {
  const report = { id: 'd', headline: { v: 0.5 }, intervals: {} };
  for (const [expected, holds] of [
    [{ min: 0.5, max: 0.5 }, true],
    [{ min: 0.500001 }, false],
    [{ max: 0.499999 }, false],
  ] as const) {
    const judged = judge('v', expected, report);
    assert.ok('gate' in judged && judged.gate.holds === holds);
  }
  assert.ok('problem' in judge('v', {}, report));
});
