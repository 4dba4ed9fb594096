import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  marginOf,
  radiusOf,
  type SeparatingMethod,
  type SignedRows,
  separate,
  updateBound,
} from '../../src/base/maths/large-step-logistic.ts';

const signed = (list: readonly (readonly number[])[]): SignedRows => ({
  rows: list.length,
  width: list[0].length,
  data: Float64Array.from(list.flat()),
});
/** One row (0.5, −1) and n − 1 rows (0.5, 1). */
const worst = (n: number): SignedRows => signed(Array.from({ length: n }, (_, i) => [0.5, i === 0 ? -1 : 1]));
const updates = async (z: SignedRows, method: SeparatingMethod, rate = 1): Promise<number> => {
  const walk = await separate(z, { method, rate, most: 10_000 });
  assert.ok(walk.separated);
  return walk.updates;
};

const known: Record<number, Partial<Record<SeparatingMethod, readonly (readonly [rate: number, updates: number])[]>>> = {
  1000: {
    'normalized-lr-gd': [
      [100, 2],
      [10, 2],
      [1, 16],
      [0.1, 157],
    ],
    'lr-gd': [
      [100, 308],
      [1000, 301],
      [10, 729],
      [1, 7313],
    ],
    'batch-perceptron': [[1, 301]],
    'normalized-batch-perceptron': [[1, 2]],
  },
  100: {
    'normalized-lr-gd': [
      [1, 11],
      [0.1, 110],
    ],
    'lr-gd': [
      [100, 31],
      [10, 55],
      [1, 561],
    ],
    'batch-perceptron': [[1, 31]],
  },
  10: {
    'normalized-lr-gd': [
      [1, 7],
      [0.1, 60],
    ],
    'lr-gd': [
      [100, 4],
      [1, 37],
    ],
    'batch-perceptron': [[1, 4]],
  },
};
for (const [n, methods] of Object.entries(known)) {
  test(`updates to separation of the worst set of ${n} rows (table 1 of the paper)`, async () => {
    for (const [method, list] of Object.entries(methods) as [SeparatingMethod, readonly (readonly [number, number])[]][])
      for (const [rate, wanted] of list) assert.equal(await updates(worst(Number(n)), method, rate), wanted, `${method} ${rate}`);
  });
}

const first = (z: SignedRows, method: SeparatingMethod, rate: number, most: number) => separate(z, { method, rate, most });
const near = (actual: ArrayLike<number>, wanted: readonly number[], tolerance: number): void => {
  for (const [i, w] of wanted.entries()) assert.ok(Math.abs(actual[i] - w) <= tolerance, `${Array.from(actual)} is not ${wanted}`);
};

test('two rows: the first iterates and losses', async () => {
  const z = signed([
    [1, -1],
    [1, 4],
  ]);
  const one = await first(z, 'lr-gd', 1, 1);
  near(one.theta, [0.5, 0.75], 1e-15);
  near(one.loss, [Math.log(2), 0.427844919076], 1e-12);
  const two = await first(z, 'lr-gd', 1, 2);
  near(two.theta, [0.79574437, 0.52753621], 5e-9);
  near([two.loss[2]], [0.310632360228], 1e-12);
  // A rate of 100: the loss rises from 0.69 to 12.5 and the next iterate separates.
  const steep = await first(z, 'lr-gd', 100, 2);
  near([steep.loss[1]], [12.500000000007], 1e-12);
  near(
    Array.from(steep.theta, (v) => v / 100),
    [1, 0.25],
    1e-9,
  );
  assert.ok(Math.abs(steep.loss[2] / 1.3393e-33 - 1) < 1e-4);
  assert.ok(steep.separated);
  near((await first(z, 'normalized-lr-gd', 1, 1)).theta, [1, 1.5], 1e-15);
  near((await first(z, 'normalized-lr-gd', 1, 2)).theta, [2, 0.50730746], 5e-9);
});

test('at large rates θ/γ is the batch perceptron', async () => {
  const z = signed(Array.from({ length: 101 }, (_, i) => [0.5, i === 0 ? -1 : 1.03]));
  const apart = async (rate: number): Promise<number> => {
    let most = 0;
    for (let t = 1; t <= 32; t++) {
      const [a, b] = [
        await separate(z, { method: 'lr-gd', rate, most: t }),
        await separate(z, { method: 'batch-perceptron', rate: 1, most: t }),
      ];
      if (a.updates === t && b.updates === t) most = Math.max(most, ...a.theta.map((v, k) => Math.abs(v / rate - b.theta[k])));
    }
    return most;
  };
  near([await apart(100)], [4.1e-3], 5e-5);
  // The card measures 7e-16.
  assert.ok((await apart(1e4)) < 1e-14);
});

test('rows in another order walk the same way, and rows times c walk as the rate times c²', async () => {
  const list = Array.from({ length: 12 }, (_, i) => [Math.sin(i) + 1.2, Math.cos(3 * i), 1]);
  for (const method of ['lr-gd', 'normalized-lr-gd'] as const) {
    const options = { method, rate: 0.7, most: 25 };
    const walk = await separate(signed(list), options);
    const mixed = await separate(signed(list.toReversed()), options);
    near(mixed.theta, Array.from(walk.theta), 1e-12);
    const scaled = await separate(signed(list.map((r) => r.map((v) => 3 * v))), { ...options, rate: 0.7 / 9 });
    near(
      scaled.theta,
      Array.from(walk.theta, (v) => v / 3),
      1e-12,
    );
    near(scaled.loss, walk.loss, 1e-12);
  }
});

test('no walk exceeds its bound, and one that does not end says so', async () => {
  const z = worst(100);
  const { theta } = await separate(z, { method: 'normalized-lr-gd', rate: 1, most: 1000 });
  const [radius, margin] = [radiusOf(z), marginOf(z, theta)];
  assert.equal(radius, Math.hypot(0.5, 1));
  assert.ok(margin > 0 && margin <= radius);
  for (const [method, rate] of [
    ['batch-perceptron', 1],
    ['normalized-batch-perceptron', 1],
    ['normalized-lr-gd', 0.1],
    ['normalized-lr-gd', 1],
  ] as const)
    assert.ok((await updates(z, method, rate)) <= updateBound(method, radius, margin, z.rows, rate), method);
  const never = await separate(
    signed([
      [1, 0],
      [-1, 0],
    ]),
    { method: 'normalized-lr-gd', rate: 1, most: 50 },
  );
  assert.deepEqual([never.separated, never.updates, never.accuracy.length], [false, 50, 51]);
});

test('margins of ±10,000 overflow nothing', async () => {
  const z = signed([
    [1e2, -1e2],
    [1e2, 4e2],
  ]);
  for (const method of ['lr-gd', 'normalized-lr-gd'] as const) {
    const walk = await separate(z, { method, rate: 100, most: 20 });
    assert.ok([...walk.theta, ...walk.loss, ...walk.gradientNorm].every(Number.isFinite));
  }
});
