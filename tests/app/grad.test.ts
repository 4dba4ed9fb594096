import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { grad } from '../../src/app/grad.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { quietJob } from '../../src/base/job.ts';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import type { Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { writeExternal } from '../../src/graph/write-external.ts';
import { world } from '../../src/jobs/world.ts';
import { floatConstant, graph, int, model, node, value, wave } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-grad-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const jobOf = (): AppJob => ({ ...quietJob(), live: () => {} });
const beside = (name: string): string => join(folder, name);

const m = model(
  graph([value('x', ['N', 20])], [node('MatMul', ['x', 'w'], ['h']), node('Tanh', ['h'], ['y'])], [value('y', ['N', 30])], {
    w: floatConstant([20, 30], 0.3),
  }),
);
writeFileSync(beside('whole.onnx'), write(m));
const { model: bytes, data } = writeExternal(m, 'weights.bin');
writeFileSync(beside('model.onnx'), bytes);
writeFileSync(beside('weights.bin'), Buffer.concat(data.filter((part) => part instanceof Uint8Array)));

const feeds = {
  x: float32(
    [2, 20],
    Float32Array.from({ length: 40 }, (_, i) => Math.sin(i)),
  ),
};
const gradientOf = async (path: string, given: Readonly<Record<string, Tensor>> = feeds): Promise<Tensor> => {
  const { session } = await ports.runtime.open(path, { device: 'cpu', name: path });
  const out = await session.run(given, ['grad/x']);
  await session.release();
  return out['grad/x'];
};
const made = async (from: string, to: string): Promise<readonly string[]> =>
  (await grad({ model: from, out: to, of: 'sum', wrt: ['inputs'] }, ports, jobOf())).notes;

test('weights beside the model are shared by a result in the same folder', async () => {
  await made(beside('whole.onnx'), beside('expected.onnx'));
  const before = readdirSync(folder).length;
  const notes = await made(beside('model.onnx'), beside('gradient.onnx'));
  assert.equal(readdirSync(folder).length, before + 1);
  assert.match(notes.join('\n'), /stay in weights\.bin/);
  assert.deepEqual(await gradientOf(beside('gradient.onnx')), await gradientOf(beside('expected.onnx')));
});

test('in another folder the result has a file of weights of its own', async () => {
  mkdirSync(beside('other'));
  const notes = await made(beside('model.onnx'), beside('other/gradient.onnx'));
  assert.match(notes.join('\n'), /are in gradient\.onnx\.data/);
  assert.deepEqual(readdirSync(beside('other')).sort(), ['gradient.onnx', 'gradient.onnx.data']);
  assert.equal(statSync(beside('other/gradient.onnx.data')).size, 20 * 30 * 4);
  assert.deepEqual(await gradientOf(beside('other/gradient.onnx')), await gradientOf(beside('expected.onnx')));
});

test('a loss graph brings its own weights, from whatever folder', async () => {
  const loss = model(
    graph([value('y', ['N', 30])], [node('MatMul', ['y', 'v'], ['z']), node('ReduceSum', ['z'], ['l'])], [value('l', [])], {
      v: floatConstant([30, 40], 0.1),
    }),
  );
  mkdirSync(beside('losses'));
  const parts = writeExternal(loss, 'v.bin');
  writeFileSync(beside('losses/loss.onnx'), parts.model);
  writeFileSync(beside('losses/v.bin'), Buffer.concat(parts.data.filter((part) => part instanceof Uint8Array)));
  writeFileSync(beside('inner.onnx'), write(loss));
  const results: Tensor[] = [];
  for (const [path, out] of [
    ['losses/loss.onnx', 'a.onnx'],
    ['inner.onnx', 'b.onnx'],
  ] as const) {
    await grad({ model: beside('model.onnx'), loss: beside(path), out: beside(out), of: '', wrt: ['x'] }, ports, jobOf());
    assert.deepEqual(
      parse(readFileSync(beside(out)), out).graph.inputs.map((i) => i.name),
      ['x'],
    );
    results.push(await gradientOf(beside(out)));
  }
  assert.deepEqual(results[0], results[1]);
});

