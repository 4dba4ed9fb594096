import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../src/base/random.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { losses } from '../../src/training/losses/index.ts';
import { monitors } from '../../src/training/monitors/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import type { Plan } from '../../src/training/plan.ts';
import { regularizers } from '../../src/training/regularizers/index.ts';
import { numbers, open } from './session.ts';
import { pick, planOf, type Rows } from './subject.ts';

const chance = random(0, 'scanned');
const drawn = (row: readonly number[], rows = 200): Rows => ({
  x: float32(
    [rows, ...row],
    Float32Array.from({ length: rows * row.reduce((n, d) => n * d, 1) }, () => chance.next()),
  ),
  y: int64(
    [rows],
    Array.from({ length: rows }, () => chance.below(4)),
  ),
});
const batches = (steps: number, batch: number): number[][] =>
  Array.from({ length: steps }, () => Array.from({ length: batch }, () => chance.below(200)));

/** The steps in one call, from the start: all that it gives. */
const run = async (plan: Plan, { x, y }: Rows, rows: readonly (readonly number[])[], start = compileSteps(plan).start) => {
  const compiled = compileSteps(plan);
  const session = await open(compiled.model);
  const { inputs, outputs } = compiled;
  const [steps, batch] = [rows.length, rows[0].length];
  const taken = (tensor: Tensor): Tensor => {
    const width = tensor.data.length / tensor.dims[0];
    const data = rows.flat().flatMap((row) => Array.from((tensor.data as Float32Array).subarray(row * width, (row + 1) * width)));
    const dims = [steps, batch, ...tensor.dims.slice(1)];
    return tensor.dtype === 'int64' ? int64(dims, data.map(Number)) : float32(dims, data);
  };
  const feeds: Record<string, Tensor> = {
    ...compiled.hyper,
    [inputs.lr]: float32([steps], new Float32Array(steps).fill(0.1)),
    [inputs.x]: inputs.rows ? x : taken(x),
    [inputs.y]: inputs.rows ? y : taken(y),
    ...(inputs.rows ? { [inputs.rows]: int64([steps, batch], rows.flat()) } : {}),
    ...(inputs.go ? { [inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) } } : {}),
  };
  for (const [key, { input }] of Object.entries(compiled.state)) feeds[input] = start[key];
  const out = await session.run(feeds);
  await session.release();
  return {
    state: Object.fromEntries(Object.entries(compiled.state).map(([key, { output }]) => [key, out[output]])),
    loss: numbers(out[outputs.loss]),
    norm: numbers(out[outputs.gradientNorm]),
    accuracy: outputs.accuracy ? numbers(out[outputs.accuracy]) : [],
    lines: Object.fromEntries(Object.entries(outputs.monitors).map(([line, name]) => [line, numbers(out[name])])),
    finite: outputs.finite ? numbers(out[outputs.finite]) : [],
  };
};

const mlp = planOf('mlp', [12], 4, { hidden: '8' });
const plans: Readonly<Record<string, readonly [Plan, readonly number[]]>> = {
  'plain descent': [mlp, [12]],
  'rows of each call': [{ ...mlp, data: 'streamed' }, [12]],
  'Adam, mean parameters, clipping': [{ ...mlp, optimizer: pick(optimizers, 'adam', { lr: 0.1 }), ema: 0.9, clip: { norm: 0.5 } }, [12]],
  'momentum and gradients of two batches': [{ ...mlp, optimizer: pick(optimizers, 'sgd', { momentum: 0.9 }), accumulate: 2 }, [12]],
  'smoothed labels, a term and a monitor': [
    {
      ...mlp,
      loss: pick(losses, 'cross-entropy', { labelSmoothing: 0.1 }),
      regularizers: [pick(regularizers, 'l1')],
      monitors: [pick(monitors, 'effective-step')],
    },
    [12],
  ],
  'statistics of batches': [planOf('cnn', [1, 6, 6], 4, { channels: '3', hidden: '', batchNorm: true }), [1, 6, 6]],
};

for (const [name, [plan, row]] of Object.entries(plans)) {
  const free: Plan = { ...plan, unguarded: true };

  // Guarded steps are another graph, whose products ONNX Runtime may round in another order: 1e-5 of the largest number.
  test(`steps that nothing holds back are the steps that are: ${name}`, async () => {
    const data = drawn(row);
    for (const batch of [16, 13]) {
      const rows = batches(5, batch);
      const [a, b] = [await run(free, data, rows), await run(plan, data, rows)];
      const near = (x: readonly number[], y: readonly number[], what: string): void => {
        const scale = Math.max(1, ...y.map(Math.abs));
        assert.equal(x.length, y.length, what);
        for (const [i, v] of y.entries()) assert.ok(Math.abs(x[i] - v) <= 1e-5 * scale, `${what} ${i}: ${x[i]} and ${v}`);
      };
      assert.deepEqual(Object.keys(a.state), Object.keys(b.state));
      for (const [key, tensor] of Object.entries(b.state)) near(numbers(a.state[key]), numbers(tensor), key);
      for (const key of ['loss', 'norm', 'accuracy'] as const) near(a[key], b[key], key);
      for (const [line, values] of Object.entries(b.lines)) near(a.lines[line], values, line);
    }
  });

  test(`a call of five steps is five calls of one, bit for bit: ${name}`, async () => {
    const data = drawn(row);
    const rows = batches(5, 13);
    const whole = await run(free, data, rows);
    let at = compileSteps(free).start;
    const loss: number[] = [];
    for (const one of rows) {
      const made = await run(free, data, [one], at);
      at = made.state;
      loss.push(...made.loss);
    }
    assert.deepEqual(loss, whole.loss);
    assert.deepEqual(at, whole.state);
  });
}

test('a step says that its terms are not finite where loss and gradient do not tell', async () => {
  const plan: Plan = { ...mlp, regularizers: [pick(regularizers, 'l1')], unguarded: true };
  const { finite } = await run(plan, drawn([12]), batches(3, 8));
  assert.deepEqual(finite, [1, 1, 1]);
  assert.equal(compileSteps({ ...mlp, unguarded: true }).outputs.finite, '');
});

test('what every step has alike is made once, and no step chooses between what was and what is', () => {
  const { graph } = compileSteps({ ...mlp, unguarded: true }).model;
  const scan = graph.nodes.at(-1);
  const body = scan?.attributes.body;
  assert.ok(scan?.op === 'Scan' && body?.type === 'graph');
  const ops = body.value.nodes.map((n) => n.op);
  for (const op of ['Where', 'Size', 'Or']) assert.ok(!ops.includes(op), op);
  // Rows alone are gathered in the steps: gathered before them they would fill the memory.
  assert.deepEqual(
    body.value.nodes.filter((n) => n.op === 'Gather').map((n) => n.inputs[0]),
    ['data'],
  );
});
