import { inputScaling } from '../autodiff/parameters.ts';
import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import { sizeOf } from '../base/tensor.ts';
import { intOf } from '../graph/attribute.ts';
import type { Graph, Node } from '../graph/types.ts';
import { nodesWithin } from '../graph/walk.ts';

/**
 * `scale` and `shift` multiply and move what is computed (a normalisation's, or a Mul and an Add of their own); `embedding` is a table
 * that indices choose rows of, `table` one that joins computed values (positions, a class token); `recurrent` belongs to a cell, whose
 * fan is its hidden size; `slope` is that of a PRelu. Of `other` uses no rule of initialisation is known.
 */
export type Role = 'weight' | 'bias' | 'scale' | 'shift' | 'embedding' | 'table' | 'recurrent' | 'slope' | 'other';

export interface Parameter {
  readonly name: string;
  readonly dims: readonly number[];
  readonly role: Role;
  /** Receptive field × channels on each side; those of the weight beside it for a bias. */
  readonly fanIn: number;
  readonly fanOut: number;
  /** Axis of a weight's output channels; 0 where absent. */
  readonly channels?: number;
}

const cell = (node: Node, i: number): Use | null => {
  const hidden = intOf(node, 'hidden_size', 1);
  return i === 0 || i === 4 ? null : ['recurrent', hidden, hidden];
};
const scaled =
  (scale: number, shift: number) =>
  (_: Node, i: number): Use | null =>
    i === scale ? ['scale', 1, 1] : i === shift ? ['shift', 1, 1] : null;

type Use = readonly [role: Role, fanIn: number, fanOut: number];
const field = (dims: readonly number[]): number => sizeOf(dims.slice(2));

/** Role of input `i` of a node; `of` gives the dims of an initializer. Statistics of a normalisation have none. */
const uses: Readonly<Record<string, (node: Node, i: number, of: (name: string) => readonly number[] | undefined) => Use | null>> = {
  Conv(node, i, of) {
    const w = of(node.inputs[1]);
    if (!w || i === 0) return null;
    return [i === 1 ? 'weight' : 'bias', w[1] * field(w), (w[0] / intOf(node, 'group', 1)) * field(w)];
  },
  ConvTranspose(node, i, of) {
    const w = of(node.inputs[1]);
    if (!w || i === 0) return null;
    return [i === 1 ? 'weight' : 'bias', w[1] * field(w), (w[0] / intOf(node, 'group', 1)) * field(w)];
  },
  Gemm(node, i, of) {
    const w = of(node.inputs[1]);
    if (!w || i === 0) return null;
    const [fanIn, fanOut] = intOf(node, 'transB', 0) ? [w[1], w[0]] : [w[0], w[1]];
    return [i === 1 ? 'weight' : 'bias', fanIn, fanOut];
  },
  MatMul(node, i, of) {
    const w = of(node.inputs[i]);
    if (!w || w.length < 2) return null;
    const [rows, cols] = w.slice(-2);
    return i === 1 ? ['weight', rows, cols] : ['weight', cols, rows];
  },
  BatchNormalization: scaled(1, 2),
  InstanceNormalization: scaled(1, 2),
  LayerNormalization: scaled(1, 2),
  GroupNormalization: scaled(1, 2),
  SimplifiedLayerNormalization: scaled(1, -1),
  RMSNormalization: scaled(1, -1),
  SkipLayerNormalization: scaled(2, 3),
  Gather: (_, i) => (i === 0 ? ['embedding', 1, 1] : null),
  PRelu: (_, i) => (i === 1 ? ['slope', 1, 1] : null),
  LSTM: cell,
  GRU: cell,
  RNN: cell,
};

/** Axis of the output channels of a weight, input `i` of its node. */
const channelsOf = (node: Node, i: number, dims: readonly number[]): number => {
  if (node.op === 'ConvTranspose') return 1;
  if (node.op === 'Gemm') return intOf(node, 'transB', 0) ? 0 : 1;
  return node.op === 'MatMul' ? dims.length - (i === 1 ? 1 : 2) : 0;
};

/** Operators that only arrange stored numbers before their use. */
const arranging = new Set(['Slice', 'Concat', 'Unsqueeze', 'Squeeze', 'Reshape', 'Transpose', 'Identity', 'Expand', 'Cast', 'Split']);

