import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { openSubject } from '../../src/app/subject.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { DataRef, ModelRef } from '../../src/base/request.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import type { FeaturesTool } from '../../src/evidence/features.ts';
import { openFeatures } from '../../src/evidence/providers/features.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import { file, floats, modelFile } from '../evidence/models.ts';
import { graph, int, ints, model, node, value } from '../graph/build.ts';

const ports = await world();
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);

const withFeatures = async <T>(ref: ModelRef | undefined, data: DataRef, work: (tool: FeaturesTool) => Promise<T>): Promise<T> => {
  const job = quietJob();
  const open = await openSubject({ ...(ref ? { model: ref } : {}), data, device: 'cpu', bare: true }, ports, job);
  const runs = open.model;
  const features = openFeatures(
    {
      id: 'test',
      bind: open.inputs,
      ...(runs ? { model: { name: runs.name, folder: runs.folder, model: runs.run, ends: runs.ends } } : {}),
      runtime: ports.runtime,
      device: 'cpu',
    },
    job,
  );
  try {
    return await work(features.tool);
  } finally {
    await features.release();
    await open.close();
  }
};
const refused =
  (code: string, words = /./) =>
  (error: unknown) =>
    error instanceof Fault && error.code === code && words.test(error.message);

/** x [n, 2] → h = relu(x·w) [n, 3] → y = h·v [n, 2]. */
const net = (batch: number | string) =>
  graph(
    [value('x', [batch, 2])],
    [node('MatMul', ['x', 'w'], ['a']), node('Relu', ['a'], ['h']), node('MatMul', ['h', 'v'], ['y0']), node('Softmax', ['y0'], ['y'])],
    ['y'],
    { w: floats([2, 3], [1, 0, -1, 0, 1, 2]), v: floats([3, 2], [1, 2, 3, 4, 5, 6]) },
  );
const rows = 7;
const x = Float32Array.from({ length: 2 * rows }, (_, i) => ((5 * i) % 11) - 4);
const hidden = Array.from({ length: rows }, (_, r) => {
  const [p, q] = [x[2 * r], x[2 * r + 1]];
  return [p, q, -p + 2 * q].map((v) => Math.max(0, v));
}).flat();
let tables = 0;
const table = (y: readonly number[] = Array.from({ length: rows }, (_, i) => i % 2)): DataRef => ({
  path: file(
    `t${tables++}.npz`,
    writeNpz({
      x: { dtype: 'float32', dims: [rows, 2], data: x },
      y: { dtype: 'float32', dims: [rows], data: Float32Array.from(y) },
    }),
  ),
});

for (const batch of ['N', 1, 4])
  test(`what the last MatMul reads, batch ${batch}: by default, by value and by node`, async () => {
    await withFeatures({ path: modelFile(net(batch)) }, table(), async (tool) => {
      for (const layer of ['', 'h', 'n_h']) {
        const found = await tool.read({ layer });
        assert.equal(found.layer, 'h');
        assert.equal(found.width, 3);
        assert.deepEqual(Array.from(found.features), hidden);
        assert.deepEqual(Array.from(found.rows), [0, 1, 2, 3, 4, 5, 6]);
        assert.deepEqual(Array.from(found.labels), [0, 1, 0, 1, 0, 1, 0]);
      }
      // Input and output of the model are layers too.
      assert.deepEqual((await tool.read({ layer: 'x' })).features, x);
      assert.equal((await tool.read({ layer: 'y' })).width, 2);
    });
  });

test('batches are the rows of the table, and another split can be read', async () => {
  const digits = { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } };
  await withFeatures({ path: fixture('models/mlp_digits.onnx') }, digits, async (tool) => {
    const stream = await tool.open({});
    const whole = await tool.read({});
    assert.equal(stream.count, whole.rows.length);
    let at = 0;
    for await (const batch of stream.batches(quietJob().signal)) {
      assert.deepEqual(batch.features, whole.features.subarray(at * stream.width, (at + batch.rows.length) * stream.width));
      at += batch.rows.length;
    }
    assert.equal(at, stream.count);
    const train = await tool.read({ split: 'train' });
    assert.equal(train.width, whole.width);
    assert.ok(train.rows.length > whole.rows.length);
    const shown = new Set(whole.rows);
    assert.ok(train.rows.every((r) => !shown.has(r)));
  });
});

