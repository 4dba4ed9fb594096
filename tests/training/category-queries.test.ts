import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gradients } from '../../src/autodiff/reverse.ts';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { constantOf, numbersOf } from '../../src/graph/constant.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { selectedOf } from '../../src/training/heads/category-queries.ts';
import { categoryTree, mixingShare } from '../../src/training/heads/category-tree.ts';
import { heads } from '../../src/training/heads/index.ts';
import { asymmetricSelection, plainSelection } from '../../src/training/heads/selection-loss.ts';
import { losses } from '../../src/training/losses/index.ts';
import { modelOf, tensorType } from '../../src/training/plan.ts';
import { float64, numbers, once } from './session.ts';
import { pick } from './subject.ts';
import { digitsData, workshop } from './workshop.ts';

const near = (actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void => {
  assert.equal(actual.length, wanted.length);
  for (let i = 0; i < wanted.length; i++)
    assert.ok(Math.abs(actual[i] - wanted[i]) <= tolerance, `at ${i}: ${actual[i]} is not ${wanted[i]}`);
};

/** A sum over rows and its gradient at `by`, in float64; values are rows of five numbers. */
const measured = async (
  given: Readonly<Record<string, readonly number[]>>,
  by: string,
  build: (emit: Emit) => string,
  labels: readonly number[] = [0],
) => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  for (const name of Object.keys(given)) emit.typed(name, tensorType('float64', ['N', 5]));
  emit.typed('y', tensorType('int64', ['N']));
  const total = emit.ReduceSum(build(emit), { keepdims: 0 });
  const gradient = gradients(emit, total, [by]).get(by) ?? '';
  const inputs = [...Object.keys(given), 'y'].map((name) => ({ name, type: emit.type(name) ?? tensorType('float64', []) }));
  const outputs = [total, gradient].map((name, i) => ({ name, type: tensorType('float64', i ? ['N', 5] : []) }));
  const feeds = Object.fromEntries(Object.entries(given).map(([name, v]) => [name, float64([labels.length, 5], v)]));
  const graph = emit.graph('g', inputs, outputs);
  const out = await once(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph), { ...feeds, y: int64([labels.length], labels) });
  return { total: numbers(out[total])[0], gradient: numbers(out[gradient]) };
};

const z = [2, 1, 0.5, -1, -3];
const first = [1, 0, 0, 0, 0];

/** The loss of a row with what a head gives, if it does. */
const focal = (emit: Emit, given: Readonly<Record<string, string>>, logits: string, forced: number): string => {
  const { part, chosen } = pick(losses, 'sigmoid-focal');
  const hyper = { alpha: emit.scalar(0.25), gamma: emit.scalar(2), force: emit.scalar(0.2), forced: emit.scalar(forced) };
  return part.build(emit, { own: {}, given, logits, target: 'y', classes: 5 }, hyper, chosen).perExample;
};

test('focal loss of one sigmoid a class is that of the card', async () => {
  const { total, gradient } = await measured({ z }, 'z', (emit) => focal(emit, {}, 'z', 0));
  near([total], [0.8269863], 6e-8);
  // The card prints eight decimals, some of them cut off.
  near(gradient, [-0.00121774, 0.57617604, 0.39461386, 0.03943585, 0.00023615], 1e-8);
});

test('asymmetric loss of the card; the plain one is cross-entropy of every class', async () => {
  const { total, gradient } = await measured({ z, y1: first }, 'z', (emit) =>
    asymmetricSelection(emit, 'z', 'y1', undefined, { gamma: 7, clip: 0.05 }),
  );
  near([total], [0.221721], 6e-8);
  near(gradient, [-0.1192029, 0.0418977, 0.0110741, 6.07e-6, 0], 6e-8);
  const plain = await measured({ z, y1: first }, 'z', (emit) => plainSelection(emit, 'z', 'y1'));
  const p = z.map((v) => 1 / (1 + Math.exp(-v)));
  near([plain.total], [-Math.log(p[0]) - p.slice(1).reduce((s, q) => s + Math.log(1 - q), 0)], 1e-12);
  near(
    plain.gradient,
    p.map((q, c) => q - first[c]),
    1e-12,
  );
  const skipped = await measured({ z, y1: first, s: [0, 1, 0, 0, 0] }, 'z', (emit) =>
    asymmetricSelection(emit, 'z', 'y1', 's', { gamma: 7, clip: 0.05 }),
  );
  near(
    skipped.gradient,
    gradient.map((g, c) => (c === 1 ? 0 : g)),
    1e-15,
  );
});

