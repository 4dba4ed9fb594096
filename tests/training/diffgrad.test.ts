import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose } from '../../src/base/option.ts';
import type { Live } from '../../src/report/tasks.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { descend, groupOf, near, type Problem } from './descent.ts';
import { workshop } from './workshop.ts';

/** The step as card 22 writes it; `even` takes the friction as given in its place. */
const reference = (lr: number, [beta1, beta2]: readonly [number, number], eps: number, decay = 0, even?: number) => {
  let t = 0;
  let [m, v, last]: number[][] = [[], [], []];
  return (w: readonly number[], gradient: readonly number[]): { w: number[]; xi: number[] } => {
    t++;
    const g = gradient.map((gi, i) => gi + decay * w[i]);
    m = g.map((gi, i) => beta1 * (m[i] ?? 0) + (1 - beta1) * gi);
    v = g.map((gi, i) => beta2 * (v[i] ?? 0) + (1 - beta2) * gi * gi);
    const xi = g.map((gi, i) => even ?? 1 / (1 + Math.exp(-Math.abs((last[i] ?? 0) - gi))));
    last = g;
    const rate = (lr * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t);
    return { w: w.map((wi, i) => wi - (rate * xi[i] * m[i]) / (Math.sqrt(v[i]) + eps)), xi };
  };
};
const bowl = (w: readonly number[]): number[] => [w[0], 10 * w[1], 0.1 * w[2]];

test("the card's three steps", async () => {
  const path = await descend('diffgrad', { lr: 0.1 });
  near(path[0], [0.926894165, -1.900000002, 2.942555809]);
  near(path[1], [0.87520704, -1.827015856, 2.892439847]);
  near(path[2], [0.824228912, -1.759796882, 2.842383651]);
});

test("the card's frictions on the way", () => {
  const step = reference(0.1, [0.9, 0.999], 1e-8);
  let w: readonly number[] = [1, -2, 3];
  for (const wanted of [
    [0.731059, 1, 0.574443],
    [0.518268, 0.731059, 0.501436],
    [0.512919, 0.67477, 0.501253],
  ]) {
    const next = step(w, bowl(w));
    near(next.xi, wanted, 6e-7);
    w = next.w;
  }
});

test('twenty steps are those of the reference, with decay and other numbers', async () => {
  const given = { lr: 0.03, beta1: 0.8, beta2: 0.99, eps: 1e-4, weightDecay: 0.2 };
  const path = await descend('diffgrad', given, [groupOf(1, 2)], 20);
  const step = reference(0.03, [0.8, 0.99], 1e-4, 0.2);
  let w: readonly number[] = [1, -2, 3];
  for (const found of path) {
    ({ w } = step(w, bowl(w)));
    near(found, w, 1e-12);
  }
});

test('without friction it is Adam in its old form, and a gradient that stays is Adam at half the rate', async () => {
  const still: Problem = { first: [1, -2, 3], gradient: () => [0.5, -1, 2] };
  const path = await descend('diffgrad', { lr: 0.1 }, undefined, 5, still);
  const full = reference(0.1, [0.9, 0.999], 1e-8, 0, 1);
  const half = reference(0.05, [0.9, 0.999], 1e-8, 0, 1);
  // ξ₁ = σ(|g|); from then on 1/2.
  half(path[0], [0.5, -1, 2]);
  full(path[0], [0.5, -1, 2]);
  for (const [i, w] of path.slice(1).entries()) {
    const { w: slow } = half(path[i], [0.5, -1, 2]);
    near(w, slow, 1e-14);
    const { w: fast } = full(path[i], [0.5, -1, 2]);
    for (const [k, at] of path[i].entries()) assert.ok(Math.abs((w[k] - at) / (fast[k] - at) - 0.5) < 1e-12);
  }
});

test('a step is between half of Adam’s and all of it', async () => {
  const path = await descend('diffgrad', { lr: 0.1 }, undefined, 10);
  const full = reference(0.1, [0.9, 0.999], 1e-8, 0, 1);
  let before: readonly number[] = [1, -2, 3];
  for (const w of path) {
    const { w: fast } = full(before, bowl(before));
    for (const [k, at] of before.entries()) {
      const share = (w[k] - at) / (fast[k] - at);
      assert.ok(share >= 0.5 - 1e-12 && share <= 1 + 1e-12, String(share));
    }
    before = w;
  }
});

