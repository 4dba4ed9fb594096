import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageAxes } from '../../src/base/image.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose } from '../../src/base/option.ts';
import { float32, sizeOf } from '../../src/base/tensor.ts';
import { attributeSamples } from '../../src/diagnostics/attribution/attribute.ts';
import { type MethodId, methodIds } from '../../src/diagnostics/attribution/method-names.ts';
import { methods } from '../../src/diagnostics/attribution/methods.ts';
import { attributionOptions } from '../../src/diagnostics/attribution/options.ts';
import type { Graph } from '../../src/graph/types.ts';
import { b1, b2, netA, w1, w2, withModel } from '../evidence/card-nets.ts';
import { floats } from '../evidence/models.ts';
import { graph, int, node, value } from '../graph/build.ts';

/** Card 00-attribution-common, check (b): what each method promises, over the table of methods. */
const point = [1, 0.5, -0.25];
/** Rows of the data, for methods that draw their baselines from it. */
const others = [point, [0.3, -0.7, 0.4], [-0.6, 0.2, 0.9], [0.1, 0.8, -0.5]];

/** Values of a method at one row, and the change of f that they share out. */
const valuesOf = async (g: Graph, x: readonly number[], inputDims: readonly number[], target: number, options: Record<string, unknown>) => {
  let found: { readonly values: Float64Array; readonly gap: number } | undefined;
  const d = sizeOf(inputDims);
  const axes = imageAxes(inputDims);
  await withModel(g, inputDims, async (gradient) => {
    const outputs = { rows: 1, cols: 2, data: new Float64Array(2) };
    const rows = x.length === d && d === 3 ? others : [x];
    const samples = {
      count: rows.length,
      inputDims,
      take: async (at: readonly number[]) => ({
        x: float32([at.length, ...inputDims], Float32Array.from(at.flatMap((i) => rows[i]))),
        rows: [...at],
        outputs,
      }),
    };
    const asked = { x: Float32Array.from(x), rows: [0], outputs, targets: Int32Array.of(target), ...(axes ? { axes } : {}) };
    const chosen = choose('saliency', attributionOptions, { baseline: 'zero', steps: 512, masks: 500, ...options });
    const { values, completeness } = await attributeSamples({ gradient, samples }, asked, chosen, { classes: ['a', 'b'] }, quietJob(0));
    found = { values, gap: completeness?.relative[0] ?? Number.NaN };
  });
  assert.ok(found);
  return found;
};

const onInputs: readonly MethodId[] = methodIds.filter((m) => !m.startsWith('layer-') && !m.startsWith('grad-cam'));
/** Net A whose second input has no weight. */
const blind = (): Graph => {
  const g = netA();
  const w = w1.map((v, i) => (i % 3 === 1 ? 0 : v));
  return { ...g, initializers: new Map(g.initializers).set('w1', floats([4, 3], w)) };
};

test('dummy: an input without weight gets nothing, by every method on inputs', async () => {
  for (const method of onInputs) {
    const { values } = await valuesOf(blind(), point, [3], 0, { method, noiseScale: 1 });
    assert.ok(
      values.some((v) => Math.abs(v) > 1e-3),
      method,
    );
    // RISE's values are means of the output, which an input without weight shares: they are importance above a level, not zero.
    if (method === 'rise') continue;
    // float32; KernelSHAP solves a weighted regression in doubles from float32 outputs.
    assert.ok(Math.abs(values[1]) <= 1e-6, `${method}: ${values[1]}`);
  }
});

test('sensitivity (a): where one input differs from the baseline and the output does, it is attributed', async () => {
  for (const method of ['integrated-gradients', 'deeplift', 'occlusion', 'kernel-shap'] as const)
    for (let k = 0; k < 3; k++) {
      const x = point.map((v, i) => (i === k ? v : 0));
      const { values } = await valuesOf(netA(), x, [3], 0, { method, window: method === 'occlusion' ? 1 : 0 });
      assert.ok(Math.abs(values[k]) > 1e-2, `${method}, input ${k}: ${values}`);
      values.forEach((v, i) => {
        assert.ok(i === k || Math.abs(v) <= 1e-6, `${method}, input ${i}`);
      });
    }
});

test('linearity of Integrated Gradients: of 2f − 3g, twice those of f less three times those of g', async () => {
  const combined = graph(
    [value('x', ['N', 3])],
    [
      node('Gemm', ['x', 'w1', 'b1'], ['z'], { transB: int(1) }),
      node('Relu', ['z'], ['h']),
      node('Gemm', ['h', 'w2', 'b2'], ['fg'], { transB: int(1) }),
      node('MatMul', ['fg', 'mix'], ['logits']),
    ],
    ['logits'],
    { w1: floats([4, 3], w1), b1: floats([4], b1), w2: floats([2, 4], w2), b2: floats([2], b2), mix: floats([2, 1], [2, -3]) },
  );
  const options = { method: 'integrated-gradients', steps: 50 };
  const [f, g] = [await valuesOf(netA(), point, [3], 0, options), await valuesOf(netA(), point, [3], 1, options)];
  const mixed = await valuesOf(combined, point, [3], 0, { ...options, neuron: 'logits:0' });
  // float32 sums of numbers up to 12.
  mixed.values.forEach((v, k) => {
    assert.ok(Math.abs(v - (2 * f.values[k] - 3 * g.values[k])) < 2e-5, `input ${k}`);
  });
});

test('implementation invariance: two graphs of one function have the same maps', async () => {
  // relu(z) as (z + |z|)/2, and matrix products with their sums apart.
  const own = netA({ split: true });
  const other: Graph = {
    ...own,
    nodes: own.nodes.flatMap((n) =>
      n.op === 'Relu' ? [node('Abs', ['z'], ['abs']), node('Add', ['z', 'abs'], ['twice']), node('Mul', ['twice', 'half'], ['h'])] : [n],
    ),
    initializers: new Map(own.initializers).set('half', floats([], [0.5])),
  };
  for (const method of [
    'gradient',
    'gradient-x-input',
    'integrated-gradients',
    'smoothgrad',
    'expected-gradients',
    'occlusion',
    'rise',
    'kernel-shap',
  ]) {
    const [a, b] = [await valuesOf(netA(), point, [3], 0, { method }), await valuesOf(other, point, [3], 0, { method })];
    // float32 in another order.
    a.values.forEach((v, k) => {
      assert.ok(Math.abs(v - b.values[k]) < 1e-5, `${method}, input ${k}: ${v}, ${b.values[k]}`);
    });
  }
});

test('completeness: methods that measure it add up where they promise to', async () => {
  const exact = { deeplift: 1e-6, 'kernel-shap': 1e-6, 'integrated-gradients': 0.01 } as const;
  for (const [method, most] of Object.entries(exact)) {
    const { gap } = await valuesOf(netA(), point, [3], 0, { method });
    // Kinks on the path leave a share of 1/steps.
    assert.ok(gap <= most, `${method}: ${gap}`);
    assert.equal(methods[method as MethodId].kind, 'contributions');
  }
});
