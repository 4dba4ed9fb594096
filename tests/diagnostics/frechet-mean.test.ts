import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { gameValue } from '../../src/base/maths/matrix-game.ts';
import { random } from '../../src/base/random.ts';
import { costsOf, expectedCosts, locusOf, suggestions } from '../../src/diagnostics/metrics/frechet-locus.ts';
import { seriation } from '../../src/diagnostics/metrics/frechet-mean-cards.ts';
import { frechetMean } from '../../src/diagnostics/metrics/frechet-mean-run.ts';
import {
  embeddingMetric,
  graphMetric,
  type LabelMetric,
  matrixMetric,
  orderMetric,
  worstTriple,
} from '../../src/diagnostics/metrics/label-metric.ts';

const answer = (metric: LabelMetric, observed: readonly number[], p: readonly number[], power = 2) => {
  const costs = expectedCosts(costsOf(metric, observed, power), metric.size, p, new Float64Array(metric.size));
  return { costs, label: frechetMean(Float64Array.from(p), observed, costs) };
};
const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-12): void => {
  assert.equal(actual.length, expected.length);
  for (const [i, v] of expected.entries()) assert.ok(Math.abs(actual[i] - v) <= tolerance, `${actual[i]} is not ${v}`);
};
const matrix = (rows: readonly (readonly number[])[]): LabelMetric =>
  matrixMetric(Float64Array.from(rows.flat()), [rows.length, rows[0].length], 'd.csv');
const tree = (edges: readonly (readonly [number, number])[]): LabelMetric =>
  graphMetric(
    edges.map(([from, to]) => ({ from: String(from), to: String(to), weight: 1 })),
    'tree.csv',
  );
const code =
  (expected: FaultCode, words = /./) =>
  (error: unknown) =>
    Fault.is(error, expected) && words.test(error.message);

test('known answers of the card: means, medians, a complete graph, and the ties of a star', () => {
  const path = orderMetric(4);
  const p = [0.4, 0, 0.35, 0.25];
  const mean = answer(path, [0, 1, 2, 3], p);
  near(mean.costs, [3.65, 1.75, 1.85, 3.95]);
  assert.equal(mean.label, 1);
  const median = answer(path, [0, 1, 2, 3], p, 1);
  near(median.costs, [1.45, 1.25, 1.05, 1.55]);
  assert.equal(median.label, 2);
  for (const [weights, costs, label] of [
    [[0.5, 0.5], [8, 5, 4, 5, 8], 2],
    [[0.8, 0.2], [3.2, 2.6, 4, 7.4, 12.8], 1],
    [[0.9, 0.1], [1.6, 1.8, 4, 8.2, 14.4], 0],
  ] as const) {
    const found = answer(orderMetric(5), [0, 4], weights);
    near(found.costs, costs);
    assert.equal(found.label, label);
  }
  const complete = matrix(Array.from({ length: 4 }, (_, i) => Array.from({ length: 4 }, (_, j) => Number(i !== j))));
  const equal = answer(complete, [0, 1, 2, 3], p);
  near(equal.costs, [0.6, 1, 0.65, 0.75]);
  assert.equal(equal.label, 0);
  const star = tree([
    [0, 1],
    [0, 2],
    [0, 3],
  ]);
  for (const [weights, costs, label] of [
    [[0.4, 0.3, 0.3], [1, 2.4, 2.8, 2.8], 0],
    [[0.7, 0.2, 0.1], [1, 1.2, 3.2, 3.6], 0],
    [[0.75, 0.125, 0.125], [1, 1, 3.5, 3.5], 1],
    [[0.76, 0.14, 0.1], [1, 0.96, 3.44, 3.6], 1],
  ] as const) {
    const found = answer(star, [1, 2, 3], weights);
    near(found.costs, costs);
    assert.equal(found.label, label);
  }
});

