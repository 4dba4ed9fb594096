import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../src/base/random.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { compileSteps, type State } from '../../src/training/compile.ts';
import { compileEvaluation } from '../../src/training/evaluate.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import type { Plan } from '../../src/training/plan.ts';
import { adam, lossAndGradient, type Net } from './reference.ts';
import { numbers, once, open } from './session.ts';
import { call, pick, planOf, type Rows } from './subject.ts';

const net: Net = { inputs: 5, hidden: 7, classes: 3 };
const count = 24;
const draw = random(3, 'rows');
const x = Float64Array.from({ length: count * net.inputs }, () => draw.normal());
const labels = Array.from({ length: count }, () => draw.below(net.classes));
const row = (r: number): number[] => Array.from(x.subarray(r * net.inputs, (r + 1) * net.inputs));
const data = (precision: 'float32' | 'float64'): Rows => ({
  x: precision === 'float32' ? float32([count, net.inputs], Array.from(x)) : { dtype: 'float64', dims: [count, net.inputs], data: x },
  y: int64([count], labels),
});
const batches = Array.from({ length: 12 }, (_, k) => Array.from({ length: 6 }, (_, b) => (k * 5 + b * 7) % count));
const plan: Plan = { ...planOf('mlp', [net.inputs], net.classes, { hidden: '7' }), optimizer: pick(optimizers, 'adam', { lr: 0.01 }) };
const lr = batches.map((_, k) => 0.01 / (1 + k / 4));
const bits = (state: State): string =>
  JSON.stringify(Object.entries(state).map(([k, t]) => [k, Buffer.from((t.data as Float32Array).buffer.slice(0)).toString('hex')]));

test('twelve compiled Adam steps in float64 are those written out by hand', async () => {
  const compiled = compileSteps({ ...plan, precision: 'float64' });
  const session = await open(compiled.model);
  const { state, out } = await call(session, compiled, compiled.start, data('float64'), batches, lr);
  await session.release();
  let theta = numbers(compiled.start.theta);
  const named = (all: readonly number[]) =>
    Object.fromEntries(compiled.layout.entries.map((e) => [e.name, all.slice(e.offset, e.offset + e.size)])) as Parameters<
      typeof lossAndGradient
    >[1];
  const step = adam(1);
  for (const [k, rows] of batches.entries()) {
    const { loss, correct, gradient } = lossAndGradient(
      net,
      named(theta),
      rows.map(row),
      rows.map((r) => labels[r]),
    );
    const g = compiled.layout.entries.flatMap((e) => gradient[e.name as keyof typeof gradient]);
    // Rounding of sums of at most 7 terms in another order.
    assert.ok(Math.abs(numbers(out[compiled.outputs.loss])[k] - loss) < 1e-13, `loss of step ${k}`);
    assert.ok(Math.abs(numbers(out[compiled.outputs.gradientNorm])[k] - Math.hypot(...g)) < 1e-13, `gradient norm of step ${k}`);
    assert.equal(numbers(out[compiled.outputs.accuracy])[k], correct / rows.length);
    const moved = step(theta, g);
    theta = theta.map((w, i) => w + lr[k] * (moved[i] - w));
  }
  const off = Math.max(...numbers(state.theta).map((w, i) => Math.abs(w - theta[i])));
  assert.ok(off < 1e-12, `parameters differ by ${off}`);
  assert.deepEqual(numbers(state.t), [12]);
});

test('one call of K steps is K calls of one, bit for bit', async () => {
  for (const id of ['sgd', 'adam', 'adagrad-norm']) {
    const compiled = compileSteps({ ...plan, optimizer: pick(optimizers, id, id === 'sgd' ? { momentum: 0.9 } : {}) });
    const session = await open(compiled.model);
    const whole = await call(session, compiled, compiled.start, data('float32'), batches, lr);
    let state = compiled.start;
    const losses: number[] = [];
    for (const [k, rows] of batches.entries()) {
      const one = await call(session, compiled, state, data('float32'), [rows], [lr[k]]);
      state = one.state;
      losses.push(...one.loss);
    }
    await session.release();
    assert.deepEqual(losses, whole.loss, id);
    assert.equal(bits(state), bits(whole.state), id);
  }
});

