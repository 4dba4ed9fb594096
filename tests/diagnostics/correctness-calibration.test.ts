import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrate } from '../../src/base/calibration.ts';
import { type Adaptive, temperatureAt } from '../../src/base/calibration-forms.ts';
import { Fault } from '../../src/base/fault.ts';
import { argmax } from '../../src/base/maths/argmax.ts';
import { perturb } from '../../src/base/perturbation.ts';
import { random } from '../../src/base/random.ts';
import { localErrors } from '../../src/diagnostics/calibration/local-errors.ts';
import { correctnessAware } from '../../src/diagnostics/calibration/recalibration-correctness.ts';
import { perturbationsOf } from '../../src/diagnostics/calibration/recalibration-perturb.ts';
import { fitBeta } from '../../src/diagnostics/calibration/recalibration-temperature.ts';
import { aid, digits, golden, near, notes, options, refused, softmaxRows } from './trained-calibrators.ts';

test('card 11, 3: the temperature of least log loss raises a narrow error', () => {
  const narrow = { classes: 3, scores: Float64Array.of(0.45, 0.4, 0.15).map(Math.log), labels: Int32Array.of(1) };
  const beta = fitBeta(narrow);
  near([beta], [1.9293013], 5.1e-8);
  near(
    [
      softmaxRows(
        narrow.scores.map((v) => beta * v),
        3,
      )[0],
    ],
    [0.5216986],
    5.1e-8,
  );
});

test('local errors: above 0 where events are promised more often than they come', () => {
  const r = random(0, 'local');
  const n = 4000;
  const probs = Float64Array.from({ length: 2 * n }, (_, k) => (k % 2 === 0 ? 0.2 : 0.8));
  const labels = Int32Array.from({ length: n }, () => Number(r.next() < 0.6));
  const found = localErrors({ classes: 2, probs, labels }, 200);
  assert.ok(found);
  const [low, high] = [found.points[0], found.points[found.points.length - 1]];
  // A window of 201 outcomes has a standard error of 0.035.
  near([low[0], high[0]], [0.2, 0.8], 1e-9);
  near([low[1], high[1]], [-0.2, 0.2], 0.11);
  near([found.mean], [0.2], 0.02);
  assert.equal(localErrors({ classes: 2, probs: probs.subarray(0, 20), labels: labels.subarray(0, 10) }, 200), null);
});

const started = (given: Record<string, number[]>): Adaptive => ({
  kind: 'adaptive',
  weights: Float64Array.from(given.weights),
  biases: Float64Array.from(given.biases),
  out: Float64Array.from(given.out),
  offset: given.offset[0],
  low: 0.1,
  high: 10,
});

test('card 11, 2: the net, and its clamp', () => {
  const net = started({
    weights: Array.from({ length: 60 }, (_, k) => 0.1 * (Math.floor(k / 12) - 2) + 0.05 * (k % 12)),
    biases: [0.1, -0.1, 0, 0.2, -0.2],
    out: [0.3, -0.2, 0.1, 0.4, -0.1],
    offset: [1],
  });
  const f = Float64Array.from({ length: 12 }, (_, k) => 0.05 + 0.05 * k);
  near([temperatureAt(net, f, 0)], [1.787], 1e-12);
  near([temperatureAt({ ...net, offset: -50 }, f, 0), temperatureAt({ ...net, offset: 50 }, f, 0)], [0.1, 10], 0);
  const z = Float64Array.of(2, 0.5, -1);
  near(
    calibrate(net, z, 3, 0, 1, f).probs,
    softmaxRows(
      z.map((v) => v / 1.787),
      3,
    ),
    1e-12,
  );
});

test('correctness-aware: 60 compiled steps as PyTorch makes them', async () => {
  const { labels, features, start, fits } = golden.correctness_aware;
  for (const weighting of ['none', 'balanced'] as const) {
    const { net, losses } = await aid.trainer.temperatureNet({
      features: Float64Array.from(features),
      logits: digits.scores,
      labels: Int32Array.from(labels),
      classes: 10,
      start: started(start),
      weighting,
      rate: 1e-2,
      steps: 60,
      batch: 359,
      order: random(0, 'order'),
    });
    // Both in float64; the start is stored in float32 on our side.
    near(losses, fits[weighting].losses, 1e-6);
    near(
      [...net.weights, ...net.biases, ...net.out, net.offset],
      [...fits[weighting].weights, ...fits[weighting].biases, ...fits[weighting].out, fits[weighting].offset],
      1e-5,
    );
  }
});

