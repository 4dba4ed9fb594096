import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../src/base/random.ts';
import { compileSteps } from '../../src/training/compile.ts';
import { monitors } from '../../src/training/monitors/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import type { Plan } from '../../src/training/plan.ts';
import { float64, numbers, open } from './session.ts';
import { call, pick, planOf } from './subject.ts';

const chance = random(0, 'watched');
const rows = Array.from({ length: 6 }, (_, i) => i);
const data = {
  x: float64(
    [6, 4],
    Array.from({ length: 24 }, () => chance.normal()),
  ),
  y: { dtype: 'int64', dims: [6], data: BigInt64Array.from([0n, 1n, 2n, 0n, 1n, 2n]) } as const,
};

/** Three steps of an MLP 4-5-3 in float64, the states between them, and what was watched at each. */
const watched = async (optimizer: Plan['optimizer'], watch: Plan['monitors']) => {
  const base = planOf('mlp', [4], 3, { hidden: '5', activation: 'tanh' });
  const compiled = compileSteps({ ...base, precision: 'float64', optimizer, monitors: watch ?? [] });
  const session = await open(compiled.model);
  const states = [compiled.start];
  const lines: Record<string, number>[] = [];
  for (let t = 0; t < 3; t++) {
    const { state, out } = await call(session, compiled, states[t], data, [rows], [0.1]);
    states.push(state);
    lines.push(Object.fromEntries(Object.entries(compiled.outputs.monitors).map(([line, name]) => [line, numbers(out[name])[0]])));
  }
  await session.release();
  const piece = (state: (typeof states)[number], key: string, name: string): number[] => {
    const entry = compiled.layout.entries.find((e) => e.name === name) ?? assert.fail();
    return numbers(state[key]).slice(entry.offset, entry.offset + entry.size);
  };
  return { states, lines, piece };
};
const length = (a: readonly number[]): number => Math.sqrt(a.reduce((s, x) => s + x * x, 0));

test('friction: mean and nearest-rank percentiles of ξ, by weight', async () => {
  const { states, lines, piece } = await watched(pick(optimizers, 'diffgrad'), [pick(monitors, 'friction')]);
  for (const [t, line] of lines.entries()) {
    assert.deepEqual(Object.keys(line).length, 6);
    for (const name of ['dense1.weight', 'dense2.weight']) {
      const [before, after] = [states[t], states[t + 1]].map((s) => piece(s, 'slot/previous', name));
      const xi = before.map((g, i) => 1 / (1 + Math.exp(-Math.abs(g - after[i])))).toSorted((a, b) => a - b);
      const rank = (share: number): number => xi[Math.max(1, Math.ceil(share * xi.length)) - 1];
      assert.ok(Math.abs(line[`friction/${name}`] - xi.reduce((s, x) => s + x, 0) / xi.length) < 1e-12);
      assert.ok(Math.abs(line[`friction/${name} 5 %`] - rank(0.05)) < 1e-12);
      assert.ok(Math.abs(line[`friction/${name} 95 %`] - rank(0.95)) < 1e-12);
    }
  }
});

test('lengths and effective steps by weight', async () => {
  const { states, lines, piece } = await watched(pick(optimizers, 'sgdp', { momentum: 0.9 }), [
    pick(monitors, 'weight-norm'),
    pick(monitors, 'update-ratio', { weights: true }),
    pick(monitors, 'effective-step', { weights: true }),
  ]);
  for (const [t, line] of lines.entries()) {
    for (const name of ['dense1.weight', 'dense2.weight']) {
      const [before, after] = [states[t], states[t + 1]].map((s) => piece(s, 'theta', name));
      const step = after.map((x, i) => x - before[i]);
      const along = step.reduce((s, x, i) => s + x * before[i], 0) / length(before) ** 2;
      const near = (key: string, wanted: number): void => assert.ok(Math.abs(line[`${key}/${name}`] - wanted) < 1e-12, key);
      near('weight-norm', length(after));
      near('update-ratio', length(step) / length(before));
      near('effective-step', length(step.map((x, i) => x - along * before[i])) / length(before));
    }
  }
});

test('projection: the views that the optimizer uses, and none with δ = 0; others are tested with its own δ', async () => {
  const seen = async (id: string, given: Record<string, unknown>, delta = 0.1) =>
    (await watched(pick(optimizers, id, given), [pick(monitors, 'projection', { delta })])).lines;
  // With δ = 1 the rows of 4 entries pass unless a cosine is above a half; with δ = 0 nothing does.
  for (const line of await seen('adamp', { delta: 0 })) assert.ok(Object.values(line).every((v) => v === 0));
  const wide = await seen('adamp', { delta: 1 });
  assert.deepEqual(Object.keys(wide[0]), [
    'projection',
    ...['dense1.weight', 'dense2.weight'].flatMap((w) => [`projection/${w} by channel`, `projection/${w} as a whole`]),
  ]);
  const own = await seen('sgd', {}, 1);
  assert.ok(wide.some((line) => line.projection > 0));
  assert.deepEqual(own[0], wide[0]);
  for (const line of wide) {
    const flags = Object.entries(line).flatMap(([key, v]) => (key === 'projection' ? [] : [v]));
    assert.ok(flags.every((v) => v === 0 || v === 1));
    assert.equal(line.projection, flags.reduce<number>((s, v) => s + v, 0) / 2);
  }
});

const says = (id: string, lines: Record<string, number[]>): string | undefined => monitors.find((m) => m.id === id)?.says?.(lines);

test('what the lines come to, in words', () => {
  const half = 'this run is equivalent to Adam at half the learning rate';
  assert.ok(says('friction', { 'friction/w': [0.5, 0.512], 'friction/w 95 %': [0.9, 0.9] })?.includes(half));
  assert.equal(
    says('friction', { 'friction/w': [0.5, 0.6], 'friction/v': [0.5] }),
    'Mean friction, by which the rate is multiplied: w 0.550, v 0.500. Layers near 0.5 move as with Adam at half the rate.',
  );
  assert.equal(says('friction', { 'friction/w': [Number.NaN] }), undefined);
  assert.match(says('projection', { projection: [0, 0] }) ?? '', /nothing to project/);
  const none = { projection: [0, 0], 'projection/w by channel': [0, 0], 'projection/w as a whole': [0, 0] };
  assert.match(says('projection', none) ?? '', /w never\. No weight meets the test .* AdamP is AdamW/);
  // A twelfth of random gradients meet the test with δ = 0.1.
  const chance = { projection: [1, 0, 0], 'projection/w by channel': [0, 0, 0], 'projection/w as a whole': [1, 0, 0] };
  assert.match(says('projection', chance) ?? '', /w 33\.3 % as a whole\. No weight meets the test/);
  const some = { projection: [1, 1], 'projection/w by channel': [1, 0], 'projection/w as a whole': [0, 1] };
  assert.equal(says('projection', some), 'Share of steps projected: w 50 % by channel and 50 % as a whole.');
  assert.equal(says('weight-norm', { 'weight-norm/w': [2, 3] }), 'Last length beside that after the first step: w 1.50 ×.');
});
