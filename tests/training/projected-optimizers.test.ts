import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { sizeOf } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import { baselineOf } from '../../src/training/baseline.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { parametersOf } from '../../src/training/parameters.ts';
import type { Group } from '../../src/training/plan.ts';
import { descend, near, type Problem } from './descent.ts';
import { digitsData, workshop } from './workshop.ts';

const weight = (dims: readonly number[], channels = 0): Group => ({
  parameters: [{ name: 'w', dims, role: 'weight', fanIn: 1, fanOut: 1, channels }],
  lrScale: 1,
});
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * b[i], 0);
const length = (a: readonly number[]): number => Math.sqrt(dot(a, a));

interface Numbers {
  readonly lr: number;
  readonly momentum?: number;
  readonly dampening?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly weightDecay?: number;
  readonly delta?: number;
  readonly wdRatio?: number;
  readonly nesterov?: boolean;
}

/** Card 03 in plain TypeScript; `rows` tells which entries each output channel has. Gives the view used as well. */
const reference = (kind: 'adamp' | 'sgdp', rows: readonly (readonly number[])[], given: Numbers) => {
  const { lr, momentum = 0, dampening = 0, beta1 = 0.9, beta2 = 0.999, weightDecay = 0, delta = 0.1, wdRatio = 0.1, nesterov } = given;
  const eps = 1e-8;
  let t = 0;
  let [m, v]: number[][] = [[], []];
  const of = (a: readonly number[], at: readonly number[]): number[] => at.map((i) => a[i]);
  return (w: readonly number[], g: readonly number[]): { w: number[]; view: string } => {
    t++;
    const ahead = (last: readonly number[]): number[] => g.map((gi, i) => beta1 * last[i] + (1 - beta1) * gi);
    let d: number[];
    if (kind === 'adamp') {
      m = ahead(g.map((_, i) => m[i] ?? 0));
      v = g.map((gi, i) => beta2 * (v[i] ?? 0) + (1 - beta2) * gi * gi);
      const up = nesterov ? ahead(m) : m;
      d = up.map((u, i) => u / (Math.sqrt(v[i]) / Math.sqrt(1 - beta2 ** t) + eps));
    } else {
      m = g.map((gi, i) => momentum * (m[i] ?? 0) + (1 - dampening) * gi);
      d = nesterov ? m.map((b, i) => g[i] + momentum * b) : m;
    }
    d = [...d];
    let view = 'none';
    for (const [name, parts] of [['channel', rows] as const, ['layer', [w.map((_, i) => i)]] as const]) {
      const cosine = Math.max(
        ...parts.map((at) => Math.abs(dot(of(g, at), of(w, at))) / Math.max(length(of(g, at)) * length(of(w, at)), eps)),
      );
      if (!(cosine < delta / Math.sqrt(parts[0].length))) continue;
      for (const at of parts) {
        const unit = of(w, at).map((x) => x / (length(of(w, at)) + eps));
        const along = dot(unit, of(d, at));
        for (const [k, i] of at.entries()) d[i] -= unit[k] * along;
      }
      view = name;
      break;
    }
    const ratio = view === 'none' ? 1 : wdRatio;
    const shrink = 1 - (lr * weightDecay * ratio) / (kind === 'sgdp' ? 1 - momentum : 1);
    const rate = kind === 'adamp' ? lr / (1 - beta1 ** t) : lr;
    return { w: w.map((x, i) => x * shrink - rate * d[i]), view };
  };
};

const W = [1, 2, 2, 0, 3, 4];
const gs = [
  [2, -1, 0, 1, 4, -3],
  [0, 1, -1, 2, -4, 3],
];
const twoSteps: Problem = { first: W, gradient: (_, t) => gs[t - 1] };
const grid = weight([2, 3]);

test("SGDP takes the card's steps: by channel, then none", async () => {
  const [one, two] = await descend('sgdp', { lr: 0.1, momentum: 0.9, weightDecay: 0.01 }, [grid], 2, twoSteps);
  near(one, [0.799, 2.098, 1.998, -0.1, 2.597, 4.296], 1e-9);
  near(two, [0.61101, 2.06702, 2.07802, -0.389, 2.61103, 4.22304], 1e-9);
  const [first, second] = await descend('sgdp', { lr: 0.1, momentum: 0.9, nesterov: true }, [grid], 2, twoSteps);
  near(first, [0.62, 2.19, 2, -0.19, 2.24, 4.57], 1e-9);
  near(second, [0.458, 2.081, 2.19, -0.651, 2.676, 4.243], 1e-9);
});

