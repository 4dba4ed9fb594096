import type { Chosen, Options } from '../base/option.ts';
import { sizeOf } from '../base/tensor.ts';
import { constantOf } from '../graph/constant.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import type { Attributes, Constant, Dim, Model } from '../graph/types.ts';
import type { Architecture, Net } from './define.ts';
import { modelOf } from './plan.ts';

const OPSET = 18;
/** The IR version that came with this opset. */
const IR = 8;

/** Records layers with `emit`; what they store goes to `stored`. */
export const netOver = (emit: Emit, stored: Map<string, Constant>): Net => {
  const store = (name: string, constant: Constant): string => {
    stored.set(name, constant);
    return emit.typed(name, { kind: 'tensor', dtype: constant.dtype, dims: constant.dims });
  };
  const record = (op: string, name: string, inputs: readonly string[], attributes: Attributes, dims: readonly Dim[]): string => {
    emit.node({ op, domain: '', name, inputs, outputs: [name], attributes });
    return emit.typed(name, { kind: 'tensor', dtype: 'float32', dims });
  };
  return {
    parameter(name, dims, values) {
      return store(name, constantOf('float32', dims, values ?? new Float32Array(sizeOf(dims))));
    },
    buffer: store,
    layer: (op, name, inputs, attributes, row) => record(op, name, inputs, attributes, ['N', ...row]),
    tensor: record,
  };
};

/** The architecture as a model of input `x` ([N, ...row]) and output `logits` ([N, classes]); parameters are zero until initialised. */
export const buildModel = (architecture: Architecture, row: readonly number[], classes: number, chosen: Chosen<Options>): Model => {
  const stored = new Map<string, Constant>();
  const shape = (dims: readonly number[]) => ({ kind: 'tensor', dtype: 'float32', dims: ['N', ...dims] }) as const;
  const emit = emitter({ taken: ['x', 'logits'] });
  emit.typed('x', shape(row));
  const last = architecture.build(netOver(emit, stored), 'x', row, classes, chosen);
  const graph = emit.graph(architecture.id, [{ name: 'x', type: shape(row) }], [{ name: 'logits', type: shape([classes]) }]);
  const nodes = graph.nodes.map((node) => ({ ...node, outputs: node.outputs.map((o) => (o === last ? 'logits' : o)) }));
  return modelOf({ irVersion: IR, opsets: new Map([['', OPSET]]) }, { ...graph, nodes, initializers: stored });
};
