import { graphOf, intOf, intsOf } from './attribute.ts';
import { infer } from './infer.ts';
import type { Constant, Dim, Graph, Node, TensorType, ValueType } from './types.ts';

/** Types inside and behind the operators that hold graphs, which probing does not see, and of the recurrent cells. */
export type TypeOf = (value: string) => TensorType | undefined;
type ConstantOf = (value: string) => Constant | undefined;
type Known = TensorType | undefined;

const scalar = (dtype: TensorType['dtype']): TensorType => ({ kind: 'tensor', dtype, dims: [] });
const shaped = (type: TensorType, dims: readonly Dim[] | undefined): TensorType =>
  dims ? { kind: 'tensor', dtype: type.dtype, dims } : { kind: 'tensor', dtype: type.dtype };
const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** What is inferred, completed by what the file declares; its symbols are not ours. */
const declared = (inferred: Known, told: ValueType | undefined): Known => {
  if (told?.kind !== 'tensor' || told.dtype === 'undefined' || inferred?.dims) return inferred;
  return shaped(
    told,
    told.dims?.map((d) => (typeof d === 'number' ? d : undefined)),
  );
};

/** What holds of both. */
const common = (a: Known, b: Known): Known => {
  if (!a || !b) return a ?? b;
  const [s, t] = [a.dims, b.dims];
  return shaped(a, s && t && s.length === t.length ? s.map((d, i) => (d === t[i] ? d : undefined)) : undefined);
};

/**
 * A carried value starts as `start` and each turn makes `next` of it: a size that changes, or may, is unknown. A number that
 * inference cannot tell is kept where the whole loop gave it back unchanged.
 */
const carried = (start: Known, next: Known, end: Known): Known => {
  if (!start?.dims || !next?.dims) return start && shaped(start, undefined);
  if (next.dims.length !== start.dims.length) return shaped(start, undefined);
  const told = (i: number): Dim => next?.dims?.[i] ?? (end?.dims?.length === start.dims?.length ? end?.dims?.[i] : undefined);
  return shaped(
    start,
    start.dims.map((d, i) => (d === told(i) ? d : undefined)),
  );
};

/** The type with a symbol of its own for every size that is not known: what stays of that size is seen to. Other rooms never see them. */
const symbols = (type: Known, name: string): Known =>
  type?.dims &&
  shaped(
    type,
    type.dims.map((d, i) => d ?? `?${name}:${i}`),
  );
const symbolic = (d: Dim): boolean => typeof d === 'string' && d.startsWith('?');
const withoutSymbols = <T extends Known>(type: T): T | TensorType =>
  type?.dims?.some(symbolic)
    ? shaped(
        type,
        type.dims.map((d) => (symbolic(d) ? undefined : d)),
      )
    : type;

/** Types of a body's own values, from those of its inputs. */
const typesWithin = (body: Graph, inputs: readonly Known[], typeOf: TypeOf, constantOf: ConstantOf): Map<string, TensorType> => {
  const types = new Map<string, TensorType>();
  const set = (name: string, type: Known): void => void (name && type && types.set(name, type));
  for (const [name, c] of body.initializers) set(name, { kind: 'tensor', dtype: c.dtype, dims: c.dims });
  body.inputs.forEach((input, i) => void set(input.name, declared(inputs[i], input.type)));
  const outputs = new Map(body.outputs.map((o) => [o.name, o.type]));
  const seen: TypeOf = (value) => types.get(value) ?? typeOf(value);
  const held: ConstantOf = (value) => body.initializers.get(value) ?? constantOf(value);
  for (const node of body.nodes) {
    const known = inferNode(node, seen, held);
    node.outputs.forEach((name, i) => void set(name, declared(known[i], body.values.get(name) ?? outputs.get(name))));
  }
  return types;
};

const same = (a: readonly Known[], b: readonly Known[]): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Length of the axis that a Scan runs along. */
export const scanLength = (node: Node, typeOf: TypeOf): Dim => {
  const slices = intOf(node, 'num_scan_inputs', 0);
  const first = node.inputs.length - slices;
  const axes = intsOf(node, 'scan_input_axes');
  const lengths = Array.from({ length: slices }, (_, k) => {
    const dims = typeOf(node.inputs[first + k])?.dims;
    return dims?.[positive(axes?.[k] ?? 0, dims.length)];
  });
  return lengths.find((d) => d !== undefined);
};

/** Types of the inputs of a Loop's or Scan's body, which hold in every turn. A size that is unknown but stays is a symbol. */
const symbolicInputs = (node: Node, typeOf: TypeOf, constantOf: ConstantOf): readonly Known[] => {
  const body = graphOf(node, 'body');
  if (!body) return [];
  const loop = node.op === 'Loop';
  const slices = loop ? 0 : intOf(node, 'num_scan_inputs', 0);
  const first = loop ? 2 : 0;
  const count = Math.max(0, node.inputs.length - first - slices);
  const lead = loop ? [scalar('int64'), scalar('bool')] : [];
  const axes = intsOf(node, 'scan_input_axes');
  const named = (type: Known, i: number): Known => symbols(type, `${node.outputs[0] || node.name}/${i}`) ?? type;
  const sliced = node.inputs.slice(first + count).map((x, k): Known => {
    const type = typeOf(x);
    const dims = type?.dims;
    const rest = dims?.filter((_, i) => i !== positive(axes?.[k] ?? 0, dims.length));
    return type && named(shaped(type, rest), count + k);
  });
  const starts = node.inputs.slice(first, first + count).map((x, i) => {
    const told = body.inputs[first + i]?.type;
    return named(typeOf(x) ?? declared(undefined, told), i);
  });
  // The states of a Scan keep their size by definition.
  if (!loop) return [...starts, ...sliced];
  let states: readonly Known[] = starts;
  for (let round = 0; round < 4; round++) {
    const types = typesWithin(body, [...lead, ...states], typeOf, constantOf);
    const next = states.map((s, i) => carried(s, types.get(body.outputs[i + 1]?.name ?? ''), typeOf(node.outputs[i])));
    if (same(next, states)) break;
    states = next;
  }
  return [...lead, ...states];
};

