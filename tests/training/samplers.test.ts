import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { choose } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { compileSteps, type State } from '../../src/training/compile.ts';
import type { Kept, RowFacts } from '../../src/training/define-run.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { importance, mixedWithEven } from '../../src/training/samplers/importance.ts';
import { samplers } from '../../src/training/samplers/index.ts';
import { open } from './session.ts';
import { call, pick, planOf } from './subject.ts';
import { atEpoch, digitsData, wholeAndInPieces, workshop } from './workshop.ts';

/** The card gives nine digits after the point. */
const near = (found: ArrayLike<number>, wanted: readonly number[], within = 1e-9): void => {
  assert.equal(found.length, wanted.length);
  for (const [i, v] of wanted.entries()) assert.ok(Math.abs(found[i] - v) < within, `${i}: ${found[i]} is not ${v}`);
};
const rowsOf = (count: number): RowFacts => ({ count, classes: 2, labels: Array.from({ length: count }, (_, i) => i % 2) });
const chosenOf = (given: Record<string, unknown> = {}) => choose('importance', importance.options, given);
const begun = (count: number): Kept => importance.start?.(rowsOf(count), chosenOf()) ?? {};
const tell = (kept: Kept, places: readonly number[], score: readonly number[], epoch: number): void =>
  importance.tell?.(kept, places, { score }, rowsOf(kept.score.length), chosenOf(), { epoch, epochs: 8, batch: 2 });

test('importance: the probabilities of the card, of paths and of data', () => {
  near(mixedWithEven([0, 0, 3, 1, 0], 0.5), [0.1, 0.1, 0.475, 0.225, 0.1]);
  near(mixedWithEven([1, 3, 0, 0], 0.25), [0.25, 0.375, 0.1875, 0.1875]);
  near(mixedWithEven([0, 0, 0, 0], 1), [0.25, 0.25, 0.25, 0.25]);
  near(mixedWithEven([5, 1, 1], 0), [1 / 3, 1 / 3, 1 / 3], 1e-15);
});

test('importance: probabilities sum to 1 and follow their rows', () => {
  const r = random(0, 'scores');
  const scores = Array.from({ length: 50 }, () => r.next());
  const p = mixedWithEven(scores, 0.7);
  assert.ok(Math.abs(p.reduce((a, b) => a + b, 0) - 1) < 1e-14);
  near(mixedWithEven(scores.toReversed(), 0.7), Array.from(p).toReversed(), 1e-15);
});

test('importance: scores of an epoch are a running mean, and those of rows not drawn in it are 0', () => {
  const kept = begun(4);
  tell(kept, [0, 1, 0, 2], [4, 1, 2, Number.NaN], 0);
  // τ = 1 · 2/8 after epoch 2; (4 + 2)/2 = 3 and 1 were told in epoch 0.
  assert.deepEqual(Array.from(kept.score), [3, 1, 0, 0]);
  near(importance.chances?.(kept, { epoch: 1, epochs: 8, batch: 2 }, chosenOf()) ?? [], [0.25, 0.25, 0.25, 0.25]);
  tell(kept, [0, 1], [1, 2], 2);
  tell(kept, [1], [4], 2);
  near(importance.chances?.(kept, { epoch: 3, epochs: 8, batch: 2 }, chosenOf()) ?? [], [0.25, 0.375, 0.1875, 0.1875]);
  near(importance.chances?.(kept, { epoch: 3, epochs: 8, batch: 2 }, chosenOf({ tauMax: 0.5 })) ?? [], [0.25, 0.3125, 0.21875, 0.21875]);
  // Nothing was told of epoch 3: even.
  near(importance.chances?.(kept, { epoch: 4, epochs: 8, batch: 2 }, chosenOf()) ?? [], [0.25, 0.25, 0.25, 0.25]);
});

