import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { workshop } from '../training/workshop.ts';

const ports = await world();
const shop = workshop();
const ask = (path: string, options: Record<string, unknown> = {}, model?: string): Promise<Report> =>
  diagnose(
    { id: 'linear-separability', ...(model ? { model: { path: model } } : {}), data: { path }, options, device: 'cpu', seed: 0 },
    ports,
    { ...quietJob(), live: () => {} },
  );
const table = (name: string, rows: readonly (readonly number[])[]): string =>
  shop.text(name, `${['label,a,b', ...rows.map((r) => r.join(','))].join('\n')}\n`);
const tableOf = (report: Report, title: string) => {
  const card = report.cards.find((c) => c.title === title);
  return card?.kind === 'table' ? card.rows : assert.fail(title);
};

/** The worst set of the paper: (0.5, −1) of class 1 and n − 1 rows (−0.5, −1) of class 0. */
const worst = table(
  'worst.csv',
  Array.from({ length: 1000 }, (_, i) => (i === 7 ? [1, 0.5, -1] : [0, -0.5, -1])),
);

test('table 1 of the paper, from a table of features', async () => {
  const report = await ask(worst, { bias: false, rates: '0.1,1,10,100' });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const updates = Object.fromEntries(
    tableOf(report, 'Updates to perfect separation').map(([, method, rate, n]) => [`${method} ${rate ?? ''}`.trim(), n]),
  );
  assert.deepEqual(updates, {
    'LR+GD 0.1': null,
    'Normalized LR+GD 0.1': 157,
    'LR+GD 1': null,
    'Normalized LR+GD 1': 16,
    'LR+GD 10': 729,
    'Normalized LR+GD 10': 2,
    'LR+GD 100': 308,
    'Normalized LR+GD 100': 2,
    'Batch Perceptron': 301,
    'Normalized Batch Perceptron': 2,
  });
  assert.equal(report.headline.separated, 1);
  assert.equal(report.headline.least_updates, 2);
  assert.equal(report.headline.radius, Math.hypot(0.5, 1));
  assert.equal(tableOf(report, 'Hard rows')[0][0], 7);
  assert.match(report.guide, /A linear head separates these rows/);
});

test('rows that no line tells apart: not separated within T, and never said to be inseparable without a certificate', async () => {
  const xor = table('xor.csv', [
    [0, 0, 0],
    [1, 0, 1],
    [1, 1, 0],
    [0, 1, 1],
  ]);
  const report = await ask(xor, { maxIterations: 200, rates: '1' });
  assert.equal(report.headline.separated, 0);
  assert.equal(report.headline.least_updates, undefined);
  assert.match(report.guide, /Not separated within 200 updates: .*misclassified/);
  assert.doesNotMatch(report.guide, /not linearly separable/);
  const twins = table('twins.csv', [
    [0, 0, 0],
    [1, 2, 1],
    [0, 2, 1],
    [1, 3, 3],
  ]);
  const certain = await ask(twins, { maxIterations: 50, rates: '1' });
  assert.equal(certain.headline.contradictions, 1);
  assert.match(certain.guide, /not linearly separable: 1 row .* rows 1 and 2/);
  assert.deepEqual(tableOf(certain, 'Rows that nothing separates'), [[2, 1]]);
});

test('several classes are told apart one by one, or two of them', async () => {
  const chance = random(0, 'corners');
  const corners = [
    [0, 0],
    [4, 0],
    [0, 4],
  ];
  const rows = Array.from({ length: 90 }, (_, i) => [i % 3, ...corners[i % 3].map((c) => c + 0.3 * chance.normal())]);
  const path = table('corners.csv', rows);
  const all = await ask(path, { rates: '1' });
  assert.equal(all.headline.problems, 3);
  assert.equal(all.headline.separated, 3);
  assert.equal(all.headline.rows, 90);
  const pair = await ask(path, { rates: '1', positive: '2', negative: '1' });
  assert.equal(pair.headline.problems, 1);
  assert.equal(pair.headline.rows, 60);
  const few = await ask(path, { rates: '1', maxExamples: 30 });
  assert.equal(few.headline.rows, 30);
  assert.ok(few.notes.some((n) => n.startsWith('30 of 90 rows')));
  const same = await ask(path, { rates: '1', standardise: true });
  assert.equal(same.headline.separated, 3);
});

test('the features of a model, what its last layer reads', async () => {
  const chance = random(1, 'layer');
  const x = Float32Array.from({ length: 120 }, () => chance.normal());
  const data = shop.arrays('d.npz', {
    x: { dtype: 'float32', dims: [40, 3], data: x },
    y: { dtype: 'int32', dims: [40], data: Int32Array.from({ length: 40 }, (_, i) => Number(x[3 * i] > 0)) },
  });
  const model = shop.model('m.onnx', ['N', 3], ['N', 2], (emit) => {
    const drawn = (name: string, dims: number[]) =>
      emit.hold(
        name,
        constantOf(
          'float32',
          dims,
          Array.from({ length: dims[0] * dims[1] }, () => chance.normal()),
        ),
      );
    return emit.MatMul(emit.Relu(emit.MatMul('x', drawn('w1', [3, 60]))), drawn('w2', [60, 2]));
  });
  const report = await ask(data, {}, model);
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  assert.equal(report.headline.width, 60);
  // More features than rows separate anything.
  assert.equal(report.headline.separated, 1);
  assert.equal(report.samples.length > 0, true);
  const zero = shop.model('zero.onnx', ['N', 3], ['N', 2], (emit) =>
    emit.MatMul(emit.Mul('x', emit.scalar(0)), emit.hold('w', constantOf('float32', [3, 2], [1, 2, 3, 4, 5, 6]))),
  );
  await assert.rejects(ask(data, {}, zero), /is 0 for all rows/);
});

test('wrong input is named', async () => {
  for (const rates of ['0', '-1', 'fast', '1,', 'Infinity'])
    await assert.rejects(ask(worst, { rates }), /numbers above 0 separated by commas/);
  await assert.rejects(ask(worst, { positive: '1' }), /Name two different classes/);
  await assert.rejects(ask(worst, { positive: '1', negative: '1' }), /Name two different classes/);
  await assert.rejects(ask(worst, { positive: '1', negative: '5' }), /a class that some row shown has/);
  await assert.rejects(
    ask(
      table('one.csv', [
        [0, 1, 2],
        [0, 2, 1],
      ]),
    ),
    /one class/,
  );
  await assert.rejects(
    ask(
      table('nan.csv', [
        [0, 1, Number.POSITIVE_INFINITY],
        [1, 2, 1],
      ]),
    ),
    /row 0/,
  );
});