test('classes that were not selected have exactly no gradient; the own one has when it is forced', async () => {
  const logits = [-1000, 1, 0.5, -1000, -1000];
  const given = { selection: 'logits', scores: 'z' };
  const free = await measured({ z, logits }, 'z', (emit) => focal(emit, given, 'logits', 0));
  assert.deepEqual(
    [0, 3, 4].map((c) => free.gradient[c]),
    [0, 0, 0],
  );
  near(free.gradient.slice(1, 3), [0.57617604, 0.39461386], 1e-8);
  const forced = await measured({ z, logits }, 'z', (emit) => focal(emit, given, 'logits', 1));
  near(forced.gradient, [-0.00121774, 0.57617604, 0.39461386, 0, 0], 1e-8);
  const { part, chosen } = pick(losses, 'sigmoid-focal');
  const at = (t: number): number | undefined => part.scheduled?.forced({ t, total: 10, lr: 1 }, chosen);
  assert.deepEqual([0, 1, 2, 9].map(at), [1, 1, 0, 0]);
});

test('the selection weighs 0.1, or 1 with a tree, unless the recipe says; its sum over rows is that of the card', async () => {
  const y1 = [0, 2].map((y) => z.map((_, c) => Number(c === y)));
  const plain = await measured({ z: [...z, ...z], y1: y1.flat() }, 'z', (emit) => plainSelection(emit, 'z', 'y1'), [0, 2]);
  const tree = await measured(
    { z: [...z, ...z], y1: y1.flat() },
    'z',
    (emit) => asymmetricSelection(emit, 'z', 'y1', undefined, { gamma: 7, clip: 0.05 }),
    [0, 2],
  );
  // A tree without edges mixes nothing and has no ancestors.
  const eye = (emit: Emit): string =>
    emit.constant(
      constantOf(
        'float64',
        [5, 5],
        Array.from({ length: 25 }, (_, i) => Number(i % 6 === 0)),
      ),
    );
  for (const [selectionWeight, mixed, weight] of [
    [-1, false, 0.1],
    [-1, true, 1],
    [0.5, false, 0.5],
    [0.5, true, 0.5],
  ] as const) {
    for (const selectionReduction of ['sum', 'mean']) {
      const { part, chosen } = pick(heads, 'category-queries', { selectionWeight, selectionReduction });
      const term = (emit: Emit): string => {
        const given = { selection: 'z', ...(mixed ? { mixing: eye(emit) } : {}) };
        const hyper = { selectionWeight: emit.scalar(selectionWeight) };
        return part.term?.(emit, { own: {}, given, logits: 'z', target: 'y', classes: 5 }, hyper, chosen) ?? '';
      };
      // The trainer takes the mean of what has rows: its sum is measured here.
      const { total } = await measured({ z: [...z, ...z] }, 'z', term, [0, 2]);
      near([total], [weight * (mixed ? tree : plain).total], 1e-12);
    }
  }
  const rank = (selectionReduction: string): number | undefined => {
    const { part, chosen } = pick(heads, 'category-queries', { selectionReduction });
    const emit = emitter({});
    emit.typed('z', tensorType('float32', ['N', 5]));
    emit.typed('y', tensorType('int64', ['N']));
    const input = { own: {}, given: { selection: 'z' }, logits: 'z', target: 'y', classes: 5 };
    return emit.type(part.term?.(emit, input, { selectionWeight: emit.scalar(1) }, chosen) ?? '')?.dims?.length;
  };
  assert.deepEqual([rank('sum'), rank('mean')], [0, 1]);
});

test('as many are selected as the card says', () => {
  for (const [classes, k] of [
    [10, 5],
    [60, 30],
    [100, 30],
    [150, 75],
    [1203, 100],
    [3, 1],
  ])
    assert.equal(selectedOf(0, classes), k);
  assert.equal(selectedOf(40, 10), 10);
});

test('shares of a tree, and its mixing from the deepest level up', () => {
  near([mixingShare(2, 13204), mixingShare(10, 13204), mixingShare(13204, 13204)], [0.4584415, 0.5047553, 0.8], 5e-8);
  // 0 ← 1, 2; 1 ← 3, 4.
  const mixing = categoryTree('child,parent\n1,0\n2,0\n3,1\n4,1\n', 't.csv', 5);
  const [inner, root] = [mixingShare(2, 4), mixingShare(4, 4)];
  const one = [0, 1 - inner, 0, inner / 2, inner / 2];
  near(mixing.subarray(5, 10), one, 1e-15);
  near(mixing.subarray(0, 5), [1 - root, ...[1, 2, 3, 4].map((k) => (root * (one[k] + Number(k === 2))) / 2)], 1e-15);
  // Above 0 downwards alone.
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((n) => mixing[5 * n + 3] > 0),
    [true, true, false, true, false],
  );
});

test('a tree with cycles, unknown classes or two parents is refused', () => {
  const refused = (text: string, words: RegExp): void =>
    assert.throws(
      () => categoryTree(text, 't.csv', 3),
      (e) => Fault.is(e, 'option/value') && words.test(e.message),
    );
  refused('0,1\n1,0\n', /class 0 lies on a cycle/);
  refused('0,1\n1,cat\n2,9\n', /it names cat, 9/);
  refused('0,1\n0,2\n', /class 0 has the parents 1 and 2/);
  refused('0,1,2\n', /line 1 is '0,1,2'/);
});

