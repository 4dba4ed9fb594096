import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { vectors } from '../../src/app/vectors.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { descent, largestCosine, SLACK, spreadApart } from '../../src/base/maths/equiangular.ts';
import { readNpz } from '../../src/data/npz.ts';
import { world } from '../../src/jobs/world.ts';
import type { VectorsRequest } from '../../src/report/vectors.ts';
import { vectorDescent } from '../../src/training/vector-descent.ts';
import { float64, numbers, open } from '../training/session.ts';
import { digitsData, workshop } from '../training/workshop.ts';

const ports = await world();
const shop = workshop();
const make = async (given: Partial<VectorsRequest>, name = 'v.npz') => {
  const out = shop.at(name);
  const ask = { count: 10, dim: 0, alpha: -1, steps: 20000, seed: 0, device: 'cpu', out, ...given } as const;
  const found = await vectors(ask, ports, { ...quietJob(), live: () => {} });
  const { dims, data } = readNpz(readFileSync(out), out).vectors;
  return { found, dims, data: Float64Array.from(data as Float32Array) };
};

// numpy.random.RandomState(42).randn(3, 2).
const drawn = [
  0.4967141530112327, -0.13826430117118466, 0.6476885381006925, 1.5230298564080254, -0.23415337472333597, -0.23413695694918055,
];

test('the loop takes the steps of the host: 2077 from the card’s first vectors', async () => {
  const host = spreadApart(drawn, [3, 2], 0.5, () => 1e-3, 100000);
  assert.equal(host.steps, 2077);
  const session = await open(vectorDescent(3, 2, 'float64'));
  const one = (v: number) => float64([], [v]);
  let [w, best, worst] = [float64([3, 2], drawn), float64([3, 2], drawn), one(2)];
  const goal = 0.5 + SLACK;
  let calls = 0;
  for (; numbers(worst)[0] > goal; calls++) {
    const rates = float64([100], new Array(100).fill(1e-3));
    const out = await session.run({ vectors: w, best, worst, rates, alpha: one(0.5), goal: one(goal) });
    [w, best, worst] = [out['next/vectors'], out['next/best'], out['next/worst']];
  }
  await session.release();
  // Step 2077 is seen in the 21st call of 100.
  assert.equal(calls, 21);
  // The same operations in another order: differences of rounding over 2,077 steps.
  for (const [i, v] of numbers(best).entries()) assert.ok(Math.abs(v - host.vectors[i]) < 1e-9);
  assert.ok(Math.abs(numbers(worst)[0] - host.worst) < 1e-9);
});

test('a descent tells where it stands, and gives its best when it is cut off', () => {
  const steps = descent(drawn, [3, 2], 0.5, () => 1e-3, 10);
  assert.deepEqual(steps.next(), { done: false, value: { step: 0, best: Number.POSITIVE_INFINITY } });
  const { done, value } = steps.next();
  assert.ok(done && value.steps === 10 && value.worst > 0.5);
});

test('vectors are orthogonal, a simplex, or as far apart as was asked for; the same seed gives the same', async () => {
  const square = await make({});
  assert.deepEqual(square.dims, [10, 10]);
  assert.ok(square.found.largest < 1e-6 && square.found.reached);
  const simplex = await make({ count: 5, dim: 4 });
  assert.ok(Math.abs(simplex.found.largest - 0.25) < 1e-6);
  const narrow = await make({ dim: 5, alpha: 0.4 });
  assert.ok(narrow.found.largest <= 0.4 + SLACK + 1e-6);
  assert.equal(largestCosine(narrow.data, 10, 5), narrow.found.largest);
  assert.deepEqual((await make({ dim: 5, alpha: 0.4 })).data, narrow.data);
  assert.notDeepEqual((await make({ dim: 5, alpha: 0.4, seed: 1 })).data, narrow.data);
});

test('more numbers than the host takes on are searched by a loop', async () => {
  const { found, data } = await make({ count: 340, dim: 300, alpha: 0.2, steps: 400 });
  assert.ok(found.reached && found.largest <= 0.2 + SLACK + 1e-6, String(found.largest));
  for (let i = 0; i < 340; i += 50) assert.ok(Math.abs(Math.hypot(...data.subarray(300 * i, 300 * (i + 1))) - 1) < 1e-5);
});

test('a recipe trains with the file', async () => {
  await make({ count: 12, dim: 12 }, 'spare.npz');
  const { report } = await shop.run({
    arch: { kind: 'linear' },
    data: digitsData,
    split: { val: 0 },
    loss: 'cross-entropy',
    head: { kind: 'ebv', vectors: 'spare.npz' },
    optimizer: { kind: 'adam', lr: 1e-2 },
    batch: 64,
    epochs: 2,
  });
  assert.ok(report.headline.test_accuracy > 0.7);
});

test('wrong input is named, and nothing is written', async () => {
  await assert.rejects(
    make({ count: 10, dim: 5, alpha: 0.3 }, 'a.npz'),
    (e) => Fault.is(e, 'option/value') && /0.3333333.*--dim 6 would do/.test(e.message),
  );
  await assert.rejects(make({ count: 10, dim: 5, alpha: 1 / 3 + 1e-9, steps: 50 }, 'a.npz'), /an angle that the search reaches/);
  await assert.rejects(make({ count: 65536, dim: 65536 }, 'a.npz'), /at most 4096 vectors of 65536 numbers/);
  const stop = new AbortController();
  stop.abort();
  const ask = { count: 50, dim: 20, alpha: 0, steps: 10, seed: 0, device: 'cpu', out: shop.at('a.npz') } as const;
  await assert.rejects(vectors({ ...ask, alpha: 0.3 }, ports, { ...quietJob(), signal: stop.signal, live: () => {} }), (e) =>
    Fault.is(e, 'job/stopped'),
  );
  assert.equal(existsSync(shop.at('a.npz')), false);
});