test("AdamP takes the card's steps, both by channel", async () => {
  const [one, two] = await descend('adamp', { lr: 0.1, weightDecay: 0.01 }, [grid], 2, twoSteps);
  // The card prints nine decimals.
  near(one, [0.88878889, 2.077577777, 1.977577778, -0.099999999, 2.8877, 4.0836], 1e-9);
  near(two, [0.814137023, 2.054441706, 2.034978822, -0.196494784, 2.892286939, 4.077380576], 1e-9);
});

test('a gradient along the weight is left as it is, with full decay', async () => {
  const along: Problem = { first: W, gradient: () => W };
  const [w] = await descend('adamp', { lr: 0.1, weightDecay: 0.01 }, [grid], 1, along);
  near(w, [0.899000001, 1.898, 1.898, 0, 2.897, 3.896], 1e-9);
});

test('where rows fail and the whole tensor passes, the whole is projected', async () => {
  const g = [5, 0, 0, 0, -3, 1];
  const given = { lr: 0.1, weightDecay: 1 };
  const [w] = await descend('sgdp', { lr: 0.1 }, [grid], 1, { first: W, gradient: () => g });
  near(w, [0.5, 2, 2, 0, 3.3, 3.9], 1e-9);
  // The decay alone tells the view from none: a tenth of it is left.
  const [decayed] = await descend('sgdp', given, [grid], 1, { first: W, gradient: () => g });
  near(
    decayed,
    W.map((x, i) => x * 0.99 - 0.1 * g[i]),
    1e-12,
  );
  assert.equal(
    reference(
      'sgdp',
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      given,
    )(W, g).view,
    'layer',
  );
});

test('the toy of one scale-invariant vector: lengths and effective steps after 50 steps', async () => {
  const gradient = (w: readonly number[]): number[] => {
    const n = length(w);
    return w.map((x, i) => (w[2] * x) / n ** 3 - (i === 2 ? 1 / n : 0));
  };
  const problem: Problem = { first: [1, 0.2, 0.1], gradient };
  const row = weight([1, 3]);
  for (const [id, given, norm, step] of [
    ['sgd', { lr: 0.1 }, 1.068952, 0.001733],
    ['sgd', { lr: 0.1, momentum: 0.9 }, 4.249611, 0.003841],
    ['sgdp', { lr: 0.1, momentum: 0.9 }, 1.221024, 0.001173],
  ] as const) {
    const path = await descend(id, given, [row], 50, problem);
    const [before, after] = path.slice(-2);
    assert.ok(Math.abs(length(after) - norm) < 6e-7, `${id} ${length(after)}`);
    const delta = length(after.map((x, i) => x - before[i])) / length(before);
    assert.ok(Math.abs(delta - step) < 6e-7, `${id} ${delta}`);
  }
});

/** Entries of every channel along an axis of a tensor. */
const rowsOf = (dims: readonly number[], axis: number): number[][] => {
  const inner = sizeOf(dims.slice(axis + 1));
  const all = Array.from({ length: sizeOf(dims) }, (_, i) => i);
  return Array.from({ length: dims[axis] }, (_, c) => all.filter((i) => Math.floor(i / inner) % dims[axis] === c));
};

const shapes: Record<string, { dims: number[]; channels: number }> = {
  'dense stored [out, in]': { dims: [3, 4], channels: 0 },
  'MatMul, outputs last': { dims: [4, 3], channels: 1 },
  'Conv [out, in, 2, 2]': { dims: [3, 2, 2, 2], channels: 0 },
  'ConvTranspose [in, out, 2, 2]': { dims: [2, 3, 2, 2], channels: 1 },
};
for (const [name, { dims, channels }] of Object.entries(shapes)) {
  test(`${name}: twelve steps are those of the reference, and every view is met`, async () => {
    const rows = rowsOf(dims, channels);
    const met = new Set<string>();
    for (const [id, given] of [
      ['adamp', { lr: 0.05, weightDecay: 0.1, wdRatio: 0.3, delta: 0.3 }],
      ['adamp', { lr: 0.05, beta1: 0.7, nesterov: true, delta: 0.3 }],
      ['sgdp', { lr: 0.05, momentum: 0.8, dampening: 0.2, weightDecay: 0.1, delta: 0.3 }],
      ['sgdp', { lr: 0.05, momentum: 0.8, nesterov: true, delta: 0.3 }],
    ] as const) {
      const chance = random(0, name);
      const normal = (): number[] => Array.from({ length: sizeOf(dims) }, () => chance.normal());
      const first = normal();
      const drawn = Array.from({ length: 12 }, normal);
      /** Across the rows, across the whole, or as drawn, in turn. */
      const gradient = (w: readonly number[], t: number): number[] => {
        const parts = t % 3 === 0 ? rows : t % 3 === 1 ? [first.map((_, i) => i)] : [];
        const g = [...drawn[t - 1]];
        for (const at of parts) {
          const [wr, gr] = [at.map((i) => w[i]), at.map((i) => g[i])];
          const along = dot(wr, gr) / dot(wr, wr);
          for (const i of at) g[i] -= along * w[i];
        }
        return g;
      };
      const path = await descend(id, given, [weight(dims, channels)], 12, { first, gradient });
      const step = reference(id, rows, given);
      let w: readonly number[] = first;
      for (const [i, found] of path.entries()) {
        const next = step(w, gradient(w, i + 1));
        met.add(next.view);
        w = next.w;
        near(found, w, 1e-9);
      }
    }
    assert.deepEqual([...met].toSorted(), ['channel', 'layer', 'none']);
  });
}

