import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { numbersOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import type { Model } from '../../src/graph/types.ts';
import { once } from './session.ts';
import { digitsData, workshop } from './workshop.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const saved = (path: string): Model => parse(readFileSync(path), path);
const few = { batch: 32, split: { val: 0.1 }, optimizer: { kind: 'adam', lr: 3e-3 }, loss: 'cross-entropy' } as const;

const digits = { ...few, data: digitsData, steps: 60 };
const images: Readonly<
  Record<string, { readonly arch: object; readonly loss?: string; readonly head?: object; readonly lr?: number; readonly accuracy: number }>
> = {
  linear: { arch: { kind: 'linear' }, accuracy: 0.8 },
  resnet: { arch: { kind: 'resnet', depth: 8, width: 8, input: [1, 8, 8] }, accuracy: 0.8 },
  'vit-tiny': {
    arch: { kind: 'vit-tiny', patch: 2, width: 16, depth: 1, heads: 2, hidden: 32, pool: 'mean', input: [1, 8, 8] },
    lr: 1e-2,
    accuracy: 0.15,
  },
  capsule: { arch: { kind: 'capsule', channels: '8', primaryCapsules: 16, input: [1, 8, 8] }, loss: 'margin', accuracy: 0.5 },
  'capsule head': { arch: { kind: 'mlp', hidden: '64' }, head: { kind: 'capsule', primaryCapsules: 16 }, loss: 'margin', accuracy: 0.5 },
};
for (const [name, { accuracy, lr = 3e-3, ...own }] of Object.entries(images)) {
  test(`${name}: 60 steps on the digits learn them, and the saved model answers alike`, async () => {
    const shop = workshop();
    const { report } = await shop.run({ ...digits, optimizer: { kind: 'adam', lr }, ...own });
    assert.ok(report.headline.test_accuracy > accuracy, `test accuracy ${report.headline.test_accuracy}`);
    const model = saved(shop.at('out.onnx'));
    const row = name === 'linear' || name === 'capsule head' ? [64] : [1, 8, 8];
    const { logits } = await once(model, { x: float32([2, ...row], new Float32Array(128).fill(0.5)) });
    assert.deepEqual(logits.dims, [2, 10]);
  });
}

test('text-transformer: a column of text by a vocabulary, and token ids that are there already', async () => {
  const shop = workshop();
  const words = ['win', 'cash', 'prize', 'home', 'dinner', 'love'];
  const chance = random(0, 'messages');
  const lines = Array.from({ length: 240 }, (_, i) => {
    const pick = (from: number): string => words[from + Math.floor(3 * chance.next())];
    const spam = i % 2;
    return `"${pick(spam ? 0 : 3)} ${pick(spam ? 0 : 3)}${i % 3 === 0 ? ' and more' : ''}",${spam ? 'spam' : 'ham'}`;
  });
  shop.text('messages.csv', `text,label\n${lines.join('\n')}\n`);
  shop.text('vocab.json', JSON.stringify({ vocab: ['<pad>', '<unk>', ...words], length: 6 }));
  const arch = { kind: 'text-transformer', width: 16, depth: 1, heads: 2, hidden: 16 };
  const { report } = await shop.run({
    ...few,
    arch,
    data: { train: { path: 'messages.csv', preprocess: { tokenizer: 'vocab.json' } } },
    steps: 40,
  });
  assert.equal(report.headline.validation_accuracy ?? report.headline.val_accuracy, 1);
  const model = saved(shop.at('out.onnx'));
  assert.deepEqual(model.graph.initializers.get('embedding')?.dims, [8, 16]);
  const { logits } = await once(model, { x: int64([2, 6], [2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) });
  assert.ok(Array.from(logits.data as Float32Array).every(Number.isFinite));

  const ids = shop.arrays('ids.npz', {
    x: int64(
      [8, 3],
      Array.from({ length: 24 }, (_, i) => i % 5),
    ),
    y: int64([8], [0, 1, 0, 1, 0, 1, 0, 1]),
  });
  const recipe = { ...few, batch: 4, split: { val: 0 }, arch, data: { train: ids }, steps: 2 };
  await shop.run(recipe, { force: true });
  assert.deepEqual(saved(shop.at('out.onnx')).graph.initializers.get('embedding')?.dims, [5, 16]);
  await assert.rejects(
    shop.run({ ...recipe, arch: { ...arch, vocabulary: 4 } }, { force: true }),
    (e) => Fault.is(e, 'training/token') && e.detail.token === 4,
  );
});

test('mil-attention: bags of which some instances count, in any order', async () => {
  const shop = workshop();
  const chance = random(0, 'bags');
  const [count, size, width] = [160, 8, 5];
  const x = new Float32Array(count * size * width);
  const y = Array.from({ length: count }, (_, i) => i % 2);
  for (let b = 0; b < count; b++) {
    const own = 4 + (b % 5);
    for (let i = 0; i < own; i++)
      for (let d = 0; d < width; d++) x[(b * size + i) * width + d] = chance.normal() + (i === b % own && y[b] === 1 && d === 0 ? 5 : 0);
  }
  const data = shop.arrays('bags.npz', { x: float32([count, size, width], x), y: int64([count], y) });
  const { report } = await shop.run({
    ...few,
    batch: 16,
    arch: { kind: 'mil-attention', features: 16, attention: 8 },
    data: { train: data },
    steps: 120,
  });
  assert.ok((report.headline.validation_accuracy ?? report.headline.val_accuracy) > 0.8, JSON.stringify(report.headline));
  const model = saved(shop.at('out.onnx'));
  const answer = async (rows: readonly number[]): Promise<number[]> => {
    const bag = rows.flatMap((i) => (i < 0 ? new Array(width).fill(0) : Array.from(x.subarray(i * width, (i + 1) * width))));
    const { logits } = await once(model, { x: float32([1, rows.length, width], bag) });
    return Array.from(logits.data as Float32Array);
  };
  const [plain, turned] = [await answer([0, 1, 2, 3, -1, -1, -1, -1]), await answer([3, -1, 1, 0, -1, 2, -1, -1])];
  // Padding and order change nothing but the order of sums.
  for (const [c, v] of plain.entries()) assert.ok(Math.abs(v - turned[c]) < 1e-6);
});

test('an instance table becomes bags by data.bagKey, its rows in any order', async () => {
  const shop = workshop();
  const chance = random(1, 'instances');
  const rows: { bag: number; values: number[]; label: number }[] = [];
  for (let b = 0; b < 80; b++)
    for (let i = 0; i < 3 + (b % 4); i++)
      rows.push({ bag: b, values: [chance.normal() + (i === 0 && b % 2 ? 5 : 0), chance.normal()], label: b % 2 });
  chance.shuffle(rows);
  const line = ({ bag, values, label }: (typeof rows)[number]): string => `slide${bag},${values.join(',')},${label}`;
  shop.text('table.csv', `slide,a,b,label\n${rows.map(line).join('\n')}\n`);
  const recipe = {
    ...few,
    batch: 8,
    arch: { kind: 'mil-attention', features: 16, attention: 8 },
    data: { train: 'table.csv', bagKey: 'slide' },
    steps: 150,
  };
  const { report, notes } = await shop.run(recipe);
  assert.ok(
    notes.some((n) => /80 bags of 3 to 6 instances, filled up to 6/.test(n)),
    notes.join(),
  );
  assert.ok(report.headline.validation_accuracy > 0.8, JSON.stringify(report.headline));
  const type = saved(shop.at('out.onnx')).graph.inputs[0].type;
  assert.ok(type?.kind === 'tensor');
  assert.deepEqual(type.dims?.slice(1), [6, 2]);
  // The same instances as an array are the same bags.
  shop.arrays('table.npz', {
    x: float32(
      [rows.length, 2],
      rows.flatMap((r) => r.values),
    ),
    y: int64(
      [rows.length],
      rows.map((r) => r.label),
    ),
    slide: int64(
      [rows.length],
      rows.map((r) => r.bag),
    ),
  });
  const again = await shop.run({ ...recipe, data: { train: 'table.npz', bagKey: 'slide' } }, { force: true });
  assert.equal(again.report.headline.train_loss, report.headline.train_loss);

  const refused = (
    text: string,
    more: object,
    code: 'data/bag-label' | 'data/bag-missing' | 'data/bag-size' | 'data/column' | 'training/recipe',
  ) => {
    shop.text('bad.csv', text);
    return assert.rejects(shop.run({ ...recipe, data: { train: 'bad.csv', bagKey: 'slide' }, ...more }, { force: true }), (e) =>
      Fault.is(e, code),
    );
  };
  await refused('slide,a,label\nu,1,0\nu,2,1\n', {}, 'data/bag-label');
  await refused('slide,a,label\nu,1,0\n,2,1\n', {}, 'data/bag-missing');
  await refused('slide,a,label\nu,1,0\nu,2,0\nv,2,1\n', { arch: { kind: 'mil-attention', input: [1, 1] } }, 'data/bag-size');
  await refused('slide,a,label\nu,1,0\n', { data: { train: 'bad.csv', bagKey: 'slides' } }, 'data/column');
  await refused(
    'slide,a,label\nu,1,0\n',
    { data: { train: { path: 'bad.csv', preprocess: { mean: [1] } }, bagKey: 'slide' } },
    'training/recipe',
  );
});

test('architectures say what does not fit them', async () => {
  const shop = workshop();
  const refused = (arch: object, code: 'training/architecture' | 'option/value', words: RegExp) =>
    assert.rejects(shop.run({ ...digits, arch, steps: 1 }), (e) => Fault.is(e, code) && words.test(e.message));
  await refused(
    { kind: 'resnet' },
    'training/architecture',
    /channels × height × width, not \[64\]; if .* with "input": \[1, 8, 8\] in arch/,
  );
  await refused({ kind: 'resnet', depth: 10, input: [1, 8, 8] }, 'option/value', /6k \+ 2, such as 8/);
  await refused(
    { kind: 'vit-tiny', patch: 3, input: [1, 8, 8] },
    'training/architecture',
    /patches of 3 × 3 do not divide images of 8 × 8/,
  );
  await refused(
    { kind: 'vit-tiny', patch: 4, heads: 5, input: [1, 8, 8] },
    'training/architecture',
    /5 heads do not divide its width of 192/,
  );
  await refused({ kind: 'mil-attention' }, 'training/architecture', /instances × features, not \[64\]/);
  await refused({ kind: 'capsule', channels: '4' }, 'training/architecture', /channels × height × width/);
});

test('class weights of the inverse frequency are those numbers', async () => {
  const shop = workshop();
  const y = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const x = float32(
    [40, 3],
    Array.from({ length: 120 }, (_, i) => Math.sin(i)),
  );
  const data = shop.arrays('d.npz', { x, y: int64([40], y) });
  const run = async (classWeights: string): Promise<number[]> => {
    const recipe = {
      ...few,
      arch: 'linear',
      data: { train: data },
      split: { val: 0 },
      batch: 'full',
      steps: 3,
      loss: { kind: 'cross-entropy', classWeights },
    };
    await shop.run(recipe, { force: true });
    const found = saved(shop.at('out.onnx')).graph.initializers.get('fc.weight');
    return found ? Array.from(numbersOf(found)) : [];
  };
  // 40/(2·30) and 40/(2·10).
  assert.deepEqual(await run('inverse-frequency'), await run(`${40 / 60},2`));
  const absent = shop.arrays('absent.npz', {
    x,
    y: int64(
      [40],
      y.map((v) => 2 * v),
    ),
  });
  await assert.rejects(
    shop.run(
      { ...few, arch: 'linear', data: { train: absent }, split: { val: 0 }, loss: { kind: 'margin', classWeights: 'inverse-frequency' } },
      { force: true },
    ),
    (e) => Fault.is(e, 'training/class-weight') && e.detail.class === 1,
  );
});

test('a ResNet of another tool is fine-tuned whole or by layer pattern, its batch statistics with the layers that are trained', async () => {
  const shop = workshop();
  const chance = random(0, 'pictures');
  const count = 32;
  const x = Float32Array.from({ length: count * 3 * 32 * 32 }, () => chance.next());
  const data = shop.arrays('pictures.npz', {
    x: float32([count, 3, 32, 32], x),
    y: int64(
      [count],
      Array.from({ length: count }, (_, i) => i % 10),
    ),
  });
  const file = fixture('models/resnet8_cifar10.raw.onnx');
  const before = saved(file).graph.initializers;
  /** Stored values that a run changes. */
  const moved = async (more: object): Promise<string[]> => {
    const recipe = { model: file, ...few, batch: 16, split: { val: 0 }, data: { train: data }, steps: 3, ...more };
    await shop.run(recipe, { force: true });
    const after = saved(shop.at('out.onnx')).graph.initializers;
    assert.deepEqual([...after.keys()].toSorted(), [...before.keys()].toSorted());
    return [...before].flatMap(([name, c]) => {
      const now = after.get(name);
      assert.ok(now);
      return numbersOf(c).every((v, i) => v === numbersOf(now)[i]) ? [] : [name];
    });
  };
  const all = [...before.keys()];
  const inScale = (name: string): boolean => name !== 'mean' && name !== 'std';
  assert.deepEqual(await moved({}), all.filter(inScale));
  const last = all.filter((name) => name.startsWith('blocks.2.') || name.startsWith('fc.'));
  assert.deepEqual(await moved({ trainable: ['blocks.2.*', 'fc.*'] }), last);
  // With the stored statistics, or where no normalisation is trained, running means stay.
  assert.deepEqual(
    await moved({ trainable: ['blocks.2.*', 'fc.*'], statistics: 'stored' }),
    last.filter((name) => !name.includes('running')),
  );
  await assert.rejects(moved({ trainable: ['block.2.*'] }), (e) => Fault.is(e, 'training/parameter'));
});
