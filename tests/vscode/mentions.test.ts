import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KnownFile, mentionFinder } from '../../src/vscode/lenses/mentions.ts';

const files: readonly KnownFile[] = [
  { path: '/w/models/net.onnx', kind: 'model', suite: '/w/assay.json', name: 'net' },
  { path: '/w/old/net.onnx', kind: 'model' },
  { path: '/w/digits.npz', kind: 'data', suite: '/w/assay.json', name: 'digits' },
  { path: '/w/t10k-images-idx3-ubyte', kind: 'data' },
];
const found = (text: string, at = '/w/src/a.py') =>
  mentionFinder(files)
    .in(text, at)
    .map(({ line, from, to, file }) => [line, text.split('\n')[line].slice(from, to), file.path]);

test('literals of any quote that name a known file, with the place between the quotes', () => {
  const code = [
    'import numpy as np',
    'torch.onnx.export(m, "models/net.onnx")',
    "s = InferenceSession('../models/net.onnx'); d = np.load(`digits.npz`)",
    'x = open("t10k-images-idx3-ubyte", "rb")',
    'y = load("other.onnx") # net.onnx without quotes',
  ].join('\n');
  assert.deepEqual(found(code), [
    [1, 'models/net.onnx', '/w/models/net.onnx'],
    [2, '../models/net.onnx', '/w/models/net.onnx'],
    [2, 'digits.npz', '/w/digits.npz'],
    [3, 't10k-images-idx3-ubyte', '/w/t10k-images-idx3-ubyte'],
  ]);
});

test('a path is taken from the folder of the code and those above it, absolute as it is, and by its end where only one fits', () => {
  assert.deepEqual(found('"net.onnx"', '/w/old/a.ts'), [[0, 'net.onnx', '/w/old/net.onnx']]);
  assert.deepEqual(found('"/w/models/net.onnx"', '/elsewhere/a.ts'), [[0, '/w/models/net.onnx', '/w/models/net.onnx']]);
  assert.deepEqual(found('"out/digits.npz"', '/elsewhere/a.ts'), []);
  assert.deepEqual(found('"digits.npz"', '/elsewhere/a.ts'), [[0, 'digits.npz', '/w/digits.npz']]);
  // Two models have this name, and neither is beside the code.
  assert.deepEqual(found('"net.onnx"', '/elsewhere/a.ts'), []);
});

test('a text without quotes, or with one that is far away, names nothing', () => {
  assert.deepEqual(found('net.onnx"'), []);
  assert.deepEqual(found(`"${'a'.repeat(400)}/digits.npz"`), []);
  assert.deepEqual(found('"first line\ndigits.npz"'), []);
  assert.deepEqual(mentionFinder([]).in('"digits.npz"', '/w/a.py'), []);
});

test('many mentions in a large file: the first are told, each at its line', () => {
  const text = Array.from({ length: 5000 }, (_, i) => (i % 10 === 3 ? `load("digits.npz")` : `line ${i}`)).join('\n');
  const all = mentionFinder(files).in(text, '/w/a.py');
  assert.equal(all.length, 200);
  assert.ok(all.every(({ line }, i) => line === 10 * i + 3));
});
