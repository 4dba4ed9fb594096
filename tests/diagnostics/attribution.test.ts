import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageAxes } from '../../src/base/image.ts';
import { overlayScale } from '../../src/base/overlay-scale.ts';
import type { Attributed, Question } from '../../src/diagnostics/attribution/method.ts';
import { gradient, gradientTimesInput, noisyGradient } from '../../src/diagnostics/attribution/method-gradient.ts';
import { integratedGradients } from '../../src/diagnostics/attribution/method-path.ts';
import { channelSum, shrink } from '../../src/diagnostics/attribution/overlay.ts';
import { sumAlong } from '../../src/diagnostics/attribution/paths.ts';
import type { RuleName } from '../../src/diagnostics/attribution/quadrature.ts';
import { netA, toolOf, x } from './nets.ts';

const tool = toolOf(netA, [3], 2);
const { signal } = new AbortController();
const of = (...targets: number[]): Question => ({
  x: Float32Array.from(targets.flatMap(() => [...x])),
  targets: Int32Array.from(targets),
});

/** The card prints ten digits; gradients are piecewise constant, so the float32 points change nothing. */
const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 1.01e-10): void => {
  assert.equal(actual.length, expected.length);
  expected.forEach((e, k) => {
    assert.ok(Math.abs(actual[k] - e) <= tolerance, `[${Array.from(actual)}] is not [${expected}] ± ${tolerance}`);
  });
};

const integrated = (rule: RuleName | 'adaptive', steps: number, targets = [0], baseline = 0): Promise<Attributed> =>
  integratedGradients(tool, of(...targets), [new Float32Array(3 * targets.length).fill(baseline)], rule, steps, signal);

test('gradient and gradient × input of net A, both targets in one batch', async () => {
  const plain = await gradient(tool, of(0, 1), signal);
  near(plain.values, [3.5, 1, 3, -1.25, 0.5, -2.5]);
  near(plain.output, [1.5, 0.275]);
  near((await gradientTimesInput(tool, of(0, 1), signal)).values, [3.5, 0.5, -0.75, -1.25, 0.25, 0.625]);
});

for (const [rule, steps, values, gap] of [
  ['gausslegendre', 50, [2.4995239034, -0.6290851522, -0.6299535747], 0.0404851765],
  ['riemann_middle', 50, [2.485, -0.6375, -0.635], 0.0125],
  ['riemann_left', 50, [2.415, -0.6475, -0.62], -0.0525],
  ['riemann_right', 50, [2.48, -0.62, -0.6275], 0.0325],
  ['trapezoid', 49, [2.4974489796, -0.6466836735, -0.6364795918], 0.0142857143],
] as const)
  test(`integrated gradients of net A, ${rule} ${steps}`, async () => {
    const { values: found, output, completeness } = await integrated(rule, steps);
    near(found, values);
    near(output, [1.5]);
    near(completeness?.baselineOutput ?? [], [0.3]);
    near(completeness?.gap ?? [], [gap]);
    near(completeness?.relative ?? [], [Math.abs(gap) / 1.2]);
    assert.deepEqual([...(completeness?.steps ?? [])], [steps]);
  });

test('the adaptive rule doubles steps row by row until the gap is below 1 %', async () => {
  const { values, completeness } = await integrated('adaptive', 50, [0, 1]);
  assert.ok(completeness);
  for (let b = 0; b < 2; b++) {
    assert.ok(completeness.relative[b] < 0.01 || completeness.steps[b] === 1024);
    assert.ok(completeness.steps[b] >= 64);
  }
  // IG exact: 1 % of f(x) − f(x') = 1.2 bounds what is still missing in all; each feature is off by less than 0.03.
  near(values.subarray(0, 3), [2.4736507937, -0.643015873, -0.6306349206], 0.03);
});

test('fine midpoint steps reach the exact integral', async () => {
  // 1/n error at each of four kinks; 2^14 steps leave less than 4·|weight|/2^14.
  near((await integrated('riemann_middle', 16_384)).values, [2.4736507937, -0.643015873, -0.6306349206], 2e-3);
});

test('completeness holds for a smooth function to rounding of the points', async () => {
  const smooth = toolOf(
    (p, at) => ({
      value: Math.sin(p[at]) * p[at + 1] + Math.exp(p[at + 2]),
      gradient: [Math.cos(p[at]) * p[at + 1], Math.sin(p[at]), Math.exp(p[at + 2])],
    }),
    [3],
    1,
  );
  const found = await integratedGradients(smooth, of(0), [Float32Array.of(0.5, -1, 0.25)], 'gausslegendre', 20, signal);
  near(found.completeness?.gap ?? [], [0], 1e-7);
});

