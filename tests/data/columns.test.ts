import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { inputColumns, labelColumn, misfitLabels, stray } from '../../src/data/columns.ts';
import type { Dataset } from '../../src/data/define.ts';
import { labelReader } from '../../src/data/labels.ts';
import { openDataset } from '../../src/data/open.ts';
import { predictionsOf } from '../../src/data/predictions.ts';
import { memorySource } from '../../src/data/source.ts';

const table = (...lines: string[]): Promise<Dataset> =>
  openDataset(memorySource('t.csv', new TextEncoder().encode(`${lines.join('\n')}\n`)));
const input = { name: 'input', text: false };
const names = (dataset: Dataset, x?: string, label?: string): string[] => inputColumns(dataset, x, label, input).columns.map((c) => c.name);

test('inputs of a table: all numeric columns but the label, or as named', async () => {
  const t = await table('id,a,b1,b2,name,y', '0,1,2,3,u,1', '1,4,5,6,v,0');
  assert.equal(labelColumn(t, undefined), 'y');
  assert.deepEqual(names(t, undefined, 'y'), ['a', 'b1', 'b2']);
  assert.match(inputColumns(t, undefined, 'y', input).note ?? '', /without the label 'y' and without 'id'/);
  assert.deepEqual(names(t, 'b2, a', 'y'), ['b2', 'a']);
  assert.deepEqual(names(t, 'b\\d', 'y'), ['b1', 'b2']);
  assert.deepEqual(names(t, 'name', 'y'), ['name']);
  assert.throws(
    () => names(t, 'b3', 'y'),
    (e) => Fault.is(e, 'data/column') && /Did you mean 'b[12]'/.test(e.message),
  );
  assert.throws(() => names(t, 'a,bb', 'y'), /'bb'/);
  assert.throws(() => labelColumn(t, 'yy'), /Did you mean 'y'/);
});

test('text labels are numbered by given names, else alphabetically', async () => {
  const t = await table('a,label', '1,dog', '2,cat', '3,', '4,dog');
  const [column] = await t.slice(['label'], 0, 4);
  const found = await labelReader(t, t.columns[1], undefined);
  assert.deepEqual(
    [found.names, Array.from(found.read(column, [0, 1, 2, 3]))],
    [
      ['cat', 'dog'],
      [1, 0, Number.NaN, 1],
    ],
  );
  assert.match(found.notes.join(), /alphabetical/);
  const given = await labelReader(t, t.columns[1], ['dog', 'cat']);
  assert.deepEqual(Array.from(given.read(column, [0, 1, 2, 3])), [0, 1, Number.NaN, 0]);
  const strict = await labelReader(t, t.columns[1], ['dogs', 'cat']);
  assert.throws(
    () => strict.read(column, [5, 6, 7, 8]),
    (e) => Fault.is(e, 'data/class-name') && /Row 5 .*'dog'.*Did you mean 'dogs'/.test(e.message),
  );
});

test('labels that are numbers written as text are numbers; ten classes keep their order', async () => {
  const data = Array.from({ length: 12 }, (_, i) => String(i));
  const column = { name: 'y', dtype: 'string' as const, dims: [] };
  const tensor = { dtype: 'string' as const, dims: [12], data };
  const t: Dataset = { ...(await table('a', '1', '2')), length: 12, columns: [column], slice: async () => [tensor] };
  const reader = await labelReader(t, column, undefined);
  assert.deepEqual(Array.from(reader.read(tensor, [])), data.map(Number));
  assert.match(reader.notes.join(), /written as text/);
  const named = await labelReader(t, column, [...data].reverse());
  assert.deepEqual(Array.from(named.read(tensor, [])).slice(0, 2), [11, 10]);
});

test('a word among numbers is named with its line, not taken for a class or left out of the scores', async () => {
  const t = await table('x,y', '1,0', '2,1', '3,1', '4,?!');
  await assert.rejects(
    labelReader(t, t.columns[1], undefined),
    (e) => Fault.is(e, 'data/not-a-number') && /'y'.*line 5 holds '\?!'/.test(e.message),
  );
  assert.equal(stray(t, t.columns[0]), undefined);
  const scores = await table('label,prob_a,prob_b', '0,0.5,0.5', '1,0.5,oops');
  assert.throws(
    () => predictionsOf(scores, undefined, undefined),
    (e) => Fault.is(e, 'data/not-a-number') && /'prob_b'.*line 3/.test(e.message),
  );
  const commas = await table('label;prob_a;prob_b', '0;0,5;0,5', '1;0,25;0,75');
  assert.throws(() => predictionsOf(commas, undefined, undefined), /line 2 holds '0,5', and 1 more field is none; .*decimals take a point/);
  const one = await table('label,prob_a', '0,0.5');
  assert.throws(
    () => predictionsOf(one, undefined, undefined),
    (e) => Fault.is(e, 'data/one-probability') && /score=prob_a/.test(e.message),
  );
});