/** Types of the values of a body, which hold in every turn, and those values that have the same size in every turn. */
export interface BodyTypes {
  readonly types: ReadonlyMap<string, TensorType>;
  readonly steady: ReadonlySet<string>;
}
/** Of a branch of an If, or of the body of a Loop or Scan. */
export const bodyTypes = (node: Node, graph: Graph, typeOf: TypeOf, constantOf: ConstantOf): BodyTypes => {
  const inputs = symbolicInputs(node, typeOf, constantOf);
  const types = typesWithin(graph, inputs, typeOf, constantOf);
  const steady = Array.from(types).flatMap(([name, t]) => (t.dims?.every((d) => d !== undefined) ? [name] : []));
  return { types: new Map(Array.from(types, ([name, t]) => [name, withoutSymbols(t)])), steady: new Set(steady) };
};

const cycle = (node: Node, typeOf: TypeOf, constantOf: ConstantOf): readonly Known[] => {
  const body = graphOf(node, 'body');
  if (!body) return [];
  const loop = node.op === 'Loop';
  const inputs = symbolicInputs(node, typeOf, constantOf).map(withoutSymbols);
  const { types } = bodyTypes(node, body, typeOf, constantOf);
  const outputs = body.outputs.slice(loop ? 1 : 0).map((o) => types.get(o.name));
  const count = loop ? inputs.length - 2 : inputs.length - intOf(node, 'num_scan_inputs', 0);
  const length = loop ? undefined : scanLength(node, typeOf);
  const axes = loop ? undefined : intsOf(node, 'scan_output_axes');
  return outputs.map((type, i) => {
    if (i < count) return common(inputs[(loop ? 2 : 0) + i], type);
    const axis = positive(axes?.[i - count] ?? 0, (type?.dims?.length ?? 0) + 1);
    return type && shaped(type, type.dims && [...type.dims.slice(0, axis), length, ...type.dims.slice(axis)]);
  });
};

const branches = (node: Node, typeOf: TypeOf, constantOf: ConstantOf): readonly Known[] => {
  const both = ['then_branch', 'else_branch'].map((name): readonly Known[] => {
    const graph = graphOf(node, name);
    const types = graph && typesWithin(graph, [], typeOf, constantOf);
    return graph?.outputs.map((o) => types?.get(o.name)) ?? [];
  });
  return node.outputs.map((_, i) => common(both[0][i], both[1][i]));
};

/** Y [T, D, B, H], then the last states [D, B, H]. */
const recurrent = (node: Node, typeOf: TypeOf): readonly Known[] => {
  const [x, r] = [typeOf(node.inputs[0]), typeOf(node.inputs[2])];
  if (!x?.dims || !r?.dims) return [];
  const last = [r.dims[0], x.dims[1], r.dims[2]];
  return node.outputs.map((_, i) => shaped(x, i === 0 ? [x.dims?.[0], ...last] : last));
};

/** Types of a node's outputs as far as they follow from those of its inputs. */
export const inferNode = (node: Node, typeOf: TypeOf, constantOf: ConstantOf): readonly Known[] => {
  if (node.domain === '') {
    if (node.op === 'If') return branches(node, typeOf, constantOf);
    if (node.op === 'Loop' || node.op === 'Scan') return cycle(node, typeOf, constantOf);
    if (node.op === 'LSTM' || node.op === 'GRU' || node.op === 'RNN') return recurrent(node, typeOf);
  }
  return infer(node, typeOf, constantOf);
};

const listMakers = new Set(['SequenceConstruct', 'SequenceEmpty', 'SequenceInsert', 'SequenceErase', 'SequenceMap', 'SplitToSequence']);
const listsWithin = (graph: Graph | undefined, inputs: readonly string[], outer: (value: string) => boolean): readonly boolean[] => {
  const lists = new Set(inputs);
  const known = (value: string): boolean => lists.has(value) || outer(value);
  for (const node of graph?.nodes ?? []) {
    const made = sequences(node, known);
    node.outputs.forEach((o, i) => void (made[i] && o && lists.add(o)));
  }
  return graph?.outputs.map((o) => known(o.name)) ?? [];
};
/** Inputs of a Loop's body that are sequences. */
export const sequenceInputs = (node: Node, isSequence: (value: string) => boolean): readonly string[] =>
  graphOf(node, 'body')?.inputs.flatMap((i, k) => (k > 1 && isSequence(node.inputs[k] ?? '') ? [i.name] : [])) ?? [];
/** Which outputs of a node are sequences. */
export const sequences = (node: Node, isSequence: (value: string) => boolean): readonly boolean[] => {
  if (node.domain !== '') return [];
  if (listMakers.has(node.op)) return node.outputs.map(() => true);
  if (['Identity', 'Optional', 'OptionalGetElement'].includes(node.op)) return [isSequence(node.inputs[0] ?? '')];
  if (node.op === 'If') return listsWithin(graphOf(node, 'then_branch'), [], isSequence);
  return node.op === 'Loop' ? listsWithin(graphOf(node, 'body'), sequenceInputs(node, isSequence), isSequence).slice(1) : [];
};
