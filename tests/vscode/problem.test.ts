import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { problemOf } from '../../src/vscode/problem.ts';

test('stopping is no problem', () => assert.equal(problemOf(new Fault('job/stopped', {})), undefined));

test('a text file at fault can be opened, a binary one replaced by another', () => {
  const recipe = new Fault('training/recipe', { path: '/w/a.train.json', where: 'epochs', reason: 'is negative' });
  assert.deepEqual(problemOf(recipe), { sentence: recipe.message, remedies: ['open', 'choose'], file: '/w/a.train.json' });
  const model = new Fault('graph/not-onnx', { path: '/w/a.onnx', reason: 'it is cut short' });
  assert.deepEqual(problemOf(model), { sentence: model.message, remedies: ['choose'] });
  const missing = new Fault('file/missing', { path: '/w/assay.json' });
  assert.deepEqual(problemOf(missing), { sentence: missing.message, remedies: ['choose'] });
});

test('an internal fault offers the log', () => {
  assert.deepEqual(problemOf(new TypeError('x is not a function')), { sentence: 'Assay failed: x is not a function', remedies: ['log'] });
});
