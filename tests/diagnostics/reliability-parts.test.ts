import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { cells, intoCells } from '../../src/diagnostics/calibration/cells.ts';
import { isotonicOf } from '../../src/diagnostics/calibration/corp.ts';
import { curveDraws, curvesOf } from '../../src/diagnostics/calibration/curves.ts';
import { type Groups, pile, put, runs, sizeOfGroup, walkGroups, walkPiles } from '../../src/diagnostics/calibration/pairs.ts';
import { addBatch, emptyState, mergeState, type ReliabilityState } from '../../src/diagnostics/calibration/reliability-state.ts';
import { resamples } from '../../src/diagnostics/calibration/resample.ts';
import { reliabilityScores } from '../../src/diagnostics/calibration/scores.ts';
import type { CardOf } from '../../src/report/report.ts';
import { batchOf, measure, type Sample } from './cases.ts';

const near = (actual: number, expected: number, tolerance: number, what = ''): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what} ${actual} is not ${expected} ± ${tolerance}`);
const quick = { nullDraws: 100, bootstrap: 100 };
const still = async (): Promise<void> => {};

/** Two classes; class 1 has probability u and happens with probability `truth(u)`. */
const rows = (n: number, seed: number, truth: (u: number) => number, group?: string): Sample[] => {
  const r = random(seed, 'rows');
  return Array.from({ length: n }, (_, row) => {
    const u = r.next();
    return { row, label: r.next() < truth(u) ? 1 : 0, probs: [1 - u, u], ...(group === undefined ? {} : { group }) };
  });
};

test('with a class chosen its own probability is judged, over the whole axis', async () => {
  const samples = rows(400, 1, (u) => u ** 2);
  const { findings } = await measure('reliability', samples, { positive: 'class 1', bins: 10, ...quick });
  const h = findings.headline;
  const brier = samples.reduce((sum, s) => sum + (s.probs[1] - s.label) ** 2, 0) / 400;
  near(h.brier_event, brier, 1e-12);
  near(h.frequency, samples.filter((s) => s.label === 1).length / 400, 0);
  near(h.mean_probability, samples.reduce((sum, s) => sum + s.probs[1], 0) / 400, 1e-12);
  // Both classes together: every squared error counts twice.
  near(h.brier, 2 * brier, 1e-12);
  assert.ok(!('aurc' in h) && !('accuracy' in h) && 'auroc' in h);
  const drawn = findings.cards[0] as CardOf<'bars'>;
  assert.equal(drawn.y.label, 'Share of ‘class 1’');
  assert.ok(drawn.series[0].values.every((v) => v !== null));
  assert.match(findings.guide, /giving too much probability/);
  await assert.rejects(measure('reliability', samples, { positive: 'clas 1' }), (e) => Fault.is(e, 'diagnostic/target'));
});

test('groups: each has its own numbers, and the one that is off is named', async () => {
  const good = rows(600, 2, (u) => u, 'good');
  const bad = rows(500, 3, (u) => u ** 3, 'bad').map((s) => ({ ...s, row: s.row + 600 }));
  const { findings } = await measure('reliability', [...good, ...bad], { positive: '1', ...quick });
  const table = findings.cards.find((c) => c.title === 'Groups of ‘group’') as CardOf<'table'>;
  const cell = (row: number, name: string) => table.rows[row][table.columns.findIndex((c) => c.name === name)];
  assert.deepEqual(
    table.rows.map((r) => [r[0], r[1]]),
    [
      ['bad', 500],
      ['good', 600],
    ],
  );
  const alone = (await measure('reliability', bad, { positive: '1', ...quick })).findings.headline;
  near(cell(0, 'ece') as number, alone.ece, 1e-12);
  near(cell(0, 'floor') as number, alone.noise_floor, 1e-12);
  const gaps = bad.map((s) => s.probs[1] - s.label);
  const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
  const sd = Math.sqrt(gaps.reduce((a, b) => a + (b - mean) ** 2, 0) / (gaps.length - 1));
  near(cell(0, 'gap') as number, mean, 1e-12);
  const ends = cell(0, 'gap_interval');
  assert.ok(Array.isArray(ends));
  near(ends[1], mean + (1.959963984540054 * sd) / Math.sqrt(500), 1e-12);
  assert.ok((cell(0, 'p') as number) < 0.01 && (cell(1, 'p') as number) > 0.01);
  assert.match(findings.guide, /‘bad’ stands out most/);
  await assert.rejects(
    measure(
      'reliability',
      Array.from({ length: 201 }, (_, row) => ({ row, label: 0, probs: [0.5, 0.5], group: String(row) })),
    ),
    (e) => Fault.is(e, 'diagnostic/groups'),
  );
});

test('classes: the worst are drawn first, all are in the table, and their points name samples', async () => {
  const r = random(4, 'classes');
  const samples = Array.from({ length: 900 }, (_, row): Sample => {
    const z = [r.next() + 0.1, r.next() + 0.1, r.next() + 0.1];
    const total = z[0] + z[1] + z[2];
    const probs = z.map((v) => v / total);
    // Class 2 never happens when it should.
    const u = r.next();
    return { row, label: u < probs[0] + probs[2] ? 0 : 1, probs };
  });
  const { findings } = await measure('reliability', samples, { classDiagrams: 2, ...quick });
  const drawn = findings.cards.find((c) => c.title === 'Reliability by class') as CardOf<'curve'>;
  assert.equal(drawn.lines.length, 2);
  const table = findings.cards.find((c) => c.title === 'Classes') as CardOf<'table'>;
  assert.equal(table.rows.length, 3);
  const errors = table.rows.map((row) => row[3] as number);
  assert.equal(drawn.lines[0].name, `class ${errors.indexOf(Math.max(...errors))}`);
  const selection = drawn.lines[0].selections?.[0];
  assert.ok(selection && selection.rows.length > 0 && selection.rows.length <= selection.total);
  const none = await measure('reliability', samples, { classDiagrams: 0, ...quick });
  assert.ok(!none.findings.cards.some((c) => c.title === 'Reliability by class'));
});

const state = (samples: readonly Sample[], mostPairs?: number): ReliabilityState => {
  const made = emptyState('width', 15, { positive: 1, ...(mostPairs === undefined ? {} : { mostPairs }) });
  addBatch(made, batchOf(samples));
  return made;
};
const scores = (of: ReliabilityState) =>
  reliabilityScores(of, { bins: 15, binning: 'width', confidenceLevel: 0.95, ...quick }, (name) => random(0, name), still);

test('beyond the most rows kept one by one confidences are counted in buckets, and the numbers stay close', async () => {
  const samples = rows(30_000, 5, (u) => u ** 1.5);
  const [exact, counted] = [await scores(state(samples)), await scores(state(samples, 20_000))];
  assert.ok(!exact.bucketed && counted.bucketed);
  assert.equal(counted.rows, 30_000);
  // Buckets are 2^−9 wide relative to the distance to 0 or 1, so a confidence moves by less than 5e-4 and, on average, by far less.
  for (const key of ['ece', 'eceMass', 'mce', 'ks', 'auroc', 'confidence', 'rmsce'] as const) near(counted[key], exact[key], 5e-4, key);
  near(counted.smoothEce.value, exact.smoothEce.value, 5e-4);
  near(counted.corp.mcb, exact.corp.mcb, 5e-4);
  near(counted.risk.aurc, exact.risk.aurc, 5e-4);
  // What is kept depends on the number of rows alone: parts merged are the whole.
  const merged = state(samples.slice(0, 12_000), 20_000);
  mergeState(merged, state(samples.slice(12_000), 20_000));
  assert.equal(merged.pairs.binned, true);
  near((await scores(merged)).ece, counted.ece, 1e-12);
});

test('a walk over many chunks merges them in order, equal values together', () => {
  const r = random(6, 'walk');
  const [right, wrong] = [
    [pile(), pile()],
    [pile(), pile()],
  ];
  const all: [number, number][] = [];
  for (let i = 0; i < 9_000; i++) {
    const c = Math.floor(r.next() * 3_000) / 3_000;
    const hit = r.below(2);
    put((hit ? right : wrong)[i % 2], c);
    all.push([c, hit]);
  }
  const expected = new Map<number, [number, number]>();
  for (const [c, hit] of all.sort((a, b) => a[0] - b[0])) {
    const found = expected.get(c) ?? [0, 0];
    found[1 - hit]++;
    expected.set(c, found);
  }
  const seen: [number, [number, number]][] = [];
  walkPiles(
    right,
    wrong,
  )((c, hits, misses) => {
    seen.push([c, [hits, misses]]);
  });
  assert.deepEqual(seen, [...expected]);
});

test('smooth ECE and miscalibration of draws on cells agree with those of rows within Monte-Carlo error at 20,000 rows', async () => {
  const [right, wrong] = [pile(), pile()];
  const r = random(7, 'many');
  for (let i = 0; i < 20_000; i++) {
    const c = 1 - r.next() ** 2 / 2;
    put(r.next() < c * c ? right : wrong, c);
  }
  const byRow = runs(right, wrong);
  const draws = 150;
  const drawn = async (groups: Groups, rowwise: boolean, name: string) => {
    const sizes = Int32Array.from(groups.c, (_, g) => sizeOfGroup(groups, g));
    const curves = curvesOf(groups, isotonicOf(groups.c, groups.hits, sizes), 0.1);
    const into = curveDraws(groups, curves, draws);
    await resamples(groups, rowwise, draws, random(8, name), still, (hits, misses) => {
      for (let g = 0; g < sizes.length; g++) sizes[g] = hits[g] + misses[g];
      into.add(hits, sizes);
    });
    return into.done();
  };
  const [a, b] = [await drawn(byRow, true, 'rows'), await drawn(cells(walkGroups(byRow), byRow.n, 15), false, 'cells')];
  const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;
  const sd = (x: Float64Array): number => Math.sqrt(x.reduce((sum, v) => sum + (v - mean(x)) ** 2, 0) / (x.length - 1));
  for (const key of ['smoothEce', 'mcb'] as const) {
    const error = sd(a[key]) / Math.sqrt(draws);
    near(mean(a[key]), mean(b[key]), 4 * Math.SQRT2 * error, key);
    near(sd(a[key]), sd(b[key]), 4 * error, key);
  }
  const [x, y] = [a.smoothBand(0.95), b.smoothBand(0.95)];
  // The ends are quantiles of 150 draws: a third of the band's width is more than four of their standard errors.
  x.forEach(([at, low, high], k) => {
    near(y[k][1], low, (high - low) / 3, `band at ${at}`);
    near(y[k][2], high, (high - low) / 3, `band at ${at}`);
  });
});

test('counts of runs add up to those of the cells made from them, and many runs are said to be joined for curves', async () => {
  const samples = rows(6_000, 9, (u) => u);
  const found = await scores(state(samples));
  assert.ok(found.curvesByCells && !found.byCells);
  const [right, wrong] = [pile(), pile()];
  for (const s of samples) put(s.label === 1 ? right : wrong, Math.round(s.probs[1] * 3_000) / 3_000);
  const all = runs(right, wrong);
  const joined = cells(walkGroups(all), all.n, 15, 100);
  const into = intoCells(all, joined);
  assert.ok(joined.c.length < all.c.length);
  assert.deepEqual(into(all.hits), joined.hits);
  assert.deepEqual(into(all.misses), joined.misses);
});
