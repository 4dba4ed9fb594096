import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { lastLayer, withHead } from '../../src/training/head-surgery.ts';
import { heads } from '../../src/training/heads/index.ts';
import { lossScalings } from '../../src/training/loss-scalings/index.ts';
import { losses } from '../../src/training/losses/index.ts';
import { monitors } from '../../src/training/monitors/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { parametersOf } from '../../src/training/parameters.ts';
import { modelOf, type Plan } from '../../src/training/plan.ts';
import { regularizers } from '../../src/training/regularizers/index.ts';
import { samplers } from '../../src/training/samplers/index.ts';
import { hostInputs } from '../../src/training/step-inputs.ts';
import { float64, numbers, open } from '../training/session.ts';
import { call, pick, planOf } from '../training/subject.ts';

const COUNT = 12;
const CLASSES = 3;
const chance = random(0, 'laws of training');
const values = Array.from({ length: COUNT * 4 }, () => chance.normal());
const labels = Array.from({ length: COUNT }, (_, i) => i % CLASSES);
const base: Plan = (() => {
  const plan = planOf('mlp', [4], CLASSES, { hidden: '5', activation: 'tanh' });
  const layer = lastLayer(plan.graph, plan.output);
  return { ...plan, optimizer: pick(optimizers, 'sgd', { lr: 1 }), ...(layer ? { layer } : {}) };
})();
const data = (precision: Plan['precision']) => ({
  x: precision === 'float64' ? float64([COUNT, 4], values) : float32([COUNT, 4], values),
  y: int64([COUNT], labels),
});

/** What the host feeds a step: draws and scheduled numbers as in a run, domains and indices by the row. */
const fed = (
  plan: Plan,
  each: Readonly<Record<string, string>>,
  rows: readonly (readonly number[])[],
  first = 0,
): Record<string, Tensor> => {
  const shape = [rows.length, rows[0].length];
  const moment = (step: number) => ({ t: step, total: 10, lr: 1 });
  const made: Record<string, Tensor> = hostInputs(plan, 0, [first, rows.length], rows[0].length, moment);
  made.domains = int64(
    shape,
    rows.flat().map((i) => i % 2),
  );
  made.indices = int64(shape, rows.flat());
  return Object.fromEntries(Object.entries(each).map(([key, name]) => [name, made[key]]));
};

/** One call of a plan from a vector of parameters. */
const runner = async (plan: Plan) => {
  const compiled = compileSteps(plan);
  const session = await open(compiled.model);
  return {
    compiled,
    session,
    step: (state: typeof compiled.start, rows: readonly (readonly number[])[], lr: readonly number[], first = 0) =>
      call(session, compiled, state, data(plan.precision), rows, lr, fed(plan, compiled.inputs.each, rows, first)),
  };
};

const plans: Readonly<Record<string, Plan>> = {
  ...Object.fromEntries(regularizers.map((part) => [`regularizer ${part.id}`, { ...base, regularizers: [pick(regularizers, part.id)] }])),
  ...Object.fromEntries(
    losses
      .filter((l) => l.target === 'class' && l.id !== 'correctness-aware' && !l.parameters)
      .map((part) => [`loss ${part.id}`, { ...base, loss: pick(losses, part.id) }]),
  ),
};
const all = Array.from({ length: COUNT }, (_, i) => i);

