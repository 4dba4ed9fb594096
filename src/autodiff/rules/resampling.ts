import { Fault } from '../../base/fault.ts';
import { floatOf, intOf, intsOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Rule, Rules } from '../rule.ts';
import { castLike, dimsOf, dtypeOf, given, num, positive, sizeAt, sum } from '../shapes.ts';
import { resizeMatrix } from './resize-matrix.ts';

/** `x` with axis `axis` of `size` elements made into `out` by a constant matrix; a whole multiple of equal neighbours is repeated instead. */
const applied = (emit: Emit, x: string, matrix: Float64Array, axis: number, size: number, out: number): string => {
  const dims = dimsOf(emit, x) ?? [];
  const times = out / size;
  const repeats = Number.isInteger(times) && matrix.every((w, i) => w === (Math.floor(Math.floor(i / size) / times) === i % size ? 1 : 0));
  const after = dims.slice(axis + 1).map(Number);
  const shape = (...middle: readonly number[]): string => emit.ints([-1, ...middle, ...after]);
  const back = (v: string): string => {
    const wanted = dims.map((d, i) => (i === axis ? out : d));
    const whole = wanted.map((d, i) => (typeof d === 'number' ? d : i));
    const free = wanted.flatMap((d, i) => (typeof d === 'number' ? [] : [i]));
    const target = free.length <= 1 ? emit.ints(whole.map((d, i) => (free.includes(i) ? -1 : d))) : '';
    return emit.Reshape(
      v,
      target || emit.Concat(...wanted.map((d, i) => (typeof d === 'number' ? emit.ints([d]) : sizeAt(emit, x, i))), { axis: 0 }),
    );
  };
  if (repeats) {
    const open = emit.Reshape(x, shape(size, 1));
    return back(emit.Expand(open, emit.ints([1, size, times, ...after])));
  }
  const held = emit.constant(constantOf(dtypeOf(emit, x), [out, size], matrix));
  const flat = emit.Reshape(x, emit.ints([-1, size, after.reduce((n, d) => n * d, 1)]));
  return back(emit.MatMul(held, flat));
};

/** Every mode of Resize is linear and acts on each axis by itself, with weights that follow from the sizes. */
const resize: Rule = {
  as: (emit, { node, x: [x, roi, scales], y: [y] }) => {
    const dims = dimsOf(emit, x) ?? [];
    const to = dimsOf(emit, y) ?? [];
    const axes = intsOf(node, 'axes')?.map((a) => positive(a, dims.length)) ?? dims.map((_, i) => i);
    const factors = scales ? given(emit, scales) : undefined;
    const box = roi ? given(emit, roi) : undefined;
    let out = x;
    axes.forEach((axis, k) => {
      const [size, length] = [dims[axis], to[axis]];
      const unknown = typeof size !== 'number' || typeof length !== 'number' || dims.slice(axis + 1).some((d) => typeof d !== 'number');
      // The axis of the batch keeps its size.
      if (unknown && size === length && size !== undefined && (factors?.[k] ?? 1) === 1) return;
      if (unknown) throw new Fault('graph/unknown-size', { node: `'${node.name || y}' (Resize)` });
      const scale = factors?.length ? factors[k] : length / size;
      const range: readonly [number, number] = box?.length ? [box[k], box[k + axes.length]] : [0, 1];
      const coordinates = stringOf(node, 'coordinate_transformation_mode', 'half_pixel');
      if (size === length && scale === 1 && coordinates !== 'tf_crop_and_resize') return;
      const matrix = resizeMatrix({
        size,
        out: length,
        scale,
        mode: stringOf(node, 'mode', 'nearest'),
        coordinates,
        nearest: stringOf(node, 'nearest_mode', 'round_prefer_floor'),
        cubic: floatOf(node, 'cubic_coeff_a', -0.75),
        excludeOutside: intOf(node, 'exclude_outside', 0) === 1,
        antialias: intOf(node, 'antialias', 0) === 1,
        roi: range,
      });
      out = applied(emit, out, matrix, axis, size, length);
    });
    return [out === x ? emit.call('Identity', [x]) : out];
  },
};

const spaced = (count: number, align: boolean): number[] =>
  Array.from({ length: count }, (_, i) => (align ? (count > 1 ? (2 * i) / (count - 1) - 1 : 0) : (2 * i + 1) / count - 1));

