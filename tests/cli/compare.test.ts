import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Report } from '../../src/report/report.ts';
import { assay, fixture, folder, sentence } from './program.ts';

const home = folder();
const at = (name: string): string => join(home, name);
const file = (name: string, ...lines: string[]): string => {
  writeFileSync(at(name), `${lines.join('\n')}\n`);
  return at(name);
};
const report = (name: string): Report => JSON.parse(readFileSync(at(name), 'utf8')) as Report;
const [mlp, softmax, digits] = [fixture('models/mlp_digits.onnx'), fixture('models/softmax_digits.onnx'), fixture('data/digits.npz')];
const data = ['--data', digits, '--split', 'test', '--scale', '0.0625', '--device', 'cpu'];

test('compare A.onnx B.onnx: text, JSON and HTML; the same as run compare-models', async () => {
  const more = [...data, '--bootstrap', '200'];
  const { code, out, err } = await assay(['compare', mlp, softmax, ...more, '--json', at('models.json'), '--html', at('models.html')]);
  assert.equal(code, 0, err);
  assert.match(out, /McNemar/);
  assert.match(readFileSync(at('models.html'), 'utf8'), /Who is right/);
  const found = report('models.json');
  assert.deepEqual([found.id, found.headline.right_alone, found.headline.against_right_alone], ['compare-models', 4, 2]);
  const again = await assay(['run', 'compare-models', '--model', mlp, '--against', softmax, ...more, '--json', at('run.json')]);
  assert.equal(again.code, 0, again.err);
  assert.deepEqual(report('run.json').headline, found.headline);
});

test('compare A.csv B.csv, a model against a table, and the other way round', async () => {
  const table = (name: string, p: number): string => file(name, 'label,prob_no,prob_yes', `0,${1 - p},${p}`, `1,${p},${1 - p}`);
  const tables = await assay(['compare', table('a.csv', 0.25), table('b.csv', 0.75), '--json', at('tables.json')]);
  assert.equal(tables.code, 0, tables.err);
  assert.deepEqual([report('tables.json').headline.accuracy_difference, report('tables.json').headline.mcnemar_p], [1, 0.5]);

  const cells = Array.from({ length: 8 }, (_, i) => `0,${Array.from({ length: 10 }, (_, k) => (k === i ? 0.91 : 0.01)).join(',')}`);
  const preds = file('preds.csv', `label,${Array.from({ length: 10 }, (_, k) => `prob_${k}`).join(',')}`, ...cells);
  const rows = file(
    'rows.csv',
    `label,${Array.from({ length: 64 }, (_, k) => `x${k}`).join(',')}`,
    ...cells.map(() => `0,${'0.5,'.repeat(63)}0.5`),
  );
  for (const words of [
    [mlp, preds],
    [preds, mlp],
  ]) {
    const { code, err } = await assay(['compare', ...words, '--data', rows, '--y', 'label', '--device', 'cpu', '--json', at('mixed.json')]);
    assert.equal(code, 0, err);
    assert.equal(report('mixed.json').headline.rows, 8);
  }
});

test('compare RUN_A RUN_B: files, folders of kept runs', async () => {
  for (const [name, model] of [
    ['one.json', mlp],
    ['two.json', softmax],
  ])
    assert.equal((await assay(['run', 'confusion-matrix', '--model', model, ...data, '--json', at(name)])).code, 0);
  const { code, out, err } = await assay(['compare', at('one.json'), at('two.json'), '--json', at('difference.json')]);
  assert.equal(code, 0, err);
  assert.match(out, /Confusion matrix: difference/);
  const { headline, id } = report('difference.json');
  assert.deepEqual([id, headline.accuracy_difference], ['compare-runs', headline.accuracy - headline.against_accuracy]);
  mkdirSync(at('.assay/runs/kept'), { recursive: true });
  writeFileSync(at('.assay/runs/kept/report.json'), JSON.stringify({ reports: [report('one.json')] }));
  for (const kept of ['kept', at('.assay/runs/kept')]) assert.equal((await assay(['compare', kept, 'two.json'], home)).code, 0);
});

test('two tables of predicted numbers, and the runs of two regression reports, say the same of the rows', async () => {
  const rows = (off: number): string[] => Array.from({ length: 50 }, (_, i) => `${Math.sin(i)},${Math.sin(i) + off * Math.cos(3 * i)}`);
  for (const [name, off] of [
    ['near', 0.1],
    ['far', 0.3],
  ] as const) {
    const table = file(`${name}.csv`, 'target,prediction', ...rows(off));
    assert.equal((await assay(['run', 'regression-report', '--data', table, '--json', at(`${name}.json`)])).code, 0);
  }
  const tables = await assay(['compare', at('near.csv'), at('far.csv'), '--json', at('numbers.json')]);
  assert.equal(tables.code, 0, tables.err);
  const runs = await assay(['compare', at('near.json'), at('far.json'), '--json', at('runs.json'), '--html', at('runs.html')]);
  assert.equal(runs.code, 0, runs.err);
  assert.match(runs.out, /mae_difference .* 95 % paired by row/);
  assert.deepEqual(report('runs.json').intervals.mae_difference, report('numbers.json').intervals.mae_difference);
  assert.match(readFileSync(at('runs.html'), 'utf8'), /Errors of both/);
});

test('what cannot be compared ends with code 2 and one sentence', async () => {
  const table = file('t.csv', 'label,prob_a,prob_b', 'a,0.5,0.5');
  const saved = file('saved.json', '{}');
  mkdirSync(at('.assay/runs/going'), { recursive: true });
  writeFileSync(at('.assay/runs/going/run.json'), '{}');
  for (const [args, wanted] of [
    [['compare', mlp], /Missing what to compare it with/],
    [['compare', mlp, softmax], /Missing --data/],
    [['compare', saved, mlp], /'.*saved\.json' is a saved run and '.*mlp_digits\.onnx' is none/],
    [['compare', mlp, saved], /'.*saved\.json' is a saved run and '.*mlp_digits\.onnx' is none/],
    [['compare', saved, saved], /^assay: '[^']*saved\.json' is not a readable report/],
    [['compare', 'gone', saved], /There is no run 'gone'; it may have been deleted/],
    [['compare', 'going', saved], /The run in '\.assay.runs.going' cannot be read: it has no report: it has not ended yet/],
    [['compare', saved, saved, '--split', 'test'], /Unknown option '--split' for a comparison of saved runs/],
    [['compare', table, at('nowhere.csv')], /'.*nowhere\.csv' does not exist/],
    [['compare', table, table, '--json', table], /would overwrite/],
    [['compare', mlp, table, ...data], /has 359 rows and 't\.csv' 1/],
    [['run', 'compare-models', '--data', table], /name the other with against/],
  ] as const) {
    const ended = await assay([...args], home);
    assert.equal(ended.code, 2, args.join(' '));
    assert.match(sentence(ended), wanted, args.join(' '));
  }
});