test('a streamed block takes the steps that gathered rows take, bit for bit', async () => {
  const resident = compileSteps(plan);
  const streamed = compileSteps({ ...plan, data: 'streamed' });
  const rows = data('float32');
  const block: Rows = {
    x: float32(
      [batches.length, 6, net.inputs],
      batches.flat().flatMap((r) => row(r)),
    ),
    y: int64(
      [batches.length, 6],
      batches.flat().map((r) => labels[r]),
    ),
  };
  const [a, b] = [await open(resident.model), await open(streamed.model)];
  assert.equal(
    bits((await call(b, streamed, streamed.start, block, batches, lr)).state),
    bits((await call(a, resident, resident.start, rows, batches, lr)).state),
  );
  await a.release();
  await b.release();
});

test('the order of rows in a batch does not matter', async () => {
  const compiled = compileSteps({ ...plan, precision: 'float64' });
  const session = await open(compiled.model);
  const forward = await call(session, compiled, compiled.start, data('float64'), batches, lr);
  const reverse = await call(
    session,
    compiled,
    compiled.start,
    data('float64'),
    batches.map((b) => b.toReversed()),
    lr,
  );
  await session.release();
  // Sums of 6 rows in another order, over 12 steps.
  for (const [k, l] of forward.loss.entries()) assert.ok(Math.abs(l - reverse.loss[k]) < 1e-13);
});

test('the gradient is that of central differences', async () => {
  const compiled = compileSteps({ ...plan, precision: 'float64', optimizer: pick(optimizers, 'sgd', { lr: 1 }) });
  const evaluation = compileEvaluation({ ...plan, precision: 'float64' });
  const session = await open(compiled.model);
  const evaluator = await open(evaluation.model);
  const rows = batches[0];
  const { state } = await call(session, compiled, compiled.start, data('float64'), [rows], [1]);
  const theta = numbers(compiled.start.theta);
  const step = numbers(state.theta);
  const lossAt = async (at: readonly number[]): Promise<number> => {
    const out = await evaluator.run({
      [evaluation.state.theta]: { dtype: 'float64', dims: [at.length], data: Float64Array.from(at) },
      [evaluation.inputs.x]: { dtype: 'float64', dims: [rows.length, net.inputs], data: Float64Array.from(rows.flatMap(row)) },
      [evaluation.inputs.y]: int64(
        [rows.length],
        rows.map((r) => labels[r]),
      ),
    });
    return Number(out[evaluation.outputs.total].data[0]) / Number(out[evaluation.outputs.weight].data[0]);
  };
  const h = 1e-5;
  for (const i of [0, 11, 34, 36, 45, 60, 63, 65]) {
    const slope =
      ((await lossAt(theta.map((w, j) => w + (j === i ? h : 0)))) - (await lossAt(theta.map((w, j) => w - (j === i ? h : 0))))) / (2 * h);
    // h² truncation and 1e-16/h rounding.
    assert.ok(Math.abs(theta[i] - step[i] - slope) < 1e-9, `parameter ${i}`);
  }
  await session.release();
  await evaluator.release();
});

test('a rate of zero changes no parameter', async () => {
  for (const part of optimizers) {
    const decay = 'weightDecay' in part.options ? { weightDecay: 0.1 } : {};
    const compiled = compileSteps({ ...plan, optimizer: pick(optimizers, part.id, decay) });
    const session = await open(compiled.model);
    const { state } = await call(
      session,
      compiled,
      compiled.start,
      data('float32'),
      batches,
      lr.map(() => 0),
    );
    await session.release();
    assert.deepEqual(state.theta.data, compiled.start.theta.data, part.id);
  }
});

test('hyper-parameters are inputs: a sweep needs no new graph', async () => {
  const of = (given: Record<string, unknown>) =>
    compileSteps({ ...plan, optimizer: pick(optimizers, 'sgd', { momentum: 0.5, ...given }), clip: { norm: 1 } });
  const half = of({});
  const other = of({ momentum: 0.9 });
  assert.deepEqual(other.model.graph, half.model.graph);
  const session = await open(half.model);
  const swept = await call(session, { ...half, hyper: other.hyper }, half.start, data('float32'), batches, lr);
  const own = await call(session, half, half.start, data('float32'), batches, lr);
  await session.release();
  assert.notEqual(bits(swept.state), bits(own.state));
});

