import assert from 'node:assert/strict';
import { choose } from '../../src/base/option.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import { emitter } from '../../src/graph/emit.ts';
import type { TensorType } from '../../src/graph/types.ts';
import { zeros } from '../../src/training/layout.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { type Group, modelOf } from '../../src/training/plan.ts';
import { type Carried, emitUpdate, slotsOf } from '../../src/training/update.ts';
import { float64, numbers, open } from './session.ts';

const find = (id: string) => {
  const part = optimizers.find((o) => o.id === id);
  assert.ok(part, id);
  return part;
};
export const f64 = (dims: readonly (number | string)[]): TensorType => ({ kind: 'tensor', dtype: 'float64', dims });
export const groupOf = (...sizes: number[]): Group => ({
  parameters: sizes.map((n, i) => ({ name: `p${i}`, dims: [n], role: 'weight', fanIn: 1, fanOut: 1 })),
  lrScale: 1,
});

/** Where a descent starts, and the gradient at w for step t. */
export interface Problem {
  readonly first: readonly number[];
  gradient(w: readonly number[], t: number): readonly number[];
}
/** f = ½Σa·w², a = (1, 10, .1), w₀ = (1, −2, 3), as in card 00-training-common. */
const quadratic: Problem = { first: [1, -2, 3], gradient: ([a, b, c]) => [a, 10 * b, 0.1 * c] };

/** Runs the compiled update in float64: the parameters after every step. */
export const descend = async (
  id: string,
  given: Record<string, unknown>,
  groups: readonly Group[] = [groupOf(3)],
  steps = 3,
  { first, gradient }: Problem = quadratic,
): Promise<number[][]> => {
  const size = first.length;
  const part = find(id);
  const optimizer = { part, chosen: choose(id, part.options, given) };
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = 'float64') => base.scalar(value, dtype) };
  const typed = (name: string, dims: number[]): string => emit.typed(name, f64(dims));
  const feeds: Record<string, Tensor> = { theta: float64([size], first) };
  const hyper: Record<string, string> = {};
  for (const [name, option] of Object.entries(part.options)) {
    if (option.kind !== 'real') continue;
    hyper[name] = typed(`h/${name}`, []);
    feeds[hyper[name]] = float64([], [Number(optimizer.chosen[name])]);
  }
  const scales = groups.map((g, i) => (g.lrScale === 1 ? '' : typed(`s/${i}`, [])));
  const decays = groups.map((g, i) => (g.weightDecay === undefined ? '' : typed(`d/${i}`, [])));
  groups.forEach((g, i) => {
    if (scales[i]) feeds[scales[i]] = float64([], [g.lrScale]);
    if (decays[i]) feeds[decays[i]] = float64([], [g.weightDecay ?? 0]);
  });
  const slots = Object.fromEntries(slotsOf(optimizer).map((s) => [s, typed(`slot/${s}`, [size])]));
  const scalars = 'stepAll' in part ? Object.fromEntries(Object.keys(part.scalars).map((z) => [z, typed(`scalar/${z}`, [])])) : {};
  for (const s of Object.values(slots)) feeds[s] = zeros('float64', size);
  if ('stepAll' in part) for (const [z, first] of Object.entries(part.scalars)) feeds[scalars[z]] = float64([], [first(optimizer.chosen)]);
  const state: Carried = { theta: typed('theta', [size]), slots, scalars };
  const next = emitUpdate(emit, { optimizer, groups }, state, typed('grad', [size]), hyper, { scales, decays }, typed('t', []));
  const pairs = [
    ['theta', next.theta],
    ...Object.keys(slots).map((s) => [slots[s], next.slots[s]]),
    ...Object.keys(scalars).map((z) => [scalars[z], next.scalars[z]]),
  ];
  const inputs = [...Object.keys(feeds), 'grad', 't'].map((name) => ({ name, type: emit.type(name) ?? f64([]) }));
  const outputs = pairs.map(([, name]) => ({ name, type: emit.type(name) ?? f64([]) }));
  const session = await open(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, emit.graph('update', inputs, outputs)));
  const path: number[][] = [];
  for (let t = 1; t <= steps; t++) {
    const w = numbers(feeds.theta);
    const out = await session.run({ ...feeds, grad: float64([size], gradient(w, t)), t: float64([], [t]) });
    for (const [input, output] of pairs) feeds[input] = out[output];
    path.push(numbers(feeds.theta));
  }
  await session.release();
  return path;
};

/** The card prints nine decimals. */
export const near = (actual: readonly number[], wanted: readonly number[], tolerance = 6e-10): void => {
  for (const [i, a] of actual.entries()) assert.ok(Math.abs(a - wanted[i]) <= tolerance, `${actual} is not ${wanted}`);
};
