import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { CardOf } from '../../src/report/report.ts';
import { fromLogits, measure, topLabel } from './cases.ts';
import { digits, sparse } from './golden.ts';

/** The known answers are printed with ten digits, some cut off rather than rounded. */
const PRINTED = 1.01e-10;
const near = (actual: number | null | undefined, expected: number, tolerance = PRINTED): void =>
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);

const cardA = topLabel([0.95, 0.9, 0.85, 0.8, 0.8, 0.7, 0.65, 0.6, 0.55, 0.45, 0.4, 0.35], [1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 0]);
const cardB = fromLogits(
  [
    [2, 0.5, -1],
    [0.1, 1.2, 0.3],
    [3, 2.5, 0],
    [-0.5, 0, 1.5],
    [1, 0.8, 0.9],
    [0, 2, -2],
    [1.5, -0.5, 0.2],
    [0.3, 0.2, 2.2],
  ],
  [0, 1, 1, 2, 2, 1, 0, 0],
);

const bars = (cards: readonly { kind: string; title: string }[]): CardOf<'bars'> =>
  cards.find((c) => c.title === 'Reliability diagram') as CardOf<'bars'>;

test('card A, five bins of equal width', async () => {
  const { findings } = await measure('reliability', cardA, { bins: 5, nullDraws: 20_000 });
  const h = findings.headline;
  near(h.ece, 0.1583333333);
  near(h.average_ce, 0.1885416667);
  near(h.mce, 0.375);
  near(h.rmsce, 0.2038262468);
  near(h.ks, 0.0958333333);
  near(h.brier_top, 0.1979166667);
  near(h.brier_top_reliability, 0.0415451389);
  near(h.brier_top_resolution, 0.0694444444);
  near(h.brier_top_uncertainty, 0.2430555556);
  near(h.brier_top_within_variance, 0.0028993056);
  near(h.brier_top_within_covariance, 0.0201388889);
  near(h.bss, 0.1857142857);
  near(h.auroc_correct, 0.7714285714);
  near(h.aurc, 0.2416125541);
  near(h.e_aurc, 0.1226521164);
  near(h.noise_floor, 0.2010575);
  near(h.noise_floor_sd, 0.0707522408);
  // 20,000 draws: the standard error of the p-value is 0.003; the exact one is the enumeration of the card.
  near(h.ece_p_value, 0.7617239, 0.012);
  const diagram = bars(findings.cards);
  assert.deepEqual(diagram.edges, [0, 1 / 5, 2 / 5, 3 / 5, 4 / 5, 1]);
  assert.deepEqual(
    diagram.series[0].selections?.map((s) => s?.total ?? 0),
    [0, 2, 3, 4, 3],
  );
  [null, 0, 2 / 3, 0.75, 2 / 3].forEach((accuracy, k) => {
    assert.equal(diagram.series[0].values[k], accuracy);
  });
  [null, 0.375, 0.5333333333, 0.7375, 0.9].forEach((confidence, k) => {
    const mark = diagram.marks?.[0].values[k];
    if (confidence === null) assert.equal(mark, null);
    else near(mark, confidence);
  });
  assert.deepEqual(diagram.series[0].selections?.[3]?.rows, [3, 4, 5, 6]);
  const wilson = diagram.series[0].intervals?.[3];
  near(wilson?.[0], 0.3006418426);
  near(wilson?.[1], 0.9544127392);
});

test('card A, other binnings', async () => {
  near((await measure('reliability', cardA)).findings.headline.ece, 0.3166666667);
  const { findings } = await measure('reliability', cardA, { bins: 4, binning: 'mass' });
  const h = findings.headline;
  near(h.ece_mass, 0.2, 1e-15);
  near(h.ece_debiased, 0.1342068082);
  near(2 * h.ece_mass - h.ece_debiased, 0.2657931918);
  near(h.ce2_debiased, -0.0372222222);
  const diagram = bars(findings.cards);
  [0.4, 0.6, 0.7666666667, 0.9].forEach((confidence, k) => {
    near(diagram.marks?.[0].values[k], confidence);
  });
  [1 / 3, 1 / 3, 1, 2 / 3].forEach((accuracy, k) => {
    near(diagram.series[0].values[k], accuracy);
  });
  assert.deepEqual(diagram.series[0].selections?.[2]?.rows, [3, 4, 5]);
});

