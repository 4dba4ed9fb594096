import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from '../../src/graph/parse.ts';
import type { Report } from '../../src/report/report.ts';
import type { ModelFacts, SuiteResult } from '../../src/report/tasks.ts';
import type { VectorsResult } from '../../src/report/vectors.ts';
import { assay, fixture, folder, root } from './program.ts';

const home = folder();
const digits = fixture('data/digits.npz');
const mlp = fixture('models/mlp_digits.onnx');
const at = (name: string): string => join(home, name);
const report = (name: string): Report => JSON.parse(readFileSync(at(name), 'utf8')) as Report;

test('list --json prints the catalogue; the ids of the contract are in it', async () => {
  const { code, out } = await assay(['list', '--json']);
  assert.equal(code, 0);
  const ids = (JSON.parse(out) as { id: string }[]).map(({ id }) => id);
  for (const id of ['confusion-matrix', 'reliability', 'saliency']) assert.ok(ids.includes(id), id);
});

test('info --json: parameters, inputs, and every node of the MLP has a gradient', async () => {
  const { code, out } = await assay(['info', mlp, '--json']);
  assert.equal(code, 0);
  const facts = JSON.parse(out) as ModelFacts;
  assert.equal(facts.parameters, 2410);
  assert.deepEqual(facts.withoutGradient, []);
  assert.equal(facts.outputs[0].name, 'logits');
  // 64·32 + 32·10 multiply-accumulates of the two Gemm nodes.
  assert.equal(facts.macs, 64 * 32 + 32 * 10);
});

test('run --json: the accuracy of the shared model on its test split, which PyTorch gave as 0.98050', async () => {
  const { code, out } = await assay([
    'run',
    'confusion-matrix',
    '--model',
    mlp,
    '--data',
    digits,
    '--split',
    'test',
    '--device',
    'cpu',
    '--json',
    at('cm.json'),
    '--html',
    at('cm.html'),
  ]);
  assert.equal(code, 0);
  assert.match(out, /accuracy/i);
  const cm = report('cm.json');
  assert.equal(cm.outcome, 'measured');
  assert.equal(cm.headline.rows, 359);
  assert.ok(Math.abs(cm.headline.accuracy - 0.9805014133453369) < 1e-6);
  assert.match(cm.provenance.modelSha256 ?? '', /^[0-9a-f]{64}$/);
  assert.equal(cm.provenance.device.actual, 'cpu');
  assert.match(readFileSync(at('cm.html'), 'utf8'), /<!doctype html>/i);
});

test('run --json - prints nothing but the report', async () => {
  const { code, out } = await assay([
    'run',
    'reliability',
    '--model',
    mlp,
    '--data',
    digits,
    '--split',
    'test',
    '--null-draws',
    '100',
    '--bootstrap',
    '100',
    '--json',
    '-',
  ]);
  assert.equal(code, 0);
  const parsed = JSON.parse(out) as Report;
  assert.ok(parsed.headline.ece >= 0 && parsed.headline.ece < 0.2);
  assert.equal(parsed.provenance.options.nullDraws, 100);
});

test('a table of predictions needs no model', async () => {
  writeFileSync(at('preds.csv'), 'label,prob_cat,prob_dog\n0,0.9,0.1\n1,0.2,0.8\n1,0.7,0.3\n0,0.6,0.4\n');
  const { code } = await assay(['run', 'confusion-matrix', '--data', at('preds.csv'), '--json', at('preds.json')]);
  assert.equal(code, 0);
  assert.equal(report('preds.json').headline.accuracy, 0.75);
});

test('saliency states its completeness error', async () => {
  const { code } = await assay([
    'run',
    'saliency',
    '--model',
    mlp,
    '--data',
    digits,
    '--split',
    'test',
    '--limit',
    '8',
    '--json',
    at('s.json'),
  ]);
  assert.equal(code, 0);
  const { cards } = report('s.json');
  assert.ok(cards.some(({ kind }) => kind === 'images'));
});

test('grad writes a graph with the names of the contract, for inputs and for parameters', async () => {
  const inputs = await assay(['grad', mlp, '-o', at('gx.onnx'), '--of', 'cross-entropy', '--json', at('gx.json')]);
  assert.equal(inputs.code, 0, inputs.err);
  const gx = parse(readFileSync(at('gx.onnx')), 'gx.onnx').graph;
  assert.deepEqual(gx.inputs.map(({ name }) => name).sort(), ['target', 'x']);
  for (const name of ['loss', 'grad/x', 'logits'])
    assert.ok(
      gx.outputs.some((o) => o.name === name),
      name,
    );
  const parameters = await assay(['grad', mlp, '-o', at('gp.onnx'), '--of', 'cross-entropy', '--wrt', 'parameters']);
  assert.equal(parameters.code, 0, parameters.err);
  const gp = parse(readFileSync(at('gp.onnx')), 'gp.onnx').graph;
  for (const name of parse(readFileSync(mlp), 'mlp').graph.initializers.keys())
    assert.ok(
      gp.outputs.some((o) => o.name === `grad/${name}`),
      name,
    );
});

