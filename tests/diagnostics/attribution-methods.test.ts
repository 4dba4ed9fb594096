import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { imageAxes } from '../../src/base/image.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose } from '../../src/base/option.ts';
import { float32 } from '../../src/base/tensor.ts';
import { type AttributedSamples, attributeSamples } from '../../src/diagnostics/attribution/attribute.ts';
import { type MethodId, methodIds } from '../../src/diagnostics/attribution/method-names.ts';
import { methods } from '../../src/diagnostics/attribution/methods.ts';
import { attributionOptions } from '../../src/diagnostics/attribution/options.ts';
import { upsample } from '../../src/diagnostics/attribution/upsample.ts';
import type { ModelGradients, SamplesTool } from '../../src/evidence/evidence.ts';
import type { Graph } from '../../src/graph/types.ts';
import { b1, b2, image, near, netA, netB, w1, w2, withModel } from '../evidence/card-nets.ts';
import { floats } from '../evidence/models.ts';
import { graph, node, value } from '../graph/build.ts';

/** Every method on the card's nets, through the compiler. */
const netX = [1, 0.5, -0.25];

const samplesOf = (x: readonly number[], inputDims: readonly number[]): SamplesTool => ({
  count: 1,
  inputDims,
  take: async (positions) => ({
    x: float32([positions.length, ...inputDims], Float32Array.from(positions.flatMap(() => x))),
    rows: positions.map(() => 0),
    outputs: { rows: positions.length, cols: 2, data: new Float64Array(2 * positions.length) },
  }),
});

const attributed = (
  gradient: ModelGradients,
  x: readonly number[],
  inputDims: readonly number[],
  target: number,
  options: Readonly<Record<string, unknown>>,
): Promise<AttributedSamples> => {
  const samples = samplesOf(x, inputDims);
  const axes = imageAxes(inputDims);
  const asked = {
    x: Float32Array.from(x),
    rows: [0],
    outputs: { rows: 1, cols: 2, data: new Float64Array(2) },
    targets: Int32Array.of(target),
    ...(axes ? { axes } : {}),
  };
  return attributeSamples(
    { gradient, samples },
    asked,
    choose('saliency', attributionOptions, options),
    { classes: ['a', 'b'] },
    quietJob(0),
  );
};
const onA = (
  work: (ask: (options: Readonly<Record<string, unknown>>, target?: number) => Promise<AttributedSamples>) => Promise<void>,
  g: Graph = netA(),
) => withModel(g, [3], (tool) => work((options, target = 0) => attributed(tool, netX, [3], target, { baseline: 'zero', ...options })));
const onB = (work: (ask: (options: Readonly<Record<string, unknown>>, target?: number) => Promise<AttributedSamples>) => Promise<void>) =>
  withModel(netB, [1, 4, 4], (tool) =>
    work((options, target = 1) => attributed(tool, image, [1, 4, 4], target, { baseline: 'zero', ...options })),
  );

test('rules, occlusion and layers of net A are the card’s numbers', () =>
  onA(async (ask) => {
    near((await ask({ method: 'guided-backpropagation' })).values, [4, 2, 2]);
    near((await ask({ method: 'deconvolution' })).values, [4.25, 0.25, 3.5]);
    const lifted = await ask({ method: 'deeplift' });
    near(lifted.values, [2.4736507937, -0.643015873, -0.6306349206]);
    near(lifted.completeness?.gap ?? [], [0]);
    near((await ask({ method: 'lrp-epsilon', epsilon: 0 })).values, [3.5, 0.5, -0.75]);
    near((await ask({ method: 'occlusion' })).values, [1.975, -0.475, -0.85]);
    const conductance = await ask({ method: 'layer-conductance', layer: 'h', steps: 400 });
    near(conductance.values, [-0.1, -1.05, -0.15, 2.5], 0.01);
    near([conductance.values.reduce((s, v) => s + v)], [1.2], 0.01);
    near((await ask({ method: 'layer-gradient-x-activation', layer: 'h' })).values, [0, -1.05, 0, 2.5]);
    // The path runs from h(0) = (.1, 0, .3, 0) to h(x) in a linear layer.
    const inside = await ask({ method: 'layer-integrated-gradients', layer: 'h' });
    near(inside.values, [-0.1, -1.05, -0.15, 2.5]);
    assert.deepEqual(inside.grid, { kind: 'units', layer: 'h', dims: [4] });
  }));

test('class against class, probability, loss and a neuron', () =>
  onA(async (ask) => {
    near((await ask({ method: 'gradient', againstClass: 'b' })).values, [4.75, 0.5, 5.5]);
    near((await ask({ method: 'gradient', outputScale: 'probability' })).values, [0.8336369844, 0.0877512615, 0.9652638767]);
    near((await ask({ method: 'gradient', outputScale: 'loss' })).values, [-1.0785242679, -0.1135288703, -1.2488175733]);
    const neuron = await ask({ method: 'gradient', neuron: 'h:3' });
    near(neuron.values, [2, 1, 1]);
    assert.ok(neuron.how.some(({ value }) => value === 'h:3'));
  }));

