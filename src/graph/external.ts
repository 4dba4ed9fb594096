import { Fault } from '../base/fault.ts';
import type { Attribute, Constant, Graph, Model, Node } from './types.ts';

/** Why a location may not be read, or undefined: external data lies in the model's folder or below it. */
export const escapes = (location: string): string | undefined => {
  if (location === '') return 'it names no file';
  if (/^([/\\]|[A-Za-z]:)/.test(location)) return 'it is an absolute path; only files beside the model are read';
  return location.split(/[/\\]/).includes('..') ? 'it leaves the folder of the model; only files beside the model are read' : undefined;
};

/** Reads `length` bytes at `offset` of a file beside the model. */
type ReadBeside = (location: string, offset: number, length: number) => Promise<Uint8Array>;

const load = async (c: Constant, read: ReadBeside): Promise<Constant> => {
  if (!c.external) return c;
  const { location, offset, length } = c.external;
  const reason = escapes(location);
  if (reason) throw new Fault('graph/external', { location, reason });
  let bytes: Uint8Array;
  try {
    bytes = await read(location, offset, length);
  } catch (cause) {
    if (Fault.is(cause, 'job/stopped')) throw cause;
    const missing = Fault.is(cause, 'file/missing');
    const why = missing
      ? 'the file is missing beside the model'
      : cause instanceof Error
        ? cause.message.replace(/\.$/, '')
        : String(cause);
    throw new Fault('graph/external', { location, reason: why }, { cause });
  }
  if (bytes.length !== length)
    throw new Fault('graph/external', { location, reason: `${length} bytes are wanted at ${offset} but ${bytes.length} are there` });
  return { dtype: c.dtype, dims: c.dims, bytes };
};

const loadAttribute = async (a: Attribute, read: ReadBeside): Promise<Attribute> => {
  switch (a.type) {
    case 'tensor':
      return { type: 'tensor', value: await load(a.value, read) };
    case 'graph':
      return { type: 'graph', value: await loadGraph(a.value, read) };
    case 'graphs':
      return { type: 'graphs', value: await Promise.all(a.value.map((g) => loadGraph(g, read))) };
    default:
      return a;
  }
};

const loadNode = async (node: Node, read: ReadBeside): Promise<Node> => {
  const entries = Object.entries(node.attributes);
  if (!entries.some(([, a]) => a.type === 'tensor' || a.type === 'graph' || a.type === 'graphs')) return node;
  const attributes = await Promise.all(entries.map(async ([k, a]) => [k, await loadAttribute(a, read)] as const));
  return { ...node, attributes: Object.fromEntries(attributes) };
};

const loadGraph = async (graph: Graph, read: ReadBeside): Promise<Graph> => {
  const initializers = new Map<string, Constant>();
  for (const [name, c] of graph.initializers) initializers.set(name, await load(c, read));
  return { ...graph, initializers, nodes: await Promise.all(graph.nodes.map((n) => loadNode(n, read))) };
};

/**
 * The model with all its external data in memory, for work that changes or reads weights. Throws `graph/external` where a
 * location leaves the model's folder or its file is missing or too short.
 */
export const loadExternal = async (model: Model, read: ReadBeside): Promise<Model> => {
  const { folder: _, ...rest } = model;
  return { ...rest, graph: await loadGraph(model.graph, read) };
};

/** Files beside the model that hold its external data. */
export const externalFiles = (graph: Graph): readonly string[] => {
  const out = new Set<string>();
  const visit = (c: Constant): void => void (c.external && out.add(c.external.location));
  const walk = (g: Graph): void => {
    for (const c of g.initializers.values()) visit(c);
    for (const n of g.nodes)
      for (const a of Object.values(n.attributes)) {
        if (a.type === 'tensor') visit(a.value);
        if (a.type === 'graph') walk(a.value);
        if (a.type === 'graphs') a.value.forEach(walk);
      }
  };
  walk(graph);
  return [...out];
};