test('δ = 0 is AdamW, and SGD with decoupled decay; a wdRatio of 1 leaves the decay whole', async () => {
  const given = { lr: 0.1, weightDecay: 0.01 };
  assert.deepEqual(
    (await descend('adamp', { ...given, delta: 0 }, [grid], 2, twoSteps)).map((w) => w.map((x) => x.toFixed(12))),
    (await descend('adamw', given, [grid], 2, twoSteps)).map((w) => w.map((x) => x.toFixed(12))),
  );
  let [w, b] = [W, W.map(() => 0)];
  for (const [i, found] of (await descend('sgdp', { ...given, momentum: 0.9, delta: 0 }, [grid], 2, twoSteps)).entries()) {
    b = b.map((x, k) => 0.9 * x + gs[i][k]);
    w = w.map((x, k) => x * (1 - (0.1 * 0.01) / (1 - 0.9)) - 0.1 * b[k]);
    near(found, w, 1e-12);
  }
  const plain = await descend('adamp', { lr: 0.1 }, [grid], 1, twoSteps);
  const whole = await descend('adamp', { ...given, wdRatio: 1 }, [grid], 1, twoSteps);
  near(
    whole[0],
    plain[0].map((x, i) => x - 0.1 * 0.01 * W[i]),
    1e-12,
  );
});

test('a projected step has no part along any row, so that lengths grow to second order, and turns the row as without projection', async () => {
  for (const id of ['adamp', 'sgdp']) {
    const [w] = await descend(id, { lr: 0.1 }, [grid], 1, twoSteps);
    const [unprojected] = await descend(id, { lr: 0.1, delta: 0 }, [grid], 1, twoSteps);
    for (const at of [
      [0, 1, 2],
      [3, 4, 5],
    ]) {
      const [before, after] = [at.map((i) => W[i]), at.map((i) => w[i])];
      const step = after.map((x, i) => x - before[i]);
      // n is w/(‖w‖ + 1e-8), so that 2e-8 of the part along is left.
      assert.ok(Math.abs(dot(step, before)) < 1e-7 * length(before), id);
      assert.ok(Math.abs(dot(after, after) - dot(before, before) - dot(step, step)) < 1e-7);
      // Across the row it is the step without projection.
      const plain = at.map((i) => unprojected[i] - W[i]);
      const off = plain.map((x, i) => x - (dot(plain, before) / dot(before, before)) * before[i]);
      near(step, off, 1e-7);
    }
  }
});

test('vectors are never projected', async () => {
  const flat: Group = { parameters: [{ name: 'b', dims: [6], role: 'bias', fanIn: 1, fanOut: 1 }], lrScale: 1 };
  const across: Problem = { first: W, gradient: () => gs[0] };
  const near12 = (w: number[][]): string =>
    w
      .flat()
      .map((x) => x.toFixed(12))
      .join();
  assert.equal(
    near12(await descend('adamp', { lr: 0.1, weightDecay: 0.01 }, [flat], 3, across)),
    near12(await descend('adamw', { lr: 0.1, weightDecay: 0.01 }, [flat], 3, across)),
  );
});

test('the baseline is the same optimizer without projection, at the same numbers', () => {
  const of = (optimizer: unknown) => baselineOf({ optimizer }, 'r.train.json').recipe.optimizer;
  assert.deepEqual(of('adamp'), { kind: 'adamw', weightDecay: 0 });
  assert.deepEqual(of({ kind: 'adamp', lr: 0.01, weightDecay: 0.1, delta: 0.2 }), { kind: 'adamw', lr: 0.01, weightDecay: 0.1 });
  assert.deepEqual(of({ kind: 'sgdp', momentum: 0.9, wdRatio: 1 }), { kind: 'sgd', lr: 0.1, momentum: 0.9 });
});