interface Golden {
  readonly graphs: { readonly edges: [number, number, number][]; readonly paths: number[][] }[];
  readonly tables: { readonly distances: number[][]; readonly observed: number[]; readonly power1: number[]; readonly power2: number[] }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/frechet.json', import.meta.url), 'utf8'));

test('SciPy’s shortest paths', () => {
  for (const { edges, paths } of golden.graphs) {
    const metric = graphMetric(
      edges.map(([from, to, weight]) => ({ from: String(from), to: String(to), weight })),
      'graph.csv',
    );
    for (const [i, name] of (metric.names ?? []).entries())
      near(
        metric.from(i),
        (metric.names ?? []).map((other) => paths[Number(name)][Number(other)]),
        1e-11,
      );
  }
});

test('SciPy’s linear programmes say the same labels are in reach', () => {
  for (const { distances, observed, power1, power2 } of golden.tables)
    for (const [power, expected] of [
      [1, power1],
      [2, power2],
    ] as const)
      assert.deepEqual([...locusOf(matrix(distances), observed, power, random(0, 'locus')).reachable], expected);
});

test('a matrix game has its value', () => {
  // Rock, paper, scissors; and one solved by hand: rows (3, −1), (−2, 4) meet at w = (½, ½) with value 1.
  near(
    [
      gameValue(
        [
          [0, 1, -1],
          [-1, 0, 1],
          [1, -1, 0],
        ].map((r) => Float64Array.from(r)),
        3,
      ).value,
    ],
    [0],
  );
  const game = gameValue([Float64Array.of(3, -1), Float64Array.of(-2, 4)], 2);
  near([game.value, ...game.weights], [1, 0.5, 0.5]);
});

/** A random tree; edges come so that the names of labels are their places. */
const randomTree = (n: number, seed: number): LabelMetric => {
  const r = random(seed, 'tree');
  return tree(Array.from({ length: n - 1 }, (_, i): [number, number] => [r.below(i + 1), i + 1]));
};

test('of a tree the labels in reach are those on paths between observed ones: 30 trees, against programmes and draws', () => {
  for (let seed = 0; seed < 30; seed++) {
    const metric = randomTree(15, seed);
    const r = random(seed, 'observed');
    const observed = r.shuffle(Array.from({ length: 15 }, (_, i) => i)).slice(0, 4);
    const exact = locusOf(metric, observed, 2, r);
    assert.equal(exact.how, 'tree');
    const table = matrix(Array.from({ length: 15 }, (_, i) => [...metric.from(i)]));
    const solved = locusOf(table, observed, 2, r);
    assert.equal(solved.how, 'programme');
    assert.deepEqual([...solved.reachable], [...exact.reachable], `tree ${seed}`);
    const between = Array.from({ length: 15 }, (_, v) =>
      Number(observed.some((a) => observed.some((b) => metric.from(a)[v] + metric.from(v)[b] === metric.from(a)[b]))),
    );
    assert.deepEqual([...exact.reachable], between);
    for (let d = 0; d < 200; d++) {
      const w = observed.map(() => r.normal() ** 2);
      const sum = w.reduce((s, v) => s + v, 0);
      const found = answer(
        metric,
        observed,
        w.map((v) => v / sum),
      );
      assert.ok(exact.reachable[found.label]);
    }
  }
});

test('above 500 labels draws give a lower bound, and say so', () => {
  const metric = randomTree(600, 1);
  const table: LabelMetric = { kind: 'matrix', size: 600, from: metric.from };
  const observed = [3, 77, 200, 599];
  const [drawn, exact] = [locusOf(table, observed, 2, random(1, 'x')), locusOf(metric, observed, 2, random(1, 'x'))];
  assert.equal(drawn.how, 'sampled');
  assert.ok(drawn.reachable.every((r, v) => r <= exact.reachable[v]) && drawn.reachable.some((r) => r === 1));
});

test('next to label: the farthest label outside, then again', () => {
  // A path 0…6 with 2 and 3 observed: both ends are out of reach; 6 is farthest (3), then 0 (2), then all are in.
  const found = suggestions(orderMetric(7), [2, 3], 2, 5, random(0, 's'), locusOf(orderMetric(7), [2, 3], 2, random(0, 's')));
  assert.deepEqual(found, [
    { label: 6, distance: 3, reachable: 5 },
    { label: 0, distance: 2, reachable: 7 },
  ]);
});

const weights = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 4, maxLength: 4 }).filter((w) => w.some((v) => v > 0));

