import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/base/fault.ts';
import { kendall, spearman } from '../../src/base/maths/correlation.ts';
import { fitLogistic } from '../../src/base/maths/logistic-curve.ts';
import { random } from '../../src/base/random.ts';
import { regressionCards } from '../../src/diagnostics/metrics/regression-cards.ts';
import { regressionGuide } from '../../src/diagnostics/metrics/regression-guide.ts';
import { regressionScores } from '../../src/diagnostics/metrics/regression-scores.ts';
import { addRegression, mergeRegression, regressionState } from '../../src/diagnostics/metrics/regression-state.ts';
import type { Card, CardOf } from '../../src/report/report.ts';
import { measure, type Sample } from './cases.ts';

const near = (actual: unknown, expected: number, tolerance = 6e-11): void =>
  assert.ok(Math.abs(Number(actual) - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);
const rows = (x: readonly number[], m: readonly number[]): Sample[] =>
  x.map((v, row) => ({ row, label: 0, probs: [1], x: v, target: m[row] }));
const headline = async (x: readonly number[], m: readonly number[]) => (await measure('regression-report', rows(x, m))).findings.headline;
const card = <K extends Card['kind']>(cards: readonly Card[], kind: K, title: string): CardOf<K> => {
  const found = cards.find((c) => c.kind === kind && c.title === title);
  assert.ok(found, `${kind} '${title}'`);
  return found as CardOf<K>;
};

// Card 39, checks (a) 1 and 2, printed there to ten digits.
const straight = {
  x: [0.2, 0.18, 0.35, 0.4, 0.38, 0.55, 0.5, 0.71, 0.69, 0.8],
  m: [0.12, 0.25, 0.31, 0.31, 0.44, 0.52, 0.58, 0.66, 0.73, 0.9],
};
const curved = {
  x: [-3, -2, -1.5, -0.5, 0, 0.4, 1.2, 2, 2.8, 3.5],
  m: [0.05, 0.08, 0.2, 0.33, 0.55, 0.6, 0.82, 0.88, 0.93, 0.97],
};

test('known answers of the card: an almost straight relation falls back to a line, and says so', async () => {
  const { findings } = await measure('regression-report', rows(straight.x, straight.m));
  for (const [name, value] of Object.entries({
    srcc: 0.9422535927,
    plcc: 0.9587783038,
    krcc: 0.809039835,
    mae: 0.064,
    rmse: 0.0678232998,
    plcc_fit: 0.9587783038,
    rmse_fit: 0.0650932467,
  }))
    near(findings.headline[name], value);
  assert.match(findings.notes?.[0] ?? '', /almost straight.*a line was fitted/);
  assert.equal(card(findings.cards, 'curve', 'Fitted curve').lines[0].name, 'Line');
});

test('known answers of the card: the logistic curve', async () => {
  const beta = fitLogistic(Float64Array.from(curved.x), Float64Array.from(curved.m));
  // The minimum is flat: at a relative tolerance of 1e-14 of the loss parameters agree to about 1e-7.
  for (const [i, value] of [0.9685769509, 0.0234137013, -0.050965168, 0.8208714182].entries()) near(beta[i], value, 1e-7);
  const found = await headline(curved.x, curved.m);
  near(found.plcc, 0.9763003853);
  near(found.plcc_fit, 0.9970748027);
  near(found.rmse_fit, 0.0258752235);
});

type Reference = Readonly<Record<string, number>> & { readonly x: number[]; readonly m: number[] };
const golden: Readonly<Record<string, Reference>> = JSON.parse(
  readFileSync(new URL('../golden/diagnostics/regression.json', import.meta.url), 'utf8'),
);
for (const [name, { x, m, ...scores }] of Object.entries(golden))
  test(`${name}: SciPy's and scikit-learn's numbers`, async () => {
    const found = await headline(x, m);
    // Two minimisers stop within about 1e-6 of the same parameters; the loss there is flat to second order.
    for (const [score, value] of Object.entries(scores)) near(found[score], value as number, score.endsWith('_fit') ? 1e-9 : 1e-12);
  });

const series = fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -20, max: 20 })), { minLength: 4, maxLength: 40 });