test('labels of another length, and arrays that cannot be read, are named rather than missed', async () => {
  const t = await table('x', '1', '2', '3');
  const y = { name: 'y', dtype: 'int64' as const, dims: [], length: 2 };
  assert.match(misfitLabels({ ...t, extras: [y] })?.message ?? '', /holds 2 labels, but the data have 3 rows/);
  assert.equal(misfitLabels({ ...t, extras: [{ ...y, dtype: 'string' }] }), undefined);
  const pickled = new Fault('data/pickled', { path: 't.npz', array: 'y' });
  assert.throws(() => labelColumn({ ...t, refused: new Map([['y', pickled]]) }, undefined), pickled);
  assert.equal(labelColumn({ ...(await table('label', '1')), refused: new Map([['y', pickled]]) }, undefined), 'label');
});

test('one-hot labels become classes; anything else is refused with its row', async () => {
  const column = { name: 'y', dtype: 'float64' as const, dims: [3] };
  const reader = await labelReader(await table('a', '1', '2'), column, undefined);
  const rows = { dtype: 'float64' as const, dims: [2, 3] };
  assert.deepEqual(Array.from(reader.read({ ...rows, data: Float64Array.of(0, 0, 1, 1, 0, 0) }, [0, 1])), [2, 0]);
  assert.throws(
    () => reader.read({ ...rows, data: Float64Array.of(0, 0, 1, 1, 0, 1) }, [4, 5]),
    (e) => Fault.is(e, 'data/one-hot') && /Row 5/.test(e.message),
  );
});

test('tables of predictions: probabilities, logits or one score, by name or by --columns', async () => {
  const t = await table('id,label,prob_a,prob_b,p1,p2,s', '0,a,0.2,0.8,1,2,0.4');
  const found = predictionsOf(t, undefined, undefined);
  assert.deepEqual(
    [found.scores, found.columns, found.classes, found.label, found.width],
    ['probabilities', ['prob_a', 'prob_b'], ['a', 'b'], 'label', 2],
  );
  const other = predictionsOf(t, 'logit=p(\\d),label=s', undefined);
  assert.deepEqual([other.scores, other.columns, other.classes, other.label], ['logits', ['p1', 'p2'], ['1', '2'], 's']);
  assert.deepEqual(predictionsOf(t, 'score=s', undefined).scores, 'score');
  const both = predictionsOf(await table('logit_0,prob_0,logit_1,prob_1,y', '1,0.5,1,0.5,0'), undefined, undefined);
  assert.deepEqual([both.scores, both.columns], ['logits', ['logit_0', 'logit_1']]);
  assert.match(both.notes.join(), /logits were used/);
  assert.throws(() => predictionsOf(t, 'probs=p.', undefined), /did you mean 'prob'/);
  assert.throws(() => predictionsOf(t, 'prob=q(', undefined), /regular expression/);
  assert.throws(
    () => predictionsOf(t, 'label=nothing', undefined),
    (e) => Fault.is(e, 'data/column'),
  );
  const none = await table('a,b', '1,2');
  assert.throws(
    () => predictionsOf(none, undefined, undefined),
    (e) => Fault.is(e, 'data/predictions') && /Give a model/.test(e.message),
  );
  const forecast = predictionsOf(await table('target,mean,variance', '1,2,3'), undefined, undefined);
  assert.deepEqual([forecast.scores, forecast.columns], ['values', ['mean', 'variance']]);
  const deep = { ...none, columns: [{ name: 'probs', dtype: 'float32', dims: [2, 2] }] } as Dataset;
  assert.throws(
    () => predictionsOf(deep, undefined, undefined),
    (e) => Fault.is(e, 'data/score-shape') && /'probs' .* holds 2 × 2 numbers a row/.test(e.message),
  );
});