/** The step of SGD with rate 1 is the central difference of the loss and its terms. */
const assertGradient = async (plan: Plan): Promise<void> => {
  const { compiled, session, step } = await runner({ ...plan, precision: 'float64' });
  const theta = Float64Array.from(compiled.start.theta.data as Float64Array);
  const objective = (out: Record<string, Tensor>): number =>
    [
      compiled.outputs.loss,
      ...Object.entries(compiled.outputs.monitors).flatMap(([line, o]) => (/^term\/[^/]+$/.test(line) ? [o] : [])),
    ].reduce((sum, o) => sum + numbers(out[o])[0], 0);
  const at = async (v: Float64Array, lr: number) => step({ ...compiled.start, theta: float64([v.length], Array.from(v)) }, [all], [lr]);
  const moved = numbers((await at(theta, 1)).state.theta);
  const gradient = Array.from(theta, (v, i) => v - moved[i]);
  const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  assert.ok(largest > 1e-6, 'no gradient at all');
  // Every third parameter, or forty of a model that has many.
  for (let i = 0; i < theta.length; i += Math.max(3, Math.floor(theta.length / 40))) {
    const h = 1e-5;
    const [up, down] = [theta.slice(), theta.slice()];
    up[i] += h;
    down[i] -= h;
    const slope = (objective((await at(up, 0)).out) - objective((await at(down, 0)).out)) / (2 * h);
    // Central differences of float64 are off by about h² and 1e-16/h, of terms with a kink by chance alone.
    assert.ok(Math.abs(slope - gradient[i]) < 1e-6 * Math.max(1, largest), `parameter ${i}: ${gradient[i]} is not ${slope}`);
  }
  await session.release();
};

for (const [name, plan] of Object.entries(plans)) {
  test(`${name}: the gradient of the objective is its central difference`, async () => {
    await assertGradient(plan);
  });

  test(`${name}: rate 0 leaves parameters as they are, and one step at a time is all at once`, async () => {
    const { compiled, session, step } = await runner(plan);
    const rows = [all.slice(0, 6), all.slice(6), all.slice(3, 9)];
    const still = await step(compiled.start, rows, [0, 0, 0]);
    assert.deepEqual(still.state.theta.data, compiled.start.theta.data);
    const together = await step(compiled.start, rows, [0.1, 0.1, 0.1]);
    let { state } = await step(compiled.start, rows.slice(0, 1), [0.1]);
    for (const k of [1, 2]) ({ state } = await step(state, rows.slice(k, k + 1), [0.1], k));
    assert.deepEqual(state.theta.data, together.state.theta.data);
    await session.release();
  });

  test(`${name}: the order of the rows does not matter`, async () => {
    const { compiled, session, step } = await runner({ ...plan, precision: 'float64' });
    const mixed = random(1, 'order').shuffle([...all]);
    // Draws of a part are by their place in the batch, so that rows keep them only in one order.
    const drawn = Object.keys(compiled.inputs.each).some((key) => key.startsWith('draw/'));
    const [a, b] = [await step(compiled.start, [all], [0.1]), await step(compiled.start, [drawn ? all : mixed], [0.1])];
    const [left, right] = [numbers(a.state.theta), numbers(b.state.theta)];
    // Sums in another order differ by rounding.
    assert.ok(left.every((v, i) => Math.abs(v - right[i]) < 1e-12));
    await session.release();
  });
}

test('parts that a plan does not name leave no trace in its graph', () => {
  const plain = compileSteps(base);
  const named = compileSteps({ ...base, regularizers: [], monitors: [], rowOutputs: [] });
  assert.deepEqual(named.model, plain.model);
  assert.deepEqual(Object.keys(plain.inputs.each), []);
  assert.deepEqual(
    plain.model.graph.inputs.map((i) => i.name).length,
    Object.keys(plain.start).length + 5 + Object.keys(plain.hyper).length,
  );
  const { layer: _, ...bare } = base;
  assert.deepEqual(compileSteps(bare).model, plain.model);
});

for (const part of monitors) {
  test(`monitor ${part.id}: finite numbers, and the same training with it as without`, async () => {
    const own: Plan = part.of ? { ...base, optimizer: pick(optimizers, part.of[0]) } : base;
    const [watched, bare] = [await runner({ ...own, monitors: [pick(monitors, part.id)] }), await runner(own)];
    const rows = [all.slice(0, 6), all.slice(6)];
    const a = await watched.step(watched.compiled.start, rows, [0.1, 0.1]);
    const b = await bare.step(bare.compiled.start, rows, [0.1, 0.1]);
    assert.deepEqual(a.state.theta.data, b.state.theta.data);
    const lines = Object.entries(watched.compiled.outputs.monitors);
    assert.ok(lines.length > 0);
    for (const [line, name] of lines) {
      assert.ok(line === part.id || line.startsWith(`${part.id}/`), line);
      assert.ok(numbers(a.out[name]).every(Number.isFinite), line);
      assert.equal(numbers(a.out[name]).length, 2);
    }
    await watched.session.release();
    await bare.session.release();
  });
}