test('expected gradients and GradientSHAP from a single baseline tend to the path integral', () =>
  onA(async (ask) => {
    // The only row of the data is x itself: from x to x nothing is attributed.
    near((await ask({ method: 'expected-gradients', draws: 20 })).values, [0, 0, 0]);
    const noisy = await ask({ method: 'gradient-shap', draws: 20, noiseScale: 0.1 });
    assert.ok(noisy.values.some((v) => v !== 0));
    const same = await ask({ method: 'gradient-shap', draws: 20, noiseScale: 0.1 });
    assert.deepEqual(same.values, noisy.values);
  }));

/** f of net A with inputs outside `kept` at 0. */
const netAt = (kept: readonly boolean[]): number => {
  const p = netX.map((v, k) => (kept[k] ? v : 0));
  const h = b1.map((b, j) =>
    Math.max(
      0,
      p.reduce((s, v, k) => s + v * w1[j * 3 + k], b),
    ),
  );
  return h.reduce((s, v, j) => s + v * w2[j], b2[0]);
};
/** Shapley values by their definition: mean over orders of the change when an input joins. */
const shapley = (): number[] => {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  const out = [0, 0, 0];
  for (const order of orders) {
    const kept = [false, false, false];
    for (const k of order) {
      const before = netAt(kept);
      kept[k] = true;
      out[k] += (netAt(kept) - before) / orders.length;
    }
  }
  return out;
};

test('KernelSHAP over all coalitions is the Shapley value; over drawn ones it still adds up', () =>
  onA(async (ask) => {
    const exact = await ask({ method: 'kernel-shap' });
    near(exact.values, shapley());
    near([exact.values.reduce((s, v) => s + v)], [1.2]);
    await assert.rejects(ask({ method: 'kernel-shap', masks: 5 }), (e) => Fault.is(e, 'diagnostic/coalitions'));
  }));

test('RISE weighs masks by the value they leave: the mean over masks that keep an input', () =>
  onA(async (ask) => {
    const found = await ask({ method: 'rise', masks: 20_000 });
    const all = Array.from({ length: 8 }, (_, i) => [0, 1, 2].map((k) => Boolean((i >> k) & 1)));
    const wanted = [0, 1, 2].map((k) => all.filter((kept) => kept[k]).reduce((s, kept) => s + netAt(kept) / 4, 0));
    // Standard error of a mean over 10,000 masks of values that spread by about 1.
    near(found.values, wanted, 0.04);
  }));

test('Grad-CAM and occlusion on net B are the card’s maps', () =>
  onB(async (ask) => {
    const rows = (values: ArrayLike<number>): number[] => Array.from(values);
    near(rows((await ask({ method: 'grad-cam', layer: 'a' })).values), [
      ...[0.078125, 0.046875, 0.625, 0.703125, 0, 0, 0.921875, 0.578125],
      ...[0.140625, 0.125, 0.390625, 0.25, 0, 0.390625, 0, 0.25],
    ]);
    const other = await ask({ method: 'grad-cam' }, 0);
    near(other.values, [0.15625, 0.09375, 0, 0, 0, 0, 0, 0, 0.28125, 0, 0.15625, 0, 0, 0.15625, 0, 0]);
    assert.deepEqual(other.grid, { kind: 'map', height: 4, width: 4 });
    assert.ok(other.how.some(({ value }) => String(value).startsWith('a (2 maps of 4 × 4)')));
    const quadrants = (await ask({ method: 'occlusion', window: 2, stride: 2 })).values;
    near([quadrants[0], quadrants[2], quadrants[8], quadrants[10]], [1.890625, 0.8125, 0.84375, -0.546875]);
    const averaged = (await ask({ method: 'occlusion', window: 3, stride: 1 })).values;
    near([averaged[0], averaged[3], averaged[12], averaged[15]], [3.3125, 2.75, 3.03125, 1.90625]);
  }));

test('Grad-CAM++ on net B by its formula; the last feature map is taken where none is named', () =>
  onB(async (ask) => {
    // ∂f/∂h is w_c/16 everywhere: α = g²/(2g² + Σh·g³), the same at all places, weight = 16·α·max(0, g).
    const relu = (v: number): number => Math.max(0, v);
    const at = (y: number, x: number): number => (y < 0 || x < 0 || y > 3 || x > 3 ? 0 : image[y * 4 + x]);
    const maps = [0, 1].map((c) =>
      Array.from({ length: 16 }, (_, i) => {
        const [y, x] = [Math.floor(i / 4), i % 4];
        if (c === 0) return relu(at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1) - 4 * at(y, x) + 0.5);
        const column = (dx: number): number => at(y - 1, x + dx) + 2 * at(y, x + dx) + at(y + 1, x + dx);
        return relu(column(-1) - column(1));
      }),
    );
    const weight = [0.5 / 16, 2 / 16].map((g, c) => {
      const total = maps[c].reduce((s, v) => s + v);
      return (16 * (g * g * g)) / (2 * g * g + total * g ** 3);
    });
    const wanted = maps[0].map((v, i) => relu(v * weight[0] + maps[1][i] * weight[1]));
    near((await ask({ method: 'grad-cam-plus-plus' })).values, wanted);
    await assert.rejects(
      ask({ method: 'grad-cam', layer: 'logits' }),
      (e) => Fault.is(e, 'diagnostic/layer-rank') && /\[N,2\]/.test(e.message),
    );
    await assert.rejects(ask({ method: 'grad-cam', layer: 'x1' }), (e) => Fault.is(e, 'diagnostic/layer'));
    await assert.rejects(ask({ method: 'occlusion', window: 9 }), (e) => Fault.is(e, 'diagnostic/window'));
    await assert.rejects(ask({ method: 'occlusion', window: 2, stride: 3 }), (e) => Fault.is(e, 'diagnostic/stride'));
  }));

