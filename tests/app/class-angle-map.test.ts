import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { digitsData, workshop } from '../training/workshop.ts';

const ports = await world();
const shop = workshop();
const ask = (data: object, model: string | undefined, options: Record<string, unknown> = {}): Promise<Report> =>
  diagnose(
    {
      id: 'class-angle-map',
      ...(model ? { model: { path: model } } : {}),
      data: data as { path: string },
      options,
      device: 'cpu',
      seed: 0,
    },
    ports,
    { ...quietJob(), live: () => {} },
  );
const near = (a: number, b: number, tolerance = 1e-6): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
const tableOf = (report: Report, title: string) => {
  const card = report.cards.find((c) => c.title === title);
  return card?.kind === 'table' ? card.rows : assert.fail(title);
};
/** Scores x·wᵀ of these rows of weights, stored [classes, width]. */
const linear = (name: string, weights: readonly (readonly number[])[]): string =>
  shop.model(`${name}.onnx`, ['N', weights[0].length], ['N', weights.length], (emit) =>
    emit.call(
      'Gemm',
      [
        'x',
        emit.hold('w', constantOf('float32', [weights.length, weights[0].length], weights.flat())),
        emit.hold('b', constantOf('float32', [weights.length], new Float32Array(weights.length))),
      ],
      { transB: 1 },
    ),
  );
const rowsOf = (name: string, x: readonly (readonly number[])[], y: readonly number[]): { path: string } => ({
  path: shop.arrays(`${name}.npz`, { x: float32([x.length, x[0].length], x.flat()), y: int64([y.length], [...y]) }),
});

test('the rows of the card beside the unit vectors of three classes', async () => {
  const model = linear('unit', [
    [1, 0, 0],
    [0, 2, 0],
    [0, 0, 3],
  ]);
  const data = rowsOf(
    'card',
    [
      [3, 4, 0],
      [1, 1, 1],
      [0, 0, 0],
    ],
    [1, 0, 2],
  );
  const report = await ask(data, model);
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const { headline } = report;
  assert.equal(headline.max_cosine, 0);
  assert.equal(headline.welch_bound, 0);
  near(headline.own_cosine, (0.8 + 0.577350269) / 2);
  near(headline.wrong_cosine, (0.6 + 0.577350269) / 2);
  near(headline.margin, 0.1);
  assert.equal(headline.zero_features, 1);
  assert.equal(headline.rows, 2);
  assert.ok(report.notes.some((n) => /1 row has features of zeros/.test(n)));
  assert.match(report.guide, /same standing.*Lengths differ 3 times/);
});

test('three directions in a plane at the Welch bound, and two that share one', async () => {
  const h = Math.sqrt(3) / 2;
  const data = rowsOf(
    'plane',
    [
      [1, 0],
      [-1, 2],
      [-1, -1],
    ],
    [0, 1, 2],
  );
  const even = await ask(
    data,
    linear('simplex', [
      [1, 0],
      [-0.5, h],
      [-0.5, -h],
    ]),
  );
  near(even.headline.max_cosine, 0.5);
  near(even.headline.mean_cosine, 0.5);
  near(even.headline.welch_bound, 0.5);
  assert.equal(even.headline.nearest_accuracy, 1);
  const near2 = await ask(
    data,
    linear('shared', [
      [1, 0],
      [1, 0.1],
      [0, -1],
    ]),
  );
  const [pair] = tableOf(near2, 'Pairs that share most');
  assert.deepEqual(pair.slice(0, 2), ['0', '1']);
  near(Number(pair[2]), 1 / Math.hypot(1, 0.1));
  assert.match(near2.guide, /'0' and '1' share most/);
});

test('of a trained head of fixed vectors, which has no bias, the nearest direction is the prediction', async () => {
  const { out, report: trained } = await shop.run({
    arch: { kind: 'mlp', hidden: '32' },
    data: digitsData,
    split: { val: 0 },
    loss: 'cross-entropy',
    head: { kind: 'ebv', dim: 12 },
    optimizer: { kind: 'adam', lr: 3e-3 },
    batch: 64,
    epochs: 3,
  });
  const report = await ask(digitsData.test, out);
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const { headline } = report;
  assert.equal(headline.nearest_accuracy, trained.headline.test_accuracy);
  assert.equal(headline.width, 12);
  near(headline.max_cosine, 0, 1e-6);
  assert.ok(headline.own_cosine > headline.wrong_cosine);
  assert.ok(report.intervals.nearest_accuracy.low < headline.nearest_accuracy);
  const mixed = report.cards.find((c) => c.title === 'Confusion beside the angle');
  assert.equal(mixed?.kind === 'scatter' && mixed.groups[0].points.length, 45);
});

test('directions may be means of the rows, with or without a model, or vectors of a file', async () => {
  const data = rowsOf(
    'means',
    [
      [2, 0],
      [0, 3],
      [4, 0],
      [0, 1],
    ],
    [0, 1, 0, 1],
  );
  const model = linear('any', [
    [1, 1],
    [1, -1],
  ]);
  const own = await ask(data, model, { directions: 'means' });
  assert.equal(own.headline.max_cosine, 0);
  assert.equal(own.headline.own_cosine, 1);
  const alone = await ask(data, undefined, { directions: 'means' });
  assert.equal(alone.headline.own_cosine, 1);
  const file = shop.arrays('three.npz', { vectors: float32([3, 2], [1, 0, 0, 1, 0.6, 0.8]) });
  const filed = await ask(data, model, { directions: 'file', vectors: file });
  assert.equal(filed.headline.classes, 2);
  assert.ok(filed.notes.some((n) => /1 more vectors/.test(n)));
});

test('one score stands for two classes that point away from each other', async () => {
  const data = rowsOf(
    'one',
    [
      [1, 0],
      [-1, 0.5],
    ],
    [1, 0],
  );
  const report = await ask(data, linear('single', [[1, 0]]));
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  near(report.headline.max_cosine, 1);
  assert.equal(report.headline.nearest_accuracy, 1);
  assert.ok(report.notes.some((n) => /One score stands for two classes/.test(n)));
});

test('wrong input is named', async () => {
  const data = rowsOf(
    'wrong',
    [
      [1, 0],
      [0, 1],
    ],
    [0, 1],
  );
  const model = linear('two', [
    [1, 0],
    [0, 1],
  ]);
  const wide = shop.arrays('wide.npz', { vectors: float32([2, 3], [1, 0, 0, 0, 1, 0]) });
  const few = shop.arrays('few.npz', { vectors: float32([1, 2], [1, 0]) });
  const twice = shop.arrays('twice.npz', { a: float32([2, 2], [1, 0, 0, 1]), b: float32([2, 2], [1, 0, 0, 1]) });
  await assert.rejects(ask(data, model, { directions: 'file' }), (e) => Fault.is(e, 'option/missing'));
  await assert.rejects(ask(data, model, { directions: 'file', vectors: wide }), (e) => Fault.is(e, 'diagnostic/width'));
  await assert.rejects(ask(data, model, { directions: 'file', vectors: few }), /at least 2 vectors/);
  await assert.rejects(ask(data, model, { directions: 'file', vectors: twice }), /one matrix of numbers is due, and there are 2/);
  await assert.rejects(
    ask(
      rowsOf(
        'range',
        [
          [1, 0],
          [0, 1],
        ],
        [0, 5],
      ),
      model,
    ),
    (e) => Fault.is(e, 'diagnostic/label') || Fault.is(e, 'data/label-range'),
  );
  const alone = await ask(data, undefined);
  assert.deepEqual([alone.outcome, alone.reason?.code], ['unavailable', 'evidence/no-model']);
});