test('update ratio and effective step are lengths of the step beside the parameters', async () => {
  const plan: Plan = { ...base, precision: 'float64', monitors: [pick(monitors, 'update-ratio'), pick(monitors, 'effective-step')] };
  const { compiled, session, step } = await runner(plan);
  const { state, out } = await step(compiled.start, [all], [0.3]);
  const [before, after] = [numbers(compiled.start.theta), numbers(state.theta)];
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * b[i], 0);
  const delta = after.map((v, i) => v - before[i]);
  const across = delta.map((v, i) => v - (dot(delta, before) / dot(before, before)) * before[i]);
  const near = (line: string, wanted: number): void =>
    assert.ok(Math.abs(numbers(out[compiled.outputs.monitors[line]])[0] - wanted) < 1e-12);
  near('update-ratio', Math.sqrt(dot(delta, delta) / dot(before, before)));
  near('effective-step', Math.sqrt(dot(across, across) / dot(before, before)));
  await session.release();
});

test('guided scaling: the loss moves the parameters as much as the other terms are large', async () => {
  const l1 = pick(regularizers, 'l1', { weight: 0.01 });
  const plan: Plan = { ...base, precision: 'float64', regularizers: [l1] };
  const [plain, guided, lone] = [
    await runner(plan),
    await runner({ ...plan, lossScaling: pick(lossScalings, 'guided') }),
    await runner({ ...base, precision: 'float64' }),
  ];
  const at = async (r: typeof plain) => r.step(r.compiled.start, [all], [1]);
  const [a, b, c] = [await at(plain), await at(guided), await at(lone)];
  const [start, both, scaled, own] = [plain.compiled.start, a.state, b.state, c.state].map((s) => numbers(s.theta));
  const loss = numbers(a.out[plain.compiled.outputs.loss])[0];
  const w = numbers(a.out[plain.compiled.outputs.monitors['term/l1']])[0] / loss;
  // Δ = −(∇L + ∇R) without scaling and −(w∇L + ∇R) with it.
  for (const [i, v] of start.entries()) assert.ok(Math.abs(scaled[i] - (both[i] + (1 - w) * (v - own[i]))) < 1e-12);
  for (const r of [plain, guided, lone]) await r.session.release();
});

for (const part of samplers) {
  test(`sampler ${part.id}: places of the rows, the same for the same seed`, () => {
    const { chosen } = pick(samplers, part.id);
    const rows = {
      count: 40,
      classes: 3,
      labels: Array.from({ length: 40 }, (_, i) => (i < 30 ? 0 : i < 38 ? 1 : 2)),
      domains: Array.from({ length: 40 }, (_, i) => i % 2),
    };
    const order = (epoch: number) => {
      const kept = part.start?.(rows, chosen) ?? {};
      return part.epoch(rows, { epoch, epochs: 3, batch: 10 }, kept, random(0, `shuffle/${epoch}`), chosen);
    };
    for (const epoch of [0, 1, 2]) {
      const { places, weights } = order(epoch);
      assert.ok(places.length > 0);
      assert.ok(Array.from(places).every((p) => Number.isInteger(p) && p >= 0 && p < 40));
      assert.ok(!weights || (weights.length === places.length && Array.from(weights).every((w) => w >= 0 && Number.isFinite(w))));
      assert.deepEqual(order(epoch), order(epoch));
    }
    assert.notDeepEqual(Array.from(order(0).places), Array.from(order(1).places));
  });
}

test('balanced rows: every class as often, whatever it has', () => {
  const { part, chosen } = pick(samplers, 'balanced');
  const labels = [...Array.from({ length: 90 }, () => 0), ...Array.from({ length: 7 }, () => 1), 2, 2];
  const { places } = part.epoch({ count: 99, classes: 4, labels }, { epoch: 0, epochs: 1, batch: 9 }, {}, random(0, 'x'), chosen);
  const counts = [0, 0, 0];
  for (const p of Array.from(places)) counts[labels[p]]++;
  assert.deepEqual(counts, [33, 33, 33]);
  assert.equal(new Set(Array.from(places).filter((p) => labels[p] === 1)).size, 7);
});

