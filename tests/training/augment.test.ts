import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { trainWithin } from '../../src/app/train.ts';
import { Fault } from '../../src/base/fault.ts';
import { int64, type Tensor } from '../../src/base/tensor.ts';
import { emitter } from '../../src/graph/emit.ts';
import { type Augment, augmentDraws, drawnOf, emitAugment } from '../../src/training/augment.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { modelOf, tensorType } from '../../src/training/plan.ts';
import { float64, numbers, once, open } from './session.ts';
import { call, planOf } from './subject.ts';
import { digitsData, workshop } from './workshop.ts';

type Draws = ReturnType<typeof augmentDraws>;
/** The rows as a step changes them, in float64; `draws` are those of one step, [1, B, …]. */
const changed = async (augment: Augment, x: Tensor, draws: Draws): Promise<number[]> => {
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const type = tensorType('float64', ['N', ...x.dims.slice(1)]);
  emit.typed('x', type);
  const kinds = Object.entries(drawnOf(augment, x.dims.slice(1)));
  const drawn = Object.fromEntries(kinds.map(([kind, dims]) => [kind, emit.typed(kind, tensorType('float64', ['N', ...dims]))]));
  const out = emitAugment(emit, augment, 'x', type, drawn);
  const info = (name: string) => ({ name, type: emit.type(name) ?? type });
  const graph = emit.graph('augment', ['x', ...Object.keys(drawn)].map(info), [{ name: out, type }]);
  const feeds = Object.fromEntries(Object.entries(draws).map(([kind, t]) => [kind, { ...t, dims: t.dims.slice(1) }]));
  return numbers((await once(modelOf({ irVersion: 10, opsets: new Map([['', 21]]) }, graph), { x, ...feeds }))[out]);
};
const images = float64(
  [6, 2, 4, 5],
  Array.from({ length: 240 }, (_, i) => i + 1),
);
const drawn = (augment: Augment, seed = 0, step = 0): Draws => augmentDraws(augment, 'float64', seed, [step, 1], 6, [2, 4, 5]);
const at = (b: number, c: number, y: number, x: number): number =>
  y < 0 || y > 3 || x < 0 || x > 4 ? 0 : 1 + ((b * 2 + c) * 4 + y) * 5 + x;

test("images sampled along a map are PyTorch's", async () => {
  const golden: Record<'dims' | 'x' | 'maps' | 'out', number[]> = JSON.parse(
    readFileSync(new URL('../golden/training/augmentation.json', import.meta.url), 'utf8'),
  );
  const made = await changed({ rotation: 25 }, float64(golden.dims, golden.x), { map: float64([1, 5, 2, 3], golden.maps) });
  for (const [i, v] of golden.out.entries()) assert.ok(Math.abs(made[i] - v) < 1e-13, `at ${i}: ${made[i]} is not ${v}`);
});

test('a shift moves by whole pixels and a flip mirrors, exactly', async () => {
  const augment: Augment = { shift: 2, flip: 'both' };
  const draws = drawn(augment);
  const made = await changed(augment, images, draws);
  const maps = numbers(draws.map ?? images);
  const seen = new Set<string>();
  for (let b = 0; b < 6; b++) {
    const [sx, , dx, , sy, dy] = maps.slice(6 * b, 6 * b + 6);
    seen.add(`${sx} ${sy}`);
    assert.ok([dx, dy].every((d) => Number.isInteger(d) && Math.abs(d) <= 2));
    for (const [c, y, x] of [0, 1].flatMap((c) => [0, 1, 2, 3].flatMap((y) => [0, 1, 2, 3, 4].map((x) => [c, y, x])))) {
      const source = at(b, c, sy * (y - 1.5) + dy + 1.5, sx * (x - 2) + dx + 2);
      assert.equal(made[((b * 2 + c) * 4 + y) * 5 + x], source);
    }
  }
  assert.ok(seen.size > 1, 'some rows are mirrored, others not');
});

test('a crop stays within the image, and a turn of a square by 0 is the image', async () => {
  for (let step = 0; step < 20; step++) {
    const maps = numbers(drawn({ crop: 0.3 }, 1, step).map ?? images);
    for (let b = 0; b < 6; b++) {
      const [a, , c, , e, f] = maps.slice(6 * b, 6 * b + 6);
      assert.ok(a === e && a >= Math.sqrt(0.3) && a <= 1);
      // From edge to edge of the output: ±2.5 across, ±2 down.
      assert.ok(a * 2.5 + Math.abs(c) <= 2.5 + 1e-12 && e * 2 + Math.abs(f) <= 2 + 1e-12);
    }
  }
  const still = { map: float64([1, 6, 2, 3], Array(6).fill([1, 0, 0, 0, 1, 0]).flat()) };
  assert.deepEqual(await changed({ rotation: 10 }, images, still), numbers(images));
});

test('cutout is a square of zeros, cut at the edges', async () => {
  const draws = drawn({ cutout: 3 });
  const boxes = numbers(draws.box ?? images);
  const made = await changed({ cutout: 3 }, images, draws);
  for (const [i, v] of made.entries()) {
    const [b, y, x] = [Math.floor(i / 40), Math.floor(i / 5) % 4, i % 5];
    const [y0, y1, x0, x1] = boxes.slice(4 * b, 4 * b + 4);
    assert.equal(v, y >= y0 && y <= y1 && x >= x0 && x <= x1 ? 0 : i + 1);
    assert.deepEqual([y1 - y0, x1 - x0], [2, 2]);
  }
});

