import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { DataRef } from '../../src/base/request.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-generations-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fixture = join(import.meta.dirname, '../fixtures/data/generations.jsonl');
const run = (data: DataRef, options: Record<string, unknown> = {}, id = 'generation-confidence'): Promise<Report> =>
  diagnose({ id, device: 'cpu', seed: 0, data, options: { nullDraws: 100, bootstrap: 100, ...options } }, ports, {
    ...quietJob(),
    live: () => {},
  });
const save = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('a file of generations is measured without a model, by split and group', async () => {
  const report = await run({ path: fixture }, { scoreScale: 'percent' });
  assert.equal(report.outcome, 'measured');
  assert.equal(report.headline.units, 160);
  assert.match(report.intervals.skill_score.method, /over groups of 'group'/);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  const c = await run({ path: fixture, split: 'language=c' }, { scoreScale: 'percent', aggregate: 'total-prob', group: 'id' });
  assert.equal(c.headline.units, 80);
  assert.match(c.notes.join(), /no rescaling: only/);
  await assert.rejects(run({ path: fixture }, { scoreScale: 'percent', task: 'langage' }), (error: unknown) => {
    assert.ok(error instanceof Fault && error.code === 'data/column');
    return /Did you mean 'language'/.test(error.message);
  });
});

test('a table with JSON lists in its cells says the same as JSON lines', async () => {
  const rows = [
    [1, [-0.1, -0.2]],
    [0, [-1, -2, -0.5]],
    [1, [-0.3]],
    [0, [-0.2, -0.1]],
  ] as const;
  const csv = save('g.csv', `correct,token_logprobs\n${rows.map(([a, l]) => `${a},"${JSON.stringify(l)}"`).join('\n')}\n`);
  const jsonl = save('g.jsonl', rows.map(([correct, token_logprobs]) => JSON.stringify({ correct, token_logprobs })).join('\n'));
  const [one, two] = [await run({ path: csv }), await run({ path: jsonl })];
  assert.deepEqual(one.headline, two.headline);
  assert.equal(one.headline.units, 4);
});

test('JSON lines are predictions for other diagnostics', async () => {
  const path = save(
    'p.jsonl',
    Array.from({ length: 40 }, (_, i) => JSON.stringify({ label: i % 2, probs: i % 2 ? [0.3, 0.7] : [0.6, 0.4], note: `row ${i}` })).join(
      '\n',
    ),
  );
  const report = await run({ path }, {}, 'reliability');
  assert.equal(report.headline.accuracy, 1);
  const words = save(
    'w.jsonl',
    Array.from({ length: 6 }, (_, i) => JSON.stringify({ label: 'ab'[i % 2], prob_a: i % 2 ? 0.2 : 0.9, prob_b: i % 2 ? 0.8 : 0.1 })).join(
      '\n',
    ),
  );
  const matrix = await diagnose({ id: 'confusion-matrix', device: 'cpu', seed: 0, data: { path: words }, options: {} }, ports, {
    ...quietJob(),
    live: () => {},
  });
  assert.equal(matrix.headline.accuracy, 1);
});
