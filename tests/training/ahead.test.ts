import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { train, trainWithin } from '../../src/app/train.ts';
import { readAhead } from '../../src/app/train-ahead.ts';
import type { TrainingRows, XY } from '../../src/app/train-data.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { workshop } from './workshop.ts';

/** Rows (i, 2i) with label i; what is read waits for `go`, and is written down. */
const file = () => {
  const asked: number[][] = [];
  const waiting: { go(): void; fail(): void }[] = [];
  const rows: Pick<TrainingRows, 'take'> = {
    take(positions, lead) {
      const all = Array.from(positions);
      asked.push(all);
      const read: XY = {
        x: float32(
          [...lead, 2],
          all.flatMap((i) => [i, 2 * i]),
        ),
        y: int64(lead, all),
      };
      return new Promise((resolve, reject) => waiting.push({ go: () => resolve(read), fail: () => reject(new Error('unreadable')) }));
    },
  };
  return { asked, waiting, ahead: readAhead(rows, new AbortController().signal) };
};
const places = (...at: number[]): Float64Array => Float64Array.from(at);

test('rows that are wanted next are not read again, nor are all of them needed', async () => {
  const { asked, waiting, ahead } = file();
  ahead.begin(places(4, 2, 7, 1));
  assert.deepEqual(asked, [[4, 2, 7, 1]]);
  waiting[0].go();
  const { x, y } = await ahead.take(places(4, 2), [1, 2]);
  assert.deepEqual([x, y], [float32([1, 2, 2], [4, 8, 2, 4]), int64([1, 2], [4, 2])]);
  assert.equal(asked.length, 1);
  // What was read ahead is of one call alone.
  const again = ahead.take(places(7, 1), [2, 1]);
  await new Promise(setImmediate);
  waiting[1].go();
  assert.deepEqual((await again).y, int64([2, 1], [7, 1]));
});

test('other rows, or more of them, are read when they are wanted, once nothing else is being read', async () => {
  for (const wanted of [places(2, 4), places(4, 2, 7)]) {
    const { asked, waiting, ahead } = file();
    ahead.begin(places(4, 2));
    const taken = ahead.take(wanted, [wanted.length]);
    await new Promise(setImmediate);
    assert.equal(asked.length, 1);
    waiting[0].go();
    await new Promise(setImmediate);
    assert.deepEqual(asked[1], Array.from(wanted));
    waiting[1].go();
    assert.deepEqual((await taken).y, int64([wanted.length], wanted));
  }
});

test('a read that fails is a fault when its rows are wanted, and none where they never are', async () => {
  const { waiting, ahead } = file();
  ahead.begin(places(1));
  waiting[0].fail();
  await new Promise(setImmediate);
  await assert.rejects(ahead.take(places(1), [1]), /unreadable/);
  ahead.begin(places(2));
  waiting[1].fail();
  await ahead.idle();
  ahead.begin(places());
  await ahead.idle();
});

test('rows from a file, some of them read ahead, train as rows in memory', async () => {
  const shop = workshop();
  const width = 256;
  const x = Float32Array.from({ length: 1200 * width }, (_, i) => Math.sin(i * 0.37));
  const path = shop.arrays('d.npz', {
    x: float32([1200, width], x),
    y: float32(
      [1200],
      Array.from({ length: 1200 }, (_, i) => Number(x[i * width] > 0)),
    ),
  });
  const recipe = {
    arch: { kind: 'mlp', hidden: '8' },
    data: { train: path },
    loss: 'cross-entropy',
    optimizer: { kind: 'sgd', lr: 0.05, momentum: 0.9 },
    batch: 7,
    epochs: 3,
  };
  const memory = await shop.run(recipe, { use: train, out: shop.at('memory.onnx') });
  const streamed = await shop.run(recipe, { use: trainWithin(0), out: shop.at('streamed.onnx') });
  assert.deepEqual(readFileSync(streamed.out), readFileSync(memory.out));
});
