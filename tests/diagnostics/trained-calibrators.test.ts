import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Calibration, calibrate } from '../../src/base/calibration.ts';
import { type Adaptive, temperatureAt } from '../../src/base/calibration-forms.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { adam } from '../../src/base/maths/adam.ts';
import { argmax } from '../../src/base/maths/argmax.ts';
import { softmaxInPlace } from '../../src/base/maths/softmax-regression.ts';
import { sortedClusters } from '../../src/base/maths/sorted-clusters.ts';
import { perturb } from '../../src/base/perturbation.ts';
import { random } from '../../src/base/random.ts';
import { localErrors, orderOf, windowMeans } from '../../src/diagnostics/calibration/local-errors.ts';
import { correctnessAware } from '../../src/diagnostics/calibration/recalibration-correctness.ts';
import type { Aid, TrainOptions } from '../../src/diagnostics/calibration/recalibration-define.ts';
import { hCalibration } from '../../src/diagnostics/calibration/recalibration-h.ts';
import { windowLoss } from '../../src/diagnostics/calibration/recalibration-h-loss.ts';
import { type HMap, piecewiseLinear, temperatureEnsemble } from '../../src/diagnostics/calibration/recalibration-h-maps.ts';
import { perturbationsOf } from '../../src/diagnostics/calibration/recalibration-perturb.ts';
import { fitBeta } from '../../src/diagnostics/calibration/recalibration-temperature.ts';
import { trainer } from '../../src/evidence/providers/trainer.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../golden/diagnostics/${name}.json`, import.meta.url), 'utf8'));
const golden = read('trained-calibrators');
const file: { readonly logits: number[]; readonly labels: number[] } = read('digits');
const digits = { classes: 10, scores: Float64Array.from(file.logits, Math.fround), labels: Int32Array.from(file.labels) };

const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void => {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(actual[i] - expected[i]) <= tolerance, `[${i}] ${actual[i]} is not ${expected[i]} ± ${tolerance}`);
};
const softmaxRows = (scores: ArrayLike<number>, classes: number): Float64Array => {
  const out = Float64Array.from(scores);
  for (let at = 0; at < out.length; at += classes) softmaxInPlace(out.subarray(at, at + classes));
  return out;
};
const logRows = (scores: ArrayLike<number>, classes: number): Float64Array => {
  const out = Float64Array.from(scores);
  for (let at = 0; at < out.length; at += classes) {
    const whole = softmaxInPlace(out.slice(at, at + classes));
    for (let j = at; j < at + classes; j++) out[j] -= whole;
  }
  return out;
};
/** Ten digits are printed in the cards. */
const PRINTED = 1.01e-10;

const cardB = {
  classes: 3,
  scores: [2, 0.5, -1, 0.1, 1.2, 0.3, 3, 2.5, 0, -0.5, 0, 1.5, 1, 0.8, 0.9, 0, 2, -2, 1.5, -0.5, 0.2, 0.3, 0.2, 2.2],
  labels: Int32Array.of(0, 1, 1, 2, 2, 1, 0, 0),
};
const eventsB = { classes: 3, probs: softmaxRows(cardB.scores, 3), labels: cardB.labels };

test('card 43, 1 and 2: losses of windows, every event alike and by clusters', () => {
  const plain = windowLoss(eventsB, { window: 4, epsilon: 0, clusters: 0 }, [0, 1, 2]);
  near(plain.perClass, [0.0958701216, 0.0549202656, 0.071494856], PRINTED);
  near([plain.value], [0.0740950811], PRINTED);
  const clustered = windowLoss(eventsB, { window: 4, epsilon: 1e-20, clusters: 3 }, [0, 1, 2]);
  near(clustered.perClass, [0.0917296378, 0.0548356584, 0.0716035409], PRINTED);
  near([clustered.value], [0.0727229456], 1.3e-10);
});

test('card 43, 3: the ensemble of temperatures on two rows', () => {
  const scales = Float64Array.of(0.5, 1, 2);
  const { probs } = calibrate(
    { kind: 'mixture', scales, weights: Float64Array.of(0.2, 0.3, 0.5) },
    Float64Array.from(cardB.scores),
    3,
    0,
    2,
  );
  near(probs, [0.82880375, 0.13196433, 0.03923192, 0.15292943, 0.65459808, 0.19247249], 1.01e-8);
});

