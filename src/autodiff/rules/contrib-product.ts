import { Fault } from '../../base/fault.ts';
import { floatOf, floatsOf, intOf, stringOf } from '../../graph/attribute.ts';
import type { Emit, Given } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { called } from '../../graph/walk.ts';
import type { Rule, Rules, Site } from '../rule.ts';
import { castLike, dimsOf, num, rankOf } from '../shapes.ts';
import { swish } from './activation.ts';

/** Products with what ONNX Runtime fuses into them: transposes and a factor, or an activation behind. */
const operand = (emit: Emit, x: string, transposed: boolean, batch: boolean): string => {
  const rank = rankOf(emit, x) ?? 2;
  if (rank < 2 || !(transposed || batch)) return x;
  const axes = Array.from({ length: rank }, (_, i) => i);
  // The batch form keeps the rows on axis 0, in front of the batch axes.
  const perm = batch ? [...axes.slice(1, -1), 0, rank - 1] : axes;
  const [m, k] = perm.slice(-2);
  return emit.Transpose(x, { perm: transposed ? [...perm.slice(0, -2), k, m] : perm });
};
const fusedMatMul: Rule = {
  as: (emit, { x: [a, b], node }) => {
    const on = (name: string): boolean => intOf(node, name, 0) === 1;
    const y = emit.MatMul(operand(emit, a, on('transA'), on('transBatchA')), operand(emit, b, on('transB'), on('transBatchB')));
    const alpha = floatOf(node, 'alpha', 1);
    return [alpha === 1 ? y : emit.Mul(num(emit, alpha, y), y)];
  },
};

type Slope = (emit: Emit, y: string, parameters: readonly number[]) => string | undefined;
const between = (emit: Emit, y: string, low: number, high: number): string =>
  castLike(emit, emit.And(emit.Greater(y, num(emit, low, y)), emit.Less(y, num(emit, high, y))), y);
/** Slopes that follow from the result alone, so that what the activation was put on need not be computed again. */
const slopes: Readonly<Record<string, Slope>> = {
  Relu: (emit, y) => emit.Sign(y),
  Tanh: (emit, y) => emit.Sub(num(emit, 1, y), emit.Mul(y, y)),
  Sigmoid: (emit, y) => emit.Mul(y, emit.Sub(num(emit, 1, y), y)),
  Clip: (emit, y, [low, high]) => between(emit, y, low, high),
  HardSigmoid: (emit, y, [alpha]) => emit.Mul(num(emit, alpha, y), between(emit, y, 0, 1)),
  LeakyRelu: (emit, y, [alpha]) =>
    alpha > 0 ? emit.Where(emit.Greater(y, num(emit, 0, y)), num(emit, 1, y), num(emit, alpha, y)) : undefined,
};

/** `pre`, of which the node's result is the activation: its cotangent, or the activation written out. */
const activated = (
  emit: Emit,
  { y: [y], g: [g] }: Site,
  pre: string,
  activation: string,
  parameters: readonly number[],
  attributes: Readonly<Record<string, Given>>,
): readonly string[] | ReadonlyMap<string, string> => {
  const slope = slopes[activation]?.(emit, y, parameters);
  if (slope) return new Map([[pre, emit.Mul(g, slope)]]);
  return [activation ? emit.call(activation, [pre], attributes) : pre];
};

const without = (node: Node, prefix: string): Record<string, Given> =>
  Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !name.startsWith(prefix)));

