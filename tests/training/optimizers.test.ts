import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emitter } from '../../src/graph/emit.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { modelOf } from '../../src/training/plan.ts';
import { emitClip } from '../../src/training/update.ts';
import { descend, f64, groupOf, near } from './descent.ts';
import { float64, numbers, once } from './session.ts';

type Known = [id: string, options: Record<string, unknown>, path: (number[] | null)[]];
const known: Known[] = [
  [
    'sgd',
    { lr: 0.05 },
    [
      [0.95, -1, 2.985],
      [0.9025, -0.5, 2.970075],
      [0.857375, -0.25, 2.955224625],
    ],
  ],
  ['sgd', { lr: 0.05, momentum: 0.9 }, [null, [0.8575, 0.4, 2.956575], [0.731375, 1.46, 2.916209625]]],
  [
    'sgd',
    { lr: 0.05, momentum: 0.9, nesterov: true },
    [
      [0.905, -0.1, 2.9715],
      [0.778525, 0.805, 2.93112075],
      [0.631462625, 0.80975, 2.880305528],
    ],
  ],
  [
    'sgd',
    { lr: 0.05, momentum: 0.9, weightDecay: 0.1 },
    [
      [0.945, -0.99, 2.97],
      [0.843525, 0.41895, 2.9133],
      [0.705803625, 1.47543525, 2.833137],
    ],
  ],
  [
    'adam',
    { lr: 0.1 },
    [
      [0.900000001, -1.9, 2.900000003],
      [0.80041223, -1.800166486, 2.800102714],
      [0.701586275, -1.700623391, 2.700381533],
    ],
  ],
  ['adam', { lr: 0.1, weightDecay: 0.1 }, [null, null, [0.701586274, -1.700623391, 2.700381528]]],
  [
    'adamw',
    { lr: 0.1, weightDecay: 0.1 },
    [
      [0.890000001, -1.88, 2.870000003],
      [0.781571857, -1.76140895, 2.741439947],
      [0.675101223, -1.644368683, 2.614405627],
    ],
  ],
  [
    'rmsprop',
    { lr: 0.01 },
    [
      [0.90000001, -1.9, 2.900000033],
      [0.832917975, -1.830943326, 2.830317497],
      [0.779982282, -1.775349442, 2.773888627],
    ],
  ],
  [
    'adagrad',
    { lr: 0.1 },
    [
      [0.9, -1.9, 2.9],
      [0.833103527, -1.831125054, 2.83049779],
      [0.780456181, -1.775821515, 2.774359346],
    ],
  ],
  [
    'adagrad-norm',
    { lr: 1 },
    [
      [0.950068609, -1.001372171, 2.985020583],
      [0.907680436, -0.554600894, 2.971702642],
      [0.868402614, -0.314609876, 2.95884327],
    ],
  ],
];
for (const [id, options, wanted] of known) {
  test(`${id} ${JSON.stringify(options)} takes the card's steps in float64`, async () => {
    const path = await descend(id, options);
    for (const [i, w] of wanted.entries()) if (w) near(path[i], w);
  });
}

test('dampening spares the first buffer, which is the gradient itself', async () => {
  const [first, second] = await descend('sgd', { lr: 0.05, momentum: 0.9, dampening: 0.5 });
  near(first, [0.95, -1, 2.985], 1e-14);
  // buf₂ = .9·(1, −20, .3) + .5·(.95, −10, .2985)
  near(second, [0.95 - 0.05 * 1.375, -1 + 0.05 * 23, 2.985 - 0.05 * 0.41925], 1e-14);
});

test('parameters in pieces take the same steps as in one', async () => {
  for (const id of ['adam', 'adagrad-norm']) {
    assert.deepEqual(await descend(id, { lr: 0.1 }, [groupOf(1, 2)]), await descend(id, { lr: 0.1 }));
    assert.deepEqual(await descend(id, { lr: 0.1 }, [groupOf(1), groupOf(2)]), await descend(id, { lr: 0.1 }));
  }
});

test('a group has its own rate and decay', async () => {
  const groups = [
    { ...groupOf(1), weightDecay: 0.2 },
    { ...groupOf(2), lrScale: 0.5 },
  ];
  const [[a, b, c]] = await descend('sgd', { lr: 0.1 }, groups, 1);
  near([a, b, c], [1 - 0.1 * 1.2, -2 + 0.05 * 20, 3 - 0.05 * 0.3], 1e-15);
});

test('a rate of zero leaves every parameter as it is, bit for bit', async () => {
  for (const part of optimizers) {
    const decay = 'weightDecay' in part.options ? { weightDecay: 0.1 } : {};
    for (const w of await descend(part.id, { lr: 0, ...decay })) assert.deepEqual(w, [1, -2, 3], part.id);
  }
});

const clipped = async (clip: { norm: number } | { value: number }): Promise<{ grad: number[]; norm: number }> => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const { grad, norm } = emitClip(emit, emit.typed('g', f64([3])), clip, emit.typed('limit', f64([])));
  const graph = emit.graph(
    'clip',
    [
      { name: 'g', type: f64([3]) },
      { name: 'limit', type: f64([]) },
    ],
    [
      { name: grad, type: f64([3]) },
      { name: norm, type: f64([]) },
    ],
  );
  const out = await once(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph), {
    g: float64([3], [3, 4, 12]),
    limit: float64([], [Object.values(clip)[0]]),
  });
  return { grad: numbers(out[grad]), norm: numbers(out[norm])[0] };
};

test('clipping by norm and by value', async () => {
  const byNorm = await clipped({ norm: 5 });
  assert.equal(byNorm.norm, 13);
  near(byNorm.grad, [1.153846065, 1.53846142, 4.61538426], 6e-9);
  assert.deepEqual((await clipped({ norm: 20 })).grad, [3, 4, 12]);
  assert.deepEqual((await clipped({ value: 3.5 })).grad, [3, 3.5, 3.5]);
});
