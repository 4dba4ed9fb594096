import type { Constant, Graph, Model } from './types.ts';
import { mapSubgraphs } from './walk.ts';
import { write } from './write.ts';

/** Constants from this many bytes on leave the file. */
const least = 1024;
/** ONNX Runtime maps external data by pages; offsets on page bounds let it map without copying. */
const page = 4096;

/** A part of the data file: bytes in memory, or a stretch of another file beside the model. */
type Part = Uint8Array | Exclude<Constant['external'], undefined>;

/**
 * The model with its large initializers, and those that are external already, in one separate file `location`. `data` are
 * the parts of that file in order, by reference: write them one after another.
 */
export const writeExternal = (
  model: Model,
  location: string,
): { readonly model: Uint8Array; readonly data: readonly Part[]; readonly length: number } => {
  const data: Part[] = [];
  let length = 0;
  const moved = (c: Constant): Constant => {
    const part = c.external ?? c.bytes;
    if (!part || (!c.external && part.length < least)) return c;
    const gap = (page - (length % page)) % page;
    if (gap > 0) data.push(new Uint8Array(gap));
    length += gap;
    const external = { location, offset: length, length: part.length };
    data.push(part);
    length += part.length;
    return { dtype: c.dtype, dims: c.dims, external };
  };
  const outside = (graph: Graph): Graph => ({
    ...graph,
    initializers: new Map(Array.from(graph.initializers, ([name, c]) => [name, moved(c)])),
    nodes: graph.nodes.map((n) => mapSubgraphs(n, outside)),
  });
  return { model: write({ ...model, graph: outside(model.graph) }), data, length };
};
