import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { layers } from '../../src/app/layers.ts';
import type { AppJob, Ports } from '../../src/app/ports.ts';
import { weights } from '../../src/app/weights.ts';
import { toHalf } from '../../src/base/half.ts';
import { quietJob } from '../../src/base/job.ts';
import { constantOf } from '../../src/graph/constant.ts';
import type { Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import type { ModelLayers, WeightFacts } from '../../src/report/tasks.ts';
import { body, graph, int, model, node, value } from '../graph/build.ts';
import { fixtureBytes, fixtures } from '../graph/run.ts';
import { memoryPorts } from './memory-ports.ts';

const job = (): AppJob => ({ ...quietJob(), live: () => {} });
const look = (bytes: Uint8Array, run = false, ports: Ports = memoryPorts({ 'm.onnx': bytes })): Promise<ModelLayers> =>
  layers({ model: { path: 'm.onnx' }, run }, ports, job());
const stored = (m: Model, name: string): Promise<WeightFacts> =>
  weights({ model: { path: 'm.onnx' }, name }, memoryPorts({ 'm.onnx': write(m) }), job());

test('a trained network from its headers alone', async () => {
  const f = await look(fixtureBytes('lenet_mnist'));
  equal(f.measured, false);
  equal(f.parameters, 37958);
  equal(f.macs, 156800 + 320000 + 33600 + 840);
  equal(f.weightBytes >= 4 * 37958, true);
  deepEqual(f.inputs, [{ name: 'x', dtype: 'float32', dims: ['N', 1, 28, 28] }]);
  deepEqual(f.outputs, [{ name: 'logits', dtype: 'float32', dims: ['N', 10] }]);
  equal(f.layers[0].op, 'Conv');
  deepEqual(f.layers[0].dims, ['N', 8, 28, 28]);
  equal(f.layers[0].dtype, 'float32');
  deepEqual(f.layers[0].inputs, ['x']);
  deepEqual(
    f.layers[0].weights.map((w) => f.weights[w].dims),
    [[8, 1, 5, 5], [8]],
  );
});

for (const name of fixtures)
  test(`${name}: implied shapes are those that a run measures, wherever they are told`, async () => {
    const bytes = fixtureBytes(name);
    const [told, ran] = [await look(bytes), await look(bytes, true)];
    equal(ran.measured, true);
    equal(told.parameters, ran.parameters);
    ok(ran.activationBytes !== null && ran.activationBytes > 0);
    for (const [i, { dims, name: layer }] of told.layers.entries()) {
      const measured = ran.layers[i].dims;
      if (!dims || !measured || dims.length !== measured.length) continue;
      dims.forEach((d, axis) => {
        if (typeof d === 'number' && typeof measured[axis] === 'number') equal(d, measured[axis], `${layer}, axis ${axis}`);
      });
    }
  });

test('which nodes stop a gradient, and why', async () => {
  const inner = graph([], [node('Relu', ['x'], ['t'])], [value('t', ['N', 4])]);
  const f = await look(
    write(
      model(
        graph(
          [value('x', ['N', 4])],
          [
            node('Relu', ['x'], ['y']),
            node('ArgMax', ['y'], ['best'], { axis: int(1) }),
            node('If', ['c'], ['z'], { then_branch: body(inner), else_branch: body({ ...inner, name: 'e' }) }),
          ],
          ['best', 'z'],
          { c: { dtype: 'bool', dims: [], bytes: Uint8Array.of(1) } },
        ),
      ),
    ),
  );
  equal(f.layers[0].noGradient, undefined);
  ok(f.layers[1].noGradient);
  deepEqual(f.layers[2].inputs, ['x'], 'what its branches read is shown as its input');
});

test('a model that cannot be run is shown as far as its operators tell', async () => {
  const f = await look(
    write(model(graph([value('x', ['N', 4])], [node('Puzzle', ['x'], ['y'], {}, 'no.such')], ['y']), 21, [], ['no.such'])),
    true,
  );
  equal(f.measured, false);
  equal(f.layers[0].op, 'no.such.Puzzle');
  equal(f.layers[0].dims, null);
  ok(f.layers[0].noGradient);
  match(f.notes.join(' '), /could not be run/);
});

test('what is no model is said so', async () => {
  const refused = (bytes: Uint8Array, why: RegExp): Promise<void> => rejects(look(bytes), why);
  await refused(fixtureBytes('lenet_mnist').subarray(0, 5000), /'m\.onnx' is not a complete ONNX model: it is cut short/);
  await refused(new TextEncoder().encode('PK\x03\x04 and so on'), /zip file/);
});

const held = (c: Parameters<typeof graph>[3]): Model => model(graph([value('x', [2])], [node('Relu', ['x'], ['y'])], ['y'], c));

test('moments, histogram and outliers of a stored tensor', async () => {
  // 9999 values of ±1 and one of 50: mean 0.005, deviation 1.1189, the one 44.7 deviations off.
  const values = Array.from({ length: 10000 }, (_, i) => (i === 4321 ? 50 : i % 2 === 0 ? 1 : -1));
  const f = await stored(held({ w: constantOf('float32', [100, 100], values) }), 'w');
  const mean = values.reduce((a, b) => a + b, 0) / 1e4;
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 1e4);
  equal(f.count, 10000);
  equal(f.min, -1);
  equal(f.max, 50);
  // Rounding of 10,000 additions in double precision.
  ok(Math.abs((f.mean ?? 0) - mean) < 1e-12 && Math.abs((f.deviation ?? 0) - deviation) < 1e-12);
  equal(
    f.histogram.reduce((a, b) => a + b, 0),
    10000,
  );
  equal(f.histogram.at(-1), 1);
  equal(f.outliers, 1);
  deepEqual(f.furthest, [{ at: [43, 21], value: 50 }]);
});

