import type { Graph, Model, Node, TensorType } from '../types.ts';
import { readsOf } from '../walk.ts';
import { prune } from './prune.ts';

/** Operators that only look at their input in another way: made again rather than handed over. */
const views = new Set(['Reshape', 'Unsqueeze', 'Squeeze', 'Flatten', 'Identity', 'Shape', 'Size']);

/** A model in two parts that run one after the other. */
export interface Staged {
  /** What does not depend on the late inputs: its outputs are inputs of `second`, besides outputs of the model. */
  readonly first: Model;
  readonly second: Model;
  readonly handed: readonly string[];
}

/**
 * Splits a graph that runs many times with only some inputs changing, such as a Hessian times one vector after another.
 * Law: `second`, given what `first` makes, has those outputs of the model that depend on `late`.
 */
export const staged = (model: Model, late: readonly string[]): Staged => {
  const { graph } = model;
  const after = new Set(late);
  const makers = new Map(graph.nodes.flatMap((n) => n.outputs.map((o) => [o, n] as const)));
  const moving = graph.nodes.filter((node) => {
    if (!readsOf(node).some((r) => after.has(r))) return false;
    for (const o of node.outputs) if (o) after.add(o);
    return true;
  });
  const typeOf = (name: string): TensorType | undefined => {
    const type = graph.values.get(name);
    return type?.kind === 'tensor' ? type : undefined;
  };
  // What the moving nodes read is handed over; where it is a view, or of unknown type, it is made again from what it reads.
  const again = new Set<Node>();
  const handed = new Set<string>();
  const need = (name: string): void => {
    const node = makers.get(name);
    if (!node || after.has(name) || handed.has(name) || again.has(node)) return;
    if (!views.has(node.op) && typeOf(name)) {
      handed.add(name);
      return;
    }
    again.add(node);
    for (const read of readsOf(node)) need(read);
  };
  for (const node of moving) for (const read of readsOf(node)) need(read);
  const kept = new Set([...moving, ...again]);
  const part = (nodes: readonly Node[], inputs: Graph['inputs'], outputs: Graph['outputs']): Model => {
    const pruned = prune({ ...model, graph: { ...graph, nodes, inputs, outputs } });
    const read = new Set([...pruned.graph.nodes.flatMap(readsOf), ...outputs.map((o) => o.name)]);
    return { ...pruned, graph: { ...pruned.graph, inputs: inputs.filter((i) => read.has(i.name)) } };
  };
  const info = (name: string): Graph['inputs'][number] => {
    const type = typeOf(name);
    return type ? { name, type } : { name };
  };
  const [early, other] = [graph.outputs.filter((o) => !after.has(o.name)), graph.outputs.filter((o) => after.has(o.name))];
  const own = graph.inputs.filter((i) => !late.includes(i.name));
  const crossing = [...handed].filter((name) => !early.some((o) => o.name === name)).map(info);
  return {
    first: part(
      graph.nodes.filter((n) => !moving.includes(n)),
      own,
      [...early, ...crossing],
    ),
    second: part(
      graph.nodes.filter((n) => kept.has(n)),
      [...graph.inputs, ...[...handed].map(info)],
      other,
    ),
    handed: [...handed],
  };
};
