import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { denseLayout } from '../../src/diagnostics/training/dense-layout.ts';
import { constantOf, numbersOf } from '../../src/graph/constant.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { modelOf, tensorType } from '../../src/training/plan.ts';
import { workshop } from '../training/workshop.ts';

const ports = await world();
const shop = workshop();
const ask = (model: string, path: string, options: Record<string, unknown>): Promise<Report> =>
  diagnose({ id: 'dense-balance', model: { path: model }, data: { path }, options, device: 'cpu', seed: 0 }, ports, {
    ...quietJob(),
    live: () => {},
  });
const near = (a: number, b: number, tolerance = 1e-6): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

/** Rows [3 anchors, 2 scores and 4 numbers of a box]; the scores get biases. */
const bias = [0.5, -1];
const detector = (name: string, end: (emit: Emit, scores: string) => string = (_, scores) => scores): string => {
  const emit = emitter({});
  const type = (last: number) => tensorType('float32', ['N', 3, last]);
  emit.typed('x', type(6));
  const part = (from: number, to: number): string => emit.Slice('x', emit.ints([from]), emit.ints([to]), emit.ints([2]));
  const boxes = emit.rename(part(2, 6), 'boxes');
  const scores = emit.rename(emit.Add(part(0, 2), emit.hold('bias', constantOf('float32', [2], bias))), 'scores');
  const outputs = [
    { name: end(emit, scores), type: type(2) },
    { name: boxes, type: type(4) },
  ];
  const graph = emit.graph(name, [{ name: 'x', type: type(6) }], outputs);
  writeFileSync(shop.at(name), write(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph)));
  return shop.at(name);
};
/** The card's logits, and boxes of which one number is off by what makes their loss 0.37. */
const logits = [
  [0, 1],
  [-2, 0.5],
  [3, -1],
];
const image = (off = 0.795): number[] => logits.flatMap(([a, b], i) => [a - bias[0], b - bias[1], i === 0 ? off : 0, 0, 0, 0]);
const data = (name: string, images: readonly (readonly number[])[], targets: readonly (readonly number[])[], more = {}): string =>
  shop.arrays(name, {
    x: float32([images.length, 3, 6], images.flat()),
    t: int64([targets.length, targets[0].length], targets.flat()),
    due: float32([images.length, 3, 4], new Float32Array(12 * images.length)),
    ...more,
  });
const boxes = { regression: 'boxes', regressionTargets: 'due' };

test('the card’s three anchors: the loss of classes, of boxes, and the factor of guided scaling', async () => {
  const path = data('card.npz', [image()], [[1, 0, 2]]);
  const report = await ask(detector('card.onnx'), path, { targets: 't', ...boxes });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const { headline } = report;
  // NumPy gives 3.7346314512 (the card prints 3.7346311).
  near(headline.class_loss, 3.7346314512);
  near(headline.box_loss, 0.37);
  near(headline.guided_weight, 0.0990727, 1e-7);
  for (const card of report.cards) if (card.kind === 'bars') for (const s of card.series) assert.equal(s.intervals, undefined);
  near(headline.loss_per_positive, 3.7346314512);
  assert.deepEqual([headline.images, headline.anchors, headline.classes, headline.positives], [1, 3, 2, 2]);
  near(headline.prior, 2 / 6);
  near(headline.optimal_bias, Math.log(2 / 4));
  assert.equal(headline.positives_per_row, 2 / 3);
  const sigma = (z: number): number => 1 / (1 + Math.exp(-z));
  const split = (move: readonly number[]): number => {
    const [a, b] = [0, 1].map((c) => logits.map((row) => sigma(row[c] + move[c])));
    return (a[1] + a[2] + b[0] + b[1]) / (1 - a[0] + (1 - b[2]));
  };
  near(headline.background_to_foreground, split([0, 0]));
  near(headline.background_to_foreground_zero_bias, split([-bias[0], -bias[1]]));
  near(headline.background_to_foreground_optimal_bias, split([Math.log(0.5) - bias[0], Math.log(0.5) - bias[1]]));
  const [withImages] = [await ask(shop.at('card.onnx'), path, { targets: 't', normaliser: 'foreground+images' })];
  near(withImages.headline.class_loss, (3.7346314512 * 2) / 3);
  assert.equal(withImages.headline.box_loss, undefined);
});

