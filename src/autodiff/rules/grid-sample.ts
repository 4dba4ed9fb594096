import { intOf, stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Rule, Rules } from '../rule.ts';
import { cast, castLike, dimsOf, num, sizeAt } from '../shapes.ts';

/** One axis of the sampled picture: its size as a float and as a whole number, and the pixel coordinates, [N, points]. */
interface Axis {
  readonly size: string;
  readonly whole: string;
  readonly at: string;
}
type Padding = 'zeros' | 'border' | 'reflection';

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
const placed = (emit: Emit, { at, size }: Axis, padding: Padding, align: boolean): string => {
  if (padding === 'zeros') return at;
  return clamped(emit, padding === 'border' ? at : reflected(emit, at, size, align), size);
};

interface Tap {
  /** Whole pixel numbers as floats, and the weight of the tap; the number is a constant for the derivative. */
  readonly index: string;
  readonly weight: string;
}
const taps = (emit: Emit, axis: Axis, mode: string, padding: Padding, align: boolean): readonly Tap[] => {
  const n = (value: number): string => num(emit, value, axis.at);
  if (mode === 'cubic') {
    const floor = emit.Floor(axis.at);
    const t = emit.Sub(axis.at, floor);
    const a = -0.75;
    const near = (d: string): string => emit.Add(emit.Mul(emit.Mul(emit.Sub(emit.Mul(n(a + 2), d), n(a + 3)), d), d), n(1));
    const far = (d: string): string => {
      const inner = emit.Add(emit.Mul(emit.Sub(emit.Mul(n(a), d), n(5 * a)), d), n(8 * a));
      return emit.Sub(emit.Mul(inner, d), n(4 * a));
    };
    const weights = [far(emit.Add(t, n(1))), near(t), near(emit.Sub(n(1), t)), far(emit.Sub(n(2), t))];
    return weights.map((weight, k) => {
      const index = emit.Add(floor, n(k - 1));
      return { index: placed(emit, { ...axis, at: index }, padding, align), weight };
    });
  }
  const at = placed(emit, axis, padding, align);
  if (mode === 'nearest') return [{ index: emit.call('Round', [at]), weight: '' }];
  const floor = emit.Floor(at);
  const t = emit.Sub(at, floor);
  return [
    { index: floor, weight: emit.Sub(n(1), t) },
    { index: emit.Add(floor, n(1)), weight: t },
  ];
};

/** Every point is a weighted sum of pixels read by number; those outside are read clamped and weigh nothing. */
const gridSample: Rule = {
  as: (emit, { node, x: [x, grid], y: [y] }) => {
    const mode = { bilinear: 'linear', bicubic: 'cubic' }[stringOf(node, 'mode', 'linear')] ?? stringOf(node, 'mode', 'linear');
    const padding = stringOf(node, 'padding_mode', 'zeros') as Padding;
    const align = intOf(node, 'align_corners', 0) === 1;
    const rank = (dimsOf(emit, x)?.length ?? 4) - 2;
    const batch = sizeAt(emit, x, 0);
    const axes = Array.from({ length: rank }, (_, k): Axis => {
      const whole = emit.Squeeze(sizeAt(emit, x, k + 2), emit.ints([0]));
      const size = castLike(emit, whole, grid);
      const g = emit.Reshape(emit.Gather(grid, emit.scalar(rank - 1 - k, 'int64'), { axis: rank + 1 }), emit.ints([0, -1]));
      const n = (v: number): string => num(emit, v, grid);
      const half = emit.Mul(n(0.5), align ? emit.Sub(size, n(1)) : size);
      const at = emit.Sub(emit.Mul(emit.Add(g, n(1)), half), n(align ? 0 : 0.5));
      return { whole, size, at };
    });
    const flat = emit.Reshape(x, emit.ints([0, 0, -1]));
    const choices = axes.map((axis) => taps(emit, axis, mode, padding, align));
    const combinations = choices.reduce<Tap[][]>((found, list) => found.flatMap((chosen) => list.map((tap) => [...chosen, tap])), [[]]);
    const terms = combinations.map((chosen) => {
      let number = '';
      let weight = '';
      let inside = '';
      chosen.forEach(({ index, weight: w }, k) => {
        const { size, whole } = axes[k];
        const safe = cast(emit, clamped(emit, index, size), 'int64');
        number = number ? emit.Add(emit.Mul(number, whole), safe) : safe;
        if (w) weight = weight ? emit.Mul(weight, w) : w;
        const within = emit.And(emit.GreaterOrEqual(index, num(emit, 0, index)), emit.Less(index, size));
        inside = inside ? emit.And(inside, within) : within;
      });
      const mask = castLike(emit, inside, x);
      const shape = emit.Concat(batch, sizeAt(emit, x, 1), emit.call('Shape', [number], { start: 1 }), { axis: 0 });
      const read = emit.GatherElements(flat, emit.Expand(emit.Unsqueeze(number, emit.ints([1])), shape), { axis: 2 });
      return emit.Mul(
        read,
        emit.Unsqueeze(weight ? emit.Mul(mask, cast(emit, weight, emit.type(x)?.dtype ?? 'float32')) : mask, emit.ints([1])),
      );
    });
    const all = terms.reduce((a, b) => emit.Add(a, b));
    const spatial = Array.from({ length: rank }, (_, k) => sizeAt(emit, grid, k + 1));
    const shape = emit.Concat(sizeAt(emit, x, 0), sizeAt(emit, x, 1), ...spatial, { axis: 0 });
    const out = emit.Reshape(all, shape);
    const type = emit.type(y);
    return [type ? emit.typed(out, type) : out];
  },
};

export const gridSampling: Rules = { GridSample: gridSample };
