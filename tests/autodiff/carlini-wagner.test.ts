import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Carried, carliniWagnerGraph, carried } from '../../src/autodiff/carlini-wagner.ts';
import { slopesGraph } from '../../src/autodiff/slopes.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import type { OpenAttacks } from '../../src/evidence/attack.ts';
import { endsOf, openModel } from '../../src/evidence/model.ts';
import { attacks } from '../../src/evidence/providers/attack.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import { modelOf } from '../../src/training/plan.ts';
import { numbers, open, probed } from './ort.ts';

const golden = readNpz(readFileSync(new URL('../golden/autodiff/carlini-wagner.npz', import.meta.url)));
const of = (key: string): number[] => numbers(golden[key]);
const ports = await world();

type Layer = readonly [weights: readonly number[], biases: readonly number[]];
/** Dense layers with tanh between them, `end` behind them. */
const dense = (inputs: number, layers: readonly Layer[], dtype: 'float32' | 'float64', end?: 'Softmax' | 'Sigmoid'): Model => {
  const emit = emitter({});
  const type = (width: number) => ({ kind: 'tensor', dtype, dims: ['N', width] }) as const;
  emit.typed('x', type(inputs));
  let [at, width] = ['x', inputs];
  for (const [i, [weights, biases]] of layers.entries()) {
    const [w, b] = [constantOf(dtype, [biases.length, width], weights), constantOf(dtype, [biases.length], biases)];
    at = emit.call('Gemm', [i === 0 ? at : emit.Tanh(at), emit.hold(`W${i}`, w), emit.hold(`b${i}`, b)], { transB: 1 });
    width = biases.length;
  }
  if (end) at = emit[end](at, end === 'Softmax' ? { axis: 1 } : {});
  const graph = emit.graph('dense', [{ name: 'x', type: type(inputs) }], [{ name: at, type: type(width) }]);
  return modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph);
};
const net = (dtype: 'float32' | 'float64'): Model =>
  dense(
    6,
    [
      [of('W1'), of('b1')],
      [of('W2'), of('b2')],
    ],
    dtype,
  );
const ends = (model: Model) => ({ input: model.graph.inputs[0].name, output: model.graph.outputs[0].name });

/** The tool on a model as a file, its input between two numbers. */
const opened = async (
  model: Model,
  width: number,
  [low, high]: readonly number[],
  work: (a: OpenAttacks) => Promise<void>,
  probabilities = false,
) => {
  const path = join(mkdtempSync(join(tmpdir(), 'assay-attack-')), 'm.onnx');
  writeFileSync(path, write(model));
  const job = quietJob();
  const found = await openModel({ path }, ports, job);
  const x = float32([2, width], new Float32Array(2 * width).fill(0.5));
  const subject = { name: 'm', folder: '.', ends: endsOf(found, { path }, job), prepared: () => found.prepared({ input: 'x', x }) };
  const tool = attacks(subject, [width], { runtime: ports.runtime, device: 'cpu' }, job);
  const fill = (v: number): Float64Array => new Float64Array(width).fill(v);
  try {
    await work(await tool.open({ low: fill(low), high: fill(high), probabilities }));
  } finally {
    await tool.release();
  }
};
const signal = new AbortController().signal;
const quiet = (): void => {};

