import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { localCalibration } from '../../src/diagnostics/calibration/local-calibration.ts';
import type { Findings } from '../../src/diagnostics/define.ts';
import { subjectOf } from './cases.ts';

const run = async (
  table: { classes: number; logits: Float64Array; labels: Int32Array },
  options: Record<string, unknown> = {},
): Promise<Findings> => {
  const d = localCalibration;
  assert.ok(d.shape === 'study');
  const chosen = choose(d.id, d.options, options);
  const shown = { ...table, rows: Float64Array.from(table.labels, (_, i) => i) };
  const subject = subjectOf(table.classes, table.labels.length, 'logits');
  const tools = { scores: { shown, split: async () => shown } } as unknown as Parameters<typeof d.study>[0];
  return d.report(await d.study(tools, chosen, quietJob(), subject), chosen, subject);
};

/** Labels drawn from softmax(z/T): calibrated for T = 1, overconfident above. */
const drawn = (rows: number, temperature: number) => {
  const r = random(5, 'local');
  const logits = Float64Array.from({ length: 3 * rows }, () => 2 * r.normal());
  const labels = Int32Array.from({ length: rows }, (_, i) => {
    const e = [0, 1, 2].map((j) => Math.exp(logits[3 * i + j] / temperature));
    let left = r.next() * (e[0] + e[1] + e[2]);
    let j = 0;
    for (; j < 2 && left >= e[j]; j++) left -= e[j];
    return j;
  });
  return { classes: 3, logits, labels };
};

test('a calibrated model stays within noise, an overconfident one does not', async () => {
  const fine = await run(drawn(1500, 1));
  assert.ok(fine.headline.local_error_p_value > 0.05);
  assert.match(fine.guide, /no more than noise/);
  const bold = await run(drawn(1500, 2.5));
  assert.ok(bold.headline.local_error_p_value < 0.01);
  assert.ok(bold.headline.local_error > 3 * bold.headline.local_error_expected);
  assert.match(bold.guide, /more than noise: near a probability/);
  const [curve] = bold.cards;
  assert.ok(curve.kind === 'curve');
  const { points } = curve.lines[0];
  // Low probabilities come true more often than promised, high ones less often.
  assert.ok(points[20][1] < 0 && points[points.length - 20][1] > 0);
  const band = curve.bands?.[0].points ?? [];
  assert.equal(band.length, points.length);
  assert.ok(band.every(([, low, high]) => low <= high));
});

test('a sure model is drawn along the whole axis, though nearly all its probabilities lie at the ends', async () => {
  const r = random(3, 'sure');
  const rows = 20_000;
  // 19 of 20 rows within 1e-4 of certainty: windows drawn evenly by rank would leave all between to straight lines.
  const logits = Float64Array.from({ length: 2 * rows }, (_, k) => (k % 2 ? 0 : k % 40 ? (r.next() < 0.5 ? -10 : 10) : 10 * r.next() - 5));
  const labels = Int32Array.from({ length: rows }, (_, i) => Number(r.next() >= 1 / (1 + Math.exp(-logits[2 * i]))));
  const [curve] = (await run({ classes: 2, logits, labels }, { window: 20, nullDraws: 100 })).cards;
  assert.ok(curve.kind === 'curve');
  const xs = curve.lines[0].points.map(([x]) => x);
  assert.ok(xs.length <= 200);
  // A hundredth of the axis, and the distance between neighbouring events; means of windows are rounded.
  for (let k = 1; k < xs.length; k++) assert.ok(xs[k] > xs[k - 1] - 1e-12 && xs[k] - xs[k - 1] < 0.02, `from ${xs[k - 1]} to ${xs[k]}`);
});

test('each class has a curve; the order of rows changes nothing but draws', async () => {
  const table = drawn(600, 2);
  const { cards, headline } = await run(table, { scope: 'classwise', nullDraws: 100 });
  assert.equal(cards.filter(({ kind }) => kind === 'curve').length, 3);
  const order = random(0, 'order').shuffle(Array.from({ length: 600 }, (_, i) => i));
  const moved = {
    classes: 3,
    logits: Float64Array.from(order.flatMap((i) => [...table.logits.subarray(3 * i, 3 * i + 3)])),
    labels: Int32Array.from(order, (i) => table.labels[i]),
  };
  const again = await run(moved, { scope: 'classwise', nullDraws: 100 });
  assert.ok(Math.abs(again.headline.local_error - headline.local_error) < 1e-12);
});

test('card B with a window of 4, by hand', async () => {
  const logits = Float64Array.of(2, 0.5, -1, 0.1, 1.2, 0.3, 3, 2.5, 0, -0.5, 0, 1.5, 1, 0.8, 0.9, 0, 2, -2, 1.5, -0.5, 0.2, 0.3, 0.2, 2.2);
  const labels = [0, 1, 1, 2, 2, 1, 0, 0];
  const events = labels
    .flatMap((y, i) => {
      const e = [0, 1, 2].map((j) => Math.exp(logits[3 * i + j]));
      const sum = e[0] + e[1] + e[2];
      return e.map((v, j) => ({ q: v / sum, d: v / sum - Number(j === y) }));
    })
    .sort((a, b) => a.q - b.q);
  const t = events.slice(2, -2).map((_, k) => events.slice(k, k + 5).reduce((s, { d }) => s + d, 0) / 5);
  const { headline } = await run({ classes: 3, logits, labels: Int32Array.from(labels) }, { window: 4, nullDraws: 100 });
  assert.ok(Math.abs(headline.local_error - t.reduce((s, v) => s + Math.abs(v), 0) / t.length) < 1e-14);
  assert.ok(Math.abs(headline.local_error_max - Math.max(...t.map(Math.abs))) < 1e-14);
});

test('a window wider than the data is refused', async () => {
  const file = JSON.parse(readFileSync(new URL('../golden/diagnostics/digits.json', import.meta.url), 'utf8'));
  const table = { classes: 10, logits: Float64Array.from(file.logits.slice(0, 100)), labels: Int32Array.from(file.labels.slice(0, 10)) };
  await assert.rejects(
    run(table),
    (error: unknown) =>
      error instanceof Fault &&
      error.code === 'diagnostic/local-window' &&
      /window of 200.*10 rows give 100; lower window/.test(error.message),
  );
});

test('a window of odd width has no middle and is refused', async () => {
  await assert.rejects(
    () => run(drawn(600, 1), { window: 201 }),
    (e) => Fault.is(e, 'option/value') && /'window' is '201' but must be an even number/.test(e.message),
  );
});
