import { intOf, intsOf, stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Back, Rule, Rules, Site } from '../rule.ts';
import { axisOf, cast, dimsOf, given, positive, rankOf, reshapeLike, sizeAt, sumTo, zerosLike } from '../shapes.ts';
import { centerCropPad, pad } from './pad.ts';

/** Operators that move elements without changing them: the cotangent is moved back. */
const back: Back = (emit, g, { x: [x] }) => reshapeLike(emit, g, x);
const reshaped: Rule = { back: [back, null] };

const concat: Rule = {
  back: (i) => (emit, g, site) => {
    const axis = axisOf(emit, site, 0);
    if (site.x.length === 1) return g;
    const sizes = site.x.map((x) => dimsOf(emit, x)?.[axis]);
    const split = sizes.every((d): d is number => typeof d === 'number')
      ? emit.ints(sizes)
      : emit.Concat(...site.x.map((x) => sizeAt(emit, x, axis)), { axis: 0 });
    return emit.calls('Split', [g, split], site.x.length, { axis })[i];
  },
};

const split: Rule = {
  outputs: 'all',
  back: [(emit, _, site) => emit.Concat(...site.g.map((g, i) => g || zerosLike(emit, site.y[i])), { axis: axisOf(emit, site, 0) }), null],
};

/** Zeros take the place of what was cut away. */
const slice: Back = (emit, g, site) => {
  const [x] = site.x;
  const rank = rankOf(emit, x) ?? 0;
  const [starts, ends] = [given(emit, site.x[1]), given(emit, site.x[2])];
  const axes = (site.x[3] ? given(emit, site.x[3]) : starts?.map((_, i) => i))?.map((a) => positive(a, rank));
  const steps = site.x[4] ? given(emit, site.x[4]) : starts?.map(() => 1);
  const dims = dimsOf(emit, x);
  const sizes = axes?.map((a) => dims?.[a]);
  if (starts && ends && axes && steps && sizes?.every((d): d is number => typeof d === 'number')) {
    let out = g;
    const begin = Array.from({ length: rank }, () => 0);
    const end = Array.from({ length: rank }, () => 0);
    for (let i = 0; i < axes.length; i++) {
      const [n, step] = [sizes[i], steps[i]];
      const clamp = (v: number, low: number, high: number): number => Math.min(Math.max(v < 0 ? v + n : v, low), high);
      const from = step > 0 ? clamp(starts[i], 0, n) : clamp(starts[i], 0, n - 1);
      const to = step > 0 ? clamp(ends[i], 0, n) : clamp(ends[i], -1, n - 1);
      const length = Math.max(0, Math.ceil((to - from) / step));
      if (length === 0) return zerosLike(emit, x);
      if (step < 0) out = flip(emit, out, axes[i]);
      out = dilate(emit, out, axes[i], length, Math.abs(step));
      const first = step > 0 ? from : from + (length - 1) * step;
      begin[axes[i]] = first;
      end[axes[i]] = n - first - ((length - 1) * Math.abs(step) + 1);
    }
    return [...begin, ...end].every((p) => p === 0) ? out : emit.Pad(out, emit.ints([...begin, ...end]));
  }
  return scattered(emit, g, site);
};

/** `x` reversed along an axis. */
export const flip = (emit: Emit, x: string, axis: number): string =>
  emit.Slice(x, emit.ints([-1]), emit.ints([-(2 ** 31) + 1]), emit.ints([axis]), emit.ints([-1]));

/** step − 1 zeros between neighbours along an axis of `length` elements. */
const dilate = (emit: Emit, x: string, axis: number, length: number, step: number): string => {
  if (step === 1 || length <= 1) return x;
  const rank = rankOf(emit, x) ?? 0;
  const pads = Array.from({ length: 2 * (rank + 1) }, () => 0);
  pads[rank + 1 + axis + 1] = step - 1;
  const wide = emit.Pad(emit.Unsqueeze(x, emit.ints([axis + 1])), emit.ints(pads));
  const dims = dimsOf(emit, x) ?? [];
  const symbols = dims.filter((d, i) => i !== axis && typeof d !== 'number').length;
  const whole =
    symbols <= 1
      ? emit.ints(dims.map((d, i) => (i === axis ? length * step : typeof d === 'number' ? d : -1)))
      : emit.Concat(...Array.from({ length: rank }, (_, i) => (i === axis ? emit.ints([length * step]) : sizeAt(emit, x, i))), { axis: 0 });
  const flat = emit.Reshape(wide, whole);
  return emit.Slice(flat, emit.ints([0]), emit.ints([(length - 1) * step + 1]), emit.ints([axis]));
};

/**
 * Bounds known only when the graph runs: along each axis the sliced row numbers are found by slicing 0, 1, 2, …; each row
 * of x then reads the row of g that came from it, or the zero row put behind.
 */
