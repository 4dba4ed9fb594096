import type { Emit } from '../graph/emit.ts';
import { plainNode } from '../graph/node.ts';
import type { Dim, Graph, TensorType, ValueInfo } from '../graph/types.ts';
import { type Known, recording } from './differentiate.ts';
import { dimsOf, dtypeOf, rowShape, rowSize } from './shapes.ts';

/** A new graph input. */
export const graphInput = (emit: Emit, stem: string, dtype: TensorType['dtype'], dims: readonly Dim[]): ValueInfo => {
  const name = emit.fresh(stem);
  const type: TensorType = { kind: 'tensor', dtype, dims };
  return { name: emit.typed(name, type), type };
};

/** A graph that makes the points of straight paths itself. */
export interface Straight {
  readonly emit: Emit;
  /** [2·B, …row]: both ends of the path of row 0, then of row 1, and so on. */
  readonly ends: ValueInfo;
  /** [S, 2]: the parts of the ends in each point. */
  readonly mix: ValueInfo;
}

/** Σ_j mix[s, j]·end_j in the place of `input`, [B·S, …row]. */
export const straightened = (graph: Graph, known: Known, input: string): Straight => {
  const emit = recording(graph, known, []);
  const dtype = dtypeOf(emit, input);
  const ends = graphInput(emit, 'ends', dtype, [undefined, ...(dimsOf(emit, input)?.slice(1) ?? [])]);
  const mix = graphInput(emit, 'mix', dtype, ['S', 2]);
  const pairs = emit.Reshape(ends.name, emit.Concat(emit.ints([-1, 2]), rowSize(emit, ends.name), { axis: 0 }));
  const inputs = [emit.MatMul(mix.name, pairs), rowShape(emit, ends.name)];
  emit.node(plainNode('Reshape', inputs, input));
  for (const node of graph.nodes) emit.node(node);
  return { emit, ends, mix };
};
