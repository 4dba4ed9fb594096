import { type Emit, emitter } from '../graph/emit.ts';
import { prune } from '../graph/passes/prune.ts';
import type { Constant, Graph, Model, TensorType, ValueInfo } from '../graph/types.ts';
import { namesWithin } from '../graph/walk.ts';
import { blocked } from './blocked.ts';
import { blockDomain } from './blocked-kernels.ts';

/** What probing told about a model (graph/probe.ts), as far as rules need it. */
export interface Known {
  readonly types: ReadonlyMap<string, TensorType>;
  readonly contents?: ReadonlyMap<string, Constant>;
  /** Channels in a block of the CPU's convolutions, where the graph is for this machine alone (blocked.ts). */
  readonly block?: number;
}

/** A recorder that holds the model's graph, or these nodes of it: derivatives are emitted beside them. */
export const recording = (graph: Graph, known: Known, nodes: Graph['nodes'] = graph.nodes): Emit => {
  const types = new Map(known.types);
  for (const i of graph.inputs) if (i.type?.kind === 'tensor' && !types.has(i.name)) types.set(i.name, i.type);
  return emitter({
    nodes,
    constants: graph.initializers,
    types,
    taken: namesWithin(graph),
    ...(known.contents ? { contents: known.contents } : {}),
  });
};

/** The model with what `emit` holds as its graph, less what no output needs. */
export const finished = (model: Model, emit: Emit, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[], block = 0): Model => {
  const { sparseInitializers } = model.graph;
  const graph = (
    block > 0
      ? blocked(
          emit,
          block,
          outputs.map((o) => o.name),
        )
      : emit
  ).graph(model.graph.name, inputs, outputs);
  const opsets = block > 0 ? new Map([...model.opsets, [blockDomain, 1]]) : model.opsets;
  return prune({ ...model, opsets, graph: sparseInitializers ? { ...graph, sparseInitializers } : graph });
};