test('card B, from logits', async () => {
  const five = (await measure('reliability', cardB, { bins: 5 })).findings;
  near(five.headline.accuracy, 0.625);
  const confidences = [0.7855970346, 0.5748974225, 0.6037488961, 0.7361247243, 0.3671654011, 0.8668133322, 0.7102943288, 0.7782683188];
  near(five.headline.mean_confidence, confidences.reduce((sum, c) => sum + c, 0) / 8);
  near(five.headline.nll, 0.730432727);
  near(five.headline.brier, 0.4318605497);
  near(five.headline.brier_mean, 0.4318605497 / 3);
  near(five.headline.ece, 0.1924359936);
  near(five.headline.ks, 0.0963123864);
  near(five.headline.classwise_ece, 0.1500684382);
  near(five.headline.classwise_ece_sum, 3 * 0.1500684382, 2e-10);
  const classes = five.cards.find((c) => c.title === 'Classes') as CardOf<'table'>;
  [0.1177625424, 0.1790605614, 0.153382211].forEach((ce, k) => {
    near(classes.rows[k][3] as number, ce);
  });
  const fifteen = (await measure('reliability', cardB)).findings;
  near(fifteen.headline.ece, 0.2648624114);
  near(fifteen.headline.classwise_ece, 0.2525535065);
});

test('scores agree with scikit-learn, SciPy and PyTorch', async () => {
  for (const { golden, samples } of [digits, sparse]) {
    const { findings } = await measure('reliability', samples);
    const h = findings.headline;
    for (const key of ['accuracy', 'brier', 'brier_top', 'auroc_correct']) near(h[key], golden[key] as number, 1e-12);
    near(h.nll, golden.nll as number, 1e-10); // scikit-learn also clips probabilities at 1 − 1e-12
    const numbers = findings.cards.find((c) => c.title === 'Calibration scores') as CardOf<'number'>;
    near(numbers.values.find((v) => v.name === 'nll')?.reference, golden.entropy as number, 1e-12);
    const diagram = bars(findings.cards);
    const [accuracy, confidence] = golden.curve;
    const seen = <T>(values: readonly (T | null)[] | undefined): T[] => (values ?? []).filter((v) => v !== null) as T[];
    seen(diagram.series[0].values).forEach((v, k) => {
      near(v, accuracy[k], 1e-12);
    });
    seen(diagram.marks?.[0].values).forEach((v, k) => {
      near(v, confidence[k], 1e-12);
    });
  }
  near((await measure('reliability', digits.samples)).findings.headline.nll, digits.golden.nll_torch as number, 1e-12);
});

test('the diagram and the scores of the trained digits model are those its maker recorded', async () => {
  const { findings } = await measure('reliability', digits.samples);
  const before = digits.golden.before as Record<string, number>;
  // Recorded from float32 probabilities.
  for (const [ours, theirs] of [
    ['accuracy', 'acc'],
    ['nll', 'nll'],
    ['brier', 'brier'],
    ['ece', 'ece15'],
  ])
    near(findings.headline[ours], before[theirs], 1e-6);
  const diagram = bars(findings.cards);
  (digits.golden.reliability15 as number[][]).forEach(([count, confidence, accuracy], k) => {
    assert.equal(diagram.series[0].selections?.[k]?.total ?? 0, count);
    if (count === 0) return;
    near(diagram.marks?.[0].values[k], confidence, 1e-6);
    near(diagram.series[0].values[k], accuracy, 1e-12);
  });
});

test('values on an edge fall into the bin below; 1 into the last', async () => {
  const { findings } = await measure('reliability', topLabel([0.4, 0.6, 0.8, 1, 0.3], [1, 1, 1, 1, 0]), { bins: 5 });
  assert.deepEqual(
    bars(findings.cards).series[0].selections?.map((s) => s?.rows ?? []),
    [[], [0, 4], [1], [2], [3]],
  );
});

