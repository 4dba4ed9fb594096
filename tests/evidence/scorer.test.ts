import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { ModelRef } from '../../src/base/request.ts';
import { float32 } from '../../src/base/tensor.ts';
import type { Matrix } from '../../src/evidence/evidence.ts';
import { endsOf, openModel } from '../../src/evidence/model.ts';
import { scorer } from '../../src/evidence/scorer.ts';
import type { Graph } from '../../src/graph/types.ts';
import { world } from '../../src/jobs/world.ts';
import type { Runtime } from '../../src/runtime/session.ts';
import { graph, node, value } from '../graph/build.ts';
import { floats, modelFile, shortOfMemory } from './models.ts';

const ports = await world();
const w = floats([2, 3], [1, 0, 2, 0, 1, -1]);
const linear = (batch: number | string): Graph => graph([value('x', [batch, 2])], [node('MatMul', ['x', 'w'], ['y'])], ['y'], { w });
/** [k, −k] times w = [k, −k, 3 k], k = 1, 2, … */
const input = (n: number) => float32([n, 2], Array.from({ length: n }, (_, i) => [i + 1, -i - 1]).flat());
const expected = (n: number): Float64Array => Float64Array.from(Array.from({ length: n }, (_, i) => [i + 1, -i - 1, 3 * i + 3]).flat());

const score = async (
  g: Graph,
  n: number,
  runtime: Runtime = ports.runtime,
  ref: Partial<ModelRef> = {},
): Promise<{ matrix: Matrix; notes: readonly string[] }> => {
  const job = quietJob();
  const path = modelFile(g);
  const opened = await openModel({ path }, ports, job);
  const ends = endsOf(opened, { path, ...ref }, job);
  const { session } = await runtime.open(path, { device: 'cpu', name: opened.name });
  try {
    return { matrix: await scorer(session, ends, job)(input(n)), notes: job.notes };
  } finally {
    await session.release();
  }
};

test('a fixed batch is filled up: the rows come out as from a free batch', async () => {
  assert.deepEqual((await score(linear('N'), 7)).matrix, { rows: 7, cols: 3, data: expected(7) });
  for (const batch of [1, 4]) {
    assert.deepEqual((await score(linear(batch), 7)).matrix, { rows: 7, cols: 3, data: expected(7) });
  }
});

test('a batch axis called free that is fixed at 1 inside: one row at a time', async () => {
  const baked = graph([value('x', ['N', 2])], [node('Reshape', ['x', 'dims'], ['r']), node('MatMul', ['r', 'w'], ['y'])], ['y'], {
    w,
    dims: { dtype: 'int64', dims: [2], bytes: new Uint8Array(BigInt64Array.of(1n, 2n).buffer) },
  });
  const { matrix, notes } = await score(baked, 7);
  assert.deepEqual(matrix.data, expected(7));
  assert.equal(notes.length, 1);
  assert.match(notes[0], /one at a time/);
});

test('where memory runs out the batch is halved, and the run goes on', async () => {
  const runtime = shortOfMemory(3);
  const { matrix, notes } = await score(linear('N'), 8, runtime);
  assert.deepEqual(matrix.data, expected(8));
  assert.deepEqual(runtime.sizes, [8, 4, 2, 2, 2, 2]);
  assert.match(notes.join(), /ran out at 8 rows a batch; went on with 4/);
  await assert.rejects(score(linear('N'), 8, shortOfMemory(0)), (e) => Fault.is(e, 'runtime/memory'));
});

