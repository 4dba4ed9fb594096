import type { Tensor } from '../base/tensor.ts';
import { restrict } from './passes/prune.ts';
import { type RunGraph, tensorValues } from './probe.ts';
import { dtypes } from './schema.ts';
import type { Model, Node, TensorType } from './types.ts';
import { namesWithin, producers, readsOf } from './walk.ts';
import { write } from './write.ts';

type Kind = 'NaN' | 'infinite' | 'finite';

/** How a value came to hold numbers that are not finite. */
export interface NonFinite {
  readonly kind: Exclude<Kind, 'finite'>;
  /** Where they come from: made by `node` of finite values, or held by an input or initializer. */
  readonly source: string;
  readonly node?: Node;
  /** Smallest and largest element of what `node` made them of. */
  readonly ranges: readonly { readonly value: string; readonly low: number; readonly high: number }[];
  /** The node that made NaN of what the source made infinite. */
  readonly turned?: Node;
}

/** Values looked at in one run: their flags keep them in memory longer than the graph itself would. */
const chunk = 400;

type Types = ReadonlyMap<string, TensorType>;
type Call = (op: string, inputs: readonly string[], attributes?: Node['attributes']) => string;
const to32 = { to: { type: 'int', value: dtypes.indexOf('float32') } } as const;
const all = { keepdims: { type: 'int', value: 0 } } as const;

/** Scalars computed from values of the model: `tell` records how, and names them; they come back as numbers. */
const numbersOf = async (
  model: Model,
  feeds: Readonly<Record<string, Tensor>>,
  run: RunGraph,
  tell: (call: Call) => readonly string[],
): Promise<readonly number[]> => {
  const taken = namesWithin(model.graph);
  const nodes: Node[] = [...model.graph.nodes];
  const call: Call = (op, inputs, attributes = {}) => {
    let name = `look/${op}/${nodes.length}`;
    while (taken.has(name)) name += '_';
    nodes.push({ op, domain: '', name, inputs, outputs: [name], attributes });
    return name;
  };
  const outputs = tell(call);
  const graph = restrict(
    { ...model.graph, nodes },
    outputs.map((name) => ({ name })),
  );
  const read = new Set(graph.nodes.flatMap((n) => readsOf(n)));
  const inputs = graph.inputs.filter((i) => read.has(i.name));
  const given = Object.fromEntries(inputs.map(({ name }) => [name, feeds[name]]));
  const found = await run(write({ ...model, graph: { ...graph, inputs } }), given, outputs);
  return outputs.map((name) => Number((found[name].data as Float32Array)[0]));
};

const asFloats = (call: Call, v: string, types: Types): string =>
  types.get(v)?.dtype === 'float64' || types.get(v)?.dtype === 'float32' ? v : call('Cast', [v], to32);

/** Σ(v − v) is NaN where any element is not finite; beside it the number of NaN. */
const kindsOf = async (
  model: Model,
  values: readonly string[],
  types: Types,
  feeds: Readonly<Record<string, Tensor>>,
  run: RunGraph,
): Promise<Map<string, Kind>> => {
  const out = new Map<string, Kind>();
  for (let at = 0; at < values.length; at += chunk) {
    const some = values.slice(at, at + chunk);
    const found = await numbersOf(model, feeds, run, (call) =>
      some.flatMap((v) => {
        const x = asFloats(call, v, types);
        const nan = call('Cast', [call('IsNaN', [x])], to32);
        return [call('ReduceSum', [call('Sub', [x, x])], all), call('ReduceSum', [nan], all)];
      }),
    );
    some.forEach((v, i) => void out.set(v, found[2 * i + 1] > 0 ? 'NaN' : Number.isNaN(found[2 * i]) ? 'infinite' : 'finite'));
  }
  return out;
};

const whole = /^(u?int|bool|string)/;
const isEmpty = (type: TensorType | undefined): boolean => type?.dims?.includes(0) ?? false;

/**
 * Follows numbers that are not finite from `output` back to where they were made: at each node to an input that has them too.
 * Infinite values that a later node takes away again, such as those of masks, are not on that way. Undefined where `output`
 * is finite.
 */
export const traceNonFinite = async (
  model: Model,
  output: string,
  feeds: Readonly<Record<string, Tensor>>,
  run: RunGraph,
): Promise<NonFinite | undefined> => {
  const { graph } = model;
  const types = new Map<string, TensorType>();
  for (const [name, type] of graph.values) if (type.kind === 'tensor') types.set(name, type);
  for (const { name, type } of graph.inputs) if (type?.kind === 'tensor') types.set(name, type);
  for (const [name, { dtype, dims }] of graph.initializers) types.set(name, { kind: 'tensor', dtype, dims });
  const by = producers(graph);
  const tensors = new Set([...tensorValues(graph), ...graph.inputs.map((i) => i.name), ...graph.initializers.keys()]);
  const behind = restrict(graph, [{ name: output }]);
  const read = new Set([output, ...behind.nodes.flatMap((n) => [...readsOf(n), ...n.outputs])]);
  const values = [...read].filter((v) => tensors.has(v) && !whole.test(types.get(v)?.dtype ?? ''));
  const kinds = await kindsOf(model, values, types, feeds, run);
  const kindOf = (v: string): Kind => kinds.get(v) ?? 'finite';

  const found = (source: string, turned: Node | undefined): Omit<NonFinite, 'ranges'> => ({
    kind: kindOf(source) === 'NaN' ? 'NaN' : 'infinite',
    source,
    ...(turned ? { turned } : {}),
  });
  const rangesOf = async (node: Node): Promise<NonFinite['ranges']> => {
    const floats = [...new Set(node.inputs)].filter((v) => kinds.has(v) && !isEmpty(types.get(v)));
    const ends = await numbersOf(model, feeds, run, (call) =>
      floats.flatMap((v) => {
        const x = asFloats(call, v, types);
        return [call('ReduceMin', [x], all), call('ReduceMax', [x], all)];
      }),
    );
    return floats.map((value, i) => ({ value, low: ends[2 * i], high: ends[2 * i + 1] }));
  };

  if (kindOf(output) === 'finite') return undefined;
  let [at, turned]: [string, Node | undefined] = [output, undefined];
  for (let node = by.get(at); node; node = by.get(at)) {
    const reads = readsOf(node);
    const nan = kindOf(at) === 'NaN' ? reads.find((v) => kindOf(v) === 'NaN') : undefined;
    const next: string | undefined = nan ?? reads.find((v) => kindOf(v) !== 'finite');
    if (next === undefined) return { ...found(at, turned), node, ranges: await rangesOf(node) };
    if (kindOf(at) === 'NaN' && nan === undefined) turned = node;
    at = next;
  }
  return { ...found(at, turned), ranges: [] };
};