test('equal confidences are never split between bins of equal mass', async () => {
  const c = [0.3, 0.5, 0.5, 0.5, 0.5, 0.6, 0.7, 0.8];
  const right = [0, 1, 0, 1, 0, 1, 1, 1];
  const { findings } = await measure('reliability', topLabel(c, right), { bins: 4, binning: 'mass' });
  // Cuts at 2, 4, 6: the first two move to 5 and coincide.
  assert.deepEqual(
    bars(findings.cards).series[0].selections?.map((s) => s?.total),
    [5, 1, 2],
  );
  const backwards = await measure('reliability', topLabel(c.toReversed(), right.toReversed()), { bins: 4, binning: 'mass' });
  assert.deepEqual(bars(backwards.findings.cards).series[0].values, bars(findings.cards).series[0].values);
  assert.equal(backwards.findings.headline.ece_mass, findings.headline.ece_mass);
});

test('what is undefined is left out of the headline, null in the card, and explained', async () => {
  const allRight = (await measure('reliability', topLabel([0.9, 0.8, 0.7, 0.6], [1, 1, 1, 1]), { bins: 2 })).findings;
  for (const name of ['bss', 'auroc_correct']) assert.ok(!(name in allRight.headline), name);
  assert.match(allRight.notes?.join(' ') ?? '', /All answers are right/);
  const numbers = allRight.cards.find((c) => c.title === 'Calibration scores') as CardOf<'number'>;
  assert.equal(numbers.values.find((v) => v.name === 'bss')?.value, null);
  const few = (await measure('reliability', cardA, { bins: 7 })).findings;
  assert.ok(!('ece_debiased' in few.headline) && !('ece' in (few.intervals ?? {})));
  assert.match(few.notes?.join(' ') ?? '', /bins of at least 2 rows: 7 bins are too many for 12 rows/);
  assert.match((await measure('reliability', [])).findings.guide, /no rows/);
});

test('clipped label probabilities are counted and said', async () => {
  const samples = [
    { row: 0, label: 1, probs: [1, 0] },
    { row: 1, label: 0, probs: [0.75, 0.25] },
  ];
  const { findings } = await measure('reliability', samples, { bins: 1 });
  assert.equal(findings.headline.nll_clipped, 1);
  near(findings.headline.nll, (-Math.log(1e-12) - Math.log(0.75)) / 2, 1e-12);
  assert.match(findings.notes?.join(' ') ?? '', /1 of 2 label probabilities were clipped to 1e-12/);
});

test('a label outside the classes names the row', async () => {
  await assert.rejects(measure('reliability', [{ row: 17, label: 3, probs: [0.5, 0.5] }]), (e) => {
    assert.ok(Fault.is(e, 'diagnostic/label'));
    assert.equal(e.message.includes('Row 17 has label 3'), true);
    return true;
  });
});

test('the interval of ECE is moved by the noise it would count twice, and reaches 0 where calibration is not rejected', async () => {
  const calibrated = (await measure('reliability', digits.samples)).findings;
  assert.ok(calibrated.headline.ece_p_value > 0.05);
  assert.equal(calibrated.intervals?.ece.low, 0);
  // 400 answers given with 0.9 to 0.99, 60 % right: the true gap is about 0.35.
  const over = (
    await measure(
      'reliability',
      topLabel(
        Array.from({ length: 400 }, (_, i) => 0.9 + (i % 10) / 100),
        Array.from({ length: 400 }, (_, i) => (Math.floor(i / 10) % 5 < 3 ? 1 : 0)),
      ),
      { bins: 5 },
    )
  ).findings;
  assert.equal(over.headline.ece_p_value, 1 / 1001);
  const { low, high } = over.intervals?.ece ?? { low: 0, high: 0 };
  assert.ok(low < 0.345 && 0.345 < high && low > 0.28 && high < 0.41, `${low} to ${high}`);
  assert.match(over.guide, /p < 0\.001/);
  assert.match(over.guide, /overconfident by 34\.5 %/);
  assert.match(calibrated.guide, /no evidence of miscalibration beyond noise/);
});

test('equal seeds repeat, other seeds move only what is drawn', async () => {
  const at = async (seed: number) => (await measure('reliability', sparse.samples, {}, { seed })).findings;
  const [a, b, c] = [await at(1), await at(1), await at(2)];
  assert.deepEqual(a, b);
  const drawn = new Set(['ece_p_value', 'ece_mass_p_value', 'ece_critical', 'smooth_ece_p_value', 'corp_p_value']);
  for (const [name, value] of Object.entries(a.headline)) if (!drawn.has(name)) assert.equal(value, c.headline[name], name);
  assert.notDeepEqual(a.intervals?.ece, c.intervals?.ece);
});
