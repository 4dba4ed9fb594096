import assert from 'node:assert/strict';
import { test } from 'node:test';
import { methodIds } from '../../src/diagnostics/attribution/method-names.ts';
import { saliency } from '../../src/diagnostics/attribution/saliency.ts';
import { located } from '../../src/vscode/located.ts';
import { saliencyForm } from '../../src/vscode/methods.ts';

const { id, title, question, family, source, options } = saliency;
const form = saliencyForm({ diagnostics: [{ id, title, question, family, source, needs: [], needsModel: true, options }] });

test('the image tab offers every method under a heading, the default first, with options that exist', () => {
  assert.deepEqual(form.methods.map((m) => m.id).sort(), [...methodIds].sort());
  assert.equal(form.methods[0].id, 'integrated-gradients');
  const headings = form.methods.map(({ group }) => group);
  assert.ok(headings.every((heading) => heading !== ''));
  // Methods of one heading stand together.
  assert.equal(headings.filter((heading, k) => heading !== headings[k - 1]).length, new Set(headings).size);
  for (const name of [...form.always, ...form.methods.flatMap(({ reads }) => reads)]) assert.ok(name in form.options, name);
});

test('options that no method names are read by all; every other one is named', () => {
  assert.deepEqual(form.always, ['outputScale', 'againstClass']);
  assert.deepEqual(form.methods.find((m) => m.id === 'grad-cam')?.reads, ['layer']);
  assert.deepEqual(form.methods.find((m) => m.id === 'integrated-gradients')?.reads, ['baseline', 'steps', 'quadrature']);
});

test('every path of an entry is seen from its assay.json; names of arrays and classes stay', () => {
  const readers = [{ id: 'npz', title: 'npz', endings: ['.npz'] }];
  assert.deepEqual(
    located(
      '/w/assay.json',
      { path: 'a.csv', x: 'text', y: 'y.npz', labels: 'l.idx', preprocess: { scale: 2, tokenizer: 'v.json' } },
      readers,
    ),
    { path: '/w/a.csv', x: 'text', y: '/w/y.npz', labels: '/w/l.idx', preprocess: { scale: 2, tokenizer: '/w/v.json' } },
  );
  assert.deepEqual(located('/w/assay.json', { path: '/m.onnx', labels: ['a', 'b'] }), { path: '/m.onnx', labels: ['a', 'b'] });
});
