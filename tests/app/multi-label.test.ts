import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose, diagnoseAll } from '../../src/app/diagnose.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import type { RunRequest } from '../../src/base/request.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { CardOf, Report } from '../../src/report/report.ts';
import { graph, model, node, value } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-multi-label-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const save = (name: string, content: Uint8Array | string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const jobOf = (): AppJob => ({ ...quietJob(), live: () => {} });
const request = (path: string, more: Partial<RunRequest> = {}): RunRequest => ({
  id: 'multi-label-calibration',
  data: { path },
  device: 'cpu',
  seed: 0,
  options: { nullDraws: 100, bootstrap: 100 },
  ...more,
});
const run = (path: string, more: Partial<RunRequest> = {}): Promise<Report> => diagnose(request(path, more), ports, jobOf());

const ROWS = 400;
const names = ['cat', 'dog', 'red'];
const r = random(1, 'multi-label');
const z = Float32Array.from({ length: ROWS * 3 }, () => 2 * r.normal());
const p = Float32Array.from(z, (v) => 1 / (1 + Math.exp(-v)));
// The third label happens far less often than it is promised.
const marks = Array.from(p, (v, i) => Number(r.next() < (i % 3 === 2 ? v ** 3 : v)));
const y: Tensor = { dtype: 'int64', dims: [ROWS, 3], data: BigInt64Array.from(marks, BigInt) };
const scores = (data: Float32Array): Tensor => ({ dtype: 'float32', dims: [ROWS, 3], data });

/** ECE in 15 bins of equal width, from its definition. */
const eceOf = (indices: readonly number[]): number => {
  const bins = new Map<number, number>();
  for (const i of indices) {
    let k = 0;
    while (k < 14 && (k + 1) / 15 < p[i]) k++;
    bins.set(k, (bins.get(k) ?? 0) + p[i] - marks[i]);
  }
  return [...bins.values()].reduce((sum, gap) => sum + Math.abs(gap), 0) / indices.length;
};
const every = Array.from(p, (_, i) => i);

test('an array of 0 and 1 beside probabilities: pooled and by label, from their definitions', async () => {
  const report = await run(save('probs.npz', writeNpz({ probs: scores(p), y })));
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const h = report.headline;
  assert.deepEqual([h.rows, h.labels, h.pairs], [ROWS, 3, 3 * ROWS]);
  // Sums of 1,200 float64 numbers, in another order.
  assert.ok(Math.abs(h.ece - eceOf(every)) < 1e-12);
  assert.ok(Math.abs(h.brier - every.reduce((sum, i) => sum + (p[i] - marks[i]) ** 2, 0) / every.length) < 1e-12);
  const loss = every.reduce((sum, i) => sum - Math.log(marks[i] ? p[i] : 1 - p[i]), 0) / every.length;
  assert.ok(Math.abs(h.nll - loss) < 1e-12);
  const table = report.cards.find((c) => c.title === 'Labels') as CardOf<'table'>;
  const ece = table.columns.findIndex((c) => c.name === 'ece');
  assert.equal(table.rows[0][0], '2', 'the label that is off comes first');
  for (const row of table.rows) assert.ok(Math.abs((row[ece] as number) - eceOf(every.filter((i) => i % 3 === Number(row[0])))) < 1e-12);
  assert.ok(Math.abs(h.ece_macro - table.rows.reduce((sum, row) => sum + (row[ece] as number), 0) / 3) < 1e-12);
  assert.match(report.guide, /most of all ‘2’/);
  assert.ok(report.samples.length > 0);
});

test('a table with label_<name> beside prob_<name>, a Sigmoid model, and logits say the same', async () => {
  const head = [...names.map((n) => `label_${n}`), ...names.toReversed().map((n) => `prob_${n}`)].join(',');
  const lines = Array.from({ length: ROWS }, (_, i) =>
    [...marks.slice(3 * i, 3 * i + 3), ...p.slice(3 * i, 3 * i + 3).toReversed()].join(','),
  );
  const table = await run(save('table.csv', `${[head, ...lines].join('\n')}\n`));
  assert.equal(table.outcome, 'measured', table.reason?.sentence);
  assert.match(table.guide, /most of all ‘red’/);
  const net = model(graph([value('x', ['N', 3])], [node('Sigmoid', ['x'], ['p'])], [value('p', ['N', 3])]));
  const fromModel = await run(save('x.npz', writeNpz({ x: scores(z), y })), {
    model: { path: save('m.onnx', write(mustVerify(net, 'm.onnx'))) },
  });
  assert.equal(fromModel.outcome, 'measured', fromModel.reason?.sentence);
  const logits = await run(save('logits.npz', writeNpz({ logits: scores(z), y })));
  // Probabilities are float32 in the table and in the model.
  for (const other of [fromModel, logits])
    for (const name of ['ece', 'brier', 'nll', 'auroc'])
      assert.ok(
        Math.abs(other.headline[name] - table.headline[name]) < 1e-5,
        `${name}: ${other.headline[name]} and ${table.headline[name]}`,
      );
});

test('beside diagnostics of one class a row, each is told what it needs', async () => {
  const path = save('both.npz', writeNpz({ probs: scores(p), y }));
  const [many, one] = await diagnoseAll([request(path), request(path, { id: 'reliability' })], ports, jobOf());
  assert.ok(!(many instanceof Fault) && many.outcome === 'measured');
  assert.ok(one instanceof Fault && one.code === 'data/one-hot' && /multi-label-calibration/.test(one.message), String(one));
});

test('bad labels and none', async () => {
  const bad: Tensor = { dtype: 'int64', dims: [ROWS, 3], data: BigInt64Array.from(marks, (m, i) => (i === 22 ? 2n : BigInt(m))) };
  await assert.rejects(run(save('bad.npz', writeNpz({ probs: scores(p), y: bad }))), (e) => {
    assert.ok(Fault.is(e, 'data/mark'));
    assert.match(e.message, /row 7 .* is 2/);
    return true;
  });
  const narrow: Tensor = { dtype: 'int64', dims: [ROWS, 2], data: new BigInt64Array(2 * ROWS) };
  const width = await run(save('narrow.npz', writeNpz({ probs: scores(p), y: narrow })));
  assert.equal(width.reason?.code, 'evidence/marks-width');
  const none = await run(save('none.npz', writeNpz({ probs: scores(p) })));
  assert.equal(none.reason?.code, 'evidence/no-marks');
  // Table columns named prob_ are held to be probabilities.
  const high = save('high.csv', 'prob_a,prob_b,label_a,label_b\n0.5,1.5,1,0\n0.2,0.3,0,1\n');
  await assert.rejects(run(high), (e) => Fault.is(e, 'data/probability'));
});