/** y = the mean over time of x·w, through the length that Shape tells; `rows` and `time` may be fixed. */
const means = (rows: number | string, time: number | string): Model =>
  model(
    graph(
      [value('x', [rows, time, 2])],
      [
        node('MatMul', ['x', 'w'], ['h']),
        node('ReduceSum', ['h', 'axis'], ['total'], { keepdims: int(0) }),
        node('Shape', ['x'], ['t'], { start: int(1), end: int(2) }),
        node('Cast', ['t'], ['length'], { to: int(1) }),
        node('Div', ['total', 'length'], ['mean']),
        node('Reshape', ['mean', 'target'], ['y']),
      ],
      ['y'],
      {
        w: floatConstant([2, 3]),
        axis: constantOf('int64', [1], [1]),
        target: constantOf('int64', [2], [rows === 'N' ? -1 : Number(rows), 3]),
      },
    ),
  );
const slope = Array.from(wave([2, 3]).data as Float32Array);

for (const [rows, time, fed, note] of [
  ['N', 'T', [3, 5], ''],
  [1, 'T', [3, 5], 'batches of 1; its batch axis was freed'],
  [2, 8, [4, 8], 'batches of 2; its batch axis was freed'],
] as const) {
  test(`the gradient of a file of [${rows}, ${time}, 2] holds for [${fed}, 2]`, async () => {
    const path = beside(`means-${rows}-${time}.onnx`);
    writeFileSync(path, write(means(rows, time)));
    const out = beside('means-gradient.onnx');
    const notes = await made(path, out);
    assert.ok(note === '' ? !/axis/.test(notes.join()) : notes.join().includes(note), notes.join());
    const g = await gradientOf(out, { x: wave([...fed, 2]) });
    assert.deepEqual(g.dims, [...fed, 2]);
    const sums = [slope[0] + slope[1] + slope[2], slope[3] + slope[4] + slope[5]];
    for (const [i, v] of (g.data as Float32Array).entries()) assert.ok(Math.abs(v - sums[i % 2] / fed[1]) < 1e-6, `${v}`);
  });
}

test('a fixed batch that cannot be freed: the gradient is of that size, and the notes say so', async () => {
  const m = means(2, 'T');
  // Rows are added to a constant of two rows.
  const bound = {
    ...m,
    graph: {
      ...m.graph,
      nodes: [...m.graph.nodes.slice(0, -1), node('Reshape', ['mean', 'target'], ['z']), node('Add', ['z', 'shift'], ['y'])],
      initializers: new Map([...m.graph.initializers, ['shift', floatConstant([2, 3])]]),
    },
  };
  writeFileSync(beside('bound.onnx'), write(bound));
  const notes = await made(beside('bound.onnx'), beside('bound-gradient.onnx'));
  assert.match(notes.join(), /batches of 2 and its batch axis cannot be freed: rows run 2 at a time/);
  const { inputs } = parse(readFileSync(beside('bound-gradient.onnx')), 'bound').graph;
  assert.deepEqual(inputs[0].type, { kind: 'tensor', dtype: 'float32', dims: [2, 'T', 2] });
  assert.deepEqual((await gradientOf(beside('bound-gradient.onnx'), { x: wave([2, 5, 2]) })).dims, [2, 5, 2]);
});

test('a model that runs at one length of a free axis only has its gradient at that length', async () => {
  const m = model(graph([value('x', ['N', 'T'])], [node('MatMul', ['x', 'w'], ['y'])], ['y'], { w: floatConstant([8, 2]) }));
  writeFileSync(beside('eight.onnx'), write(m));
  const notes = await made(beside('eight.onnx'), beside('eight-gradient.onnx'));
  assert.match(notes.join(), /Free axis 'T' is fixed at 8/);
  const { inputs } = parse(readFileSync(beside('eight-gradient.onnx')), 'eight').graph;
  assert.deepEqual(inputs[0].type, { kind: 'tensor', dtype: 'float32', dims: ['N', 8] });
});