test('importance: the first epoch takes every row once; later ones draw as the probabilities say, and weights undo that', () => {
  const count = 4;
  const rows = rowsOf(count);
  const kept = begun(count);
  const first = importance.epoch(rows, { epoch: 0, epochs: 8, batch: 2 }, kept, random(0, 'a'), chosenOf({ reweight: true }));
  assert.deepEqual(Array.from(first.places).toSorted(), [0, 1, 2, 3]);
  assert.equal(first.weights, undefined);
  tell(kept, [0, 1], [1, 3], 2);
  const counts = [0, 0, 0, 0];
  const weighed = [0, 0, 0, 0];
  const epochs = 20_000;
  const r = random(0, 'draws');
  for (let k = 0; k < epochs; k++) {
    const { places, weights = [] } = importance.epoch(rows, { epoch: 3, epochs: 8, batch: 2 }, kept, r, chosenOf({ reweight: true }));
    for (const [i, p] of Array.from(places).entries()) {
      counts[p] += 1 / (count * epochs);
      weighed[p] += weights[i] / (count * epochs);
    }
  }
  // Shares of 80,000 draws have a standard deviation below 0.0018.
  near(counts, [0.25, 0.375, 0.1875, 0.1875], 0.008);
  near(weighed, [0.25, 0.25, 0.25, 0.25], 0.01);
});

test('importance: reweighted, the mean of the steps by their probabilities is the step over all rows', async () => {
  const [count, width, classes, lr] = [5, 3, 3, 0.5];
  const r = random(4, 'rows');
  const data = {
    x: { dtype: 'float64', dims: [count, width], data: Float64Array.from({ length: count * width }, () => r.normal()) } as const,
    y: int64([count], [0, 1, 2, 1, 0]),
  };
  const plan = {
    ...planOf('mlp', [width], classes, { hidden: '' }),
    optimizer: pick(optimizers, 'sgd', { lr }),
    precision: 'float64',
  } as const;
  const [plain, weighed] = [compileSteps(plan), compileSteps({ ...plan, weighs: true })];
  const kept = begun(count);
  tell(kept, [0, 1, 2, 3], [3, 1, 0.5, 2], 6);
  const moment = { epoch: 7, epochs: 8, batch: 2 };
  const p = importance.chances?.(kept, moment, chosenOf()) ?? new Float64Array();
  const { places, weights = [] } = importance.epoch(rowsOf(count), moment, kept, random(0, 'draws'), chosenOf({ reweight: true }));
  for (const [i, at] of Array.from(places).entries()) assert.equal(weights[i], 1 / (count * p[at]));
  const thetaOf = (state: State): readonly number[] => Array.from(state.theta.data as Float64Array);
  const whole = await open(plain.model);
  const single = await open(weighed.model);
  const start = thetaOf(plain.start);
  const all = Array.from({ length: count }, (_, i) => i);
  const wanted = thetaOf((await call(whole, plain, plain.start, data, [all], [lr])).state).map((v, j) => v - start[j]);
  const moved = async (rows: readonly number[]): Promise<readonly number[]> => {
    const given: Tensor = { dtype: 'float64', dims: [1, rows.length], data: Float64Array.from(rows, (i) => 1 / (count * p[i])) };
    const { state } = await call(single, weighed, weighed.start, data, [rows], [lr], { [weighed.inputs.each.weights]: given });
    return thetaOf(state).map((v, j) => v - start[j]);
  };
  const mean = new Float64Array(start.length);
  // Steps of two rows, drawn with replacement: every pair with its probability.
  for (const a of all) for (const b of all) for (const [j, v] of (await moved([a, b])).entries()) mean[j] += p[a] * p[b] * v;
  near(mean, wanted, 1e-14);
  for (const session of [whole, single]) await session.release();
});

test('importance: too many rows are refused', () => {
  assert.throws(
    () => importance.start?.({ count: 1e8 + 1, classes: 2, labels: [] }, chosenOf()),
    (e) => Fault.is(e, 'training/sampler-rows'),
  );
});

/** One epoch at rate 0: the scores that are kept are those of the logits that the data hold. */
const scoresOf = async (logits: readonly (readonly number[])[], y: readonly number[], loss: string): Promise<Float64Array> => {
  const shop = workshop();
  const [n, c] = [logits.length, logits[0].length];
  const labels = loss === 'cross-entropy' ? int64([n], y) : float32([n, 1], y);
  shop.arrays('rows.npz', { x: float32([n, c], logits.flat()), y: labels });
  const model = shop.model('m.onnx', ['N', c], ['N', c], (emit) => {
    const eye = Array.from({ length: c * c }, (_, i) => (i % (c + 1) === 0 ? 1 : 0));
    const w = emit.hold('w', { dtype: 'float32', dims: [c, c], bytes: new Uint8Array(new Float32Array(eye).buffer) });
    return emit.MatMul('x', w);
  });
  await shop.run({
    model,
    data: { train: 'rows.npz' },
    split: { val: 0 },
    loss,
    optimizer: { kind: 'sgd', lr: 0 },
    sampler: 'importance',
    batch: 2,
    epochs: 1,
    checkpoint: { every: 1 },
  });
  return readNpz(readFileSync(shop.at('out.checkpoint.state')))['host/sampler/score'].data as Float64Array;
};

