import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose, diagnoseAll } from '../../src/app/diagnose.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { int } from '../../src/base/option.ts';
import type { RunRequest } from '../../src/base/request.ts';
import type { Dataset } from '../../src/data/define.ts';
import { type Diagnostic, defineFold, defineStudy } from '../../src/diagnostics/define.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';

const ports = await world();
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const folder = mkdtempSync(join(tmpdir(), 'assay-diagnose-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const jobOf = (signal?: AbortSignal): AppJob & { readonly notes: string[] } => ({
  ...quietJob(),
  ...(signal ? { signal } : {}),
  live: () => {},
});
const request = (of: Partial<RunRequest> & Pick<RunRequest, 'id' | 'data'>): RunRequest => ({ options: {}, device: 'cpu', seed: 0, ...of });
const digits = { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } };
const model = (name: string): { readonly path: string } => ({ path: fixture(`models/${name}.onnx`) });

// Accuracy, NLL, Brier and ECE (15 equal-width bins) of the whole test split, computed with PyTorch from the same float32
// weights: float32 logits differ in the last digits, so 1e-6 is asked for where they enter.
for (const [name, accuracy, nll, brier, ece] of [
  ['mlp_digits', 352 / 359, 0.057875919499938304, 0.0269464543343336, 0.016794898653306075],
  ['softmax_digits', 350 / 359, 0.11414442740908314, 0.049152328288266156, 0.0507702532731279],
  ['lstm_digits', 351 / 359, 0.0949012509615323, 0.045506978136159414, 0.03025783917839285],
] as const) {
  test(`${name}: the scores that PyTorch computed`, async () => {
    const report = await diagnose(
      request({ id: 'reliability', model: model(name), data: digits, options: { bins: '15' } }),
      ports,
      jobOf(),
    );
    assert.equal(report.outcome, 'measured');
    assert.equal(report.headline.accuracy, accuracy);
    for (const [key, value] of Object.entries({ nll, brier, ece }))
      assert.ok(Math.abs(report.headline[key] - value) < 1e-6, `${key} ${report.headline[key]}`);
  });
}

test('a report is whole: provenance, notes, samples with pictures, JSON without NaN', async () => {
  const report = await diagnose(request({ id: 'confusion-matrix', model: model('mlp_digits'), data: digits, seed: 5 }), ports, jobOf());
  const { provenance } = report;
  assert.equal(provenance.modelSha256, await ports.sha256(model('mlp_digits').path));
  assert.equal(provenance.dataSha256, 'dd0327f3b24ddd647d17326ea4b5671c973681183d5e27bb24ebe0c1707c31d0');
  assert.deepEqual([provenance.rows, provenance.seed, provenance.split, provenance.device.actual], [359, 5, 'test', 'cpu']);
  assert.deepEqual(Object.keys(provenance.versions), ['assay', 'onnxruntime', 'node']);
  assert.ok(provenance.seconds > 0 && !Number.isNaN(Date.parse(provenance.startedAt)));
  assert.match(report.notes.join('\n'), /reshaped to \[1, 8, 8\][\s\S]*Inputs seen by the model range from 0 to 1/);
  assert.equal(report.headline.rows, 359);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  const rows = report.samples.map((s) => s.row);
  assert.deepEqual(
    rows,
    [...new Set(rows)].sort((a, b) => a - b),
  );
  assert.ok(rows.length > 50 && rows.length <= 600);
  for (const s of report.samples) {
    assert.deepEqual([s.picture?.width, s.picture?.height, s.picture?.channels], [8, 8, 1]);
    assert.ok(s.label !== undefined && s.prediction !== undefined && (s.confidence ?? 0) > 0.1);
  }
  const wrong = report.samples.filter((s) => s.label !== s.prediction);
  assert.equal(wrong.length, 7);
});

test('the same rows out of scale keep their accuracy, and the report warns', async () => {
  const raw = await diagnose(
    request({ id: 'confusion-matrix', model: model('mlp_digits'), data: { path: digits.path, split: 'test' } }),
    ports,
    jobOf(),
  );
  assert.ok(raw.headline.accuracy > 0.95);
  assert.match(raw.notes.join('\n'), /range from 0 to 16\. Image models are mostly trained on 0\.\.1/);
});

