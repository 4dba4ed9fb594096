import { floatOf, stringOf } from '../../graph/attribute.ts';
import { type Emit, float } from '../../graph/emit.ts';
import { diagonal, type Rule, type Rules } from '../rule.ts';
import { castLike, dtypeOf, num, sumTo } from '../shapes.ts';

/** Activation functions. At a kink the slope is PyTorch's: relu'(0) = 0, the left slope for the leaky and exponential ones. */
const select = (emit: Emit, x: string, right: string, left: string): string => emit.Where(emit.Greater(x, num(emit, 0, x)), right, left);
/** −ln √π */
const level = -0.5 * Math.log(Math.PI);

/** d(x·Φ(x))/dx = Φ(x) + x·φ(x), with u = x/√2: (1 + erf u)/2 + u·exp(−u²)/√π, in few passes. */
const geluSlope = (emit: Emit, x: string): string => {
  const n = (v: number): string => num(emit, v, x);
  const u = emit.Mul(x, n(Math.SQRT1_2));
  const rise = emit.Mul(u, emit.Exp(emit.Sub(n(level), emit.Mul(u, u))));
  return emit.Add(emit.Add(n(0.5), emit.Mul(n(0.5), emit.Erf(u))), rise);
};
/** With u = √(2/π)(x + 0.044715x³) and t = tanh u: (1 + t)/2 + x/2·(1 − t²)·u′. */
const tanhGeluSlope = (emit: Emit, x: string): string => {
  const n = (v: number): string => num(emit, v, x);
  const scale = Math.sqrt(2 / Math.PI);
  const square = emit.Mul(x, x);
  const t = emit.Tanh(emit.Mul(x, emit.Add(n(scale), emit.Mul(n(scale * 0.044715), square))));
  const inner = emit.Add(n(scale / 2), emit.Mul(n(scale * 1.5 * 0.044715), square));
  return emit.Add(emit.Mul(n(0.5), emit.Add(n(1), t)), emit.Mul(emit.Mul(x, emit.Sub(n(1), emit.Mul(t, t))), inner));
};
export const swish = (emit: Emit, x: string, alpha: number): string =>
  emit.Mul(x, emit.Sigmoid(alpha === 1 ? x : emit.Mul(num(emit, alpha, x), x)));

/** The slope lives on the open interval (torch.nn.functional.hardsigmoid). */
const hardSigmoid: Rule = diagonal((emit, { x: [x], y: [y], node }) => {
  const inside = emit.And(emit.Greater(y, num(emit, 0, y)), emit.Less(y, num(emit, 1, y)));
  return emit.Mul(num(emit, floatOf(node, 'alpha', 0.2), x), castLike(emit, inside, x));
});

/** HardSigmoid this steep is a step: 1 above 0, and 0 at 0. It costs a fifth of Sign, which has no vector kernel. */
const steep = 3e38;
/** 1 where y > 0, else 0, for y ≥ 0. */
export const step = (emit: Emit, y: string): string =>
  dtypeOf(emit, y) === 'float32' ? emit.call('HardSigmoid', [y], { alpha: float(steep), beta: float(0) }) : emit.Sign(y);
/** Marks a cotangent that is zero already where the Relu with output y is. */
export const masked = (y: string): string => `masked by ${y}`;

export const activation: Rules = {
  Relu: { back: [(emit, g, { y: [y] }) => (emit.marked(g, masked(y)) ? g : emit.Mul(g, step(emit, y)))] },
  LeakyRelu: diagonal((emit, { x: [x], node }) => select(emit, x, num(emit, 1, x), num(emit, floatOf(node, 'alpha', 0.01), x))),
  PRelu: {
    back: [
      (emit, g, { x: [x, slope] }) => emit.Mul(g, select(emit, x, num(emit, 1, x), slope)),
      (emit, g, { x: [x, slope] }) => sumTo(emit, emit.Mul(g, emit.Min(x, num(emit, 0, x))), slope),
    ],
  },
  ThresholdedRelu: diagonal((emit, { x: [x], node }) => castLike(emit, emit.Greater(x, num(emit, floatOf(node, 'alpha', 1), x)), x)),
  Elu: diagonal((emit, { x: [x], y: [y], node }) => select(emit, x, num(emit, 1, x), emit.Add(y, num(emit, floatOf(node, 'alpha', 1), x)))),
  Selu: diagonal((emit, { x: [x], y: [y], node }) => {
    const alpha = floatOf(node, 'alpha', 1.6732632423543772);
    const gamma = floatOf(node, 'gamma', 1.0507009873554805);
    return select(emit, x, num(emit, gamma, x), emit.Add(y, num(emit, alpha * gamma, x)));
  }),
  Celu: diagonal((emit, { x: [x], y: [y], node }) => {
    const alpha = floatOf(node, 'alpha', 1);
    return select(emit, x, num(emit, 1, x), emit.Add(emit.Mul(num(emit, 1 / alpha, x), y), num(emit, 1, x)));
  }),
  Sigmoid: diagonal((emit, { y: [y] }) => emit.Mul(y, emit.Sub(num(emit, 1, y), y))),
  Tanh: diagonal((emit, { y: [y] }) => emit.Sub(num(emit, 1, y), emit.Mul(y, y))),
  Softplus: diagonal((emit, { x: [x] }) => emit.Sigmoid(x)),
  Softsign: diagonal((emit, { x: [x] }) => {
    const s = emit.Add(num(emit, 1, x), emit.Abs(x));
    return emit.Reciprocal(emit.Mul(s, s));
  }),
  HardSigmoid: (node) => (floatOf(node, 'alpha', 0.2) >= steep ? { back: [null] } : hardSigmoid),
  // 0 below −3, x/3 + 1/2 on [−3, 3], 1 above.
  HardSwish: diagonal((emit, { x: [x] }) => {
    const n = (v: number): string => num(emit, v, x);
    const inside = castLike(emit, emit.And(emit.GreaterOrEqual(x, n(-3)), emit.LessOrEqual(x, n(3))), x);
    return emit.Add(emit.Mul(inside, emit.Add(emit.Mul(n(1 / 3), x), n(0.5))), castLike(emit, emit.Greater(x, n(3)), x));
  }),
  Shrink: diagonal((emit, { x: [x], node }) => castLike(emit, emit.Greater(emit.Abs(x), num(emit, floatOf(node, 'lambd', 0.5), x)), x)),
  Gelu: diagonal((emit, { x: [x], node }) =>
    stringOf(node, 'approximate', 'none') === 'tanh' ? tanhGeluSlope(emit, x) : geluSlope(emit, x),
  ),
  Mish: { as: (emit, { x: [x] }) => [emit.Mul(x, emit.Tanh(emit.Softplus(x)))] },
  Swish: { as: (emit, { x: [x], node }) => [swish(emit, x, floatOf(node, 'alpha', 1))] },
};
