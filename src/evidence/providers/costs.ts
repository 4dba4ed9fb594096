import { type DType, sizeOf } from '../../base/tensor.ts';
import { dimsAt } from '../../graph/batch-dim.ts';
import { factsOf } from '../../graph/facts.ts';
import type { Graph, TensorType } from '../../graph/types.ts';
import { freeInputs } from '../../graph/walk.ts';
import type { CostsTool } from '../evidence.ts';
import type { GradientSubject } from './gradient.ts';

/** Bytes of one element: by the width in the type's name, 1 for bool. */
const width = (dtype: DType): number => (dtype === 'bool' ? 1 : Number(/\d+$/.exec(dtype)?.[0] ?? 0) / 8);

const bytesOf = (type: TensorType | undefined): number | null => {
  const dims = type?.dims && dimsAt(type.dims, 1);
  return type && dims ? sizeOf(dims) * width(type.dtype) : null;
};

/** Bytes of the values of one row: most alive at once when each is dropped after its last use, and of all together. */
const memoryOf = (
  graph: Graph,
  types: ReadonlyMap<string, TensorType>,
): { readonly peak: number | null; readonly total: number | null } => {
  const last = new Map<string, number>();
  for (const [i, node] of graph.nodes.entries()) for (const name of node.inputs) last.set(name, i);
  for (const { name } of graph.outputs) last.set(name, graph.nodes.length);
  const held = new Map<string, number>();
  let [now, peak, total] = [0, 0, 0];
  let known = true;
  const hold = (name: string): void => {
    const bytes = bytesOf(types.get(name));
    if (bytes === null) known = false;
    held.set(name, bytes ?? 0);
    now += bytes ?? 0;
    total += bytes ?? 0;
  };
  for (const { name } of freeInputs(graph)) hold(name);
  for (const [i, node] of graph.nodes.entries()) {
    for (const name of node.outputs) if (name) hold(name);
    peak = Math.max(peak, now);
    for (const name of new Set([...node.inputs, ...node.outputs]))
      if ((last.get(name) ?? i) === i) {
        now -= held.get(name) ?? 0;
        held.delete(name);
      }
  }
  return known ? { peak, total } : { peak: null, total: null };
};

/** Counts on the prepared graph, its free axes as long as those of the data. */
export const costs = (subject: Pick<GradientSubject, 'prepared'>): CostsTool => ({
  async count() {
    const { model, probed } = await subject.prepared();
    const { layers, parameters } = factsOf(model.graph, probed.types);
    const { peak, total } = memoryOf(model.graph, probed.types);
    return {
      operators: layers.map(({ name, op, dims, parameters: own, macs }) => {
        const at = dimsAt(dims, 1);
        return { name, op, parameters: own, macs, activations: at ? sizeOf(at) : null };
      }),
      parameters,
      peakBytes: peak,
      totalBytes: total,
    };
  },
});