test('keep-units writes the first units of a boosted head, and refuses what has none', async () => {
  const recipe = {
    arch: { kind: 'mlp', hidden: '' },
    data: { train: { path: digits, split: 'test' } },
    loss: 'cross-entropy',
    optimizer: 'adam',
    regime: { kind: 'boosted-head', units: 4, unitsPerStep: 2, iterations: 5 },
  };
  writeFileSync(at('boosted.train.json'), JSON.stringify(recipe));
  assert.equal((await assay(['train', at('boosted.train.json'), '-o', at('boosted.onnx')])).code, 0);
  const kept = await assay(['keep-units', at('boosted.onnx'), '2', '-o', at('two.onnx'), '--json', '-']);
  assert.equal(kept.code, 0, kept.err);
  assert.deepEqual(JSON.parse(kept.out), { out: at('two.onnx'), units: 2, of: 4, notes: [] });
  assert.deepEqual(parse(readFileSync(at('two.onnx')), 'two').graph.initializers.get('boosted.hidden.bias')?.dims, [2]);
  for (const [words, told] of [
    [[mlp, '2'], /has no boosted head/],
    [[at('boosted.onnx'), '3'], /2 to 4, a multiple of 2/],
    [[at('boosted.onnx'), 'two'], /a whole number from 1 on/],
  ] as const) {
    const refused = await assay(['keep-units', ...words, '-o', at('x.onnx')]);
    assert.equal(refused.code, 2);
    assert.match(refused.err, told);
  }
});

const suiteOf = (name: string, max: number): string => {
  const suite = {
    models: { digits: { path: mlp } },
    datasets: { test: { path: digits, split: 'test' } },
    checks: [
      { name: 'accurate', run: 'confusion-matrix', model: 'digits', data: 'test', expect: { accuracy: { min: 0.9, bound: 'lower' } } },
      {
        name: 'calibrated',
        run: 'reliability',
        model: 'digits',
        data: 'test',
        options: { nullDraws: 100, bootstrap: 100 },
        expect: { ece: { max } },
      },
    ],
  };
  writeFileSync(at(name), JSON.stringify(suite));
  return at(name);
};

test('suite: exit code 0 where all hold, 1 where one fails, with JUnit and HTML', async () => {
  const good = await assay([
    'suite',
    suiteOf('assay.json', 0.5),
    '--json',
    at('suite.json'),
    '--junit',
    at('suite.xml'),
    '--html',
    at('suite.html'),
  ]);
  assert.equal(good.code, 0, good.err + good.out);
  const result = JSON.parse(readFileSync(at('suite.json'), 'utf8')) as SuiteResult;
  assert.deepEqual(
    result.checks.map(({ status }) => status),
    ['passed', 'passed'],
  );
  assert.match(readFileSync(at('suite.xml'), 'utf8'), /tests="2" failures="0"/);
  const bad = await assay(['suite', suiteOf('bad.json', 0), '--junit', at('bad.xml')]);
  assert.equal(bad.code, 1, bad.err);
  assert.match(bad.out, /✘ calibrated: .*ece/i);
  assert.match(readFileSync(at('bad.xml'), 'utf8'), /failures="1"/);
});

test('train writes a model that run accepts; resume of a finished run is harmless', async () => {
  cpSync(join(root, 'media/sample/digits.npz'), at('digits.npz'));
  const recipe = JSON.parse(readFileSync(join(root, 'media/sample/digits.train.json'), 'utf8')) as Record<string, unknown>;
  writeFileSync(at('short.train.json'), JSON.stringify({ ...recipe, epochs: 2 }));
  const trained = await assay(['train', at('short.train.json'), '-o', at('short.onnx'), '--json', at('train.json')]);
  assert.equal(trained.code, 0, trained.err);
  assert.ok(existsSync(at('short.onnx')));
  assert.equal(report('train.json').outcome, 'measured');
  const run = await assay([
    'run',
    'confusion-matrix',
    '--model',
    at('short.onnx'),
    '--data',
    at('digits.npz'),
    '--split',
    'test',
    '--json',
    at('short.json'),
  ]);
  assert.equal(run.code, 0, run.err);
  assert.ok(report('short.json').headline.accuracy > 0.7);
});

