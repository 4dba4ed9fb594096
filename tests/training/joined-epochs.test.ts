import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AppJob } from '../../src/app/ports.ts';
import { type Ended, type Run, trainLoop } from '../../src/app/train-loop.ts';
import { fresh, type Snapshot } from '../../src/app/train-progress.ts';
import { setUp } from '../../src/app/train-setup.ts';
import { quietJob } from '../../src/base/job.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { world } from '../../src/jobs/world.ts';
import type { Live } from '../../src/report/tasks.ts';
import { digitsData, workshop } from './workshop.ts';

const ports = await world();
const job: AppJob = { ...quietJob(), live: () => {} };

/** A recipe set up, and its loop: with how many calls it was made. */
const trainerOf = async (recipe: object) => {
  const home = mkdtempSync(join(tmpdir(), 'assay-joined-'));
  const [path, out] = [join(home, 'r.train.json'), join(home, 'out.onnx')];
  const text = JSON.stringify(recipe);
  const setup = await setUp({ recipe: path, out, device: 'cpu', resume: false, force: false, text }, 2 ** 30, ports, job);
  const { run } = setup;
  return {
    start: fresh(run.compiled.start),
    close: () => setup.close(),
    async train(from: Snapshot, more: Partial<Pick<Run, 'until' | 'job'>> = {}): Promise<Ended & { readonly calls: number }> {
      let calls = 0;
      const session: Run['session'] = {
        ...run.session,
        run(feeds, wanted) {
          calls++;
          return run.session.run(feeds, wanted);
        },
      };
      return { ...(await trainLoop({ ...run, job, ...more, session, save: async () => {} }, from)), calls };
    },
  };
};

/** What a run is, but for the time it took. */
const told = ({ progress: { stepSeconds: _, ...progress }, ...rest }: Snapshot) => ({ progress, ...rest });

const small = {
  arch: { kind: 'mlp', hidden: '8' },
  data: { train: digitsData.train },
  split: { val: 0 },
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 1e-3 },
  batch: { size: 64, dropLast: true },
  epochs: 40,
};
const recipes: Readonly<Record<string, object>> = {
  'a shuffle, rates by the epoch': { ...small, schedule: { kind: 'exponential', gamma: 0.97, unit: 'epoch' } },
  'a cosine by the step, mean parameters and clipping': { ...small, schedule: { kind: 'cosine' }, ema: { decay: 0.9 }, clip: { norm: 1 } },
  'classes in turns': { ...small, sampler: 'balanced' },
  'classes by the batch': { ...small, sampler: { kind: 'm-per-class', instances: 4 }, batch: { size: 40, dropLast: true } },
  'rows changed by chance': {
    ...small,
    augment: { shift: 1 },
    arch: { kind: 'cnn', input: [1, 8, 8], channels: '2' },
  },
  'gradients of three batches': { ...small, batch: { ...small.batch, accumulate: 3 } },
  'evaluations after every seventh epoch': { ...small, split: { val: 0.2 }, evalEvery: 7, earlyStop: { patience: 3 } },
};

/** Rows of three domains, 30, 50 and 20 of them, with two classes. */
const domainRows = (): object => {
  const values = Array.from({ length: 400 }, (_, i) => Math.sin(1.3 * i));
  const domain = Array.from({ length: 100 }, (_, i) => Number(i >= 30) + Number(i >= 80));
  const path = workshop().arrays('domains.npz', {
    x: float32([100, 4], values),
    y: int64(
      [100],
      domain.map((d, i) => Number(values[4 * i] + d / 4 > 0.2)),
    ),
    domain: int64([100], domain),
  });
  return { ...small, data: { train: path, domainKey: 'domain' }, sampler: 'domains', batch: { size: 12, dropLast: true } };
};

for (const [name, recipe] of Object.entries({ ...recipes, 'domains in turns': domainRows() }))
  test(`calls of several epochs make the run that calls of one make, bit for bit: ${name}`, async () => {
    const { start, train, close } = await trainerOf(recipe);
    try {
      const whole = await train(start);
      assert.equal(whole.why, 'finished');
      let apart: Ended & { calls: number } = { ...whole, snapshot: start, calls: 0 };
      const { epoch } = whole.snapshot.progress;
      for (let until = 1; until < epoch; until++) {
        apart = await train(apart.snapshot, { until });
        assert.ok(apart.calls >= 1);
      }
      apart = await train(apart.snapshot);
      assert.ok(whole.calls < epoch, `${whole.calls} calls for ${epoch} epochs`);
      assert.deepEqual(told(apart.snapshot), told(whole.snapshot));
    } finally {
      await close();
    }
  });

