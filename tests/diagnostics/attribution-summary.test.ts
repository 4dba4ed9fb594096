import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { kMeans } from '../../src/base/maths/k-means.ts';
import { twoComponents } from '../../src/base/maths/principal-components.ts';
import { choose } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { float32, sizeOf } from '../../src/base/tensor.ts';
import type { Findings, Study } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import type { GradientTool, SamplesTool, Subject, Tools } from '../../src/evidence/evidence.ts';
import type { CardOf } from '../../src/report/report.ts';
import { toolOf } from './nets.ts';

const summary = diagnostics.find((d) => d.id === 'attribution-summary') as Study;

const run = async (
  tool: GradientTool,
  rows: readonly (readonly number[])[],
  options: Readonly<Record<string, unknown>> = {},
  more: Partial<SamplesTool> = {},
): Promise<Findings> => {
  const { inputDims } = tool;
  const subject: Subject = { classes: ['a', 'b'], rows: rows.length, scores: 'logits', dataName: 'cases', modelName: 'net' };
  const samples: SamplesTool = {
    count: rows.length,
    inputDims,
    take: async (positions) => ({
      x: float32([positions.length, ...inputDims], Float32Array.from(positions.flatMap((p) => rows[p]))),
      rows: positions.map((p) => 10 + p),
      outputs: { rows: positions.length, cols: 2, data: Float64Array.from(positions.flatMap((p) => [rows[p][0] > 0 ? 1 : 0, 0.5])) },
      labels: Int32Array.from(positions, (p) => (rows[p][0] > 0 ? 0 : 1)),
    }),
    ...more,
  };
  const chosen = choose('attribution-summary', summary.options, { method: 'gradient-x-input', ...options });
  const result = await summary.study({ gradient: tool, samples } as Tools, chosen, quietJob(1), subject);
  return summary.report(result, chosen, subject);
};
const card = <K extends string>(f: Findings, kind: K, title: RegExp) =>
  f.cards.find((c) => c.kind === kind && title.test(c.title)) as Extract<Findings['cards'][number], { kind: K }>;

const weights = [2, -1, 0, 0.5];
const linear = toolOf((p, at) => ({ value: weights.reduce((s, w, k) => s + w * p[at + k], 0), gradient: weights }), [4], 2);

test('features of a linear model: mean |w·x| in falling order, with names, signs and a bootstrap interval around it', async () => {
  const { normal } = random(0, 'rows');
  const rows = Array.from({ length: 60 }, () => weights.map(() => normal()));
  const f = await run(linear, rows, {}, { names: ['age', 'height', 'noise', 'mass'] });
  const bars = card(f, 'bars', /Features/) as CardOf<'bars'>;
  const size = (k: number): number => rows.reduce((s, r) => s + Math.abs(Math.fround(r[k]) * weights[k]) / rows.length, 0);
  assert.deepEqual(bars.categories, ['age', 'height', 'mass', 'noise']);
  for (const [i, k] of [0, 1, 3, 2].entries()) assert.ok(Math.abs(Number(bars.series[0].values[i]) - size(k)) < 1e-6);
  const interval = f.intervals?.top_feature_mean_abs;
  assert.ok(interval && interval.low < f.headline.top_feature_mean_abs && f.headline.top_feature_mean_abs < interval.high);
  // 60 rows of |N(0, 2)|: standard error 1.2/√60 = 0.16.
  assert.ok(interval.high - interval.low > 0.3 && interval.high - interval.low < 1.2);
  const plot = card(f, 'scatter', /How age matters/) as CardOf<'scatter'>;
  for (const g of plot.groups) for (const [x, a] of g.points) assert.ok(Math.abs(a - 2 * x) < 1e-5);
  assert.match(f.guide, /age matters most/);
});

/** Pictures 4 × 4: the answer rests on the middle, but in every fourth row of class a on a corner, where there is a mark. */
const picture = toolOf(
  (p, at) => {
    const mark = p[at] > 0.5;
    const gradient = Array.from({ length: 16 }, (_, k) => (mark ? Number(k === 0) : Number(k === 5 || k === 6)));
    return { value: gradient.reduce((s, g, k) => s + g * p[at + k], 0), gradient };
  },
  [1, 4, 4],
  2,
);
const noise = random(2, 'pictures');
const pictures = Array.from({ length: 40 }, (_, i) =>
  Array.from({ length: 16 }, (_, k) => (k === 0 ? (i % 8 === 0 ? 1 : i % 2 === 0 ? 0.1 : -0.1) : 0.4 + 0.1 * noise.next())),
);

test('maps fall into kinds, and one held by a single class is pointed at', async () => {
  const f = await run(picture, pictures);
  assert.equal(f.headline.clusters, 2);
  assert.ok(f.headline.silhouette > 0.8);
  const table = card(f, 'table', /Kinds of map/) as CardOf<'table'>;
  const sizes = table.rows.map((r) => Number(r[1])).sort((a, b) => a - b);
  assert.deepEqual(sizes, [5, 35]);
  assert.match(f.guide, /nearly all of class a: look at its typical rows/);
  const means = card(f, 'images', /each class/) as CardOf<'images'>;
  assert.deepEqual(
    means.images.map((i) => i.title),
    ['class a', 'class b'],
  );
  assert.equal((await run(picture, pictures, { clusters: 1 })).headline.clusters, undefined);
  assert.equal((await run(picture, pictures, { clusters: 3 })).headline.clusters, 3);
});

test('one row is no dataset', async () => {
  await assert.rejects(run(linear, [[1, 2, 3, 4]]), (e) => Fault.is(e, 'diagnostic/few-rows') && /'cases' has one row/.test(e.message));
});

test('k-means finds groups that lie apart; the silhouette of two pairs by hand', () => {
  const rows = Float64Array.of(0, 0, 0, 1, 10, 0, 10, 1);
  const { of, centres, silhouette } = kMeans(rows, 2, 2, random(0, 'k'));
  assert.equal(of[0], of[1]);
  assert.equal(of[2], of[3]);
  assert.notEqual(of[0], of[2]);
  assert.deepEqual(
    [...centres].filter((_, i) => i % 2 === 1),
    [0.5, 0.5],
  );
  // a = 1, b = (10 + √101)/2.
  const b = (10 + Math.sqrt(101)) / 2;
  assert.ok(Math.abs(silhouette - (b - 1) / b) < 1e-12);
});

test('principal components of points on a line and a little beside it', () => {
  const d = 3;
  const axis = [2 / 3, 2 / 3, 1 / 3];
  const side = [1 / Math.SQRT2, -1 / Math.SQRT2, 0];
  const at = [-2, -1, 0, 1, 2].map((t, i) => ({ t, u: i % 2 === 0 ? 0.1 : -0.15 }));
  const rows = Float64Array.from(at.flatMap(({ t, u }) => axis.map((a, k) => 5 + t * a + u * side[k])));
  const scores = twoComponents(rows, d);
  at.forEach(({ t, u }, i) => {
    assert.ok(Math.abs(scores[2 * i] - t) < 1e-6);
    assert.ok(Math.abs(Math.abs(scores[2 * i + 1]) - Math.abs(u)) < 1e-6);
  });
  assert.equal(scores.length, 2 * (rows.length / sizeOf([d])));
});