test('before batch normalisations the report shows lengths, effective steps and views, and says what was projected', async () => {
  const base = { data: digitsData.train, split: { val: 0 }, loss: 'cross-entropy', batch: 128, epochs: 1, seed: 1 };
  const run = async (arch: object) => {
    const { report } = await workshop().run({ ...base, data: { train: base.data }, arch, optimizer: 'adamp' });
    const of = (title: string) => {
      const card = report.cards.find((c) => c.title === title);
      return card?.kind === 'curve' ? card : assert.fail(title);
    };
    return of;
  };
  const normed = await run({ kind: 'mlp', hidden: '16', norm: 'batch' });
  for (const title of ['Length of the weights', 'Update-to-weight ratio', 'Effective step size'])
    assert.deepEqual(
      normed(title).lines.map((l) => l.name),
      ['dense1.weight', 'dense2.weight'],
    );
  assert.match(normed('Share of weights projected').caption ?? '', /dense1\.weight 100 % by channel/);
  const bare = await run({ kind: 'mlp', hidden: '16' });
  assert.match(bare('Share of weights projected').caption ?? '', /No weight meets the test.*AdamP is AdamW/);
});

test('rows are those of output channels, whichever operand the weight is', () => {
  const axes: Record<string, readonly [number, readonly number[], (emit: Emit, w: string) => string]> = {
    'Conv [out, in, 2, 2]': [0, [3, 3, 2, 2], (emit, w) => emit.call('Conv', ['image', w])],
    'ConvTranspose [in, out, 2, 2]': [1, [3, 3, 2, 2], (emit, w) => emit.call('ConvTranspose', ['image', w])],
    'Gemm [out, in]': [0, [3, 3], (emit, w) => emit.Gemm('x', w, { transB: 1 })],
    'Gemm [in, out]': [1, [3, 3], (emit, w) => emit.Gemm('x', w)],
    'MatMul [in, out]': [1, [3, 3], (emit, w) => emit.MatMul('x', w)],
    'MatMul on the left [out, in]': [0, [3, 3], (emit, w) => emit.MatMul(w, 'x')],
    'MatMul on the left [heads, out, in]': [1, [2, 3, 3], (emit, w) => emit.MatMul(w, 'x')],
  };
  for (const [name, [axis, dims, build]] of Object.entries(axes)) {
    const emit = emitter({});
    const type = (dims: readonly number[]) => ({ kind: 'tensor', dtype: 'float32', dims }) as const;
    emit.typed('x', type([3, 3]));
    emit.typed('image', type([1, 3, 4, 4]));
    const w = emit.hold('w', constantOf('float32', dims, new Float32Array(sizeOf(dims)).fill(1)));
    const y = build(emit, w);
    const graph = emit.graph('one', [], [{ name: y, type: emit.type(y) ?? type([]) }]);
    assert.equal(parametersOf(graph)[0].channels ?? 0, axis, name);
  }
});

test('a δ above 1, and vectors alone to train, are remarked on', async () => {
  const shop = workshop();
  const x = Float32Array.from({ length: 80 }, (_, i) => Math.sin(i * 1.7));
  const data = {
    train: {
      path: shop.arrays('d.npz', {
        x: { dtype: 'float32', dims: [40, 2], data: x },
        y: { dtype: 'int32', dims: [40], data: Int32Array.from({ length: 40 }, (_, i) => Number(x[2 * i] > 0)) },
      }),
    },
  };
  const recipe = { data, split: { val: 0 }, loss: 'cross-entropy', batch: 40, epochs: 1 };
  const notes = async (more: object): Promise<string> => (await shop.run({ ...recipe, ...more })).notes.join(' ');
  const wide = await notes({ arch: 'mlp', optimizer: { kind: 'sgdp', delta: 2 } });
  assert.match(wide, /delta of 2 projects steps of weights whose scale does matter/);
  assert.doesNotMatch(wide, /nothing to project/);
  assert.match(
    await notes({ arch: 'mlp', trainable: ['*.bias'], optimizer: 'adamp' }),
    /No trained parameter has two axes, so there is nothing to project/,
  );
  assert.doesNotMatch(await notes({ arch: 'mlp', optimizer: 'adamp' }), /delta of|nothing to project/);
});

test('options out of range are named with their range', () => {
  for (const [id, given] of [
    ['adamp', { delta: -0.1 }],
    ['sgdp', { delta: 1001 }],
    ['sgdp', { wdRatio: 2 }],
    ['sgdp', { momentum: 1 }],
  ] as const) {
    const { options } = optimizers.find((o) => o.id === id) ?? assert.fail();
    assert.throws(() => choose(`'${id}'`, options, given), new RegExp(`${Object.keys(given)[0]}.*from 0 to`));
  }
});
