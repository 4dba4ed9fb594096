import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { meanReach } from '../../src/base/maths/student.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { ranksOf } from '../../src/diagnostics/training/z-loss-sweep-run.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { workshop } from '../training/workshop.ts';

const ports = await world();
const shop = workshop();
const ask = (path: string, options: Record<string, unknown>): Promise<Report> =>
  diagnose({ id: 'z-loss-sweep', data: { path }, options, device: 'cpu', seed: 0 }, ports, { ...quietJob(), live: () => {} });

/** Classes on a circle with noise. */
const circle = (classes: number, rows = 90): string => {
  const chance = random(0, 'circle');
  const y = Array.from({ length: rows }, (_, i) => i % classes);
  const x = y.flatMap((c) => [Math.cos, Math.sin].map((f) => f((2 * Math.PI * c) / classes) + 0.5 * chance.normal()));
  return shop.arrays(`circle${classes}.npz`, { x: float32([rows, 2], x), y: int64([rows], y) });
};
const small = { hidden: '8', a: '1, 5', b: '0, auto', epochs: 2, batch: 16, repeats: 2, rate: 0.05 };

test('ranks of rows held out, by hand; the interval of a mean by Student', () => {
  const scores = { rows: 2, cols: 3, data: Float64Array.of(3, 2, 1, 0, 5, 0) };
  assert.deepEqual(ranksOf(scores, Int32Array.of(1, 0), [1, 2]), { among: [0, (1 + 0.5) / 2], mrr: (1 / 2 + 1 / 2.5) / 2 });
  // t₀.₉₇₅ with 2 degrees of freedom is 4.302652729911275; the standard deviation of 1, 2, 3 is 1.
  assert.ok(Math.abs(meanReach([1, 2, 3], 0.95) - 4.302652729911275 / Math.sqrt(3)) < 1e-9);
  assert.ok(Number.isNaN(meanReach([1], 0.95)));
});

test('every (a, b) is trained beside cross-entropy, and the best is told with its interval', async () => {
  const report = await ask(circle(5), small);
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const table = report.cards.find((c) => c.title === 'Every loss');
  assert.ok(table?.kind === 'table');
  assert.deepEqual(
    table.rows.map(([loss, a, b]) => [loss, a, b]),
    // auto: 0.7 √4.
    [
      ['cross-entropy', null, null],
      ['z-loss', 1, 0],
      ['z-loss', 1, 1.4],
      ['z-loss', 5, 0],
      ['z-loss', 5, 1.4],
    ],
  );
  const { headline, intervals } = report;
  const mrrs = table.rows.slice(1).map((r) => Number(r.at(-2)));
  assert.equal(headline.best_mrr, Math.max(...mrrs));
  assert.ok(Math.abs(headline.best_difference - (headline.best_mrr - headline.cross_entropy_mrr)) < 1e-12);
  assert.ok(intervals.best_difference.low <= headline.best_difference);
  for (const k of [1, 2, 3]) assert.ok(headline[`best_top${k}_error`] >= 0 && headline[`cross_entropy_top${k}_error`] <= 1);
  assert.match(report.guide, /4 settings were tried/);
  // The same seed gives the same numbers.
  assert.deepEqual((await ask(circle(5), small)).headline, headline);
});

test('a recipe gives model and length, its loss replaced; a margin out of reach is told', async () => {
  const recipe = shop.text(
    's.train.json',
    JSON.stringify({
      arch: { kind: 'linear' },
      data: { train: '-' },
      loss: 'focal',
      optimizer: { kind: 'sgd', lr: 0.1 },
      batch: 30,
      epochs: 1,
    }),
  );
  const report = await ask(circle(3), { a: '2', b: '3', repeats: 1, recipe });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  assert.equal(report.headline.best_a, 2);
  assert.ok(report.notes.some((n) => /exceeds 1.41: with b of 3/.test(n)));
  assert.equal(report.intervals.best_difference, undefined);
  assert.ok(report.cards[0].caption?.includes('1 epochs of sgd'));
});

test('wrong input is named', async () => {
  for (const [name, value] of [
    ['a', '0'],
    ['a', 'x'],
    ['a', '1,'],
    ['b', 'far'],
  ])
    await assert.rejects(ask(circle(3), { ...small, [name]: value }), (e) => Fault.is(e, 'option/value') && e.message.includes(name));
  await assert.rejects(ask(circle(2), small), (e) => Fault.is(e, 'diagnostic/sweep-classes'));
});
