import { Fault } from '../../base/fault.ts';
import { floatOf, floatsOf, intOf, stringOf, stringsOf } from '../../graph/attribute.ts';
import { type Emit, float } from '../../graph/emit.ts';
import type { Dim, Node } from '../../graph/types.ts';
import { called } from '../../graph/walk.ts';
import type { Site, Within } from '../rule.ts';
import { cast, dimsOf, dtypeOf, num } from '../shapes.ts';

/** A recurrent cell running in one direction, and what has arrived of its cotangents. '' is an omitted value. */
export interface Run {
  readonly emit: Emit;
  readonly within: Within;
  readonly node: Node;
  /** From the last step to the first. */
  readonly back: boolean;
  /** [T, B, I] */
  readonly x: string;
  /** [G·H, I] */
  readonly w: string;
  /** [G·H, H] */
  readonly r: string;
  /** [G·H], of the input and of the state. */
  readonly biases: readonly [string, string] | undefined;
  /** [B, H] */
  readonly h0: string;
  readonly c0: string;
  /** [3·H]: of the input, output and forget gate. */
  readonly peepholes: string;
  /** [T, B, H]: the states after each step, as the node gives them (0 behind the end of a sequence). */
  readonly y: string;
  /** [T, B, 1]: 1 in the steps of a sequence, 0 behind its end; '' where all are of full length. */
  readonly mask: string;
  /** Cotangents of y, and of the last states, which count nothing where a sequence is empty. */
  readonly gy: string;
  readonly gh: string;
  readonly gc: string;
  readonly hidden: number;
  readonly activations: readonly Activation[];
  readonly clip: Activation;
}
export type Activation = (at: Emit, x: string) => string;

/** Cotangents of one direction. */
export interface Found {
  /** [T, B, G·H]: of what the input, and what the state, adds to the gates. */
  readonly fromInput: string;
  readonly fromState: string;
  /** [G·H, H]: of the weights of the state. */
  readonly r: () => string;
  readonly h0: string;
  readonly c0?: string;
  /** [3·H] */
  readonly peepholes?: () => string;
}

/** alpha and beta where a function that takes one is given none: those of ONNX Runtime, which are not all the specification's. */
const functions: Readonly<Record<string, readonly [alpha?: number, beta?: number]>> = {
  sigmoid: [],
  tanh: [],
  relu: [],
  softsign: [],
  softplus: [],
  affine: [0, 0],
  scaledtanh: [0, 0],
  thresholdedrelu: [0],
  leakyrelu: [0.01],
  hardsigmoid: [0.2, 0.5],
  elu: [1],
};

const activation = (node: Node, name: string, a: number, b: number): Activation => {
  const alpha = float(a);
  const scaled = (at: Emit, x: string, by: number): string => at.Mul(x, num(at, by, x));
  switch (name) {
    case 'sigmoid':
      return (at, x) => at.Sigmoid(x);
    case 'tanh':
      return (at, x) => at.Tanh(x);
    case 'relu':
      return (at, x) => at.Relu(x);
    case 'softsign':
      return (at, x) => at.call('Softsign', [x]);
    case 'softplus':
      return (at, x) => at.Softplus(x);
    case 'affine':
      return (at, x) => at.Add(scaled(at, x, a), num(at, b, x));
    case 'scaledtanh':
      return (at, x) => scaled(at, at.Tanh(scaled(at, x, b)), a);
    case 'thresholdedrelu':
      return (at, x) => at.call('ThresholdedRelu', [x], { alpha });
    case 'leakyrelu':
      return (at, x) => at.call('LeakyRelu', [x], { alpha });
    case 'hardsigmoid':
      return (at, x) => at.call('HardSigmoid', [x], { alpha, beta: float(b) });
    case 'elu':
      return (at, x) => at.call('Elu', [x], { alpha });
    default:
      throw new Fault('graph/unsupported', { node: called(node), reason: `'${name}' is not an activation function that ONNX Runtime has` });
  }
};

/** alpha and beta are handed out in order, each to the next function that takes one. */
const activationsOf = (node: Node, usual: readonly string[], directions: number): readonly Activation[] => {
  const names = stringsOf(node, 'activations') ?? Array.from({ length: directions }, () => usual).flat();
  const [alphas, betas] = [[...(floatsOf(node, 'activation_alpha') ?? [])], [...(floatsOf(node, 'activation_beta') ?? [])]];
  return names.map((given) => {
    const name = given.toLowerCase();
    const [alpha, beta] = functions[name] ?? [];
    return activation(node, name, alpha === undefined ? 0 : (alphas.shift() ?? alpha), beta === undefined ? 0 : (betas.shift() ?? beta));
  });
};

