import { Fault } from '../../base/fault.ts';
import { floatOf, intOf, intsOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Rule, Rules } from '../rule.ts';
import { cast, castLike, dimsOf, dtypeOf, given, num, positive, rankOf, sizeAt } from '../shapes.ts';
import { resizeMatrixInGraph } from './resize-graph.ts';
import { resizeMatrix } from './resize-matrix.ts';
import { roiAlign } from './roi-align.ts';

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

/** `x` with the elements along `axis` made into others by a matrix of unknown size. */
const appliedInGraph = (emit: Emit, x: string, matrix: string, axis: number, rank: number): string => {
  const order = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const moved = emit.MatMul(emit.Transpose(x, { perm: order }), emit.Transpose(matrix, { perm: [1, 0] }));
  return emit.Transpose(moved, { perm: order.map((_, i) => order.indexOf(i)) });
};

/** Every mode of Resize is linear and acts on each axis by itself, with weights that follow from the sizes. */
const resize: Rule = {
  as: (emit, { node, x: [x, roi = '', scales = '', sizes = ''], y: [y] }) => {
    const dims = dimsOf(emit, x);
    if (!dims) throw new Fault('graph/unknown-size', { node: `'${node.name || y}' (Resize: the rank of '${x}' is not known)` });
    const to = dimsOf(emit, y) ?? dims.map(() => undefined);
    const axes = intsOf(node, 'axes')?.map((a) => positive(a, dims.length)) ?? dims.map((_, i) => i);
    const [factors, box, wanted] = [scales, roi, sizes].map((v) => (v ? given(emit, v) : undefined));
    const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch');
    const common = policy === 'not_larger' ? Math.min : Math.max;
    const ratios = wanted?.map((w, k) => w / Number(dims[axes[k]]));
    const shared = policy === 'stretch' || !ratios ? undefined : common(...ratios);
    const scalar = (v: string, at: number): string => emit.Gather(v, emit.scalar(at, 'int64'), { axis: 0 });
    const lengthOf = (v: string, axis: number): string => emit.Squeeze(sizeAt(emit, v, axis), emit.ints([0]));
    const ratio = (k: number): string => emit.Div(cast(emit, scalar(sizes, k), 'float32'), cast(emit, lengthOf(x, axes[k]), 'float32'));
    const runScale = (k: number): string => {
      if (factors?.[k] !== undefined) return emit.scalar(factors[k]);
      if (scales && !sizes) return scalar(scales, k);
      if (policy === 'stretch') return ratio(k);
      const ratios = axes.map((_, i) => ratio(i));
      return ratios.reduce((a, b) => (policy === 'not_larger' ? emit.Min(a, b) : emit.Max(a, b)));
    };
    const coordinates = stringOf(node, 'coordinate_transformation_mode', 'half_pixel');
    let out = x;
    axes.forEach((axis, k) => {
      const [size, length] = [dims[axis], to[axis]];
      const unknown = typeof size !== 'number' || typeof length !== 'number' || dims.slice(axis + 1).some((d) => typeof d !== 'number');
      // The axis of the batch keeps its size.
      if (size === length && size !== undefined && (factors?.[k] ?? 1) === 1 && unknown) return;
      const crop = coordinates === 'tf_crop_and_resize';
      if (
        unknown ||
        (crop && roi && !box) ||
        (scales && !sizes && !factors) ||
        (policy !== 'stretch' && sizes && !Number.isFinite(shared))
      ) {
        if (factors?.[k] === 1 && !crop) return;
        const [from, until] = crop && roi ? [scalar(roi, k), scalar(roi, k + axes.length)] : [emit.scalar(0), emit.scalar(1)];
        const run = { size: lengthOf(x, axis), out: lengthOf(y, axis), scale: runScale(k), from, to: until };
        out = appliedInGraph(emit, out, resizeMatrixInGraph(emit, node, run, x), axis, dims.length);
        return;
      }
      const scale = factors?.length ? factors[k] : (shared ?? length / size);
      const range: readonly [number, number] = box?.length ? [box[k], box[k + axes.length]] : [0, 1];
      if (size === length && scale === 1 && !crop) return;
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

/** The base grid times θᵀ. */
const affineGrid: Rule = {
  as: (emit, { node, x: [theta, size], y: [y] }) => {
    const sizes = given(emit, size);
    const align = intOf(node, 'align_corners', 0) === 1;
    if (!sizes) return [gridInGraph(emit, theta, node, y, align)];
    const spatial = sizes.slice(2);
    const axes = spatial.map((n) => spaced(n, align));
    const points = axes.reduce<number[][]>((found, axis) => found.flatMap((p) => axis.map((v) => [...p, v])), [[]]);
    // Coordinates run x, y, z: the last axis first.
    const base = points.flatMap((p) => [...p.toReversed(), 1]);
    const held = emit.constant(constantOf(dtypeOf(emit, theta), [points.length, spatial.length + 1], base));
    const grid = emit.MatMul(held, emit.Transpose(theta, { perm: [0, 2, 1] }));
    return [emit.Reshape(grid, emit.ints([-1, ...spatial, spatial.length]))];
  },
};

/** The same for sizes that are known only when the graph runs. */
const gridInGraph = (emit: Emit, theta: string, node: Node, y: string, align: boolean): string => {
  const count = dimsOf(emit, theta)?.[1] ?? (rankOf(emit, y) ?? Number.NaN) - 2;
  if (typeof count !== 'number' || Number.isNaN(count))
    throw new Fault('graph/unknown-size', { node: `'${node.name || y}' (AffineGrid: the rank of its grid is not known)` });
  const n = (v: number): string => num(emit, v, theta);
  const spatial = emit.call('Shape', [y], { start: 1, end: count + 1 });
  const axes = Array.from({ length: count }, (_, k) => {
    const length = emit.Squeeze(sizeAt(emit, y, k + 1), emit.ints([0]));
    const whole = castLike(emit, length, theta);
    const i = castLike(emit, emit.Range(emit.scalar(0, 'int64'), length, emit.scalar(1, 'int64')), theta);
    const gaps = emit.Max(emit.Sub(whole, n(1)), n(1));
    const several = castLike(emit, emit.Greater(whole, n(1)), theta);
    const at = align
      ? emit.Mul(several, emit.Sub(emit.Div(emit.Mul(i, n(2)), gaps), n(1)))
      : emit.Sub(emit.Div(emit.Add(emit.Mul(i, n(2)), n(1)), whole), n(1));
    const others = Array.from({ length: count }, (_, j) => j).filter((j) => j !== k);
    const open = others.length === 0 ? at : emit.Unsqueeze(at, emit.ints(others));
    return emit.Reshape(emit.Expand(open, spatial), emit.ints([-1, 1]));
  });
  const ones = emit.Add(emit.Mul(axes[0], n(0)), n(1));
  const base = emit.Concat(...axes.toReversed(), ones, { axis: 1 });
  return emit.Reshape(emit.MatMul(base, emit.Transpose(theta, { perm: [0, 2, 1] })), emit.Shape(y));
};

export const resampling: Rules = { Resize: resize, AffineGrid: affineGrid, RoiAlign: roiAlign };
