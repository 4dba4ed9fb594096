import type { Model } from './types.ts';
import { write } from './write.ts';

/** The file with more of its values as outputs. */
export const withOutputs = (model: Model, names: readonly string[]): Uint8Array => {
  const { graph } = model;
  const listed = new Set(graph.outputs.map((o) => o.name));
  const more = [...new Set(names)].filter((name) => !listed.has(name)).map((name) => ({ name }));
  return write({ ...model, graph: { ...graph, outputs: [...graph.outputs, ...more] } });
};
