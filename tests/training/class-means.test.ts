import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { UseCase } from '../../src/app/ports.ts';
import { train, trainWithin } from '../../src/app/train.ts';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { holdOut } from '../../src/data/split.ts';
import { constantOf, numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { atEpoch, wholeAndInPieces, workshop } from './workshop.ts';

const [ROWS, WIDTH, HIDDEN, DIM, CLASSES] = [90, 6, 12, 8, 5];
/** No row is of class 3. */
const labels = Array.from({ length: ROWS }, (_, i) => [0, 1, 1, 2, 4][i % 5]);
const chance = random(3, 'rows');
const x = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => labels[Math.floor(i / WIDTH)] - 1.5 + chance.normal());

type Shop = ReturnType<typeof workshop>;
const rowsIn = (shop: Shop): string => shop.arrays('rows.npz', { x: float32([ROWS, WIDTH], x), y: int64([ROWS], labels) });

const head = { kind: 'category-queries', dim: DIM, heads: 2, layers: 1, select: 2 };
/** At rate 0 the model saved is the one that training began with. */
const recipe = {
  arch: { kind: 'mlp', hidden: String(HIDDEN) },
  data: { train: 'rows.npz' },
  split: { val: 0 },
  loss: 'sigmoid-focal',
  head,
  optimizer: { kind: 'sgd', lr: 0 },
  batch: 16,
  epochs: 1,
  seed: 2,
};

const stored = (path: string, name: string): number[] => {
  const found = parse(readFileSync(path), path).graph.initializers.get(name);
  assert.ok(found, name);
  return numbersOf(found);
};

/** Means by class of v = φᵀA + b, of the hidden layer φ = relu(Wx + c) or of the mean over its places, in float64. */
const reference = (path: string, places = 1, of = Array.from({ length: ROWS }, (_, i) => i)): Float64Array => {
  const [w, c] = [stored(path, 'dense1.weight'), stored(path, 'dense1.bias')];
  const [a, b] = [stored(path, 'head.feature.weight'), stored(path, 'head.feature.bias')];
  const sums = new Float64Array(CLASSES * DIM);
  const counts = new Float64Array(CLASSES);
  for (const i of of) {
    const row = x.subarray(i * WIDTH, (i + 1) * WIDTH);
    const hidden = c.map((shift, h) =>
      Math.max(
        0,
        row.reduce((s, v, d) => s + v * w[h * WIDTH + d], shift),
      ),
    );
    const channels = hidden.length / places;
    const seen = Array.from({ length: channels }, (_, k) => hidden.slice(k * places, (k + 1) * places).reduce((s, v) => s + v / places, 0));
    counts[labels[i]]++;
    for (let d = 0; d < DIM; d++) sums[labels[i] * DIM + d] += seen.reduce((s, v, k) => s + v * a[k * DIM + d], b[d]);
  }
  return sums.map((s, i) => s / counts[Math.floor(i / DIM)]);
};

/** Values of float32 sums of a dozen terms. */
const near = (found: readonly number[], wanted: ArrayLike<number>, but: number, tolerance = 2e-6): void => {
  assert.equal(found.length, wanted.length);
  for (const [i, v] of found.entries()) {
    if (Math.floor(i / DIM) === but) continue;
    assert.ok(Math.abs(v - wanted[i]) <= tolerance * Math.max(1, Math.abs(wanted[i])), `${i}: ${v} is not ${wanted[i]}`);
  }
};

test('queries begin at the class means of what is scored, a class without rows at a draw, and that is said', async () => {
  const shop = workshop();
  rowsIn(shop);
  const { out, notes } = await shop.run(recipe);
  const queries = stored(out, 'head.queries');
  near(queries, reference(out), 3);
  assert.ok(notes.some((n) => /No training row is of class 3: what begins at the class means of the features, 'head\.queries'/.test(n)));
  const drawn = await shop.run({ ...recipe, head: { ...head, first: 'normal' } }, { out: shop.at('drawn.onnx') });
  const normal = stored(drawn.out, 'head.queries');
  assert.deepEqual(queries.slice(3 * DIM, 4 * DIM), normal.slice(3 * DIM, 4 * DIM));
  assert.ok(
    normal.every((v) => Math.abs(v) < 0.1),
    'drawn with 0.02',
  );
  assert.ok(!drawn.notes.some((n) => /class means/.test(n)));
  // All other first values are the same.
  assert.deepEqual(stored(drawn.out, 'head.fit.weight'), stored(out, 'head.fit.weight'));
});

test('of a feature map its mean place is meant', async () => {
  const shop = workshop();
  rowsIn(shop);
  const { out } = await shop.run({ ...recipe, head: { ...head, channels: 3 } });
  near(stored(out, 'head.queries'), reference(out, HIDDEN / 3), 3);
});

test('rows held out do not count, and rows that are read as they are needed do as others', async () => {
  const shop = workshop();
  rowsIn(shop);
  const held = { val: 0.3, seed: 7, stratified: true };
  const { kept } = holdOut(ROWS, Int32Array.from(labels), held.val, held.seed);
  const { out } = await shop.run({ ...recipe, split: held });
  assert.ok(kept.length < ROWS);
  near(stored(out, 'head.queries'), reference(out, 1, Array.from(kept)), 3);
  const [resident, streamed] = [
    await shop.run(recipe, { out: shop.at('a.onnx') }),
    await shop.run(recipe, { out: shop.at('b.onnx'), use: trainWithin(16) }),
  ];
  assert.ok(streamed.notes.some((n) => /too large to keep in memory/.test(n)));
  assert.deepEqual(stored(streamed.out, 'head.queries'), stored(resident.out, 'head.queries'));
});

