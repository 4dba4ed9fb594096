import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSuite } from '../../src/vscode/suite.ts';
import { suiteText } from './scripted-host.ts';

test('entries stand at the line of their name, a check at its brace', () => {
  const { models, datasets, checks } = readSuite(suiteText);
  assert.deepEqual(
    [...models, ...datasets, ...checks].map(({ name, line }) => [name, line]),
    [
      ['digits', 1],
      ['test', 3],
      ['table', 4],
      ['calibrated', 7],
    ],
  );
});

test('every prefix of a suite reads without an error, and never gains an entry that is not whole', () => {
  for (let end = 0; end <= suiteText.length; end++) {
    const { models, checks } = readSuite(suiteText.slice(0, end));
    for (const { value } of models) assert.ok(value.path.length > 0);
    for (const { value } of checks) assert.equal(typeof value.data, 'string');
  }
});

test('what is not an object, or not of the form, is left out', () => {
  assert.deepEqual(readSuite('[1, 2]'), { models: [], datasets: [], checks: [] });
  const { models, checks } = readSuite(
    '{ "models": { "a": 3, "b": { "path": "" }, "c": { "path": "c.onnx" } }, "checks": [7, { "name": "n" }] }',
  );
  assert.deepEqual(
    models.map(({ name }) => name),
    ['c'],
  );
  assert.deepEqual(checks, []);
});
