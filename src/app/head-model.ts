import { Fault } from '../base/fault.ts';
import { type OutputHead, TIE } from '../base/output-head.ts';
import type { DType } from '../base/tensor.ts';
import type { Meaning } from '../evidence/interpret.ts';
import { constantOf } from '../graph/constant.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import { dtypes } from '../graph/schema.ts';
import type { Dim, Model, ValueInfo } from '../graph/types.ts';
import { namesWithin, opsetOf } from '../graph/walk.ts';
import { logitsOf } from './calibrated-model.ts';

/** From this operator set on Where exists. */
const OLDEST = 9;
/** From this one on the axes of ReduceMin are an input. */
const AXES_INPUT = 18;

interface Made {
  readonly name: string;
  readonly value: string;
  readonly dtype: DType;
  /** Axes after the batch. */
  readonly dims: readonly Dim[];
}

/** In float64, as on the host. */
const leastCost = (emit: Emit, rows: string, meaning: Meaning, head: Extract<OutputHead, { kind: 'costs' }>, opset: number): Made[] => {
  const { classes, labels, costs, own, temperature } = head;
  const table = (data: Float64Array): string => emit.constant(constantOf('float64', [classes, labels], data));
  const scalar = (value: number): string => emit.scalar(value, 'float64');
  const logits = logitsOf(emit, emit.Cast(rows, { to: dtypes.indexOf('float64') }), meaning);
  const p = emit.Softmax(temperature === 1 ? logits : emit.Div(logits, scalar(temperature)), { axis: 1 });
  const expected = emit.MatMul(p, table(costs));
  const places = new Float64Array(classes * labels);
  for (const [k, place] of own.entries()) places[k * labels + place] = 1;
  const least = opset < AXES_INPUT ? emit.ReduceMin(expected, { axes: [1] }) : emit.ReduceMin(expected, emit.ints([1]));
  const above = emit.Greater(expected, emit.Mul(least, scalar(1 + TIE)));
  const label = emit.ArgMax(emit.Where(above, scalar(-1), emit.MatMul(p, table(places))), { axis: 1, keepdims: 0 });
  return [
    { name: 'label', value: label, dtype: 'int64', dims: [] },
    { name: 'cost', value: emit.Cast(expected, { to: dtypes.indexOf('float32') }), dtype: 'float32', dims: [labels] },
  ];
};

const linear = (emit: Emit, rows: string, { inputs, outputs, weights, normalise }: Extract<OutputHead, { kind: 'linear' }>): Made[] => {
  const x = emit.Cast(rows, { to: dtypes.indexOf('float32') });
  const ones = emit.constant(constantOf('float32', [inputs, 1], new Float64Array(inputs).fill(1)));
  const unit = normalise ? emit.Div(x, emit.Sqrt(emit.MatMul(emit.Mul(x, x), ones))) : x;
  const matrix = emit.constant(constantOf('float32', [outputs, inputs], weights));
  const zero = emit.constant(constantOf('float32', [outputs], new Float64Array(outputs)));
  return [{ name: 'logits', value: emit.Gemm(unit, matrix, zero, { transB: 1 }), dtype: 'float32', dims: [outputs] }];
};

/** The model with a head behind `output`: its inputs and outputs stay, those of the head are added. Gives their names, too. */
export const modelWithHead = (
  model: Model,
  output: string,
  meaning: Meaning,
  head: OutputHead,
  metadata: ReadonlyMap<string, string>,
): { readonly model: Model; readonly outputs: readonly string[] } => {
  const opset = opsetOf(model);
  const { graph } = model;
  if (opset < OLDEST) throw new Fault('graph/head', { output, reason: `the model is of operator set ${opset}, below ${OLDEST}` });
  const type = graph.outputs.find((o) => o.name === output)?.type;
  const dims = type?.kind === 'tensor' ? type.dims : undefined;
  const emit = emitter({ taken: namesWithin(graph) });
  const columns = head.kind === 'linear' ? head.inputs : meaning.binary ? 1 : head.classes;
  const rows = dims?.length === 2 ? output : emit.Reshape(output, emit.ints([-1, columns]));
  const made = head.kind === 'linear' ? linear(emit, rows, head) : leastCost(emit, rows, meaning, head, opset);
  const named = made.map((m) => ({ ...m, name: emit.fresh(m.name) }));
  const names = new Map(named.map((m) => [m.value, m.name]));
  const batch = dims?.[0] ?? 'N';
  const added = named.map(({ name, dtype, dims: rest }): ValueInfo => ({ name, type: { kind: 'tensor', dtype, dims: [batch, ...rest] } }));
  return {
    outputs: named.map((m) => m.name),
    model: {
      ...model,
      metadata: new Map([...model.metadata, ...metadata]),
      graph: {
        ...graph,
        outputs: [...graph.outputs, ...added],
        nodes: [...graph.nodes, ...emit.nodes.map((node) => ({ ...node, outputs: node.outputs.map((o) => names.get(o) ?? o) }))],
        initializers: new Map([...graph.initializers, ...emit.constants]),
      },
    },
  };
};
