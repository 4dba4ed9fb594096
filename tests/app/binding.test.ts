import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { bind } from '../../src/app/binding.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { DataRef } from '../../src/base/request.ts';
import type { Target } from '../../src/data/preprocess.ts';
import type { Bound } from '../../src/evidence/bound.ts';
import { world } from '../../src/jobs/world.ts';

const ports = await world();
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures/data', name);
const folder = mkdtempSync(join(tmpdir(), 'assay-binding-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const image = (side: number): Target => ({ name: 'x', dtype: 'float32', dims: [1, side, side] });
const open = async (
  data: DataRef,
  target?: Target,
  labels?: readonly string[],
  limit?: number,
): Promise<{ bound: Bound; notes: string }> => {
  const job = quietJob();
  const bound = await bind(data, ports, job, {
    ...(target ? { target } : {}),
    ...(labels ? { labels } : {}),
    ...(limit === undefined ? {} : { limit }),
  });
  return { bound, notes: job.notes.join('\n') };
};
const signal = new AbortController().signal;

test('digits: the rows of the split in the input’s shape, with what was assumed', async () => {
  const { bound, notes } = await open({ path: fixture('digits.npz'), split: 'test', preprocess: { scale: 0.0625 } }, image(8));
  assert.deepEqual([bound.count, bound.inputDims, bound.labelled, bound.rowAt(0)], [359, [1, 8, 8], true, 11]);
  assert.deepEqual([bound.classNames, bound.namesFrom], [Array.from('0123456789'), 'stored']);
  assert.match(notes, /\[64\] were reshaped to \[1, 8, 8\]/);
  assert.match(notes, /multiplied by 0\.0625/);
  assert.match(notes, /'test_idx' lists/);
  const { rows, x, labels } = await bound.take([3, 0], signal);
  assert.deepEqual(await bound.takeRows([bound.rowAt(3), 11], signal), { rows, x, labels });
  assert.deepEqual([x?.dims, rows[1], labels?.[1]], [[2, 1, 8, 8], 11, 1]);
  const all = await open({ path: fixture('digits.npz') }, image(8), undefined, 10);
  assert.deepEqual([all.bound.count, all.bound.rowAt(9)], [10, 9]);
  assert.match(all.notes, /no split was named: all its rows were used[\s\S]*Only the first 10 of 1797/);
});

test('MNIST files: labels from a named file, or from the one beside the images', async () => {
  const path = fixture('t10k-100-images-idx3-ubyte.gz');
  const beside = await open({ path }, image(28));
  assert.match(beside.notes, /Labels were found beside the images[\s\S]*divided by 255/);
  const named = await open({ path, labels: fixture('t10k-100-labels-idx1-ubyte') }, image(28));
  const as = await open({ path, y: fixture('t10k-100-labels-idx1-ubyte') }, image(28));
  const [a, b, c] = await Promise.all([beside, named, as].map(({ bound }) => bound.take([0, 1, 2, 99], signal)));
  assert.deepEqual(Array.from(a.labels ?? []).slice(0, 3), [7, 2, 1]);
  assert.deepEqual(b, a);
  assert.deepEqual(c, a);
  const greatest = Math.max(...((a.x?.data ?? []) as Float32Array));
  assert.ok(greatest > 0.9 && greatest <= 1);
  const short = file('labels.csv', 'y\n1\n2\n');
  await assert.rejects(
    open({ path, labels: short }, image(28)),
    (e) => Fault.is(e, 'data/labels-length') && /2 labels.* 100 rows/.test(e.message),
  );
  await assert.rejects(open({ path, labels: fixture('absent') }, image(28)), (e) => Fault.is(e, 'file/missing'));
});

test('x_train and x_test in one archive follow the split', async () => {
  const npy = (dims: readonly number[], values: readonly number[]): Uint8Array => {
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`.padEnd(117, ' ');
    const out = new Uint8Array(128 + 4 * values.length);
    out.set([0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0, ...Buffer.from(`${header}\n`)]);
    out.set(new Uint8Array(Float32Array.from(values).buffer), 128);
    return out;
  };
  const { zipSync } = await import('fflate');
  const path = file(
    'halves.npz',
    zipSync({
      'x_train.npy': npy([3, 2], [1, 2, 3, 4, 5, 6]),
      'y_train.npy': npy([3], [0, 1, 1]),
      'x_test.npy': npy([2, 2], [7, 8, 9, 10]),
      'y_test.npy': npy([2], [1, 0]),
    }),
  );
  const target: Target = { name: 'input', dtype: 'float32', dims: [2] };
  for (const [split, x, y] of [
    ['train', [1, 2, 3, 4, 5, 6], [0, 1, 1]],
    ['test', [7, 8, 9, 10], [1, 0]],
  ] as const) {
    const { bound, notes } = await open({ path, split }, target);
    const batch = await bound.take(
      Array.from({ length: bound.count }, (_, i) => i),
      signal,
    );
    assert.deepEqual([Array.from((batch.x?.data ?? []) as Float32Array), Array.from(batch.labels ?? [])], [x, y]);
    assert.match(notes, new RegExp(`array 'x_${split}'`));
  }
  const named = await open({ path, x: 'x_train' }, target);
  assert.equal(named.bound.count, 3);
});

test('tables of predictions: labels go by the names of the columns', async () => {
  const path = file('preds.csv', 'label,prob_1,prob_2,prob_3\n3,0.1,0.2,0.7\n1,0.6,0.2,0.2\n');
  const { bound } = await open({ path });
  const { scores, labels } = await bound.take([0, 1], signal);
  assert.deepEqual([bound.classNames, bound.table, Array.from(labels ?? [])], [['1', '2', '3'], 'probabilities', [2, 0]]);
  assert.deepEqual(Array.from(scores?.data ?? []), [0.1, 0.2, 0.7, 0.6, 0.2, 0.2]);
  const words = await open({ path: file('words.csv', 'label,logit_cat,logit_dog\ndog,1,2\ncat,3,4\n') });
  assert.deepEqual(Array.from((await words.bound.take([0, 1], signal)).labels ?? []), [1, 0]);
  await assert.rejects(open({ path: fixture('digits.npz') }), (e) => Fault.is(e, 'data/predictions'));
});

test('pictures are the values before mean and standard deviation, in the shape in which they are a picture', async () => {
  const flat: Target = { name: 'x', dtype: 'float32', dims: [784] };
  const path = fixture('t10k-100-images-idx3-ubyte.gz');
  const { bound } = await open({ path, preprocess: { mean: [0.13], std: [0.3] } }, flat);
  const plain = await bound.plain([0], signal);
  assert.deepEqual(plain?.dims, [28, 28]);
  assert.ok(Math.min(...(plain?.values ?? [-1])) === 0 && Math.max(...(plain?.values ?? [9])) <= 1);
  const table = await open({ path: fixture('iris.csv') }, { name: 'x', dtype: 'float32', dims: [4] });
  assert.equal(await table.bound.plain([0], signal), undefined);
});

test('text columns cannot feed numbers, pickled ones nothing', async () => {
  const path = file('text.csv', 'a,name,y\n1,u,0\n2,v,1\n');
  await assert.rejects(
    open({ path, x: 'name' }, { name: 'x', dtype: 'float32', dims: [1] }),
    (e) => Fault.is(e, 'data/text-input') && /'name'/.test(e.message),
  );
  await assert.rejects(open({ path: fixture('partly-pickled.npz'), x: 'names' }, image(8)), (e) => Fault.is(e, 'data/pickled'));
});
