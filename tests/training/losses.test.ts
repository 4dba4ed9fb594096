import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { int64, type Tensor } from '../../src/base/tensor.ts';
import { emitter } from '../../src/graph/emit.ts';
import { losses } from '../../src/training/losses/index.ts';
import { emitObjective } from '../../src/training/objective.ts';
import { hyperOf, modelOf, tensorType } from '../../src/training/plan.ts';
import { float64, numbers, once } from './session.ts';
import { pick } from './subject.ts';

const logits = float64([2, 3], [2, 1, 0.1, 0, 3, -1]);
const labels = int64([2], [0, 2]);

/** Objective of the card's example, in float64. */
const measure = async (id: string, given: Record<string, unknown>, z: Tensor = logits, target: Tensor = labels, classes = 3) => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const loss = pick(losses, id, given);
  emit.typed('z', tensorType(z.dtype, ['N', ...z.dims.slice(1)]));
  emit.typed('y', tensorType(target.dtype, ['N', ...target.dims.slice(1)]));
  const { names, values } = hyperOf(emit, loss, 'loss', 'float64');
  const { perExample } = loss.part.build(emit, { own: {}, given: {}, logits: 'z', target: 'y', classes }, names, loss.chosen);
  const objective = emitObjective(emit, loss, names, 'z', 'y', classes);
  const outputs = [perExample, objective.total, objective.weight, objective.mean, ...(objective.correct ? [objective.correct] : [])];
  const used = Object.entries(values).filter(([name]) => emit.nodes.some((n) => n.inputs.includes(name)));
  const graph = emit.graph(
    'loss',
    ['z', 'y', ...used.map(([name]) => name)].map((name) => ({ name, type: emit.type(name) ?? tensorType('float64', []) })),
    outputs.map((name) => ({ name, type: tensorType('float64', name === perExample ? ['N'] : []) })),
  );
  const out = await once(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph), { ...Object.fromEntries(used), z, y: target });
  const [each, total, weight, mean, correct] = outputs.map((name) => numbers(out[name]));
  return { each, total: total[0], weight: weight[0], mean: mean[0], correct: correct?.[0] };
};
/** The card prints twelve decimals. */
const near = (actual: number, wanted: number): void => assert.ok(Math.abs(actual - wanted) < 6e-13, `${actual} is not ${wanted}`);

test('cross-entropy is that of the card', async () => {
  const { each, mean, total, weight, correct } = await measure('cross-entropy', {});
  near(each[0], 0.417030016278);
  near(each[1], 4.065883903757);
  near(mean, 2.241456960018);
  assert.equal(weight, 2);
  near(total / weight, mean);
  assert.equal(correct, 1);
});

test('label smoothing and class weights are those of the card', async () => {
  near((await measure('cross-entropy', { labelSmoothing: 0.1 })).mean, 2.206456960018);
  const weighted = await measure('cross-entropy', { classWeights: '1,2,3' });
  near(weighted.mean, 3.153670431888);
  assert.equal(weighted.weight, 4);
});

test('sums over shards add up to the loss of the whole', async () => {
  for (const given of [{}, { labelSmoothing: 0.1 }, { classWeights: '1,2,3' }]) {
    const whole = await measure('cross-entropy', given);
    const a = await measure('cross-entropy', given, float64([1, 3], [2, 1, 0.1]), int64([1], [0]));
    const b = await measure('cross-entropy', given, float64([1, 3], [0, 3, -1]), int64([1], [2]));
    near((a.total + b.total) / (a.weight + b.weight), whole.mean);
  }
});

test('cross-entropy stays finite where a softmax would overflow', async () => {
  assert.deepEqual((await measure('cross-entropy', {}, float64([1, 3], [1000, 0, -1000]), int64([1], [1]))).each, [1000]);
});

test('mean squared error is over all elements, whatever the shape of the targets', async () => {
  const z = float64([2, 2], [1, 2, 3, 4]);
  near((await measure('mse', {}, z, float64([2, 2], [0, 2, 5, 1]), 0)).mean, (1 + 0 + 4 + 9) / 4);
  near((await measure('mse', {}, float64([2, 1], [1, 2]), float64([2, 1], [0, 4]), 0)).mean, 2.5);
});

test('of the scores and labels of the card binary cross-entropy and Huber are what it says', async () => {
  const [z, y] = [float64([1, 3], [0.3, -2, 5]), float64([1, 3], [1, 0, 0])];
  near((await measure('binary-cross-entropy', {}, z, y, 0)).mean, 1.895999534667);
  near((await measure('huber', {}, z, y, 0)).mean, 2.081666666667);
  near((await measure('mse', {}, z, y, 0)).mean, (0.49 + 4 + 25) / 3);
});

test('class weights must be one positive number per class', async () => {
  for (const classWeights of ['1,2', '1,2,x', '0,0,0', '1,-1,1'])
    await assert.rejects(measure('cross-entropy', { classWeights }), (e) => Fault.is(e, 'option/value') && e.message.includes('3 numbers'));
});

test('correctness-aware loss: values of its card, balanced weights, and a narrow error that cross-entropy would raise', async () => {
  const z = [2, 0.5, -1, 0.3, 0.1, 0.1, 1.2, 0.9, 0, -0.5, 1, 0.8, 0.2, 0.1, 0];
  const tau = [1, 2, 0.5];
  const scaled = float64(
    [3, 5],
    z.map((v, k) => v / tau[Math.floor(k / 5)]),
  );
  const y = int64([3], [0, 2, 0]);
  const printed = (actual: number, wanted: number, digits: number): void =>
    assert.ok(Math.abs(actual - wanted) < 0.51 * 10 ** -digits, `${actual} is not ${wanted}`);
  const none = await measure('correctness-aware', {}, scaled, y, 5);
  printed(none.mean, 0.1730995956, 10);
  printed(none.each[1], 0.29292146 ** 2, 8);
  const balanced = await measure('correctness-aware', { weighting: 'balanced' }, scaled, y, 5);
  printed(balanced.mean, 0.1512754426, 10);
  assert.equal(balanced.correct, 2);
  const at = async (own: readonly number[]): Promise<number> => {
    const given = float64(
      [3, 5],
      z.map((v, k) => v / own[Math.floor(k / 5)]),
    );
    return (await measure('correctness-aware', {}, given, y, 5)).mean;
  };
  for (const [i, slope] of [0.10523581, -0.00954252, 0.17673161].entries()) {
    // Central differences of step 1e-4 are right to about 1e-8.
    const moved = (h: number): Promise<number> => at(tau.map((t, k) => (k === i ? t + h : t)));
    assert.ok(Math.abs(((await moved(1e-4)) - (await moved(-1e-4))) / 2e-4 - slope) < 3e-8);
  }
  const narrow = [0.45, 0.4, 0.15].map(Math.log);
  const of = async (t: number): Promise<number> =>
    (
      await measure(
        'correctness-aware',
        {},
        float64(
          [1, 3],
          narrow.map((v) => v / t),
        ),
        int64([1], [1]),
      )
    ).mean;
  for (const [t, wanted, digits] of [
    [0.5, 0.2766487, 7],
    [1, 0.2025, 10],
    [2, 0.1574505, 7],
    [5, 0.1294431, 7],
  ])
    printed(await of(t), wanted, digits);
});
