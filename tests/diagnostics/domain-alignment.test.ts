import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type HeadBatch, headDiagonal, headGradient, headProduct, spectralNorm } from '../../src/base/maths/head-curvature.ts';
import { int64 } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { headDistances } from '../../src/diagnostics/robustness/domain-alignment-run.ts';
import { measure, smallNet } from './small-net.ts';

const features = [1, 0.5, -0.5, 2, 0.3, -1];
const labels = [0, 2, 1];
const head = [
  [0.1, -0.2, 0.05],
  [0.3, 0.4, -0.1],
  [-0.5, 0.2, 0.2],
];
/** Rows of the card as one domain. */
const batchOf = (rows: readonly number[]): HeadBatch => {
  const inputs = rows.flatMap((i) => [features[2 * i], features[2 * i + 1], 1]);
  const probs = rows.flatMap((i) => {
    const e = head.map(([a, b, c]) => Math.exp(a * features[2 * i] + b * features[2 * i + 1] + c));
    return e.map((v) => v / (e[0] + e[1] + e[2]));
  });
  const marks = rows.flatMap((i) => [0, 1, 2].map((c) => Number(labels[i] === c)));
  const arrays = { inputs: Float64Array.from(inputs), probs: Float64Array.from(probs), marks: Float64Array.from(marks) };
  return { count: rows.length, width: 3, outputs: 3, single: false, ...arrays };
};
const near = (found: number, wanted: number, within = 1e-11): void =>
  assert.ok(Math.abs(found - wanted) < within, `${found}, not ${wanted}`);
const squared = (a: Float64Array, b: Float64Array): number => a.reduce((s, v, i) => s + (v - b[i]) ** 2, 0);

test('the head of the card: gradient, product, trace and spectral norm', () => {
  const all = batchOf([0, 1, 2]);
  const g = headGradient(all);
  // The card gives nine digits after the point.
  near(g[0], -0.206184289, 1e-9);
  near(headProduct(all, g)[4], 0.361221567, 1e-9);
  near(
    headDiagonal(all).reduce((a, b) => a + b, 0),
    1.984826589702,
  );
  const start = Float64Array.from({ length: 9 }, (_, i) => Math.sin(i + 1));
  near(spectralNorm((v) => headProduct(all, v), start, 10_000, 1e-15).value, 0.815825304861, 1e-9);
});

test('the two domains of the card', () => {
  const { gradients, diagonals, products, mean } = headDistances([batchOf([0, 1]), batchOf([2])]);
  const spread = (of: readonly Float64Array[], from: Float64Array): number => (squared(of[0], from) + squared(of[1], from)) / 2;
  near(spread(products, mean.product), 0.420030866622);
  near(spread(gradients, mean.gradient), 0.705505986795);
  near(spread(diagonals, mean.diagonal), 0.06182955818);
});

test('an operator of both signs has the larger in absolute value', () => {
  const of = (a: number, b: number) => (v: Float64Array) => Float64Array.of(a * v[0], b * v[1]);
  near(spectralNorm(of(2, -3), Float64Array.of(1, 1), 1000, 1e-14).value, 3, 1e-9);
  near(spectralNorm(of(2, -2), Float64Array.of(1, 1), 1000, 1e-14).value, 2, 1e-9);
  assert.deepEqual(spectralNorm(of(0, 0), Float64Array.of(1, 1), 10, 1e-4), { value: 0, settled: true });
});

test('a report: equal domains have no distance, others are told apart, and what cannot be is refused', async () => {
  const { model, data, at } = smallNet();
  const x = Float64Array.from(Array.from({ length: 12 }, (_, i) => [Math.cos(i % 6), Math.sin(2 * (i % 6))]).flat());
  const rows = (name: string, domains: readonly number[], labelled = (i: number): number => i % 2): string => {
    const y = int64(
      [12],
      domains.map((_, i) => labelled(i)),
    );
    writeFileSync(at(name), writeNpz({ x: { dtype: 'float64', dims: [12, 2], data: x }, y, domain: int64([12], domains) }));
    return at(name);
  };
  const twice = await measure('domain-alignment', model, rows('twice.npz', [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]));
  assert.deepEqual([twice.outcome, twice.reason], ['measured', undefined]);
  assert.equal(twice.headline.worst_spectral_distance, 0);
  assert.equal(twice.headline.gradient_distance, 0);
  const pooled = (report: typeof twice) => {
    const card = report.cards.find((c) => c.title === 'Curvature of domains beside their mean');
    assert.ok(card?.kind === 'bars');
    return card.series[0].values.map(Number);
  };
  assert.deepEqual(pooled(twice), [0, 0]);
  const three = await measure(
    'domain-alignment',
    model,
    rows('three.npz', [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], (i) => Number(i % 3 === 0)),
  );
  assert.equal(three.headline.domains, 3);
  assert.ok(three.headline.worst_spectral_distance > 0 && three.headline.gradient_distance > 0);
  assert.ok(three.notes.some((n) => /found in one domain alone/.test(n)));
  const table = three.cards.find((c) => c.title === 'Domains');
  assert.ok(table?.kind === 'table' && Number(table.rows[0][6]) === three.headline.worst_spectral_distance);
  // H̄ of two domains lies half way between them.
  const two = await measure(
    'domain-alignment',
    model,
    rows('two.npz', [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], (i) => Number(i % 3 === 0)),
  );
  for (const v of pooled(two)) near(v, two.headline.worst_spectral_distance / 2, 1e-3 * v);
  assert.ok(!two.notes.some((n) => /had not settled|The last layer reads/.test(n)));
  const inner = await measure('domain-alignment', model, at('two.npz'), { layer: '_Gemm' });
  assert.ok(
    inner.notes.some((n) => /^The last layer reads '.*', not '_Gemm': /.test(n)),
    inner.notes.join(),
  );
  const heat = three.cards.find((c) => c.kind === 'heatmap');
  assert.ok(heat?.kind === 'heatmap' && heat.layers.every(({ values }) => values[1] === values[3] && values[0] === 0));
  await assert.rejects(measure('domain-alignment', model, rows('one.npz', new Array(12).fill(3))), /names 1 domain among the rows/);
  await assert.rejects(measure('domain-alignment', model, data), /'domain'/);
});
