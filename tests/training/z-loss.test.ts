import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients } from '../../src/autodiff/reverse.ts';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { int64 } from '../../src/base/tensor.ts';
import { emitter } from '../../src/graph/emit.ts';
import { losses } from '../../src/training/losses/index.ts';
import { monitors } from '../../src/training/monitors/index.ts';
import { emitObjective } from '../../src/training/objective.ts';
import { hyperOf, modelOf, only, tensorType } from '../../src/training/plan.ts';
import { float64, numbers, once } from './session.ts';
import { pick } from './subject.ts';
import { diagnosed, digitsData, workshop } from './workshop.ts';

/** Mean loss and its gradient at the logits, compiled in float64. */
const measured = async (z: readonly (readonly number[])[], y: readonly number[], given: Record<string, number> = {}) => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const loss = pick(losses, 'z-loss', given);
  const [rows, classes] = [z.length, z[0].length];
  emit.typed('z', tensorType('float64', ['N', classes]));
  emit.typed('y', tensorType('int64', ['N']));
  const { names, values } = hyperOf(emit, loss, 'loss', 'float64');
  const { mean, correct } = emitObjective(emit, loss, names, 'z', 'y', classes);
  const gradient = gradients(emit, mean, ['z']).get('z') ?? '';
  const fed = only(values, emit.nodes);
  const inputs = ['z', 'y', ...Object.keys(fed)].map((name) => ({ name, type: emit.type(name) ?? tensorType('float64', []) }));
  const outputs = [mean, gradient, correct].map((name) => ({ name, type: tensorType('float64', name === gradient ? ['N', classes] : []) }));
  const graph = emit.graph('loss', inputs, outputs);
  const feeds = { ...fed, z: float64([rows, classes], z.flat()), y: int64([rows], y) };
  const out = await once(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph), feeds);
  return { loss: numbers(out[mean])[0], gradient: numbers(out[gradient]), right: numbers(out[correct])[0] };
};

const close = (actual: readonly number[], wanted: readonly number[], tolerance: number): void => {
  assert.equal(actual.length, wanted.length);
  for (const [i, w] of wanted.entries()) assert.ok(Math.abs(actual[i] - w) <= tolerance, `at ${i}: ${actual[i]} is not ${w}`);
};

/** −sigmoid(a(b − z_y))·(1/σ)·(1[k = y] − 1/C − z_y z_k/C) of one row. */
const reference = (o: readonly number[], y: number, a: number, b: number) => {
  const mean = o.reduce((s, v) => s + v, 0) / o.length;
  const sigma = Math.sqrt(o.reduce((s, v) => s + (v - mean) ** 2, 0) / o.length);
  const z = o.map((v) => (v - mean) / sigma);
  const x = a * (b - z[y]);
  const pull = 1 / (1 + Math.exp(-x));
  return {
    loss: (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))) / a,
    gradient: z.map((v, k) => (-pull / sigma) * (Number(k === y) - 1 / o.length - (z[y] * v) / o.length)),
  };
};

test('values and gradients of the card', async () => {
  const o = [2, -1, 0.5, 3];
  const cases: readonly [Record<string, number>, number, readonly number[]][] = [
    [{}, 0.254798547503, [0.06360582, -0.027259637, 0.018173091, -0.054519274]],
    [{ a: 0.5, b: 10 }, 8.787681111398, [0.279290522, -0.119695938, 0.079797292, -0.239391876]],
    [{ a: 5, b: 1.5 }, 0.310421753706, [0.222889951, -0.095524265, 0.063682843, -0.19104853]],
  ];
  // The card prints twelve decimals of the loss and nine of the gradient.
  for (const [given, loss, gradient] of cases) {
    const found = await measured([o], [3], given);
    close([found.loss], [loss], 1e-12);
    close(found.gradient, gradient, 1e-9);
    assert.equal(found.right, 1);
  }
  const second = await measured([[0, 1, 2, -4]], [0]);
  close([second.loss], [0.639770319232], 1e-12);
  close(second.gradient, [-0.15499433, 0.054997988, 0.057497897, 0.042498445], 1e-8);
  close([(await measured([[0, 1, 2, -4]], [0], { a: 5, b: 1.5 })).loss], [1.390427149562], 1e-12);
});

const chance = random(0, 'z-loss');
const row = (): number[] => Array.from({ length: 6 }, () => 3 * chance.normal());

test('the derivative is the closed form, orthogonal to shifts and to scalings, of a mean over rows', async () => {
  for (const [a, b] of [
    [1, 0],
    [5, 1.5],
    [0.5, -2],
  ]) {
    const rows = [row(), row(), row()];
    const y = [0, 4, 2];
    const found = await measured(rows, y, { a, b });
    const due = rows.map((o, i) => reference(o, y[i], a, b));
    // The step adds 1e-12 to σ; the closed form does not.
    close([found.loss], [due.reduce((s, d) => s + d.loss, 0) / 3], 2e-12);
    close(
      found.gradient,
      due.flatMap((d) => d.gradient.map((g) => g / 3)),
      2e-12,
    );
    for (const [i, o] of rows.entries()) {
      const g = found.gradient.slice(6 * i, 6 * i + 6);
      close([g.reduce((s, v) => s + v, 0), g.reduce((s, v, k) => s + v * o[k], 0)], [0, 0], 1e-12);
    }
  }
});

