import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cosineTransform } from '../../src/base/maths/cosine-transform.ts';
import { random } from '../../src/base/random.ts';
import { placing, smoothEce, spread } from '../../src/diagnostics/calibration/smooth.ts';
import type { CardOf } from '../../src/report/report.ts';
import { fromLogits, measure, type Sample } from './cases.ts';

interface Curve {
  readonly c: readonly number[];
  readonly a: readonly number[];
  readonly smooth_ece: number;
  readonly x: readonly number[];
  readonly share: readonly number[];
  readonly density: readonly number[];
  readonly fit: readonly number[];
  readonly mcb: number;
  readonly dsc: number;
  readonly unc: number;
}
interface Classes {
  readonly logits: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly ace: number;
  readonly tace: number;
  readonly top: Readonly<Record<string, { readonly accuracy: number; readonly confidence: number; readonly ece: number }>>;
}
/** Values by scikit-learn and SciPy (golden/make/reliability.py). */
const golden: { readonly binary: Curve; readonly card: Curve; readonly classes: Classes } = JSON.parse(
  readFileSync(new URL('../golden/diagnostics/reliability.json', import.meta.url), 'utf8'),
);

const near = (actual: number | undefined, expected: number, tolerance: number, what = ''): void =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance, `${what} ${actual} is not ${expected} ± ${tolerance}`);

const quick = { nullDraws: 100, bootstrap: 100 };
const card = <K extends 'curve' | 'table' | 'number'>(cards: readonly { kind: string; title: string }[], title: string): CardOf<K> => {
  const found = cards.find((c) => c.title === title);
  assert.ok(found, `no card '${title}'`);
  return found as CardOf<K>;
};

/** A piecewise linear line at x. */
const at = (points: readonly (readonly [number, number])[], x: number): number => {
  const k = Math.max(
    1,
    points.findIndex(([px]) => px >= x - 1e-12),
  );
  const [[x0, y0], [x1, y1]] = [points[k - 1], points[k]];
  return x1 === x0 ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
};

/** Confidences of answers given as probabilities of one event: class 1 of two. */
const events = (c: readonly number[], a: readonly number[]): Sample[] => c.map((p, row) => ({ row, label: a[row], probs: [1 - p, p] }));

for (const [name, of] of [
  ['the card’s twelve rows', golden.card],
  ['300 rows', golden.binary],
] as const) {
  test(`smooth ECE and its curve agree with sums of Gaussians integrated by SciPy: ${name}`, async () => {
    const { findings } = await measure('reliability', events(of.c, of.a), { positive: '1', ...quick });
    // Ours lays rows on 2,048 nodes: 1e-5 is a fiftieth of their distance.
    near(findings.headline.smooth_ece, of.smooth_ece, 1e-5);
    const smooth = card<'curve'>(findings.cards, 'Smooth reliability diagram');
    of.x.forEach((x, k) => {
      near(at(smooth.lines[0].points, x), of.share[k], 5e-4, `share at ${x}`);
    });
    const peak = Math.max(...smooth.lines[1].points.map(([, d]) => d));
    near(peak, 0.25, 1e-12, 'the density is scaled to a quarter');
    const ratio = at(smooth.lines[1].points, of.x[8]) / of.density[8];
    of.x.forEach((x, k) => {
      near(at(smooth.lines[1].points, x), of.density[k] * ratio, 1e-3, `density at ${x}`);
    });
  });

  test(`the isotonic fit and its decomposition agree with scikit-learn: ${name}`, async () => {
    const { findings } = await measure('reliability', events(of.c, of.a), { positive: '1', ...quick });
    const h = findings.headline;
    // scikit-learn's fit is in float64 too; 1e-12 is rounding.
    near(h.corp_miscalibration, of.mcb, 1e-12);
    near(h.corp_discrimination, of.dsc, 1e-12);
    near(h.corp_uncertainty, of.unc, 1e-12);
    near(h.corp_miscalibration - h.corp_discrimination + h.corp_uncertainty, h.brier_event, 1e-12);
    const isotonic = card<'curve'>(findings.cards, 'Isotonic reliability diagram (CORP)');
    of.c.forEach((c, i) => {
      const found = isotonic.lines[0].points.find(([x]) => x === c);
      near(found ? found[1] : at(isotonic.lines[0].points, c), of.fit[i], 1e-12, `fit at ${c}`);
    });
  });
}