const recipe = {
  arch: { kind: 'mlp', hidden: '16' },
  data: digitsData,
  split: { val: 0 },
  loss: 'sigmoid-focal',
  head: { kind: 'category-queries', dim: 16, heads: 4, layers: 1, select: 4, deviation: 1 },
  optimizer: { kind: 'adamw', lr: 2e-3 },
  batch: 32,
  epochs: 1,
};
const stored = (path: string, name: string): number[] => {
  const c = parse(readFileSync(path), 'm').graph.initializers.get(name);
  assert.ok(c, name);
  return numbersOf(c);
};

test('a run scores as many classes as are selected, trains the selection, and begins at one in a hundred', async () => {
  const shop = workshop();
  const { out, notes, report } = await shop.run(recipe);
  assert.ok(!notes.some((n) => /no gradient reaches them/.test(n)));
  assert.ok(report.cards.some((c) => c.title === 'Rows whose class was not selected'));
  const still = await shop.run({ ...recipe, optimizer: { kind: 'sgd', lr: 0 } }, { out: shop.at('still.onnx') });
  near(stored(still.out, 'head.prior'), [-4.5951199], 1e-6);
  assert.notDeepEqual(stored(out, 'head.fit.weight'), stored(still.out, 'head.fit.weight'));
  const model = parse(readFileSync(out), 'm');
  const chance = random(0, 'rows');
  const rows = float32(
    [8, 64],
    Array.from({ length: 512 }, () => chance.next()),
  );
  const scores = numbers((await once(model, { x: rows }))[model.graph.outputs[0].name]);
  const found = report.cards.find((c) => c.title === 'Selection of classes');
  assert.ok(found?.kind === 'number');
  const value = (name: string): number => Number(found.values.find((v) => v.name === name)?.value);
  assert.deepEqual(['selected_classes', 'negatives_before', 'negatives_after'].map(value), [4, 9, 3]);
  assert.ok(Math.abs(value('selection_accuracy') - report.headline.test_accuracy) < 1e-12);
  const bars = report.cards.find((c) => c.title === 'Selection by frequency of the class');
  assert.ok(bars?.kind === 'bars' && bars.categories?.join() === 'frequent (10)');
  // A row that is right has its class selected; those that are not are marked.
  const [recall, right] = bars.series.map((s) => Number(s.values[0]));
  assert.ok(recall >= right && recall === value('selection_recall') && recall < 1);
  assert.equal(bars.series[0].selections?.[0]?.total, Math.round((1 - recall) * 359));
  for (let i = 0; i < 8; i++) assert.equal(scores.slice(10 * i, 10 * i + 10).filter((v) => v > -500).length, 4);
  const whole = await shop.run({ ...recipe, head: { ...recipe.head, select: 10 } }, { out: shop.at('whole.onnx') });
  assert.ok(whole.notes.some((n) => /none is left out/.test(n)));
  const all = parse(readFileSync(whole.out), 'm');
  assert.ok(numbers((await once(all, { x: rows }))[all.graph.outputs[0].name]).every((v) => v > -500));
});

test('embeddings, a tree and places of a feature map are read', async () => {
  const shop = workshop();
  const first = Array.from({ length: 10 * 6 }, (_, i) => Math.sin(i));
  shop.arrays('names.npz', { embeddings: float32([10, 6], first) });
  shop.text('tree.csv', '1,0\n2,0\n3,1\n4,1\n');
  const head = { ...recipe.head, embeddings: 'names.npz', hierarchy: 'tree.csv', channels: 4 };
  const { out, report } = await shop.run({ ...recipe, head, optimizer: { kind: 'sgd', lr: 0 } });
  near(stored(out, 'head.queries'), first, 1e-6);
  assert.equal(report.outcome, 'measured');
  assert.equal(stored(out, 'head.mixing').length, 100);
  const trained = await shop.run({ ...recipe, head }, { out: shop.at('trained.onnx') });
  assert.ok(Number.isFinite(trained.report.headline.train_loss ?? trained.report.headline.test_loss));
});

test('what does not fit is refused', async () => {
  const shop = workshop();
  const refused = async (head: Record<string, unknown>, words: RegExp, more: Record<string, unknown> = {}): Promise<void> => {
    await assert.rejects(
      shop.run({ ...recipe, head: { ...recipe.head, ...head }, ...more }),
      (e) => e instanceof Fault && words.test(e.message),
    );
  };
  shop.arrays('few.npz', { e: float32([3, 2], [1, 2, 3, 4, 5, 6]) });
  await refused({ embeddings: 'few.npz' }, /10 rows, one for each class; it has 3/);
  await refused({ heads: 5 }, /a divisor of the width, 16/);
  await refused({ channels: 5 }, /a divisor of the 16 features/);
  shop.text('wrong.csv', '1,0\n2,12\n');
  await refused({ hierarchy: 'wrong.csv' }, /it names 12/);
  const values = shop.text('v.csv', 'a,b,label\n1,2,0.5\n2,1,1.5\n3,3,2\n');
  await refused({}, /needs classes/, { loss: 'mse', data: { train: { path: values } }, batch: 2 });
});
