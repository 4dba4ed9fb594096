import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietJob } from '../../src/base/job.ts';
import { structuralSimilarity } from '../../src/base/maths/structural-similarity.ts';
import { choose } from '../../src/base/option.ts';
import { float32 } from '../../src/base/tensor.ts';
import { attributeSamples, type Samples } from '../../src/diagnostics/attribution/attribute.ts';
import { attributionOptions } from '../../src/diagnostics/attribution/options.ts';
import { type Sanity, sanity } from '../../src/diagnostics/attribution/sanity.ts';
import { sanityFindings } from '../../src/diagnostics/attribution/sanity-cards.ts';
import { stagesOf } from '../../src/diagnostics/attribution/sanity-randomisation.ts';
import type { SamplesTool } from '../../src/evidence/evidence.ts';
import type { Graph } from '../../src/graph/types.ts';
import { netA, withModel } from '../evidence/card-nets.ts';
import { floats } from '../evidence/models.ts';
import { graph, node, value } from '../graph/build.ts';

const xs = [
  [1, 0.5, -0.25],
  [0.2, -1, 0.5],
  [2, 1, 1],
];

const checked = async (
  g: Graph,
  options: Readonly<Record<string, unknown>>,
  rows: readonly (readonly number[])[] = xs,
): Promise<Sanity> => {
  const d = rows[0].length;
  const x = Float32Array.from(rows.flat());
  const outputs = { rows: rows.length, cols: 2, data: new Float64Array(2 * rows.length) };
  const samples: SamplesTool = {
    count: rows.length,
    inputDims: [d],
    take: async (positions) => ({
      x: float32([positions.length, d], Float32Array.from(positions.flatMap((p) => rows[p]))),
      rows: [...positions],
      outputs,
    }),
  };
  const asked: Samples = { x, rows: rows.map((_, i) => i), outputs, targets: Int32Array.from(rows, (_, i) => i % 2) };
  const chosen = choose('saliency', attributionOptions, { baseline: 'zero', ...options });
  let out: Sanity | undefined;
  await withModel(g, [d], async (gradient) => {
    const job = quietJob(0);
    const subject = { classes: ['a', 'b'] };
    const found = await attributeSamples({ gradient, samples }, asked, chosen, subject, job);
    out = await sanity({ gradient, samples }, asked, found, chosen, subject, job);
  });
  if (!out) throw new Error('nothing was checked');
  return out;
};

/** Linear in its inputs: logits x·W. */
const linear = graph([value('x', ['N', 3])], [node('MatMul', ['x', 'w'], ['logits'])], ['logits'], {
  w: floats([3, 2], [3, -1, 0, 2, -2, 1]),
});

test('on a linear model path integrals are faithful to every subset: infidelity 0, and slopes are, too', async () => {
  for (const method of ['integrated-gradients', 'gradient', 'gradient-x-input', 'deeplift']) {
    const found = await checked(linear, { method });
    // float32 outputs of size 5.
    assert.ok((found.infidelity?.relative ?? 1) < 1e-10, `${method}: ${found.infidelity?.relative}`);
  }
  assert.equal((await checked(linear, { method: 'rise', masks: 50 })).infidelity, undefined);
});

test('the gradient of a linear model is the same everywhere: sensitivity 0', async () => {
  assert.deepEqual((await checked(linear, { method: 'gradient' })).sensitivity, [0, 0, 0]);
  assert.ok((await checked(linear, { method: 'gradient-x-input' })).sensitivity.every((s) => s > 0 && s < 0.2));
});

test('rows of a table are moved within 2 % of each column’s range: a column that never changes stays', async () => {
  const rows = [
    [1, 100, 0],
    [1.5, 100, 0],
    [1.25, 100, 0],
  ];
  const { sensitivity } = await checked(linear, { method: 'gradient-x-input' }, rows);
  // Row 0, class a: values 3·1, 0·100, −2·0; only the first moves, by at most 0.02·0.5.
  assert.ok(sensitivity[0] > 0 && sensitivity[0] <= (3 * 0.01) / 3 + 1e-6, String(sensitivity[0]));
});