test('scaling distances changes no answer; a certain class is answered; equal distances give the most probable class', () => {
  fc.assert(
    fc.property(fc.nat(1000), weights, fc.integer({ min: 1, max: 6 }), (seed, w, exponent) => {
      const metric = randomTree(12, seed);
      const observed = [1, 4, 7, 10];
      const sum = w.reduce((s, v) => s + v, 0);
      const p = w.map((v) => v / sum);
      const scaled: LabelMetric = { kind: 'matrix', size: 12, from: (l) => metric.from(l).map((d) => d * 2 ** exponent) };
      for (const power of [1, 2]) assert.equal(answer(scaled, observed, p, power).label, answer(metric, observed, p, power).label);
      for (const k of observed.keys())
        assert.equal(
          answer(
            metric,
            observed,
            observed.map((_, i) => Number(i === k)),
          ).label,
          observed[k],
        );
      const one: LabelMetric = { kind: 'matrix', size: 12, from: (l) => Float64Array.from({ length: 12 }, (_, v) => Number(v !== l)) };
      const top = Math.max(...p);
      assert.equal(answer(one, observed, p).label, observed[p.indexOf(top)]);
    }),
    { numRuns: 100 },
  );
});

test('where the probabilities are true, no other answer has a lower mean squared distance', () => {
  const r = random(7, 'truth');
  const metric = orderMetric(9);
  const observed = Array.from({ length: 9 }, (_, i) => i);
  let [mean, plain] = [0, 0];
  for (let i = 0; i < 4000; i++) {
    const w = observed.map(() => r.normal() ** 2);
    const sum = w.reduce((s, v) => s + v, 0);
    const p = w.map((v) => v / sum);
    const u = r.next();
    const sums = p.map((_, k) => p.slice(0, k + 1).reduce((s, v) => s + v, 0));
    const truth = Math.max(
      0,
      sums.findIndex((s) => u < s),
    );
    mean += (answer(metric, observed, p).label - truth) ** 2;
    plain += (p.indexOf(Math.max(...p)) - truth) ** 2;
  }
  assert.ok(mean < plain, `${mean} ${plain}`);
});

test('points: distances of unit vectors, squared costs without a table', () => {
  const metric = embeddingMetric(Float64Array.of(3, 0, 0, 2, 1, 1), [3, 2], 'e.npz', true);
  near([...metric.from(0)], [0, Math.SQRT2, Math.sqrt(2 - Math.SQRT2)]);
  const plain = embeddingMetric(Float64Array.of(3, 0, 0, 2, 1, 1), [3, 2], 'e.npz', false);
  near([...plain.from(0)], [0, Math.sqrt(13), Math.sqrt(5)]);
});

test('labels in order of nearness: neighbours of a path stay neighbours', () => {
  const shuffled = [3, 0, 4, 1, 5, 2];
  const metric: LabelMetric = { kind: 'matrix', size: 6, from: (l) => Float64Array.from(shuffled, (v) => Math.abs(v - shuffled[l])) };
  const order = seriation({ metric }).map((v) => shuffled[v]);
  assert.ok(order.join() === '0,1,2,3,4,5' || order.join() === '5,4,3,2,1,0', order.join());
});

test('bad distances are refused by cell, edge and name; a broken triangle is found', () => {
  assert.throws(() => matrix([[0, 1]]), code('diagnostic/metric-shape', /1 × 2/));
  assert.throws(
    () =>
      matrix([
        [0, 1],
        [2, 0],
      ]),
    code('diagnostic/metric-cell', /row 0, column 1 holds 1 where 2, as in row 1, column 0/),
  );
  assert.throws(
    () =>
      matrix([
        [0, -1],
        [-1, 0],
      ]),
    code('diagnostic/metric-cell', /column 1 holds -1 where a distance of at least 0/),
  );
  assert.throws(
    () =>
      matrix([
        [0, 1],
        [1, 3],
      ]),
    code('diagnostic/metric-cell', /row 1, column 1 holds 3 where 0/),
  );
  assert.throws(
    () =>
      tree([
        [0, 1],
        [2, 3],
      ]),
    code('diagnostic/metric-apart', /'2' cannot be reached from '0', which reaches 2 of 4/),
  );
  assert.throws(
    () => graphMetric([{ from: 'a', to: 'b', weight: 0 }], 'e.csv'),
    code('diagnostic/metric-edge', /Row 0 .* from 'a' to 'b'/),
  );
  assert.throws(() => embeddingMetric(Float64Array.of(0, 0, 1, 1), [2, 2], 'e.npz', true), code('diagnostic/embedding', /Row 0/));
  const broken = matrix([
    [0, 1, 5],
    [1, 0, 2],
    [5, 2, 0],
  ]);
  assert.deepEqual(worstTriple(broken, random(0, 't')), { from: 2, over: 1, to: 0, excess: 2, all: true });
  assert.equal(worstTriple(orderMetric(4), random(0, 't')), undefined);
});