test('several baselines are averaged', async () => {
  const baselines = [new Float32Array(3), new Float32Array(3).fill(0.5)];
  const both = await integratedGradients(tool, of(0), baselines, 'riemann_middle', 50, signal);
  const [a, b] = [await integrated('riemann_middle', 50), await integrated('riemann_middle', 50, [0], 0.5)];
  near(
    both.values,
    [0, 1, 2].map((k) => (a.values[k] + b.values[k]) / 2),
    1e-12,
  );
  near(both.completeness?.gap ?? [], [((a.completeness?.gap[0] ?? 0) + (b.completeness?.gap[0] ?? 0)) / 2], 1e-12);
});

test('a feature equal to its baseline gets nothing; one without weight gets nothing', async () => {
  const found = await integratedGradients(tool, of(0), [Float32Array.of(0, 0.5, 0)], 'gausslegendre', 50, signal);
  assert.equal(found.values[1], 0);
  const dummy = toolOf((p, at) => ({ value: p[at] ** 2, gradient: [2 * p[at], 0, 0] }), [3], 1);
  for (const one of [
    await gradient(dummy, of(0), signal),
    await integratedGradients(dummy, of(0), [new Float32Array(3)], 'trapezoid', 9, signal),
  ])
    near(one.values.subarray(1), [0, 0], 0);
});

test('SmoothGrad, SmoothGrad² and VarGrad of net A over noises ±½eⱼ', async () => {
  const noise = (_row: number, s: number, points: Float32Array, at: number): void => {
    points[at + (s >> 1)] += s % 2 === 0 ? 0.5 : -0.5;
  };
  const noisy = (kind: Parameters<typeof noisyGradient>[2]) => noisyGradient(tool, of(0), kind, 6, noise, signal);
  near((await noisy('smoothgrad')).values, [4, 0, 3.25], 1e-12);
  near((await noisy('smoothgrad-squared')).values, [16.25, 1, 10.625], 1e-12);
  near((await noisy('vargrad')).values, [0.25, 1, 0.0625], 1e-12);
  near((await noisy('smoothgrad')).output, [1.5]);
});

test('long paths are asked for in parts that add up to the same', async () => {
  // Seven points at once: a path of 12 comes in two halves.
  const d = 5;
  let asked = 0;
  const wide = toolOf((p, at) => ({ value: p[at] ** 2 / 2, gradient: { length: d, 0: p[at] } }), [d], 1);
  const counted = {
    ...wide,
    sum: (...a: Parameters<typeof wide.sum>) => {
      asked++;
      return wide.sum(...a);
    },
  };
  const question = { x: new Float32Array(d).fill(2), targets: Int32Array.of(0) };
  const weights = new Array<number>(12).fill(1 / 12);
  const point = (_row: number, s: number, points: Float32Array, at: number) => void points.fill(s, at, at + d);
  const found = await sumAlong(counted, question, weights, point, false, signal);
  assert.equal(asked, 2);
  near(found.gradient.subarray(0, 1), [5.5], 1e-6);
  near(
    found.values,
    weights.map((_, s) => s ** 2 / 2),
  );
});

test('a stopped job ends between requests', async () => {
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(gradient(tool, of(0), stop.signal), { message: 'Stopped on request.' });
});

test('overlay scale: the card’s values with 2 % cut off', () => {
  const values = [-1, 2, 0.5, 10, -0.2, 0.1];
  const scale = overlayScale(values, 2);
  assert.equal(scale, 10);
  near(
    values.map((v) => v / scale),
    [-0.1, 0.2, 0.05, 1, -0.02, 0.01],
  );
  assert.equal(overlayScale(values, 75), 2);
  assert.equal(overlayScale([0, 0], 2), 0);
});

test('channels are summed with their signs in either layout, and smaller maps still add up', () => {
  const chw = imageAxes([3, 4, 5]);
  const hwc = imageAxes([4, 5, 3]);
  assert.ok(chw && hwc);
  const at = (c: number, p: number): number => (c - 1) * p + c;
  const first = Float64Array.from({ length: 60 }, (_, k) => at(Math.floor(k / 20), k % 20));
  const last = Float64Array.from({ length: 60 }, (_, k) => at(k % 3, Math.floor(k / 3)));
  const map = channelSum(first, 0, chw);
  assert.deepEqual([...map], new Array(20).fill(3));
  assert.deepEqual(channelSum(last, 0, hwc), map);
  const small = shrink(map, chw, 2);
  assert.deepEqual([small.height, small.width], [2, 2]);
  assert.deepEqual([...small.values], [27, 18, 9, 6]);
  assert.equal(imageAxes([64]), undefined);
  assert.equal(imageAxes([2, 8]), undefined);
});