const scattered = (emit: Emit, g: string, { x: [x, starts, ends, axes, steps] }: Site): string => {
  const count = dimsOf(emit, starts)?.[0];
  const known = axes ? given(emit, axes) : undefined;
  const list = known ?? Array.from({ length: typeof count === 'number' ? count : 0 }, (_, i) => i);
  const pick = (v: string, i: number): string => emit.Gather(v, emit.ints([i]));
  return list.reduce((out, a, i) => {
    const axis = positive(a, rankOf(emit, x) ?? 0);
    const bounds = [pick(starts, i), pick(ends, i), emit.ints([0]), steps ? pick(steps, i) : emit.ints([1])];
    const whole = emit.Squeeze(sizeAt(emit, x, axis), emit.ints([0]));
    const rows = emit.Range(emit.scalar(0, 'int64'), whole, emit.scalar(1, 'int64'));
    const chosen = emit.Slice(rows, ...bounds);
    const none = emit.Expand(sizeAt(emit, out, axis), sizeAt(emit, x, axis));
    const order = emit.Range(emit.scalar(0, 'int64'), emit.Size(chosen), emit.scalar(1, 'int64'));
    const source = emit.ScatterElements(none, chosen, order, { axis: 0 });
    const pads = Array.from({ length: 2 * (rankOf(emit, x) ?? 0) }, () => 0);
    pads[(rankOf(emit, x) ?? 0) + axis] = 1;
    return emit.Gather(emit.Pad(out, emit.ints(pads)), source, { axis });
  }, g);
};

/** Rows are summed where they were read more than once. */
const gather: Back = (emit, g, site) => {
  const [x, indices] = site.x;
  const axis = axisOf(emit, site, 0);
  const rank = rankOf(emit, x) ?? 1;
  const width = rankOf(emit, indices) ?? 1;
  const perm = Array.from({ length: rank }, (_, i) => (i === 0 ? axis : i <= axis ? i - 1 : i));
  // The axes of the indices first, then the others: ScatterND adds rows.
  const order = [...Array.from({ length: width }, (_, i) => axis + i), ...Array.from({ length: axis }, (_, i) => i)];
  const rest = Array.from({ length: rank - 1 - axis }, (_, i) => axis + width + i);
  const rows = axis === 0 ? g : emit.Transpose(g, { perm: [...order, ...rest] });
  const zeros = zerosLike(emit, x);
  const into = axis === 0 ? zeros : emit.Transpose(zeros, { perm });
  const places = emit.Unsqueeze(cast(emit, indices, 'int64'), emit.ints([-1]));
  const added = emit.ScatterND(into, places, rows, { reduction: 'add' });
  return axis === 0 ? added : emit.Transpose(added, { perm: perm.map((_, i) => perm.indexOf(i)) });
};

const depthToSpace: Back = (emit, g, { x: [x], node }) => {
  const b = intOf(node, 'blocksize', 1);
  if (stringOf(node, 'mode', 'DCR') === 'DCR') return emit.call('SpaceToDepth', [g], { blocksize: b });
  // CRD: [N, C, H·b, W·b] → [N, C, H, b, W, b] → [N, C, b, b, H, W]
  const block = emit.ints([b]);
  const channels = emit.Div(sizeAt(emit, x, 1), emit.ints([b * b]));
  const six = emit.Concat(sizeAt(emit, x, 0), channels, sizeAt(emit, x, 2), block, sizeAt(emit, x, 3), block, { axis: 0 });
  return reshapeLike(emit, emit.Transpose(emit.Reshape(g, six), { perm: [0, 1, 3, 5, 2, 4] }), x);
};

const tile: Back = (emit, g, { x: [x, repeats] }) => {
  // [r₁·d₁, …] → [r₁, d₁, …], then the repeats are summed.
  const rank = rankOf(emit, x) ?? 0;
  const parts = Array.from({ length: rank }, (_, i) => [emit.Gather(repeats, emit.ints([i])), sizeAt(emit, x, i)]).flat();
  const [dims, times] = [dimsOf(emit, x), given(emit, repeats)];
  const known = times && dims?.every((d) => typeof d === 'number');
  const shape = known ? emit.ints(dims.flatMap((d, i) => [times[i], Number(d)])) : emit.Concat(...parts, { axis: 0 });
  return emit.ReduceSum(emit.Reshape(g, shape), emit.ints(Array.from({ length: rank }, (_, i) => 2 * i)), { keepdims: 0 });
};

export const shape: Rules = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: {
    back: [
      (emit, g, { node }) => {
        const perm = intsOf(node, 'perm');
        return emit.Transpose(g, perm ? { perm: perm.map((_, i) => perm.indexOf(i)) } : {});
      },
    ],
  },
  Concat: concat,
  Split: split,
  Slice: { back: [slice, null, null, null, null] },
  Pad: pad,
  CenterCropPad: centerCropPad,
  Expand: { back: [(emit, g, { x: [x] }) => sumTo(emit, g, x), null] },
  Tile: { back: [tile, null] },
  Gather: { back: [gather, null] },
  GatherElements: {
    back: [
      (emit, g, site) => emit.ScatterElements(zerosLike(emit, site.x[0]), site.x[1], g, { axis: axisOf(emit, site, 0), reduction: 'add' }),
      null,
    ],
  },
  DepthToSpace: { back: [depthToSpace] },
  SpaceToDepth: { back: [(emit, g, { node }) => emit.call('DepthToSpace', [g], { blocksize: intOf(node, 'blocksize', 1) })] },
  Trilu: { back: [(emit, g, { x: [, k], node }) => emit.Trilu(g, k ?? '', { upper: intOf(node, 'upper', 1) }), null] },
  ReverseSequence: {
    back: [(emit, g, { x: [, lengths], node }) => emit.calls('ReverseSequence', [g, lengths], 1, reversal(node))[0], null],
  },
};
const reversal = (node: Site['node']): { batch_axis: number; time_axis: number } => ({
  batch_axis: intOf(node, 'batch_axis', 1),
  time_axis: intOf(node, 'time_axis', 0),
});