test('ignored anchors count for nothing, and a batch without boxes keeps the mean of the factors before', async () => {
  const path = data(
    'held.npz',
    [image(), image(), image()],
    [
      [1, 0, 2],
      [-1, 0, 0],
      [1, -1, 2],
    ],
  );
  const report = await ask(detector('held.onnx'), path, { targets: 't', ...boxes, batch: 1 });
  assert.deepEqual([report.headline.ignored, report.headline.anchors], [2, 7]);
  const curve = report.cards.find((c) => c.title === 'Factor of guided scaling');
  assert.ok(curve?.kind === 'curve');
  const [first, second] = curve.lines[0].points.map(([, y]) => y);
  assert.equal(second, first);
  assert.ok(report.notes.some((n) => /^In 1 batch no box tells a factor/.test(n)));
  assert.ok(report.intervals.background_to_foreground.method.endsWith('over images'));
});

test('the logits before a Sigmoid are taken; probabilities of unknown make and a softmax are refused', async () => {
  const path = data('sigmoid.npz', [image()], [[1, 0, 2]]);
  const report = await ask(
    detector('sigmoid.onnx', (emit, scores) => emit.Sigmoid(scores)),
    path,
    { targets: 't' },
  );
  near(report.headline.class_loss, 3.7346314512);
  const hard = detector('half.onnx', (emit, scores) => emit.Add(emit.Mul(emit.Sigmoid(scores), emit.scalar(0.5)), emit.scalar(0.25)));
  await assert.rejects(ask(hard, path, { targets: 't' }), (e) => Fault.is(e, 'diagnostic/dense-probabilities'));
  const soft = detector('soft.onnx', (emit, scores) => emit.Softmax(scores, { axis: 2 }));
  await assert.rejects(ask(soft, path, { targets: 't' }), (e) => Fault.is(e, 'diagnostic/dense-softmax'));
});

test('boxes are matched with anchors, in each of their forms', async () => {
  const anchors = shop.arrays('anchors.npz', { a: float32([3, 4], [0, 0, 10, 10, 10, 0, 20, 10, 20, 0, 30, 10]) });
  const kinds = int64([1, 3], [1, 2, 0]);
  const forms = {
    xyxy: [0, 0, 10, 8, 21, 0, 30, 10, 0, 0, 0, 0],
    xywh: [0, 0, 10, 8, 21, 0, 9, 10, 0, 0, 0, 0],
    cxcywh: [5, 4, 10, 8, 25.5, 5, 9, 10, 0, 0, 0, 0],
  };
  const model = detector('boxes.onnx');
  for (const [boxFormat, numbers] of Object.entries(forms)) {
    const own = shop.arrays('own.npz', {
      a: float32(
        [3, 4],
        boxFormat === 'xyxy'
          ? [0, 0, 10, 10, 10, 0, 20, 10, 20, 0, 30, 10]
          : boxFormat === 'xywh'
            ? [0, 0, 10, 10, 10, 0, 10, 10, 20, 0, 10, 10]
            : [5, 5, 10, 10, 15, 5, 10, 10, 25, 5, 10, 10],
      ),
    });
    const path = data('b.npz', [image()], [[0, 0, 0]], { b: float32([1, 3, 4], numbers), k: kinds });
    const report = await ask(model, path, { boxes: 'b', boxClasses: 'k', anchors: own, boxFormat });
    near(report.headline.class_loss, 3.7346314512);
  }
  const turned = data('turned.npz', [image()], [[0, 0, 0]], { b: float32([1, 3, 4], forms.xywh), k: kinds });
  await assert.rejects(
    ask(model, turned, { boxes: 'b', boxClasses: 'k', anchors }),
    (e) => Fault.is(e, 'diagnostic/box') && /boxFormat/.test(e.message),
  );
  const far = data('far.npz', [image()], [[0, 0, 0]], {
    b: float32(
      [1, 3, 4],
      forms.xyxy.map((v) => v + 1000),
    ),
    k: kinds,
  });
  await assert.rejects(ask(model, far, { boxes: 'b', boxClasses: 'k', anchors }), (e) => Fault.is(e, 'diagnostic/no-foreground'));
  const close = { boxes: 'b', boxClasses: 'k', anchors, foreground: 0.3, background: 0.4 };
  await assert.rejects(ask(model, far, close), (e) => Fault.is(e, 'option/value'));
});

