import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../src/base/random.ts';
import { type Balance, constantPrediction } from '../../src/diagnostics/training/balance-scores.ts';
import { focalLoss, focalSlope } from '../../src/diagnostics/training/balance-state.ts';
import { measure, type Sample } from './cases.ts';

const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
const focal = { alpha: 0.25, gamma: 2 };
const id = 'foreground-background-balance';
const sample = (row: number, probs: readonly number[], marks: readonly number[]): Sample => ({ row, label: 0, probs, marks });

test('constant predictions of the card', () => {
  const [positives, pairs] = [120, 100000 * 80];
  const at = (p: number) => constantPrediction('', p, positives, pairs, focal);
  // The card prints eight or nine digits.
  for (const [p, loss, slope, focused] of [
    [0.5, 46209.812, 33332.3333, 8664.2531],
    [0.01, 674.61751, 665.66667, 1.1786328],
    [1.5e-5, 12.1074529, 0, 2.7767818],
  ]) {
    near(at(p).loss, loss, 1e-7 * loss);
    near(at(p).slope, slope, 1e-4);
    near(at(p).focal, focused, 1e-7 * focused);
  }
});

test('focal loss of the card, and its slope by central differences', () => {
  const z = [2, 1, 0.5, -1, -3];
  const p = (x: number): number => 1 / (1 + Math.exp(-x));
  near(
    z.reduce((s, v, c) => s + focalLoss(p(v), c === 0, focal), 0),
    0.8269863,
    6e-8,
  );
  const wanted = [-0.00121774, 0.57617604, 0.39461386, 0.03943585, 0.00023615];
  for (const [c, v] of z.entries()) {
    near(focalSlope(p(v), c === 0, focal), wanted[c], 1e-8);
    const h = 1e-5;
    near((focalLoss(p(v + h), c === 0, focal) - focalLoss(p(v - h), c === 0, focal)) / (2 * h), wanted[c], 1e-8);
  }
  // Gamma 0 and alpha ½ are half the cross-entropy, whose slope is p − y.
  for (const one of [true, false]) near(focalSlope(0.3, one, { alpha: 0.5, gamma: 0 }), 0.5 * (0.3 - Number(one)), 1e-12);
});

test('the share of hard labels is that of the card, with one label and with several; it grows with k', async () => {
  const p = [2, 1, 0.5, -1, -3].map((v) => 1 / (1 + Math.exp(-v)));
  const share = async (marks: readonly number[], k: number): Promise<number> =>
    (await measure(id, [sample(0, p, marks)], { k })).findings.headline.hard_share;
  // Terms lie on a grid of 2⁻²⁶.
  near(await share([1, 0, 0, 0, 0], 1), 0.4377897, 1e-7);
  near(await share([1, 1, 0, 0, 0], 1), p[2] / (p[2] + p[3] + p[4]), 1e-7);
  const grown = await Promise.all([1, 2, 3, 4, 10].map((k) => share([1, 0, 0, 0, 0], k)));
  assert.ok(grown.every((v, i) => v <= 1 && (i === 0 || v >= grown[i - 1])));
  assert.equal(grown[4], 1);
  const chance = random(0, 'hard');
  const many = Array.from({ length: 50 }, (_, i) => {
    const drawn = Array.from({ length: 8 }, () => chance.next());
    return sample(
      i,
      drawn,
      drawn.map(() => Number(chance.next() < 0.3)),
    );
  });
  const { findings } = await measure(id, many, { k: 2 });
  const sums = many.map(({ probs, marks = [] }) => probs.filter((_, c) => marks[c] === 0).toSorted((a, b) => b - a));
  const total = (of: readonly (readonly number[])[]): number => of.flat().reduce((a, b) => a + b, 0);
  const wanted = total(sums.map((s) => s.slice(0, 2))) / total(sums);
  near(findings.headline.hard_share, wanted, 1e-7);
  const interval = findings.intervals?.hard_share;
  assert.ok(interval && interval.low < wanted && wanted < interval.high);
});

test('sums by label, the prior and its bias', async () => {
  const rows = [
    sample(0, [0.5, 0.25, 0.125], [1, 0, 0]),
    sample(1, [0.75, 0.5, 0.125], [0, 0, 0]),
    sample(2, [0.25, 0.5, 0.25], [1, 1, 0]),
  ];
  const { result, findings } = await measure(id, rows);
  const r = result as Balance;
  assert.deepEqual(Array.from(r.sums.ones), [2, 1, 0]);
  assert.deepEqual(Array.from(r.sums.foreground), [1.25, 0.5, 0]);
  assert.deepEqual(Array.from(r.sums.background), [0.75, 0.75, 0.5]);
  near(findings.headline.prior, 3 / 9, 1e-12);
  near(findings.headline.optimal_bias, Math.log(0.5), 1e-12);
  near(findings.headline.background_to_foreground, 2 / 1.75, 1e-12);
  near(findings.headline.mean_probability, 3.25 / 9, 1e-12);
  assert.match(findings.notes?.[0] ?? '', /No row has class 2/);
  const bars = findings.cards.find((c) => c.kind === 'bars');
  // The rarest label comes first.
  assert.deepEqual(bars?.kind === 'bars' && bars.series[0].selections?.map((s) => s?.rows ?? null), [null, [2], [0, 2]]);
});

test('at the optimal bias the summed gradient is 0: background pulls as hard as foreground', async () => {
  const marks = Array.from({ length: 400 }, (_, i) => Number(i % 50 === 0));
  const rows = (p: number): Sample[] => Array.from({ length: 100 }, (_, i) => sample(i, [p, p, p, p], marks.slice(4 * i, 4 * i + 4)));
  const best = await measure(id, rows(8 / 400));
  // Terms are kept on a grid of 2⁻²⁶.
  near(best.findings.headline.background_to_foreground, 1, 1e-5);
  assert.match(best.findings.guide, /about as hard as each other/);
  const zero = await measure(id, rows(0.5));
  near(zero.findings.headline.background_to_foreground, 392 / 8, 1e-9);
  assert.match(zero.findings.guide, /49 times as hard/);
});

test('the interval of the prior is over rows, so labels that come together widen it', async () => {
  const chance = random(0, 'rows');
  const has = Array.from({ length: 200 }, () => Number(chance.next() < 0.2));
  const together = has.map((m, i) => sample(i, [0.5, 0.5], [m, m]));
  const alone = has.map((m, i) => sample(i, [0.5, 0.5], [m, 0]));
  const width = async (rows: readonly Sample[]): Promise<number> => {
    const { findings } = await measure(id, rows);
    const interval = findings.intervals?.prior;
    assert.ok(interval);
    return interval.high - interval.low;
  };
  near((await width(together)) / (await width(alone)), 2, 1e-9);
});

test('no foreground and no rows are said, and a majority of foreground is noted', async () => {
  assert.match((await measure(id, [sample(0, [0.5, 0.5], [0, 0])])).findings.guide, /None of 1 row has any label/);
  assert.match((await measure(id, [])).findings.guide, /no rows/);
  assert.match((await measure(id, [sample(0, [0.5, 0.5], [1, 1])])).findings.notes?.at(-1) ?? '', /Half of all pairs or more/);
});
