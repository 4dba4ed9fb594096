import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Tensor } from '../../src/base/tensor.ts';
import { emitter } from '../../src/graph/emit.ts';
import { type Precision, vector, zeros } from '../../src/training/layout.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { hyperOf, modelOf, only, scalar, tensorType } from '../../src/training/plan.ts';
import { emitUpdate, slotsOf } from '../../src/training/update.ts';
import { numbers, open } from './session.ts';
import { pick } from './subject.ts';

interface Golden {
  readonly start: readonly number[];
  readonly slope: readonly number[];
  readonly drift: readonly (readonly number[])[];
  readonly runs: readonly { readonly id: string; readonly options: Record<string, unknown>; readonly end: readonly number[] }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/training/optimizers.json', import.meta.url), 'utf8'));
const size = golden.start.length;

/** The parameters after the golden's steps, each compiled update in `precision`; the gradient a·w + cₜ is the host's. */
const taken = async (id: string, options: Record<string, unknown>, precision: Precision): Promise<number[]> => {
  const optimizer = pick(optimizers, id, options);
  const base = emitter({});
  const emit: typeof base = { ...base, scalar: (value, dtype = precision) => base.scalar(value, dtype) };
  const typed = (name: string, dims: number[]): string => emit.typed(name, tensorType(precision, dims));
  const { names, values } = hyperOf(emit, optimizer, 'optimizer', precision);
  const slots = Object.fromEntries(slotsOf(optimizer).map((s) => [s, typed(`slot/${s}`, [size])]));
  const groups = [{ parameters: [{ name: 'p', dims: [size], role: 'weight', fanIn: 1, fanOut: 1 } as const], lrScale: 1 }];
  const carried = { theta: typed('theta', [size]), slots, scalars: {} };
  const own = { scales: [''], decays: [''] };
  const next = emitUpdate(emit, { optimizer, groups }, carried, typed('grad', [size]), names, own, typed('t', []));
  const pairs = [['theta', next.theta], ...Object.keys(slots).map((s) => [slots[s], next.slots[s]])];
  const hyper = only(values, emit.nodes);
  const vectors = tensorType(precision, [size]);
  const scalars = tensorType(precision, []);
  const graph = emit.graph(
    'update',
    [
      ...[...pairs.map(([name]) => name), 'grad'].map((name) => ({ name, type: vectors })),
      ...['t', ...Object.keys(hyper)]
        .filter((name) => emit.nodes.some((n) => n.inputs.includes(name)))
        .map((name) => ({ name, type: scalars })),
    ],
    pairs.map(([, name]) => ({ name, type: vectors })),
  );
  const session = await open(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph));
  const counts = graph.inputs.some((i) => i.name === 't');
  let state: Record<string, Tensor> = Object.fromEntries(
    pairs.map(([name], i) => [name, i === 0 ? vector(precision, golden.start) : zeros(precision, size)]),
  );
  for (const [t, c] of golden.drift.entries()) {
    const grad = vector(
      precision,
      numbers(state.theta).map((w, i) => golden.slope[i] * w + c[i]),
    );
    const out = await session.run({ ...state, ...hyper, grad, ...(counts ? { t: scalar(precision, t + 1) } : {}) });
    state = Object.fromEntries(pairs.map(([name, made]) => [name, out[made]]));
  }
  await session.release();
  return numbers(state.theta);
};

for (const { id, options, end } of golden.runs) {
  test(`${id} ${JSON.stringify(options)}: 20 steps are PyTorch's`, async () => {
    const largest = Math.max(...end.map(Math.abs));
    const off = (theta: readonly number[]): number => Math.max(...theta.map((w, i) => Math.abs(w - end[i]))) / largest;
    const [double, float] = [off(await taken(id, options, 'float64')), off(await taken(id, options, 'float32'))];
    assert.ok(double <= 1e-10, `float64: off by ${double} of the largest parameter`);
    assert.ok(float <= 1e-5, `float32: off by ${float} of the largest parameter`);
  });
}
