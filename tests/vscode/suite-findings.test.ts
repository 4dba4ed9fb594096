import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ParseError, parse } from 'jsonc-parser';
import { readSuiteFile } from '../../src/app/suite-file.ts';
import type { Edit, Finding } from '../../src/vscode/authoring/finding.ts';
import { suiteFindings } from '../../src/vscode/authoring/suite-findings.ts';
import { facts, suite } from './facts.ts';

const good = `{
  // Comments and a trailing comma are let through.
  "models": { "digits": { "path": "digits.onnx", "input": "x", "output": "logits", "labels": ["0", "1"] } },
  "datasets": {
    "test": { "path": "data/digits.npz", "x": "x", "y": "y", "split": "@test_idx" },
    "part": { "path": "data/digits.npz", "split": "y=3" },
  },
  "checks": [
    { "name": "calibrated", "run": "reliability", "model": "digits", "data": "test", "expect": { "ece": { "max": 0.05 } } },
    { "name": "same", "run": "compare-models", "model": "digits", "against": "digits", "data": "test", "againstData": "part" },
  ]
}`;

const findings = (text: string): readonly Finding[] => suiteFindings(text, suite, facts);
const applied = (text: string, edits: readonly Edit[]): string =>
  [...edits].sort((a, b) => b.from - a.from).reduce((t, { from, to, text: put }) => t.slice(0, from) + put + t.slice(to), text);
/** The only finding after a change of the good file. */
const only = (from: string, to: string): { readonly text: string; readonly found: Finding } => {
  const text = good.replace(from, to);
  assert.notEqual(text, good);
  const found = findings(text);
  assert.equal(found.length, 1, JSON.stringify(found));
  return { text, found: found[0] };
};

test('a good file has no findings', () => assert.deepEqual(findings(good), []));

test('a missing model with none in its place is one that is not trained yet: a warning', () => {
  const found = suiteFindings(good, suite, { ...facts, models: [], exists: (path) => !path.endsWith('.onnx') });
  assert.deepEqual(
    found.map(({ code, severity }) => [code, severity]),
    [['missing-file', 'warning']],
  );
  assert.match(found[0].message, /Train it, or choose another file\.$/);
});

