import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { trainWithin } from '../../src/app/train.ts';
import { Fault } from '../../src/base/fault.ts';
import { float32 } from '../../src/base/tensor.ts';
import { dataOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import type { Live } from '../../src/report/tasks.ts';
import { fixtureBytes } from '../graph/run.ts';
import { once } from './session.ts';
import { digitsData, workshop } from './workshop.ts';

const mlp = {
  arch: { kind: 'mlp', hidden: '64' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 0.001 },
  batch: 32,
  epochs: 20,
};

test('the digits smoke test of the card: an MLP 64-64-10 reaches 0.95 on rows never seen', async () => {
  const { run, at } = workshop();
  const events: Live[] = [];
  const { report, out } = await run({ ...mlp, split: { val: 0 } }, { live: (e) => events.push(e) });
  assert.equal(report.outcome, 'measured');
  assert.equal(report.headline.steps, 20 * 45);
  assert.equal(report.headline.parameters, 64 * 64 + 64 + 640 + 10);
  // Card: test accuracy 0.9639 over 5 seeds, training loss 0.123.
  assert.ok(report.headline.test_accuracy >= 0.95, `${report.headline.test_accuracy}`);
  assert.ok(report.headline.train_loss < 0.2, `${report.headline.train_loss}`);
  assert.equal(report.provenance.rows, 1438);
  assert.deepEqual(
    report.cards.map((c) => c.kind),
    ['number', 'curve', 'curve', 'curve', 'curve', 'table'],
  );
  const steps = events.flatMap((e) => (e.kind === 'steps' ? e.step : []));
  assert.deepEqual(
    steps,
    Array.from({ length: 900 }, (_, i) => i + 1),
  );
  assert.equal(events.filter((e) => e.kind === 'epoch').length, 20);
  assert.equal(out, at('out.onnx'));
  const model = parse(readFileSync(out), 'out.onnx');
  assert.equal(model.metadata.get('assay.seed'), '0');
  assert.deepEqual(JSON.parse(model.metadata.get('classes') ?? ''), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  const { logits } = await once(model, { x: float32([2, 64], Array(128).fill(0.5)) });
  assert.deepEqual(logits.dims, [2, 10]);
});

test('the sample recipe reaches 0.97 with its own seed, and the model it saves is that of its best epoch', async () => {
  const sample = JSON.parse(readFileSync(new URL('../../media/sample/digits.train.json', import.meta.url), 'utf8'));
  const { report } = await workshop().run({ ...sample, data: digitsData });
  assert.ok(report.headline.test_accuracy >= 0.97, `${report.headline.test_accuracy}`);
  const table = report.cards.find((c) => c.kind === 'table');
  const losses = table?.kind === 'table' ? table.rows.map((r) => Number(r[5])) : [];
  assert.equal(report.headline.validation_loss, Math.min(...losses));
});

test('the same seed gives the same model and the same curves, bit for bit; another seed does not', async () => {
  const recipe = { ...mlp, epochs: 3, arch: { kind: 'cnn', input: [1, 8, 8], channels: '4', hidden: '', batchNorm: true } };
  const [a, b, c] = [workshop(), workshop(), workshop()];
  const [first, second, other] = [await a.run(recipe), await b.run(recipe), await c.run({ ...recipe, seed: 1 })];
  assert.deepEqual(readFileSync(first.out), readFileSync(second.out));
  assert.deepEqual(first.report.cards.slice(1), second.report.cards.slice(1));
  assert.notDeepEqual(readFileSync(first.out), readFileSync(other.out));
});

test('rows read as they are needed give the model that rows in memory give', async () => {
  const recipe = { ...mlp, epochs: 2 };
  const [a, b] = [await workshop().run(recipe), await workshop().run(recipe, { use: trainWithin(0) })];
  assert.deepEqual(readFileSync(a.out), readFileSync(b.out));
  assert.ok(b.notes.some((n) => n.includes('too large to keep in memory')));
});

test('early stopping ends the run and restores the best parameters', async () => {
  const { report, notes } = await workshop().run({
    ...mlp,
    optimizer: { kind: 'sgd', lr: 3, momentum: 0.9 },
    epochs: 40,
    earlyStop: { patience: 2 },
  });
  const table = report.cards.find((c) => c.kind === 'table');
  const losses = table?.kind === 'table' ? table.rows.map((r) => Number(r[5])) : [];
  assert.ok(losses.length < 40);
  assert.equal(losses.indexOf(Math.min(...losses)), losses.length - 3);
  assert.equal(report.headline.validation_loss, Math.min(...losses));
  assert.ok(notes.some((n) => n.includes('Ended early')));
});

test('a model file is trained further, its frozen layers untouched, in the form it came in', async () => {
  const model = fileURLToPath(new URL('../fixtures/models/mlp_digits.onnx', import.meta.url));
  const { arch: _, ...rest } = mlp;
  const { out, report } = await workshop().run({ ...rest, model, trainable: ['3.*'], epochs: 2 });
  const [before, after] = [parse(fixtureBytes('mlp_digits'), 'before'), parse(readFileSync(out), 'after')];
  assert.equal(report.headline.parameters, 330);
  assert.deepEqual(after.graph.nodes, before.graph.nodes);
  assert.deepEqual(after.opsets, before.opsets);
  for (const [name, constant] of before.graph.initializers) {
    const now = after.graph.initializers.get(name);
    assert.ok(now);
    if (name.startsWith('3.')) assert.notDeepEqual(dataOf(now), dataOf(constant), name);
    else assert.deepEqual(now, constant, name);
  }
  assert.ok(report.headline.train_loss < 0.1, `${report.headline.train_loss}`);
});

test('batch normalisations of a model file use the batch and keep their running statistics, or are left as they are', async () => {
  const model = fileURLToPath(new URL('../fixtures/models/lenet_mnist.raw.onnx', import.meta.url));
  const { arrays, run } = workshop();
  const images = Float32Array.from({ length: 24 * 784 }, (_, i) => ((i * 37) % 101) / 100);
  const path = arrays('d.npz', {
    x: float32([24, 1, 28, 28], images),
    y: float32(
      [24],
      Array.from({ length: 24 }, (_, i) => i % 10),
    ),
  });
  const recipe = {
    model,
    data: { train: path },
    split: { val: 0 },
    loss: 'cross-entropy',
    optimizer: { kind: 'sgd', lr: 0.001 },
    batch: 12,
    epochs: 1,
  };
  const before = parse(fixtureBytes('lenet_mnist.raw'), 'before');
  for (const statistics of ['batch', 'stored']) {
    const { out } = await run({ ...recipe, statistics });
    const after = parse(readFileSync(out), 'after');
    const moved = ['bn1.running_mean', 'bn1.running_var', 'bn2.running_mean', 'bn2.running_var'].map((name) => {
      const [a, b] = [before, after].map((m) => m.graph.initializers.get(name));
      assert.ok(a && b, name);
      return dataOf(a).join() !== dataOf(b).join();
    });
    assert.deepEqual(moved, Array(4).fill(statistics === 'batch'), statistics);
    assert.deepEqual(after.graph.nodes, before.graph.nodes);
  }
});

test('a regression: a linear model finds the line under mean squared error', async () => {
  const { arrays, run } = workshop();
  const xs = Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]);
  const path = arrays('d.npz', {
    x: float32([64, 2], xs.flat()),
    y: float32(
      [64],
      xs.map(([a, b]) => 2 * a - b + 0.5),
    ),
  });
  const { out, report } = await run({
    arch: { kind: 'mlp', hidden: '' },
    data: { train: path },
    loss: 'mse',
    optimizer: { kind: 'sgd', lr: 0.2, momentum: 0.5 },
    batch: 16,
    epochs: 60,
  });
  assert.ok(report.headline.validation_loss < 1e-6, `${report.headline.validation_loss}`);
  assert.equal(report.headline.train_accuracy, undefined);
  const model = parse(readFileSync(out), 'out');
  const [weight, bias] = ['dense1.weight', 'dense1.bias'].map((name) => {
    const c = model.graph.initializers.get(name);
    return c ? Array.from(dataOf(c) as Float32Array) : [];
  });
  for (const [i, w] of [2, -1, 0.5].entries()) assert.ok(Math.abs([...weight, ...bias][i] - w) < 1e-3);
});