test('channels of a convolution: anchors run over height, width and those of a place; biases are found, and written', async () => {
  // [k · classes, height, width] = [2 · 3, 2, 2].
  const model = shop.model('conv.onnx', ['N', 1, 2, 2], ['N', 6, 2, 2], (emit) =>
    emit.Conv(
      'x',
      emit.hold('w', constantOf('float32', [6, 1, 1, 1], [1, -1, 2, 0.5, 0.1, -2])),
      emit.hold('bias', constantOf('float32', [6], [0, 1, 2, 3, 4, 5])),
    ),
  );
  const chance = random(0, 'channels');
  const targets = [0, 0, 3, 0, 0, 1, 0, 0];
  const path = shop.arrays('conv.npz', {
    x: float32(
      [2, 1, 2, 2],
      Array.from({ length: 8 }, () => chance.normal()),
    ),
    t: int64([2, 8], [...targets, ...targets]),
  });
  const out = shop.at('started.onnx');
  const options = { targets: 't', tensorLayout: 'channels', classCount: 3 };
  const report = await ask(model, path, { ...options, save: out });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  assert.deepEqual([report.headline.anchors, report.headline.classes, report.headline.positives], [16, 3, 4]);
  near(report.headline.optimal_bias, Math.log(4 / 44));
  const written = (at: string): number[] => {
    const c = parse(readFileSync(at), at).graph.initializers.get('bias');
    assert.ok(c);
    return numbersOf(c);
  };
  for (const v of written(out)) near(v, Math.log(4 / 44));
  // Read again, the copy has what the report promised for the optimal bias.
  const again = await ask(out, path, options);
  near(again.headline.background_to_foreground, report.headline.background_to_foreground_optimal_bias);
  const own = shop.at('own.onnx');
  await ask(model, path, { ...options, save: own, perClass: true });
  const rare = Math.log(2 / 14);
  const none = Math.log(0.5 / 15.5);
  for (const [i, v] of written(own).entries()) near(v, [rare, none, rare][i % 3]);
});

test('places of scores and biases in every layout', () => {
  const channels = denseLayout('t', [6, 2, 2], 'channels', 3);
  // Anchor 5 is the second of place 2 (height 1, width 0): channel 1 · 3 + c.
  assert.equal(channels.at(5, 1), 4 * 4 + 2);
  assert.equal(channels.bias(6)?.(5, 1), 4);
  assert.equal(channels.bias(3), undefined);
  const first = denseLayout('t', [2, 7], 'classes-first', 0);
  assert.deepEqual([first.anchors, first.classes, first.at(3, 1), first.bias(2)?.(3, 1)], [7, 2, 10, 1]);
  const last = denseLayout('t', [7, 2], 'anchors', 2);
  assert.deepEqual([last.at(3, 1), last.bias(4)?.(3, 1), last.bias(3)], [7, 3, undefined]);
  assert.equal(denseLayout('t', [9], 'anchors', 0).classes, 1);
  for (const [dims, layout, classes] of [
    [[5, 2, 2], 'channels', 3],
    [[7, 2], 'anchors', 3],
    [[2, 3, 4], 'anchors', 0],
    [[4], 'classes-first', 0],
  ] as const)
    assert.throws(
      () => denseLayout('t', dims, layout, classes),
      (e) => Fault.is(e, 'diagnostic/dense-shape'),
    );
});

test('wrong input is named', async () => {
  const model = detector('wrong.onnx');
  const path = data('wrong.npz', [image()], [[1, 0, 2]], {
    short: int64([1, 2], [0, 1]),
    high: int64([1, 3], [0, 3, 1]),
    none: int64([1, 3], [0, 0, -1]),
  });
  for (const [options, code] of [
    [{}, 'diagnostic/dense-source'],
    [{ targets: 'short' }, 'diagnostic/dense-array'],
    [{ targets: 'high' }, 'diagnostic/dense-class'],
    [{ targets: 'none' }, 'diagnostic/no-foreground'],
    [{ targets: 'absent' }, 'data/column'],
    [{ targets: 't', tensorLayout: 'channels' }, 'diagnostic/dense-shape'],
    [{ targets: 't', regression: 'boxes' }, 'option/missing'],
    [{ targets: 't', regression: 'boxes', regressionTargets: 't' }, 'diagnostic/dense-array'],
  ] as const)
    await assert.rejects(ask(model, path, options), (e) => Fault.is(e, code), JSON.stringify(options));
  const shared = shop.model('shared.onnx', ['N', 3, 2], ['N', 3, 2], (emit) => {
    const b = emit.hold('bias', constantOf('float32', [2], bias));
    return emit.Add(emit.Relu(emit.Add('x', b)), b);
  });
  const rows = shop.arrays('shared.npz', { x: float32([1, 3, 2], logits.flat()), t: int64([1, 3], [1, 0, 2]) });
  const report = await ask(shared, rows, { targets: 't' });
  assert.ok(report.notes.some((n) => /also read by/.test(n)));
  assert.equal(report.headline.background_to_foreground_optimal_bias, undefined);
  const unwritten = await ask(shared, rows, { targets: 't', save: shop.at('no.onnx') });
  assert.deepEqual([unwritten.outcome, unwritten.reason?.code], ['unavailable', 'evidence/biases']);
});
