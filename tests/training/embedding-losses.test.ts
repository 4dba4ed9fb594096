import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int64 } from '../../src/base/tensor.ts';
import { losses } from '../../src/training/losses/index.ts';
import { hyperOf, modelOf, stepEmitter, tensorType } from '../../src/training/plan.ts';
import { float64, numbers, once } from './session.ts';
import { pick } from './subject.ts';

/** Mean loss, loss of each row and rows that are right, in float64; `own` are values that the loss trains beside the model. */
const measure = async (
  id: string,
  given: Record<string, unknown>,
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  own: Readonly<Record<string, readonly (readonly number[])[]>> = {},
) => {
  const loss = pick(losses, id, given);
  const blank = { name: '', inputs: [], outputs: [], nodes: [], initializers: new Map(), values: new Map() };
  const emit = stepEmitter(blank, new Set(), 'float64');
  const matrix = (all: readonly (readonly number[])[]) => float64([all.length, all[0].length], all.flat());
  const feeds = {
    e: matrix(rows),
    y: int64([labels.length], labels),
    ...Object.fromEntries(Object.entries(own).map(([k, v]) => [k, matrix(v)])),
  };
  emit.typed('e', tensorType('float64', ['N', rows[0].length]));
  emit.typed('y', tensorType('int64', ['N']));
  for (const [name, v] of Object.entries(own)) emit.typed(name, tensorType('float64', [v.length, v[0].length]));
  const { names, values } = hyperOf(emit, loss, 'loss', 'float64');
  const classes = own.proxies?.length ?? Math.max(...labels) + 1;
  const view = { own: Object.fromEntries(Object.keys(own).map((k) => [k, k])), given: {} };
  const { perExample, right = '' } = loss.part.build(emit, { ...view, logits: 'e', target: 'y', classes }, names, loss.chosen);
  const mean = emit.ReduceMean(perExample, { keepdims: 0 });
  const inputs = [...Object.keys(feeds), ...Object.keys(values)].map((name) => ({
    name,
    type: emit.type(name) ?? tensorType('float64', []),
  }));
  const outputs = [mean, perExample, right].map((name, i) => ({ name, type: tensorType('float64', i === 0 ? [] : ['N']) }));
  const out = await once(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, emit.graph('loss', inputs, outputs)), {
    ...feeds,
    ...values,
  });
  return { mean: numbers(out[mean])[0], each: numbers(out[perExample]), right: numbers(out[right]) };
};
const rows = [
  [1, 0.2],
  [0.9, -0.1],
  [0.1, 1],
  [-0.3, 0.8],
];
const labels = [0, 0, 1, 1];
/** The card prints seven digits. */
const near = (actual: number, wanted: number): void => assert.ok(Math.abs(actual - wanted) < 6e-8, `${actual} is not ${wanted}`);

const unit = rows.map((r) => r.map((x) => x / Math.hypot(...r)));
const cosine = (i: number, j: number): number => unit[i][0] * unit[j][0] + unit[i][1] * unit[j][1];
const distance = (i: number, j: number): number => Math.sqrt(2 - 2 * cosine(i, j));

test('contrastive and multi-similarity are those of the card', async () => {
  near((await measure('contrastive', {}, rows, labels)).mean, 0.3806358);
  const { mean, each, right } = await measure('multi-similarity', {}, rows, labels);
  near(mean, 0.1781478);
  near(each[0], 0.1697336);
  assert.deepEqual(right, [1, 1, 1, 1]);
});

test('a triplet is the farthest of the class and the nearest of another', async () => {
  const margin = 0.9;
  const { mean } = await measure('triplet', { margin }, rows, labels);
  const hinges = [0, 1, 2, 3].map((a) => {
    const others = [0, 1, 2, 3].filter((b) => b !== a);
    const farthest = Math.max(...others.filter((b) => labels[b] === labels[a]).map((b) => distance(a, b)));
    const nearest = Math.min(...others.filter((b) => labels[b] !== labels[a]).map((b) => distance(a, b)));
    return Math.max(0, margin + farthest - nearest);
  });
  assert.ok(hinges.some((h) => h > 0));
  near(mean, hinges.reduce((s, h) => s + h, 0) / 4);
});

test('proxy-anchor is its equation, with proxies of their own', async () => {
  const proxies = [
    [0.8, 0.1],
    [0.2, 0.5],
    [-1, -1],
  ];
  const points = proxies.map((p) => p.map((x) => x / Math.hypot(...p)));
  const s = (i: number, k: number): number => unit[i][0] * points[k][0] + unit[i][1] * points[k][1];
  const sum = (k: number, own: boolean, of: (s: number) => number): number =>
    labels.reduce((total, y, i) => total + ((y === k) === own ? Math.exp(of(s(i, k))) : 0), 0);
  const pull = [0, 1].map((k) => Math.log1p(sum(k, true, (c) => -4 * (c - 0.1))));
  const push = [0, 1, 2].map((k) => Math.log1p(sum(k, false, (c) => 4 * (c + 0.1))));
  const wanted = (pull[0] + pull[1]) / 2 + (push[0] + push[1] + push[2]) / 3;
  near((await measure('proxy-anchor', { alpha: 4 }, rows, labels, { proxies })).mean, wanted);
});

test('binomial deviance is that of the card', async () => {
  const plain = [
    [1, 0],
    [0, 2],
    [1, 1],
    [-1, 0],
  ];
  near((await measure('binomial-deviance', {}, plain, labels)).mean, 7.0842539);
});

/** Losses on pairs of the batch, without parameters of their own. */
const pairwise = ['contrastive', 'triplet', 'multi-similarity', 'binomial-deviance', 'n-pair'];

test('an N-pair loss is a softmax of the positive among the rows of other classes', async () => {
  const each = labels.map((y, a) => {
    const p = labels.findIndex((other, i) => i !== a && other === y);
    const others = labels.flatMap((other, n) => (other === y ? [] : [Math.exp(9 * cosine(a, n))]));
    const own = Math.exp(9 * cosine(a, p));
    return -Math.log(own / others.reduce((s, v) => s + v, own));
  });
  const found = await measure('n-pair', { scale: 3 }, rows, labels);
  near(found.mean, each.reduce((s, v) => s + v, 0) / 4);
  for (const [i, v] of each.entries()) near(found.each[i], v);
});

test('turning or lengthening all embeddings, or another order of the rows, changes nothing', async () => {
  const turned = rows.map(([x, y]) => [3 * (0.6 * x - 0.8 * y), 3 * (0.8 * x + 0.6 * y)]);
  const order = [2, 0, 3, 1];
  for (const id of pairwise) {
    const { mean } = await measure(id, {}, rows, labels);
    near((await measure(id, {}, turned, labels)).mean, mean);
    const mixed = await measure(
      id,
      {},
      order.map((i) => rows[i]),
      order.map((i) => labels[i]),
    );
    near(mixed.mean, mean);
  }
});

test('a batch without positive pairs has a finite loss', async () => {
  for (const id of pairwise) {
    const { mean } = await measure(id, {}, rows, [0, 1, 2, 3]);
    assert.ok(Number.isFinite(mean), id);
  }
});