test('tables of predictions give what the model gives', async () => {
  const data = { path: file('p.csv', 'label,prob_a,prob_b\na,0.9,0.1\nb,0.4,0.6\nb,0.7,0.3\na,0.8,0.2\n') };
  const report = await diagnose(request({ id: 'confusion-matrix', data }), ports, jobOf());
  assert.deepEqual([report.outcome, report.headline.accuracy, report.provenance.device.actual], ['measured', 0.75, 'none']);
  assert.equal(report.provenance.modelSha256, undefined);
  const score = { path: file('s.csv', 'label,score\n0,-1.5\n1,2\n1,-0.5\n') };
  const logit = await diagnose(request({ id: 'confusion-matrix', data: score }), ports, jobOf());
  assert.equal(logit.headline.accuracy, 2 / 3);
  assert.match(logit.notes.join(), /logit of class 1/);
});

test('what the subject cannot give is unavailable, with the reason', async () => {
  const unavailable = async (ask: RunRequest, code: string): Promise<void> => {
    const { outcome, reason, headline } = await diagnose(ask, ports, jobOf());
    assert.deepEqual([outcome, reason?.code, headline], ['unavailable', code, {}]);
  };
  const unlabelled = { path: file('u.csv', 'prob_a,prob_b\n0.5,0.5\n') };
  await unavailable(request({ id: 'reliability', data: unlabelled }), 'evidence/no-labels');
  await unavailable(request({ id: 'saliency', data: { path: file('q.csv', 'label,prob_a,prob_b\na,0.5,0.5\n') } }), 'evidence/no-model');
  const text = file('ids.csv', `${Array.from({ length: 32 }, (_, i) => `w${i}`).join(',')},y\n${new Array(32).fill(5).join(',')},1\n`);
  // Tokens are attributed at their embeddings.
  const tokens = await diagnose(request({ id: 'saliency', model: model('text_sms'), data: { path: text } }), ports, jobOf());
  assert.deepEqual([tokens.outcome, tokens.cards.some((c) => c.kind === 'text')], ['measured', true]);
});

test('wrong input is thrown, and names what is wrong', async () => {
  const thrown = (of: Partial<RunRequest>, code: string, message: RegExp): Promise<void> =>
    assert.rejects(
      diagnose(request({ id: 'confusion-matrix', model: model('mlp_digits'), data: digits, ...of }), ports, jobOf()),
      (e) => e instanceof Fault && e.code === code && message.test(e.message),
    );
  await thrown({ id: 'confusion-matrx' }, 'id/unknown', /Did you mean 'confusion-matrix'/);
  await thrown({ options: { confidence: 1 } }, 'option/unknown', /confidence/);
  await thrown({ model: { path: fixture('data/iris.csv') } }, 'graph/not-onnx', /iris\.csv/);
  await thrown({ model: { path: fixture('models/none.onnx') } }, 'file/missing', /none\.onnx/);
  await thrown({ model: { path: fixture('models') } }, 'file/directory', /models/);
  await thrown({ model: model('lenet_mnist') }, 'data/shape', /\[64\].*\[1, 28, 28\]/);
  await thrown({ data: { ...digits, y: 'target' } }, 'data/column', /target/);
  await thrown({ model: { ...model('mlp_digits'), labels: ['a', 'b'] } }, 'data/classes', /2 class names.*10 classes/);
  await thrown({ model: { ...model('mlp_digits'), output: 'logit' } }, 'id/unknown', /Did you mean 'logits'/);
  const labels = file('bad.csv', `label,prob_a,prob_b\n0,0.5,0.5\n9,0.5,0.5\n`);
  await assert.rejects(
    diagnose(request({ id: 'reliability', data: { path: labels } }), ports, jobOf()),
    (e) => Fault.is(e, 'data/label-range') && /row 1 with label 9/.test(e.message),
  );
  const sums = file('sum.csv', 'label,prob_a,prob_b\n0,0.5,0.5\n1,0.5,0.33\n');
  await assert.rejects(
    diagnose(request({ id: 'reliability', data: { path: sums } }), ports, jobOf()),
    (e) => Fault.is(e, 'data/not-probabilities') && /row 1 sums to 0\.83/.test(e.message),
  );
});

