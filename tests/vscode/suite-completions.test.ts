import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryAt, offersAt, outlineWords } from '../../src/vscode/authoring/suite-completions.ts';
import { facts, outlined, suite } from './facts.ts';

const text = `{
  "models": { "digits": { "path": "#1", "input": "#2", "output": "#3", "labels": ["cat", "dog"] }, "d": { "path": "digits.onnx", "input": "#4", "output": #5 } },
  "datasets": { "test": { "path": "#6" }, "t": { "path": "data/digits.npz", "x": "#7", "split": "#8" } },
  "checks": [
    { "name": "a", "run": "reliability", "model": "#9", "data": "#a", "options": { "positive": "#b" }, "expect": { "nll": {}, "#c": {} } },
    { "name": "b", "run": "reliability", "model": "digits", "data": "t", "options": { "positive": "#d", "group": "#e" }, "expect": { #f } },
    { "name": "c", "run": "compare-models", "against": "#g" }
  ],
}`;
/** Labels offered where the mark stands. */
const offered = (mark: string): readonly string[] => {
  const at = text.indexOf(`#${mark}`);
  assert.ok(at >= 0);
  const clean = text.replaceAll(/#./g, (m) => (m === `#${mark}` ? '' : '  '));
  return offersAt(clean, at, suite, facts)?.offers.map(({ label }) => label) ?? [];
};

const cases: readonly (readonly [mark: string, what: string, offers: readonly string[]])[] = [
  ['1', 'models on disk', ['digits.onnx', 'broken.onnx']],
  ['2', 'nothing of a model that is not known', []],
  ['4', 'inputs', ['x']],
  ['5', 'outputs, before a quote', ['logits', 'features']],
  ['6', 'data on disk', ['data/digits.npz']],
  ['7', 'arrays', ['x', 'y', 'test_idx']],
  ['8', 'splits', ['test', 'train', '0.2', '@test_idx']],
  ['9', 'models by name', ['digits', 'd']],
  ['a', 'datasets by name', ['test', 't']],
  ['c', 'headline numbers that are not gated yet', ['accuracy', 'ece']],
  ['d', 'classes', ['cat', 'dog']],
  ['e', 'columns', ['x', 'y', 'test_idx']],
  ['f', 'headline numbers, before a quote', ['accuracy', 'ece', 'nll']],
  ['g', 'models and datasets', ['digits', 'd', 'test', 't']],
];
for (const [mark, what, offers] of cases) test(`offers ${what}`, () => assert.deepEqual(offered(mark), offers));

test('an offer takes the place of the text with its quotes; a key that has no colon yet gets its object', () => {
  const gated = '{ "checks": [ { "run": "reliability", "expect": { "ec" } } ] }';
  const at = gated.indexOf('ec"') + 2;
  const found = offersAt(gated, at, suite, facts);
  assert.equal(gated.slice(found?.from, found?.to), '"ec"');
  assert.equal(found?.bare, true);
  assert.equal(offersAt(gated.replace('"ec"', '"ec": {}'), at, suite, facts)?.bare, false);
});

test('no offset of the file throws', () => {
  for (let at = 0; at <= text.length; at++) offersAt(text, at, suite, facts);
});

test('the entry under the cursor: its name, its path, and where a check uses it', () => {
  const clean = text.replaceAll(/#./g, 't');
  const told = (part: string, inside = 1) => entryAt(clean, clean.indexOf(part) + inside, suite);
  assert.deepEqual([told('"t": {')?.kind, told('"t": {')?.path], ['datasets', '/w/data/digits.npz']);
  assert.equal(told('"data": "t", "options": { "positive": "t", "g', 9)?.path, '/w/data/digits.npz');
  assert.equal(told('"run"'), undefined);
  assert.equal(told('"labels"', 12), undefined);
});

test('files in words', () => {
  assert.equal(
    outlineWords(outlined['/w/digits.onnx']),
    'Inputs `x` float32 [N, 64] → outputs `logits` float32 [N, 10], `features` float32 [N, 32]',
  );
  assert.equal(outlineWords(outlined['/w/data/digits.npz']), '1,797 rows of `x` float64 [64], `y` int64');
});