test('outputs: [rows], [rows, C] and axes of length 1 are scores; more is none', async () => {
  const shaped = (...dims: number[]): Graph =>
    graph([value('x', ['N', 2])], [node('MatMul', ['x', 'w'], ['m']), node('Reshape', ['m', 'dims'], ['y'])], ['y'], {
      w: floats([2, 4], [1, 0, 0, 0, 0, 1, 0, 0]),
      dims: { dtype: 'int64', dims: [dims.length], bytes: new Uint8Array(BigInt64Array.from(dims.map(BigInt)).buffer) },
    });
  assert.equal((await score(shaped(0, 4, 1, 1), 2)).matrix.cols, 4);
  await assert.rejects(score(shaped(0, 2, 2), 2), (e) => Fault.is(e, 'evidence/output-shape') && e.message.includes('[2, 2, 2]'));
  await assert.rejects(score(shaped(-1, 1), 2), (e) => Fault.is(e, 'evidence/output-shape') && e.message.includes('[8, 1]'));
  const squeezed = graph([value('x', ['N', 2])], [node('ReduceSum', ['x', 'one'], ['y'], { keepdims: { type: 'int', value: 0 } })], ['y'], {
    one: { dtype: 'int64', dims: [1], bytes: new Uint8Array(BigInt64Array.of(1n).buffer) },
  });
  assert.deepEqual((await score(squeezed, 3)).matrix, { rows: 3, cols: 1, data: Float64Array.of(0, 0, 0) });
});

test('the output diagnosed: the first of floats, or as named; its node tells what its numbers are', async () => {
  const g = graph(
    [value('x', ['N', 2])],
    [
      node('MatMul', ['x', 'w'], ['raw']),
      node('ArgMax', ['raw'], ['label'], { axis: { type: 'int', value: 1 } }),
      node('Softmax', ['raw'], ['p'], { axis: { type: 'int', value: -1 } }),
      node('LogSoftmax', ['raw'], ['lp'], { axis: { type: 'int', value: -1 } }),
      node('Sigmoid', ['raw'], ['s']),
      node('Unsqueeze', ['p', 'two'], ['wide']),
    ],
    [value('label', ['N', 1], 'int64'), value('p', ['N', 3]), 'lp', 's', 'raw', 'wide'],
    { w, two: { dtype: 'int64', dims: [1], bytes: new Uint8Array(BigInt64Array.of(2n).buffer) } },
  );
  const path = modelFile(g);
  const job = quietJob();
  const opened = await openModel({ path }, ports, job);
  const ends = endsOf(opened, { path }, job);
  assert.deepEqual([ends.input.name, ends.output, ends.hint], ['x', 'p', 'probabilities']);
  assert.match(job.notes.join(), /Of the outputs label, p, lp, s, raw, wide, 'p' was diagnosed/);
  for (const [output, hint] of [
    ['lp', 'log-probabilities'],
    ['s', 'sigmoid'],
    ['raw', 'linear'],
    ['wide', 'probabilities'],
  ] as const)
    assert.equal(endsOf(opened, { path, output }, job).hint, hint);
  assert.throws(
    () => endsOf(opened, { path, output: 'lq' }, job),
    (e) => Fault.is(e, 'id/unknown') && /Did you mean 'lp'/.test(e.message),
  );
  assert.throws(
    () => endsOf(opened, { path, input: 'X1' }, job),
    (e) => Fault.is(e, 'id/unknown'),
  );
  assert.equal(await openModel({ path }, ports, job), opened);
});

test('models that take more than one input, or give no floats, are refused by name', async () => {
  const open = async (g: Graph): Promise<unknown> => {
    const path = modelFile(g);
    return endsOf(await openModel({ path }, ports, quietJob()), { path }, quietJob());
  };
  const two = graph([value('x', ['N', 2]), value('mask', ['N', 2])], [node('Mul', ['x', 'mask'], ['y'])], ['y']);
  await assert.rejects(open(two), (e) => Fault.is(e, 'graph/inputs') && /'mask'/.test(e.message));
  const whole = graph(
    [value('x', ['N', 2])],
    [node('ArgMax', ['x'], ['y'], { axis: { type: 'int', value: 1 } })],
    [value('y', ['N', 1], 'int64')],
  );
  await assert.rejects(open(whole), (e) => Fault.is(e, 'graph/outputs') && /int64/.test(e.message));
});
