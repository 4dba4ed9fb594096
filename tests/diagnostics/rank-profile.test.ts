import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { rankEdges, standardisedOwn, zLossOf } from '../../src/diagnostics/metrics/rank-state.ts';
import { chanceAmong, firstCounts, midRank, trueRank } from '../../src/diagnostics/metrics/true-rank.ts';
import { measure, type Sample } from './cases.ts';

const rowsOf = (logits: readonly (readonly number[])[], labels: readonly number[]): Sample[] =>
  logits.map((z, row) => ({ row, label: labels[row], probs: z.map(() => 1 / z.length), logProbs: z }));
const found = (logits: readonly (readonly number[])[], labels: readonly number[], options: Record<string, number> = {}) =>
  measure('rank-profile', rowsOf(logits, labels), options, { scores: 'logits' });
const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

test('the standardised scores and losses of the card', () => {
  const known: [number[], number, [number, number, number][], number][] = [
    [
      [2, -1, 0.5, 3],
      3,
      [
        [1, 0, 0.254798547503],
        [0.5, 10, 8.787681111398],
        [5, 1.5, 0.310421753706],
      ],
      1.237179148,
    ],
    [
      [0, 1, 2, -4],
      0,
      [
        [1, 0, 0.639770319232],
        [5, 1.5, 1.390427149562],
      ],
      0.10976426,
    ],
  ];
  for (const [scores, label, losses, wanted] of known) {
    const { z, flat } = standardisedOwn(scores, 0, 4, label);
    near(z, wanted, 1e-9 * 6);
    assert.equal(flat, false);
    // The card prints twelve decimals; 1e-12 stands in σ.
    for (const [a, b, loss] of losses) near(zLossOf(z, { a, b }), loss, 2e-12);
    const moved = standardisedOwn(
      scores.map((s) => 3 * s + 7),
      0,
      4,
      label,
    );
    near(moved.z, z, 1e-12);
  }
  // At most √(C − 1), where all other scores are equal.
  near(standardisedOwn([1, 5, 1, 1, 1], 0, 5, 1).z, 2, 1e-11);
  assert.equal(standardisedOwn([3, 3, 3], 0, 3, 1).flat, true);
  // a → ∞: max(0, b − z).
  near(zLossOf(0.5, { a: 1e4, b: 1.5 }), 1, 1e-12);
  near(zLossOf(0.5, { a: 1e4, b: 0.2 }), 0, 1e-12);
});

test('ranks: classes above and half of those equal, and the chance of a tie to fall right', () => {
  assert.deepEqual(trueRank([0, 3, 1, 3, 3, -1], 0, 6, 3), { above: 0, ties: 2 });
  assert.deepEqual(trueRank([9, 0, 3, 1], 1, 3, 2), { above: 1, ties: 0 });
  assert.equal(midRank({ above: 1, ties: 3 }), 2.5);
  near(chanceAmong(1, { above: 0, ties: 2 }), 1 / 3, 1e-15);
  assert.equal(chanceAmong(1, { above: 1, ties: 5 }), 0);
  assert.equal(chanceAmong(5, { above: 1, ties: 2 }), 1);
  assert.deepEqual(firstCounts(10), [1, 2, 3, 5]);
  assert.deepEqual(rankEdges(4), [1, 2, 3, 4]);
  assert.deepEqual(rankEdges(100), [1, 2, 3, 6, 11, 21, 51]);
});

test('numbers counted by hand', async () => {
  const { findings } = await found(
    [
      [3, 2, 1, 0],
      [3, 2, 1, 0],
      [3, 2, 1, 0],
      [5, 5, 1, 0],
    ],
    [0, 1, 3, 0],
  );
  const { headline, intervals = {} } = findings;
  assert.equal(headline.accuracy, 0.5);
  near(headline.top1_error, (0 + 1 + 1 + 0.5) / 4, 1e-8);
  near(headline.top2_error, 1 / 4, 1e-8);
  near(headline.top3_error, 1 / 4, 1e-8);
  assert.equal(headline.top5_error, undefined);
  near(headline.mrr, (1 + 1 / 2 + 1 / 4 + 1 / 1.5) / 4, 1e-15);
  near(headline.mean_rank, (1 + 2 + 4 + 1.5) / 4, 1e-15);
  assert.ok(intervals.mrr.low < headline.mrr && headline.mrr < intervals.mrr.high);
  assert.ok(intervals.top1_error.low < 0.625 && intervals.top1_error.high > 0.625);
  const places = findings.cards.find((c) => c.title === 'Place of the own class');
  assert.ok(places?.kind === 'bars');
  assert.deepEqual(places.series[0].values, [2, 1, 0, 1]);
  assert.deepEqual(places.series[0].selections?.[3]?.rows, [2]);
});

test('shift and scale of a row, and the order of other classes, change neither ranks nor z-loss', async () => {
  const chance = random(0, 'ranks');
  const logits = Array.from({ length: 60 }, () => Array.from({ length: 30 }, () => chance.normal()));
  const labels = Array.from({ length: 60 }, (_, i) => (7 * i) % 30);
  const own = (await found(logits, labels)).findings.headline;
  const moved = (
    await found(
      logits.map((z, i) => z.map((v) => (1 + i) * v - 3 * i)),
      labels,
    )
  ).findings.headline;
  const turned = (
    await found(
      logits.map((z) => [...z].reverse()),
      labels.map((y) => 29 - y),
    )
  ).findings.headline;
  for (const key of ['top1_error', 'top5_error', 'top20_error', 'mrr', 'mean_rank', 'z_loss']) {
    near(moved[key], own[key], 1e-8);
    near(turned[key], own[key], 1e-8);
  }
  const errors = ['top1_error', 'top2_error', 'top3_error', 'top5_error', 'top10_error', 'top20_error'].map((k) => own[k]);
  for (let k = 1; k < errors.length; k++) assert.ok(errors[k] <= errors[k - 1]);
});

test('what is peculiar is told: equal scores, two classes, a margin out of reach, probabilities', async () => {
  const flat = await found(
    [
      [1, 1, 1],
      [2, 0, 1],
    ],
    [0, 0],
    { b: 2 },
  );
  assert.match(flat.findings.notes?.join(' ') ?? '', /1 row has the same score for all classes.*exceeds 1.41/s);
  const two = await found([[1, 0]], [0]);
  assert.match(two.findings.notes?.join(' ') ?? '', /always 1 or −1/);
  const given = await measure('rank-profile', [{ row: 0, label: 0, probs: [0.5, 0.3, 0.2] }]);
  assert.match(given.findings.notes?.join(' ') ?? '', /scores are probabilities/);
  const none = await measure('rank-profile', []);
  assert.deepEqual(none.findings.cards, []);
  assert.match(none.findings.guide, /no rows/);
  await assert.rejects(found([[1, 0, 2]], [3]), (e) => Fault.is(e, 'diagnostic/label'));
  for (const a of [0, -1]) await assert.rejects(found([[1, 0, 2]], [0], { a }), (e) => Fault.is(e, 'option/value'));
});
