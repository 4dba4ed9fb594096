import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileOutline } from '../../../src/report/tasks.ts';
import { chooseSubject } from '../../../src/vscode/insight/choose.ts';
import { type Content, datasetsBeside, fits, picturePreparation } from '../../../src/vscode/insight/fitting.ts';
import { readSuite } from '../../../src/vscode/suite.ts';
import { scripted } from '../scripted-host.ts';

const model = (path: string, dtype: string, dims: readonly (number | string)[] | null): FileOutline => ({
  path,
  kind: 'model',
  inputs: [{ name: 'x', dtype, dims }],
  outputs: [],
});
const text: Content = { kind: 'text' };
const picture: Content = { kind: 'picture' };
const table: Content = { kind: 'table', columns: 31, words: false };

test('models take what their headers say: tokens, columns or pictures', () => {
  const takes = (dtype: string, dims: readonly (number | string)[] | null): boolean[] =>
    [text, table, { ...table, words: true }, picture].map((content) => fits(content, model('m', dtype, dims), {}));
  assert.deepEqual(takes('int64', ['N', 64]), [true, false, true, false]);
  assert.deepEqual(takes('float32', ['N', 30]), [false, true, true, false]);
  assert.deepEqual(takes('float32', ['N', 64]), [false, false, false, false]);
  assert.deepEqual(takes('float32', ['N', 3, 'H', 'W']), [false, true, true, true]);
  assert.deepEqual(takes('float32', ['N', 1, 28, 28]), [false, false, false, true]);
  assert.deepEqual(takes('float32', null), [true, true, true, true]);
  assert.equal(fits(text, { path: 'm', kind: 'unreadable', reason: 'broken' }, {}), false);
  assert.equal(fits(text, undefined, {}), true);
  assert.equal(fits(text, { ...model('m', 'float32', ['N', 3]), kind: 'model', inputs: [], outputs: [] }, {}), false);
});

test('pictures are prepared as those of their folder, of another, or by mean and standard deviation alone', () => {
  const folder = { path: '/w/images', preprocess: { mean: [0.5] } };
  const other = { path: '/w/others', preprocess: { mean: [0.1] } };
  const scaled = { path: '/w/digits.npz', preprocess: { scale: 0.0625 } };
  const plain = { path: '/w/x.npz', preprocess: { mean: [0.3] } };
  assert.deepEqual(picturePreparation('/w/others/a.png', [folder, other]), { path: '/w/others/a.png', preprocess: other.preprocess });
  assert.deepEqual(picturePreparation('/a.png', [scaled, folder]), { path: '/a.png', preprocess: folder.preprocess });
  assert.deepEqual(picturePreparation('/a.png', [scaled, plain]), { path: '/a.png', preprocess: plain.preprocess });
  assert.deepEqual(picturePreparation('/a.png', [scaled]), { path: '/a.png' });
});

const suites = [
  {
    path: '/w/assay.json',
    label: 'assay.json',
    ...readSuite(`{
      "models": { "sms": { "path": "sms.onnx" }, "cancer": { "path": "cancer.onnx" } },
      "datasets": { "cells": { "path": "cells.csv", "y": "kind" }, "messages": { "path": "m.csv", "preprocess": { "tokenizer": "v.json" } } },
      "checks": [{ "name": "c", "run": "reliability", "model": "sms", "data": "messages" }]
    }`),
  },
];
const outline = async (): Promise<readonly FileOutline[]> => [
  model('/w/sms.onnx', 'int64', ['N', 32]),
  model('/w/cancer.onnx', 'float32', ['N', 30]),
  model('/w/loose.onnx', 'float32', ['N', 3, 32, 32]),
  model('/w/free.onnx', 'float32', ['N', 10]),
];
const find = async (): Promise<readonly string[]> => ['/w/sms.onnx', '/w/loose.onnx', '/w/free.onnx'];

test('the only model that fits is taken without a question, with the data that tell how it is fed', async () => {
  assert.equal(datasetsBeside(suites[0], 'sms')[0].name, 'messages');
  const { host, asked } = scripted([], { find }, suites);
  const sms = await chooseSubject('T', text, '/w/note.txt', { host, outline });
  assert.deepEqual(sms, {
    name: 'sms',
    subject: { model: { path: '/w/sms.onnx' }, data: { path: '/w/m.csv', preprocess: { tokenizer: '/w/v.json' } } },
  });
  const seen = await chooseSubject('T', picture, '/w/a.png', { host, outline });
  assert.deepEqual(seen?.subject, { model: { path: '/w/loose.onnx' }, data: { path: '/w/a.png' } });
  assert.equal(asked.length, 0);
});

test('of several the user chooses; those with data of this file come first, and another may be named', async () => {
  const { host, asked } = scripted(['cancer'], { find }, suites);
  const chosen = await chooseSubject('T', table, '/w/cells.csv', { host, outline });
  assert.deepEqual(asked[0].labels, ['cancer', 'free.onnx', 'Another Model…']);
  assert.deepEqual(chosen?.subject.data, { path: '/w/cells.csv', y: 'kind' });
  const dismissed = scripted([null], { find }, suites);
  assert.equal(await chooseSubject('T', table, '/w/cells.csv', { host: dismissed.host, outline }), undefined);
});

test('where none fits, any model may be chosen at once', async () => {
  const { host, asked } = scripted(['Choose a model file…', '/e/own.onnx'], { find: async () => [] }, []);
  const chosen = await chooseSubject('T', text, '/w/note.txt', { host, outline: async () => [] });
  assert.deepEqual(chosen, { name: 'own.onnx', subject: { model: { path: '/e/own.onnx' }, data: { path: '' } } });
  assert.equal(asked.length, 1);
});