test('a run of so many steps that end within an epoch makes just those', async () => {
  const { epochs: _, ...rest } = small;
  const [steps, epochs] = [await trainerOf({ ...rest, steps: 500 }), await trainerOf(small)];
  try {
    const [some, all] = [await steps.train(steps.start), await epochs.train(epochs.start)];
    assert.deepEqual(some.snapshot.curves.loss, all.snapshot.curves.loss.slice(0, 500));
    assert.equal(some.snapshot.progress.history.length, Math.ceil(500 / 22));
    assert.ok(some.calls < 20, String(some.calls));
  } finally {
    await steps.close();
    await epochs.close();
  }
});

test('parts that see what the steps gave have a call for each epoch', async () => {
  const { start, train, close } = await trainerOf({ ...small, sampler: 'importance', epochs: 10 });
  try {
    assert.ok((await train(start)).calls >= 10);
  } finally {
    await close();
  }
});

test('a run stopped between its calls goes on as if it had not been', async () => {
  const { start, train, close } = await trainerOf({ ...small, epochs: 4000 });
  try {
    const stop = (after: number): AppJob => {
      let asked = 0;
      return { ...job, steer: () => (asked++ < after ? 'run' : 'stop') };
    };
    const kept = await train(start, { job: stop(6) });
    assert.equal(kept.why, 'kept');
    // Where a call ends differs by its time; the run up to there does not.
    const { epoch, position } = kept.snapshot.progress;
    assert.ok(epoch > 0 && position === 0);
    const again = await train(start, { until: epoch });
    assert.deepEqual(again.snapshot.state, kept.snapshot.state);
    assert.deepEqual(again.snapshot.progress.history.slice(0, -1), kept.snapshot.progress.history.slice(0, -1));
  } finally {
    await close();
  }
});

test('a step that is not finite ends the run where it did with a call for each epoch, and keeps the end of the epoch before', async () => {
  const shop = workshop();
  // A line of twice the largest stable rate: its parameters grow until they overflow.
  const x = Float32Array.from({ length: 64 }, (_, i) => (i % 8) / 4);
  const data = shop.arrays('line.npz', {
    x: float32([64, 1], x),
    y: float32(
      [64],
      x.map((v) => 3 * v),
    ),
  });
  const { start, train, close } = await trainerOf({
    arch: 'linear',
    data: { train: { path: data } },
    split: { val: 0 },
    loss: 'mse',
    optimizer: { kind: 'sgd', lr: 1.2 },
    batch: 16,
    epochs: 200,
  });
  try {
    const ended = await train(start);
    assert.equal(ended.why, 'not-finite');
    const { epoch } = ended.snapshot.progress;
    assert.ok(epoch > 5 && epoch < 100, String(epoch));
    assert.equal(ended.bad && Math.floor(ended.bad.step / 4), epoch);
    assert.deepEqual(told(ended.snapshot).state, (await train(start, { until: epoch })).snapshot.state);
    assert.ok(Array.from(ended.snapshot.state.theta.data as Float32Array).every(Number.isFinite));
  } finally {
    await close();
  }
});

test('the panel is told of an epoch that has something to tell', async () => {
  const events: Live[] = [];
  const { start, train, close } = await trainerOf({ ...small, split: { val: 0.2 }, evalEvery: 10 });
  try {
    await train(start, { job: { ...job, live: (event) => events.push(event) } });
    const ends = events.flatMap((event) => (event.kind === 'epoch' ? [event.epoch] : []));
    assert.ok([10, 20, 30, 40].every((epoch) => ends.includes(epoch)));
    assert.ok(
      events.flatMap((event) => (event.kind === 'epoch' && event.epoch % 10 === 0 ? [event.validationLoss] : [])).every(Number.isFinite),
    );
    const steps = events.flatMap((event) => (event.kind === 'steps' ? event.step : []));
    assert.equal(steps.at(-1), 40 * 17);
  } finally {
    await close();
  }
});
