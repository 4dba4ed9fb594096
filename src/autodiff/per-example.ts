import { Fault } from '../base/fault.ts';
import type { Emit } from '../graph/emit.ts';
import { plainNode } from '../graph/node.ts';
import { restrict } from '../graph/passes/prune.ts';
import { renameNode } from '../graph/passes/rename.ts';
import type { Model, Node, TensorType } from '../graph/types.ts';
import { freeInputs, readsOf } from '../graph/walk.ts';
import { contribution } from './example-gradients.ts';
import type { Objective } from './gradient-graph.ts';
import { yes } from './jacobian.ts';
import { gradients, reachable } from './reverse.ts';
import { dimsOf } from './shapes.ts';

const scalar = (dtype: TensorType['dtype']): TensorType => ({ kind: 'tensor', dtype, dims: [] });

/** Nodes that read a value, with the input it enters by. */
const readers = (emit: Emit): Map<string, { readonly node: Node; readonly input: number }[]> => {
  const out = new Map<string, { readonly node: Node; readonly input: number }[]>();
  for (const n of emit.nodes) {
    readsOf(n).forEach((name) => {
      const input = n.inputs.indexOf(name);
      const list = out.get(name) ?? [];
      // A value read twice by one node, or from a body, has no single place to enter by.
      list.push({ node: n, input: input === n.inputs.lastIndexOf(name) ? input : -1 });
      out.set(name, list);
    });
  }
  return out;
};

/**
 * From one backward pass over the whole batch, where every use of every parameter is known to example-gradients.ts and
 * examples run along the first axis; a wanted value that has examples itself (an input) is read off. Else undefined.
 */
export const atOnce = (
  emit: Emit,
  objective: Pick<Objective, 'perExample'>,
  wrt: readonly string[],
  give: 'norms' | 'gradients',
): readonly string[] | undefined => {
  const rows = objective.perExample;
  // '3N' follows the batch too, but rows of it are not examples.
  const perRow = (x: string): boolean => dimsOf(emit, x)?.[0] === 'N';
  if (!rows || !perRow(rows)) return undefined;
  const read = readers(emit);
  const reach = reachable(emit, rows);
  const places = wrt.map((x) => (perRow(x) ? [] : (read.get(x) ?? []).filter(({ node: n }) => n.outputs.some((y) => reach.has(y)))));
  if (places.flat().some(({ node: n, input }) => input < 0 || !perRow(n.outputs[0]))) return undefined;
  const total = emit.ReduceSum(rows, { keepdims: 0 });
  const values = [...new Set([...wrt.filter(perRow), ...places.flat().map(({ node: n }) => n.outputs[0])])];
  const found = gradients(emit, total, values, { missing: 'omit' });
  const results: (string | undefined)[] = wrt.map((x, i) => {
    const own = found.get(x);
    if (perRow(x)) return own && (give === 'gradients' ? own : squares(emit, own));
    const parts = places[i].flatMap(({ node: n, input }) => {
      const g = found.get(n.outputs[0]);
      return g ? [contribution(emit, n, input, g)] : [];
    });
    if (parts.length === 0 || parts.some((p) => !p)) return undefined;
    if (give === 'norms' && parts.length === 1) return parts[0]?.squaredNorm();
    const sum = parts.map((p) => p?.gradient() ?? '').reduce((a, b) => emit.Add(a, b));
    return give === 'gradients' ? sum : squares(emit, sum);
  });
  const complete = results.flatMap((r) => (r ? [r] : []));
  if (complete.length < wrt.length) return undefined;
  return give === 'gradients' ? complete : [emit.Sqrt(complete.reduce((a, b) => emit.Add(a, b)))];
};
const squares = (emit: Emit, v: string): string => {
  const flat = emit.Reshape(v, emit.ints([0, -1]));
  return emit.ReduceSum(emit.Mul(flat, flat), emit.ints([1]), { keepdims: 0 });
};

/**
 * Each example's own gradients. `norms`: one value [N], the L2 norm over all of `wrt`; `gradients`: one value per entry of
 * `wrt`, [N, …].
 */
export const perExample = (
  emit: Emit,
  model: Model,
  objective: Objective,
  wrt: readonly string[],
  give: 'norms' | 'gradients',
): readonly string[] => atOnce(emit, objective, wrt, give) ?? oneByOne(emit, model, objective, wrt, give);

/** In general: a Loop over examples whose body is the whole graph, forward and backward, on one row. */
const oneByOne = (
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
  const inBatch = (x: string): boolean => dimsOf(emit, x)?.[0] === 'N';
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
    return [plainNode('Gather', [name, at], row), plainNode('Unsqueeze', [row, emit.ints([0])], to(name))];
  });
  const on = emit.fresh('on');
  const outputs = [on, ...results.map(to)].map((name) => ({
    name,
    type: name === on ? scalar('bool') : { kind: 'tensor' as const, dtype: emit.type(results[0])?.dtype ?? 'float32' },
  }));
  const inputs = [at, go].map((name) => ({ name, type: emit.type(name) ?? scalar('int64') }));
  const nodes = [...rows, ...recorded.map((n) => renameNode(n, to)), plainNode('Identity', [go], on)];
  const body = restrict({ name: 'example', inputs, outputs: [], nodes, initializers: new Map(), values: new Map() }, outputs);
  const count = emit.Squeeze(emit.call('Shape', [rowInputs[0]], { start: 0, end: 1 }), emit.ints([0]));
  return emit.calls('Loop', [count, yes(emit)], results.length, { body });
};