const checked = (from: string, to: string, check: string, of = 'sum:y'): ReturnType<typeof grad> =>
  grad({ model: from, out: to, of, wrt: ['inputs'], check }, ports, jobOf());

test('a gradient that is not finite: the node that made it, and the row', async () => {
  // The gradient of the norm is 0/0 where all differences are 0.
  const m = model(
    graph(
      [value('x', ['N', 2])],
      [
        node('Sub', ['x', 'centre'], ['d']),
        node('Mul', ['d', 'd'], ['s']),
        node('ReduceSum', ['s', 'axis'], ['total'], { keepdims: int(1) }),
        node('Sqrt', ['total'], ['y']),
      ],
      [value('y', ['N', 1])],
      { centre: constantOf('float32', [2], [1, 1]), axis: constantOf('int64', [1], [1]) },
    ),
  );
  writeFileSync(beside('norm.onnx'), write(m));
  writeFileSync(beside('rows.csv'), `${['a,b,y', '0,2,0', '3,4,1', '1,1,0', '2,2,1'].join('\n')}\n`);
  const ones = await checked(beside('norm.onnx'), beside('norm-gradient.onnx'), 'ones');
  assert.equal(ones.check?.finite, false);
  assert.match(ones.check?.sentence ?? '', /^'grad\/x' is not finite \(32 of 32 elements\): node '.*' \(Div\) makes infinite values/);
  assert.match(ones.check?.sentence ?? '', /'y' is 0/);
  const rows = await checked(beside('norm.onnx'), beside('norm-gradient.onnx'), beside('rows.csv'));
  assert.match(rows.check?.sentence ?? '', /\(2 of 8 elements, first at row 2\)/);
  for (const data of ['zeros', 'random']) {
    const fine = await checked(beside('norm.onnx'), beside('norm-gradient.onnx'), data);
    assert.deepEqual(fine.check, {
      data,
      rows: 16,
      finite: true,
      sentence: `The loss and all derivatives are finite on 16 rows of ${data}.`,
    });
  }
});

test('labels are the target of the check, and a parameter that is not finite is named', async () => {
  const { graph: g } = m;
  const broken = {
    ...m,
    graph: { ...g, initializers: new Map([['w', constantOf('float32', [20, 30], new Array<number>(600).fill(Number.NaN))]]) },
  };
  writeFileSync(beside('broken.onnx'), write(broken));
  const names = Array.from({ length: 20 }, (_, i) => `f${i}`);
  const lines = Array.from({ length: 30 }, (_, r) => [...names.map((_, i) => (i * r) % 7), r].join(','));
  writeFileSync(beside('labelled.csv'), [[...names, 'y'].join(','), ...lines].join('\n'));
  writeFileSync(beside('unlabelled.csv'), [names.join(','), ...lines.map((l) => l.split(',').slice(0, 20).join(','))].join('\n'));
  const nan = await checked(beside('broken.onnx'), beside('g.onnx'), beside('labelled.csv'), 'cross-entropy');
  assert.match(nan.check?.sentence ?? '', /first at row 0\): parameter 'w' holds NaN\.$/);
  const whole = await checked(beside('whole.onnx'), beside('g.onnx'), beside('labelled.csv'), 'cross-entropy');
  assert.deepEqual([whole.check?.finite, whole.check?.rows], [true, 30]);
  await assert.rejects(checked(beside('whole.onnx'), beside('g.onnx'), beside('unlabelled.csv'), 'cross-entropy'), /label/);
  await assert.rejects(checked(beside('whole.onnx'), beside('g.onnx'), beside('labelled.csv'), 'mse'), /target of shape/);
});

test('nodes of the file may be named as derivatives would be', async () => {
  const named = { ...m, graph: { ...m.graph, nodes: m.graph.nodes.map((n, i) => ({ ...n, name: ['_MatMul', '_Mul'][i] })) } };
  writeFileSync(beside('named.onnx'), write(named));
  await made(beside('named.onnx'), beside('named-gradient.onnx'));
  assert.deepEqual(await gradientOf(beside('named-gradient.onnx')), await gradientOf(beside('expected.onnx')));
});