test('noise is added, and mixup takes the larger share of the row itself', async () => {
  const draws = drawn({ noise: 0.5, mixup: 0.4 }, 3);
  const [noise, shares] = [numbers(draws.noise ?? images), numbers(draws.share ?? images)];
  const made = await changed({ noise: 0.5, mixup: 0.4 }, images, draws);
  const noisy = noise.map((e, i) => i + 1 + e);
  for (const [i, v] of made.entries()) {
    const share = shares[Math.floor(i / 40)];
    assert.ok(share >= 0.5 && share <= 1);
    assert.ok(Math.abs(v - (share * noisy[i] + (1 - share) * noisy[(i + 40) % 240])) < 1e-12);
  }
  const spread = Math.hypot(...noise) / Math.sqrt(noise.length);
  // 240 normal draws: their deviation is right to 4.6 % (one σ).
  assert.ok(Math.abs(spread / 0.5 - 1) < 0.2, `${spread}`);
});

test('shares of mixup follow Beta(α, α): mean and variance of the larger one', () => {
  for (const [alpha, mean] of [
    // E max(λ, 1 − λ) = ½ + ½·E|2λ − 1|: of Beta(1, 1), ¾; of Beta(½, ½), ½ + 1/π.
    [1, 0.75],
    [0.5, 0.5 + 1 / Math.PI],
  ]) {
    const shares = numbers(augmentDraws({ mixup: alpha }, 'float64', 5, [0, 4], 1000, [1]).share ?? images);
    // 4000 draws of deviation below 0.16: one σ is 0.0025.
    assert.ok(Math.abs(shares.reduce((s, v) => s + v, 0) / 4000 - mean) < 0.01);
  }
});

test('a compiled step on mixed rows has the loss of the mixed targets', async () => {
  const plan = { ...planOf('mlp', [3], 3, { hidden: '4' }), precision: 'float64' as const };
  const data = { x: float64([4, 3], [1, 2, 3, -1, 0, 1, 2, 0, -2, 0.5, 0.5, 1]), y: int64([4], [0, 1, 2, 1]) };
  const compiled = compileSteps({ ...plan, augment: { mixup: 1 } });
  const share = float64([1, 4], [0.5, 0.6, 0.9, 1]);
  const hyper = { ...compiled.hyper, [compiled.inputs.drawn.share ?? '']: share };
  const session = await open(compiled.model);
  const { loss } = await call(session, { ...compiled, hyper }, compiled.start, data, [[0, 1, 2, 3]], [0]);
  await session.release();
  const x = numbers(data.x);
  const mixedRows = x.map((v, i) => {
    const s = Number(share.data[Math.floor(i / 3)]);
    return s * v + (1 - s) * x[(i + 3) % 12];
  });
  const plain = compileSteps(plan);
  const whole = await open(plain.model);
  const of = async (row: number, label: number): Promise<number> => {
    const rows = { x: float64([1, 3], mixedRows.slice(3 * row, 3 * row + 3)), y: int64([1], [label]) };
    return (await call(whole, plain, plain.start, rows, [[0]], [0])).loss[0];
  };
  let mean = 0;
  for (const [b, label] of [0, 1, 2, 1].entries()) {
    const s = Number(share.data[b]);
    mean += (s * (await of(b, label)) + (1 - s) * (await of(b, [1, 2, 1, 0][b]))) / 4;
  }
  await whole.release();
  assert.ok(Math.abs(loss[0] - mean) < 1e-14, `${loss[0]} is not ${mean}`);
});

const recipe = {
  arch: { kind: 'cnn', input: [1, 8, 8], channels: '4', hidden: '' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adam', lr: 0.01 },
  epochs: 1,
};
const augment = { shift: 1, rotation: 10, crop: 0.8, cutout: 2, noise: 0.05, mixup: 0.2 };

test('a run with every change repeats bit for bit, streamed as resident, and differs from one without', async () => {
  const [a, b, c] = [workshop(), workshop(), workshop()];
  const first = await a.run({ ...recipe, augment });
  const second = await b.run({ ...recipe, augment }, { use: trainWithin(0) });
  const without = await c.run(recipe);
  assert.deepEqual(readFileSync(first.out), readFileSync(second.out));
  assert.notEqual(first.report.headline.test_loss, without.report.headline.test_loss);
  // One epoch on rows that are hard to tell; chance is 0.1.
  assert.ok(first.report.headline.test_accuracy > 0.3, `${first.report.headline.test_accuracy}`);
});

test('changes that do not fit are refused with what would', async () => {
  const refused = (given: object, word: RegExp) =>
    assert.rejects(workshop().run({ ...recipe, ...given }), (e) => Fault.is(e, 'training/recipe') && word.test(e.message));
  await refused({ arch: { kind: 'mlp', hidden: '' }, augment: { shift: 1 } }, /rows of shape \[64\].*channels, height, width/);
  await refused({ augment: { mixup: 1 }, adversarial: { epsilon: 0.1 } }, /mixup/);
});