test('half precision, four bits, whole numbers, infinities and emptiness', async () => {
  const half = Uint16Array.from([1, -2, 0.5, Number.POSITIVE_INFINITY].map(toHalf));
  const f = await stored(held({ w: { dtype: 'float16', dims: [4], bytes: new Uint8Array(half.buffer) } }), 'w');
  deepEqual([f.count, f.notFinite, f.min, f.max], [4, 1, -2, 1]);
  const nibbles = await stored(held({ w: { dtype: 'int4', dims: [3], bytes: Uint8Array.of(0x7f, 0x08) } }), 'w');
  deepEqual([nibbles.min, nibbles.max, nibbles.count], [-8, 7, 3]);
  const longs = BigInt64Array.from([3n, -5n]);
  const whole = await stored(held({ w: { dtype: 'int64', dims: [2], bytes: new Uint8Array(longs.buffer) } }), 'w');
  deepEqual([whole.min, whole.max, whole.mean], [-5, 3, -1]);
  const none = await stored(held({ w: constantOf('float32', [0, 3], []) }), 'w');
  deepEqual([none.count, none.min, none.histogram], [0, undefined, []]);
  const same = await stored(held({ w: constantOf('float32', [5], [2, 2, 2, 2, 2]) }), 'w');
  deepEqual([same.histogram[0], same.deviation, same.outliers], [5, 0, 0]);
});

test('an unknown name and a type that is not shown are faults', async () => {
  await rejects(stored(held({ weight: constantOf('float32', [1], [1]) }), 'wieght'), /weight/);
  await rejects(stored(held({ w: { dtype: 'float8e4m3fn', dims: [1], bytes: Uint8Array.of(1) } }), 'w'), /float8e4m3fn/);
});

test('weights beside the file are read from there, and a short file is said so', async () => {
  const apart = held({ w: { dtype: 'float32', dims: [3], external: { location: 'w.bin', offset: 4, length: 12 } } });
  const beside = new Uint8Array(Float32Array.of(9, 1, 2, 3).buffer);
  const ask = (bytes: Uint8Array): Promise<WeightFacts> => {
    const ports = memoryPorts({ 'm.onnx': write(apart), 'w.bin': bytes });
    return weights({ model: { path: 'm.onnx' }, name: 'w' }, { ...ports, resolve: (_, path) => path }, job());
  };
  const f = await ask(beside);
  deepEqual([f.min, f.max, f.mean], [1, 3, 2]);
  await rejects(ask(beside.subarray(0, 12)), /External data 'w\.bin' cannot be used: 12 bytes are wanted at 4/);
});
