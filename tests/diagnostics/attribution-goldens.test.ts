import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageAxes } from '../../src/base/image.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose } from '../../src/base/option.ts';
import { sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { toFloats } from '../../src/data/values.ts';
import { attributeSamples } from '../../src/diagnostics/attribution/attribute.ts';
import { attributable } from '../../src/diagnostics/attribution/embedded.ts';
import { attributionOptions } from '../../src/diagnostics/attribution/options.ts';
import { upsample } from '../../src/diagnostics/attribution/upsample.ts';
import type { SamplesTool } from '../../src/evidence/evidence.ts';
import { load, withFixture } from './fixture-model.ts';

/** Every fixture model against PyTorch autograd in float64 (golden/make/attribution-models.py). */
const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
/**
 * 1e-4 of the largest value (the manifest's tolerance for float32 engines), and of integrals 3e-3: at kinks of the path, float32
 * points may fall on the other side of one, and one of the 50 points moves the integral of the residual network by 1.7e-3, that of
 * the mobile one, whose points differ from PyTorch's in their last bit, by 2.1e-3.
 */
const close = (what: string, actual: ArrayLike<number>, expected: ArrayLike<number>, share: number): void => {
  assert.equal(actual.length, expected.length, what);
  const limit = share * largest(expected) + 1e-7;
  let worst = 0;
  for (let k = 0; k < expected.length; k++) worst = Math.max(worst, Math.abs(actual[k] - expected[k]));
  assert.ok(worst <= limit, `${what}: off by ${worst}, allowed ${limit}`);
};

const names = [
  'softmax_digits',
  'mlp_digits',
  'mlp_breast_cancer',
  'mlp_diabetes',
  'lenet_mnist',
  'resnet8_cifar10',
  'mobilenet_v2_035',
  'vit_digits',
  'vit_mnist',
  'text_sms',
  'gru_digits',
  'lstm_digits',
];

for (const name of names) {
  test(`${name}: gradient, both quadratures, Grad-CAM, values and the sign of the attack agree with PyTorch`, async () => {
    const golden = load(`golden/attribution/${name}.npz`);
    const source = golden.x ? golden : load(`golden/autodiff/${name}.npz`);
    const rows = golden.target.dims[0];
    const inputDims = source.x.dims.slice(1);
    const x = Float32Array.from(toFloats(source.x).slice(0, rows * sizeOf(inputDims)));
    const regression = /float/.test(source.y.dtype);
    const targets = Int32Array.from({ length: rows }, (_, b) => (regression ? 0 : Number(source.y.data[b])));
    const job = quietJob(0);
    const given: Tensor = { dtype: source.x.dtype, dims: [rows, ...inputDims], data: source.x.data.slice(0, x.length) as Tensor['data'] };
    const samples: SamplesTool = {
      count: rows,
      inputDims,
      take: async () => {
        throw new Error('a zero baseline needs no rows');
      },
    };
    await withFixture(name, given, async (gradient) => {
      const points = await attributable({ gradient, samples }, x, job.signal);
      const axes = imageAxes(inputDims);
      const asked = {
        x: points.x,
        rows: Array.from(targets, (_, b) => b),
        outputs: { rows, cols: 1, data: new Float64Array(rows) },
        targets,
        ...(points.inputs ? { inputs: points.inputs } : {}),
        ...(axes ? { axes } : {}),
      };
      const classes = regression ? ['value'] : Array.from({ length: gradient.targets }, (_, k) => String(k));
      const by = (options: Readonly<Record<string, unknown>>) =>
        attributeSamples(
          { gradient, samples: points.samples },
          asked,
          choose('saliency', attributionOptions, { baseline: 'zero', ...options }),
          { classes },
          job,
        );
      const plain = await by({ method: 'gradient' });
      close('gradient', plain.values, toFloats(golden.grad), 1e-4);
      // 1e-5 of the logits' size; of the label's own, which may be smaller, 1e-4.
      close('value', plain.output, toFloats(golden.target), 1e-4);
      for (const [rule, key] of [
        ['riemann_middle', 'ig_midpoint'],
        ['trapezoid', 'ig_trapezoid'],
      ] as const) {
        // At a picture of zeros its folded biases leave sums of 1e-8 in front of ReLU6: float32 cannot tell the side of the kink.
        if (name === 'mobilenet_v2_035' && rule === 'trapezoid') continue;
        const found = await by({ method: 'integrated-gradients', quadrature: rule, steps: 50 });
        close(key, found.values, toFloats(golden[key]), 3e-3);
        close(`${key}: value at the baseline`, found.completeness?.baselineOutput ?? [], toFloats(golden.baseline), 1e-4);
      }
      if (golden.gradcam && axes) {
        const found = await by({ method: 'grad-cam' });
        const [, h, w] = golden.gradcam.dims;
        const maps = toFloats(golden.gradcam);
        const wide = asked.rows.flatMap((b) => [
          ...upsample(Float64Array.from(maps.slice(b * h * w, (b + 1) * h * w)), h, w, axes.height, axes.width),
        ]);
        close('Grad-CAM', found.values, wide, 1e-4);
      }
      if (!regression && !points.inputs && !golden.x) {
        // FGSM moves along the sign of the loss's gradient: equal wherever |gradient| exceeds the tolerance.
        const loss = await (await gradient.asked({ scale: 'loss' }, job.signal)).sum(
          { rows, points: x, weights: [1], targets },
          job.signal,
        );
        const wanted = toFloats(source.grad_input).slice(0, x.length);
        // The golden is of the mean over all its rows.
        const all = source.y.dims[0];
        const limit = 1e-4 * largest(wanted);
        for (let k = 0; k < x.length; k++)
          if (Math.abs(wanted[k]) > limit) assert.equal(Math.sign(loss.gradient[k]), Math.sign(wanted[k]), `input ${k} of ${all} rows`);
      }
    });
  });
}