/** act(α·A′·B′ + β·C) */
const fusedGemm: Rule = {
  as: (emit, site) => {
    const { node, x } = site;
    const pre = emit.Gemm(...x, without(node, 'activation'));
    const names = Object.keys(node.attributes).filter((name) => name.startsWith('activation_'));
    const own = Object.fromEntries(names.map((name) => [name.slice('activation_'.length), node.attributes[name]]));
    const activation = stringOf(node, 'activation', '');
    const alpha = floatOf(node, 'activation_alpha', activation === 'HardSigmoid' ? 0.2 : 0.01);
    return activated(emit, site, pre, activation, [alpha], own);
  },
};
/** act(Conv(x, w, b) + z); the activation's numbers come in a list. */
const fusedConv: Rule = {
  as: (emit, site) => {
    const { node } = site;
    const [x, w, b, z] = site.x;
    const conv = emit.Conv(x, w, b ?? '', without(node, 'activation'));
    return activated(
      emit,
      site,
      z ? emit.Add(conv, z) : conv,
      stringOf(node, 'activation', ''),
      floatsOf(node, 'activation_params') ?? [],
      {},
    );
  },
};

/** The whole transposed convolution, then pads taken off its edges. */
const dynamicPads: Rule = {
  as: (emit, { x: [x, w, pads, b], node }) => {
    const full = emit.ConvTranspose(x, w, b ?? '', node.attributes);
    const axes = Array.from({ length: (rankOf(emit, x) ?? 4) - 2 }, (_, i) => i + 2);
    return [pads ? emit.Pad(full, emit.Neg(pads), '', emit.ints(axes)) : full];
  },
};
/** A convolution of each channel with itself over what was before: a state of the last places, or zeros, in front. */
const causalConv: Rule = {
  as: (emit, { x: [x, w, b, past], y, node }) => {
    const [reach, channels] = [dimsOf(emit, w)?.[2], dimsOf(emit, w)?.[0]];
    const options = ['channels_last', 'state_window'].map((name) => intOf(node, name, 0));
    if (intOf(node, 'ndim', 1) !== 1 || options.some((o) => o !== 0) || typeof reach !== 'number' || typeof channels !== 'number')
      throw new Fault('graph/unsupported', { node: called(node), reason: 'only its plain form over one axis has a derivative' });
    const dilation = intOf(node, 'dilation', 1);
    const length = (reach - 1) * dilation;
    const whole = past ? emit.Concat(past, x, { axis: 2 }) : emit.Pad(x, emit.ints([0, 0, length, 0, 0, 0]));
    const pre = emit.Conv(whole, w, b ?? '', { group: channels, dilations: [dilation], kernel_shape: [reach] });
    const state = (): string => emit.Slice(whole, emit.ints([-length]), emit.ints([2 ** 31 - 1]), emit.ints([2]));
    return [stringOf(node, 'activation', 'none') === 'none' ? pre : swish(emit, pre, 1), y[1] ? state() : ''];
  },
};

/** Y = X⁻¹: −Yᵀ·g·Yᵀ. */
const inverse: Rule = {
  back: [
    (emit, g, { x: [x], y: [y] }) => {
      const turned = operand(emit, y, true, false);
      const out = emit.Neg(emit.MatMul(emit.MatMul(turned, g), turned));
      const type = emit.type(x);
      return type ? emit.typed(out, type) : out;
    },
  ],
};
/** ‖aᵢ − bⱼ‖ or its square, for every pair of rows. */
const distances: Rule = {
  as: (emit, { x: [a, b], node }) => {
    const gap = emit.Sub(emit.Unsqueeze(a, emit.ints([1])), emit.Unsqueeze(b, emit.ints([0])));
    const norm = stringOf(node, 'metric', 'sqeuclidean') === 'euclidean' ? 'ReduceL2' : 'ReduceSumSquare';
    return [emit.call(norm, [gap, emit.ints([2])], { keepdims: 0 })];
  },
};

export const contribProduct: Rules = {
  'com.microsoft.FusedMatMul': fusedMatMul,
  'com.microsoft.TransposeMatMul': fusedMatMul,
  'com.microsoft.FusedGemm': fusedGemm,
  'com.microsoft.FusedConv': fusedConv,
  'com.microsoft.ConvTransposeWithDynamicPads': dynamicPads,
  'com.microsoft.CausalConvWithState': causalConv,
  'com.microsoft.Inverse': inverse,
  'com.microsoft.CDist': distances,
};
