import { floatOf, intOf, stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { cast, castLike, num } from '../shapes.ts';

/** What is known of one axis only when the graph runs: scalars, `size` and `out` int64, the rest float32. */
export interface RunAxis {
  readonly size: string;
  readonly out: string;
  readonly scale: string;
  readonly from: string;
  readonly to: string;
}

const n = (emit: Emit, value: number): string => emit.scalar(value);
const float = (emit: Emit, v: string): string => cast(emit, v, 'float32');
const counted = (emit: Emit, from: string, to: string): string => emit.Range(from, to, emit.scalar(1, 'int64'));

/** Where the elements of the result lie on the input's axis (resize-matrix.ts: position), [out]. */
const positions = (emit: Emit, coordinates: string, { size, out, scale, from, to }: RunAxis): string => {
  const [length, whole] = [float(emit, size), float(emit, out)];
  const o = float(emit, counted(emit, emit.scalar(0, 'int64'), out));
  const nearly = emit.Div(emit.Add(o, n(emit, 0.5)), scale);
  const half = emit.Sub(nearly, n(emit, 0.5));
  const last = emit.Sub(length, n(emit, 1));
  const gaps = emit.Max(emit.Sub(whole, n(emit, 1)), n(emit, 1));
  const several = emit.Greater(whole, n(emit, 1));
  switch (coordinates) {
    case 'half_pixel_symmetric': {
      const kept = emit.Div(whole, emit.Mul(scale, length));
      return emit.Add(emit.Mul(emit.Mul(length, n(emit, 0.5)), emit.Sub(n(emit, 1), kept)), half);
    }
    case 'pytorch_half_pixel':
      return emit.Where(several, half, emit.Mul(o, n(emit, 0)));
    case 'align_corners':
      return emit.Div(emit.Mul(o, last), gaps);
    case 'asymmetric':
      return emit.Div(o, scale);
    case 'tf_half_pixel_for_nn':
      return nearly;
    case 'tf_crop_and_resize': {
      const step = emit.Div(emit.Mul(emit.Mul(o, emit.Sub(to, from)), last), gaps);
      const middle = emit.Mul(emit.Mul(n(emit, 0.5), emit.Add(from, to)), last);
      return emit.Where(several, emit.Add(emit.Mul(from, last), step), emit.Add(middle, emit.Mul(o, n(emit, 0))));
    }
    default:
      return half;
  }
};

const rounders: Readonly<Record<string, (emit: Emit, x: string) => string>> = {
  round_prefer_floor: (emit, x) => emit.Ceil(emit.Sub(x, n(emit, 0.5))),
  round_prefer_ceil: (emit, x) => emit.Floor(emit.Add(x, n(emit, 0.5))),
  floor: (emit, x) => emit.Floor(x),
  ceil: (emit, x) => emit.Ceil(x),
};

/** Keys 1981, eq. 4, or the hat function. */
const kernel = (emit: Emit, d: string, cubic: number | undefined): string => {
  const t = emit.Abs(d);
  if (cubic === undefined) return emit.Max(emit.Sub(n(emit, 1), t), n(emit, 0));
  const times = (v: string, by: number): string => emit.Mul(v, n(emit, by));
  const plus = (v: string, more: number): string => emit.Add(v, n(emit, more));
  const near = plus(emit.Mul(emit.Mul(plus(times(t, cubic + 2), -(cubic + 3)), t), t), 1);
  const far = times(plus(emit.Mul(plus(emit.Mul(plus(t, -5), t), 8), t), -4), cubic);
  return emit.Where(emit.Less(t, n(emit, 1)), near, emit.Where(emit.Less(t, n(emit, 2)), far, emit.Mul(t, n(emit, 0))));
};

/** The matrix of resize-matrix.ts made when the graph runs, [out, size], of the element type of `x`. */
export const resizeMatrixInGraph = (emit: Emit, node: Node, axis: RunAxis, x: string): string => {
  const coordinates = stringOf(node, 'coordinate_transformation_mode', 'half_pixel');
  const mode = stringOf(node, 'mode', 'nearest');
  const at = positions(emit, coordinates, axis);
  const last = emit.Sub(float(emit, axis.size), n(emit, 1));
  const column = (v: string): string => emit.Unsqueeze(v, emit.ints([1]));
  let index: string;
  let weight: string;
  if (mode === 'nearest') {
    index = column(rounders[stringOf(node, 'nearest_mode', 'round_prefer_floor')](emit, at));
    weight = emit.Add(emit.Mul(index, n(emit, 0)), n(emit, 1));
  } else {
    const cubic = mode === 'cubic' ? floatOf(node, 'cubic_coeff_a', -0.75) : undefined;
    const stretch = intOf(node, 'antialias', 0) === 1 ? emit.Min(axis.scale, n(emit, 1)) : n(emit, 1);
    const clamped = cubic === undefined ? emit.Clip(at, n(emit, 0), last) : at;
    // Antialiased, positions before the border stay where they are.
    const place = column(intOf(node, 'antialias', 0) === 1 ? emit.Where(emit.Less(stretch, n(emit, 1)), at, clamped) : clamped);
    const reach = cast(emit, emit.Ceil(emit.Div(n(emit, cubic === undefined ? 1 : 2), stretch)), 'int64');
    const steps = float(emit, counted(emit, emit.Neg(reach), emit.Add(reach, emit.scalar(1, 'int64'))));
    index = emit.Add(emit.Floor(place), steps);
    weight = kernel(emit, emit.Mul(emit.Sub(index, place), stretch), cubic);
    if (intOf(node, 'exclude_outside', 0) === 1)
      weight = emit.Mul(weight, float(emit, emit.And(emit.GreaterOrEqual(index, n(emit, 0)), emit.LessOrEqual(index, last))));
    weight = emit.Div(weight, emit.ReduceSum(weight, emit.ints([1]), { keepdims: 1 }));
  }
  if (coordinates === 'tf_crop_and_resize')
    weight = emit.Mul(weight, column(float(emit, emit.And(emit.GreaterOrEqual(at, n(emit, 0)), emit.LessOrEqual(at, last)))));
  // [out, taps, size]: taps outside count for the border.
  const read = emit.Unsqueeze(emit.Clip(index, n(emit, 0), last), emit.ints([2]));
  const hot = emit.Equal(cast(emit, read, 'int64'), counted(emit, emit.scalar(0, 'int64'), axis.size));
  const matrix = emit.ReduceSum(emit.Mul(float(emit, hot), emit.Unsqueeze(weight, emit.ints([2]))), emit.ints([1]), { keepdims: 0 });
  return castLike(emit, matrix, num(emit, 0, x));
};