test('labels of IDX images from a file of their own; a report to the standard output alone', async () => {
  const ended = await assay([
    'run',
    'confusion-matrix',
    '--model',
    fixture('models/lenet_mnist.onnx'),
    '--data',
    fixture('data/t10k-100-images-idx3-ubyte.gz'),
    '--labels',
    fixture('data/t10k-100-labels-idx1-ubyte'),
    '--json',
    '-',
  ]);
  assert.equal(ended.code, 0, ended.err);
  // LeNet is right on all of the first hundred test images, says PyTorch.
  assert.equal((JSON.parse(ended.out) as Report).headline.accuracy, 1);
});

test('help and version: of the program, a command and a diagnostic', async () => {
  for (const [args, wanted] of [
    [['--help'], /assay run ID[\s\S]*Exit codes/],
    [['help', 'run'], /Diagnostics: .*reliability.* assay run ID --help/],
    [['run', 'reliability', '-h'], /--null-draws/],
    [['--version'], /^assay \d+\.\d+\.\d+/],
  ] as const) {
    const { code, out } = await assay(args);
    assert.equal(code, 0);
    assert.match(out, wanted);
  }
  const late = await assay(['run', '--bins', '3', 'reliability', '--data', at('preds.csv')]);
  assert.equal(late.code, 0, late.err);
});

test('a reader that stops listening does not stop the files', { skip: process.platform === 'win32' }, async () => {
  const child = spawn(
    process.execPath,
    [join(root, 'dist/cli.js'), 'run', 'confusion-matrix', '--data', at('preds.csv'), '--json', at('piped.json')],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  child.stdout.destroy();
  assert.equal(await new Promise((done) => child.once('exit', done)), 0);
  assert.equal(report('piped.json').headline.accuracy, 0.75);
});

/** A training of minutes. */
const long = (): string => {
  const recipe = JSON.parse(readFileSync(join(root, 'media/sample/digits.train.json'), 'utf8')) as Record<string, unknown>;
  cpSync(join(root, 'media/sample/digits.npz'), at('digits.npz'));
  writeFileSync(at('long.train.json'), JSON.stringify({ ...recipe, epochs: 5000, earlyStop: undefined }));
  return at('long.train.json');
};

test('a job process that is killed twice, as it is begun again once: exit code 3, one sentence, nothing left behind', {
  skip: process.platform !== 'linux',
}, async () => {
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), 'train', long(), '-o', at('killed.onnx')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', (chunk) => (err += chunk));
  await new Promise((ready) => child.stderr.once('data', ready));
  const ended = new Promise((done) => child.once('exit', done));
  const killed = new Set<number>();
  while (killed.size < 2) {
    const jobs = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
    for (const job of jobs.filter((one) => !killed.has(one))) {
      killed.add(job);
      process.kill(job, 'SIGKILL');
    }
    await new Promise((next) => setTimeout(next, 50));
  }
  assert.equal(await ended, 3);
  assert.match(err, /^assay: The job process ended unexpectedly \(signal SIGKILL\) while it ran 'train'/m);
  assert.ok(!existsSync(at('killed.onnx')));
});

test('an interrupt stops a run within a second, with exit code 130', { skip: process.platform === 'win32' }, async () => {
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), 'train', long(), '-o', at('long.onnx')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise((ready) => child.stderr.once('data', ready));
  const from = performance.now();
  child.kill('SIGINT');
  const code = await new Promise((done) => child.once('exit', done));
  assert.equal(code, 130);
  // A second for the job, and room for a busy machine to end two processes.
  assert.ok(performance.now() - from < 3000);
});

test('vectors writes an array for the head ebv, and names what is wrong', async () => {
  const { code, out } = await assay([
    'vectors',
    '-o',
    at('v.npz'),
    '--count',
    '10',
    '--dim',
    '5',
    '--alpha',
    '0.4',
    '--device',
    'cpu',
    '--json',
    at('v.json'),
  ]);
  assert.equal(code, 0);
  assert.match(out, /10 vectors in 5 dimensions/);
  const found = JSON.parse(readFileSync(at('v.json'), 'utf8')) as VectorsResult;
  assert.ok(found.reached && found.largest <= 0.4 + 2e-4 && existsSync(at('v.npz')));
  for (const [words, said] of [
    [['--count', '10'], /-o OUT.npz/],
    [['-o', at('w.npz')], /--count/],
    [['-o', at('w.npz'), '--count', '1'], /whole number from 2/],
    [['-o', at('w.npz'), '--count', '10', '--dim', '5', '--alpha', '0.2'], /Welch bound/],
    [['-o', at('w.npz'), '--count', '10', '--alpha', '2'], /number from 0 to 1/],
  ] as const) {
    const bad = await assay(['vectors', ...words]);
    assert.equal(bad.code, 2);
    assert.match(bad.err, said);
  }
  assert.equal(existsSync(at('w.npz')), false);
});
