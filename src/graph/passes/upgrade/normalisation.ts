import { intOf } from '../../attribute.ts';
import { constantOf, numbersOf } from '../../constant.ts';
import type { Node } from '../../types.ts';
import { type Rewriter, type Upgrades, without } from './rewriter.ts';

/** Of any version: an inference Dropout is the identity, its mask constant. One told to train stays. */
const dropout = (node: Node, at: Rewriter): Node | undefined => {
  const mode = at.version >= 12 ? node.inputs[2] : undefined;
  const told = mode ? at.constant(mode) : undefined;
  if (mode && (!told?.bytes || numbersOf(told)[0] !== 0)) return node;
  const [x] = node.inputs;
  if (node.outputs[0]) at.call('Identity', [x], {}, node.outputs[0]);
  if (node.outputs[1]) {
    // The mask says true for what is kept since version 12; ONNX Runtime says false in older ones, of x's type before 10.
    const dtype = at.version < 10 ? (at.type(x)?.dtype ?? 'float32') : 'bool';
    const value = { type: 'tensor', value: constantOf(dtype, [1], [at.version < 12 ? 0 : 1]) } as const;
    at.call('ConstantOfShape', [at.call('Shape', [x])], { value }, node.outputs[1]);
  }
  return undefined;
};

/** Before version 14 the number of outputs told training from inference; outputs 3 and 4 were internal to old frameworks. */
const batchNormalization = (node: Node, at: Rewriter): Node => {
  if (intOf(node, 'spatial', 1) === 0) return at.refuse('BatchNormalization with spatial=0 is read by no current runtime');
  const made = node.outputs.map(Boolean);
  if (made[3] || made[4]) return at.refuse('the saved mean and variance of BatchNormalization before operator set 14 cannot be read');
  const training = made[1] || made[2];
  const plain = without(node, 'spatial', 'training_mode');
  return training
    ? { ...plain, outputs: node.outputs.slice(0, 3), attributes: { ...plain.attributes, training_mode: { type: 'int', value: 1 } } }
    : { ...plain, outputs: node.outputs.slice(0, 1) };
};

/** Versions 18 to 20 had one scale and bias a group; since 21 there is one a channel: each repeated C / groups times. */
const groupNormalization = (node: Node, at: Rewriter): Node => {
  const groups = intOf(node, 'num_groups', 1);
  const [x, scale, bias] = node.inputs;
  const width = at.call('Div', [at.call('Shape', [x], { start: 1, end: 2 }), at.ints([groups])]);
  const shape = at.call('Concat', [at.ints([groups]), width], { axis: 0 });
  const spread = (v: string): string =>
    at.call('Reshape', [at.call('Expand', [at.call('Unsqueeze', [v, at.ints([1])]), shape]), at.ints([-1])]);
  return { ...node, inputs: [x, spread(scale), spread(bias)] };
};

export const normalisation: Upgrades = {
  Dropout: [{ before: Number.POSITIVE_INFINITY, rewrite: dropout }],
  BatchNormalization: [{ before: 14, rewrite: batchNormalization }],
  GroupNormalization: [{ before: 21, rewrite: groupNormalization }],
};