test('card 43, 4: the piecewise-linear map is monotone where the released formula is not', () => {
  const theta = piecewiseLinear(100).start(random(0, 'none'));
  [theta[0], theta[1], theta[2]] = [0.5, 2, 1.5];
  const map = piecewiseLinear(100).calibration(theta);
  assert.ok(map.kind === 'monotone');
  // Two classes with −ln p = u and nearly 0 would need p above 1: the map is read off differences of logits instead.
  const at = (u: number): number => {
    const k = Math.min(99, Math.floor(u));
    return map.slopes.subarray(0, k).reduce((s, v) => s + v, 0) + (u - k) * map.slopes[k];
  };
  near([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5].map(at), [0, 0.25, 0.5, 1.5, 2.5, 3.25, 4, 4.5, 5, 5.5, 6], 1e-15);
  const z = Float64Array.of(Math.log(0.7), Math.log(0.2), Math.log(0.1));
  const { probs } = calibrate(map, z, 3, 0, 1);
  near(
    probs,
    softmaxRows(
      Array.from(z, (v) => -at(-v)),
      3,
    ),
    1e-14,
  );
});

const rows = fc.array(fc.tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: -60, max: 60 }), fc.integer({ min: -60, max: 60 })), {
  minLength: 4,
  maxLength: 20,
});

test('card 43, (b): predictions stay; slopes of 1 and one temperature are what they say; no error where q is the outcome', () => {
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.integer({ min: -20, max: 20 })), (given, stream) => {
      const z = Float64Array.from(given.flat(), (v) => v / 16);
      const draw = (n: number) => Float64Array.from({ length: n }, () => (Number(stream.next().value) + 0.5) / 8);
      for (const map of [temperatureEnsemble(4), piecewiseLinear(50)]) {
        const size = map.start(random(0, 'size')).length;
        const { probs } = calibrate(map.calibration(draw(size)), z, 3, 0, given.length);
        // A tie of rounding leaves either class largest: the old one must not lie below the new.
        for (let i = 0; i < given.length; i++)
          assert.ok(probs[3 * i + argmax(z, 3 * i, 3)] >= probs[3 * i + argmax(probs, 3 * i, 3)] - 1e-12);
      }
      near(
        calibrate({ kind: 'monotone', width: 1, slopes: new Float64Array(100).fill(1) }, z, 3, 0, given.length).probs,
        softmaxRows(z, 3),
        1e-14,
      );
      near(
        calibrate(temperatureEnsemble(1).calibration(Float64Array.of(-2, 0.3)), z, 3, 0, given.length).probs,
        softmaxRows(
          z.map((v) => 2 * v),
          3,
        ),
        1e-14,
      );
    }),
    { numRuns: 60 },
  );
  const labels = Int32Array.of(0, 1, 2, 1);
  const sure = {
    classes: 3,
    probs: Float64Array.from(labels).reduce((p, y, i) => p.fill(1, 3 * i + y, 3 * i + y + 1), new Float64Array(12)),
    labels,
  };
  assert.equal(windowLoss(sure, { window: 4, epsilon: 0, clusters: 0 }, [0, 1, 2]).value, 0);
});

test('card 43, (b): the order of rows changes nothing, and all differences sum to 0 where no class is left out', () => {
  const order = [3, 7, 0, 5, 1, 6, 2, 4];
  const moved = {
    classes: 3,
    probs: Float64Array.from(order.flatMap((i) => [...eventsB.probs.subarray(3 * i, 3 * i + 3)])),
    labels: Int32Array.from(order, (i) => eventsB.labels[i]),
  };
  const options = { window: 4, epsilon: 0, clusters: 3 };
  near([windowLoss(moved, options, [0, 1, 2]).value], [windowLoss(eventsB, options, [0, 1, 2]).value], 1e-15);
  const d = eventsB.probs.map((p, at) => p - Number(at % 3 === eventsB.labels[Math.floor(at / 3)]));
  near([d.reduce((s, v) => s + v, 0)], [0], 1e-14);
});

test('numbers ≥ 0 are ordered as by comparison, equal ones by place', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1, 0.5, 1 - 1e-16)), { maxLength: 60 }),
      (values) => {
        const wanted = values.map((_, i) => i).sort((a, b) => values[a] - values[b] || a - b);
        assert.deepEqual([...orderOf(Float64Array.from(values, Math.abs))], wanted);
      },
    ),
  );
  assert.deepEqual([...windowMeans(Float64Array.of(3, 0, 6, 9), 2)], [1, 3, 5, 5]);
  assert.deepEqual([...sortedClusters(Float64Array.of(0, 0.1, 0.9, 1, 5), 3)], [2, 4, 5]);
});

