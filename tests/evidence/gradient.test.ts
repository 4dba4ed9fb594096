import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { toHalf } from '../../src/base/half.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import type { GradientTool } from '../../src/evidence/evidence.ts';
import { endsOf, openModel } from '../../src/evidence/model.ts';
import { openGradient } from '../../src/evidence/providers/gradient.ts';
import { pointsBetween } from '../../src/evidence/providers/gradient-paths.ts';
import type { Graph, Node } from '../../src/graph/types.ts';
import { world } from '../../src/jobs/world.ts';
import type { Runtime } from '../../src/runtime/session.ts';
import { graph, node, value } from '../graph/build.ts';
import { withModel } from './card-nets.ts';
import { floats, modelFile, shortOfMemory } from './models.ts';

const ports = await world();

/** y = (x ∘ x) W with W = [[1, 2], [3, 4]]: ∂y_t/∂x_j = 2 x_j W_jt. */
const square = (batch: number | string, softmax = false): Graph =>
  graph(
    [value('x', [batch, 2])],
    [node('Mul', ['x', 'x'], ['s']), node('MatMul', ['s', 'w'], ['y']), ...(softmax ? [node('Softmax', ['y'], ['p'])] : [])],
    [softmax ? 'p' : 'y'],
    { w: floats([2, 2], [1, 2, 3, 4]) },
  );
const weight = [
  [1, 2],
  [3, 4],
];

const withTool = async <T>(
  g: Graph,
  work: (tool: GradientTool, notes: readonly string[]) => Promise<T>,
  runtime: Runtime = ports.runtime,
): Promise<T> => {
  const job = quietJob();
  const path = modelFile(g);
  const opened = await openModel({ path }, { ...ports, runtime }, job);
  const gradient = await openGradient({ ...opened, ends: endsOf(opened, { path }, job) }, [2], { runtime, device: 'cpu' }, job);
  try {
    return await work(gradient.tool, job.notes);
  } finally {
    await gradient.release();
  }
};

const { normal } = random(1, 'points');
const [rows, steps] = [5, 7];
const points = Float32Array.from({ length: rows * steps * 2 }, normal);
const weights = Array.from({ length: steps }, (_, s) => (s + 1) / 10);
const targets = Int32Array.of(0, 1, 1, 0, 1);

/** What the tool must give, by the formula above. */
const reference = () => {
  const [gradient, squared, values] = [new Float64Array(rows * 2), new Float64Array(rows * 2), new Float64Array(rows * steps)];
  for (let b = 0; b < rows; b++)
    for (let s = 0; s < steps; s++)
      for (let j = 0; j < 2; j++) {
        const x = points[(b * steps + s) * 2 + j];
        const g = 2 * x * weight[j][targets[b]];
        gradient[b * 2 + j] += weights[s] * g;
        squared[b * 2 + j] += weights[s] * g * g;
        values[b * steps + s] += x * x * weight[j][targets[b]];
      }
  return { gradient, squared, values };
};
/** float32 sums of seven terms of size about 20: 1e-5 relative to the largest is several roundings. */
const close = (actual: Float64Array, wanted: Float64Array): void => {
  const most = Math.max(...wanted.map(Math.abs));
  assert.equal(actual.length, wanted.length);
  for (const [i, v] of wanted.entries()) assert.ok(Math.abs(actual[i] - v) <= 1e-5 * most, `${i}: ${actual[i]} ≠ ${v}`);
};
const signal = new AbortController().signal;
const ask = { rows, points, weights, targets, square: true };

for (const [name, g, runtime] of [
  ['a free batch', square('N'), undefined],
  ['a batch fixed at 1', square(1), undefined],
  ['a batch fixed at 3', square(3), undefined],
  ['memory for 10 points (whole paths, fewer rows)', square('N'), shortOfMemory(10)],
  ['memory for 3 points (a path in pieces)', square('N'), shortOfMemory(3)],
] as const) {
  test(`weighted gradients along paths: ${name}`, () =>
    withTool(
      g,
      async (tool, notes) => {
        assert.deepEqual([tool.output, tool.targets, tool.inputDims], ['y', 2, [2]]);
        const found = await tool.sum(ask, signal);
        const wanted = reference();
        close(found.gradient, wanted.gradient);
        close(found.values, wanted.values);
        close(found.squared ?? new Float64Array(0), wanted.squared);
        const plain = await tool.sum({ ...ask, square: false }, signal);
        close(plain.gradient, wanted.gradient);
        assert.equal(plain.squared, undefined);
        if (runtime) assert.match(notes.join(), /Memory ran out at 35 points/);
      },
      runtime,
    ));
}