test('the features of a file are those of its stored parameters', async () => {
  const shop = workshop();
  rowsIn(shop);
  const draw = random(5, 'file');
  const hold = (dims: readonly number[]) =>
    constantOf(
      'float32',
      dims,
      Array.from({ length: dims[0] * (dims[1] ?? 1) }, () => draw.normal()),
    );
  const model = shop.model('m.onnx', ['N', WIDTH], ['N', 3], (emit) => {
    const dense = emit.Gemm('x', emit.hold('dense1.weight', hold([HIDDEN, WIDTH])), emit.hold('dense1.bias', hold([HIDDEN])), {
      transB: 1,
    });
    return emit.Gemm(emit.Relu(dense), emit.hold('last.weight', hold([HIDDEN, 3])), emit.hold('last.bias', hold([3])));
  });
  const { arch: _, ...rest } = recipe;
  const { out } = await shop.run({ ...rest, model });
  near(stored(out, 'head.queries'), reference(out), 3);
  const names = parse(readFileSync(out), out).graph.outputs.map((o) => o.name);
  assert.equal(names.length, 1, 'the features are no output of what is saved');
});

test('a run stopped and resumed is the run that was not, with queries that are trained and with frozen ones', async () => {
  const data = (shop: Shop): string => rowsIn(shop);
  const path = data(workshop());
  const long = { ...recipe, data: { train: path }, optimizer: { kind: 'adam', lr: 1e-3 }, epochs: 6 };
  await wholeAndInPieces(long, atEpoch(2));
  const { whole } = await wholeAndInPieces({ ...long, trainable: ['head.f*', 'head.layers*'] }, atEpoch(3));
  const queries = stored(whole.out, 'head.queries');
  const still = await whole.shop.run({ ...recipe, data: { train: path } }, { out: whole.shop.at('still.onnx') });
  assert.deepEqual(queries, stored(still.out, 'head.queries'));
});

/** A run that notes what it says of its way, and is cancelled at the first of these words. */
const heard = (said: string[], cancel?: { readonly at: RegExp; readonly by: AbortController }): UseCase<'train'> => {
  return (ask, ports, job) =>
    train(ask, ports, {
      ...job,
      progress(_, text) {
        said.push(text);
        if (cancel?.at.test(text)) cancel.by.abort();
      },
    });
};

test('the pass tells how far it is and is cancelled between its parts; what is resumed needs none', async () => {
  const shop = workshop();
  const many = 600;
  shop.arrays('rows.npz', {
    x: float32(
      [many, WIDTH],
      Float32Array.from({ length: many * WIDTH }, (_, i) => Math.sin(i)),
    ),
    y: int64(
      [many],
      Array.from({ length: many }, (_, i) => i % CLASSES),
    ),
  });
  const said: string[] = [];
  const by = new AbortController();
  await assert.rejects(shop.run(recipe, { use: heard(said, { at: /class means/, by }), signal: by.signal }), (e) =>
    Fault.is(e, 'job/stopped'),
  );
  const told = (): string[] => said.filter((s) => s.startsWith('class means'));
  assert.deepEqual(told(), ['class means of the features: 256 of 600 rows']);
  await shop.run(recipe, { use: heard(said) });
  assert.equal(told().length, 4);
  await shop.run(recipe, { use: heard(said), resume: true });
  assert.equal(told().length, 4);
});

test('two recipes are compared, each with the means of its own features', async () => {
  const shop = workshop();
  rowsIn(shop);
  const { report } = await shop.run(
    { ...recipe, split: { val: 0.3 }, optimizer: { kind: 'adam', lr: 1e-3 } },
    { out: '', compare: { with: 'baseline', seeds: 2 } },
  );
  const found = report.cards.find((c) => c.title === 'Accuracy by frequency of the class');
  assert.ok(found?.kind === 'table');
  const [common] = found.rows;
  // Of 90 rows 63 are trained on; each of the classes 0, 2 and 4 has about 13 of them, class 1 about 25, class 3 none.
  assert.deepEqual([found.rows.length, ...common.slice(0, 3)], [1, 'common', 4, 27]);
  assert.ok(Math.abs(Number(common[5]) - report.headline.validation_accuracy_difference) < 1e-12);
  const interval = report.intervals.validation_accuracy_difference;
  assert.ok(Math.abs(Number(common[6]) - interval.low) < 1e-12 && Math.abs(Number(common[7]) - interval.high) < 1e-12);
});

test('means that are not finite are refused', async () => {
  const shop = workshop();
  rowsIn(shop);
  const model = shop.model('m.onnx', ['N', WIDTH], ['N', 3], (emit) => {
    const eye = (scale: number) =>
      constantOf(
        'float32',
        [WIDTH, WIDTH],
        Array.from({ length: WIDTH ** 2 }, (_, i) => (i % (WIDTH + 1) === 0 ? scale : 0)),
      );
    const large = emit.MatMul(emit.MatMul('x', emit.hold('a', eye(1e30))), emit.hold('b', eye(1e30)));
    return emit.MatMul(large, emit.hold('w', constantOf('float32', [WIDTH, 3], new Array<number>(3 * WIDTH).fill(1))));
  });
  const { arch: _, ...rest } = recipe;
  await assert.rejects(
    shop.run({ ...rest, model }),
    (e) =>
      Fault.is(e, 'training/part') &&
      /head 'category-queries' begins at class means of the features, and those of class 0 are not finite/.test(e.message),
  );
});
