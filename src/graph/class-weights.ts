import { dataOf } from './constant.ts';
import { penultimate } from './penultimate.ts';
import type { Graph } from './types.ts';

/** A row of weights for every class. */
export interface ClassWeights {
  readonly classes: number;
  readonly width: number;
  readonly data: Float64Array;
}

const turned = (data: Float64Array, rows: number, cols: number): Float64Array =>
  data.map((_, i) => data[(i % rows) * cols + Math.floor(i / rows)]);

/** Weights of the last Gemm, MatMul or Conv behind an output, where they are stored numbers. */
export const classWeights = (graph: Graph, output: string): ClassWeights | undefined => {
  const found = penultimate(graph, output);
  if (!('head' in found)) return undefined;
  const { op, inputs, attributes } = found.head;
  const weights = graph.initializers.get(inputs[1] ?? '');
  if (!weights?.bytes || !/^float(32|64)$/.test(weights.dtype) || !['Gemm', 'MatMul', 'Conv'].includes(op) || weights.dims.length < 2)
    return undefined;
  const data = Float64Array.from(dataOf(weights) as Float32Array);
  const [first, ...rest] = weights.dims;
  const size = rest.reduce((n, d) => n * d, 1);
  const byClass = op === 'Conv' || (attributes.transB?.type === 'int' && attributes.transB.value === 1);
  return byClass ? { classes: first, width: size, data } : { classes: size, width: first, data: turned(data, size, first) };
};