test('card 11, (b): all right drives temperatures down, batches of one outcome are left out under balanced weights', async () => {
  const scores = Float64Array.from({ length: 90 }, (_, k) => Number(k % 3 === 0) + 0.1 * (k % 7));
  const labels = Int32Array.from({ length: 30 }, (_, i) => argmax(scores, 3 * i, 3));
  const ask = {
    features: new Float64Array(60).fill(0.5),
    logits: scores,
    labels,
    classes: 3,
    start: started({ weights: [1, 1], biases: [0], out: [0.5], offset: [1] }),
    rate: 0.05,
    steps: 300,
    batch: 30,
    order: random(0, 'order'),
  };
  const { net } = await aid.trainer.temperatureNet({ ...ask, weighting: 'none' });
  assert.ok(temperatureAt(net, ask.features, 0) <= 0.11, String(temperatureAt(net, ask.features, 0)));
  const still = await aid.trainer.temperatureNet({ ...ask, weighting: 'balanced', steps: 5 });
  assert.deepEqual(still.net, ask.start);
});

test('card 11, bad input: one outcome alone; few wrong rows are told', async () => {
  const scores = Float64Array.of(2, 0, 0, 3);
  const all = { classes: 2, scores, labels: Int32Array.of(0, 1), features: new Float64Array(4) };
  await refused(correctnessAware.train(all, options, aid), 'diagnostic/one-outcome', /found 2 right and 0 wrong/);
  notes.length = 0;
  const some = { ...digits, features: new Float64Array(359 * 12).fill(0.3) };
  const fit = await correctnessAware.train(some, { ...options, steps: 20 }, aid);
  assert.match(notes.join(), /fitted on 7 wrong predictions; with fewer than 100/);
  assert.equal(fit.kind, 'adaptive');
});

test('perturbations: pictures turned, blurred, grey and jittered; rows of numbers by name', () => {
  const of = (text: string, dims: readonly number[]) => perturbationsOf(text, dims, (name) => random(0, name));
  const x = Float32Array.from({ length: 64 }, (_, i) => (i * 7) % 11);
  const [turn, blur, jitter] = of('', [1, 8, 8]);
  assert.deepEqual([turn.name, blur.name, jitter.name], ['rotation=15', 'blur=0.5', 'jitter=0.3']);
  near(perturb(of('rotation=360', [8, 8])[0], x, 64), x, 1e-4);
  // A quarter turn of a picture: row y, column x is read from row x, column 7 − y.
  near(
    perturb(of('rotation=90', [8, 8])[0], x, 64),
    Float32Array.from({ length: 64 }, (_, i) => x[8 * (7 - (i % 8)) + Math.floor(i / 8)]),
    1e-5,
  );
  const flat = new Float32Array(64).fill(3);
  for (const p of [turn, blur]) near(perturb(p, flat, 64), flat, 1e-5);
  const rgb = of('', [3, 4, 4]);
  assert.equal(rgb[1].name, 'greyscale');
  const grey = perturb(
    rgb[1],
    Float32Array.from({ length: 48 }, (_, i) => (i < 16 ? 1 : 0)),
    48,
  );
  near(grey, new Float32Array(48).fill(0.299), 1e-6);
  const [same, noise, drop, scale] = of('identity, noise=0.1, dropout=0.5, scale=2', [6]);
  const row = Float32Array.of(1, 2, 3, 4, 5, 6);
  near(perturb(same, row, 6), row, 0);
  near(
    perturb(scale, row, 6),
    row.map((v) => 2 * v),
    0,
  );
  assert.ok(perturb(drop, row, 6).every((v, i) => v === 0 || v === row[i]));
  assert.ok(perturb(noise, row, 6).every((v, i) => v !== row[i] && Math.abs(v - row[i]) < 0.6));
  const code = (expected: string) => (error: unknown) => error instanceof Fault && error.code === expected;
  assert.throws(() => of('', [6]), code('diagnostic/unnamed-perturbations'));
  assert.throws(() => of('rotation=5', [6]), code('diagnostic/picture-perturbation'));
  assert.throws(() => of('greyscale', [1, 8, 8]), code('diagnostic/picture-perturbation'));
  for (const text of ['turn=5', 'noise=', 'noise=x', 'toString=1']) assert.throws(() => of(text, [6]), code('diagnostic/perturbations'));
});