test('maps are averaged or laid flat only when told how', async () => {
  const maps = graph(
    [value('x', ['N', 2])],
    [
      node('Reshape', ['x', 'dims'], ['m']),
      node('Reshape', ['x', 'dims2'], ['n']),
      node('Flatten', ['m'], ['f'], { axis: int(1) }),
      node('MatMul', ['f', 'w'], ['y']),
    ],
    ['y'],
    {
      dims: { dtype: 'int64', dims: [4], bytes: new Uint8Array(BigInt64Array.of(-1n, 1n, 2n, 1n).buffer) },
      dims2: { dtype: 'int64', dims: [3], bytes: new Uint8Array(BigInt64Array.of(-1n, 2n, 1n).buffer) },
      w: floats([2, 2], [1, 0, 0, 1]),
    },
  );
  const wide = graph(
    [value('x', ['N', 2])],
    [
      node('Unsqueeze', ['x', 'axis'], ['u']),
      node('MatMul', ['u', 'w'], ['m']),
      node('ReduceMean', ['m'], ['y'], { axes: ints(1), keepdims: int(0) }),
    ],
    ['y'],
    { axis: { dtype: 'int64', dims: [1], bytes: new Uint8Array(BigInt64Array.of(2n).buffer) }, w: floats([1, 3], [1, 10, 100]) },
  );
  await withFeatures({ path: modelFile(maps) }, table(), async (tool) => {
    // Axes of length 1 are no axes.
    assert.deepEqual((await tool.read({ layer: 'm' })).features, x);
  });
  const data = table();
  await withFeatures({ path: file('wide.onnx', write(model(wide, 13))) }, data, async (tool) => {
    await assert.rejects(tool.read({ layer: 'm' }), refused('evidence/feature-rank', /\[2, 3\].*pooling/));
    const first = await tool.read({ layer: 'm', pooling: 'channels-first' });
    assert.deepEqual(Array.from(first.features.subarray(0, 2)), [x[0] * 37, x[1] * 37]);
    const last = await tool.read({ layer: 'm', pooling: 'channels-last' });
    const mean = (x[0] + x[1]) / 2;
    assert.deepEqual(Array.from(last.features.subarray(0, 3)), [mean, 10 * mean, 100 * mean]);
    assert.equal((await tool.read({ layer: 'm', pooling: 'flatten' })).width, 6);
  });
});

test('without a model the columns of the data are the features', async () => {
  await withFeatures(undefined, table(), async (tool) => {
    const found = await tool.read({});
    assert.deepEqual(found.features, x);
    assert.equal(found.width, 2);
  });
  await withFeatures(undefined, table(), (tool) => assert.rejects(tool.read({ layer: 'h' }), refused('option/without-model', /layer/)));
  await withFeatures(undefined, { path: fixture('data/t10k-100-images-idx3-ubyte.gz') }, async (tool) => {
    // Pictures are laid flat.
    assert.equal((await tool.read({})).width, 784);
  });
  await withFeatures(undefined, { path: fixture('data/iris.csv') }, async (tool) => {
    const found = await tool.read({});
    assert.deepEqual([found.rows.length, found.width], [150, 4]);
  });
});

test('what cannot be features is refused by name', async () => {
  const path = modelFile(net('N'));
  await withFeatures({ path }, table(), async (tool) => {
    await assert.rejects(tool.read({ layer: 'hh' }), refused('id/unknown', /layer 'hh'.*'h'/));
    await assert.rejects(tool.read({ layer: 'w' }), refused('evidence/feature-rows'));
  });
  const two = graph(
    [value('x', ['N', 2])],
    [node('MatMul', ['x', 'w'], ['a']), node('Relu', ['a'], ['b']), node('Add', ['a', 'b'], ['y'])],
    ['y'],
    { w: floats([2, 2], [1, 0, 0, 1]) },
  );
  await withFeatures({ path: modelFile(two) }, table(), (tool) =>
    assert.rejects(tool.read({}), refused('evidence/no-head', /'n_y' \(Add\).*such as x\./)),
  );
  const turned = graph([value('x', ['N', 2])], [node('Transpose', ['x'], ['t']), node('MatMul', ['x', 'w'], ['y'])], ['y'], {
    w: floats([2, 2], [1, 0, 0, 1]),
  });
  await withFeatures({ path: modelFile(turned) }, table(), (tool) =>
    assert.rejects(tool.read({ layer: 't' }), refused('evidence/feature-rows', /\[2, 1?\d?/)),
  );
  const root = graph([value('x', ['N', 2])], [node('Sqrt', ['x'], ['r']), node('MatMul', ['r', 'w'], ['y'])], ['y'], {
    w: floats([2, 2], [1, 0, 0, 1]),
  });
  await withFeatures({ path: modelFile(root) }, table(), (tool) => assert.rejects(tool.read({}), refused('data/not-finite', /layer 'r'/)));
  await withFeatures({ path }, table([0, 1, 0.5, 0, 1, 0, 1]), (tool) =>
    assert.rejects(tool.read({}), refused('evidence/no-classes', /0\.5/)),
  );
  await withFeatures({ path }, table([0, 1, -1, 0, 1, 0, 1]), (tool) =>
    assert.rejects(tool.read({}), refused('evidence/no-classes', /-1/)),
  );
  await withFeatures({ path }, table([0, 1, Number.NaN, 0, 1, 0, 1]), (tool) =>
    assert.rejects(tool.read({}), refused('data/label-missing')),
  );
});