/** The base grid times θᵀ. Sizes are constant. */
const affineGrid: Rule = {
  as: (emit, { node, x: [theta, size] }) => {
    const sizes = given(emit, size);
    if (!sizes) throw new Fault('graph/unknown-size', { node: `'${node.name}' (AffineGrid)` });
    const spatial = sizes.slice(2);
    const align = intOf(node, 'align_corners', 0) === 1;
    const axes = spatial.map((n) => spaced(n, align));
    const points = axes.reduce<number[][]>((found, axis) => found.flatMap((p) => axis.map((v) => [...p, v])), [[]]);
    // Coordinates run x, y, z: the last axis first.
    const base = points.flatMap((p) => [...p.toReversed(), 1]);
    const held = emit.constant(constantOf(dtypeOf(emit, theta), [points.length, spatial.length + 1], base));
    const grid = emit.MatMul(held, emit.Transpose(theta, { perm: [0, 2, 1] }));
    return [emit.Reshape(grid, emit.ints([-1, ...spatial, spatial.length]))];
  },
};

/**
 * Average mode: bilinear sampling is separable, so each region is A·x·Bᵀ with rows of hat functions averaged over the
 * samples of a bin. No gradient to the regions, as in PyTorch.
 */
const roiAlign: Rule = {
  as: (emit, site) => {
    const {
      node,
      x: [x, rois, batch],
    } = site;
    if (stringOf(node, 'mode', 'avg') !== 'avg') {
      throw new Fault('graph/no-gradient', { wanted: x, blocking: [`'${node.name}' (RoiAlign: mode 'max' has no rule)`], reachable: [] });
    }
    const n = (v: number): string => num(emit, v, x);
    const half = stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
    const scaled = emit.Sub(emit.Mul(rois, n(floatOf(node, 'spatial_scale', 1))), n(half ? 0.5 : 0));
    const corner = (i: number): string => emit.Gather(scaled, emit.scalar(i, 'int64'), { axis: 1 });
    const ratio = intOf(node, 'sampling_ratio', 0);
    const along = (axis: number, bins: number, from: string, to: string): string => {
      const extent = emit.Sub(to, from);
      const length = half ? extent : emit.Max(extent, n(1));
      const bin = emit.Div(length, n(bins));
      const count = ratio > 0 ? emit.Expand(n(ratio), emit.Shape(bin)) : emit.call('Ceil', [bin]);
      const most = emit.Cast(emit.ReduceMax(count, { keepdims: 0 }), { to: 7 });
      const at3 = (v: string): string => emit.Unsqueeze(v, emit.ints([1, 2]));
      const k = castLike(emit, emit.Range(emit.scalar(0, 'int64'), most, emit.scalar(1, 'int64')), x);
      const i = emit.constant(
        constantOf(
          dtypeOf(emit, x),
          [bins, 1],
          Array.from({ length: bins }, (_, b) => b),
        ),
      );
      // [R, bins, samples]
      const inBin = emit.Div(emit.Add(k, n(0.5)), at3(emit.Max(count, n(1))));
      const place = emit.Add(at3(from), emit.Mul(at3(bin), emit.Add(i, inBin)));
      const size = castLike(emit, emit.Squeeze(sizeAt(emit, x, axis), emit.ints([0])), x);
      const inside = emit.And(emit.And(emit.GreaterOrEqual(place, n(-1)), emit.LessOrEqual(place, size)), emit.Less(k, at3(count)));
      const clamped = emit.Max(emit.Min(place, emit.Sub(size, n(1))), n(0));
      const pixels = castLike(emit, emit.Range(emit.scalar(0, 'int64'), emit.Cast(size, { to: 7 }), emit.scalar(1, 'int64')), x);
      const distance = emit.Abs(emit.Sub(emit.Unsqueeze(clamped, emit.ints([3])), pixels));
      const hat = emit.Max(emit.Sub(n(1), distance), n(0));
      const counted = emit.Mul(hat, emit.Unsqueeze(castLike(emit, inside, x), emit.ints([3])));
      return emit.Div(sum(emit, counted, [2]), at3(emit.Max(count, n(1))));
    };
    const rows = along(2, intOf(node, 'output_height', 1), corner(1), corner(3));
    const columns = along(3, intOf(node, 'output_width', 1), corner(0), corner(2));
    const pictures = emit.Gather(x, batch, { axis: 0 });
    const left = emit.MatMul(emit.Unsqueeze(rows, emit.ints([1])), pictures);
    return [emit.MatMul(left, emit.Transpose(emit.Unsqueeze(columns, emit.ints([1])), { perm: [0, 1, 3, 2] }))];
  },
};

export const resampling: Rules = { Resize: resize, AffineGrid: affineGrid, RoiAlign: roiAlign };
