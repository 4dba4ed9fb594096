import type { Attribute, Graph, Model, Node, ValueInfo, ValueType } from './types.ts';

/** Graphs that a node holds in its attributes (the branches of If, the body of Loop and Scan). */
export const subgraphs = (node: Node): readonly Graph[] =>
  Object.values(node.attributes).flatMap((a) => (a.type === 'graph' ? [a.value] : a.type === 'graphs' ? a.value : []));

/** Every node of a graph and, after it, those of its subgraphs. */
export function* nodesWithin(graph: Graph): Generator<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const inner of subgraphs(node)) yield* nodesWithin(inner);
  }
}

/** Inputs that a caller must feed: those without an initializer of the same name. */
export const freeInputs = (graph: Graph): readonly ValueInfo[] => graph.inputs.filter((i) => !graph.initializers.has(i.name));

/** Names that a graph defines itself: inputs, initializers and node outputs, not those of its subgraphs. */
export const definedIn = (graph: Graph): Set<string> => {
  const out = new Set<string>(graph.initializers.keys());
  for (const i of graph.inputs) out.add(i.name);
  for (const name of graph.sparseInitializers?.keys() ?? []) out.add(name);
  for (const n of graph.nodes) for (const o of n.outputs) if (o) out.add(o);
  return out;
};

/** Values of enclosing graphs that a graph reads, its own subgraphs included. */
export const captured = (graph: Graph): Set<string> => {
  const own = definedIn(graph);
  const out = new Set<string>();
  const read = (name: string): void => {
    if (name && !own.has(name)) out.add(name);
  };
  for (const node of graph.nodes) {
    node.inputs.forEach(read);
    for (const inner of subgraphs(node)) captured(inner).forEach(read);
  }
  for (const o of graph.outputs) read(o.name);
  return out;
};

/** All values a node reads: its inputs and what its subgraphs take from around it. */
export const readsOf = (node: Node): readonly string[] => {
  const inner = subgraphs(node);
  const direct = node.inputs.filter((i) => i);
  return inner.length === 0 ? direct : [...new Set([...direct, ...inner.flatMap((g) => [...captured(g)])])];
};

/** Value → the node that makes it. */
export const producers = (graph: Graph): Map<string, Node> => {
  const out = new Map<string, Node>();
  for (const node of graph.nodes) for (const o of node.outputs) if (o) out.set(o, node);
  return out;
};

/** Nodes ordered so that each follows what it reads, keeping the given order where it is legal; `stuck` lie on or behind a cycle. */
export const topological = (nodes: readonly Node[]): { readonly order: readonly Node[]; readonly stuck: readonly Node[] } => {
  const maker = new Map<string, number>();
  nodes.forEach((n, i) => {
    for (const o of n.outputs) if (o) maker.set(o, i);
  });
  const waiting = nodes.map((n) => new Set(readsOf(n).flatMap((r) => maker.get(r) ?? [])));
  const next = nodes.map((): number[] => []);
  waiting.forEach((set, i) => {
    for (const j of set) next[j].push(i);
  });
  const order: Node[] = [];
  const done = new Set<number>();
  const visit = (start: number): void => {
    const ready = [start];
    for (let i = ready.pop(); i !== undefined; i = ready.pop()) {
      done.add(i);
      order.push(nodes[i]);
      for (const j of next[i].toReversed()) {
        waiting[j].delete(i);
        // A later node waits for its own turn; an earlier one was passed over and follows at once.
        if (waiting[j].size === 0 && j < start && !done.has(j)) ready.push(j);
      }
    }
  };
  for (let i = 0; i < nodes.length; i++) if (waiting[i].size === 0 && !done.has(i)) visit(i);
  return { order, stuck: nodes.filter((_, i) => !done.has(i)) };
};

/** The node with every subgraph replaced. */
export const mapSubgraphs = (node: Node, f: (graph: Graph) => Graph): Node => {
  if (subgraphs(node).length === 0) return node;
  const attributes = Object.entries(node.attributes).map(([k, a]): [string, Attribute] => {
    if (a.type === 'graph') return [k, { type: 'graph', value: f(a.value) }];
    return [k, a.type === 'graphs' ? { type: 'graphs', value: a.value.map(f) } : a];
  });
  return { ...node, attributes: Object.fromEntries(attributes) };
};

/** Every name used anywhere in the model's main graph, of values and nodes, subgraphs included: new names must avoid them. */
export const namesWithin = (graph: Graph): Set<string> => {
  const out = definedIn(graph);
  for (const o of graph.outputs) out.add(o.name);
  for (const node of graph.nodes) {
    if (node.name) out.add(node.name);
    for (const i of node.inputs) if (i) out.add(i);
    for (const inner of subgraphs(node)) for (const name of namesWithin(inner)) out.add(name);
  }
  return out;
};

/** Gives names that are not in `taken`, and takes them: the stem itself, or the stem with a number. */
export const freshNames =
  (taken: Set<string>): ((stem: string) => string) =>
  (stem) => {
    let name = stem;
    for (let n = 1; taken.has(name); n++) name = `${stem}_${n}`;
    taken.add(name);
    return name;
  };

/** Element types alone: ONNX Runtime cannot tell those of every operator of com.microsoft, and declared sizes may be out of date. */
export const withoutDims = (values: Graph['values']): ReadonlyMap<string, ValueType> =>
  new Map(Array.from(values).flatMap(([name, t]) => (t.kind === 'tensor' ? [[name, { kind: 'tensor', dtype: t.dtype }]] : [])));

/** What messages call a node: its name and operator, or its first output where it has no name. */
export const called = (node: Node): string => `'${node.name || node.outputs.find((o) => o) || node.op}' (${node.op})`;

/** Version of the standard operator set. */
export const opsetOf = (model: Pick<Model, 'opsets'>, domain = ''): number => model.opsets.get(domain) ?? 0;