/** What is wrong, where, and what its first fix leads to. */
const wrong: readonly (readonly [
  what: string,
  from: string,
  to: string,
  expected: { readonly code: string; readonly at: string; readonly says: RegExp; readonly fixed?: string },
])[] = [
  [
    'a missing model',
    '"path": "digits.onnx"',
    '"path": "digit.onnx"',
    { code: 'missing-file', at: '"digit.onnx"', says: /no file 'digit\.onnx'/, fixed: '"path": "digits.onnx"' },
  ],
  [
    'a model elsewhere',
    '"path": "digits.onnx"',
    '"path": "old/digits.onnx"',
    { code: 'missing-file', at: '"old/digits.onnx"', says: /old\/digits/, fixed: '"path": "digits.onnx"' },
  ],
  [
    'missing data',
    'data/digits.npz", "x"',
    'digits.npz", "x"',
    { code: 'missing-file', at: '"digits.npz"', says: /no file or folder/, fixed: '"data/digits.npz"' },
  ],
  [
    'a damaged model',
    '"path": "digits.onnx", "input": "x", "output": "logits"',
    '"path": "broken.onnx"',
    { code: 'unreadable-file', at: '"broken.onnx"', says: /cut short/ },
  ],
  [
    'a wrong input',
    '"input": "x"',
    '"input": "images"',
    { code: 'unknown-input', at: '"images"', says: /no input 'images'.*Its inputs: x\./, fixed: '"input": "x"' },
  ],
  [
    'a wrong output',
    '"output": "logits"',
    '"output": "logit"',
    { code: 'unknown-output', at: '"logit"', says: /Did you mean 'logits'\?/, fixed: '"output": "logits"' },
  ],
  ['a wrong array', '"x": "x"', '"x": "xx"', { code: 'unknown-array', at: '"xx"', says: /no array or column 'xx'/ }],
  ['a wrong label array', '"y": "y"', '"y": "yy"', { code: 'unknown-array', at: '"yy"', says: /It has: x, y, test_idx/ }],
  [
    'wrong rows of a split',
    '@test_idx',
    '@tst_idx',
    { code: 'unknown-array', at: '"@tst_idx"', says: /Did you mean 'test_idx'/, fixed: '"@test_idx"' },
  ],
  ['a wrong column of a split', '"y=3"', '"label=3"', { code: 'unknown-array', at: '"label=3"', says: /'label'/ }],
  [
    'a wrong model name',
    '"model": "digits", "data"',
    '"model": "digit", "data"',
    { code: 'unknown-model', at: '"digit"', says: /Did you mean 'digits'\? Known: digits/, fixed: '"model": "digits"' },
  ],
  [
    'a wrong dataset name',
    '"data": "test", "expect"',
    '"data": "tset", "expect"',
    { code: 'unknown-dataset', at: '"tset"', says: /'test'/, fixed: '"data": "test"' },
  ],
  [
    'a wrong other',
    '"against": "digits"',
    '"against": "digitz"',
    { code: 'unknown-model-or-dataset', at: '"digitz"', says: /'digits'/, fixed: '"against": "digits"' },
  ],
  [
    'a wrong diagnostic',
    '"reliability"',
    '"reliabilty"',
    { code: 'unknown-diagnostic', at: '"reliabilty"', says: /'reliability'/, fixed: '"run": "reliability"' },
  ],
  [
    'a name given twice',
    '"name": "same"',
    '"name": "calibrated"',
    { code: 'duplicate-name', at: '"calibrated"', says: /each its own name/, fixed: '"name": "calibrated 2"' },
  ],
  [
    'a number that is not reported',
    '"ece"',
    '"ecee"',
    { code: 'unknown-number', at: '"ecee"', says: /reports no number 'ecee'\. Did you mean 'ece'/, fixed: '"ece": {' },
  ],
  ['a gate without limits', '{ "max": 0.05 }', '{ "level": 0.95 }', { code: 'empty-gate', at: '"ece"', says: /neither min nor max/ }],
  [
    'a gate that nothing passes',
    '{ "max": 0.05 }',
    '{ "min": 0.5, "max": 0.05 }',
    { code: 'empty-gate', at: '0.5', says: /at least 0\.5 and at most 0\.05/ },
  ],
  ['an unknown key', '"input": "x"', '"inpt": "x"', { code: 'unknown-key', at: '"inpt"', says: /'input'/, fixed: '"input": "x"' }],
  ['a key given twice', '"input": "x"', '"path": "digits.onnx"', { code: 'duplicate-key', at: '"path"', says: /twice/ }],
  [
    'an unknown option',
    '"expect": {',
    '"options": { "bin": 10 }, "expect": {',
    { code: 'unknown-option', at: '"bin"', says: /'bins'/, fixed: '"bins": 10' },
  ],
  [
    'an unknown choice',
    '"expect": {',
    '"options": { "binning": "mas" }, "expect": {',
    { code: 'unknown-choice', at: '"mas"', says: /mas/, fixed: '"mass"' },
  ],
  [
    'an unknown class',
    '"expect": {',
    '"options": { "positive": "seven" }, "expect": {',
    { code: 'unknown-class', at: '"seven"', says: /Known: 0, 1/ },
  ],
  ['nothing to compare with', ' "against": "digits",', '', { code: 'needs-other', at: '"compare-models"', says: /against/ }],
  [
    'no model where one is needed',
    '"run": "reliability", "model": "digits"',
    '"run": "saliency"',
    { code: 'needs-model', at: '"saliency"', says: /needs a model/, fixed: '"model": "digits"' },
  ],
];
for (const [what, from, to, { code, at, says, fixed }] of wrong)
  test(`${what} is found at its place${fixed === undefined ? '' : ' and mended by its first fix'}`, () => {
    const { text, found } = only(from, to);
    assert.equal(found.code, code);
    assert.equal(text.slice(found.from, found.to), at);
    assert.match(found.message, says);
    if (fixed === undefined) return;
    const [first] = found.fixes;
    const mended = applied(text, first.edits);
    assert.ok(mended.includes(fixed), mended);
    assert.ok(
      findings(mended).every((f) => f.code !== code),
      mended,
    );
  });

test('every fix of every finding leaves JSON, and a removal takes the key and nothing else', () => {
  for (const [, from, to] of wrong) {
    const text = good.replace(from, to);
    for (const { title, edits } of findings(text).flatMap(({ fixes }) => fixes)) {
      const mended = applied(text, edits);
      const errors: ParseError[] = [];
      parse(mended, errors, { allowTrailingComma: true });
      assert.deepEqual(errors, [], `${title}: ${mended}`);
    }
  }
  const { text, found } = only('"output": "logits"', '"output": "nothing like it"');
  const removal = found.fixes.find(({ title }) => title === "Remove 'output'");
  assert.ok(removal);
  assert.equal(applied(text, removal.edits), good.replace('"output": "logits", ', ''));
});

test('a key alone on its line is removed with the line, the last of an object with the comma before it', () => {
  const lines = good.replace('"output": "logits", ', '\n    "output": "no",\n    ');
  const [first] = findings(lines);
  const removal = first.fixes.find(({ title }) => title.startsWith('Remove'));
  assert.equal(applied(lines, removal?.edits ?? []), good.replace('"output": "logits", ', '\n    '));
  const last = good.replace(', "labels": ["0", "1"]', '').replace('"output": "logits"', '"output": "no"');
  const [found] = findings(last);
  const fix = found.fixes.find(({ title }) => title.startsWith('Remove'));
  assert.equal(applied(last, fix?.edits ?? []), good.replace(', "output": "logits", "labels": ["0", "1"]', ''));
});

test('nothing is said of what is not known', () => {
  const blind = { ...facts, exists: () => undefined, outline: () => undefined, numbers: () => ({ names: [], all: false }) };
  const text = good.replace('digits.onnx', 'else.onnx').replace('"input": "x"', '"input": "z"').replace('"ece"', '"other"');
  assert.deepEqual(suiteFindings(text, suite, blind), []);
});

test('what runs has no errors, and every prefix is looked at without a throw', () => {
  assert.doesNotThrow(() => readSuiteFile(good, suite));
  for (let end = 0; end <= good.length; end += 3) findings(good.slice(0, end));
});
