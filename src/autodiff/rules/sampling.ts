import type { Emit } from '../../graph/emit.ts';
import { cast, castLike, dtypeOf, num, sizeAt, sum } from '../shapes.ts';

/** How points between pixels are read. */
export interface Sampling {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly padding: 'zeros' | 'border' | 'reflection';
  /** Pixel centres, not their outer borders, are the ends of the picture. */
  readonly align: boolean;
}

/** Mirrored at the edges: of the pixels themselves with aligned corners, of their outer borders otherwise. */
const reflected = (emit: Emit, v: string, size: string, align: boolean): string => {
  const n = (value: number): string => num(emit, value, v);
  const low = n(align ? 0 : -0.5);
  const span = emit.Max(align ? emit.Sub(size, n(1)) : size, n(1e-6));
  const from = emit.Abs(emit.Sub(v, low));
  const period = emit.Mul(n(2), span);
  // from mod period, folded: its derivative is that of from, with the sign of the fold.
  const left = emit.Sub(from, emit.Mul(period, emit.Floor(emit.Div(from, period))));
  return emit.Add(emit.Min(left, emit.Sub(period, left)), low);
};
const clamped = (emit: Emit, v: string, size: string): string => emit.Clip(v, num(emit, 0, v), emit.Sub(size, num(emit, 1, v)));
const placed = (emit: Emit, at: string, size: string, { padding, align }: Sampling): string => {
  if (padding === 'zeros') return at;
  return clamped(emit, padding === 'border' ? at : reflected(emit, at, size, align), size);
};

/** Along one axis: pixel numbers as floats and weights, [B, taps, P]; numbers are constants for the derivative. */
interface Taps {
  readonly count: number;
  readonly index: string;
  readonly weight: string;
}
const stack = (emit: Emit, rows: readonly string[]): string =>
  emit.Concat(...rows.map((v) => emit.Unsqueeze(v, emit.ints([1]))), { axis: 1 });

/** Keys 1981 with a = −0.75, at distances 1 + t, t, 1 − t, 2 − t. */
const cubicWeights = (emit: Emit, t: string): readonly string[] => {
  const a = -0.75;
  const n = (value: number): string => num(emit, value, t);
  const near = (d: string): string => emit.Add(emit.Mul(emit.Mul(emit.Sub(emit.Mul(n(a + 2), d), n(a + 3)), d), d), n(1));
  const far = (d: string): string => {
    const inner = emit.Add(emit.Mul(emit.Sub(emit.Mul(n(a), d), n(5 * a)), d), n(8 * a));
    return emit.Sub(emit.Mul(inner, d), n(4 * a));
  };
  return [far(emit.Add(t, n(1))), near(t), near(emit.Sub(n(1), t)), far(emit.Sub(n(2), t))];
};

const tapsOf = (emit: Emit, at: string, size: string, how: Sampling): Taps => {
  const n = (value: number): string => num(emit, value, at);
  if (how.mode === 'cubic') {
    const floor = emit.Floor(at);
    const index = stack(
      emit,
      [-1, 0, 1, 2].map((k) => placed(emit, emit.Add(floor, n(k)), size, how)),
    );
    return { count: 4, index, weight: stack(emit, cubicWeights(emit, emit.Sub(at, floor))) };
  }
  const inside = placed(emit, at, size, how);
  if (how.mode === 'nearest') {
    const index = stack(emit, [emit.call('Round', [inside])]);
    return { count: 1, index, weight: emit.Expand(n(1), emit.Shape(index)) };
  }
  const floor = emit.Floor(inside);
  const t = emit.Sub(inside, floor);
  return { count: 2, index: stack(emit, [floor, emit.Add(floor, n(1))]), weight: stack(emit, [emit.Sub(n(1), t), t]) };
};

/**
 * `x` [B, C, …sizes] read at P points, whose pixel coordinates [B, P] are given per axis: [B, C, P]. Every point is a
 * weighted sum of pixels, all combinations of the taps along each axis; those outside are read clamped and weigh nothing.
 */
export const sampled = (emit: Emit, x: string, points: readonly string[], how: Sampling): string => {
  const rank = points.length;
  let number = '';
  let weight = '';
  points.forEach((at, k) => {
    const whole = emit.Squeeze(sizeAt(emit, x, k + 2), emit.ints([0]));
    const size = castLike(emit, whole, at);
    const taps = tapsOf(emit, at, size, how);
    const safe = cast(emit, clamped(emit, taps.index, size), 'int64');
    const within = emit.And(emit.GreaterOrEqual(taps.index, num(emit, 0, at)), emit.Less(taps.index, size));
    const counted = emit.Mul(taps.weight, castLike(emit, within, at));
    // [B, T, P] → [B, 1…, T at k, …1, P]
    const spread = (v: string): string => {
      const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== k);
      return others.length === 0 ? v : emit.Unsqueeze(v, emit.ints(others.map((i) => i + 1)));
    };
    number = number ? emit.Add(emit.Mul(number, whole), spread(safe)) : spread(safe);
    weight = weight ? emit.Mul(weight, spread(counted)) : spread(counted);
  });
  const every = emit.Reshape(number, emit.Concat(sizeAt(emit, x, 0), emit.ints([1, -1]), { axis: 0 }));
  const shape = emit.Concat(sizeAt(emit, x, 0), sizeAt(emit, x, 1), emit.call('Shape', [every], { start: 2 }), { axis: 0 });
  const read = emit.GatherElements(emit.Reshape(x, emit.ints([0, 0, -1])), emit.Expand(every, shape), { axis: 2 });
  const length = sizeAt(emit, points[0], 1);
  const combined = (v: string, lead: string): string => emit.Reshape(v, emit.Concat(lead, emit.ints([-1]), length, { axis: 0 }));
  const weights = combined(weight, emit.Concat(sizeAt(emit, x, 0), emit.ints([1]), { axis: 0 }));
  const values = combined(read, emit.Concat(sizeAt(emit, x, 0), sizeAt(emit, x, 1), { axis: 0 }));
  return sum(emit, emit.Mul(values, cast(emit, weights, dtypeOf(emit, x))), [2]);
};
