import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnoseAll } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { world } from '../../src/jobs/world.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-missing-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const save = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const run = (...asks: readonly (Pick<RunRequest, 'id' | 'data'> & Partial<RunRequest>)[]) =>
  diagnoseAll(
    asks.map((ask) => ({ device: 'cpu', seed: 0, options: {}, ...ask })),
    ports,
    { ...quietJob(), live: () => {} },
  );
const told = (found: Awaited<ReturnType<typeof run>>): string[] => found.map((f) => (f instanceof Fault ? f.code : f.outcome));

test('rows without a prediction go to who takes them, and are refused to who does not', async () => {
  const path = save('gaps.csv', 'target,prediction\n-0.5,-0.4\n-0.2,\n0.3,0.1\n0.4,-0.1\n');
  const found = await run({ id: 'discovery-metrics', data: { path } }, { id: 'regression-report', data: { path } });
  assert.deepEqual(told(found), ['measured', 'data/not-finite']);
  const [report] = found;
  assert.ok(!(report instanceof Fault));
  assert.deepEqual([report.headline.tp, report.headline.fn, report.headline.fp, report.headline.tn], [1, 1, 1, 1]);
  assert.deepEqual(
    report.samples.map((s) => s.prediction),
    ['-0.4', undefined, '0.1', '-0.1'],
  );
  const infinite = save('infinite.csv', 'target,prediction\n-0.5,-0.4\n-0.2,Infinity\n0.3,0.1\n');
  assert.deepEqual(told(await run({ id: 'discovery-metrics', data: { path: infinite } })), ['data/not-finite']);
});

test('several columns of predictions by an expression; columns that options name are checked before the pass', async () => {
  const path = save('models.csv', 'target,pred_a,pred_b,mp-id\n-0.5,-0.4,0.2,m1\n-0.2,0.1,-0.1,m2\n0.3,0.1,0.4,m3\n');
  const data = { path, columns: 'prediction=pred_.*' };
  const [report] = await run({ id: 'discovery-metrics', data, options: { compare: true, id: 'mp-id' } });
  assert.ok(!(report instanceof Fault));
  const models = report.cards.find((c) => c.title === 'Models');
  assert.ok(models?.kind === 'table');
  assert.deepEqual(
    models.rows.map(([name]) => name),
    ['pred_a', 'pred_b'],
  );
  assert.deepEqual(told(await run({ id: 'discovery-metrics', data, options: { compare: true, id: 'mpid' } })), ['data/column']);
  assert.deepEqual(told(await run({ id: 'discovery-metrics', data })), ['diagnostic/entry']);
  assert.deepEqual(told(await run({ id: 'discovery-metrics', data: { path, columns: 'prediction=none_.*' } })), ['data/column']);
});
