import type { LinearHead } from '../../base/maths/linear-head.ts';
import { constantOf } from '../../graph/constant.ts';
import { type Emit, emitter } from '../../graph/emit.ts';
import { prune } from '../../graph/passes/prune.ts';
import { dtypes } from '../../graph/schema.ts';
import type { Model, ValueInfo } from '../../graph/types.ts';
import { namesWithin } from '../../graph/walk.ts';
import { modelOf } from '../plan.ts';

/** How features of several axes become a row: as in evidence/providers/features.ts. */
export type Pooling = 'none' | 'channels-first' | 'channels-last' | 'flatten';

const OPSET = 18;
/** The IR version that came with this opset. */
const IR = 8;

/** Features as rows, [N, width]. */
export const featureRows = (emit: Emit, value: string, pooling: Pooling, width: number): string => {
  const flat = emit.ints([-1, width]);
  if (pooling === 'none' || pooling === 'flatten') return emit.Reshape(value, flat);
  const last = pooling === 'channels-last';
  const planes = emit.Reshape(value, emit.ints(last ? [0, -1, width] : [0, width, -1]));
  return emit.Reshape(emit.call('GlobalAveragePool', [last ? emit.Transpose(planes, { perm: [0, 2, 1] }) : planes]), flat);
};

/** Wx + b of rows, as a Gemm. */
export const headScores = (emit: Emit, rows: string, { classes, width, weights, biases }: LinearHead, name = 'head'): string =>
  emit.Gemm(
    rows,
    emit.hold(`${name}.weight`, constantOf('float32', [classes, width], weights)),
    emit.hold(`${name}.bias`, constantOf('float32', [classes], biases)),
    { transB: 1 },
  );

/**
 * The model cut off at `features`, with Wx + b (and a Softmax where asked) as its only output, under the name `output`. The weights are
 * parameters of a Gemm, so that training can go on from them.
 */
export const withLinearHead = (
  model: Model,
  {
    features,
    pooling,
    output,
    softmax,
  }: { readonly features: string; readonly pooling: Pooling; readonly output: string; readonly softmax: boolean },
  head: LinearHead,
  metadata: ReadonlyMap<string, string>,
): Model => {
  const kept = prune({ ...model, graph: { ...model.graph, outputs: [{ name: features }] } });
  const { graph } = kept;
  const emit = emitter({ taken: namesWithin(graph) });
  const rows = featureRows(emit, emit.Cast(features, { to: dtypes.indexOf('float32') }), pooling, head.width);
  const scores = headScores(emit, rows, head);
  const last = softmax ? emit.Softmax(scores, { axis: 1 }) : scores;
  // The output's name may be that of the features themselves, or of a value before them.
  const free = !namesWithin(graph).has(output);
  const name = free ? output : last;
  const nodes = emit.nodes.map((node) => ({ ...node, outputs: node.outputs.map((o) => (o === last ? name : o)) }));
  const values = new Map(graph.values);
  values.delete(name);
  const info: ValueInfo = { name, type: { kind: 'tensor', dtype: 'float32', dims: [undefined, head.classes] } };
  return {
    ...kept,
    metadata: new Map([...model.metadata, ...metadata]),
    graph: {
      ...graph,
      outputs: [info],
      nodes: [...graph.nodes, ...nodes],
      initializers: new Map([...graph.initializers, ...emit.constants]),
      values,
    },
  };
};

/** A head as a model of its own: `features` [N, width] → `logits` [N, classes]. */
export const linearModel = (head: LinearHead, metadata: ReadonlyMap<string, string>): Model => {
  const emit = emitter({ taken: ['features', 'logits'] });
  const last = headScores(emit, 'features', head);
  const rows = (name: string, width: number): ValueInfo => ({ name, type: { kind: 'tensor', dtype: 'float32', dims: ['N', width] } });
  const graph = emit.graph('linear', [rows('features', head.width)], [rows('logits', head.classes)]);
  const nodes = graph.nodes.map((node) => ({ ...node, outputs: node.outputs.map((o) => (o === last ? 'logits' : o)) }));
  const made = modelOf({ irVersion: IR, opsets: new Map([['', OPSET]]) }, { ...graph, nodes });
  return { ...made, metadata };
};