test('deletion and insertion of a linear model: the probability after each share, worked out by hand', async () => {
  const { curves } = await checked(linear, { method: 'integrated-gradients' });
  assert.ok(curves);
  assert.equal(curves.of, 'probability');
  const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
  // Row 0, class a: contributions to its logit 3, 0, 0.5; to the difference of the two logits 4, −1, 0.75.
  const hidden = [4 - 1 + 0.75, -1 + 0.75, -1, 0].map(sigmoid);
  const shown = [0, 4, 4 + 0.75, 4 + 0.75 - 1].map(sigmoid);
  curves.shares.forEach((share, i) => {
    const k = Math.round(share * 3);
    assert.ok(Math.abs(curves.deletion[0][i] - hidden[k]) < 1e-6, `${share}: ${curves.deletion[0][i]} ≠ ${hidden[k]}`);
    assert.ok(Math.abs(curves.insertion[0][i] - shown[k]) < 1e-6);
  });
  const { headline, verdict, curves: drawn } = sanityFindings(await checked(linear, { method: 'integrated-gradients' }));
  const area = (values: readonly number[]): number => values.reduce((s, v, i) => s + v * (i === 0 || i === 20 ? 0.5 : 1), 0) / 20;
  const mean = (rows: readonly Float64Array[]): number => rows.reduce((s, r) => s + area(Array.from(r)) / rows.length, 0);
  assert.ok(Math.abs(headline.deletion_auc - mean(curves.deletion)) < 1e-12);
  assert.ok(Math.abs(headline.insertion_auc - mean(curves.insertion)) < 1e-12);
  assert.deepEqual(
    [...verdict, ...drawn].map((c) => c.title),
    ['Can these maps be trusted?', 'Deletion and insertion', 'Maps after weights are redrawn'],
  );
});

test('weights are redrawn from the output back, alike for the same seed', async () => {
  await withModel(netA(), [3], async (tool) => {
    assert.deepEqual(tool.weighted, ['n_logits', 'n_z']);
    const ask = { rows: 1, points: Float32Array.from(xs[0]), weights: [1], targets: Int32Array.of(0) };
    const { signal } = new AbortController();
    const { random } = quietJob(3);
    const [a, b, all] = [await tool.redrawn(1, random), await tool.redrawn(1, random), await tool.redrawn(2, random)];
    const [ga, gb, gall, own] = [
      await a.sum(ask, signal),
      await b.sum(ask, signal),
      await all.sum(ask, signal),
      await tool.sum(ask, signal),
    ];
    assert.deepEqual(ga.gradient, gb.gradient);
    assert.notDeepEqual(ga.gradient, own.gradient);
    assert.notDeepEqual(gall.gradient, ga.gradient);
    // The hidden layer is not yet touched: the gradient stays in the span of its active rows (1 and 3).
    const [p, q] = [
      [0.5, 1, -1],
      [2, 1, 1],
    ];
    const normal = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
    const dot = normal.reduce((s, v, k) => s + v * ga.gradient[k], 0);
    assert.ok(Math.abs(dot) < 1e-5, String(dot));
  });
  const stages = (await checked(netA(), { method: 'gradient' })).stages;
  assert.deepEqual(
    stages.map((s) => [s.layers, s.name]),
    [
      [1, 'n_logits'],
      [2, 'n_z'],
    ],
  );
});

test('stages are few, evenly spaced, and end with all layers', () => {
  assert.deepEqual([0, 1, 2, 5, 7, 26].map(stagesOf), [[], [1], [1, 2], [1, 2, 3, 4, 5], [1, 3, 4, 6, 7], [5, 10, 16, 21, 26]]);
});

test('a map that stays with all weights redrawn is told, and one that only keeps the input’s zeros is told apart', () => {
  const of = (spearman: number, nonzero: number): string[] => [
    ...sanityFindings({
      samples: 8,
      sensitivity: [0.1],
      stages: [{ layers: 3, name: 'conv1', spearman, nonzero, similarity: 0.5 }],
    }).notes,
  ];
  assert.deepEqual(of(0.02, 0.01), []);
  assert.match(of(0.9, 0.85)[0], /show the input, not what the model learned/);
  // Card 00-attribution-common, check (c): input × gradient on digits.
  assert.match(of(0.901, 0.19)[0], /copies the input’s outline/);
});

test('structural similarity of small maps by the formula; equal maps are 1', () => {
  const a = [0, 1, 2, 3];
  assert.equal(structuralSimilarity(a, a, 2, 2), 1);
  assert.equal(structuralSimilarity([1, 1, 1, 1], [1, 1, 1, 1], 2, 2), 1);
  // One window: means 1.5 and 1.5, variances 5/3 and 5/3, covariance −5/3, L = 3.
  const [c1, c2] = [0.03 ** 2, 0.09 ** 2];
  const wanted = ((2 * 2.25 + c1) * (-10 / 3 + c2)) / ((4.5 + c1) * (10 / 3 + c2));
  assert.ok(Math.abs(structuralSimilarity(a, [3, 2, 1, 0], 2, 2) - wanted) < 1e-12);
});