test('adaptive and top-k errors agree with those written out over sorted rows', async () => {
  const { findings } = await measure('reliability', fromLogits(golden.classes.logits, golden.classes.labels), quick);
  const h = findings.headline;
  near(h.ace_nixon, golden.classes.ace, 1e-12);
  near(h.tace, golden.classes.tace, 1e-12);
  const rows = card<'table'>(findings.cards, 'The k most probable classes').rows;
  for (const [k, of] of Object.entries(golden.classes.top)) {
    near(h[`accuracy_top${k}`], of.accuracy, 1e-15);
    near(h[`ece_top${k}`], of.ece, 1e-12);
    near(rows.find((r) => r[0] === Number(k))?.[3] as number, of.confidence, 1e-12);
  }
});

test('card B: the adaptive error with four bins', async () => {
  const z = [
    [2, 0.5, -1],
    [0.1, 1.2, 0.3],
    [3, 2.5, 0],
    [-0.5, 0, 1.5],
    [1, 0.8, 0.9],
    [0, 2, -2],
    [1.5, -0.5, 0.2],
    [0.3, 0.2, 2.2],
  ];
  const { findings } = await measure('reliability', fromLogits(z, [0, 1, 1, 2, 2, 1, 0, 0]), { bins: 4, ...quick });
  near(findings.headline.ace_nixon, 0.2178005876, 1.01e-10);
});

test('smooth ECE of one confidence is the gap there; of perfect answers 0; its grid does not matter', () => {
  const transform = cosineTransform(512);
  const of = (c: number[], residual: number[]): number =>
    smoothEce(transform, spread(placing(Float64Array.from(c), 512), Float64Array.from(residual)));
  near(of([0.7], [-0.2]), 0.2, 1e-9);
  assert.equal(of([1, 0], [0, 0]), 0);
  const random_ = random(5, 'grid');
  const c = Float64Array.from({ length: 400 }, () => random_.next());
  const residual = c.map((p) => ((random_.next() < p * p ? 1 : 0) - p) / 400);
  const [fine, coarse] = [2048, 128].map((n) => smoothEce(cosineTransform(n), spread(placing(c, n), residual)));
  near(coarse, fine, 1e-4);
});

test('the bands: a calibrated model’s curves lie in the consistency band, and the bootstrap band follows the curve', async () => {
  const { findings } = await measure('reliability', events(golden.binary.c, golden.binary.a), { positive: '1' });
  for (const title of ['Smooth reliability diagram', 'Isotonic reliability diagram (CORP)']) {
    const drawn = card<'curve'>(findings.cards, title);
    const [consistency, bootstrap] = drawn.bands ?? [];
    const middle = consistency.points[60];
    assert.ok(middle[1] < middle[0] && middle[0] < middle[2], `${title}: the diagonal leaves the band at ${middle}`);
    const inside = bootstrap.points.filter(([x, low, high]) => {
      const y = at(drawn.lines[0].points, x);
      return low <= y && y <= high;
    });
    assert.ok(inside.length >= 0.85 * bootstrap.points.length, `${title}: ${inside.length} of ${bootstrap.points.length}`);
  }
  // The outcomes follow c^1.7: overconfident beyond noise.
  assert.ok(findings.headline.smooth_ece_p_value < 0.01 && findings.headline.corp_p_value < 0.01);
  const { low, high } = findings.intervals?.smooth_ece ?? { low: 0, high: 0 };
  assert.ok(low > 0 && low < findings.headline.smooth_ece && findings.headline.smooth_ece < high);
});
