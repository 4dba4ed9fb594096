import { constantOf } from '../../src/graph/constant.ts';
import type { Attribute, Constant, Model } from '../../src/graph/types.ts';
import { float, floatConstant, floats, graph, int, intConstant, ints, model, node, text, value } from './build.ts';

/** One operator in a form that a later operator set changed, or that it kept. */
export interface OldCase {
  readonly op: string;
  readonly opset: number;
  readonly dims: readonly number[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly inputs?: readonly string[];
  readonly constants?: Readonly<Record<string, Constant>>;
  readonly outputs?: readonly string[];
  /** Operators that must not be left. */
  readonly gone?: readonly string[];
  /** The rank of x is left out of the file, as some exporters do. */
  readonly unknownRank?: true;
}
export const image: readonly number[] = [2, 3, 6, 6];
const bn = {
  scale: floatConstant([3]),
  bias: floatConstant([3]),
  mean: floatConstant([3], 0.1),
  var: constantOf('float32', [3], [1, 0.5, 2]),
};
const bnInputs = ['x', 'scale', 'bias', 'mean', 'var'];
const recurrent = (gates: number): Readonly<Record<string, Constant>> => ({
  w: floatConstant([1, gates * 4, 3], 0.3),
  r: floatConstant([1, gates * 4, 4], 0.3),
});

export const oldCases: readonly OldCase[] = [
  { op: 'Squeeze', opset: 11, dims: [2, 1, 3], attributes: { axes: ints(1) } },
  { op: 'Unsqueeze', opset: 11, dims: [2, 3], attributes: { axes: ints(0, 3) } },
  ...['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceL2', 'ReduceLogSumExp', 'ReduceProd', 'ReduceSumSquare', 'ReduceL1', 'ReduceMin'].map(
    (op): OldCase => ({ op, opset: 11, dims: [2, 3, 4], attributes: { axes: ints(1, -1), keepdims: int(0) } }),
  ),
  { op: 'ReduceMean', opset: 13, dims: [2, 3, 4] },
  { op: 'Split', opset: 11, dims: [2, 6], attributes: { axis: int(1), split: ints(2, 4) }, outputs: ['y', 'z'] },
  { op: 'Split', opset: 11, dims: [2, 6], attributes: { axis: int(1) }, outputs: ['y', 'z'] },
  { op: 'Split', opset: 13, dims: [2, 6], attributes: { axis: int(1) }, outputs: ['y', 'z', 'w'] },
  { op: 'Slice', opset: 9, dims: [4, 5], attributes: { starts: ints(1, -3), ends: ints(2 ** 63, 5), axes: ints(0, 1) } },
  { op: 'Slice', opset: 7, dims: [4, 5], attributes: { starts: ints(1), ends: ints(3) } },
  { op: 'Pad', opset: 10, dims: [2, 3], attributes: { pads: ints(0, 1, 1, 2), value: float(1.5) } },
  { op: 'Pad', opset: 9, dims: [4, 5], attributes: { pads: ints(1, 1, 0, 2), mode: text('reflect') } },
  { op: 'Pad', opset: 10, dims: [2, 3], attributes: { pads: ints(0, 1, 1, 2), value: float(1.5) }, unknownRank: true },
  { op: 'Clip', opset: 7, dims: [3, 4], attributes: { min: float(-0.5), max: float(0.25) } },
  { op: 'Clip', opset: 10, dims: [3, 4], attributes: { max: float(0.25) } },
  { op: 'TopK', opset: 9, dims: [3, 4], attributes: { k: int(2), axis: int(1) }, outputs: ['y', 'i'] },
  { op: 'Softmax', opset: 9, dims: [3, 4] },
  { op: 'Softmax', opset: 12, dims: [2, 3, 4], gone: [] },
  { op: 'Softmax', opset: 11, dims: [2, 3, 4], attributes: { axis: int(2) } },
  { op: 'LogSoftmax', opset: 11, dims: [2, 3, 4], attributes: { axis: int(1) }, unknownRank: true },
  { op: 'LogSoftmax', opset: 12, dims: [2, 3, 4], attributes: { axis: int(0) } },
  { op: 'Hardmax', opset: 11, dims: [2, 3, 4], attributes: { axis: int(1) } },
  { op: 'Dropout', opset: 7, dims: [3, 4], attributes: { ratio: float(0.5) }, gone: ['Dropout'] },
  { op: 'Dropout', opset: 10, dims: [3, 4], outputs: ['y', 'mask'], gone: ['Dropout'] },
  { op: 'Dropout', opset: 12, dims: [3, 4], outputs: ['y', 'mask'], gone: ['Dropout'] },
  {
    op: 'Dropout',
    opset: 13,
    dims: [3, 4],
    inputs: ['x', 'ratio'],
    constants: { ratio: constantOf('float32', [], [0.3]) },
    gone: ['Dropout'],
  },
  { op: 'BatchNormalization', opset: 7, dims: image, inputs: bnInputs, constants: bn },
  {
    op: 'BatchNormalization',
    opset: 9,
    dims: image,
    inputs: bnInputs,
    constants: bn,
    attributes: { epsilon: float(1e-3), momentum: float(0.8) },
  },
  { op: 'Upsample', opset: 7, dims: image, attributes: { scales: floats(1, 1, 2, 3) }, gone: ['Upsample'] },
  {
    op: 'Upsample',
    opset: 9,
    dims: image,
    inputs: ['x', 's'],
    constants: { s: constantOf('float32', [4], [1, 1, 2, 2]) },
    attributes: { mode: text('linear') },
    gone: ['Upsample'],
  },
  { op: 'Resize', opset: 10, dims: image, inputs: ['x', 's'], constants: { s: constantOf('float32', [4], [1, 1, 2, 1.5]) } },
  {
    op: 'Resize',
    opset: 10,
    dims: image,
    inputs: ['x', 's'],
    constants: { s: constantOf('float32', [4], [1, 1, 0.5, 0.5]) },
    attributes: { mode: text('linear') },
  },
  {
    op: 'Resize',
    opset: 11,
    dims: image,
    inputs: ['x', 'roi', 's'],
    constants: { roi: constantOf('float32', [0], []), s: constantOf('float32', [4], [1, 1, 2, 0.5]) },
    attributes: { mode: text('linear'), coordinate_transformation_mode: text('align_corners') },
  },
  {
    op: 'Resize',
    opset: 11,
    dims: image,
    inputs: ['x', 'roi', 's', 'sizes'],
    constants: { roi: constantOf('float32', [0], []), s: constantOf('float32', [0], []), sizes: intConstant(2, 3, 9, 4) },
  },
  {
    op: 'Resize',
    opset: 11,
    dims: image,
    inputs: ['x', 'roi', 's'],
    constants: { roi: constantOf('float32', [0], []), s: constantOf('float32', [4], [1, 1, 2, 0.5]) },
    attributes: { coordinate_transformation_mode: text('tf_half_pixel_for_nn'), nearest_mode: text('floor') },
  },
  {
    op: 'Scatter',
    opset: 9,
    dims: [3, 3],
    inputs: ['x', 'i', 'u'],
    constants: { i: constantOf('int64', [2, 3], [1, 0, 2, 0, 2, 1]), u: floatConstant([2, 3]) },
    gone: ['Scatter'],
  },
  { op: 'GridSample', opset: 16, dims: image, inputs: ['x', 'grid'], constants: { grid: floatConstant([2, 4, 4, 2], 0.7) } },
  {
    op: 'GridSample',
    opset: 16,
    dims: image,
    inputs: ['x', 'grid'],
    constants: { grid: floatConstant([2, 4, 4, 2], 0.7) },
    attributes: { mode: text('bicubic') },
  },
  {
    op: 'RoiAlign',
    opset: 10,
    dims: image,
    inputs: ['x', 'rois', 'b'],
    constants: { rois: constantOf('float32', [1, 4], [0.4, 0.4, 4.7, 5]), b: intConstant(1) },
    attributes: { output_height: int(2), output_width: int(2), sampling_ratio: int(2) },
  },
  { op: 'DFT', opset: 17, dims: [2, 4, 1], attributes: { axis: int(1) } },
  {
    op: 'GroupNormalization',
    opset: 18,
    dims: [2, 6, 4],
    inputs: ['x', 's', 'b'],
    constants: { s: floatConstant([3]), b: floatConstant([3], 0.5) },
    attributes: { num_groups: int(3) },
  },
  { op: 'LSTM', opset: 7, dims: [5, 2, 3], inputs: ['x', 'w', 'r'], constants: recurrent(4), attributes: { hidden_size: int(4) } },
  { op: 'GRU', opset: 7, dims: [5, 2, 3], inputs: ['x', 'w', 'r'], constants: recurrent(3), attributes: { hidden_size: int(4) } },
  {
    op: 'Gemm',
    opset: 7,
    dims: [2, 3],
    inputs: ['x', 'w', 'c'],
    constants: { w: floatConstant([4, 3]), c: floatConstant([4]) },
    attributes: { transB: int(1), alpha: float(0.5) },
  },
  { op: 'Add', opset: 7, dims: [2, 3, 4], inputs: ['x', 'w'], constants: { w: floatConstant([3, 1]) } },
  { op: 'Sum', opset: 8, dims: [2, 3, 4], inputs: ['x', 'w'], constants: { w: floatConstant([4]) } },
  { op: 'PRelu', opset: 7, dims: [2, 3, 4], inputs: ['x', 'w'], constants: { w: floatConstant([3, 1]) } },
  { op: 'AveragePool', opset: 7, dims: image, attributes: { kernel_shape: ints(2, 2), strides: ints(2, 2), pads: ints(1, 1, 0, 0) } },
  { op: 'MaxPool', opset: 8, dims: image, attributes: { kernel_shape: ints(3, 3), auto_pad: text('SAME_UPPER') } },
  { op: 'Flatten', opset: 9, dims: [2, 3, 4], attributes: { axis: int(2) } },
  { op: 'Cast', opset: 9, dims: [2, 3], attributes: { to: int(6) } },
  { op: 'DepthToSpace', opset: 7, dims: [1, 4, 2, 2], attributes: { blocksize: int(2) } },
];

export const built = (c: OldCase): Model =>
  model(
    graph(
      [c.unknownRank ? { name: 'x', type: { kind: 'tensor', dtype: 'float32' } } : value('x', c.dims)],
      [node(c.op, c.inputs ?? ['x'], c.outputs ?? ['y'], c.attributes)],
      c.outputs ?? ['y'],
      c.constants,
    ),
    c.opset,
  );

/** What a test of it is called. */
export const titleOf = (c: OldCase): string =>
  `${c.op} of operator set ${c.opset}${c.attributes ? ` (${Object.keys(c.attributes).join(', ')})` : ''}${c.unknownRank ? ', rank unknown' : ''}`;
