import assert from 'node:assert/strict';
import { choose } from '../../src/base/option.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import { probe } from '../../src/graph/probe.ts';
import type { Model } from '../../src/graph/types.ts';
import type { Session } from '../../src/runtime/session.ts';
import { architectures } from '../../src/training/architectures/index.ts';
import { buildModel } from '../../src/training/build.ts';
import type { Compiled, State } from '../../src/training/compile.ts';
import { initialise } from '../../src/training/initialise.ts';
import { losses } from '../../src/training/losses/index.ts';
import { optimizers } from '../../src/training/optimizers/index.ts';
import { parametersOf } from '../../src/training/parameters.ts';
import type { Picked, Plan } from '../../src/training/plan.ts';
import { run } from '../graph/run.ts';

export const pick = <P extends { readonly id: string; readonly options: Parameters<typeof choose>[1] }>(
  parts: readonly P[],
  id: string,
  given: Record<string, unknown> = {},
): Picked<P> => {
  const part = parts.find((p) => p.id === id);
  assert.ok(part, id);
  return { part, chosen: choose(id, part.options, given) };
};

/** A plan over an architecture of ours, initialised from seed 0. */
export const planOf = (arch: string, row: readonly number[], classes: number, given: Record<string, unknown> = {}): Plan => {
  const { part, chosen } = pick(architectures, arch, given);
  const model = buildModel(part, row, classes, chosen);
  const graph = initialise(model.graph, 'torch-default', 0);
  return {
    graph,
    opsets: model.opsets,
    irVersion: model.irVersion,
    input: 'x',
    output: 'logits',
    classes,
    loss: pick(losses, 'cross-entropy'),
    optimizer: pick(optimizers, 'sgd', { lr: 0.1 }),
    groups: [{ parameters: parametersOf(graph), lrScale: 1 }],
    data: 'resident',
    statistics: 'batch',
    precision: 'float32',
  };
};

/** A plan over a model file: normalised, its shapes probed, all its parameters trained. */
export const planOfModel = async (file: Model, classes: number): Promise<Plan> => {
  const model = normalise(file);
  const { types } = await probe(model, run);
  const typed = (v: Model['graph']['inputs'][number]) => ({ ...v, type: types.get(v.name) ?? v.type });
  const graph = {
    ...model.graph,
    values: types,
    inputs: model.graph.inputs.map(typed),
    outputs: model.graph.outputs.map(typed),
  } as Model['graph'];
  return {
    ...planOf('mlp', [1], 2),
    graph,
    opsets: model.opsets,
    irVersion: model.irVersion,
    input: graph.inputs[0].name,
    output: graph.outputs[0].name,
    classes,
    groups: [{ parameters: parametersOf(graph), lrScale: 1 }],
  };
};

export interface Rows {
  readonly x: Tensor;
  readonly y: Tensor;
}
/** The steps that `rows` ([K][B] row numbers) and `lr` ([K]) name, in one call. */
export const call = async (
  session: Session,
  compiled: Compiled,
  state: State,
  data: Rows,
  rows: readonly (readonly number[])[],
  lr: readonly number[],
  more: Readonly<Record<string, Tensor>> = {},
): Promise<{ state: State; out: Record<string, Tensor>; loss: number[] }> => {
  const dtype = compiled.start.theta.dtype as 'float32' | 'float64';
  const rate: Tensor = dtype === 'float32' ? float32([lr.length], lr) : { dtype, dims: [lr.length], data: Float64Array.from(lr) };
  const feeds: Record<string, Tensor> = {
    ...compiled.hyper,
    ...more,
    [compiled.inputs.x]: data.x,
    [compiled.inputs.y]: data.y,
    [compiled.inputs.lr]: rate,
    [compiled.inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) },
  };
  if (compiled.inputs.rows) feeds[compiled.inputs.rows] = int64([rows.length, rows[0].length], rows.flat());
  for (const [key, { input }] of Object.entries(compiled.state)) feeds[input] = state[key];
  const out = await session.run(feeds);
  return {
    state: Object.fromEntries(Object.entries(compiled.state).map(([key, { output }]) => [key, out[output]])),
    out,
    loss: Array.from(out[compiled.outputs.loss].data as Float32Array),
  };
};
