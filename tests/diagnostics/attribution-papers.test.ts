import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageAxes } from '../../src/base/image.ts';
import { quietJob } from '../../src/base/job.ts';
import { structuralSimilarity } from '../../src/base/maths/structural-similarity.ts';
import { choose } from '../../src/base/option.ts';
import { float32, sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { toFloats } from '../../src/data/values.ts';
import { type AttributedSamples, attributeSamples, type Samples } from '../../src/diagnostics/attribution/attribute.ts';
import { attributionOptions } from '../../src/diagnostics/attribution/options.ts';
import { sanityFindings } from '../../src/diagnostics/attribution/sanity-cards.ts';
import { randomisation, type Stage } from '../../src/diagnostics/attribution/sanity-randomisation.ts';
import { upsample } from '../../src/diagnostics/attribution/upsample.ts';
import type { ModelGradients } from '../../src/evidence/evidence.ts';
import { load, withFixture } from './fixture-model.ts';

/** Methods that the card only names, against their papers' formulas in torch float64 (golden/make/attribution-papers.py). */
const golden = load('golden/attribution/papers.npz');
const wanted = (key: string): Float64Array => Float64Array.from(toFloats(golden[key]));

const worst = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  assert.equal(actual.length, expected.length);
  return Array.from(expected).reduce<number>((most, v, k) => Math.max(most, Math.abs(actual[k] - v)), 0);
};
const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);

type Ask = (options: Readonly<Record<string, unknown>>, tool?: ModelGradients) => Promise<AttributedSamples>;
/** Attributes the labels of the first rows of `source` by a fixture model; the rows are the data, too. */
const onRows = async (
  name: string,
  first: number,
  source: Readonly<Record<string, Tensor>>,
  work: (ask: Ask, asked: Samples, gradient: ModelGradients) => Promise<void>,
): Promise<void> => {
  const inputDims = source.x.dims.slice(1);
  const d = sizeOf(inputDims);
  const x = Float32Array.from(toFloats(source.x).slice(0, first * d));
  const axes = imageAxes(inputDims);
  const outputs = { rows: first, cols: 1, data: new Float64Array(first) };
  const asked: Samples = {
    x,
    rows: Array.from({ length: first }, (_, b) => b),
    outputs,
    targets: Int32Array.from({ length: first }, (_, b) => Number(source.y.data[b])),
    ...(axes ? { axes } : {}),
  };
  const samples = {
    count: first,
    inputDims,
    take: async (at: readonly number[]) => ({
      x: float32([at.length, ...inputDims], Float32Array.from(at.flatMap((b) => Array.from(x.subarray(b * d, (b + 1) * d))))),
      rows: [...at],
      outputs,
    }),
  };
  await withFixture(name, float32([first, ...inputDims], x), (gradient) => {
    const classes = Array.from({ length: gradient.targets }, (_, k) => String(k));
    const ask: Ask = (options, tool = gradient) =>
      attributeSamples(
        { gradient: tool, samples },
        asked,
        choose('saliency', attributionOptions, { baseline: 'zero', ...options }),
        { classes },
        quietJob(0),
      );
    return work(ask, asked, gradient);
  });
};

test('LRP-ε, LRP-γ, Grad-CAM++, conductance and layer Integrated Gradients of a convolutional network', () =>
  onRows('lenet_mnist', 2, load('golden/autodiff/lenet_mnist.npz'), async (ask) => {
    // 1e-4 of the largest value: float32 through five layers.
    const near = (what: string, { values }: AttributedSamples, expected: Float64Array, share = 1e-4): void => {
      const off = worst(values, expected);
      assert.ok(off <= share * largest(expected), `${what}: off by ${off} of ${largest(expected)}`);
    };
    near('LRP-ε', await ask({ method: 'lrp-epsilon' }), wanted('lrp_epsilon'));
    near('LRP-γ', await ask({ method: 'lrp-gamma' }), wanted('lrp_gamma'));
    const [, h, w] = golden.gradcampp.dims;
    const maps = wanted('gradcampp');
    const wide = [0, 1].flatMap((b) => [...upsample(maps.subarray(b * h * w, (b + 1) * h * w), h, w, 28, 28)]);
    near('Grad-CAM++', await ask({ method: 'grad-cam-plus-plus' }), Float64Array.from(wide));
    const layer = '/Flatten_output_0';
    // 1e-3: float32 points of a path may fall on the other side of a kink.
    near('conductance', await ask({ method: 'layer-conductance', layer }), wanted('conductance'), 1e-3);
    near(
      'layer Integrated Gradients',
      await ask({ method: 'layer-integrated-gradients', layer, quadrature: 'riemann_middle' }),
      wanted('layer_ig'),
      1e-3,
    );
  }));

