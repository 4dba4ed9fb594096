import { Fault } from '../../base/fault.ts';
import type { Attribute, Attributes, FunctionDef, Graph, Model, Node } from '../types.ts';
import { freshNames, mapSubgraphs, namesWithin } from '../walk.ts';

const keyOf = (domain: string, name: string, overload = ''): string => `${domain}\n${name}\n${overload}`;

/** A body's attributes as one call sets them: its own, else the function's default, else the operator's (left out). */
const substituted = (attributes: Attributes, call: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).flatMap(([name, a]): [string, Attribute][] => {
      if (a.type !== 'reference') return [[name, a]];
      const given = call[a.value];
      return given ? [[name, given]] : [];
    }),
  );

type Rename = (name: string) => string;

/** A body's node under other names, in its subgraphs too. */
const renamed = (node: Node, rename: Rename, fresh: Rename, call: Attributes): Node => {
  const inner = mapSubgraphs({ ...node, attributes: substituted(node.attributes, call) }, (graph) =>
    renamedGraph(graph, rename, fresh, call),
  );
  return { ...inner, name: fresh(node.name || node.op), inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
};

const renamedGraph = (graph: Graph, outer: Rename, fresh: Rename, call: Attributes): Graph => {
  const own = new Map<string, string>();
  const define = (name: string): void => void (name && own.set(name, fresh(name)));
  for (const i of graph.inputs) define(i.name);
  for (const name of graph.initializers.keys()) if (!own.has(name)) define(name);
  for (const name of graph.sparseInitializers?.keys() ?? []) define(name);
  for (const n of graph.nodes) n.outputs.forEach(define);
  const rename: Rename = (name) => own.get(name) ?? outer(name);
  const keys = <T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> => new Map(Array.from(map, ([k, v]) => [rename(k), v]));
  return {
    ...graph,
    inputs: graph.inputs.map((i) => ({ ...i, name: rename(i.name) })),
    outputs: graph.outputs.map((o) => ({ ...o, name: rename(o.name) })),
    initializers: keys(graph.initializers),
    ...(graph.sparseInitializers ? { sparseInitializers: keys(graph.sparseInitializers) } : {}),
    values: keys(graph.values),
    nodes: graph.nodes.map((n) => renamed(n, rename, fresh, call)),
  };
};

/** The nodes that take the place of one call. */
const instantiate = (f: FunctionDef, call: Node, freshFor: (stem: string) => string): readonly Node[] => {
  const scope = call.name || call.outputs.find((o) => o) || call.op;
  const fresh: Rename = (name) => freshFor(`${scope}/${name}`);
  const names = new Map<string, string>([['', '']]);
  f.inputs.forEach((name, i) => void names.set(name, call.inputs[i] ?? ''));
  const ends: Node[] = [];
  f.outputs.forEach((name, i) => {
    const outer = call.outputs[i] ?? '';
    if (!outer) return;
    const known = names.get(name);
    // An output that is an input as well, or is given twice, is copied.
    if (known === undefined) names.set(name, outer);
    else ends.push({ op: 'Identity', domain: '', name: fresh(name), inputs: [known], outputs: [outer], attributes: {} });
  });
  const rename: Rename = (name) => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const made = fresh(name);
    names.set(name, made);
    return made;
  };
  const attributes = { ...f.defaults, ...call.attributes };
  return [...f.nodes.map((n) => renamed(n, rename, fresh, attributes)), ...ends];
};

/** Model-local functions call each other at most this deep; more is a cycle. */
const deepest = 64;

interface Inlined {
  readonly model: Model;
  /** Standard operator set of nodes that came from a function written for another one than the model. */
  readonly versions: ReadonlyMap<Node, number>;
}

/** Every call of a model-local function replaced by its body, nested ones too. Law: the outputs are unchanged. */
export const inlineFunctions = (model: Model): Inlined => {
  const versions = new Map<Node, number>();
  if (model.functions.length === 0) return { model, versions };
  const functions = new Map(model.functions.map((f) => [keyOf(f.domain, f.name, f.overload), f]));
  const freshFor = freshNames(namesWithin(model.graph));
  const opsets = new Map(model.opsets);
  const expand = (nodes: readonly Node[], version: number | undefined, depth: number): Node[] =>
    nodes.flatMap((node) => {
      const f = functions.get(keyOf(node.domain, node.op, node.overload));
      if (!f) {
        const inner = mapSubgraphs(node, (g) => ({ ...g, nodes: expand(g.nodes, version, depth) }));
        if (version !== undefined) versions.set(inner, version);
        return [inner];
      }
      if (depth > deepest) throw new Fault('graph/illegal', { name: 'the model', problems: [`function '${f.name}' calls itself`] });
      for (const [domain, v] of f.opsets) if (!opsets.has(domain)) opsets.set(domain, v);
      return expand(instantiate(f, node, freshFor), f.opsets.get(''), depth + 1);
    });
  const nodes = expand(model.graph.nodes, undefined, 0);
  return { model: { ...model, opsets, functions: [], graph: { ...model.graph, nodes } }, versions };
};
