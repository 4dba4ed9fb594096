import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Calibration, calibrate } from '../../src/base/calibration.ts';
import { adam } from '../../src/base/maths/adam.ts';
import { argmax } from '../../src/base/maths/argmax.ts';
import { sortedClusters } from '../../src/base/maths/sorted-clusters.ts';
import { random } from '../../src/base/random.ts';
import { orderOf, windowMeans } from '../../src/diagnostics/calibration/local-errors.ts';
import { hCalibration } from '../../src/diagnostics/calibration/recalibration-h.ts';
import { windowLoss } from '../../src/diagnostics/calibration/recalibration-h-loss.ts';
import { type HMap, piecewiseLinear, temperatureEnsemble } from '../../src/diagnostics/calibration/recalibration-h-maps.ts';
import { aid, digits, golden, logRows, near, notes, options, PRINTED, refused, softmaxRows, traces } from './trained-calibrators.ts';

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

test('card 43, bad input: too few events for a window, one class', async () => {
  const few = { classes: 3, scores: Float64Array.from(cardB.scores), labels: cardB.labels };
  await refused(
    hCalibration.train(few, options, aid),
    'diagnostic/window-events',
    /window 200 needs ≥ 201 events; have 15 \(5 rows × 3 classes.*lower window/,
  );
  await refused(hCalibration.train({ ...few, labels: new Int32Array(8) }, options, aid), 'diagnostic/one-class', /same label/);
});
