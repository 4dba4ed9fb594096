import type { Chosen, Options } from '../base/option.ts';
import { random } from '../base/random.ts';
import { type DType, sizeOf } from '../base/tensor.ts';
import { constantOf } from '../graph/constant.ts';
import { dropoutDoc } from '../graph/dropout.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import { HELD } from '../graph/held.ts';
import type { Attributes, Constant, Dim, Model } from '../graph/types.ts';
import type { Architecture, Net, Vocabulary } from './define-layers.ts';
import { modelOf } from './plan.ts';

/** The first with `Gelu`. */
const OPSET = 20;
/** The IR version that came with this opset. */
const IR = 9;

/** Records layers with `emit`; what they store goes to `stored`. */
export const netOver = (emit: Emit, stored: Map<string, Constant>): Net => {
  const store = (name: string, constant: Constant): string => {
    stored.set(name, constant);
    return emit.typed(name, { kind: 'tensor', dtype: constant.dtype, dims: constant.dims });
  };
  const record = (
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Attributes,
    dims: readonly Dim[],
    dtype: DType = 'float32',
    doc?: string,
  ): string => {
    emit.node({ op, domain: '', name, inputs, outputs: [name], attributes, ...(doc === undefined ? {} : { doc }) });
    return emit.typed(name, { kind: 'tensor', dtype, dims });
  };
  return {
    parameter(name, dims, values) {
      return store(name, constantOf('float32', dims, values ?? new Float32Array(sizeOf(dims))));
    },
    buffer: store,
    layer: (op, name, inputs, attributes, row, dtype) => record(op, name, inputs, attributes, ['N', ...row], dtype),
    largest(name, value, k, row) {
      const places = `${name}.places`;
      emit.node({
        op: 'TopK',
        domain: '',
        name,
        inputs: [value, store(`${name}.k`, constantOf('int64', [1], [k]))],
        outputs: [name, places],
        attributes: {},
      });
      emit.typed(places, { kind: 'tensor', dtype: 'int64', dims: ['N', ...row] });
      return emit.typed(name, { kind: 'tensor', dtype: 'float32', dims: ['N', ...row] });
    },
    held: (name, value, row) => record('Identity', name, [value], {}, ['N', ...row], 'float32', HELD),
    dropped: (name, value, share, row) => record('Identity', name, [value], {}, ['N', ...row], 'float32', dropoutDoc(share)),
    tensor: (op, name, inputs, attributes, dims) => record(op, name, inputs, attributes, dims),
  };
};

/** The architecture as a model of input `x` ([N, ...row]) and output `logits` ([N, classes]); parameters are zero until initialised, but for those with first values of their own. */
export const buildModel = (
  architecture: Architecture,
  row: readonly number[],
  classes: number,
  chosen: Chosen<Options>,
  { seed = 0, vocabulary = { size: 0, padding: 0 } }: { readonly seed?: number; readonly vocabulary?: Vocabulary | undefined } = {},
): Model => {
  const stored = new Map<string, Constant>();
  const shape = (dims: readonly number[], dtype: DType = 'float32') => ({ kind: 'tensor', dtype, dims: ['N', ...dims] }) as const;
  const input = shape(row, architecture.tokens ? 'int64' : 'float32');
  const emit = emitter({ taken: ['x', 'logits'] });
  emit.typed('x', input);
  const given = { random: random(seed, `arch/${architecture.id}`), vocabulary };
  const last = architecture.build(netOver(emit, stored), 'x', row, classes, chosen, given);
  const graph = emit.graph(architecture.id, [{ name: 'x', type: input }], [{ name: 'logits', type: shape([classes]) }]);
  const nodes = graph.nodes.map((node) => ({ ...node, outputs: node.outputs.map((o) => (o === last ? 'logits' : o)) }));
  return modelOf({ irVersion: IR, opsets: new Map([['', OPSET]]) }, { ...graph, nodes, initializers: stored });
};
