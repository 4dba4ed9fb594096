import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { assay, fixture, folder, sentence } from './program.ts';

const home = folder();
const write = (name: string, bytes: string | Uint8Array): string => {
  const path = join(home, name);
  writeFileSync(path, bytes);
  return path;
};
const digits = fixture('data/digits.npz');
const mlp = fixture('models/mlp_digits.onnx');
const table = (rows: readonly string[]): string => ['label,prob_0,prob_1', ...rows].join('\n');
/** A pickled .npy: the header says dtype object. */
const pickled = (): Uint8Array => {
  const header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".padEnd(117, ' ');
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.from([118, 0]),
    Buffer.from(`${header}\n`),
    Buffer.from([0x80, 4, 0x4e, 0x2e]),
  ]);
};
const run = (...args: readonly string[]): readonly string[] => ['run', 'confusion-matrix', ...args];

/** What is wrong → the arguments, and what the one sentence must name. Exit code 2 in each case. */
const cases: readonly (readonly [string, readonly string[], readonly RegExp[]])[] = [
  ['a truncated model', run('--model', write('cut.onnx', readFileSync(mlp).subarray(0, 3000)), '--data', digits), [/cut\.onnx/]],
  [
    'a model that is not ONNX',
    run('--model', write('text.onnx', 'hello, I am not a model'), '--data', digits),
    [/text\.onnx/, /not a complete ONNX/],
  ],
  ['an empty model', run('--model', write('empty.onnx', ''), '--data', digits), [/empty\.onnx/, /empty/]],
  ['an empty dataset', run('--model', mlp, '--data', write('empty.csv', '')), [/empty\.csv/, /empty/]],
  ['a missing file', run('--model', mlp, '--data', join(home, 'nowhere.npz')), [/nowhere\.npz/, /does not exist/]],
  ['a folder without images', run('--model', mlp, '--data', home), [/Folder/, /holds no images/]],
  ['rows that do not fit', run('--model', fixture('models/lenet_mnist.onnx'), '--data', digits), [/28/, /64|8/]],
  ['a label outside the classes', run('--data', write('labels.csv', table(['0,0.5,0.5', '7,0.2,0.8']))), [/7/, /row 1/i]],
  ['NaN in the outputs', run('--data', write('nan.csv', table(['0,0.5,0.5', '1,NaN,0.8']))), [/row 1/]],
  ['a pickled array', run('--model', mlp, '--data', write('objects.npy', pickled())), [/objects\.npy/, /pickle/i]],
  ['an unknown diagnostic', ['run', 'confusion-matrx', '--data', digits], [/confusion-matrx/, /Did you mean 'confusion-matrix'/]],
  ['an unknown option', ['run', 'reliability', '--data', digits, '--binz', '3'], [/--binz/, /Did you mean '--bins'/]],
  [
    'an option out of bounds',
    ['run', 'reliability', '--data', write('ok.csv', table(['0,0.9,0.1', '1,0.2,0.8'])), '--bins', '0'],
    [/bins/, /whole number/],
  ],
  ['an unknown device', run('--model', mlp, '--data', digits, '--device', 'tpu'), [/tpu/, /auto, cpu/]],
  ['an unknown command', ['rum'], [/rum/, /Did you mean 'run'/]],
  ['no data', ['run', 'reliability'], [/--data/]],
  ['a study without a model', ['run', 'saliency', '--data', digits], [/model/]],
  [
    'a report over the data',
    run('--data', write('own.csv', table(['0,0.5,0.5'])), '--json', join(home, 'own.csv')),
    [/--json/, /overwrite/],
  ],
  ['a report that is a directory', run('--data', join(home, 'own.csv'), '--html', home), [/is a directory/]],
  ['an option given twice', run('--data', digits, '--data', digits), [/'--data' is given twice/]],
  ['a word too many', ['info', mlp, 'more.onnx'], [/Unexpected 'more\.onnx'/]],
  ['binding without a model', run('--data', join(home, 'own.csv'), '--scale', '2'), [/'scale'/, /give a model/]],
  ['a word among scores', run('--data', write('word.csv', table(['0,0.5,0.5', '1,x,0.8']))), [/'prob_0'/, /line 3 holds 'x'/]],
  ['scores that sum to 1.1', run('--data', write('sum.csv', table(['0,0.5,0.5', '1,0.3,0.8']))), [/row 1 sums to 1\.1/]],
  ['rows of different width', run('--data', write('ragged.csv', table(['0,0.5,0.5', '1,0.3']))), [/line 3/, /2 fields/]],
  ['a header alone', run('--data', write('header.csv', table([]))), [/no rows/]],
  ['a file that is no text', run('--data', write('binary.csv', Uint8Array.of(1, 0, 2))), [/zero bytes/]],
  [
    'a truncated archive',
    run('--model', mlp, '--data', write('cut.npz', readFileSync(digits).subarray(0, 30000))),
    [/cut\.npz/, /cut off or no zip/],
  ],
  [
    'a truncated label file',
    run(
      '--model',
      fixture('models/lenet_mnist.onnx'),
      '--data',
      fixture('data/t10k-100-images-idx3-ubyte.gz'),
      '--labels',
      write('l-ubyte', readFileSync(fixture('data/t10k-100-labels-idx1-ubyte')).subarray(0, 50)),
    ),
    [/l-ubyte/, /108 bytes but the file has 50/],
  ],
  ['an unknown split', run('--model', mlp, '--data', digits, '--split', 'validation'), [/split/, /COLUMN=VALUE/]],
  ['a suite with a key twice', ['suite', write('twice.json', '{"models":{},\n"models":{}}')], [/line 2: models is there twice/]],
  ['a suite that is no JSON', ['suite', write('broken.json', '{"models": {')], [/broken\.json', line 1/]],
  [
    'training over the model it starts from',
    [
      'train',
      write(
        'over.train.json',
        JSON.stringify({ model: 'start.onnx', data: { train: { path: digits } }, loss: 'cross-entropy', optimizer: 'sgd', epochs: 1 }),
      ),
      '-o',
      write('start.onnx', readFileSync(mlp)),
    ],
    [/start\.onnx/, /overwrite/],
  ],
  ['no gradient to a name', ['grad', mlp, '-o', join(home, 'g.onnx'), '--of', 'cross-entropy', '--wrt', 'nobody'], [/nobody/]],
];

describe('exit code 2 and one sentence', { concurrency: 4 }, () => {
  for (const [what, args, names] of cases) {
    test(what, async () => {
      const ended = await assay(args);
      assert.equal(ended.code, 2, ended.err + ended.out);
      assert.equal(ended.err.split('\n').filter((line) => line.startsWith('assay: ')).length, 1, ended.err);
      const said = sentence(ended);
      for (const name of names) assert.match(said, name);
      assert.doesNotMatch(ended.err, /\n {4}at /, 'no stack trace');
    });
  }
});

test('data without labels is unavailable, not a crash: exit code 2 and the reason in the report', async () => {
  const path = write('nolabels.csv', 'prob_0,prob_1\n0.5,0.5\n0.2,0.8\n');
  const json = join(home, 'r.json');
  const ended = await assay([...run('--data', path), '--json', json]);
  assert.equal(ended.code, 2, ended.err);
  const report = JSON.parse(readFileSync(json, 'utf8')) as { outcome: string; reason: { sentence: string } };
  assert.equal(report.outcome, 'unavailable');
  assert.match(report.reason.sentence, /label/);
});