/** The same steps as PyTorch makes from the same start. */
const follow = (
  map: HMap,
  { start, gradient, losses, theta }: { start: number[]; gradient: number[]; losses: number[]; theta: number[] },
) => {
  const logProbs = logRows(digits.scores, 10);
  const at = Float64Array.from(start);
  const optimizer = adam(at.length);
  const every = Array.from({ length: 10 }, (_, j) => j);
  const made: number[] = [];
  for (let step = 0; step < losses.length; step++) {
    const applied = map.apply(at, logProbs, 10);
    const loss = windowLoss(
      { classes: 10, probs: applied.probs, labels: digits.labels },
      { window: 100, epsilon: 1e-20, clusters: 7 },
      every,
    );
    const g = applied.back(loss.gradient.map((v) => 1e5 * v));
    // Gradients are about 1e3; both sides add 3590 terms in another order.
    if (step === 0) near(g, gradient, 1e-8);
    optimizer.step(at, g, 0.005);
    made.push(loss.value);
  }
  near(made, losses, 1e-12);
  near(at, theta, 1e-9);
};

test('h-calibration: 25 steps of both maps as PyTorch makes them', () => {
  follow(temperatureEnsemble(4), golden.temperature_ensemble);
  follow(piecewiseLinear(20), golden.piecewise_linear);
});

const options: TrainOptions = {
  mapping: 'temperature-ensemble',
  temperatures: 16,
  segments: 100,
  window: 200,
  epsilon: 1e-20,
  clusters: 15,
  epochs: 120,
  select: 'classwise',
  weighting: 'none',
  hidden: 5,
  steps: 100,
  rate: 0,
  batch: 0,
};
const job = quietJob();
const notes: string[] = [];
const traces = new Map<string, readonly number[]>();
const aid: Aid = {
  random: job.random,
  pause: async () => {},
  note: (text) => void notes.push(text),
  trace: (name, of) => void traces.set(name, of),
  trainer: trainer(onnxruntime(), job),
};
/** Twice as confident as they should be. */
const sharp = { ...digits, scores: digits.scores.map((v) => 2 * v) };
const nllOf = (c: Calibration): number => {
  const { logProbs } = calibrate(c, sharp.scores, 10, 0, sharp.labels.length);
  return sharp.labels.reduce((sum, y, i) => sum - logProbs[10 * i + y], 0) / sharp.labels.length;
};

test('h-calibration lowers what it selects by, in minibatches too, and auto is one of both', async () => {
  const none: Calibration = { kind: 'affine', weights: Float64Array.of(1), biases: new Float64Array(10) };
  for (const given of [
    { rate: 0.02 },
    { mapping: 'piecewise-linear', rate: 0.02 },
    { batch: 150, epochs: 40 },
    { mapping: 'auto', epochs: 60 },
  ] as const) {
    const fit = await hCalibration.train(sharp, { ...options, select: 'nll', ...given }, aid);
    assert.ok(nllOf(fit) < 0.98 * nllOf(none), `${JSON.stringify(given)}: ${nllOf(fit)} of ${nllOf(none)}`);
  }
  assert.ok(traces.has('Selector, piecewise-linear') && traces.has('Loss, temperature-ensemble'));
});

test('h-calibration that makes things worse leaves them as they are, and says so', async () => {
  notes.length = 0;
  const fit = await hCalibration.train(digits, { ...options, select: 'nll', epochs: 3, rate: 10, mapping: 'piecewise-linear' }, aid);
  near(calibrate(fit, digits.scores, 10, 0, 20).probs, softmaxRows(digits.scores.subarray(0, 200), 10), 1e-12);
  assert.match(notes.join(), /no improvement/);
});

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

const refused = (work: Promise<unknown>, code: string, words: RegExp): Promise<void> =>
  assert.rejects(work, (error: unknown) => error instanceof Fault && error.code === code && words.test(error.message));

test('card 43, bad input: too few events for a window, one class', async () => {
  const few = { classes: 3, scores: Float64Array.from(cardB.scores), labels: cardB.labels };
  await refused(
    hCalibration.train(few, options, aid),
    'diagnostic/window-events',
    /window 200 needs ≥ 201 events; have 15 \(5 rows × 3 classes.*lower window/,
  );
  await refused(hCalibration.train({ ...few, labels: new Int32Array(8) }, options, aid), 'diagnostic/one-class', /same label/);
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