test('rank correlations ignore monotone maps, linear ones affine maps; the order reversed changes their sign; τ-b is its definition', async () => {
  await fc.assert(
    fc.asyncProperty(series, async (pairs) => {
      const [x, m] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
      fc.pre(new Set(x).size > 1 && new Set(m).size > 1);
      const plain = await headline(x, m);
      const cubed = await headline(
        x.map((v) => v ** 3),
        m,
      );
      const affine = await headline(
        x.map((v) => 3 * v - 7),
        m,
      );
      const turned = await headline(
        x.map((v) => -v),
        m,
      );
      for (const name of ['srcc', 'krcc']) near(cubed[name], plain[name], 1e-12);
      near(affine.plcc, plain.plcc, 1e-12);
      for (const name of ['srcc', 'krcc', 'plcc']) near(turned[name], -plain[name], 1e-12);
      let [agree, tiedX, tiedM, all] = [0, 0, 0, 0];
      for (let i = 0; i < x.length; i++)
        for (let j = 0; j < i; j++) {
          agree += Math.sign(x[i] - x[j]) * Math.sign(m[i] - m[j]);
          tiedX += Number(x[i] === x[j]);
          tiedM += Number(m[i] === m[j]);
          all++;
        }
      near(plain.krcc, agree / Math.sqrt((all - tiedX) * (all - tiedM)), 1e-12);
      assert.ok(plain.rmse_fit <= plain.rmse + 1e-9);
    }),
    { numRuns: 60 },
  );
  const sorted = Float64Array.from([1, 2, 5, 9]);
  assert.deepEqual([spearman(sorted, sorted), kendall(sorted, sorted)], [1, 1]);
});

test('ranks right, scale wrong: the fit restores the error (card 39, check c)', async () => {
  const r = random(4, 'scale');
  const m = Array.from({ length: 300 }, () => r.next());
  const found = await headline(
    m.map((v) => 5 * v - 2 + 0.1 * r.normal()),
    m,
  );
  assert.ok(found.srcc > 0.95 && found.rmse > 3 * found.rmse_fit);
});

test('intervals cover the truth about as often as they say', async () => {
  const r = random(8, 'coverage');
  const rho = 0.6;
  // Of a bivariate normal: Spearman (6/π)·asin(ρ/2), Kendall (2/π)·asin ρ, error N(0, 2 − 2ρ).
  const truth: Readonly<Record<string, number>> = {
    plcc: rho,
    srcc: (6 / Math.PI) * Math.asin(rho / 2),
    krcc: (2 / Math.PI) * Math.asin(rho),
    mae: Math.sqrt(((2 - 2 * rho) * 2) / Math.PI),
    rmse: Math.sqrt(2 - 2 * rho),
    r2: 1 - (2 - 2 * rho),
    bias: 0,
  };
  const covered: Record<string, number> = {};
  const draws = 300;
  for (let d = 0; d < draws; d++) {
    const x = Array.from({ length: 120 }, () => r.normal());
    const m = x.map((v) => rho * v + Math.sqrt(1 - rho * rho) * r.normal());
    const { intervals } = (await measure('regression-report', rows(x, m))).findings;
    for (const [name, value] of Object.entries(truth)) {
      const i = intervals?.[name];
      if (i && i.low <= value && value <= i.high) covered[name] = (covered[name] ?? 0) + 1;
    }
  }
  // Four standard errors of a share of 300, and 2 % for asymptotics at 120 rows.
  for (const name of Object.keys(truth))
    assert.ok(Math.abs((covered[name] ?? 0) / draws - 0.95) < 4 * Math.sqrt((0.95 * 0.05) / draws) + 0.02, `${name}: ${covered[name]}`);
});

test('the worst rows come first; every row drawn names itself; residuals are counted', async () => {
  const { findings } = await measure('regression-report', rows([1, 2, 3, 4, 9], [1, 2, 3.5, 4, 5]));
  assert.deepEqual(card(findings.cards, 'table', 'Largest errors').rows.slice(0, 2), [
    [4, 9, 5, 4],
    [2, 3, 3.5, -0.5],
  ]);
  const { points, rows: named } = card(findings.cards, 'scatter', 'Target against prediction').groups[0];
  assert.deepEqual(new Map(named?.map((row, i) => [row, points[i]])).get(4), [9, 5]);
  const counts = card(findings.cards, 'bars', 'Residuals').series[0].values;
  assert.equal(
    counts.reduce<number>((sum, n) => sum + (n ?? 0), 0),
    5,
  );
});