test('conductance of a large layer, its path taken in parts: w·x of each unit that is on', async () => {
  const size = 100_000;
  const w = Array.from({ length: size }, (_, k) => ((k % 7) - 3) / 8);
  const wide = graph(
    [value('x', ['N', 1])],
    [node('MatMul', ['x', 'w'], ['z']), node('Relu', ['z'], ['h']), node('MatMul', ['h', 'v'], ['logits'])],
    ['logits'],
    {
      w: floats([1, size], w),
      v: floats(
        [size, 2],
        Array.from({ length: 2 * size }, (_, i) => 1 - (i % 2)),
      ),
    },
  );
  await withModel(wide, [1], async (tool) => {
    const found = await attributed(tool, [2], [1], 0, { method: 'layer-conductance', layer: 'h', baseline: 'zero', steps: 64 });
    const worst = w.reduce((most, own, k) => Math.max(most, Math.abs(found.values[k] - Math.max(0, 2 * own))), 0);
    assert.ok(worst <= 3e-6, String(worst));
    assert.ok((found.completeness?.relative[0] ?? 1) < 1e-5);
  });
});

test('more rows than are worked on at once give the same as few, and progress is told between', async () => {
  const rows = 200_000;
  await withModel(netA(), [3], async (gradient) => {
    const told: number[] = [];
    const found = await attributeSamples(
      { gradient, samples: samplesOf(netX, [3]) },
      {
        x: Float32Array.from({ length: 3 * rows }, (_, i) => netX[i % 3]),
        rows: Array.from({ length: rows }, (_, b) => b),
        outputs: { rows, cols: 1, data: new Float64Array(rows) },
        targets: Int32Array.from({ length: rows }, (_, b) => b % 2),
      },
      choose('saliency', attributionOptions, { method: 'gradient' }),
      { classes: ['a', 'b'] },
      { ...quietJob(0), progress: (f) => void told.push(f) },
    );
    near(found.values.subarray(-6), [3.5, 1, 3, -1.25, 0.5, -2.5]);
    assert.equal(found.output.length, rows);
    assert.ok(told.length === 3 && told[0] > 0.4 && told[0] < told[1] && told[2] === 1, String(told));
  });
});

test('maps are made larger bilinearly with half-pixel centres', () => {
  const map = Float64Array.of(0.078125, 0.046875, 0.625, 0.703125, ...new Float64Array(12));
  const wide = upsample(map.slice(0, 4), 1, 4, 1, 8);
  near(wide, [0.078125, 0.0703125, 0.0546875, 0.19140625, 0.48046875, 0.64453125, 0.68359375, 0.703125], 1e-12);
});

/** Σ of the map against the change of f: within the tolerance of the method's own sampling. */
const complete: readonly MethodId[] = [
  'integrated-gradients',
  'deeplift',
  'kernel-shap',
  'layer-integrated-gradients',
  'layer-conductance',
];
test('every method runs on both nets, gives finite values of its grid, and those that promise it add up', async () => {
  assert.deepEqual(Object.keys(methods).sort(), [...methodIds].sort());
  const run = async (
    ask: (options: Readonly<Record<string, unknown>>) => Promise<AttributedSamples>,
    layer: string,
    inputs: number,
  ): Promise<void> => {
    for (const method of methodIds) {
      if (layer === 'h' && method.startsWith('grad-cam')) continue;
      const found = await ask({ method, layer, masks: 200, steps: 200 });
      const { grid = { kind: 'inputs' } } = found;
      const size = grid.kind === 'inputs' ? inputs : grid.kind === 'map' ? grid.height * grid.width : grid.dims.reduce((n, d) => n * d, 1);
      assert.equal(found.values.length, size, method);
      assert.ok(found.values.every(Number.isFinite), method);
      if (!complete.includes(method)) continue;
      const gap = found.completeness?.relative[0] ?? Number.NaN;
      // 200 steps across kinks of the path leave about 1/200 of the change.
      assert.ok(gap <= 0.02, `${method}: ${gap}`);
    }
  };
  await onA((ask) => run(ask, 'h', 3));
  await onB((ask) => run(ask, 'a', 16));
});