test('another shift, scale, or order of the other classes changes nothing', async () => {
  const o = row();
  const { loss } = await measured([o], [2]);
  close([(await measured([o.map((v) => 3 * v + 7)], [2])).loss], [loss], 2e-12);
  close([(await measured([[o[5], o[3], o[2], o[0], o[1], o[4]]], [2])).loss], [loss], 1e-14);
});

test('a large a is the hinge max(0, b − z_y), and its exponential does not overflow', async () => {
  const o = [2, -1, 0.5, 3];
  // (1/a)·log 2 is the most by which softplus differs from the hinge.
  for (const [y, b] of [
    [3, 1.5],
    [3, 0],
    [1, 1],
  ]) {
    const z = [0.577350269, -1.402136368, -0.412393049, 1.237179148][y];
    close([(await measured([o], [y], { a: 1e4, b })).loss], [Math.max(0, b - z)], 1e-4);
  }
});

test('equal logits give a finite loss and a finite gradient, and are counted', async () => {
  const { loss, gradient } = await measured([[0, 0, 0, 0]], [1]);
  close([loss], [Math.LN2], 1e-12);
  assert.ok(gradient.every(Number.isFinite));
  const shop = workshop();
  const recipe = {
    arch: { kind: 'mlp', hidden: '8' },
    data: digitsData,
    split: { val: 0 },
    loss: 'z-loss',
    head: 'linear',
    init: 'torch-default',
    optimizer: { kind: 'adam', lr: 1e-3 },
    batch: 64,
    epochs: 1,
    monitor: ['flat-logits'],
  };
  const { report } = await shop.run(recipe);
  assert.ok(report.headline.test_accuracy > 0.1);
  const monitor = pick(monitors, 'flat-logits');
  assert.equal(monitor.part.unit, 'fraction');
});

test('the largest standardised logit of C classes is √(C − 1)', async () => {
  const best = await measured([[1, 0, 0, 0, 0]], [0], { a: 1e4, b: 10 });
  close([best.loss], [10 - 2], 1e-9);
});

test('two classes, labels of a regression and a scale of 0 are refused; a margin out of reach is told', async () => {
  const shop = workshop();
  const table = shop.text('two.csv', `a,b,label\n${Array.from({ length: 20 }, (_, i) => `${i % 2},${i % 3},${i % 2}`).join('\n')}\n`);
  const recipe = {
    arch: { kind: 'mlp', hidden: '4' },
    data: { train: { path: table } },
    split: { val: 0 },
    loss: 'z-loss',
    optimizer: { kind: 'adam', lr: 1e-3 },
    batch: 5,
    epochs: 1,
  };
  await assert.rejects(shop.run(recipe), (e) => Fault.is(e, 'training/part') && /needs more than 2 classes/.test(e.message));
  await assert.rejects(shop.run({ ...recipe, loss: { kind: 'z-loss', a: 0 } }), (e) => Fault.is(e, 'training/recipe'));
  const halves = shop.text('halves.csv', 'a,b,label\n1,2,0.5\n2,1,1.5\n3,3,2\n1,1,0\n2,2,1\n');
  await assert.rejects(shop.run({ ...recipe, data: { train: { path: halves } } }), (e) => Fault.is(e, 'training/fraction'));
  const far = { ...recipe, data: digitsData, loss: { kind: 'z-loss', b: 3.5 }, batch: 64 };
  const { notes } = await shop.run(far);
  assert.ok(notes.some((n) => /no standardised logit of 10 classes exceeds 3\.000/.test(n)));
  assert.ok(notes.some((n) => /no probability/.test(n)));
  assert.ok(!(await shop.run({ ...far, loss: { kind: 'z-loss', b: 2 } })).notes.some((n) => /exceeds/.test(n)));
});

test('confidences of a model trained by z-loss are refused until it is recalibrated, also while it trains', async () => {
  const shop = workshop();
  const recipe = {
    arch: { kind: 'mlp', hidden: '16' },
    data: digitsData,
    loss: 'z-loss',
    optimizer: { kind: 'adam', lr: 1e-3 },
    batch: 64,
    epochs: 2,
  };
  const { out } = await shop.run(recipe);
  for (const id of ['reliability', 'local-calibration']) {
    const { outcome, reason } = await diagnosed(id, out);
    assert.equal(outcome, 'unavailable');
    assert.equal(reason?.code, 'evidence/score-size');
    assert.match(reason.sentence, /run 'recalibration' with save first/);
  }
  assert.equal((await diagnosed('rank-profile', out)).outcome, 'measured');
  const save = shop.at('calibrated.onnx');
  assert.equal(
    (await diagnosed('recalibration', out, { method: 'temperature', save, nullDraws: 100, bootstrap: 100 })).outcome,
    'measured',
  );
  assert.equal((await diagnosed('reliability', save, { nullDraws: 100, bootstrap: 100 })).outcome, 'measured');
  await assert.rejects(
    shop.run({ ...recipe, diagnose: ['reliability'] }),
    (e) => Fault.is(e, 'training/part') && /have no size/.test(e.message),
  );
  // Trained on with cross-entropy, its scores have a size again.
  const { arch: _, ...rest } = recipe;
  const further = await shop.run(
    { ...rest, model: out, loss: 'cross-entropy', diagnose: ['reliability'] },
    { out: shop.at('further.onnx') },
  );
  assert.equal((await diagnosed('reliability', further.out, { nullDraws: 100, bootstrap: 100 })).outcome, 'measured');
});
