import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { imageAxes } from '../../src/base/image.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose } from '../../src/base/option.ts';
import { float32 } from '../../src/base/tensor.ts';
import { type Compared, likenessOf } from '../../src/diagnostics/attribution/comparison-run.ts';
import { channelsFirst, featureMaps, layerOf } from '../../src/diagnostics/attribution/layers.ts';
import type { Findings, Study } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import type { LayerFacts, ModelGradients, SamplesTool, Subject, Tools } from '../../src/evidence/evidence.ts';
import { image, netB, withModel } from '../evidence/card-nets.ts';

const comparison = diagnostics.find((d) => d.id === 'attribution-comparison') as Study;

/** Maps of one sample. */
const compared = (...profile: number[]): Compared =>
  ({ method: 'gradient', rows: {}, profiles: [Float64Array.from(profile)] }) as unknown as Compared;

test('likeness of two maps by hand: ranks of sizes, with sign, where the input is not 0, and the strongest tenth', () => {
  const a = compared(1, -2, 3, 4, 0, 0, 0, 0, 0, 10);
  const b = compared(1, 2, -3, 4, 0, 0, 0, 0, 0, 9);
  const found = likenessOf(a, b, () => Float64Array.of(1, 1, 1, 1, 0, 0, 0, 0, 0, 0));
  assert.ok(Math.abs(found.size[0] - 1) < 1e-12);
  assert.ok(Math.abs(found.nonzero[0] - 1) < 1e-12);
  assert.deepEqual(found.top, [1]);
  // Ranks of a: −2 → 1, five zeros 4, 1 → 7, 3 → 8, 4 → 9, 10 → 10; of b: −3 → 1, zeros 4, 1 → 7, 2 → 8, 4 → 9, 9 → 10.
  const [ra, rb] = [
    [7, 1, 8, 9, 4, 4, 4, 4, 4, 10],
    [7, 8, 1, 9, 4, 4, 4, 4, 4, 10],
  ];
  const dot = (p: readonly number[], q: readonly number[]): number => p.reduce((s, v, i) => s + (v - 5.5) * (q[i] - 5.5), 0);
  assert.ok(Math.abs((found.signed?.[0] ?? 0) - dot(ra, rb) / Math.sqrt(dot(ra, ra) * dot(rb, rb))) < 1e-12);
  const other = likenessOf(a, compared(10, 4, 3, 2, 0, 0, 0, 0, 0, 1), () => undefined);
  assert.deepEqual(other.top, [0]);
  assert.equal(other.signed, undefined);
  assert.ok(Number.isNaN(likenessOf(a, compared(...new Array<number>(10).fill(2)), () => undefined).size[0]));
});

const rows = [image, image.map((v) => v / 2 + 0.25), image.map((v, k) => (k % 3 === 0 ? 0 : v))];
const samples: SamplesTool = {
  count: rows.length,
  inputDims: [1, 4, 4],
  take: async (positions) => ({
    x: float32([positions.length, 1, 4, 4], Float32Array.from(positions.flatMap((p) => rows[p]))),
    rows: positions.map((p) => 10 + p),
    outputs: { rows: positions.length, cols: 2, data: Float64Array.from(positions.flatMap(() => [0, 1])) },
    labels: Int32Array.from(positions, () => 1),
  }),
};
const subject: Subject = {
  classes: ['a', 'b'],
  rows: 3,
  scores: 'logits',
  dataName: 'cases',
  modelName: 'net',
  ran: { device: 'cpu', seconds: 2 },
};
const run = async (options: Record<string, unknown>): Promise<Findings> => {
  let found: Findings | undefined;
  await withModel(netB, [1, 4, 4], async (gradient) => {
    const chosen = choose('attribution-comparison', comparison.options, options);
    const result = await comparison.study({ gradient, samples } as Tools, chosen, quietJob(0), subject);
    found = comparison.report(result, chosen, subject);
  });
  assert.ok(found);
  return found;
};

test('methods stand side by side: a line for each sample, the sample before its maps, each with what made it', async () => {
  const f = await run({ methods: 'gradient, gradient-x-input,grad-cam,occlusion' });
  assert.deepEqual([f.headline.methods, f.headline.rows], [4, 3]);
  const grid = f.cards.find((c) => c.kind === 'images');
  assert.ok(grid?.kind === 'images');
  assert.equal(grid.columns, 5);
  assert.deepEqual(
    grid.images.slice(0, 5).map((i) => i.title),
    ['predicted b', 'Gradient', 'Gradient × Input', 'Grad-CAM', 'Occlusion'],
  );
  assert.deepEqual(
    grid.images.map((i) => i.row),
    [10, 11, 12].flatMap((row) => new Array<number>(5).fill(row)),
  );
  // Card 00, net B: the gradient of target 1, first line.
  const [, first] = grid.images;
  assert.deepEqual(first.overlays[0].values.slice(0, 4), [-0.09375, 0.28125, 0.46875, -0.46875]);
  assert.deepEqual(
    ['Model', 'Class attributed', 'Method', 'Baseline', 'Steps', 'Completeness gap'].filter(
      (label) => !first.facts.some((x) => x.label === label),
    ),
    [],
  );
  const heat = f.cards.find((c) => c.kind === 'heatmap');
  assert.ok(heat?.kind === 'heatmap');
  const [size] = heat.layers;
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++) {
      assert.equal(size.values[4 * i + j], size.values[4 * j + i]);
      if (i === j) assert.equal(size.values[4 * i + j], 1);
    }
  const pairs = f.cards.find((c) => c.kind === 'table' && c.title === 'Pairs of methods');
  assert.ok(pairs?.kind === 'table');
  assert.equal(pairs.rows.length, 6);
  const means = pairs.rows.map((r) => Number(r[2]));
  assert.ok(Math.abs(f.headline.rank_correlation_min - Math.min(...means)) < 1e-12);
  assert.ok(Math.abs(f.headline.rank_correlation_mean - means.reduce((s, v) => s + v / 6, 0)) < 1e-12);
  const made = f.cards.find((c) => c.kind === 'table' && c.title === 'Methods');
  assert.ok(made?.kind === 'table');
  assert.match(String(made.rows[0][1]), /Model: net; Class attributed: b; Method: Gradient; .*Device: cpu; Time for the run: 2 s\.$/);
});

