import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { compare } from '../../src/app/compare.ts';
import { differenceInterval } from '../../src/app/compare-difference.ts';
import { diagnose } from '../../src/app/diagnose.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { suite } from '../../src/app/suite.ts';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { AgainstRef, DataRef, RunRequest } from '../../src/base/request.ts';
import { parse } from '../../src/graph/parse.ts';
import type { Constant, Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import { toJson } from '../../src/report/json.ts';
import type { CardOf, Report } from '../../src/report/report.ts';
import { halved } from '../autodiff/half-copy.ts';

const ports = await world();
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const folder = mkdtempSync(join(tmpdir(), 'assay-compare-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const job = (): AppJob & { readonly notes: string[] } => ({ ...quietJob(), live: () => {} });
const digits: DataRef = { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } };
const model = (name: string): { readonly path: string } => ({ path: fixture(`models/${name}.onnx`) });
const run = (of: Partial<RunRequest> & Pick<RunRequest, 'data'>): Promise<Report> =>
  diagnose({ id: 'compare-models', options: { bootstrap: 200 }, device: 'cpu', seed: 0, ...of }, ports, job());
const tables = (first: string, other: string, more: Partial<RunRequest> = {}): Promise<Report> =>
  run({ data: { path: first }, against: { data: { path: other } }, ...more });
const fault = async (work: Promise<unknown>): Promise<Fault> => {
  const error = await work.then(
    () => assert.fail('it went through'),
    (e: unknown) => e,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
};
const refused = async (work: Promise<unknown>, code: FaultCode, sentence: RegExp): Promise<void> => {
  const error = await fault(work);
  assert.equal(error.code, code);
  assert.match(error.message, sentence);
};
const valuesOf = (report: Report): Record<string, readonly unknown[]> => {
  const table = report.cards.find((c): c is CardOf<'table'> => c.title === 'Values inside');
  return Object.fromEntries(table?.rows.map((r) => [String(r[1]), r]) ?? []);
};

test('two models on one dataset: each number is that of its own reliability report, from the same rows', async () => {
  const found = await run({ model: model('mlp_digits'), data: digits, against: { model: model('softmax_digits') } });
  assert.equal(found.outcome, 'measured');
  for (const [prefix, name] of [
    ['', 'mlp_digits'],
    ['against_', 'softmax_digits'],
  ]) {
    const own = await diagnose(
      { id: 'reliability', model: model(name), data: digits, options: { nullDraws: 100, bootstrap: 100 }, device: 'cpu', seed: 0 },
      ports,
      job(),
    );
    // Both sum float64 in different orders.
    for (const key of ['accuracy', 'nll', 'brier', 'ece'])
      assert.ok(Math.abs(found.headline[`${prefix}${key}`] - own.headline[key]) < 1e-12, `${prefix}${key}`);
  }
  assert.equal(found.headline.rows, 359);
  // 4 rows that the MLP alone gets right, 2 the softmax regression alone: 2·P(X ≤ 2), X ~ B(6, ½) = 44/64.
  assert.equal(found.headline.mcnemar_p, 44 / 64);
  const { against } = found.provenance;
  assert.deepEqual(
    [against?.modelPath, against?.modelSha256, against?.dataSha256],
    [model('softmax_digits').path, await ports.sha256(model('softmax_digits').path), found.provenance.dataSha256],
  );
  assert.ok(found.samples.length > 20 && found.samples.every((s) => s.picture && s.prediction));
  assert.equal(found.notes.filter((n) => /reshaped to/.test(n)).length, 1);
  assert.deepEqual(JSON.parse(toJson(found)), JSON.parse(JSON.stringify(found)));
});

test('values inside: equal up to the changed bias, and what it changes by', async () => {
  const source = parse(new Uint8Array(readFileSync(model('mlp_digits').path)), 'mlp');
  const last = source.graph.nodes[source.graph.nodes.length - 1];
  const bias = source.graph.initializers.get(last.inputs[2]);
  assert.ok(bias?.bytes);
  const moved = new Float32Array(bias.bytes.slice().buffer);
  moved[0] += 0.5;
  const changed: Constant = { ...bias, bytes: new Uint8Array(moved.buffer) };
  const graph = { ...source.graph, initializers: new Map(source.graph.initializers).set(last.inputs[2], changed) };
  const path = file('moved.onnx', write({ ...source, graph }));
  const found = await run({ model: { path }, data: digits, against: { model: model('mlp_digits') } });
  const values = valuesOf(found);
  const logits = values[last.outputs[0]];
  // Float32 logits of size up to 16 around a step of ½.
  assert.ok(Math.abs(Number(logits[4]) - 0.5) < 1e-5, String(logits[4]));
  assert.equal(logits[7], 'first');
  for (const [name, row] of Object.entries(values))
    if (name !== last.outputs[0]) assert.deepEqual([name, row[4], row[5], row[7]], [name, 0, 0, '']);
  assert.equal(found.headline.values_compared, Object.keys(values).length);
  assert.equal(found.headline.values_deviating, 1);
});

test('a half-precision copy agrees in answers and lies some 2⁻¹¹ away inside', async () => {
  const whole: Model = parse(new Uint8Array(readFileSync(model('lenet_mnist').path)), 'lenet');
  const path = file('half.onnx', write(halved(whole, 'float16')));
  const mnist = { path: fixture('data/t10k-100-images-idx3-ubyte.gz'), labels: fixture('data/t10k-100-labels-idx1-ubyte.gz') };
  const found = await run({ model: { path }, data: mnist, against: { model: model('lenet_mnist') }, options: { deviation: 0.01 } });
  assert.equal(found.headline.disagreement, 0);
  assert.equal(found.headline.values_deviating, 0);
  const { largest_relative_difference: most } = found.headline;
  // Rounding to 11 bits, over a few layers.
  assert.ok(most > 2 ** -13 && most < 0.01, String(most));
  assert.ok(found.headline.values_compared >= 8);
});

test('models of another fixed batch, or of no value in common, are compared all the same', async () => {
  const whole = parse(new Uint8Array(readFileSync(model('lenet_mnist').path)), 'lenet');
  const fixed: Model = {
    ...whole,
    graph: {
      ...whole.graph,
      inputs: whole.graph.inputs.map((i) =>
        i.type?.kind === 'tensor' && i.type.dims ? { ...i, type: { ...i.type, dims: [4, ...i.type.dims.slice(1)] } } : i,
      ),
    },
  };
  const path = file('fixed.onnx', write(fixed));
  const mnist = { path: fixture('data/t10k-100-images-idx3-ubyte.gz'), labels: fixture('data/t10k-100-labels-idx1-ubyte.gz') };
  const found = await run({ model: { path }, data: mnist, against: { model: model('lenet_mnist') } });
  assert.deepEqual([found.headline.disagreement, found.headline.values_deviating], [0, 0]);
  const other = await run({ model: model('lenet_mnist'), data: mnist, against: { model: model('vit_mnist') } });
  assert.equal(other.outcome, 'measured');
});

const csv = (header: string, ...rows: string[]): string => `${header}\n${rows.join('\n')}\n`;
const a = file('a.csv', csv('label,prob_cat,prob_dog', 'cat,0.9,0.1', 'dog,0.2,0.8', 'cat,0.4,0.6', 'dog,0.3,0.7'));

test('tables: classes are matched by name, whatever the order of the columns', async () => {
  const b = file('b.csv', csv('label,prob_dog,prob_cat', 'cat,0.1,0.9', 'dog,0.8,0.2', 'cat,0.6,0.4', 'dog,0.7,0.3'));
  const found = await tables(a, b);
  assert.deepEqual([found.headline.disagreement, found.headline.nll_difference, found.headline.accuracy], [0, 0, 0.75]);
  assert.equal(found.headline.values_compared, undefined);
});

test('tables that are not of the same rows are refused with the row and what differs', async () => {
  const longer = file('longer.csv', csv('label,prob_cat,prob_dog', 'cat,0.9,0.1', 'dog,0.2,0.8'));
  await refused(tables(a, longer), 'data/pair-rows', /'a\.csv' has 4 rows and 'longer\.csv' 2/);
  const turned = file('turned.csv', csv('label,prob_cat,prob_dog', 'cat,0.9,0.1', 'cat,0.2,0.8', 'dog,0.4,0.6', 'dog,0.3,0.7'));
  await refused(tables(a, turned), 'data/pair-order', /In row 1 .* the label is 'dog' in 'a\.csv' and 'cat' in 'turned\.csv'/);
  const [one, two] = ['x', 'y'].map((last) =>
    file(`ids-${last}.csv`, csv('id,label,prob_cat,prob_dog', 'p,cat,0.9,0.1', `${last},dog,0.2,0.8`)),
  );
  await refused(tables(one, two), 'data/pair-order', /id is 'x' in 'ids-x\.csv' and 'y' in 'ids-y\.csv'/);
  const birds = file('birds.csv', csv('label,prob_cat,prob_bird', 'cat,0.9,0.1', 'bird,0.2,0.8', 'cat,0.4,0.6', 'bird,0.3,0.7'));
  await refused(tables(a, birds), 'data/pair-classes', /tells apart the classes cat, dog, 'birds\.csv' cat, bird/);
  const more = file('more.csv', csv('label,prob_cat,prob_dog,prob_emu', ...['cat', 'dog', 'cat', 'dog'].map((l) => `${l},0.5,0.3,0.2`)));
  await refused(tables(a, more), 'data/pair-classes', /\(2\).*\(3\)/);
});

/** A table of predicted numbers: sin and what is added to it. */
const numbers = (name: string, off: (i: number) => number, n = 60): string =>
  file(name, csv('target,prediction', ...Array.from({ length: n }, (_, i) => `${Math.sin(i)},${Math.sin(i) + off(i)}`)));
const scoreNames = ['srcc', 'plcc', 'krcc', 'mae', 'rmse', 'r2', 'bias'];

test('tables of predicted numbers: each score is that of its own report, and the difference that of their runs', async () => {
  const paths = [numbers('near.csv', (i) => 0.1 * Math.cos(7 * i)), numbers('far.csv', (i) => 0.3 * Math.cos(7 * i) + 0.05)] as const;
  const found = await tables(...paths);
  assert.equal(found.outcome, 'measured', found.reason?.sentence);
  const saved: string[] = [];
  for (const [prefix, path] of [
    ['', paths[0]],
    ['against_', paths[1]],
  ]) {
    const own = await diagnose({ id: 'regression-report', data: { path }, options: {}, device: 'cpu', seed: 0 }, ports, job());
    saved.push(file(`${prefix}own.json`, toJson(own)));
    for (const name of [...scoreNames, 'rmse_fit', 'plcc_fit']) assert.equal(found.headline[`${prefix}${name}`], own.headline[name]);
    for (const name of scoreNames) assert.deepEqual(found.intervals[`${prefix}${name}`], own.intervals[name]);
  }
  const kept = await compare({ runs: [saved[0], saved[1]] }, ports, job());
  for (const name of scoreNames) assert.deepEqual(found.intervals[`${name}_difference`], kept.intervals[`${name}_difference`], name);
  // 0.1·|cos| and |0.3·cos + 0.05|: the first is the closer but where these cross.
  assert.ok(found.headline.closer > 45 && found.headline.closer + found.headline.against_closer === 60);
  assert.match(found.guide, /near\.csv is the more accurate/);
  assert.ok(found.cards.some(({ title }) => title === 'Errors of both'));
  assert.equal(found.samples.length, 60);
});

test('tables of predicted numbers that are not of the same rows, or not both numbers, are refused', async () => {
  const one = numbers('one-number.csv', () => 0.1);
  await refused(
    tables(
      one,
      numbers('longer-numbers.csv', () => 0.1, 61),
    ),
    'data/pair-rows',
    /60 rows and .* 61/,
  );
  const moved = file('moved.csv', csv('target,prediction', ...Array.from({ length: 60 }, (_, i) => `${Math.sin(i) + Number(i === 7)},0`)));
  await refused(tables(one, moved), 'data/pair-order', /In row 7 .* the target is /);
  for (const pair of [
    [one, a],
    [a, one],
  ] as const) {
    const { outcome, reason } = await tables(...pair);
    assert.equal(outcome, 'unavailable');
    assert.match(reason?.sentence ?? '', /'.*one-number\.csv' holds predicted numbers, and '.*a\.csv' scores of classes/);
  }
  const { reason } = await tables(one, one, { options: { logits: 'probabilities' } });
  assert.match(reason?.sentence ?? '', /set logits to values/);
  const wide = file('wide.csv', csv('target,prob_a,prob_b', '1,0.5,0.5', '2,0.25,0.75'));
  await refused(tables(wide, wide, { options: { logits: 'values' } }), 'diagnostic/entry', /choose it with entry/);
  assert.equal((await tables(wide, wide, { options: { logits: 'values', entry: 2 } })).headline.mae, (0.5 + 1.25) / 2);
});

test('a target that is missing is left out on both sides; all missing leave nothing', async () => {
  const gaps = (name: string, off: number): string =>
    file(name, csv('target,prediction', ...Array.from({ length: 40 }, (_, i) => `${i % 4 === 0 ? '' : Math.sin(i)},${Math.sin(i) + off}`)));
  const found = await tables(gaps('gaps.csv', 0.1), gaps('gaps-too.csv', -0.2));
  assert.deepEqual([found.headline.rows, found.headline.closer], [30, 30], found.reason?.sentence);
  assert.match(found.notes.join(' '), /10 rows have no target/);
});

test('models that predict numbers are known by their labels, and compared also inside', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => Array.from({ length: 10 }, (_, k) => Math.sin(i * 10 + k) / 20));
  const data = {
    path: file(
      'diabetes.csv',
      csv([...Array.from({ length: 10 }, (_, k) => `x${k}`), 'y'].join(','), ...rows.map((r, i) => [...r, 150 + i].join(','))),
    ),
    y: 'y',
  };
  const found = await run({ model: model('mlp_diabetes'), data, against: { model: model('mlp_diabetes') } });
  assert.equal(found.outcome, 'measured', found.reason?.sentence);
  assert.match(found.notes.join(' '), /are numbers and no classes/);
  assert.deepEqual([found.headline.mae_difference, found.headline.closer, found.headline.values_deviating], [0, 0, 0]);
  assert.match(found.guide, /On all 40 rows both are off by the same/);
});

test('a table whose rows are broken is refused, and the other side does not hang', async () => {
  const broken = file('broken.csv', csv('label,prob_cat,prob_dog', 'cat,0.9,0.1', 'dog,0.2,0.8', 'cat,nan,0.6', 'dog,0.3,0.7'));
  await refused(tables(a, broken), 'data/not-finite', /'.*broken\.csv'.*row 2/);
  await refused(tables(broken, a), 'data/not-finite', /'.*broken\.csv'.*row 2/);
  const unlabelled = file('unlabelled.csv', csv('prob_cat,prob_dog', '0.9,0.1', '0.2,0.8', '0.4,0.6', '0.3,0.7'));
  assert.equal((await tables(a, unlabelled)).headline.disagreement, 0);
  const reversed = await tables(unlabelled, a);
  assert.deepEqual([reversed.outcome, reversed.reason?.code], ['unavailable', 'evidence/no-labels']);
});

test('two are asked for, and only by who compares two', async () => {
  await refused(run({ data: { path: a } }), 'option/against', /name the other with against/);
  const against: AgainstRef = { data: { path: a } };
  await refused(
    diagnose({ id: 'reliability', data: { path: a }, against, options: {}, device: 'cpu', seed: 0 }, ports, job()),
    'option/no-against',
    /'reliability' looks at one/,
  );
});

test('as a check: against names a model or a dataset, and gates hold on the difference', async () => {
  cpSync(fixture('models/mlp_digits.onnx'), join(folder, 'mlp.onnx'));
  cpSync(fixture('models/softmax_digits.onnx'), join(folder, 'softmax.onnx'));
  cpSync(fixture('data/digits.npz'), join(folder, 'digits.npz'));
  const check = (name: string, more: object): object => ({
    name,
    run: 'compare-models',
    model: 'mlp',
    data: 'test',
    options: { bootstrap: 200 },
    ...more,
  });
  const content = {
    models: { mlp: { path: 'mlp.onnx' }, softmax: { path: 'softmax.onnx' } },
    datasets: {
      test: { path: 'digits.npz', split: 'test', preprocess: { scale: 0.0625 } },
      raw: { path: 'digits.npz', split: 'test', preprocess: { scale: 1 } },
      preds: { path: 'a.csv' },
    },
    checks: [
      check('no worse', {
        against: 'softmax',
        expect: { accuracy_difference: { min: -0.02, bound: 'lower' }, nll_difference: { max: 0 } },
      }),
      check('better', { against: 'softmax', expect: { accuracy_difference: { min: 0, bound: 'lower' } } }),
      check('out of scale', { against: 'mlp', againstData: 'raw', expect: { nll_difference: { max: -0.01, bound: 'upper' } } }),
      { name: 'tables', run: 'compare-models', data: 'preds', against: 'preds', expect: { disagreement: { max: 0 } } },
      check('alone', {}),
    ],
  };
  const path = file('assay.json', JSON.stringify(content));
  const { checks } = await suite({ path, device: 'cpu', seed: 0 }, ports, job());
  assert.deepEqual(
    checks.map(({ name, status }) => [name, status]),
    [
      ['no worse', 'passed'],
      ['better', 'failed'],
      ['out of scale', 'passed'],
      ['tables', 'passed'],
      ['alone', 'error'],
    ],
    checks.map((c) => c.sentence).join('\n'),
  );
  const typo = file('typo.json', JSON.stringify({ ...content, checks: [check('typo', { against: 'softmx' })] }));
  await refused(suite({ path: typo, device: 'cpu', seed: 0 }, ports, job()), 'suite/name', /against names the .*Did you mean 'softmax'/);
});

const saved = async (name: string, id: string, of: string, options: Record<string, unknown> = {}): Promise<string> =>
  file(name, toJson(await diagnose({ id, model: model(of), data: digits, options, device: 'cpu', seed: 0 }, ports, job())));
const runs = (first: string, other: string): Promise<Report> => compare({ runs: [first, other] }, ports, job());

test('saved runs: number by number, card by card, with the interval of two independent estimates', async () => {
  const [one, two] = [
    await saved('one.json', 'confusion-matrix', 'mlp_digits'),
    await saved('two.json', 'confusion-matrix', 'softmax_digits'),
  ];
  const found = await runs(one, two);
  // Each report counts answers right: 352 and 350 of 359.
  assert.deepEqual([found.headline.accuracy, found.headline.against_accuracy], [352 / 359, 350 / 359]);
  assert.equal(found.headline.accuracy_difference, 352 / 359 - 350 / 359);
  const { low, high } = found.intervals.accuracy_difference;
  // MOVER by hand, from the Wilson intervals 0.960305 to 0.990523 of 352/359 and 0.953049 to 0.986756 of 350/359, six digits.
  assert.ok(Math.abs(low - (2 / 359 - Math.hypot(352 / 359 - 0.960305, 0.986756 - 350 / 359))) < 1e-6, String(low));
  assert.ok(Math.abs(high - (2 / 359 + Math.hypot(0.990523 - 352 / 359, 350 / 359 - 0.953049))) < 1e-6, String(high));
  const grid = found.cards.find((c): c is CardOf<'heatmap'> => c.kind === 'heatmap');
  assert.equal(grid?.title, 'Confusion matrix: difference');
  assert.equal(
    grid?.layers[0].values.reduce<number>((sum, v, i) => sum + (i % 11 === 0 ? (v ?? 0) : 0), 0),
    2,
  );
  const classes = found.cards.find((c): c is CardOf<'table'> => c.title === 'Classes');
  assert.equal(classes?.rows.length, 10);
  assert.match(found.notes.join(' '), /on the same rows/);
  assert.match(found.guide, /none of these differs by more than chance/);
  const same = await runs(one, one);
  assert.match(same.guide, /are equal/);
});

test('a kept run and a suite of one check are read as runs; options that differ are told', async () => {
  const one = await saved('bins15.json', 'reliability', 'mlp_digits', { nullDraws: 100, bootstrap: 100 });
  const two = await saved('bins10.json', 'reliability', 'mlp_digits', { bins: 10, nullDraws: 100, bootstrap: 100 });
  const kept = file('report.json', JSON.stringify({ reports: [JSON.parse(readFileSync(two, 'utf8'))] }));
  const found = await runs(one, kept);
  assert.match(found.notes.join(' '), /Options differ.*bins 15 and 10/);
  assert.match(found.notes.join(' '), /same model file/);
});

test('runs that say nothing of each other are refused, and files that are none', async () => {
  const [one, two] = [await saved('r.json', 'reliability', 'mlp_digits', { nullDraws: 100, bootstrap: 100 }), join(folder, 'one.json')];
  await refused(runs(one, two), 'report/incomparable', /different diagnostics, 'reliability' and 'confusion-matrix'/);
  await refused(runs(one, fixture('reports/unavailable.json')), 'report/incomparable', /the other measured nothing \(unavailable/);
  await refused(runs(one, file('none.json', 'no JSON')), 'report/unreadable', /it is not JSON/);
  await refused(runs(one, file('two-reports.json', JSON.stringify({ reports: [{}, {}] }))), 'report/unreadable', /it holds 2 reports/);
  await refused(runs(one, join(folder, 'nowhere.json')), 'file/missing', /does not exist/);
});

test('comparisons are not compared again', async () => {
  const one = await saved('again.json', 'confusion-matrix', 'mlp_digits');
  const twice = file('twice.json', toJson(await runs(one, one)));
  await refused(runs(twice, twice), 'report/incomparable', /one subject each, and a comparison was given/);
  const pair = file('pair.json', toJson(await tables(a, a)));
  await refused(runs(pair, pair), 'report/incomparable', /one subject each/);
});

test('MOVER: no interval without both, or at different levels', () => {
  const of = (low: number, high: number, level = 0.95) => ({ low, high, level, method: '' });
  assert.equal(differenceInterval(1, undefined, 2, of(1, 3)), undefined);
  assert.equal(differenceInterval(1, of(0, 2), 2, of(1, 3, 0.9)), undefined);
  // 3-4-5: distances of 3 and 4 on either side.
  assert.deepEqual(differenceInterval(10, of(7, 14), 4, of(1, 8)), { low: 1, high: 11, level: 0.95, method: 'MOVER, as if independent' });
});
