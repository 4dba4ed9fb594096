import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { cost } from '../../src/app/cost.ts';
import { names } from '../../src/app/names.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { world } from '../../src/jobs/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-cost-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const ports = await world();
const job = (): AppJob => ({ ...quietJob(), live: () => {} });
const fixture = (path: string): string => join(import.meta.dirname, '../fixtures', path);
const [mlp, softmax, digits] = [fixture('models/mlp_digits.onnx'), fixture('models/softmax_digits.onnx'), fixture('data/digits.npz')];

test('rows, parameters and multiply–accumulates are told from heads of files, those of two models together', async () => {
  // 64·32 + 32 + 32·10 + 10 parameters and 64·32 + 32·10 multiply–accumulates; 64·10 + 10 and 64·10.
  const one = await cost({ models: [{ path: mlp }], data: { path: digits } }, ports, job());
  assert.deepEqual(one, { reads: [mlp, digits], rows: 1797, parameters: 2410, macs: 2368 });
  const two = await cost({ models: [{ path: mlp }, { path: softmax }] }, ports, job());
  assert.deepEqual([two.rows, two.parameters, two.macs], [null, 2410 + 650, 2368 + 640]);
});

test('a recipe names its own files, relative to it, and its length', async () => {
  const recipe = join(import.meta.dirname, '../../media/sample/digits.train.json');
  const told = await cost({ recipe }, ports, job());
  assert.deepEqual(told.length, { epochs: 20 });
  assert.deepEqual(told.reads, [recipe, join(import.meta.dirname, '../../media/sample/digits.npz')]);
  assert.equal(told.rows, 1797);
});

test('the entries of an assay.json are seen from anywhere', async () => {
  const suite = join(folder, 'assay.json');
  writeFileSync(suite, '{ "models": { "m": { "path": "a/m.onnx" } }, "datasets": { "d": { "path": "d.npz", "split": "test" } } }');
  assert.deepEqual(await names({ suite }, ports, job()), {
    models: { m: { path: join(folder, 'a/m.onnx') } },
    datasets: { d: { path: join(folder, 'd.npz'), split: 'test' } },
  });
  writeFileSync(suite, '{}');
  assert.deepEqual(await names({ suite }, ports, job()), { models: {}, datasets: {} });
  writeFileSync(suite, '{ "models": [] }');
  await assert.rejects(names({ suite }, ports, job()), (e) => Fault.is(e, 'suite/value'));
});

test('a file that is not there is named', async () => {
  await assert.rejects(cost({ models: [{ path: join(folder, 'no.onnx') }] }, ports, job()), (e) => Fault.is(e, 'file/missing'));
  await assert.rejects(cost({ data: { path: join(folder, 'no.npz') } }, ports, job()), (e) => Fault.is(e, 'file/missing'));
});
