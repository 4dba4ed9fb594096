import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Calibration, calibrate } from '../../src/base/calibration.ts';
import { Fault } from '../../src/base/fault.ts';
import { argmax } from '../../src/base/maths/argmax.ts';
import { type Corners, isotonic } from '../../src/base/maths/isotonic.ts';
import { platt, sigmoid } from '../../src/base/maths/logistic.ts';
import type { ScoredRows } from '../../src/base/maths/softmax-regression.ts';
import { recalibrators as all } from '../../src/diagnostics/calibration/recalibration-index.ts';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../golden/diagnostics/${name}.json`, import.meta.url), 'utf8'));
const golden = read('recalibration');
const file: { readonly logits: number[]; readonly labels: number[] } = read('digits');
const digits: ScoredRows = { classes: 10, scores: Float32Array.from(file.logits), labels: Int32Array.from(file.labels) };

const recalibrators = all.flatMap((r) => ('fit' in r ? [r] : []));
const options = { bins: 15, l2: 0, odir: 0.01 };
const of = (id: string) => {
  const found = recalibrators.find((r) => r.id === id);
  if (!found) throw new Error(`no recalibrator ${id}`);
  return found;
};
const affine = (c: Calibration): Extract<Calibration, { kind: 'affine' }> => {
  assert.ok(c.kind === 'affine');
  return c;
};
const probsOf = (c: Calibration, { classes, scores, labels }: ScoredRows): Float64Array =>
  calibrate(c, scores, classes, 0, labels.length).probs;
const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void => {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `[${i}] ${actual[i]} is not ${expected[i]} ± ${tolerance}`);
};
/** Mean log loss without a penalty. */
const nllOf = (c: Calibration, { classes, scores, labels }: ScoredRows): number => {
  const { logProbs } = calibrate(c, scores, classes, 0, labels.length);
  return labels.reduce((sum, label, i) => sum - logProbs[i * classes + label], 0) / labels.length;
};

const cardB: ScoredRows = {
  classes: 3,
  scores: Float64Array.of(2, 0.5, -1, 0.1, 1.2, 0.3, 3, 2.5, 0, -0.5, 0, 1.5, 1, 0.8, 0.9, 0, 2, -2, 1.5, -0.5, 0.2, 0.3, 0.2, 2.2),
  labels: Int32Array.of(0, 1, 1, 2, 2, 1, 0, 0),
};
/** Ten digits are printed, eight of vector scaling; some are cut off rather than rounded. */
const PRINTED = 1.01e-10;

test('card B: temperature', () => {
  const fit = affine(of('temperature').fit(cardB, options));
  near([1 / fit.weights[0], nllOf(fit, cardB)], [0.9204284014, 0.7289099528], PRINTED);
});

test('card B: vector scaling with l2 = 0.01', () => {
  const fit = affine(of('vector').fit(cardB, { ...options, l2: 0.01 }));
  near(fit.weights, [1.24116337, 2.96323312, 0.29176501], 1.01e-8);
  near(fit.biases, [0.43831498, -1.10362877, 0.66531378], 1.01e-8);
  const pull = fit.weights.reduce((sum, w) => sum + (w - 1) ** 2, 0) + fit.biases.reduce((sum, b) => sum + b * b, 0);
  near([nllOf(fit, cardB) + 0.01 * pull], [0.5211054133], PRINTED);
  near([nllOf(fit, cardB)], [0.4584374], 5.1e-8);
});

const cardC = {
  f: Float64Array.of(-2, -1.5, -1, -0.6, -0.2, 0.1, 0.4, 0.8, 1.3, 2.1),
  t: [0, 0, 0, 1, 0, 1, 0, 1, 1, 1],
};

test('card C: Platt scaling of a score, alone and as the second of two logits', () => {
  const [slope, offset] = platt(cardC.f, cardC.t);
  near([-slope, -offset], [-0.9562188365, -0.0672534445], PRINTED);
  near([sigmoid(slope * -2 + offset), sigmoid(slope * 2.1 + offset)], [0.1364393159, 0.8884804767], PRINTED);
  const rows: ScoredRows = {
    classes: 2,
    scores: Float64Array.from(cardC.f).reduce((out, f, i) => out.fill(f, 2 * i + 1, 2 * i + 2), new Float64Array(20)),
    labels: Int32Array.from(cardC.t),
  };
  const probs = probsOf(of('platt').fit(rows, options), rows);
  near([probs[1], probs[19]], [0.1364393159, 0.8884804767], PRINTED);
});

const at = ({ x, y }: Corners, v: number): number => {
  if (v <= x[0]) return y[0];
  const k = x.findIndex((c) => c >= v);
  return k < 0 ? y[y.length - 1] : y[k - 1] + ((y[k] - y[k - 1]) * (v - x[k - 1])) / (x[k] - x[k - 1]);
};
const order = (x: ArrayLike<number>): number[] => Array.from(x, (_, i) => i).sort((i, j) => x[i] - x[j]);

test('card D: isotonic regression, with ties as scikit-learn has them', () => {
  const fit = isotonic(cardC.f, cardC.t, order(cardC.f));
  near(
    Array.from(cardC.f, (v) => at(fit, v)),
    [0, 0, 0, 0.5, 0.5, 0.5, 0.5, 1, 1, 1],
    1e-15,
  );
  near([at(fit, -0.4), at(fit, 5)], [0.5, 1], 1e-15);
  const x = [0.5, 0.1, 0.9, 0.2, 0.3, 0.2, 0.5];
  const tied = isotonic(x, [1, 0, 1, 1, 0, 0, 0], order(x));
  near(
    golden.isotonic_ties.at.map((v: number) => at(tied, v)),
    golden.isotonic_ties.values,
    1e-15,
  );
  near([at(tied, 0.4), at(tied, 0.7)], [0.4166666667, 0.75], PRINTED);
});

test('digits: temperature by SciPy’s root of the slope', () => {
  near([1 / affine(of('temperature').fit(digits, options)).weights[0]], [golden.temperature], 1e-9);
});

test('digits: vector and matrix scaling by SciPy', () => {
  const { l2, weights, biases, objective } = golden.vector;
  const vector = affine(of('vector').fit(digits, { ...options, l2 }));
  // SciPy stops at gradients of 1e-10 to 1e-6; the curvature is at least 2·l2 = 0.02.
  near(vector.weights, weights, 1e-5);
  near(vector.biases, biases, 1e-5);
  const pull = vector.weights.reduce((s, w) => s + (w - 1) ** 2, 0) + vector.biases.reduce((s, b) => s + b * b, 0);
  near([nllOf(vector, digits) + l2 * pull], [objective], 1e-10);
  const matrix = affine(of('matrix').fit(digits, options));
  const odir =
    matrix.weights.reduce((s, w, k) => s + (k % 11 === 0 ? 0 : (w * w) / 90), 0) + matrix.biases.reduce((s, b) => s + (b * b) / 10, 0);
  const found = nllOf(matrix, digits) + golden.matrix.odir * odir;
  assert.ok(Math.abs(found - golden.matrix.objective) < 1e-8, `${found} is not ${golden.matrix.objective}`);
  // The objective is flat along the diagonal, which nothing pulls: probabilities agree less well than it does.
  near(probsOf(matrix, digits).subarray(0, 400), golden.matrix.probs.flat(), 1e-4);
});

test('digits: isotonic and Platt as scikit-learn’s CalibratedClassifierCV', () => {
  near(probsOf(of('isotonic').fit(digits, options), digits).subarray(0, 400), golden.isotonic.probs.flat(), 1e-12);
  const fit = of('platt').fit(digits, options);
  // scikit-learn's BFGS stops at a gradient of 1e-5.
  near(probsOf(fit, digits).subarray(0, 400), golden.platt.probs.flat(), 1e-5);
  near([nllOf(fit, digits)], [golden.platt.nll], 1e-6);
});

test('digits with wrong labels: beta calibration as scikit-learn’s logistic regression', () => {
  const fit = of('beta').fit({ ...digits, labels: Int32Array.from(golden.beta.labels) }, options);
  assert.ok(fit.kind === 'sigmoid');
  golden.beta.abc.forEach((abc: number[], j: number) => {
    near([fit.a[j], fit.b[j], fit.c[j]], abc, 1e-7);
  });
  assert.equal(fit.a[5], 0);
});

test('histogram binning: shares of the class in bins, the middle of an empty one', () => {
  const p = [0.05, 0.1, 0.15, 0.3, 0.35, 0.95];
  const rows: ScoredRows = {
    classes: 2,
    scores: Float64Array.from(p.flatMap((v) => [Math.log(1 - v), Math.log(v)])),
    labels: Int32Array.of(0, 1, 0, 1, 1, 1),
  };
  const probs = probsOf(of('histogram').fit(rows, { ...options, bins: 5 }), rows);
  near(
    probs.filter((_, i) => i % 2 === 1),
    [1 / 3, 1 / 3, 1 / 3, 1, 1, 1],
    1e-15,
  );
  const fit = of('histogram').fit(rows, { ...options, bins: 5 });
  near(calibrate(fit, Float64Array.of(0, 0), 2, 0, 1).probs, [0.5, 0.5], 1e-15);
});

/** Rows of three classes, every class among them, some wrong. */
const rowsOf = (values: readonly number[]): ScoredRows => {
  const n = values.length / 3;
  return { classes: 3, scores: Float64Array.from(values), labels: Int32Array.from({ length: n }, (_, i) => i % 3) };
};
const several = fc
  .array(fc.tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -40, max: 40 }), fc.integer({ min: -40, max: 40 })), {
    minLength: 12,
    maxLength: 40,
  })
  .map((z) => z.flat().map((v) => v / 16));
const fitted = (id: string, rows: ScoredRows): Calibration | undefined => {
  try {
    return of(id).fit(rows, { ...options, l2: 0.01 });
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
};

test('temperature keeps every prediction', () => {
  fc.assert(
    fc.property(several, (values) => {
      const rows = rowsOf(values);
      const fit = fitted('temperature', rows);
      if (!fit) return;
      const probs = probsOf(fit, rows);
      for (let i = 0; i < rows.labels.length; i++) assert.equal(argmax(probs, 3 * i, 3), argmax(rows.scores, 3 * i, 3));
    }),
    { numRuns: 60 },
  );
});

test('isotonic curves never fall', () => {
  fc.assert(
    fc.property(several, (values) => {
      const fit = fitted('isotonic', rowsOf(values));
      if (fit?.kind !== 'pieces') return;
      for (const { y, slope } of fit.curves) {
        assert.ok(slope.every((s) => s >= 0));
        for (let k = 1; k < y.length; k++) assert.ok(y[k] >= y[k - 1]);
      }
    }),
    { numRuns: 60 },
  );
});

for (const { id } of recalibrators) {
  test(`${id}: rows in another order, and constants added to rows, change nothing but rounding`, () => {
    fc.assert(
      fc.property(several, fc.integer({ min: 1, max: 6 }), (values, shift) => {
        const rows = rowsOf(values);
        const fit = fitted(id, rows);
        if (!fit) return;
        const turned = order(Array.from(rows.labels, (_, i) => (i * 7 + shift) % 41));
        const moved: ScoredRows = {
          classes: 3,
          scores: Float64Array.from(turned.flatMap((i) => values.slice(3 * i, 3 * i + 3))),
          labels: Int32Array.from(turned, (i) => rows.labels[i]),
        };
        const again = fitted(id, moved);
        assert.ok(again);
        // Beta and matrix scaling may be nearly undetermined, where rounding of 1e-16 moves probabilities by far more.
        near(probsOf(again, rows), probsOf(fit, rows), 1e-4);
        // A constant for each row cancels in softmax, but not in weights of single logits.
        if (id === 'vector' || id === 'matrix') return;
        const raised = { ...rows, scores: Float64Array.from(values, (v, k) => v + (Math.floor(k / 3) % 4) * shift) };
        const same = fitted(id, raised);
        assert.ok(same);
        near(probsOf(same, raised), probsOf(fit, rows), 1e-4);
      }),
      { numRuns: 25 },
    );
  });

  test(`${id}: probabilities sum to 1 and are finite, far outside of the fit too`, () => {
    const fit = of(id).fit(digits, { ...options, l2: 0.01 });
    const far = Float64Array.from({ length: 200 }, (_, i) => ((i * 37) % 41) * 40 - 800);
    const { probs, logProbs } = calibrate(fit, far, 10, 0, 20);
    for (let i = 0; i < 20; i++) near([probs.subarray(10 * i, 10 * i + 10).reduce((s, p) => s + p, 0)], [1], 1e-12);
    assert.ok(logProbs.every((v) => Number.isFinite(v) && v <= 1e-15));
  });
}

test('what rows cannot determine is refused by name', () => {
  const right: ScoredRows = { classes: 2, scores: Float64Array.of(2, 0, 0, 3), labels: Int32Array.of(0, 1) };
  const code = (expected: string) => (error: unknown) => error instanceof Fault && error.code === expected;
  for (const id of ['temperature', 'vector', 'matrix']) assert.throws(() => of(id).fit(right, options), code('diagnostic/separable'));
  const wrong = { ...right, labels: Int32Array.of(1, 0) };
  assert.throws(() => of('temperature').fit(wrong, options), code('diagnostic/unbounded-temperature'));
  for (const id of ['platt', 'beta', 'histogram', 'isotonic'])
    assert.throws(
      () => of(id).fit({ classes: 3, scores: Float64Array.of(2, 0, 0, 0, 3, 0), labels: Int32Array.of(0, 1) }, options),
      (error) => code('diagnostic/class-missing')(error) && /of class 2/.test(String(error)),
    );
});
