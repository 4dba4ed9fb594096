import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import type { Dilution } from '../../src/diagnostics/training/dilution-scores.ts';
import { measure, type Sample } from './cases.ts';

/** Rows with these logits; what the noun gives is not checked against probabilities here. */
const rowsOf = (logits: readonly (readonly number[])[], labels: readonly number[]): Sample[] =>
  logits.map((z, row) => ({ row, label: labels[row], probs: z.map(() => 1 / z.length), logProbs: z }));
const found = async (rows: readonly Sample[], options: Record<string, string | number> = {}) => {
  const { result, findings } = await measure('gradient-dilution', rows, options, { scores: 'logits' });
  return { r: result as Dilution, findings };
};
/** Terms are kept on a grid of 2⁻²⁶. */
const near = (a: number, b: number, tolerance = 1e-7): void =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)), `${a} is not ${b}`);

test('equal probabilities of one in a hundred: R_pos falls with the number of classes', async () => {
  for (const [classes, wanted] of [
    [80, 1.2531646],
    [1203, 0.0823627],
    [13204, 0.0074983],
  ]) {
    const z = Array.from({ length: classes }, () => Math.log(0.01 / 0.99));
    const { findings } = await found(rowsOf([z], [0]), { activation: 'sigmoid' });
    // The card prints seven decimals; a probability of 0.01 on the grid is off by 1e-8 at most, 1e-6 of itself.
    near(findings.headline.positive_to_negative, wanted, 2e-6);
  }
});

test('the row of the card, with sigmoids and with softmax', async () => {
  const rows = rowsOf([[2, 1, 0.5, -1, -3]], [0]);
  const own = await found(rows, { activation: 'sigmoid', k: 1 });
  near(own.findings.headline.positive_to_negative, 0.0713839);
  near(own.findings.headline.hard_share, 0.4377897);
  const shared = await found(rows, { k: 1 });
  near(shared.r.sums.positive[0], 0.3930325);
  near(
    shared.r.sums.negative.reduce((a, b) => a + b, 0),
    0.3930325,
  );
  near(shared.findings.headline.hard_share, 0.5681232);
  assert.equal(shared.findings.headline.positive_to_negative, undefined);
});

test('with the focal loss gradients are its own, with sigmoids and with softmax', async () => {
  const z = [2, 1, 0.5, -1, -3];
  // dL/dz of the card, which prints eight decimals; terms lie on a grid of 2⁻²⁶.
  const slopes = [0.00121774, 0.57617604, 0.39461386, 0.03943585, 0.00023615];
  const negative = slopes.slice(1).reduce((a, b) => a + b, 0);
  const { r, findings } = await found(rowsOf([z], [0]), { activation: 'sigmoid', loss: 'focal', k: 2 });
  near(findings.headline.hard_share, (slopes[1] + slopes[2]) / negative, 3e-8);
  near(findings.headline.positive_to_negative, slopes[0] / negative, 3e-8);
  near(r.sums.positive[0], slopes[0], 3e-8);
  for (const c of [1, 2, 3, 4]) near(r.sums.negative[c], slopes[c], 3e-8);
  const softmax = await found(rowsOf([z], [0]), { loss: 'focal' });
  const sum = z.reduce((s, v) => s + Math.exp(v), 0);
  const loss = (at: readonly number[]): number => {
    const own = Math.exp(at[0]) / at.reduce((s, v) => s + Math.exp(v), 0);
    return -((1 - own) ** 2) * Math.log(own);
  };
  // Central differences of 1e-5 are off by less than 1e-9.
  const difference = z.map(
    (_, c) => Math.abs(loss(z.map((v, j) => v + (j === c ? 1e-5 : 0))) - loss(z.map((v, j) => v - (j === c ? 1e-5 : 0)))) / 2e-5,
  );
  near(softmax.r.sums.positive[0], difference[0], 3e-8);
  for (const c of [1, 2, 3, 4]) near(softmax.r.sums.negative[c], difference[c], 3e-8);
  near(softmax.r.sums.mean[0], Math.exp(2) / sum);
  const sure = await found(rowsOf([[800, 0]], [0]), { loss: 'focal', gamma: 0.5 });
  assert.deepEqual([sure.r.sums.positive[0], sure.r.sums.negative[1]], [0, 0]);
  // γ = 0 and α = 1/2 is half of cross-entropy.
  const half = await found(rowsOf([z], [0]), { activation: 'sigmoid', loss: 'focal', alpha: 0.5, gamma: 0, k: 1 });
  near(half.findings.headline.positive_to_negative, 0.0713839);
  near(half.findings.headline.hard_share, 0.4377897);
});

const chance = random(0, 'dilution');
const many = (n: number, classes: number, mean: number): number[][] =>
  Array.from({ length: n }, () => Array.from({ length: classes }, () => mean + chance.normal()));