test('validation rows of their own leave every training row to train on', async () => {
  const { arrays, run } = workshop();
  const rows = (n: number) =>
    float32(
      [n, 2],
      Array.from({ length: 2 * n }, (_, i) => Math.sin(i)),
    );
  const label = (n: number) =>
    float32(
      [n],
      Array.from({ length: n }, (_, i) => i % 3),
    );
  const train = arrays('a.npz', { x: rows(30), kind: label(30) });
  const val = arrays('b.npz', { x: rows(9), kind: label(9) });
  const recipe = {
    ...mlp,
    data: { train, val, labelKey: 'kind' },
    optimizer: { kind: 'adam', decayExclude: ['bias'], weightDecay: 0.1 },
    batch: 7,
    evalEvery: 2,
    epochs: 3,
  };
  const { report } = await run(recipe);
  assert.equal(report.provenance.rows, 30);
  assert.equal(report.headline.steps, 3 * 5);
  const table = report.cards.find((c) => c.kind === 'table');
  const measured = table?.kind === 'table' ? table.rows.map((r) => r[5] !== null) : [];
  // Every second epoch, and the last.
  assert.deepEqual(measured, [false, true, true]);
  const dropped = await run({ ...recipe, batch: { size: 7, dropLast: true } });
  assert.equal(dropped.report.headline.steps, 3 * 4);
});

test('on a plateau the rate falls by what validation says, which needs rows held out', async () => {
  const optimizer = { kind: 'sgd', lr: 3, momentum: 0.9 };
  const schedule = { kind: 'plateau', patience: 1, factor: 0.5 };
  const recipe = { ...mlp, optimizer, schedule, epochs: 8, split: { val: 0.2 } };
  const { report } = await workshop().run(recipe);
  const table = report.cards.find((c) => c.kind === 'table');
  const rates = table?.kind === 'table' ? table.rows.map((r) => Number(r[2])) : [];
  assert.equal(rates[0], 3);
  assert.ok((rates.at(-1) ?? 3) < 3, `${rates}`);
  await assert.rejects(workshop().run({ ...recipe, split: { val: 0 } }), (e) => Fault.is(e, 'training/no-validation'));
});