/** Part `d` of `of` along an axis, which goes. */
const part = (emit: Emit, x: string, d: number, of: number, axis: number): string => {
  if (!x) return '';
  const piece = of === 1 ? x : emit.calls('Split', [x], of, { axis, num_outputs: of })[d];
  return emit.Squeeze(piece, emit.ints([axis]));
};

/** Hidden units H and gates G. */
const sizeOf = (emit: Emit, { node, x }: Site): number => {
  const declared = intOf(node, 'hidden_size', 0) || dimsOf(emit, x[2])?.[2];
  if (typeof declared !== 'number')
    throw new Fault('graph/unsupported', {
      node: called(node),
      reason: 'its hidden size is neither an attribute nor a known size of its weights',
    });
  return declared;
};

/** [T, B, 1] from the lengths [B]. */
const maskOf = (emit: Emit, lengths: string, x: string): string => {
  if (!lengths) return '';
  const count = emit.Squeeze(emit.call('Shape', [x], { start: 0, end: 1 }), emit.ints([0]));
  const steps = emit.Unsqueeze(emit.Range(emit.scalar(0, 'int64'), count, emit.scalar(1, 'int64')), emit.ints([1, 2]));
  const within = emit.Less(steps, emit.Unsqueeze(cast(emit, lengths, 'int64'), emit.ints([0, 2])));
  const dims = dimsOf(emit, x);
  return typedLike(emit, cast(emit, within, dtypeOf(emit, x)), x, [dims?.[0], dims?.[1], 1]);
};

/** The node's directions, each as a run of its own. `y` is the node's first output, which is made if it was left out. */
export const runsOf = (emit: Emit, site: Site, within: Within, y: string, usual: readonly string[]): readonly Run[] => {
  const { node, x, g } = site;
  const direction = stringOf(node, 'direction', 'forward');
  const count = direction === 'bidirectional' ? 2 : 1;
  const hidden = sizeOf(emit, site);
  const functions = activationsOf(node, usual, count);
  const [input, w, r, b, lengths, h0, c0, p] = Array.from({ length: 8 }, (_, i) => x[i] ?? '');
  const [gy, gh, gc] = [g[0], g[1] ?? '', g[2] ?? ''];
  const limit = node.attributes.clip ? floatOf(node, 'clip', 0) : 0;
  const dims = dimsOf(emit, input);
  const zeros = (): string => {
    const size = emit.Concat(emit.call('Shape', [input], { start: 1, end: 2 }), emit.ints([hidden]), { axis: 0 });
    return typedLike(emit, emit.Expand(num(emit, 0, input), size), input, [dims?.[1], hidden]);
  };
  const mask = maskOf(emit, lengths, input);
  const some = mask ? emit.Squeeze(emit.Slice(mask, emit.ints([0]), emit.ints([1]), emit.ints([0])), emit.ints([0])) : '';
  const last = (v: string, d: number): string => {
    const own = part(emit, v, d, count, 0);
    return own && some ? emit.Mul(own, some) : own || zeros();
  };
  return Array.from({ length: count }, (_, d): Run => {
    const biases = b ? emit.calls('Split', [part(emit, b, d, count, 0)], 2, { axis: 0, num_outputs: 2 }) : undefined;
    return {
      emit,
      within,
      node,
      back: direction === 'reverse' || d === 1,
      x: input,
      w: part(emit, w, d, count, 0),
      r: part(emit, r, d, count, 0),
      biases: biases && [biases[0], biases[1]],
      h0: part(emit, h0, d, count, 0) || zeros(),
      c0: part(emit, c0, d, count, 0) || zeros(),
      peepholes: part(emit, p, d, count, 0),
      y: part(emit, y, d, count, 1),
      mask,
      gy: part(emit, gy, d, count, 1),
      gh: last(gh, d),
      gc: last(gc, d),
      hidden,
      activations: functions.slice((d * functions.length) / count, ((d + 1) * functions.length) / count),
      clip: (at, v) => (limit > 0 ? at.Clip(v, num(at, -limit, v), num(at, limit, v)) : v),
    };
  });
};

/** `v` with a type told: element type of `like`, these dims. */
export const typedLike = (emit: Emit, v: string, like: string, dims: readonly Dim[]): string =>
  emit.typed(v, { kind: 'tensor', dtype: dtypeOf(emit, like), dims });