test('class names that training wrote into the model are used', async () => {
  const { parse } = await import('../../src/graph/parse.ts');
  const { write } = await import('../../src/graph/write.ts');
  const bytes = readFileSync(model('mlp_digits').path);
  const names = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  const named = join(folder, 'named.onnx');
  writeFileSync(named, write({ ...parse(bytes, 'mlp_digits.onnx'), metadata: new Map([['classes', JSON.stringify(names)]]) }));
  const report = await diagnose(request({ id: 'confusion-matrix', model: { path: named }, data: digits }), ports, jobOf());
  const grid = report.cards.find((c) => c.kind === 'heatmap');
  assert.deepEqual(grid?.rows.names, names);
  assert.equal(report.samples[0].label, 'one');
});

/** Counts rows; fails where told to. */
const counting = (id: string, failAt = Number.POSITIVE_INFINITY): Diagnostic =>
  defineFold({
    id,
    title: id,
    family: 'metrics',
    question: '?',
    source: 'none',
    options: { times: int({ default: 1, min: 1, max: 9, help: 'Times.' }) },
    needs: ['rows'],
    start: () => ({ n: 0 }),
    add(state, { rows }) {
      state.n += rows.length;
      if (state.n > failAt) throw new TypeError('a mistake in the diagnostic');
    },
    merge: () => {},
    result: (state, { times }, { random }) => [state.n * times, random('draw').next()] as const,
    report: ([n, draw]) => ({ headline: { n, draw, gap: Number.NaN, far: Number.POSITIVE_INFINITY }, cards: [], guide: 'g' }),
  });

test('runs of one subject share one pass; one that fails leaves the others alone; NaN stays out of the headline', async () => {
  let reads = 0;
  const counted = (d: Dataset): Dataset => ({
    ...d,
    take(...a) {
      reads++;
      return d.take(...a);
    },
  });
  const world = { ...ports, dataset: async (path: string) => counted(await ports.dataset(path)) };
  const registry = [counting('a'), counting('b', 10), counting('c')];
  const asks = [
    request({ id: 'a', model: model('mlp_digits'), data: digits, options: { times: 2 } }),
    request({ id: 'b', model: model('mlp_digits'), data: digits }),
    request({ id: 'c', model: model('mlp_digits'), data: digits, options: { tims: 2 } }),
  ];
  const [a, b, c] = await diagnoseAll(asks, world, jobOf(), registry);
  // One read to try the device on, then ⌈359/256⌉ batches.
  assert.equal(reads, 3);
  assert.deepEqual(Object.keys((a as Report).headline), ['n', 'draw']);
  assert.equal((a as Report).headline.n, 718);
  assert.deepEqual(
    [(b as Report).outcome, (b as Report).reason],
    ['failed', { code: 'internal', sentence: 'a mistake in the diagnostic' }],
  );
  assert.ok(Fault.is(c, 'option/unknown'));
  const again = await diagnose(request({ id: 'confusion-matrix', model: model('mlp_digits'), data: digits }), ports, jobOf());
  assert.equal(again.outcome, 'measured');
});

test('a run is stopped between batches; what it has is a stopped report', async () => {
  const stop = new AbortController();
  const stopping = defineStudy({
    id: 'stop',
    title: 's',
    family: 'metrics',
    question: '?',
    source: 'none',
    options: {},
    uses: ['samples'],
    async study({ samples }, _, { signal }) {
      await samples.take([0], signal);
      stop.abort();
      await samples.take([1], signal);
      return 0;
    },
    report: () => ({ headline: { never: 1 }, cards: [], guide: '' }),
  });
  const [study] = await diagnoseAll([request({ id: 'stop', model: model('mlp_digits'), data: digits })], ports, jobOf(stop.signal), [
    stopping,
  ]);
  const already = new AbortController();
  already.abort();
  const fold = await diagnose(request({ id: 'confusion-matrix', model: model('mlp_digits'), data: digits }), ports, jobOf(already.signal));
  for (const report of [fold, study as Report])
    assert.deepEqual([report.outcome, report.reason?.code, report.headline], ['stopped', 'job/stopped', {}]);
});

