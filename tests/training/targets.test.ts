import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { trainWithin } from '../../src/app/train.ts';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { workshop } from './workshop.ts';

const rows = 200;
const draw = random(7, 'targets');
const x = float32(
  [rows, 3],
  Array.from({ length: rows * 3 }, () => 2 * draw.next() - 1),
);
const at = (i: number, k: number): number => Number(x.data[3 * i + k]);
const each = <T>(of: (i: number) => T): T[] => Array.from({ length: rows }, (_, i) => of(i));
const common = { arch: { kind: 'mlp', hidden: '' }, optimizer: { kind: 'adam', lr: 0.05 }, epochs: 30, split: { val: 0.2 } };

test('one score: labels of 0 and 1 train a single output', async () => {
  const { run, arrays } = workshop();
  const data = {
    train: arrays('one.npz', {
      x,
      y: int64(
        [rows],
        each((i) => Number(at(i, 0) + at(i, 1) > 0)),
      ),
    }),
  };
  const { report } = await run({ ...common, data, loss: 'binary-cross-entropy' });
  // 3 weights and a bias: the rows are separable by a plane through them.
  assert.equal(report.headline.parameters, 4);
  assert.ok(report.headline.validation_accuracy >= 0.9, `${report.headline.validation_accuracy}`);
});

test('several labels: an array of 0 and 1 trains an output for each, streamed as resident', async () => {
  const marks = each((i) => [Number(at(i, 0) > 0), Number(at(i, 1) + at(i, 2) > 0)]).flat();
  const [a, b] = [workshop(), workshop()];
  const path = a.arrays('several.npz', { x, y: int64([rows, 2], marks) });
  const recipe = { ...common, data: { train: path, labelKey: 'y' }, loss: 'binary-cross-entropy' };
  const [first, second] = [await a.run(recipe), await b.run(recipe, { use: trainWithin(0) })];
  assert.equal(first.report.headline.parameters, 8);
  assert.ok(first.report.headline.validation_accuracy >= 0.9, `${first.report.headline.validation_accuracy}`);
  assert.deepEqual(readFileSync(first.out), readFileSync(second.out));
});

test('several labels may be columns of a table', async () => {
  const { run, at: file } = workshop();
  const lines = each((i) => [at(i, 0), at(i, 1), at(i, 2), Number(at(i, 0) > 0), Number(at(i, 1) > 0)].join(','));
  writeFileSync(file('several.csv'), ['a,b,c,label_left,label_up', ...lines].join('\n'));
  const { report } = await run({ ...common, data: { train: file('several.csv') }, loss: 'binary-cross-entropy' });
  assert.equal(report.headline.parameters, 8);
  assert.ok(report.headline.validation_accuracy >= 0.9, `${report.headline.validation_accuracy}`);
});

test('distillation brings a student to the logits of its teacher, which the data hold', async () => {
  const { run, arrays } = workshop();
  const logits = each((i) => [2 * at(i, 0), at(i, 1) - at(i, 2), 0.5]).flat();
  const path = arrays('taught.npz', { x, teacher: float32([rows, 3], logits) });
  const { report } = await run({ ...common, epochs: 60, data: { train: { path, x: 'x', y: 'teacher' } }, loss: 'kl-distillation' });
  // The teacher is linear, so a linear student can agree with it.
  assert.ok(report.headline.validation_loss < 1e-4, `${report.headline.validation_loss}`);
  assert.equal(report.headline.validation_accuracy, undefined);
});

test('labels that a loss cannot read are refused by row and width', async () => {
  const { run, arrays, model } = workshop();
  const three = arrays('three.npz', {
    x,
    y: int64(
      [rows],
      each((i) => i % 3),
    ),
  });
  const refused = (recipe: object, code: Parameters<typeof Fault.is>[1], word: RegExp) =>
    assert.rejects(run({ ...common, ...recipe }), (e) => Fault.is(e, code) && word.test(e.message));
  await refused({ data: { train: three }, loss: 'binary-cross-entropy' }, 'training/mark', /Row 2 .*label 2/);
  const two = arrays('two.npz', { x, y: int64([rows, 2], each((i) => [i % 2, 1]).flat()) });
  const holes = each((i) => [i === 3 ? Number.NaN : 1, 0]).flat();
  const taught = arrays('holes.npz', { x, t: float32([rows, 2], holes) });
  await refused({ data: { train: { path: taught, x: 'x', y: 't' } }, loss: 'kl-distillation' }, 'data/label-missing', /3/);
  await refused(
    { data: { train: taught }, loss: 'kl-distillation' },
    'training/unscored',
    /array \[rows, numbers\] with the teacher's logits, one for each class.*name it with y, or as columns label_….* It has: x, t\./,
  );
  await refused({ data: { train: three }, loss: 'kl-distillation' }, 'training/unscored', /three\.npz.* It has: x, y\./);
  await refused({ data: { train: three }, loss: 'detection' }, 'training/unscored', /0 or 1 for each class, then the numbers/);
  const wide = model('wide.onnx', ['N', 3], ['N', 3], (emit) =>
    emit.Mul('x', emit.constant({ dtype: 'float32', dims: [3], bytes: new Uint8Array(12) })),
  );
  const ofModel = { arch: undefined, model: wide, data: { train: two, labelKey: 'y' }, loss: 'binary-cross-entropy' };
  await refused(ofModel, 'training/label-width', /2 numbers .*predicts 3/);
});