test('m per class: so many rows of each of so many classes a step, each another, every class as often', () => {
  const { part, chosen } = pick(samplers, 'm-per-class', { instances: 3 });
  const labels = [
    ...Array.from({ length: 60 }, () => 0),
    ...Array.from({ length: 7 }, () => 1),
    2,
    2,
    2,
    3,
    ...Array.from({ length: 30 }, () => 4),
  ];
  const rows = { count: labels.length, classes: 5, labels };
  const drawn = new Map<number, number>();
  for (let epoch = 0; epoch < 300; epoch++) {
    const { places } = part.epoch(rows, { epoch, epochs: 300, batch: 6 }, {}, random(epoch, 'm'), chosen);
    assert.equal(places.length, 6 * Math.floor(101 / 6));
    for (let at = 0; at < places.length; at += 6) {
      const step = Array.from(places).slice(at, at + 6);
      assert.equal(new Set(step).size, 6);
      const classes = [...new Set(step.map((p) => labels[p]))];
      assert.equal(classes.length, 2);
      for (const c of classes) {
        assert.equal(step.filter((p) => labels[p] === c).length, 3);
        drawn.set(c, (drawn.get(c) ?? 0) + 1);
      }
    }
  }
  // A class of one row has no positive pair. The others share 300·16·2 draws of a step: each count has a standard deviation of 35.
  assert.deepEqual([...drawn.keys()].toSorted(), [0, 1, 2, 4]);
  for (const n of drawn.values()) assert.ok(Math.abs(n - 2400) < 200, String(n));
});

test('m per class: a class of fewer rows repeats some, and a batch that cannot be filled is refused', () => {
  const { part, chosen } = pick(samplers, 'm-per-class');
  const epoch = (labels: number[], batch: number) =>
    part.epoch({ count: labels.length, classes: 3, labels }, { epoch: 0, epochs: 1, batch }, {}, random(0, 'x'), chosen);
  const few = Array.from(epoch([0, 0, 0, 1, 1, 1, 1, 1], 10).places);
  assert.deepEqual([few.filter((p) => p < 3).length, few.filter((p) => p >= 3).length], [5, 5]);
  assert.equal(new Set(few).size, 8);
  const labels = Array.from({ length: 30 }, (_, i) => i % 3);
  for (const batch of [64, 8, 5, 20])
    assert.throws(
      () => epoch(labels, batch),
      (e) => Fault.is(e, 'training/class-batch') && /multiple of 5 between 10 and 15/.test(e.message),
    );
  assert.throws(
    () => epoch([0, 0, 0, 1], 10),
    (e) => Fault.is(e, 'training/class-batch') && /two classes/.test(e.message),
  );
});

/** Couplings that count as constants are no central difference; a wide head has millions of parameters. */
const throughout: Readonly<Record<string, Record<string, unknown>>> = {
  capsule: { routingGrad: 'full' },
  'category-queries': { dim: 16 },
};
for (const part of heads) {
  test(`head ${part.id}: the gradient of every parameter is its central difference`, async () => {
    const built = planOf('mlp', [4], CLASSES, { hidden: '5', activation: 'tanh' });
    const typeOf = (value: string) => {
      const type = built.graph.values.get(value);
      return type?.kind === 'tensor' ? type : undefined;
    };
    const model = modelOf(built, built.graph);
    const headed = withHead(model, pick(heads, part.id, throughout[part.id]), {
      name: 'mlp',
      output: 'logits',
      typeOf,
      classes: CLASSES,
      init: 'keep',
      seed: 0,
    });
    const { graph } = headed.model;
    const parameters = parametersOf(graph).filter((p) => !headed.fixed.includes(p.name));
    const plan: Plan = {
      ...built,
      graph,
      optimizer: pick(optimizers, 'sgd', { lr: 1 }),
      groups: [{ parameters, lrScale: 1 }],
      precision: 'float64',
      ...(part.term ? { head: { ...pick(heads, part.id, throughout[part.id]), given: headed.given } } : {}),
    };
    await assertGradient(plan);
  });
}
