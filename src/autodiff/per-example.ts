import { Fault } from '../base/fault.ts';
import type { Emit } from '../graph/emit.ts';
import { restrict } from '../graph/passes/prune.ts';
import { renameNode } from '../graph/passes/rename.ts';
import type { Model, Node, TensorType } from '../graph/types.ts';
import { freeInputs } from '../graph/walk.ts';
import type { Objective } from './gradient-graph.ts';
import { yes } from './jacobian.ts';
import { gradients } from './reverse.ts';
import { dimsOf } from './shapes.ts';

const scalar = (dtype: TensorType['dtype']): TensorType => ({ kind: 'tensor', dtype, dims: [] });
const node = (op: string, inputs: readonly string[], output: string): Node => ({
  op,
  domain: '',
  name: output,
  inputs,
  outputs: [output],
  attributes: {},
});

/**
 * Each example's own gradients, in general: a Loop over examples whose body is the whole graph, forward and backward, on one
 * row. `norms`: one value [N], the L2 norm over all of `wrt`; `gradients`: one value per entry of `wrt`, [N, …].
 */
export const perExample = (
  emit: Emit,
  model: Model,
  objective: Objective,
  wrt: readonly string[],
  give: 'norms' | 'gradients',
): readonly string[] => {
  const rowInputs = [...freeInputs(model.graph), ...objective.inputs]
    .map((i) => i.name)
    .filter((name) => typeof dimsOf(emit, name)?.[0] !== 'number');
  if (rowInputs.length === 0) throw new Fault('grad/rows', { name: freeInputs(model.graph)[0]?.name ?? '' });
  const found = gradients(emit, objective.loss, wrt);
  const inBatch = (x: string): boolean => dimsOf(emit, x) !== undefined && typeof dimsOf(emit, x)?.[0] !== 'number';
  const one = (x: string): string => {
    const g = found.get(x) ?? '';
    return inBatch(x) ? emit.Squeeze(g, emit.ints([0])) : g;
  };
  const square = (x: string): string => {
    const g = found.get(x) ?? '';
    return emit.ReduceSum(emit.Mul(g, g), { keepdims: 0 });
  };
  const results = give === 'gradients' ? wrt.map(one) : [emit.Sqrt(wrt.map(square).reduce((a, b) => emit.Add(a, b)))];

  const at = emit.typed(emit.fresh('example'), scalar('int64'));
  const go = emit.typed(emit.fresh('go'), scalar('bool'));
  const names = new Map<string, string>();
  for (const name of rowInputs) names.set(name, emit.fresh(`each/${name}`));
  const recorded = [...emit.nodes];
  for (const { outputs } of recorded) for (const o of outputs) if (o) names.set(o, emit.fresh(`each/${o}`));
  const to = (name: string): string => names.get(name) ?? name;
  const rows = rowInputs.flatMap((name) => {
    const row = emit.fresh(`row/${name}`);
    return [node('Gather', [name, at], row), node('Unsqueeze', [row, emit.ints([0])], to(name))];
  });
  const on = emit.fresh('on');
  const outputs = [on, ...results.map(to)].map((name) => ({
    name,
    type: name === on ? scalar('bool') : { kind: 'tensor' as const, dtype: emit.type(results[0])?.dtype ?? 'float32' },
  }));
  const inputs = [at, go].map((name) => ({ name, type: emit.type(name) ?? scalar('int64') }));
  const nodes = [...rows, ...recorded.map((n) => renameNode(n, to)), node('Identity', [go], on)];
  const body = restrict({ name: 'example', inputs, outputs: [], nodes, initializers: new Map(), values: new Map() }, outputs);
  const count = emit.Squeeze(emit.call('Shape', [rowInputs[0]], { start: 0, end: 1 }), emit.ints([0]));
  return emit.calls('Loop', [count, yes(emit)], results.length, { body });
};