test('expected gradients and GradientSHAP without noise are means over baselines: within 5 standard errors', () =>
  onRows('mlp_breast_cancer', 8, load('golden/autodiff/mlp_breast_cancer.npz'), async (ask) => {
    const [mean, sd] = [wanted('expected'), wanted('expected_sd')];
    for (const method of ['expected-gradients', 'gradient-shap']) {
      const { values, completeness } = await ask({ method, draws: 1024, noiseScale: 0 });
      // 240 numbers: 5 standard errors are passed by one in 7,000 such tests, and by none with this seed.
      mean.forEach((v, k) => {
        assert.ok(Math.abs(values[k] - v) <= (5 * sd[k]) / 32 + 1e-6, `${method}, value ${k}: ${values[k]}, ${v} ± ${sd[k] / 32}`);
      });
      assert.ok(completeness);
    }
  }));

/** By definition in torch (golden/make/attribution-perturbation.py). */
const hidden = load('golden/attribution/perturbation.npz');
const hiding = (key: string): Float64Array => Float64Array.from(toFloats(hidden[key]));

test('RISE of a digit: means over masks, within 5 standard errors of those over 100,000', () =>
  onRows('lenet_mnist', 1, load('golden/autodiff/lenet_mnist.npz'), async (ask) => {
    const masks = 2000;
    const { values } = await ask({ method: 'rise', masks });
    const [mean, sd] = [hiding('rise'), hiding('rise_sd')];
    // Of 784 numbers none is further off in 2,000 such tests; both sides draw.
    mean.forEach((v, k) => {
      const error = sd[k] * Math.sqrt(1 / masks + 1e-5);
      assert.ok(Math.abs(values[k] - v) <= 5 * error, `pixel ${k}: ${values[k]}, ${v} ± ${error}`);
    });
  }));

test('KernelSHAP over all coalitions is the Shapley value by its definition; over drawn ones it comes near', () =>
  onRows('mlp_diabetes', 8, load('golden/autodiff/mlp_diabetes.npz'), async (ask) => {
    const wanted = hiding('shapley');
    const exact = await ask({ method: 'kernel-shap', masks: 1022 });
    // float32 outputs of about 200 leave 1e-5 each, of which a value weighs many.
    assert.ok(worst(exact.values, wanted) <= 1e-4 * largest(wanted), String(worst(exact.values, wanted)));
    const off = async (masks: number): Promise<number> => {
      const { values, completeness } = await ask({ method: 'kernel-shap', masks });
      assert.ok(Math.max(...(completeness?.relative ?? [1])) < 1e-4);
      return Math.sqrt(wanted.reduce((sum, v, k) => sum + (values[k] - v) ** 2, 0) / wanted.reduce((sum, v) => sum + v * v, 0));
    };
    // The network is nearly additive: few coalitions already tell the values, and more tell them better.
    const [few, many] = [await off(60), await off(900)];
    assert.ok(many < few && many < 0.05, `${few}, ${many}`);
  }));

test('GradientSHAP with noise: means over draws, within 5 standard errors of those over 100,000', () =>
  onRows('mlp_breast_cancer', 8, load('golden/autodiff/mlp_breast_cancer.npz'), async (ask) => {
    const draws = 2048;
    const { values } = await ask({ method: 'gradient-shap', draws, noiseScale: 0.15 });
    const [mean, sd] = [hiding('gradient_shap'), hiding('gradient_shap_sd')];
    // 240 numbers, as above; 1e-6 for float32.
    mean.forEach((v, k) => {
      const error = sd[k] * Math.sqrt(1 / draws + 1e-5);
      assert.ok(Math.abs(values[k] - v) <= 5 * error + 1e-6, `value ${k}: ${values[k]}, ${v} ± ${error}`);
    });
  }));

test('structural similarity is NumPy’s by the formula', () => {
  const [height, width] = golden.ssim_a.dims;
  const found = structuralSimilarity(toFloats(golden.ssim_a), toFloats(golden.ssim_b), height, width);
  assert.ok(Math.abs(found - toFloats(golden.ssim)[0]) < 1e-12, String(found));
});

test('card (c): on digits the gradient is lost with the weights, input × gradient keeps the input’s zeros and is warned of', () => {
  const { x, y } = load('fixtures/data/digits.npz');
  const scaled = float32(
    [x.dims[0], 1, 8, 8],
    Float32Array.from(toFloats(x), (v) => v / 16),
  );
  return onRows('mlp_digits', 100, { x: scaled, y }, async (ask, asked, gradient) => {
    const last = async (method: string): Promise<Stage> => {
      const stages = await randomisation(gradient, asked, await ask({ method }), (tool) => ask({ method }, tool), quietJob(0));
      const stage = stages.at(-1);
      assert.ok(stage);
      return stage;
    };
    const told = (stage: Stage): string => sanityFindings({ samples: 100, sensitivity: [0], stages: [stage] }).notes.join(' ');
    const own = await last('gradient');
    assert.ok(own.spearman < 0.2, String(own.spearman));
    assert.equal(told(own), '');
    const timesInput = await last('gradient-x-input');
    assert.ok(timesInput.spearman > 0.8, String(timesInput.spearman));
    assert.match(told(timesInput), /copies the input’s outline/);
  });
});