test('rows are grouped by the column named, else by `group`; a column that is missing or holds vectors is wrong input', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i % 2},${((i * 7) % 40) / 40},${i % 4 < 2 ? 'old' : 'young'},${i % 5}`);
  const data = { path: file('grouped.csv', `label,score,group,site\n${rows.join('\n')}\n`) };
  const groupsOf = async (options: Record<string, string>): Promise<unknown[]> => {
    const { cards } = await diagnose(request({ id: 'ranking-metrics', data, options }), ports, jobOf());
    const table = cards.find((c) => c.title === 'Groups');
    return table?.kind === 'table' ? table.rows.map((cells) => cells[0]) : [];
  };
  assert.deepEqual(await groupsOf({}), ['old', 'young']);
  assert.deepEqual(await groupsOf({ group: 'site' }), ['0', '1', '2', '3', '4']);
  await assert.rejects(groupsOf({ group: 'stie' }), (e) => Fault.is(e, 'data/column') && /Did you mean 'site'/.test(e.message));
  const vectors = request({ id: 'ranking-metrics', model: model('mlp_digits'), data: digits, options: { group: 'x' } });
  await assert.rejects(diagnose(vectors, ports, jobOf()), (e) => Fault.is(e, 'data/group'));
});

test('a regression: a table of predictions and targets, or a model of one float; class diagnostics refuse the table', async () => {
  const lines = ['target,prediction', '1,1.5', '2,2', '4,3', '3,3.5', '5,5'];
  const data = { path: file('regression.csv', `${lines.join('\n')}\n`) };
  const report = await diagnose(request({ id: 'regression-report', data }), ports, jobOf());
  assert.deepEqual([report.outcome, report.headline.mae, report.headline.rows], ['measured', 0.4, 5]);
  assert.deepEqual(report.samples[2], { row: 2, label: '4', prediction: '3' });
  const swapped = request({ id: 'regression-report', data: { ...data, y: 'prediction', columns: 'prediction=target' } });
  assert.equal((await diagnose(swapped, ports, jobOf())).headline.mae, 0.4);
  const classes = await diagnose(request({ id: 'reliability', data }), ports, jobOf());
  assert.deepEqual([classes.outcome, classes.reason?.code], ['unavailable', 'evidence/no-scores']);

  const features = Array.from({ length: 6 }, (_, i) => Array.from({ length: 10 }, (__, j) => ((i * 7 + j * 3) % 11) / 110 - 0.05));
  const head = [...features[0].map((_, j) => `f${j}`), 'target'].join(',');
  const table = file('features.csv', `${[head, ...features.map((f, i) => [...f, 100 + 10 * i].join(','))].join('\n')}\n`);
  const modelled = await diagnose(
    request({ id: 'regression-report', model: model('mlp_diabetes'), data: { path: table } }),
    ports,
    jobOf(),
  );
  assert.deepEqual([modelled.outcome, modelled.headline.rows], ['measured', 6]);
  const errors = modelled.samples.map((s) => Math.abs(Number(s.prediction) - Number(s.label)));
  assert.ok(Math.abs(errors.reduce((sum, e) => sum + e, 0) / 6 - modelled.headline.mae) < 1e-9);
});

test('compute budget: the multiply–accumulates, parameters and memory of a small MLP by hand', async () => {
  const ask = (options: Record<string, number>) =>
    diagnose(request({ id: 'compute-budget', model: model('softmax_digits'), data: digits, options }), ports, jobOf());
  const { headline, guide, cards, outcome } = await ask({});
  // 64 inputs to 10 classes; alive at once: the input or its flattened copy (64 floats each), then 64 and 10.
  assert.deepEqual([outcome, headline.macs, headline.parameters, headline.over_budget], ['measured', 640, 650, 0]);
  assert.equal(headline.activation_bytes, 4 * 128);
  assert.match(guide, /fits its budget/);
  assert.equal(cards[2].kind === 'table' && cards[2].rows[0][2], 640);
  const tight = await ask({ budgetGmacs: 6e-6, crops: 10, budgetMegabytes: 1e-4 });
  assert.deepEqual([tight.headline.macs, tight.headline.over_budget], [6400, 2]);
  assert.match(tight.guide, /exceeds its budget/);
  const table = await diagnose(
    request({ id: 'compute-budget', data: { path: file('budget.csv', 'label,score\n0,0.1\n1,0.9\n') } }),
    ports,
    jobOf(),
  );
  assert.deepEqual([table.outcome, table.reason?.code], ['unavailable', 'evidence/no-model']);
});
