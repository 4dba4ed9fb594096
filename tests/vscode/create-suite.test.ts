import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSuiteFile } from '../../src/app/suite-file.ts';
import type { DraftRequest } from '../../src/report/tasks.ts';
import { draftText } from '../../src/vscode/authoring/draft-text.ts';
import { createSuite } from '../../src/vscode/commands/create-suite.ts';
import type { Host } from '../../src/vscode/define.ts';
import { scripted } from './scripted-host.ts';

const draft = {
  suite: {
    models: { digits: { path: 'digits.onnx' } },
    datasets: { digits: { path: 'digits.npz', split: 'test' } },
    checks: [
      { name: 'calibrated', run: 'reliability', model: 'digits', data: 'digits', expect: { ece: { max: 0.1 } } },
      {
        name: 'better than guessing',
        run: 'confusion-matrix',
        model: 'digits',
        data: 'digits',
        expect: { accuracy: { min: 0.1, bound: 'lower', level: 0.95 } },
      },
    ],
  },
  notes: ['Left out: two\nlines.'],
} as const;

test('the text of a draft is read back as it was, short things on one line, notes above', () => {
  const text = draftText(draft);
  assert.equal(JSON.stringify(readSuiteFile(text, '/w/assay.json').suite), JSON.stringify(draft.suite));
  assert.match(
    text,
    /^\/\/ .*\n\/\/ .*\n\/\/ Left out: two lines\.\n\{\n {2}"models": \{\n {4}"digits": \{ "path": "digits\.onnx" \}\n {2}\},/,
  );
  assert.ok(text.split('\n').every((line) => line.length <= 120));
  const long = draftText({ ...draft, notes: [Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ')] });
  assert.ok(long.split('\n').every((line) => line.length <= 120) && /^\/\/ {3}word\d+/m.test(long));
  assert.doesNotThrow(() => readSuiteFile(draftText({ suite: { models: {}, datasets: {}, checks: [] }, notes: [] }), ''));
});

interface Made {
  readonly said: string[];
  readonly asked: DraftRequest[];
  readonly created: [string, string][];
  readonly shown: string[];
  readonly executed: unknown[];
}
const made = (files: readonly string[], over: Partial<Host> = {}, answers: readonly string[] = []) => {
  const seen: Made = { said: [], asked: [], created: [], shown: [], executed: [] };
  const { host } = scripted(answers, {
    folders: () => [{ name: 'w', path: '/w' }],
    exists: async (path) => files.includes(path),
    // `**/*{a,b}` and `**/*{x,y}*.{c,d}`, as far as these are asked for.
    find: async (glob) => {
      const pattern = glob
        .slice(3)
        .replace(/[.]/g, '\\.')
        .replace(/\*/g, '[^/]*')
        .replace(/\{([^}]*)\}/g, (_, of: string) => `(?:${of.replaceAll(',', '|')})`);
      return files.filter((file) => new RegExp(`/${pattern}$`).test(file));
    },
    say: async (sentence, ...actions) => {
      seen.said.push(sentence);
      return actions[0];
    },
    draft: async (ask) => {
      seen.asked.push(ask);
      return draft;
    },
    create: async (path, text) => {
      seen.created.push([path, text]);
      return true;
    },
    show: async (path) => void seen.shown.push(path),
    execute: async (id, target) => void seen.executed.push([id, target]),
    ...over,
  });
  return { host, seen };
};

test('one folder: nothing is asked; models, data, class names, tokenizers, recipes and folders of images are found, and the checks offered', async () => {
  const { host, seen } = made([
    '/w/digits.onnx',
    '/w/digits.checkpoint.onnx',
    '/w/digits.npz',
    '/w/pets/cat/1.png',
    '/w/pets/dog/1.jpg',
    '/w/pets/dog/meta.csv',
    '/w/shots/one.png',
    '/w/class_labels.txt',
    '/w/tokenizer.json',
    '/w/tokenizer_config.json',
    '/w/digits.train.json',
    '/elsewhere/other.onnx',
  ]);
  await createSuite.run(host, {});
  assert.deepEqual(seen.asked, [
    {
      path: '/w/assay.json',
      models: ['/w/digits.onnx'],
      data: ['/w/digits.npz', '/w/pets'],
      labels: ['/w/class_labels.txt'],
      tokenizers: ['/w/tokenizer.json'],
      recipes: ['/w/digits.train.json'],
    },
  ]);
  assert.deepEqual(seen.created, [['/w/assay.json', draftText(draft)]]);
  assert.deepEqual(seen.shown, ['/w/assay.json']);
  assert.deepEqual(seen.said, ['Wrote /w/assay.json: 1 model, 1 dataset, 2 checks.']);
  assert.deepEqual(seen.executed, [['assay.runSuite', { suite: '/w/assay.json' }]]);
});

test('an assay.json that is there is shown and left as it is, also where it comes in between', async () => {
  const { host, seen } = made(['/w/assay.json', '/w/digits.onnx']);
  await createSuite.run(host, {});
  assert.deepEqual([seen.created, seen.asked, seen.shown], [[], [], ['/w/assay.json']]);
  assert.match(seen.said[0], /there already/);
  const late = made(['/w/digits.onnx'], { create: async () => false });
  await createSuite.run(late.host, {});
  assert.deepEqual([late.seen.shown, late.seen.said], [['/w/assay.json'], []]);
});

test('several folders: one is chosen; a folder of the explorer is taken as it is; without a folder nothing is written', async () => {
  const folders = () => [
    { name: 'a', path: '/a' },
    { name: 'b', path: '/b' },
  ];
  const two = made(['/a/m.onnx', '/b/n.onnx'], { folders }, ['b']);
  await createSuite.run(two.host, {});
  assert.deepEqual([two.seen.asked[0].path, two.seen.asked[0].models], ['/b/assay.json', ['/b/n.onnx']]);
  const target = made(['/a/m.onnx', '/b/n.onnx'], { folders });
  await createSuite.run(target.host, { file: '/a' });
  assert.equal(target.seen.asked[0].path, '/a/assay.json');
  const none = made([], { folders: () => [] });
  await createSuite.run(none.host, {});
  assert.match(none.seen.said[0], /Open a folder of a disk first/);
});

test('a folder without models and data is told, with a way on', async () => {
  const { host, seen } = made(['/w/readme.md']);
  await createSuite.run(host, {});
  assert.deepEqual(seen.created, []);
  assert.deepEqual(seen.executed, [['assay.train', undefined]]);
});