test('one scale for all maps of a sample, where asked for', async () => {
  const scales = async (sameScale: boolean): Promise<number[][]> => {
    const grid = (await run({ methods: 'gradient,occlusion', sameScale })).cards.find((c) => c.kind === 'images');
    assert.ok(grid?.kind === 'images');
    return [0, 3, 6].map((i) => grid.images.slice(i + 1, i + 3).map((tile) => tile.overlays[0].scale));
  };
  assert.ok((await scales(true)).every(([a, b]) => a === b));
  assert.ok((await scales(false)).some(([a, b]) => a !== b));
});

test('a method that the model does not allow is left out with its reason; a name that is none is refused', async () => {
  const f = await run({ methods: 'gradient,occlusion,kernel-shap', masks: 8 });
  assert.equal(f.headline.methods, 2);
  assert.match(f.notes?.[0] ?? '', /^KernelSHAP was left out: /);
  const units = await run({ methods: 'gradient,occlusion,layer-conductance', layer: 'logits' });
  assert.match(units.notes?.[0] ?? '', /^Layer Conductance was left out: its map is over units/);
  await assert.rejects(run({ methods: 'gradient,gradcam' }), (e) => Fault.is(e, 'option/value') && /nearest: grad-cam/.test(e.message));
  await assert.rejects(run({ methods: 'gradient,gradient' }), { message: /at least two methods/ });
  await assert.rejects(run({ methods: 'kernel-shap,gradient', masks: 8 }), (e) => Fault.is(e, 'diagnostic/coalitions'));
});

const layer = (name: string, op: string, ...dims: number[]): LayerFacts => ({ name, op, dims });
const of = (...layers: LayerFacts[]): ModelGradients => ({ layers }) as unknown as ModelGradients;

test('feature maps: over a picture only [C, H, W]; of text channels first after a convolution, else tokens first', () => {
  const axes = imageAxes([1, 16, 16]);
  assert.ok(axes);
  const norm = layer('norm', 'LayerNormalization', 17, 64);
  assert.equal(featureMaps(norm, { axes }, [norm]), undefined);
  assert.deepEqual(featureMaps(norm, { tokens: 17 }, [norm]), { channels: 64, height: 1, width: 17, last: true });
  assert.deepEqual(featureMaps(norm, {}, [norm]), { channels: 17, height: 1, width: 64, last: false });
  const square = layer('mul', 'Mul', 32, 32);
  assert.equal(featureMaps(square, { tokens: 32 }, [square])?.last, true);
  assert.equal(featureMaps(square, { tokens: 32 }, [layer('conv', 'Conv', 32, 32), square])?.last, false);
  const maps = { channels: 2, height: 1, width: 3, last: true };
  assert.deepEqual(
    [...channelsFirst(Float64Array.of(1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60), maps)],
    [1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60],
  );
});

test('the default layer follows the last convolution: of a vision transformer that of its patches', () => {
  const axes = imageAxes([1, 16, 16]);
  assert.ok(axes);
  const patches = layer('patches', 'Conv', 64, 4, 4);
  const attention = layer('scores', 'Softmax', 4, 17, 17);
  assert.equal(
    layerOf(of(patches, layer('flat', 'Reshape', 64, 16), attention, layer('out', 'MatMul', 4, 17, 16)), '', true, { axes }).name,
    'patches',
  );
  const residual = of(
    layer('c', 'Conv', 8, 4, 4),
    layer('sum', 'Add', 8, 4, 4),
    layer('r', 'Relu', 8, 4, 4),
    layer('p', 'GlobalAveragePool', 8, 1, 1),
  );
  assert.equal(layerOf(residual, '', true, { axes }).name, 'r');
  assert.throws(
    () => layerOf(of(layer('h', 'LSTM', 8, 16)), '', true, { axes }),
    (e) => Fault.is(e, 'diagnostic/no-feature-maps'),
  );
  assert.throws(
    () => layerOf(of(attention, layer('n', 'Add', 17, 64)), 'n', true, { axes }),
    (e) => Fault.is(e, 'diagnostic/layer-rank'),
  );
});