test('hard shares lie between 0 and 1 and grow with k; all others are hard at most', async () => {
  const rows = rowsOf(
    many(40, 20, 0),
    Array.from({ length: 40 }, (_, i) => i % 20),
  );
  let before = 0;
  for (const k of [1, 3, 10, 19, 50]) {
    const { findings } = await found(rows, { k, activation: 'sigmoid' });
    assert.ok(findings.headline.hard_share >= before && findings.headline.hard_share <= 1);
    before = findings.headline.hard_share;
  }
  assert.equal(before, 1);
  assert.equal((await found(rows, { hard: 'threshold', threshold: 1 })).findings.headline.hard_share, 0);
  assert.equal((await found(rows, { hard: 'threshold', threshold: 0 })).findings.headline.hard_share, 1);
});

test('another order of the classes changes nothing but their places', async () => {
  const logits = many(30, 12, -1);
  const labels = Array.from({ length: 30 }, (_, i) => (i * 5) % 12);
  const order = random(1, 'order').shuffle(Array.from({ length: 12 }, (_, c) => c));
  const a = await found(rowsOf(logits, labels), { activation: 'sigmoid' });
  const turned = rowsOf(
    logits.map((z) => order.map((c) => z[c])),
    labels.map((y) => order.indexOf(y)),
  );
  const b = await found(turned, { activation: 'sigmoid' });
  assert.equal(b.findings.headline.positive_to_negative, a.findings.headline.positive_to_negative);
  assert.deepEqual(
    order.map((c) => a.r.sums.negative[c]),
    Array.from(b.r.sums.negative),
  );
});

test('dilution law: over random subsets R_pos falls as 1/(C − 1)', async () => {
  // The card: 4000 × 1000 logits N(−3, 1) give (C − 1)·R_pos of 13.4 to 14.8; E(1 − p)/E(p) = 13.40 by quadrature.
  const rows = rowsOf(
    many(1500, 200, -3),
    Array.from({ length: 1500 }, (_, i) => (i * 7) % 200),
  );
  const { r, findings } = await found(rows, { activation: 'sigmoid' });
  near(findings.headline.positive_to_mean_negative, 13.4, 0.03);
  near(findings.headline.subset_slope, -1, 0.03);
  assert.deepEqual(
    r.subsets.map((p) => p.classes),
    [2, 5, 10, 20, 50, 100, 200],
  );
  for (const p of r.subsets.filter((s) => s.classes >= 10)) near(p.positive * (p.classes - 1), 13.4, 0.1);
});

test('classes by their rows: the tail has less gradient of its own, and its recall an interval', async () => {
  const labels = [
    ...Array.from({ length: 300 }, () => 0),
    ...Array.from({ length: 300 }, () => 1),
    ...Array.from({ length: 40 }, () => 2),
    3,
    3,
    3,
    3,
  ];
  const logits = labels.map((y) => [0, 0, -2, -4].map((b, c) => b + (c === y ? 2 : 0) + 0.1 * chance.normal()));
  const { r, findings } = await found(rowsOf(logits, labels));
  assert.deepEqual(
    r.bins.map((b) => [b.name, b.classes, b.rows]),
    [
      ['rare', 1, 4],
      ['common', 1, 40],
      ['frequent', 2, 600],
    ],
  );
  assert.ok(findings.headline.positive_to_negative_rare !== findings.headline.positive_to_negative_frequent);
  assert.ok(findings.intervals?.recall_rare.method === 'Wilson');
  assert.match(findings.notes?.[0] ?? '', /4 classes/);
  const bars = findings.cards.find((c) => c.kind === 'bars');
  assert.deepEqual(bars?.kind === 'bars' && bars.series[0].selections?.[0]?.rows, [640, 641, 642, 643]);
});

test('the interval of R_pos covers it about as often as it says', async () => {
  const truth = 13.4 / 19;
  let covered = 0;
  for (let t = 0; t < 60; t++) {
    const rows = rowsOf(
      many(60, 20, -3),
      Array.from({ length: 60 }, (_, i) => i % 20),
    );
    const { findings } = await found(rows, { activation: 'sigmoid' });
    const interval = findings.intervals?.positive_to_negative;
    if (interval && interval.low <= truth && truth <= interval.high) covered++;
  }
  // 95 % of 60 are 57; fewer than 50 has a probability below 1e-3.
  assert.ok(covered >= 50, `${covered} of 60`);
});

test('a label beyond the classes is named; no rows are no numbers', async () => {
  await assert.rejects(found(rowsOf([[0, 1]], [2])), (e) => Fault.is(e, 'diagnostic/label'));
  const { findings } = await found([]);
  assert.match(findings.guide, /no rows/);
});
