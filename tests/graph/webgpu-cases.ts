import type { Tensor } from '../../src/base/tensor.ts';
import type { Attribute, Model } from '../../src/graph/types.ts';
import { float, graph, int, intConstant, ints, model, node, text, value, wave } from './build.ts';

/** One node, which WebGPU has no kernel for, or a wrong one in ONNX Runtime 1.30, or runs well. */
interface Case {
  readonly name: string;
  readonly op: string;
  readonly domain?: string;
  /** Shapes of float inputs. */
  readonly x: readonly (readonly number[])[];
  /** Whole-number inputs behind them. */
  readonly whole?: readonly (readonly number[])[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
  readonly opset?: number;
  /** Stays as it is: the provider runs it well. */
  readonly stays?: true;
}
export const webGpuCases: readonly Case[] = [
  {
    name: '9 filters a group, 12 groups',
    op: 'Conv',
    x: [
      [2, 12, 6, 6],
      [108, 1, 3, 3],
    ],
    attributes: { group: int(12), strides: ints(2, 2) },
  },
  { name: '6 filters a group, bias', op: 'Conv', x: [[2, 4, 5], [12, 2, 3], [12]], attributes: { group: int(2), pads: ints(1, 1) } },
  {
    name: '9 filters a group, an even number in all',
    op: 'Conv',
    x: [
      [1, 2, 4, 4],
      [18, 1, 3, 3],
    ],
    attributes: { group: int(2) },
  },
  {
    name: '8 filters a group',
    op: 'Conv',
    x: [
      [1, 2, 4, 4],
      [16, 1, 3, 3],
    ],
    attributes: { group: int(2) },
    stays: true,
  },
  {
    name: 'one filter a group',
    op: 'Conv',
    x: [
      [1, 6, 4, 4],
      [6, 1, 3, 3],
    ],
    attributes: { group: int(6) },
    stays: true,
  },
  {
    name: 'one group',
    op: 'Conv',
    x: [
      [1, 2, 4, 4],
      [6, 2, 3, 3],
    ],
    stays: true,
  },
  {
    name: 'two channels for one filter',
    op: 'ConvTranspose',
    x: [[2, 4, 3, 3], [4, 1, 3, 3], [2]],
    attributes: { group: int(2), strides: ints(2, 1) },
  },
  {
    name: 'one channel for one filter',
    op: 'ConvTranspose',
    x: [
      [1, 4, 3, 3],
      [4, 1, 3, 3],
    ],
    attributes: { group: int(4) },
    stays: true,
  },
  {
    name: 'backwards from the middle',
    op: 'Slice',
    x: [[6, 4]],
    whole: [
      [4, -1],
      [0, -5],
      [0, 1],
      [-2, -1],
    ],
  },
  { name: 'backwards to an end counted from the back', op: 'Slice', x: [[7]], whole: [[5], [-6], [0], [-1]] },
  { name: 'backwards to the very front', op: 'Slice', x: [[7]], whole: [[-3], [-100], [0], [-1]] },
  { name: 'backwards from the end', op: 'Slice', x: [[7]], whole: [[-1], [-100], [0], [-1]], stays: true },
  { name: 'forwards', op: 'Slice', x: [[7]], whole: [[1], [5], [0], [2]], stays: true },
  {
    name: 'training mode',
    op: 'BatchNormalization',
    x: [[4, 3, 2, 2], [3], [3], [3], [3]],
    attributes: { training_mode: int(1), momentum: float(0.8) },
    outputs: 3,
  },
  {
    name: 'training mode on rows, operator set 15',
    op: 'BatchNormalization',
    x: [[4, 3], [3], [3], [3], [3]],
    attributes: { training_mode: int(1) },
    outputs: 3,
    opset: 15,
  },
  { name: 'inference mode', op: 'BatchNormalization', x: [[4, 3], [3], [3], [3], [3]], stays: true },
  { name: 'axis 1', op: 'LogSoftmax', x: [[2, 3, 4]], attributes: { axis: int(1) } },
  { name: 'both signs', op: 'Sign', x: [[2, 3]] },
  { name: 'three, broadcast', op: 'Sum', x: [[2, 3], [3], [2, 1]] },
  {
    name: 'a sum and Relu',
    op: 'FusedConv',
    domain: 'com.microsoft',
    x: [[1, 2, 4, 4], [10, 1, 3, 3], [10], [1, 10, 2, 2]],
    attributes: { group: int(2), activation: text('Relu') },
  },
];

export const caseModel = ({ op, domain = '', x, whole = [], attributes = {}, outputs = 1, opset }: Case): Model => {
  const held = Object.fromEntries(whole.map((values, i) => [`c${i}`, intConstant(...values)]));
  const inputs = [...x.map((_, i) => `x${i}`), ...Object.keys(held)];
  const y = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const shapes = x.map((dims, i) => value(`x${i}`, dims));
  return model(graph(shapes, [node(op, inputs, y, attributes, domain)], y, held), opset, [], domain ? [domain] : []);
};

/** Fresh ones every time: BatchNormalization in training mode writes over what it is fed (ONNX Runtime 1.30). */
export const caseFeeds = ({ op, x }: Case): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(
    x.map((dims, i): [string, Tensor] => {
      const t = wave(dims);
      // The running variance, the last of five inputs, is positive.
      return [`x${i}`, op === 'BatchNormalization' && i === 4 ? { ...t, data: (t.data as Float32Array).map((v) => v * v + 0.5) } : t];
    }),
  );