test('bad input: constants have no correlation, few rows no fit, rows without a target are listed, several values ask for a choice', async () => {
  const flat = await measure('regression-report', rows([2, 2, 2, 2, 2], [1, 2, 3, 4, 5]));
  assert.ok(
    Number.isNaN(flat.findings.headline.srcc) && Number.isNaN(flat.findings.headline.plcc) && Number.isNaN(flat.findings.headline.krcc),
  );
  assert.equal(card(flat.findings.cards, 'number', 'Scores').values[0].value, null);
  assert.match(flat.findings.guide, /constant/);
  const few = await measure('regression-report', rows([1, 2, 3], [1, 3, 2]));
  assert.ok(Number.isNaN(few.findings.headline.plcc_fit));
  assert.match(few.findings.notes?.[0] ?? '', /at least 4 rows/);
  const gaps = await measure('regression-report', rows([1, 2, 3, 4, 5], [1, Number.NaN, 3, 4, 6]));
  assert.equal(gaps.findings.headline.rows, 4);
  assert.deepEqual(gaps.findings.notes?.slice(0, 1), ['1 row has no target and was left out: 1.']);
  const single = await measure('regression-report', rows([1], [2]));
  assert.match(single.findings.guide, /^On 1 row .*One row says nothing about order/);
  const none = await measure('regression-report', rows([1], [Number.NaN]));
  assert.deepEqual(none.findings.cards, []);
  const wide = { rows: Float64Array.of(0), targets: Float64Array.of(1), predictions: { rows: 1, cols: 3, data: Float64Array.of(1, 2, 3) } };
  for (const entry of [0, 4])
    assert.throws(
      () => addRegression(regressionState(), wide, entry, false),
      (e) => Fault.is(e, 'diagnostic/entry'),
    );
});

// Places worked out by hand: a ranks best but is far off, b errs least, c always answers the same.
test('several models are ranked by their mean place over five measures; merged folds rank alike', () => {
  const targets = Float64Array.of(1, 2, 3, 4, 5);
  const models = [
    [11, 12, 13, 14, 15],
    [1, 2, 3, 5, 4],
    [3, 3, 3, 3, 3],
  ];
  const part = (from: number, to: number) => {
    const state = regressionState();
    const of = targets.slice(from, to);
    addRegression(
      state,
      {
        rows: Float64Array.from(of, (_, i) => from + i),
        targets: of,
        predictions: { rows: of.length, cols: 3, data: interleaved(from, to) },
      },
      0,
      true,
    );
    return state;
  };
  const interleaved = (from: number, to: number): Float64Array =>
    Float64Array.from({ length: 3 * (to - from) }, (_, k) => models[k % 3][from + Math.floor(k / 3)]);
  const whole = regressionScores(part(0, 5), 0.95);
  const merged = part(0, 2);
  mergeRegression(merged, part(2, 5));
  assert.deepEqual(regressionScores(merged, 0.95).models, whole.models);
  const [a, b, c] = whole.models;
  assert.deepEqual([a.srcc, a.plcc, a.krcc, a.mae, a.rmse], [1, 1, 1, 10, 10]);
  near(b.srcc, 0.9, 1e-15);
  near(b.krcc, 0.8, 1e-15);
  near(b.mae, 0.4, 1e-15);
  assert.ok(Number.isNaN(c.srcc) && c.mae === 1.2);
  // SRCC, PLCC, KRCC, MAE, RMSE: a 1 1 1 3 3, b 2 2 2 1 1, c 3 3 3 2 2.
  assert.deepEqual([a.place, b.place, c.place], [9 / 5, 8 / 5, 13 / 5]);
  const table = card(regressionCards(whole, 0.95, ['a', 'b', 'c']), 'table', 'Models');
  assert.deepEqual(
    table.rows.map((row) => row.slice(0, 3)),
    [
      ['b', 1.6, b.srcc],
      ['a', 1.8, 1],
      ['c', 2.6, null],
    ],
  );
  assert.match(
    regressionGuide(whole, 0.95, ['a', 'b', 'c']),
    /Of 3 models 'b' has the best mean place, 1\.6, though not by SRCC, PLCC, KRCC/,
  );
  assert.equal(regressionCards(regressionScores(part(0, 0), 0.95), 0.95, []).length, 0);
});
