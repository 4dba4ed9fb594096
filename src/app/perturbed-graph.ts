import type { Views } from '../base/perturbation.ts';
import { constantOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import { dtypes } from '../graph/schema.ts';
import type { Graph, Node } from '../graph/types.ts';
import { mapSubgraphs, producers, readsOf } from '../graph/walk.ts';

/** What `output` is made of, in the order of the file. */
const ancestors = (graph: Graph, output: string): readonly Node[] => {
  const makers = producers(graph);
  const wanted = new Set<Node>();
  const due = [output];
  for (let name = due.pop(); name !== undefined; name = due.pop()) {
    const node = makers.get(name);
    if (!node || wanted.has(node)) continue;
    wanted.add(node);
    due.push(...readsOf(node));
  }
  return graph.nodes.filter((node) => wanted.has(node));
};

const renamed = (graph: Graph, names: ReadonlyMap<string, string>): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => readingAs(node, names)),
  outputs: graph.outputs.map((o) => ({ ...o, name: names.get(o.name) ?? o.name })),
});
const readingAs = (node: Node, names: ReadonlyMap<string, string>): Node => ({
  ...mapSubgraphs(node, (inner) => renamed(inner, names)),
  inputs: node.inputs.map((name) => names.get(name) ?? name),
});

/** Records the nodes behind `output` once more, reading `by` in the place of `input`; weights are shared. */
const again = (emit: Emit, graph: Graph, output: string, input: string, by: string): string => {
  const nodes = ancestors(graph, output);
  const names = new Map([[input, by]]);
  for (const node of nodes) for (const name of node.outputs) if (name) names.set(name, emit.fresh(`${name}_again`));
  for (const node of nodes)
    emit.node({
      ...readingAs(node, names),
      name: node.name === '' ? '' : emit.fresh(`${node.name}_again`),
      outputs: node.outputs.map((name) => names.get(name) ?? name),
    });
  return names.get(output) ?? output;
};

/** Probabilities of the largest logits' classes under every view: [rows, views × topK]. `logitsOf` reads an output as float64 logits. */
export const viewFeatures = (
  emit: Emit,
  graph: Graph,
  { input, output, row }: { readonly input: string; readonly output: string; readonly row: number },
  { perturbations, topK }: Views,
  logits: string,
  logitsOf: (output: string) => string,
): string => {
  const floats = (dims: readonly number[], values: ArrayLike<number>): string => emit.constant(constantOf('float32', dims, values));
  const typed = graph.inputs.find((i) => i.name === input)?.type;
  const dtype = typed?.kind === 'tensor' ? typed.dtype : 'float32';
  const cast = (value: string, to: typeof dtype, from: typeof dtype): string =>
    to === from ? value : emit.Cast(value, { to: dtypes.indexOf(to) });
  const flat = cast(emit.Reshape(input, emit.ints([-1, row])), 'float32', dtype);
  const shape = emit.Shape(input);
  const [, places] = emit.calls('TopK', [logits, emit.ints([topK])], 2, { axis: 1 });
  const parts = perturbations.map(({ taps, shift, mean }) => {
    const terms = taps.map((tap) =>
      emit.Mul(emit.Gather(flat, emit.constant(constantOf('int64', [row], tap.places)), { axis: 1 }), floats([1, row], tap.weights)),
    );
    if (shift) terms.push(floats([1, row], shift));
    if (mean !== 0) terms.push(emit.MatMul(flat, floats([row, 1], new Float32Array(row).fill(mean / row))));
    const sum = terms.reduce((a, b) => emit.Add(a, b));
    const changed = emit.Reshape(cast(sum, dtype, 'float32'), shape);
    const probs = emit.Softmax(logitsOf(again(emit, graph, output, input, changed)), { axis: 1 });
    return emit.GatherElements(probs, places, { axis: 1 });
  });
  return parts.length === 1 ? parts[0] : emit.Concat(...parts, { axis: 1 });
};
