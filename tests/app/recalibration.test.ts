import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { calibratedModel } from '../../src/app/calibrated-model.ts';
import { diagnose } from '../../src/app/diagnose.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { openSubject } from '../../src/app/subject.ts';
import { runSuite } from '../../src/app/suite.ts';
import { type Calibration, calibrate } from '../../src/base/calibration.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { float32, type TensorData } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { recalibrators as all } from '../../src/diagnostics/calibration/recalibration-index.ts';
import { perturbationsOf } from '../../src/diagnostics/calibration/recalibration-perturb.ts';
import { nouns } from '../../src/evidence/plan.ts';
import { perturbed } from '../../src/evidence/providers/perturbed.ts';
import { parse } from '../../src/graph/parse.ts';
import type { Node } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { CardOf, Report } from '../../src/report/report.ts';
import { graph, model, node, value } from '../graph/build.ts';

const recalibrators = all.flatMap((r) => ('fit' in r ? [r] : []));
const ports = await world();
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const folder = mkdtempSync(join(tmpdir(), 'assay-recalibration-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string): string => join(folder, name);
const save = (name: string, content: Uint8Array | string): string => {
  writeFileSync(place(name), content);
  return place(name);
};
const jobOf = (): AppJob & { readonly notes: string[] } => ({ ...quietJob(), live: () => {} });
const quick = { nullDraws: 100, bootstrap: 100 };
const run = (of: Partial<RunRequest> & Pick<RunRequest, 'data'>, job = jobOf()): Promise<Report> =>
  diagnose({ id: 'recalibration', device: 'cpu', seed: 0, ...of, options: { ...quick, ...of.options } }, ports, job);
const code =
  (expected: string, words = /./) =>
  (error: unknown) =>
    error instanceof Fault && error.code === expected && words.test(error.message);

const digits = { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } };
const softmaxDigits = { path: fixture('models/softmax_digits.onnx') };

/** Overconfident logits of rows whose labels are drawn from softmax(z/T). */
const drawn = (rows: number, classes: number, temperature: number): { readonly z: Float32Array; readonly y: BigInt64Array } => {
  const r = random(3, 'recalibration');
  const z = Float32Array.from({ length: rows * classes }, () => 3 * r.normal());
  const y = BigInt64Array.from({ length: rows }, (_, i) => {
    const weights = Array.from(z.subarray(i * classes, (i + 1) * classes), (v) => Math.exp(v / temperature));
    let left = r.next() * weights.reduce((s, w) => s + w, 0);
    let at = 0;
    for (; at < classes - 1 && left >= weights[at]; at++) left -= weights[at];
    return BigInt(at);
  });
  return { z, y };
};
const arrays = (name: string, entries: Record<string, readonly [TensorData, ...number[]]>): string =>
  save(
    name,
    writeNpz(
      Object.fromEntries(
        Object.entries(entries).map(([key, [data, ...dims]]) => [
          key,
          { dtype: data instanceof BigInt64Array ? 'int64' : 'float32', dims, data },
        ]),
      ),
    ),
  );

/** Output forms: what follows the input z, the shape of the output, and classes. */
const forms: readonly {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly dims: readonly (number | string)[];
  readonly classes: number;
}[] = [
  { name: 'logits', nodes: [node('Identity', ['x'], ['out'])], dims: ['N', 4], classes: 4 },
  { name: 'log-probabilities', nodes: [node('LogSoftmax', ['x'], ['out'])], dims: ['N', 4], classes: 4 },
  { name: 'probabilities', nodes: [node('Softmax', ['x'], ['out'])], dims: ['N', 4], classes: 4 },
  { name: 'a column of probabilities', nodes: [node('Sigmoid', ['x'], ['out'])], dims: ['N', 1], classes: 2 },
  { name: 'a column of logits', nodes: [node('Identity', ['x'], ['out'])], dims: ['N', 1], classes: 2 },
  {
    name: 'logits read inside as well',
    nodes: [node('Identity', ['x'], ['out']), node('ArgMax', ['out'], ['answer'])],
    dims: ['N', 4],
    classes: 4,
  },
];

for (const { name, nodes, dims, classes } of forms) {
  for (const opset of [11, 21]) {
    test(`${name}, operator set ${opset}: every calibrator in the graph gives the host’s probabilities`, async () => {
      const cols = Number(dims[1]);
      const rows = 300;
      const { z, y } = drawn(rows, cols, 2);
      const labels = Int32Array.from(y, (v, i) => (cols === 1 ? Number(z[i] / 2 + 3 * Math.sin(i) > 0) : Number(v)));
      const outputs = [value('out', dims), ...(nodes.length > 1 ? [value('answer', [1, 4], 'int64')] : [])];
      const original = model(graph([value('x', dims)], nodes, outputs), opset);
      const bytes = write(original);
      const before = await ports.runtime.open(bytes, { device: 'cpu', name });
      const out = (await before.session.run({ x: float32([rows, cols], z) }, ['out'])).out;
      const meaning = { scores: /prob/.test(name) && !/^log/.test(name) ? 'probabilities' : 'logits', binary: cols === 1 } as const;
      const made = {
        rows: Float64Array.from({ length: rows }, (_, i) => i),
        scores: { rows, cols, data: Float64Array.from(out.data as Float32Array) },
        meaning,
      };
      const { logits } = nouns(made, ['logits']);
      assert.ok(logits);
      for (const { id, fit } of recalibrators) {
        const calibration = fit({ classes, scores: logits.data, labels }, { bins: 15, l2: 0, odir: 0.01 });
        const saved = mustVerify(
          calibratedModel(parse(bytes, name), 'out', meaning, classes, calibration, new Map([['assay.calibration', id]])),
        );
        assert.deepEqual(saved.graph.inputs, parse(bytes, name).graph.inputs);
        assert.deepEqual(saved.graph.outputs, parse(bytes, name).graph.outputs);
        assert.deepEqual([saved.opsets, saved.irVersion, saved.producer], [original.opsets, original.irVersion, original.producer]);
        const { session } = await ports.runtime.open(write(saved), { device: 'cpu', name: id });
        const found = (await session.run({ x: float32([rows, cols], z) }, ['out'])).out;
        assert.deepEqual(found.dims, out.dims);
        const { probs } = nouns({ ...made, scores: { rows, cols, data: Float64Array.from(found.data as Float32Array) } }, ['probs']);
        const wanted = calibrate(calibration, logits.data, classes, 0, rows).probs;
        const off = wanted.reduce((most, p, i) => Math.max(most, Math.abs(p - (probs?.data[i] ?? Number.NaN))), 0);
        assert.ok(off < 1e-6, `${id}: probabilities differ by ${off}`);
        await session.release();
      }
      await before.session.release();
    });
  }
}

test('what cannot carry a calibrator is refused', () => {
  const meaning = { scores: 'logits', binary: false } as const;
  const fit = { kind: 'affine', weights: Float64Array.of(2), biases: new Float64Array(2) } as const;
  const of = (output: string, opset: number) =>
    calibratedModel(
      model(graph([value('x', ['N', 2])], [node('Identity', ['x'], ['y'])], ['y']), opset),
      output,
      meaning,
      2,
      fit,
      new Map(),
    );
  assert.throws(() => of('y', 8), code('graph/calibrator', /operator set 8, below 9/));
  assert.throws(() => of('x', 18), code('graph/calibrator', /no node computes it/));
});

test('digits: a saved model, diagnosed again, has the numbers of the kept calibrator', async () => {
  const out = place('calibrated.onnx');
  const fit = await run({
    model: softmaxDigits,
    data: { ...digits, split: '@test_idx' },
    options: { method: 'temperature', fitOn: '@train_idx', save: out },
  });
  assert.equal(fit.outcome, 'measured');
  const again = await diagnose(
    { id: 'reliability', model: { path: out }, data: digits, options: quick, device: 'cpu', seed: 0 },
    ports,
    jobOf(),
  );
  for (const [key, expected] of [
    ['nll', fit.headline.nll_after],
    ['brier', fit.headline.brier_after],
    ['ece', fit.headline.ece_after],
  ] as const)
    assert.ok(Math.abs(again.headline[key] - expected) < 1e-6, `${key}: ${again.headline[key]} is not ${expected}`);
  assert.equal(fit.headline.accuracy_after, fit.headline.accuracy_before);
  assert.equal(fit.headline.flips, 0);
  const source = await ports.source(out);
  const { metadata } = parse(await source.read(0, source.size, new AbortController().signal), 'calibrated.onnx');
  const facts = JSON.parse(metadata.get('assay.calibration') ?? '{}');
  assert.deepEqual(
    { method: facts.method, fittedOn: facts.fittedOn, fittedRows: facts.fittedRows, model: facts.model, sha: facts.modelSha256 },
    { method: 'temperature', fittedOn: '@train_idx', fittedRows: 1438, model: 'softmax_digits.onnx', sha: fit.provenance.modelSha256 },
  );
});

test('a table of logits: the temperature its labels were drawn with, all calibrators in one table', async () => {
  const { z, y } = drawn(4000, 5, 2);
  const job = jobOf();
  const report = await run(
    {
      data: { path: arrays('table.npz', { logits: [z, 4000, 5], y: [y, 4000] }) },
      options: { method: 'all', epochs: 20, temperatures: 4 },
    },
    job,
  );
  assert.equal(report.outcome, 'measured');
  // The standard error of the temperature is about 0.05 on 4000 rows.
  assert.ok(Math.abs(report.headline.temperature - 2) < 0.15, String(report.headline.temperature));
  assert.ok(report.intervals.nll_change.high < 0 && report.headline.ece_after < report.headline.ece_before / 3);
  const [table] = report.cards;
  assert.ok(table.kind === 'table');
  assert.deepEqual(
    table.rows.map(([title]) => title),
    ['As it is', 'Temperature scaling (chosen)', ...all.slice(1).flatMap(({ id, title }) => (id === 'correctness-aware' ? [] : [title]))],
  );
  assert.match(report.guide, /Keep it: the gain is more than noise/);
  assert.match(report.notes.join(), /'correctness-aware' asks the model itself/);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test('rows in another order are dealt to the same folds', async () => {
  const { z, y } = drawn(200, 3, 2);
  const data = {
    path: arrays('order.npz', { logits: [z, 200, 3], y: [y, 200], up: [BigInt64Array.from({ length: 200 }, (_, i) => BigInt(i)), 200] }),
  };
  const [one, two] = await Promise.all([run({ data }), run({ data: { ...data, split: '@up' } })]);
  assert.deepEqual(one.headline, two.headline);
  const other = await run({ data, seed: 1 });
  assert.notEqual(other.headline.nll_after, one.headline.nll_after);
});

test('well calibrated probabilities: the report says to leave them', async () => {
  const { z, y } = drawn(1500, 3, 1);
  const report = await run({ data: { path: arrays('fine.npz', { logits: [z, 1500, 3], y: [y, 1500] }) } });
  assert.match(report.guide, /not more than noise: keep the model as it is/);
});

test('a calibrator that makes things worse is said to', async () => {
  const report = await run({ model: softmaxDigits, data: digits, options: { method: 'platt' } });
  assert.ok(report.intervals.nll_change.low > 0);
  assert.match(report.guide, /The loss rises by more than noise: keep the model as it is/);
});

test('changed predictions are counted, listed and shown', async () => {
  const report = await run({ model: softmaxDigits, data: digits, options: { method: 'vector' } });
  const flips = report.cards.find((c): c is CardOf<'table'> => c.kind === 'table' && c.title === 'Predictions that change');
  assert.equal(flips?.rows.length, report.headline.flips);
  assert.ok(report.headline.flips > 0);
  const rows = new Set(report.samples.map((s) => s.row));
  assert.ok(flips?.rows.every(([row]) => rows.has(Number(row))));
  const right = flips.rows.filter(([, label, before]) => label === before).length;
  const gained = flips.rows.filter(([, label, , now]) => label === now).length;
  assert.ok(Math.abs(report.headline.accuracy_after - report.headline.accuracy_before - (gained - right) / 359) < 1e-12);
});

test('bad input is named', async () => {
  const { z, y } = drawn(40, 2, 2);
  const entries = { logits: [z, 40, 2], y: [y, 40] } as const;
  const data = { path: arrays('bad.npz', { ...entries, few: [BigInt64Array.of(1n, 2n), 2] }) };
  await assert.rejects(run({ data, options: { save: place('x.onnx') } }), code('option/without-model', /'save'/));
  await assert.rejects(run({ data, options: { folds: 30 } }), code('diagnostic/folds', /40 rows.*30 folds/));
  await assert.rejects(run({ data: { ...data, split: '@few' }, options: { fitOn: '@few' } }), code('diagnostic/calibration-empty', /@few/));
  await assert.rejects(
    run({ model: softmaxDigits, data: digits, options: { save: softmaxDigits.path } }),
    code('file/overwrites', /softmax_digits/),
  );
  const all = {
    path: arrays('right.npz', {
      logits: [Float32Array.from({ length: 40 }, (_, i) => Number(i % 4 === 0 || i % 4 === 3)), 20, 2],
      y: [BigInt64Array.from({ length: 20 }, (_, i) => BigInt(i % 2)), 20],
    }),
  };
  await assert.rejects(run({ data: all, options: { method: 'temperature' } }), code('diagnostic/separable', /all 20 rows/));
  const some = await run({ data: all });
  assert.match(some.notes.join('\n'), /Temperature scaling cannot be fitted/);
  const one = { path: arrays('one.npz', { logits: [z, 40, 2], y: [new BigInt64Array(40), 40] }) };
  await assert.rejects(run({ data: one }), code('diagnostic/one-class', /same label/));
  const none = await run({ data: { path: arrays('none.npz', { logits: [z, 40, 2] }) } });
  assert.equal(none.reason?.code, 'evidence/no-labels');
});

test('rows both shown and fitted on are left out of the fit, and the report says so', async () => {
  const { z, y } = drawn(60, 2, 2);
  const numbers = (from: number, to: number) => BigInt64Array.from({ length: to - from }, (_, i) => BigInt(from + i));
  const path = arrays('overlap.npz', { logits: [z, 60, 2], y: [y, 60], a: [numbers(0, 30), 30], b: [numbers(20, 60), 40] });
  const report = await run({ data: { path, split: '@a' }, options: { fitOn: '@b', method: 'temperature' } });
  assert.deepEqual([report.headline.rows, report.headline.fitted_rows], [30, 30]);
  assert.match(report.notes.join('\n'), /10 rows of split '@b' are among those shown/);
});

test('assay.json: save is taken from the folder of the file, gates from the headline', async () => {
  const suite = save(
    'assay.json',
    JSON.stringify({
      models: { m: { path: softmaxDigits.path } },
      datasets: { d: digits },
      checks: [
        {
          name: 'worth it',
          run: 'recalibration',
          model: 'm',
          data: 'd',
          options: { ...quick, method: 'temperature', save: 'made/here.onnx' },
          expect: { nll_change: { max: 0, bound: 'upper' } },
        },
      ],
    }),
  );
  const { checks } = await runSuite({ path: suite, device: 'cpu', seed: 0 }, ports, jobOf());
  assert.equal(checks[0].status, 'passed', checks[0].sentence);
  assert.ok((await ports.source(place('made/here.onnx'))).size > 0);
});

const classes4 = (rows: number) => {
  const { z, y } = drawn(rows, 4, 2);
  return { rows, z, labels: Int32Array.from(y, Number) };
};
const hand: readonly Calibration[] = [
  { kind: 'mixture', scales: Float64Array.of(0.3, 1.5), weights: Float64Array.of(0.4, 0.6) },
  { kind: 'monotone', width: 1, slopes: Float64Array.from({ length: 100 }, (_, k) => 0.2 + (k % 5)) },
];

for (const opset of [11, 13, 21]) {
  test(`maps of all logits in a graph of operator set ${opset} give the host’s probabilities`, async () => {
    const { rows, z } = classes4(120);
    const bytes = write(model(graph([value('x', ['N', 4])], [node('Identity', ['x'], ['out'])], [value('out', ['N', 4])]), opset));
    for (const calibration of hand) {
      const saved = mustVerify(calibratedModel(parse(bytes, 'm'), 'out', { scores: 'logits', binary: false }, 4, calibration, new Map()));
      const { session } = await ports.runtime.open(write(saved), { device: 'cpu', name: calibration.kind });
      const found = (await session.run({ x: float32([rows, 4], z) }, ['out'])).out.data as Float32Array;
      const { logProbs } = calibrate(calibration, z, 4, 0, rows);
      for (let k = 0; k < found.length; k++) assert.ok(Math.abs(Math.exp(found[k]) - Math.exp(logProbs[k])) < 1e-6, calibration.kind);
      await session.release();
    }
  });
}

test('correctness-aware: a saved model, diagnosed again, has the numbers of the kept calibrator, and keeps its ends', async () => {
  const out = place('correctness.onnx');
  const fit = await run({
    model: softmaxDigits,
    data: { ...digits, split: '@test_idx' },
    options: { method: 'correctness-aware', fitOn: '@train_idx', steps: 200, save: out },
  });
  assert.equal(fit.outcome, 'measured');
  assert.equal(fit.headline.flips, 0);
  assert.equal(fit.headline.accuracy_after, fit.headline.accuracy_before);
  const again = await diagnose(
    { id: 'reliability', model: { path: out }, data: digits, options: quick, device: 'cpu', seed: 0 },
    ports,
    jobOf(),
  );
  // Features pass through float32 pictures and logits; what is changed there by rounding moves a temperature by as little.
  for (const [key, expected] of [
    ['nll', fit.headline.nll_after],
    ['brier', fit.headline.brier_after],
    ['ece', fit.headline.ece_after],
  ] as const)
    assert.ok(Math.abs(again.headline[key] - expected) < 1e-5, `${key}: ${again.headline[key]} is not ${expected}`);
  const read = async (path: string) => {
    const source = await ports.source(path);
    return parse(await source.read(0, source.size, new AbortController().signal), path);
  };
  assert.match(fit.guide, /Temperature scaling alone takes it to/);
  const [one, two] = [await read(softmaxDigits.path), await read(out)];
  assert.deepEqual(two.graph.inputs, one.graph.inputs);
  assert.deepEqual(two.graph.outputs, one.graph.outputs);
  const titles = fit.cards.map(({ title }) => title);
  for (const title of [
    'Reliability diagram, before',
    'Reliability diagram, after: temperature scaling',
    'Reliability diagram, after: correctness-aware calibration',
    'Temperatures of rows',
    'Narrow errors',
    'Local calibration error',
    'Training: Correctness-aware loss',
  ])
    assert.ok(titles.includes(title), title);
});

test('correctness-aware: three times the same view is three equal blocks, and rows of numbers need named changes', async () => {
  const model = { path: fixture('models/mlp_breast_cancer.onnx') };
  const data = { path: fixture('data/breast_cancer.npz') };
  await assert.rejects(
    run({ model, data, options: { method: 'correctness-aware' } }),
    code('diagnostic/unnamed-perturbations', /noise=0\.1/),
  );
  const report = await run({
    model,
    data,
    options: { method: 'correctness-aware', perturbations: 'identity,identity,identity', steps: 20 },
  });
  assert.match(report.notes.join(), /There are 2 classes, so topK is 2/);
  const opened = await openSubject({ model, data, device: 'cpu', limit: 2 }, ports, jobOf());
  assert.ok(opened.model);
  const { score, ends } = opened.model;
  const meaning = { scores: 'logits', binary: false } as const;
  const tool = perturbed({ id: 'x', shown: opened.bound, split: opened.split, meaning, model: { score, input: ends.input } }, jobOf());
  const { x } = await opened.bound.take([0, 1], jobOf().signal);
  assert.ok(x);
  const table = { classes: 2, rows: Float64Array.of(0, 1), labels: Int32Array.of(0, 0), logits: (await score(x)).data };
  const views = { perturbations: perturbationsOf('identity,identity,identity', [30], (name) => random(0, name)), topK: 2 };
  const features = await tool.features('', table, views);
  for (const row of [0, 6]) {
    assert.deepEqual(features.slice(row, row + 2), features.slice(row + 2, row + 4));
    assert.deepEqual(features.slice(row, row + 2), features.slice(row + 4, row + 6));
    assert.ok(features[row] >= features[row + 1] && Math.abs(features[row] + features[row + 1] - 1) < 1e-12);
  }
  await opened.close();
});