const toys: Record<string, { slope: (x: number) => number; first?: number[]; diffgrad: number; adam: number; tolerance: number }> = {
  F1: {
    slope: (x) => (x <= 0 ? 2 * (x + 0.3) : 2 * (x - 0.2)),
    first: [-0.919781629, -0.865961156, -0.813661054],
    diffgrad: -0.300026,
    adam: 0.200077,
    tolerance: 6e-7,
  },
  F2: {
    slope: (x) => (x <= -0.9 ? -40 : 3 * x * x + Math.sin(8 * x) + 8 * x * Math.cos(8 * x)),
    diffgrad: -0.642998,
    adam: 0.00006,
    tolerance: 6e-6,
  },
  F3: {
    slope: (x) => (x > 0.5 || x <= -0.5 ? 2 * x : x <= -0.4 ? 1 : x <= 0 ? -7 / 8 : x <= 0.4 ? 7 / 8 : -1),
    diffgrad: 0.0079,
    adam: 0.0023,
    tolerance: 6e-5,
  },
};
for (const [name, { slope, first = [], diffgrad, adam, tolerance }] of Object.entries(toys)) {
  test(`${name} of the paper, from −1 in 300 steps`, async () => {
    const problem: Problem = { first: [-1], gradient: ([x]) => [slope(x)] };
    const options = { lr: 0.1, beta1: 0.95 };
    const path = await descend('diffgrad', options, [groupOf(1)], 300, problem);
    for (const [i, x] of first.entries()) near(path[i], [x]);
    near(path[299], [diffgrad], tolerance);
    near((await descend('adam', options, [groupOf(1)], 300, problem))[299], [adam], tolerance);
  });
}

test('options out of range are named with their range', () => {
  const { options } = optimizers.find((o) => o.id === 'diffgrad') ?? assert.fail();
  for (const given of [{ beta1: 1 }, { beta2: 1 }, { beta1: -0.1 }, { eps: -1 }, { lr: -1 }])
    assert.throws(() => choose("'diffgrad'", options, given), new RegExp(`'?${Object.keys(given)[0]}'?.*from 0 to`));
});

test('the friction is watched without being asked for, and the report says what it comes to', async () => {
  const shop = workshop();
  const data = { train: { path: shop.arrays('d.npz', rows()) } };
  const recipe = { arch: 'mlp', data, split: { val: 0 }, loss: 'cross-entropy', batch: 40, epochs: 30 };
  const told: (readonly string[])[] = [];
  const live = (event: Live): void => void (event.kind === 'epoch' && told.push(event.said ?? []));
  const small = await shop.run({ ...recipe, optimizer: { kind: 'diffgrad', lr: 1e-3 } }, { live });
  const card = small.report.cards.find((c) => c.title === 'Friction of diffGrad');
  assert.ok(card?.kind === 'curve');
  assert.deepEqual(
    card.lines.map((l) => l.name),
    ['dense1.weight', 'dense2.weight'].flatMap((w) => [w, `${w} 5 %`, `${w} 95 %`]),
  );
  assert.match(card.caption ?? '', /equivalent to Adam at half the learning rate/);
  // Nothing is measured between epochs, so that a call is of several: the last one is told.
  assert.ok(told.length >= 1 && told.length <= 30);
  assert.deepEqual(told.at(-1), [card.caption]);
  const off = await shop.run({ ...recipe, optimizer: 'diffgrad', monitor: [] });
  assert.ok(!off.report.cards.some((c) => c.title === 'Friction of diffGrad'));
});

test('a checkpoint without the gradient before is refused', async () => {
  const shop = workshop();
  const data = { train: { path: shop.arrays('d.npz', rows()) } };
  const recipe = { arch: 'mlp', data, split: { val: 0 }, loss: 'cross-entropy', batch: 8, epochs: 1 };
  await shop.run({ ...recipe, optimizer: 'adam' });
  await assert.rejects(
    shop.run({ ...recipe, optimizer: 'diffgrad', epochs: 2 }, { resume: true, force: true }),
    /has no 'slot\/previous', which this optimizer carries/,
  );
});

test('the friction of another optimizer is refused', async () => {
  const shop = workshop();
  const recipe = { arch: 'mlp', data: { train: { path: shop.arrays('d.npz', rows()) } }, loss: 'cross-entropy', batch: 8, epochs: 1 };
  await assert.rejects(
    shop.run({ ...recipe, optimizer: 'adam', monitor: ['friction'] }),
    /friction.*watches 'diffgrad', and the optimizer is 'adam'/,
  );
});

/** 40 rows of 3 numbers in two classes. */
const rows = () => {
  const x = Float32Array.from({ length: 120 }, (_, i) => Math.sin(i * 1.7));
  return {
    x: { dtype: 'float32', dims: [40, 3], data: x } as const,
    y: { dtype: 'int32', dims: [40], data: Int32Array.from({ length: 40 }, (_, i) => Number(x[3 * i] > 0)) } as const,
  };
};
