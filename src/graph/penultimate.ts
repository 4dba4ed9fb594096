import type { Graph, Node } from './types.ts';
import { freeInputs, producers, readsOf } from './walk.ts';

/** Operators with weights that a classifier ends in, apart from what turns their values into others one by one. */
export const headOps: ReadonlySet<string> = new Set([
  ...['Gemm', 'MatMul', 'Conv', 'FusedGemm', 'FusedMatMul', 'FusedConv', 'QGemm', 'QLinearMatMul', 'QLinearConv'],
  ...['MatMulInteger', 'ConvInteger', 'MatMulNBits', 'DynamicQuantizeMatMul', 'MatMulIntegerToFloat'],
]);

export interface Penultimate {
  readonly head: Node;
  /** What the head reads of the data. */
  readonly features: string;
}

/** Values that depend on what is fed. */
const fed = (graph: Graph): Set<string> => {
  const out = new Set(freeInputs(graph).map((i) => i.name));
  for (const node of graph.nodes) if (readsOf(node).some((r) => out.has(r))) for (const o of node.outputs) if (o) out.add(o);
  return out;
};

/** Walks back from an output to the last operator with weights; a node in which several values meet ends the walk. */
export const penultimate = (graph: Graph, output: string): Penultimate | { readonly stuck: Node | undefined } => {
  const by = producers(graph);
  const moving = fed(graph);
  for (let value = output; ; ) {
    const node = by.get(value);
    const read = node ? readsOf(node).filter((r) => moving.has(r)) : [];
    if (!node || read.length !== 1) return { stuck: node };
    if (headOps.has(node.op)) return { head: node, features: read[0] };
    value = read[0];
  }
};