/** Parameters → what reads them after any rearranging, where the rearranged value has the use of a cell or joins what is computed. */
const rearranged = (graph: Graph): ReadonlyMap<string, Use> => {
  const from = new Map<string, ReadonlySet<string>>(Array.from(graph.initializers.keys(), (name) => [name, new Set([name])]));
  const found = new Map<string, Use>();
  for (const node of graph.nodes) {
    const stored = node.inputs.map((i) => from.get(i));
    const computed = node.inputs.some((i, k) => i && !stored[k]);
    const give = (use: Use, roots: ReadonlySet<string> | undefined): void => {
      for (const root of roots ?? []) if (!found.has(root)) found.set(root, use);
    };
    if (arranging.has(node.op) && (!computed || (node.op !== 'Concat' && stored[0]))) {
      const all = new Set(node.op === 'Concat' ? stored.flatMap((s) => [...(s ?? [])]) : stored[0]);
      for (const output of node.outputs) from.set(output, all);
    } else if (node.op === 'Concat' || node.op === 'Add') for (const roots of stored) give(['table', 1, 1], roots);
    else if (uses[node.op] === cell)
      node.inputs.forEach((_, i) => {
        const use = cell(node, i);
        if (use) give(use, stored[i]);
      });
  }
  return found;
};

/** A stored vector that multiplies what is computed is a scale; one that is added, along one axis, a shift. */
const affine = (node: Node, i: number, of: (name: string) => readonly number[] | undefined): Use | null => {
  if (of(node.inputs[1 - i])) return null;
  if (node.op === 'Mul') return ['scale', 1, 1];
  return node.op === 'Add' && (of(node.inputs[i]) ?? []).filter((d) => d > 1).length === 1 ? ['shift', 1, 1] : null;
};

/** An addend of one axis after a MatMul is its bias. */
const addend = (
  node: Node,
  i: number,
  makers: ReadonlyMap<string, Node>,
  of: (name: string) => readonly number[] | undefined,
): Use | null => {
  const maker = makers.get(node.inputs[1 - i]);
  const w = maker?.op === 'MatMul' ? of(maker.inputs[1]) : undefined;
  return w && of(node.inputs[i])?.length === 1 ? ['bias', w.at(-2) ?? 1, w.at(-1) ?? 1] : null;
};

/**
 * Float initializers of the graph that could be trained, in the file's order: not the statistics of a normalisation, nor
 * single numbers that no layer is known to own.
 */
export const parametersOf = (graph: Graph): readonly Parameter[] => {
  const of = (name: string): readonly number[] | undefined => graph.initializers.get(name)?.dims;
  const found = new Map<string, Use>();
  const channels = new Map<string, number>();
  const statistics = new Set<string>();
  const scaling = inputScaling(graph);
  const makers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  for (const node of nodesWithin(graph)) {
    if (node.op === 'BatchNormalization') for (const name of node.inputs.slice(3)) statistics.add(name);
    node.inputs.forEach((name, i) => {
      if (!graph.initializers.has(name) || found.has(name)) return;
      const own = node.op === 'Add' ? addend(node, i, makers, of) : uses[node.op]?.(node, i, of);
      const use = own ?? (scaling.has(name) ? null : affine(node, i, of));
      if (use) found.set(name, use);
      const axis = use?.[0] === 'weight' ? channelsOf(node, i, of(name) ?? []) : 0;
      if (axis > 0) channels.set(name, axis);
    });
  }
  for (const [name, use] of rearranged(graph)) if (!found.has(name) && !scaling.has(name)) found.set(name, use);
  return Array.from(graph.initializers).flatMap(([name, { dtype, dims }]) => {
    const use = found.get(name);
    const float = dtype === 'float32' || dtype === 'float64';
    if (!float || statistics.has(name) || (!use && sizeOf(dims) < 2)) return [];
    const [role, fanIn, fanOut] = use ?? (['other', 1, 1] as const);
    const axis = channels.get(name);
    return [{ name, dims, role, fanIn, fanOut, ...(axis === undefined ? {} : { channels: axis }) }];
  });
};

const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*/g, '.*')
      .replace(/\?/g, '.')}$`,
  );
export const matches = (pattern: string, name: string): boolean => globOf(pattern).test(name);

/** The parameters that any of the patterns names. A pattern that names none is a fault with the nearest name. */
export const selected = (parameters: readonly Parameter[], patterns: readonly string[], path: string): readonly Parameter[] => {
  const names = parameters.map((p) => p.name);
  for (const pattern of patterns) {
    if (!names.some((name) => matches(pattern, name)))
      throw new Fault('training/parameter', { path, pattern, nearest: nearest(pattern, names), known: names });
  }
  return parameters.filter(({ name }) => patterns.some((pattern) => matches(pattern, name)));
};
