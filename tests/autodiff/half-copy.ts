import { fromBfloat, fromHalf, toBfloat, toHalf } from '../../src/base/half.ts';
import type { DType } from '../../src/base/tensor.ts';
import { constantOf, dataOf } from '../../src/graph/constant.ts';
import { dtypes } from '../../src/graph/schema.ts';
import type { Attribute, Constant, Graph, Model, ValueInfo } from '../../src/graph/types.ts';
import { mapSubgraphs } from '../../src/graph/walk.ts';

type Float = 'float16' | 'bfloat16' | 'float32' | 'float64';
const floats: readonly DType[] = ['float16', 'bfloat16', 'float32', 'float64'];

const numbersIn = (c: Constant): number[] => {
  const data = Array.from(dataOf(c) as ArrayLike<number>);
  return c.dtype === 'float16' ? data.map(fromHalf) : c.dtype === 'bfloat16' ? data.map(fromBfloat) : data;
};
const constantAs = (c: Constant, to: Float): Constant => {
  if (!floats.includes(c.dtype)) return c;
  const values = numbersIn(c);
  return constantOf(to, c.dims, to === 'float16' ? values.map(toHalf) : to === 'bfloat16' ? values.map(toBfloat) : values);
};
const infoAs = (info: ValueInfo, to: Float): ValueInfo =>
  info.type?.kind === 'tensor' && floats.includes(info.type.dtype) ? { ...info, type: { ...info.type, dtype: to } } : info;
const attributeAs = (name: string, a: Attribute, to: Float): Attribute => {
  if (a.type === 'tensor') return { type: 'tensor', value: constantAs(a.value, to) };
  return name === 'to' && a.type === 'int' && floats.includes(dtypes[a.value]) ? { type: 'int', value: dtypes.indexOf(to) } : a;
};

const graphAs = (graph: Graph, to: Float): Graph => ({
  ...graph,
  inputs: graph.inputs.map((i) => infoAs(i, to)),
  outputs: graph.outputs.map((o) => infoAs(o, to)),
  initializers: new Map(Array.from(graph.initializers, ([name, c]) => [name, constantAs(c, to)])),
  nodes: graph.nodes.map((n) => ({
    ...mapSubgraphs(n, (g) => graphAs(g, to)),
    attributes: Object.fromEntries(
      Object.entries(mapSubgraphs(n, (g) => graphAs(g, to)).attributes).map(([k, a]) => [k, attributeAs(k, a, to)]),
    ),
  })),
  values: new Map(),
});

/** The model with all its floats of another type. */
export const retyped = (model: Model, to: Float): Model => ({ ...model, graph: graphAs(model.graph, to) });
/** The model as tools write it in half precision: parameters rounded, inputs and outputs too. */
export const halved = (model: Model, to: 'float16' | 'bfloat16'): Model => retyped(model, to);
