import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auroc, averagePrecision } from '../../src/base/maths/auroc.ts';
import { random } from '../../src/base/random.ts';
import { rankCells, resampleRanking } from '../../src/diagnostics/metrics/ranking-resample.ts';
import { binOf, leastOf } from '../../src/diagnostics/metrics/ranking-sketch.ts';
import { addScore, mergeSlots, pooledRuns, type Slots, slotOf, slots } from '../../src/diagnostics/metrics/ranking-slots.ts';
import { tally } from './tally.ts';

test('bins rise with the score, hold their least one, and tell 0.001 of relative distance apart near 0 and near 1', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(3, 8),
      (a, b, bits) => {
        assert.ok(a > b || binOf(a, bits) <= binOf(b, bits));
        const bin = binOf(a, bits);
        // A score rounds to float32 on its way.
        assert.ok(leastOf(bin, bits) <= a * (1 + 2 ** -23));
        assert.ok(bin === binOf(1, bits) || leastOf(bin + 1, bits) >= a * (1 - 2 ** -23));
      },
    ),
  );
  assert.notEqual(binOf(1e-6, 8), binOf(1.01e-6, 8));
  assert.notEqual(binOf(1 - 1e-6, 8), binOf(1 - 1.01e-6, 8));
});

test('beyond the limit scores become counts: the same however the rows were split, with the AUROC off by no more than is said', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1), fc.nat(255)), { maxLength: 60 }), fc.nat(60), (found, at) => {
      const over = (part: typeof found): Slots => {
        const of = slots(25, 3);
        for (const [label, k] of part) addScore(of, slotOf(of, String(k % 3)), k / 255, label === 1);
        return of;
      };
      const [left, right] = [over(found.slice(0, at)), over(found.slice(at))];
      mergeSlots(left, right);
      const [merged, whole] = [pooledRuns(left), pooledRuns(over(found))];
      assert.deepEqual(merged, whole);
      const exact = auroc(
        tally(
          found.map(([label]) => label),
          found.map(([, k]) => k / 255),
        ),
      ).value;
      const { hits, misses } = whole;
      const pairs = hits.reduce((sum, n, g) => sum + n * misses[g], 0);
      const all = hits.reduce((a, n) => a + n, 0) * misses.reduce((a, n) => a + n, 0);
      if (all > 0) assert.ok(Math.abs(auroc(whole).value - exact) <= pairs / all / 2 + 1e-12);
    }),
  );
});

test('resamples of cells agree with resamples of rows within Monte-Carlo error at 20,000 rows', async () => {
  const r = random(9, 'cells');
  const labels = Array.from({ length: 20_000 }, () => Number(r.next() < 0.03));
  const all = tally(
    labels,
    labels.map((label) => 1 / (1 + Math.exp(-r.normal() - 1.5 * label))),
  );
  const cells = rankCells(all);
  assert.ok(cells.hits.length >= 2000 && cells.hits.length < all.c.length);
  const draws = 300;
  const still = async (): Promise<void> => {};
  const options = { most: 0.1, k: 200 };
  const a = await resampleRanking(all, draws, options, random(1, 'rows'), still);
  const b = await resampleRanking(cells, draws, options, random(2, 'cells'), still);
  const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;
  const sd = (x: Float64Array): number => Math.sqrt(x.reduce((sum, v) => sum + (v - mean(x)) ** 2, 0) / (x.length - 1));
  for (const name of ['auprc', 'partial', 'precisionAtK'] as const) {
    // Four standard errors of a difference of two means, and of two standard deviations.
    const error = sd(a[name]) / Math.sqrt(draws);
    assert.ok(Math.abs(mean(a[name]) - mean(b[name])) < 4 * Math.SQRT2 * error, `${name}: ${mean(a[name])} and ${mean(b[name])}`);
    assert.ok(Math.abs(sd(a[name]) - sd(b[name])) < 4 * error, `${name}: ${sd(a[name])} and ${sd(b[name])}`);
  }
  // The jackknife's standard error is that of the resamples.
  const { variance } = averagePrecision(all);
  assert.ok(Math.abs(Math.sqrt(variance) / sd(a.auprc) - 1) < 0.2);
});