test('a step that is not finite leaves everything as it was, and stops the loop unless told to go on', async () => {
  const compiled = compileSteps(plan);
  const session = await open(compiled.model);
  const poisoned = data('float32');
  (poisoned.x.data as Float32Array)[3 * net.inputs] = Number.POSITIVE_INFINITY;
  const bad = batches.findIndex((rows) => rows.includes(3));
  const clean = await call(session, compiled, compiled.start, data('float32'), batches.slice(0, bad), lr.slice(0, bad));
  assert.ok(bad > 0);
  const on = await call(session, compiled, compiled.start, poisoned, batches, lr);
  const flags = numbers(on.out[compiled.outputs.finite]);
  assert.deepEqual(
    flags,
    batches.map((rows) => Number(!rows.includes(3))),
  );
  assert.deepEqual(numbers(on.state.t), [flags.filter((f) => f === 1).length]);
  assert.ok(numbers(on.state.theta).every(Number.isFinite));
  const stopping = {
    ...session,
    run: (given: Record<string, Tensor>) =>
      session.run({ ...given, [compiled.inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(0) } }),
  };
  const off = await call(stopping, compiled, compiled.start, poisoned, batches, lr);
  assert.equal(off.loss.length, bad + 1);
  assert.equal(bits(off.state), bits(clean.state));
  await session.release();
});

test('batch normalisation uses the statistics of the batch and moves the stored ones as PyTorch does', async () => {
  const cnn = planOf('cnn', [1, 4, 4], 2, { channels: '2', hidden: '', batchNorm: true });
  const compiled = compileSteps({ ...cnn, optimizer: pick(optimizers, 'sgd', { lr: 0 }) });
  const images = Float32Array.from({ length: 3 * 16 }, () => draw.normal());
  const feed: Rows = { x: float32([3, 1, 4, 4], images), y: int64([3], [0, 1, 0]) };
  const session = await open(compiled.model);
  const { state } = await call(session, compiled, compiled.start, feed, [[0, 1, 2]], [0]);
  await session.release();
  const weight = numbers(compiled.start.theta);
  const at = (name: string): number => compiled.layout.entries.find((e) => e.name === name)?.offset ?? -1;
  for (const c of [0, 1]) {
    const values: number[] = [];
    for (let n = 0; n < 3; n++)
      for (let i = 0; i < 4; i++)
        for (let j = 0; j < 4; j++) {
          let sum = weight[at('conv1.bias') + c];
          for (let a = -1; a <= 1; a++)
            for (let b = -1; b <= 1; b++)
              if (i + a >= 0 && i + a < 4 && j + b >= 0 && j + b < 4)
                sum += images[n * 16 + (i + a) * 4 + j + b] * weight[at('conv1.weight') + c * 9 + (a + 1) * 3 + b + 1];
          values.push(sum);
        }
    const mean = values.reduce((s, v) => s + v, 0) / 48;
    const unbiased = values.reduce((s, v) => s + (v - mean) ** 2, 0) / 47;
    // float32 sums of 48 values.
    assert.ok(Math.abs(numbers(state['statistic/bn1.running_mean'])[c] - 0.1 * mean) < 1e-6);
    assert.ok(Math.abs(numbers(state['statistic/bn1.running_var'])[c] - (0.9 + 0.1 * unbiased)) < 1e-6);
  }
});

test('class weights, clipping and groups reach the graph as inputs that the step reads', async () => {
  const [first, ...others] = plan.groups[0].parameters;
  const groups = [
    { parameters: [first], lrScale: 0, weightDecay: 0.5 },
    { parameters: others, lrScale: 1 },
  ];
  const compiled = compileSteps({ ...plan, optimizer: pick(optimizers, 'sgd', {}), groups, clip: { norm: 1e-3 } });
  const out = await once(compiled.model, {
    ...compiled.hyper,
    ...Object.fromEntries(Object.entries(compiled.state).map(([key, { input }]) => [input, compiled.start[key]])),
    [compiled.inputs.x]: data('float32').x,
    [compiled.inputs.y]: data('float32').y,
    [compiled.inputs.rows]: int64([1, 6], batches[0]),
    [compiled.inputs.lr]: float32([1], [1]),
    [compiled.inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(0) },
  });
  const before = numbers(compiled.start.theta);
  const after = numbers(out[compiled.state.theta.output]);
  const frozen = first.dims.reduce((n, d) => n * d, 1);
  assert.deepEqual(after.slice(0, frozen), before.slice(0, frozen));
  const moved = Math.hypot(...after.slice(frozen).map((w, i) => w - before[frozen + i]));
  assert.ok(moved > 1e-4 && moved <= 1e-3 * (1 + 1e-4), `moved by ${moved}`);
});