for (const [name, targeted, kappa] of [
  ['away', false, 0],
  ['toward', true, 0.5],
] as const) {
  test(`a round of Carlini and Wagner ${name} from the class is PyTorch's, in float64, however its steps are split into calls`, async () => {
    const model = net('float64');
    const graph = carliniWagnerGraph(model, await probed(model), { ...ends(model), targeted });
    const run = await open(write(mustVerify(graph.model)));
    const [low, high] = of('range');
    const double = (dims: readonly number[], data: readonly number[]): Tensor => ({
      dtype: 'float64',
      dims,
      data: Float64Array.from(data),
    });
    const full = (value: number, dims: readonly number[]): Tensor => double(dims, new Array(dims.reduce((a, b) => a * b, 1)).fill(value));
    const ended = async (calls: readonly number[]): Promise<Record<Carried, Tensor>> => {
      let state: Record<Carried, Tensor> = {
        w: double(
          [8, 6],
          of('u').map((v) => Math.atanh(0.999999 * (2 * v - 1))),
        ),
        m: full(0, [8, 6]),
        v: full(0, [8, 6]),
        best: double([8, 6], of('u')),
        least: full(1e30, [8]),
        found: full(0, [8]),
        before: full(1e30, [8]),
        active: full(1, [8]),
      };
      let first = 0;
      for (const count of calls) {
        const { inputs } = graph;
        const out = await run({
          [inputs.u]: double([8, 6], of('u')),
          [inputs.low]: full(low, [6]),
          [inputs.span]: full(high - low, [6]),
          [inputs.label]: int64([8], of(targeted ? 'goal' : 'y')),
          [inputs.constant]: double([8], of('constants')),
          [inputs.confidence]: full(kappa, []),
          [inputs.rate]: full(0.05, []),
          [inputs.first]: int64([], [first]),
          [inputs.count]: int64([], [count]),
          [inputs.window]: int64([], [15]),
          ...Object.fromEntries(carried.map((key) => [graph.state[key].input, state[key]])),
        });
        state = Object.fromEntries(carried.map((key) => [key, out[graph.state[key].output]])) as Record<Carried, Tensor>;
        first += count;
      }
      return state;
    };
    const state = await ended([150]);
    assert.deepEqual(numbers(state.found), of(`${name}/found`));
    for (const key of ['w', 'best', 'least'] as const)
      for (const [i, v] of of(`${name}/${key}`).entries()) {
        // A hundred steps of some tens of float64 operations.
        assert.ok(
          Math.abs(numbers(state[key])[i] - v) <= 1e-10 * Math.max(1, Math.abs(v)),
          `${key} ${i}: ${numbers(state[key])[i]} is not ${v}`,
        );
      }
    const parts = await ended([40, 1, 64, 45]);
    // Moments of a row that rests go on, to no effect.
    for (const key of ['w', 'best', 'least', 'found', 'active'] as const) assert.deepEqual(parts[key], state[key]);
  });

  test(`the search for c ${name} from the class finds what PyTorch's does`, async () => {
    await opened(net('float32'), 6, of('range'), async (attack) => {
      const rows = { u: Float32Array.from(of('u')), labels: Int32Array.from(of(targeted ? 'goal' : 'y')) };
      const search = { targeted, confidence: kappa, rounds: 9, constant: 0.01, steps: 200, rate: 0.02 };
      const { u, distances } = await attack.carliniWagner(rows, search, signal, quiet);
      for (const [i, d] of of(`search/${name}/distance`).entries()) {
        if (d > 1e14) assert.equal(distances[i], Infinity);
        // Nine halvings of c: in float32 a success on the edge may go the other way, which moves the end by about a percent.
        else assert.ok(Math.abs(distances[i] - d) < 2e-3 + 0.02 * d, `${i}: ${distances[i]} is not ${d}`);
        const moved = Math.hypot(...Array.from({ length: 6 }, (_, k) => u[6 * i + k] - rows.u[6 * i + k]));
        assert.ok(Math.abs(moved - (distances[i] === Infinity ? 0 : distances[i])) < 1e-5);
      }
      assert.ok(u.every((v) => v >= 0 && v <= 1));
      // κ is the least margin in favour of the class that was sought.
      const { data, cols } = await attack.scores(u, signal);
      for (const [i, y] of rows.labels.entries()) {
        if (distances[i] === Infinity) continue;
        const own = data[i * cols + y];
        const other = Math.max(...[0, 1, 2, 3].filter((c) => c !== y).map((c) => data[i * cols + c]));
        assert.ok((targeted ? own - other : other - own) >= kappa - 1e-5);
      }
      // Rows do not touch each other.
      const alone = await attack.carliniWagner({ u: rows.u.slice(12, 18), labels: rows.labels.slice(2, 3) }, search, signal, quiet);
      assert.ok(Math.abs(alone.distances[0] - distances[2]) < 1e-5);
    });
  });
}

