import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { float32 } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { constantOf, dataOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { atStep, digitsData, wholeAndInPieces, workshop } from './workshop.ts';

/** 2000 steps: momentum, a schedule, batch statistics, evaluations and an early stop that has state of its own, gradients of three steps at a time, and mean parameters. */
const recipe = {
  arch: { kind: 'cnn', input: [1, 8, 8], channels: '4', hidden: '', batchNorm: true },
  data: digitsData,
  loss: { kind: 'cross-entropy', labelSmoothing: 0.1 },
  optimizer: { kind: 'sgd', lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-4 },
  schedule: { kind: 'one-cycle' },
  batch: { size: 48, accumulate: 3 },
  ema: { decay: 0.9 },
  steps: 2000,
  earlyStop: { patience: 50 },
};

test('a run stopped and resumed is the run that was not, bit for bit', async () => {
  const { whole, pieces, cuts } = await wholeAndInPieces(recipe, atStep(1), atStep(50));
  for (const [i, least] of [1, 50].entries()) {
    const { steps } = cuts[i].report.headline;
    assert.ok(steps >= least && steps < 2000, `stopped at ${steps}`);
  }
  const states = [whole, pieces].map(({ shop }) => readNpz(readFileSync(shop.at('out.checkpoint.state'))));
  for (const [key, tensor] of Object.entries(states[0])) if (key !== 'meta') assert.deepEqual(states[1][key], tensor, key);
  assert.ok(['state/slot/velocity', 'state/statistic/bn1.running_var', 'best/theta', 'curve/loss'].every((key) => key in states[0]));
});

test('a finished run resumed has nothing left to do', async () => {
  const shop = workshop();
  const first = await shop.run({ ...recipe, steps: 10 });
  const model = readFileSync(first.out);
  const again = await shop.run({ ...recipe, steps: 10 }, { resume: true });
  assert.equal(again.report.headline.steps, 10);
  assert.deepEqual(readFileSync(again.out), model);
});

test('a stopped run leaves a model that can be used, and says so at once', async () => {
  const shop = workshop();
  const cancel = new AbortController();
  let asked = 0;
  const { out, report, notes } = await shop.run(
    { ...recipe, steps: 1_000_000 },
    {
      signal: cancel.signal,
      live() {
        if (!cancel.signal.aborted) asked = performance.now();
        cancel.abort();
      },
    },
  );
  assert.ok(performance.now() - asked < 1000, 'within a second');
  assert.equal(out, shop.at('out.checkpoint.onnx'));
  const stored = parse(readFileSync(out), out).graph.initializers.get('dense1.weight');
  assert.ok(stored && dataOf(stored).some((v) => Number(v) !== 0));
  assert.ok(notes.some((n) => n.includes('--resume')));
  assert.ok(report.cards.some((c) => c.kind === 'curve' && c.title === 'Loss'));
});

test('a stop in the last evaluation is a stopped run too, and resuming it finishes', async () => {
  const shop = workshop();
  const cancel = new AbortController();
  const short = { ...recipe, steps: 10 };
  const { report } = await shop.run(short, {
    signal: cancel.signal,
    live(event) {
      if (event.kind === 'steps' && event.step.at(-1) === 10) setImmediate(() => cancel.abort());
    },
  });
  assert.equal(report.outcome, 'stopped');
  assert.equal(report.headline.steps, 10);
  assert.ok(!existsSync(shop.at('out.onnx')), 'a stopped run must not pass for a finished one');
  assert.equal((await shop.run(short, { resume: true })).report.outcome, 'measured');
});

test('a checkpoint of another recipe or other data is refused, naming what differs, unless forced', async () => {
  const shop = workshop();
  await shop.run({ ...recipe, steps: 5 });
  const other = { ...recipe, steps: 8, optimizer: { ...recipe.optimizer, lr: 0.01 } };
  await assert.rejects(shop.run(other, { resume: true }), (e) => {
    assert.ok(Fault.is(e, 'training/changed'));
    assert.deepEqual([...e.detail.fields].sort(), ['optimizer.lr', 'steps']);
    return e.message.includes('--force');
  });
  const forced = await shop.run(other, { resume: true, force: true });
  assert.equal(forced.report.headline.steps, 8);
  const larger = { ...recipe, arch: { ...recipe.arch, channels: '6' } };
  await assert.rejects(
    shop.run(larger, { resume: true, force: true }),
    (e) => Fault.is(e, 'training/checkpoint') && e.message.includes('theta'),
  );
  await assert.rejects(workshop().run(recipe, { resume: true }), (e) => Fault.is(e, 'training/no-checkpoint'));
  writeFileSync(shop.at('out.checkpoint.state'), 'not a zip');
  await assert.rejects(
    shop.run(recipe, { resume: true }),
    (e) => Fault.is(e, 'training/checkpoint') && e.message.includes('out.checkpoint.state'),
  );
});

test('a checkpoint is refused where the content of a file changed that the numbers hang on, by the key that names it', async () => {
  const shop = workshop();
  const [x, y] = [
    float32(
      [12, 3],
      Float32Array.from({ length: 36 }, (_, i) => Math.sin(i)),
    ),
    float32(
      [12],
      Array.from({ length: 12 }, (_, i) => i % 2),
    ),
  ];
  const write = (name: string, scale: number): string =>
    shop.arrays(name, { x: { ...x, data: Float32Array.from(x.data as Float32Array, (v) => scale * v) }, y });
  const build = (scale: number): string =>
    shop.model('m.onnx', ['N', 3], ['N', 2], (emit) => {
      const hidden = emit.Relu(emit.MatMul('x', emit.hold('w1', constantOf('float32', [3, 4], Array(12).fill(scale)))));
      return emit.MatMul(hidden, emit.hold('w2', constantOf('float32', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])));
    });
  const given = {
    model: build(0.1),
    // A layer that is not trained is in no checkpoint.
    trainable: ['w2'],
    data: { train: write('train.npz', 1), val: write('val.npz', 1), test: write('test.npz', 1) },
    targets: { kind: 'teacher', model: build(0.1) },
    loss: 'cross-entropy',
    optimizer: { kind: 'sgd', lr: 0.1 },
    batch: 4,
    epochs: 2,
    earlyStop: true,
  };
  const named = async (): Promise<readonly string[]> => {
    try {
      await shop.run(given, { resume: true });
      return [];
    } catch (error) {
      assert.ok(Fault.is(error, 'training/changed'), String(error));
      return error.detail.fields;
    }
  };
  await shop.run(given);
  assert.deepEqual(await named(), []);
  write('test.npz', 2);
  assert.deepEqual(await named(), [], 'what a run is tested on does not change it');
  write('val.npz', 2);
  assert.deepEqual(await named(), ['the content of data.val']);
  write('val.npz', 1);
  build(0.2);
  assert.deepEqual([...(await named())].sort(), ['the content of model', 'the content of targets.model']);
  build(0.1);
  write('train.npz', 2);
  assert.deepEqual(await named(), ['the content of data.train']);
  assert.equal((await shop.run(given, { resume: true, force: true })).report.outcome, 'measured');
});
