import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import { headersOf } from '../graph/headers.ts';
import { parse } from '../graph/parse.ts';
import { sniff } from '../graph/sniff.ts';
import type { Constant, Graph, Model } from '../graph/types.ts';
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
