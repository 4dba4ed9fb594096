import { intOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import { dtypes } from '../../graph/schema.ts';
import { type Back, diagonal, type Rule, type Rules } from '../rule.ts';
import { cast, castLike, dtypeOf, given, num, sumTo, zerosLike } from '../shapes.ts';

/** Operators that act on each element. Those with several operands broadcast, so a cotangent is summed back to its operand's shape. */
const square = (emit: Emit, x: string): string => emit.Mul(x, x);
const oneMinus = (emit: Emit, x: string): string => emit.Sub(num(emit, 1, x), x);
const onePlus = (emit: Emit, x: string): string => emit.Add(num(emit, 1, x), x);

/** 1 where a beats b, 1/2 where they tie, 0 elsewhere: PyTorch's convention for maximum and minimum. */
const winner = (emit: Emit, more: 'Greater' | 'Less', a: string, b: string): string => {
  const strict = castLike(emit, emit[more](a, b), a);
  const weak = castLike(emit, emit[`${more}OrEqual`](a, b), a);
  return emit.Mul(num(emit, 0.5, a), emit.Add(strict, weak));
};
const extremum = (op: 'Max' | 'Min'): Rule => {
  const more = op === 'Max' ? 'Greater' : 'Less';
  const pair: readonly Back[] = [
    (emit, g, { x: [a, b] }) => (b === undefined ? g : sumTo(emit, emit.Mul(g, winner(emit, more, a, b)), a)),
    (emit, g, { x: [a, b] }) => sumTo(emit, emit.Mul(g, winner(emit, more, b, a)), b),
  ];
  // Of more than two: (((a, b), c), …), so the cotangent of operand i comes through the folds after it.
  const nth =
    (i: number): Back =>
    (emit, g, { x }) => {
      const folds = [x[0]];
      for (const b of x.slice(1)) folds.push(emit[op](folds[folds.length - 1], b));
      let down = g;
      for (let k = x.length - 1; k > i; k--) down = sumTo(emit, emit.Mul(down, winner(emit, more, folds[k - 1], x[k])), folds[k - 1]);
      return i === 0 ? down : sumTo(emit, emit.Mul(down, winner(emit, more, x[i], folds[i - 1])), x[i]);
    };
  return { back: (i, node) => (node.inputs.length <= 2 ? pair[i] : nth(i)) };
};

const divide: Rule = {
  back: [
    (emit, g, { x: [a, b] }) => sumTo(emit, emit.Div(g, b), a),
    (emit, g, { x: [, b], y: [y] }) => sumTo(emit, emit.Neg(emit.Mul(g, emit.Div(y, b))), b),
  ],
};

/** d(a^b)/da = b·a^(b−1), 0 where b = 0; d(a^b)/db = a^b·ln a, 0 where a = 0 and b ≥ 0 (PyTorch). */
const power: Rule = {
  back: [
    (emit, g, { x: [a, b] }) => {
      const p = given(emit, b);
      if (p?.length === 1) {
        if (p[0] === 0) return zerosLike(emit, a);
        if (p[0] === 1) return sumTo(emit, g, a);
        if (p[0] === 2) return sumTo(emit, emit.Mul(g, emit.Mul(num(emit, 2, a), a)), a);
        const rest = emit.Pow(a, num(emit, p[0] - 1, a));
        return sumTo(emit, emit.Mul(g, emit.Mul(num(emit, p[0], a), rest)), a);
      }
      const q = cast(emit, b, dtypeOf(emit, a));
      const zero = emit.Equal(q, num(emit, 0, a));
      // Exponent 0 is replaced by 1 before the power, so that 0^(−1) never arises.
      const slope = emit.Mul(q, emit.Pow(a, emit.Sub(emit.Where(zero, num(emit, 1, a), q), num(emit, 1, a))));
      return sumTo(emit, emit.Mul(g, slope), a);
    },
    (emit, g, { x: [a, b], y: [y] }) => {
      const flat = emit.And(emit.Equal(a, num(emit, 0, a)), emit.GreaterOrEqual(b, num(emit, 0, b)));
      const log = emit.Log(emit.Where(flat, num(emit, 1, a), a));
      return sumTo(emit, emit.Mul(g, emit.Mul(y, log)), b);
    },
  ],
};

/** The gradient passes on the closed interval; what is outside belongs to the bound, and all to the upper one if they cross (PyTorch clamp). */
const clip: Rule = {
  back: [
    (emit, g, { x: [x], y: [y] }) => emit.Mul(g, castLike(emit, emit.Equal(x, y), x)),
    (emit, g, { x: [x, low, high] }) => {
      const below = emit.Less(x, low);
      const own = high ? emit.And(below, emit.LessOrEqual(low, high)) : below;
      return sumTo(emit, emit.Mul(g, castLike(emit, own, x)), low);
    },
    (emit, g, { x: [x, low, high] }) => sumTo(emit, emit.Mul(g, castLike(emit, emit.Greater(low ? emit.Max(x, low) : x, high), x)), high),
  ],
};

/**
 * Outside training the identity. In training y/x is 0 or 1/(1 − ratio); where x is 0 it cannot be told, and its mean, 1, is
 * taken, unless the mask is an output.
 */
const dropout: Back = (emit, g, { x: [x, ratio, mode], y: [y, mask] }) => {
  if (!mode || given(emit, mode)?.[0] === 0) return g;
  if (mask) {
    const rate = ratio ? castLike(emit, ratio, x) : num(emit, 0.5, x);
    const on = emit.Where(mode, emit.Sub(num(emit, 1, x), rate), num(emit, 1, x));
    return emit.Div(emit.Mul(g, castLike(emit, mask, x)), on);
  }
  const zero = emit.Equal(x, num(emit, 0, x));
  const slope = emit.Where(zero, num(emit, 1, x), emit.Div(y, emit.Where(zero, num(emit, 1, x), x)));
  return emit.Mul(g, slope);
};

const floating = new Set(['float32', 'float64', 'float16', 'bfloat16']);
const isFloat = (to: number): boolean => floating.has(dtypes[to]);
/** The cotangent of a quantised value stays a float. */
const passOn: Back = (emit, g, { x: [x] }) => (floating.has(dtypeOf(emit, x)) ? castLike(emit, g, x) : g);

export const elementwise: Rules = {
  Identity: { back: [(_, g) => g] },
  Neg: { back: [(emit, g) => emit.Neg(g)] },
  Cast: { back: (i, node) => (i === 0 && isFloat(intOf(node, 'to', 1)) ? passOn : null), quantised: true },
  CastLike: { back: [passOn, null], quantised: true },
  Add: { back: [(emit, g, { x: [a] }) => sumTo(emit, g, a), (emit, g, { x: [, b] }) => sumTo(emit, g, b)] },
  Sub: { back: [(emit, g, { x: [a] }) => sumTo(emit, g, a), (emit, g, { x: [, b] }) => sumTo(emit, emit.Neg(g), b)] },
  Mul: {
    back: [(emit, g, { x: [a, b] }) => sumTo(emit, emit.Mul(g, b), a), (emit, g, { x: [a, b] }) => sumTo(emit, emit.Mul(g, a), b)],
  },
  Div: divide,
  Pow: power,
  Max: extremum('Max'),
  Min: extremum('Min'),
  Sum: {
    back:
      (i) =>
      (emit, g, { x }) =>
        sumTo(emit, g, x[i]),
  },
  Mean: {
    back:
      (i) =>
      (emit, g, { x }) =>
        sumTo(emit, emit.Mul(g, num(emit, 1 / x.length, g)), x[i]),
  },
  // fmod = 1 truncates, 0 floors: y = a − b·q with the quotient q constant almost everywhere.
  Mod: {
    back: [
      (emit, g, { x: [a] }) => sumTo(emit, g, a),
      (emit, g, { x: [a, b], y: [y] }) => sumTo(emit, emit.Neg(emit.Mul(g, emit.call('Round', [emit.Div(emit.Sub(a, y), b)]))), b),
    ],
  },
  Where: {
    back: [
      null,
      (emit, g, { x: [c, a] }) => sumTo(emit, emit.Where(c, g, num(emit, 0, g)), a),
      (emit, g, { x: [c, , b] }) => sumTo(emit, emit.Where(c, num(emit, 0, g), g), b),
    ],
  },
  Clip: clip,
  Dropout: { back: [dropout, null, null] },
  Abs: diagonal((emit, { x: [x] }) => emit.Sign(x)),
  Exp: diagonal((_, { y: [y] }) => y),
  Log: { back: [(emit, g, { x: [x] }) => emit.Div(g, x)] },
  Sqrt: { back: [(emit, g, { y: [y] }) => emit.Div(emit.Mul(num(emit, 0.5, y), g), y)] },
  Reciprocal: diagonal((emit, { y: [y] }) => emit.Neg(square(emit, y))),
  Sin: diagonal((emit, { x: [x] }) => emit.Cos(x)),
  Cos: diagonal((emit, { x: [x] }) => emit.Neg(emit.Sin(x))),
  Tan: diagonal((emit, { y: [y] }) => onePlus(emit, square(emit, y))),
  Asin: { back: [(emit, g, { x: [x] }) => emit.Div(g, emit.Sqrt(oneMinus(emit, square(emit, x))))] },
  Acos: { back: [(emit, g, { x: [x] }) => emit.Neg(emit.Div(g, emit.Sqrt(oneMinus(emit, square(emit, x)))))] },
  Atan: { back: [(emit, g, { x: [x] }) => emit.Div(g, onePlus(emit, square(emit, x)))] },
  Sinh: diagonal((emit, { x: [x] }) => emit.call('Cosh', [x])),
  Cosh: diagonal((emit, { x: [x] }) => emit.call('Sinh', [x])),
  Asinh: { back: [(emit, g, { x: [x] }) => emit.Div(g, emit.Sqrt(onePlus(emit, square(emit, x))))] },
  Acosh: { back: [(emit, g, { x: [x] }) => emit.Div(g, emit.Sqrt(emit.Sub(square(emit, x), num(emit, 1, x))))] },
  Atanh: { back: [(emit, g, { x: [x] }) => emit.Div(g, oneMinus(emit, square(emit, x)))] },
  // 2/√π·exp(−x²)
  Erf: diagonal((emit, { x: [x] }) => emit.Mul(num(emit, 2 / Math.sqrt(Math.PI), x), emit.Exp(emit.Neg(square(emit, x))))),
};
