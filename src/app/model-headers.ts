import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import { headersOf } from '../graph/headers.ts';
import { parse } from '../graph/parse.ts';
import { normalise } from '../graph/passes/normalise.ts';
import { sort } from '../graph/passes/sort.ts';
import { sniff } from '../graph/sniff.ts';
import type { Constant, Graph, Model, TensorType, ValueInfo } from '../graph/types.ts';
import type { ModelValue } from '../report/tasks.ts';
import type { Ports } from './ports.ts';

/** A model of which only headers were read: large tensors are external data, those of the file itself under its own name. */
export interface ModelHeaders {
  readonly name: string;
  readonly bytes: number;
  readonly model: Model;
}

/** Reads a model's headers. Throws `file/…` and `graph/not-onnx`. */
export const openHeaders = async (path: string, ports: Pick<Ports, 'source'>, job: Pick<Job, 'signal'>): Promise<ModelHeaders> => {
  const source = await ports.source(path);
  const { name, size } = source;
  const bytes = await headersOf((from, to) => source.read(from, to, job.signal), size, name).catch(async (error: unknown) => {
    if (!(error instanceof RangeError)) throw error;
    const start = await source.read(0, Math.min(size, 64 * 1024), job.signal);
    throw new Fault('graph/not-onnx', { path: name, reason: sniff(start) ?? `it is cut short or damaged (${error.message})` });
  });
  return { name, bytes: size, model: parse(bytes, name, path.replace(/[^\\/]*$/, '') || '.') };
};

/** The graph with the tensors of its Constant nodes among the initializers. */
export const hoisted = (graph: Graph): Graph => {
  const initializers = new Map<string, Constant>(graph.initializers);
  const nodes = graph.nodes.filter(({ op, domain, attributes, outputs: [output] }) => {
    const { value } = attributes;
    if (op !== 'Constant' || domain !== '' || value?.type !== 'tensor') return true;
    initializers.set(output, value.value);
    return false;
  });
  return { ...graph, nodes, initializers };
};

/** A model as the model editor shows it. */
export interface Shown {
  /** As in the file, in topological order. */
  readonly model: Model;
  /** In the dialect of the gradient rules, or why it cannot be. */
  readonly normal: Model | Fault;
  /** The functions of the file are shown inlined. */
  readonly inlined: boolean;
  /** The nodes shown. */
  readonly graph: Graph;
}

const normalOf = (model: Model): Model | Fault => {
  try {
    return normalise(model);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
};

export const shownOf = (read: Model): Shown => {
  const model = sort(read);
  const normal = normalOf(model);
  if (model.functions.length > 0 && !(normal instanceof Error)) return { model, normal, inlined: true, graph: normal.graph };
  return { model, normal, inlined: false, graph: hoisted(model.graph) };
};

export const dimsOf = (type: TensorType | undefined): readonly (number | string)[] | null => type?.dims?.map((d) => d ?? '?') ?? null;

export const endOf = ({ name, type }: ValueInfo, types: ReadonlyMap<string, TensorType>): ModelValue => {
  const told = type?.kind === 'tensor' && type.dims ? type : types.get(name);
  return { name, dtype: told?.dtype ?? type?.kind ?? 'unknown', dims: dimsOf(told) };
};
