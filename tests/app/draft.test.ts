import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { draft } from '../../src/app/draft.ts';
import { runSuite } from '../../src/app/suite.ts';
import { quietJob } from '../../src/base/job.ts';
import { world } from '../../src/jobs/world.ts';
import type { Draft, DraftRequest } from '../../src/report/tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'draft-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string): string => {
  const at = join(folder, basename(name));
  cpSync(join(import.meta.dirname, '..', name), at);
  return at;
};
const job = { ...quietJob(), live: () => {} };
const drafted = async (files: Partial<DraftRequest>): Promise<Draft> =>
  draft({ path: join(folder, 'assay.json'), models: [], data: [], labels: [], tokenizers: [], recipes: [], ...files }, await world(), job);

const model = (name: string): string => place(`fixtures/models/${name}.onnx`);
const data = (name: string): string => place(`fixtures/data/${name}`);

test('each dataset goes with the models whose input its rows bind to, and the file runs', async () => {
  const { suite } = await drafted({
    models: [model('mlp_digits'), model('mlp_breast_cancer')],
    data: [data('digits.npz'), data('breast_cancer.npz')],
    recipes: [place('../media/sample/digits.train.json')],
  });
  deepEqual(suite.models, { mlp_digits: { path: 'mlp_digits.onnx' }, mlp_breast_cancer: { path: 'mlp_breast_cancer.onnx' } });
  // The recipe says how its data are scaled; the other file stores its own split.
  deepEqual(suite.datasets, {
    digits: { path: 'digits.npz', split: 'test', preprocess: { scale: 0.0625 } },
    breast_cancer: { path: 'breast_cancer.npz', split: 'test' },
  });
  deepEqual(
    suite.checks?.map(({ run, model: of, data: on }) => `${run} ${of} ${on}`),
    [
      'confusion-matrix mlp_digits digits',
      'reliability mlp_digits digits',
      'confusion-matrix mlp_breast_cancer breast_cancer',
      'reliability mlp_breast_cancer breast_cancer',
    ],
  );
  // Guessing among ten classes is right once in ten, among two once in two.
  deepEqual(
    suite.checks?.flatMap(({ expect }) => expect?.accuracy?.min ?? []),
    [0.1, 0.5],
  );
  const path = join(folder, 'assay.json');
  writeFileSync(path, JSON.stringify(suite));
  const { checks } = await runSuite({ path, device: 'cpu', seed: 0, limit: 100 }, await world(), job);
  deepEqual(
    checks.map(({ status, report, line }) => [status === 'error', report?.provenance.rows, line]),
    [
      [false, 100, 1],
      [false, 100, 1],
      [false, 100, 1],
      [false, 100, 1],
    ],
  );
});

test('text needs a tokenizer, predictions need no model, and class names come from a list as long as the output is wide', async () => {
  const names = join(folder, 'labels.txt');
  writeFileSync(names, 'ham\nspam\n');
  const { suite } = await drafted({
    models: [model('text_sms')],
    data: [data('messages.csv'), data('predictions.parquet')],
    labels: [names],
    tokenizers: [data('sms_vocab.json')],
  });
  deepEqual(suite.models, { text_sms: { path: 'text_sms.onnx', labels: ['ham', 'spam'] } });
  deepEqual(suite.datasets, {
    messages: { path: 'messages.csv', preprocess: { tokenizer: 'sms_vocab.json' } },
    predictions: { path: 'predictions.parquet' },
  });
  deepEqual(
    suite.checks?.map(({ model: of, data: on }) => `${of} ${on}`),
    ['text_sms messages', 'text_sms messages', 'undefined predictions', 'undefined predictions'],
  );
});

test('numbers as targets are compared with the mean; what fits nothing or cannot be read is told', async () => {
  const values = join(folder, 'values.csv');
  writeFileSync(values, `prediction,target\n${Array.from({ length: 20 }, (_, i) => `${i + 0.25},${i + 0.5}`).join('\n')}\n`);
  const broken = join(folder, 'broken.onnx');
  writeFileSync(broken, 'no model');
  const { suite, notes } = await drafted({ models: [broken], data: [values, data('iris.csv')] });
  deepEqual(suite.checks, [{ name: 'better than the mean', run: 'regression-report', data: 'values', expect: { r2: { min: 0 } } }]);
  equal(notes.length, 2);
  match(notes[0], /Left out: .*broken\.onnx/);
  match(notes[1], /'iris\.csv' fits no model/);
});

test('inputs far from what networks are trained on are told', async () => {
  const { notes } = await drafted({ models: [model('mlp_digits')], data: [data('digits.npz')] });
  ok(notes.some((note) => /Inputs of 'digits' run from 0 to 16/.test(note)));
});