const ends = points.subarray(0, rows * 4);
const nodes = Array.from({ length: steps }, (_, s) => s / 4 - 0.5);
const between = pointsBetween(ends, nodes, 2);
for (const [name, g] of [
  ['a free batch', square('N')],
  ['a batch fixed at 1', square(1)],
  ['a batch fixed at 3', square(3)],
] as const) {
  for (const against of [undefined, Int32Array.of(1, 0, 0, 1, 0)])
    test(`points of straight paths are those between their ends: ${name}${against ? ', less another entry' : ''}`, () =>
      withTool(g, async (tool) => {
        const more = against ? { against } : {};
        const found = await tool.sum({ ...ask, points: ends, nodes, ...more }, signal);
        const wanted = await tool.sum({ ...ask, points: between, ...more }, signal);
        // Points are float32 sums in another order.
        const near = (a: Float64Array, b: Float64Array): void => {
          const most = Math.max(...b.map(Math.abs));
          assert.ok(most > 0.1 && a.length === b.length);
          for (const [i, v] of b.entries()) assert.ok(Math.abs(a[i] - v) <= 1e-5 * most, `${i}: ${a[i]} ≠ ${v}`);
        };
        near(found.gradient, wanted.gradient);
        near(found.values, wanted.values);
        near(found.squared ?? new Float64Array(0), wanted.squared ?? new Float64Array(1));
      }));
}

test('a final Softmax is skipped: gradients are those of the logit', () =>
  withTool(square('N', true), async (tool) => {
    assert.equal(tool.output, 'y');
    close((await tool.sum(ask, signal)).gradient, reference().gradient);
  }));

test('half precision: gradients are summed in float32', async () => {
  const half = (values: readonly number[]) => ({
    dtype: 'float16' as const,
    dims: [2, 2],
    bytes: new Uint8Array(Uint16Array.from(values, toHalf).buffer),
  });
  const g = graph(
    [value('x', ['N', 2], 'float16')],
    [node('Mul', ['x', 'x'], ['s']), node('MatMul', ['s', 'w'], ['y'])],
    [value('y', ['N', 2], 'float16')],
    {
      w: half([1, 2, 3, 4]),
    },
  );
  await withTool(g, async (tool) => {
    const found = await tool.sum(ask, signal);
    const wanted = reference().gradient;
    const most = Math.max(...wanted.map(Math.abs));
    // Points and weights of the model have 11 bits.
    for (const [i, v] of wanted.entries()) assert.ok(Math.abs(found.gradient[i] - v) <= 4e-3 * most, `${i}: ${found.gradient[i]} ≠ ${v}`);
  });
});

test('whole-number inputs have no gradient; a path cut off by a step function names it', async () => {
  const whole = graph([value('x', ['N', 2], 'int64')], [node('Cast', ['x'], ['y'], { to: { type: 'int', value: 1 } })], ['y']);
  await assert.rejects(
    withTool(whole, async () => {}),
    (e) => Fault.is(e, 'evidence/whole-input') && /'x' takes int64/.test(e.message),
  );
  const stepped = graph([value('x', ['N', 2])], [node('Floor', ['x'], ['f']), node('MatMul', ['f', 'w'], ['y'])], ['y'], {
    w: floats([2, 2], [1, 2, 3, 4]),
  });
  await assert.rejects(
    withTool(stepped, async () => {}),
    (e) => Fault.is(e, 'graph/no-gradient') && /Floor/.test(e.message),
  );
});

test('a graph that draws random numbers is refused by the node that draws', async () => {
  const drawing = (...nodes: readonly Node[]) =>
    graph([value('x', ['N', 3])], [...nodes, node('MatMul', ['d', 'w'], ['logits'])], ['logits'], {
      w: floats([3, 2], [1, 2, 3, 4, 5, 6]),
      ratio: floats([], [0.5]),
      training: { dtype: 'bool', dims: [], bytes: Uint8Array.of(1) },
    });
  const noise = [node('RandomNormalLike', ['x'], ['n']), node('Add', ['x', 'n'], ['d'])];
  for (const [nodes, said] of [
    [[node('Dropout', ['x', 'ratio', 'training'], ['d'])], /^'n_d' \(Dropout in training mode\) of '.*' draws random numbers/],
    [noise, /^'n_n' \(RandomNormalLike\) of '.*' draws random numbers/],
  ] as const)
    await assert.rejects(
      withModel(drawing(...nodes), [3], async () => {}),
      (e: Error) => Fault.is(e, 'evidence/chance') && said.test(e.message),
    );
});

test('a stopped study ends between chunks', () =>
  withTool(square('N'), async (tool) => {
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(tool.sum(ask, stop.signal), (e) => Fault.is(e, 'job/stopped'));
  }));
