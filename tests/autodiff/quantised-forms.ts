import { constantOf } from '../../src/graph/constant.ts';
import type { Emit, Given } from '../../src/graph/emit.ts';
import { f, spread, weight } from './cases/case.ts';
import { fake, pair, type Quantised } from './straight-through.ts';

type Whole = 'int8' | 'uint8' | 'uint4' | 'int16';
export const domain = 'com.microsoft';
export const zero = (emit: Emit, value: number | readonly number[], dtype: Whole = 'uint8'): string => {
  if (dtype === 'uint4') return emit.constant({ dtype, dims: [], bytes: Uint8Array.of(Number(value)) });
  const list = typeof value === 'number' ? [value] : value;
  return emit.constant(constantOf(dtype, typeof value === 'number' ? [] : [list.length], list));
};
export const quantise = (
  emit: Emit,
  v: string,
  s: string,
  z: number,
  dtype: Whole = 'uint8',
  attributes: Readonly<Record<string, Given>> = {},
): string => emit.call('QuantizeLinear', [v, s, zero(emit, z, dtype)], attributes);
export const real = (
  emit: Emit,
  q: string,
  s: string,
  z: number,
  dtype: Whole = 'uint8',
  attributes: Readonly<Record<string, Given>> = {},
): string => emit.call('DequantizeLinear', [q, s, zero(emit, z, dtype)], attributes);
/** Numbers stored as int8; small, so that no kernel's sums of pairs saturate. */
export const stored = (emit: Emit, dims: readonly number[], seed: number): string =>
  emit.constant(constantOf('int8', dims, spread(dims, -60, 60, seed).map(Math.round)));
export const scale = (low = 0.04, high = 0.06) => weight([], low, high);
/** A function with curvature behind, so that second derivatives are not zero. */
export const tanh = (emit: Emit, v: string): string[] => [emit.Tanh(v)];

/** One quantised operator between quantised operands and its float form: scales of operands, then of the result. */
export const through = (
  name: string,
  shapes: readonly (readonly number[])[],
  quantisedForm: (emit: Emit, q: readonly (readonly [string, string, string])[], s: string, z: string) => string,
  floatForm: (emit: Emit, v: readonly string[]) => string,
  result: { readonly low: number; readonly high: number; readonly zero: number; readonly tolerance?: number } = {
    low: 0.05,
    high: 0.08,
    zero: 100,
  },
): Quantised => {
  const n = shapes.length;
  const zeros = shapes.map((_, i) => 120 + i);
  return pair(
    name,
    [...shapes.map((dims) => f(dims)), ...shapes.map(() => scale(0.02, 0.04)), scale(result.low, result.high)],
    (emit, x) => {
      const q = zeros.map((z, i) => [quantise(emit, x[i], x[n + i], z), x[n + i], zero(emit, z)] as const);
      const y = quantisedForm(emit, q, x[2 * n], zero(emit, result.zero));
      return tanh(emit, real(emit, y, x[2 * n], result.zero));
    },
    (emit, x) => {
      const v = zeros.map((z, i) => fake(emit, x[i], x[n + i], z, 'uint8'));
      return tanh(emit, fake(emit, floatForm(emit, v), x[2 * n], result.zero, 'uint8'));
    },
    result,
  );
};
export const one = (
  op: string,
  dims: readonly number[],
  attributes: Readonly<Record<string, Given>>,
  form: (emit: Emit, v: string) => string,
  result?: Parameters<typeof through>[4],
): Quantised =>
  through(
    `${op} ${JSON.stringify(attributes)}`,
    [dims],
    (emit, [[q, s, z]], ys, yz) => emit.call(op, [q, s, z, ys, yz], attributes, domain),
    (emit, [v]) => form(emit, v),
    result,
  );
/** Probabilities. The kernel's table of whole numbers rounds a few of them otherwise than floats do; these scales meet none of those. */
export const fine = (low: number, high: number) => ({ low, high, zero: 0, tolerance: 5e-3 });
export const toFirst = (emit: Emit, v: string): string => emit.Transpose(v, { perm: [0, 3, 1, 2] });
export const toLast = (emit: Emit, v: string): string => emit.Transpose(v, { perm: [0, 2, 3, 1] });

/** A scale for each place of an axis, laid along it. */
export const onAxis = (emit: Emit, s: string, shape: readonly number[]): string => emit.Reshape(s, emit.ints(shape));
export const int8 = (emit: Emit, q: string, s: string): string => emit.Mul(emit.Cast(q, { to: 1 }), s);