test('importance: scores of a run are those of the card', async () => {
  const found = await scoresOf(
    [
      [0, 0, 0],
      [2, 0, 0],
    ],
    [0, 0],
    'cross-entropy',
  );
  // float32 holds seven digits.
  near(found, [0.816496581, 0.260887752], 1e-6);
});

test('importance: without classes the score is the residual', async () => {
  near(await scoresOf([[3], [-1]], [1, 1.5], 'mse'), [2, 2.5], 1e-6);
});

const base = {
  arch: { kind: 'mlp', hidden: '16' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 3e-3 },
  batch: 32,
  epochs: 5,
  seed: 1,
};

test('importance: a run shows what it draws, resumes as if not stopped, and is compared with plain shuffling', async () => {
  const recipe = { ...base, sampler: { kind: 'importance', reweight: true } };
  const { whole: a } = await wholeAndInPieces(recipe, atEpoch(2));
  assert.ok(a.report.headline.test_accuracy > 0.85);
  const bars = a.report.cards.find((c) => c.title === 'How often rows are drawn');
  const table = a.report.cards.find((c) => c.title === 'Training rows drawn most and least');
  assert.ok(bars?.kind === 'bars' && table?.kind === 'table');
  assert.equal(table.rows.length, 50);
  const times = table.rows.map((row) => Number(row[2]));
  assert.ok(times[0] > 2 && times[49] < 1 && times.every((t, i) => i === 0 || t <= times[i - 1]));
  const total = bars.series[0].values.reduce<number>((sum, v) => sum + Number(v), 0);
  assert.equal(total, a.report.provenance?.rows);
  const { report } = await workshop().run({ ...recipe, epochs: 2 }, { out: '', compare: { with: 'baseline', seeds: 2 } });
  assert.ok(report.notes.some((n) => n.includes("sampler 'shuffle' for 'importance'")));
});

const inDomains = (counts: readonly number[]): RowFacts => {
  const domains = counts.flatMap((n, e) => Array.from({ length: n }, () => e));
  return { count: domains.length, classes: 2, labels: domains.map((_, i) => i % 2), domains };
};

test('domains: every step holds each domain as often, whatever it has', () => {
  const { part, chosen } = pick(samplers, 'domains');
  for (const [counts, batch] of [
    [[50, 30, 10], 9],
    [[50, 30, 10], 3],
    [[7, 100], 10],
    [[5, 4, 3, 9], 7],
    [[6, 6], 12],
  ] as const) {
    const rows = inDomains(counts);
    const { places } = part.epoch(rows, { epoch: 0, epochs: 1, batch }, {}, random(0, 'x'), chosen);
    assert.ok(places.length > 0 && places.length <= rows.count && places.length > rows.count - counts.length - batch);
    const all = counts.map(() => 0);
    for (let at = 0; at < places.length; at += batch) {
      const here = counts.map(() => 0);
      for (let i = at; i < Math.min(places.length, at + batch); i++) {
        const e = rows.domains?.[places[i]] ?? -1;
        here[e]++;
        all[e]++;
      }
      assert.ok(Math.min(...here) >= 1 && Math.max(...here) - Math.min(...here) <= 1, `${counts} in ${batch}: ${here}`);
    }
    assert.ok(Math.max(...all) - Math.min(...all) <= 1);
    // The smallest domain's rows are all used before any is used again.
    const small = (counts as readonly number[]).indexOf(Math.min(...counts));
    const used = Array.from(places).filter((p) => rows.domains?.[p] === small);
    assert.equal(new Set(used.slice(0, counts[small])).size, Math.min(used.length, counts[small]));
  }
  assert.throws(
    () => part.epoch(inDomains([4, 4, 4]), { epoch: 0, epochs: 1, batch: 2 }, {}, random(0, 'x'), chosen),
    (e) => Fault.is(e, 'training/domain-batch') && /batch of 2 cannot hold 3 domains/.test(e.message),
  );
});
