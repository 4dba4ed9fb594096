import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { random } from '../../src/base/random.ts';
import { massBins, massEnds, widthBinOf, widthBins } from '../../src/diagnostics/calibration/bins.ts';
import { cells } from '../../src/diagnostics/calibration/cells.ts';
import { nullDraws } from '../../src/diagnostics/calibration/null-draws.ts';
import { type Groups, pile, put, runs, walkGroups } from '../../src/diagnostics/calibration/pairs.ts';
import { bootstrapDebiased } from '../../src/diagnostics/calibration/resample.ts';
import { measure, type Sample } from './cases.ts';

/** Three-class rows with probabilities k/256, so that ties happen. */
const samples: fc.Arbitrary<Sample[]> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 256 }), fc.integer({ min: 0, max: 256 }), fc.nat(2)), { minLength: 1, maxLength: 60 })
  .map((rows) =>
    rows.map(([a, b, label], row) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      return { row, label, probs: [low / 256, (high - low) / 256, (256 - high) / 256] };
    }),
  );
const quick = { nullDraws: 100, bootstrap: 100 };

test('ece ≤ rmsce ≤ mce, average ≤ mce, and any binning is at least |mean confidence − accuracy|', async () => {
  await fc.assert(
    fc.asyncProperty(samples, fc.integer({ min: 1, max: 20 }), async (rows, bins) => {
      const h = (await measure('reliability', rows, { bins, ...quick })).findings.headline;
      const least = Math.abs(h.mean_confidence - h.accuracy);
      assert.ok(h.ece <= h.rmsce + 1e-12 && h.rmsce <= h.mce + 1e-12 && h.average_ce <= h.mce + 1e-12);
      assert.ok(h.ece >= least - 1e-12 && h.ece_mass >= least - 1e-12);
      if (bins === 1) assert.ok(Math.abs(h.ece - least) <= 1e-12 && Math.abs(h.ece_mass - least) <= 1e-12);
    }),
    { numRuns: 60 },
  );
});

test('the decompositions sum to their Brier scores to 1e-12', async () => {
  await fc.assert(
    fc.asyncProperty(samples, fc.integer({ min: 1, max: 20 }), async (rows, bins) => {
      const h = (await measure('reliability', rows, { bins, ...quick })).findings.headline;
      const direct = rows.reduce((sum, s) => sum + s.probs.reduce((t, p, j) => t + (p - (j === s.label ? 1 : 0)) ** 2, 0), 0) / rows.length;
      assert.ok(Math.abs(h.brier - direct) <= 1e-12);
      for (const of of ['brier', 'brier_top']) {
        const terms =
          h[`${of}_reliability`] -
          h[`${of}_resolution`] +
          h[`${of}_uncertainty`] +
          h[`${of}_within_variance`] -
          h[`${of}_within_covariance`];
        assert.ok(Math.abs(terms - h[of]) <= 1e-12);
      }
    }),
    { numRuns: 60 },
  );
});

// Probabilities k/256 have exact sums; the logarithms are summed in another order, hence the tolerance of those two numbers.
test('permuting the rows changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(samples, fc.nat(), fc.constantFrom('width', 'mass'), async (rows, seed, binning) => {
      const moved = random(seed, 'permute').shuffle([...rows]);
      const a = (await measure('reliability', rows, { binning, ...quick })).findings;
      const b = (await measure('reliability', moved, { binning, ...quick })).findings;
      assert.ok(Math.abs(a.headline.nll - b.headline.nll) <= 1e-12);
      assert.deepEqual({ ...a.headline, nll: 0 }, { ...b.headline, nll: 0 });
      assert.deepEqual({ ...a.intervals, nll: null }, { ...b.intervals, nll: null });
      assert.deepEqual(a.cards.slice(0, 2), b.cards.slice(0, 2));
    }),
    { numRuns: 40 },
  );
});

test('a width bin counts the edges below its value', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true }), (m, k, any) => {
      for (const c of [any, Math.min(1, k / m)]) {
        let below = 0;
        for (let e = 1; e < m; e++) if (e / m < c) below++;
        assert.equal(widthBinOf(c, m), below);
      }
    }),
  );
});

test('mass bins hold at least the rows asked for and cover all rows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 2 }),
      (n, m, least) => {
        const total = n.reduce((sum, k) => sum + k, 0);
        fc.pre(total >= least);
        const ends = massEnds(n, new Array<number>(n.length).fill(0), total, m, least);
        let from = 0;
        for (const to of ends) {
          assert.ok(n.slice(from, to).reduce((sum, k) => sum + k, 0) >= least);
          from = to;
        }
        assert.equal(from, n.length);
        assert.ok(ends.length <= m);
      },
    ),
  );
});

/** Confidences 1 − u²/2, right with probability c². */
const many = (n: number): Groups => {
  const [right, wrong] = [pile(), pile()];
  const r = random(11, 'many');
  for (let i = 0; i < n; i++) {
    const c = 1 - r.next() ** 2 / 2;
    put(r.next() < c * c ? right : wrong, c);
  }
  return runs(right, wrong);
};
const still = async (): Promise<void> => {};
const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;
const sd = (x: Float64Array): number => Math.sqrt(x.reduce((sum, v) => sum + (v - mean(x)) ** 2, 0) / (x.length - 1));

test('draws on fine cells agree with draws on rows within Monte-Carlo error at 20,000 rows', async () => {
  const rows = many(20_000);
  const fine = cells(walkGroups(rows), rows.n, 15);
  assert.ok(fine.c.length >= 2000);
  assert.deepEqual(
    widthBins(fine, 15).map((b) => [b.n, b.o]),
    widthBins(rows, 15).map((b) => [b.n, b.o]),
  );
  assert.deepEqual(
    massBins(fine, 15).map((b) => [b.n, b.o]),
    massBins(rows, 15).map((b) => [b.n, b.o]),
  );
  const draws = 400;
  const [a, b] = [
    await bootstrapDebiased(rows, true, 15, draws, random(1, 'rows'), still),
    await bootstrapDebiased(fine, false, 15, draws, random(2, 'cells'), still),
  ];
  // Four standard errors of a difference of two means, and of two standard deviations.
  const error = sd(a) / Math.sqrt(draws);
  assert.ok(Math.abs(mean(a) - mean(b)) < 4 * Math.SQRT2 * error, `means ${mean(a)} and ${mean(b)}`);
  assert.ok(Math.abs(sd(a) - sd(b)) < 4 * error, `deviations ${sd(a)} and ${sd(b)}`);
  const [c, d] = [await nullDraws(rows, 15, draws, random(3, 'rows'), still), await nullDraws(fine, 15, draws, random(4, 'cells'), still)];
  for (const [x, y] of [
    [c.ece, d.ece],
    [c.eceMass, d.eceMass],
  ]) {
    const e = sd(x) / Math.sqrt(draws);
    assert.ok(Math.abs(mean(x) - mean(y)) < 4 * Math.SQRT2 * e && Math.abs(sd(x) - sd(y)) < 4 * e);
  }
});