test('the linear example of the card: scores, slopes, and the nearest point on the boundary', async () => {
  const linear = dense(
    3,
    [
      [
        [1, -2, 0.5, 0, 1, -1],
        [0.1, -0.1],
      ],
    ],
    'float32',
  );
  const rows = { u: Float32Array.of(0.2, 0.7, 0.4), labels: Int32Array.of(1) };
  await opened(linear, 3, [0, 1], async (attack) => {
    const loss = -(await attack.scores(rows.u, signal)).data[1];
    // The card prints ten digits; float32 keeps seven.
    assert.ok(Math.abs(loss - 0.2873353251) < 1e-6);
    const slope = await attack.slopes(rows, { kind: 'loss', temperature: 1 }, signal);
    for (const [i, v] of [0.2497398944, -0.7492196832, 0.3746098416].entries()) assert.ok(Math.abs(slope[i] - v) < 1e-6);
    const attacked = rows.u.map((v, i) => Math.min(1, Math.max(0, v + 0.1 * Math.sign(slope[i]))));
    for (const [i, v] of [0.3, 0.6, 0.5].entries()) assert.ok(Math.abs(attacked[i] - v) < 1e-7);
    assert.ok(Math.abs(-(await attack.scores(attacked, signal)).data[1] - 0.4554924815) < 1e-6);
    // z₀ − z₁ = (1, −3, 1.5)·x + 0.2.
    for (const [i, v] of [1, -3, 1.5].entries()) assert.ok(Math.abs((await attack.slopes(rows, { kind: 'margin' }, signal))[i] - v) < 1e-6);
    const cooled = await attack.slopes(rows, { kind: 'loss', temperature: 4 }, signal);
    for (const [i, v] of [1, -3, 1.5].entries()) assert.ok(Math.abs(cooled[i] - v / 4 / (1 + Math.exp(1.1 / 4))) < 1e-6);
    const search = { targeted: false, confidence: 0, rounds: 9, constant: 0.01, steps: 1000, rate: 0.01 };
    const { u, distances } = await attack.carliniWagner(rows, search, signal, quiet);
    const exact = 1.1 / 3.5;
    assert.ok(distances[0] >= exact - 1e-6 && distances[0] <= exact + 1e-3, String(distances[0]));
    // The card stops at .31429346: the boundary is flat there, so the point is less sharp than its distance.
    for (const [i, v] of [0.28945964, 0.43041374, 0.53453847].entries()) assert.ok(Math.abs(u[i] - v) < 2e-2);
  });
});

test('one probability, probabilities without logits, and stretched ranges see the same classes', async () => {
  const weights = [3, -2];
  const u = Float32Array.of(0.9, 0.2, 0.1, 0.7);
  const wanted = [0.9, 0.2, 0.1, 0.7].flatMap((_, i, v) => (i % 2 === 0 ? [3 * v[i] - 2 * v[i + 1] + 0.1] : []));
  const single = dense(2, [[weights, [0.1]]], 'float32', 'Sigmoid');
  await opened(single, 2, [0, 1], async (attack) => {
    assert.equal(attack.classes, 2);
    const { data } = await attack.scores(u, signal);
    for (const [i, z] of wanted.entries()) assert.ok(Math.abs(data[2 * i + 1] - data[2 * i] - z) < 1e-5);
  });
  const given = dense(
    2,
    [
      [
        [...weights, 0, 0],
        [0.1, 0],
      ],
    ],
    'float32',
    'Softmax',
  );
  // Behind an operator that nobody looks through.
  const hidden: Model = { ...given, graph: { ...given.graph, nodes: [...given.graph.nodes] } };
  const out = hidden.graph.outputs[0].name;
  const doubled: Model = {
    ...hidden,
    graph: {
      ...hidden.graph,
      nodes: [...hidden.graph.nodes, { op: 'Abs', domain: '', name: 'abs', inputs: [out], outputs: ['p'], attributes: {} }],
      outputs: [{ ...hidden.graph.outputs[0], name: 'p' }],
    },
  };
  await opened(
    doubled,
    2,
    [-1, 3],
    async (attack) => {
      const { data } = await attack.scores(
        u.map((v) => (v + 1) / 4),
        signal,
      );
      for (const [i, z] of wanted.entries()) assert.ok(Math.abs(data[2 * i] - data[2 * i + 1] - z) < 1e-4);
      const slope = await attack.slopes({ u, labels: Int32Array.of(1, 1) }, { kind: 'margin' }, signal);
      for (const [i, v] of [12, -8].entries()) assert.ok(Math.abs(slope[i] - v) < 1e-3);
    },
    true,
  );
});

test('whole numbers have no slope', async () => {
  const emit = emitter({});
  const type = { kind: 'tensor', dtype: 'int64', dims: ['N', 2] } as const;
  emit.typed('x', type);
  const y = emit.Cast('x', { to: 1 });
  const graph = emit.graph('ids', [{ name: 'x', type }], [{ name: y, type: { ...type, dtype: 'float32' } }]);
  await assert.rejects(
    opened(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph), 2, [0, 1], async () => {}),
    (e) => Fault.is(e, 'evidence/whole-input'),
  );
});

test('the graph of slopes leaves out what is not asked for', async () => {
  const model = net('float32');
  const known = await probed(model);
  const [plain, margin] = [slopesGraph(model, known, ends(model)), slopesGraph(model, known, { ...ends(model), of: 'margin' })];
  assert.equal(plain.outputs.slope, undefined);
  assert.deepEqual(plain.model.graph.inputs.length, 3);
  assert.equal(margin.inputs.temperature, undefined);
  assert.equal(plain.classes, 4);
});
