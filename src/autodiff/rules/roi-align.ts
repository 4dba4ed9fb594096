import { floatOf, intOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Rule, Site } from '../rule.ts';
import { castLike, dtypeOf, num, sizeAt, sum } from '../shapes.ts';

/** Where the samples of each bin lie along one axis, [R, bins, samples]; a region takes the first `count` of them, [R]. */
interface Samples {
  readonly bins: number;
  readonly place: string;
  /** In the picture and of the region. */
  readonly inside: string;
  readonly taken: string;
  readonly count: string;
  readonly size: string;
}

const samplesOf = (emit: Emit, { node, x: [x, rois] }: Site, axis: 2 | 3): Samples => {
  const n = (v: number): string => num(emit, v, x);
  const half = stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
  const scaled = emit.Sub(emit.Mul(rois, n(floatOf(node, 'spatial_scale', 1))), n(half ? 0.5 : 0));
  const corner = (i: number): string => emit.Gather(scaled, emit.scalar(i, 'int64'), { axis: 1 });
  const bins = intOf(node, axis === 2 ? 'output_height' : 'output_width', 1);
  const [from, to] = axis === 2 ? [corner(1), corner(3)] : [corner(0), corner(2)];
  const extent = emit.Sub(to, from);
  const bin = emit.Div(half ? extent : emit.Max(extent, n(1)), n(bins));
  const ratio = intOf(node, 'sampling_ratio', 0);
  const count = ratio > 0 ? emit.Expand(n(ratio), emit.Shape(bin)) : emit.call('Ceil', [bin]);
  const most = emit.Cast(emit.ReduceMax(count, { keepdims: 0 }), { to: 7 });
  const at3 = (v: string): string => emit.Unsqueeze(v, emit.ints([1, 2]));
  const k = castLike(emit, emit.Range(emit.scalar(0, 'int64'), most, emit.scalar(1, 'int64')), x);
  const numbers = Array.from({ length: bins }, (_, b) => b);
  const i = emit.constant(constantOf(dtypeOf(emit, x), [bins, 1], numbers));
  const inBin = emit.Div(emit.Add(k, n(0.5)), at3(emit.Max(count, n(1))));
  const place = emit.Add(at3(from), emit.Mul(at3(bin), emit.Add(i, inBin)));
  const size = castLike(emit, emit.Squeeze(sizeAt(emit, x, axis), emit.ints([0])), x);
  const taken = emit.Less(k, at3(count));
  const inside = emit.And(emit.And(emit.GreaterOrEqual(place, n(-1)), emit.LessOrEqual(place, size)), taken);
  return { bins, place: emit.Max(emit.Min(place, emit.Sub(size, n(1))), n(0)), inside, taken, count, size };
};

const pixelsOf = (emit: Emit, { size }: Samples): string =>
  castLike(emit, emit.Range(emit.scalar(0, 'int64'), emit.Cast(size, { to: 7 }), emit.scalar(1, 'int64')), size);

/** Hat functions averaged over the samples of a bin, [R, bins, pixels]. */
const averages = (emit: Emit, samples: Samples): string => {
  const { place, inside, count, size } = samples;
  const n = (v: number): string => num(emit, v, size);
  const distance = emit.Abs(emit.Sub(emit.Unsqueeze(place, emit.ints([3])), pixelsOf(emit, samples)));
  const counted = emit.Mul(emit.Max(emit.Sub(n(1), distance), n(0)), emit.Unsqueeze(castLike(emit, inside, size), emit.ints([3])));
  return emit.Div(sum(emit, counted, [2]), emit.Unsqueeze(emit.Max(count, n(1)), emit.ints([1, 2])));
};

/** The pixel before each sample and the one behind, weighted: two matrices [R, bins·samples, pixels] with one entry a row. */
const neighbours = (emit: Emit, samples: Samples): readonly string[] => {
  const { place, inside, size } = samples;
  const low = emit.Floor(place);
  const part = emit.Sub(place, low);
  const n = (v: number): string => num(emit, v, size);
  const pixels = pixelsOf(emit, samples);
  const one = (index: string, weight: string): string => {
    const hot = castLike(emit, emit.Equal(emit.Unsqueeze(index, emit.ints([3])), pixels), size);
    const rows = emit.Mul(hot, emit.Unsqueeze(emit.Mul(weight, castLike(emit, inside, size)), emit.ints([3])));
    return emit.Reshape(rows, emit.Concat(emit.ints([0, -1]), emit.call('Shape', [rows], { start: 3 }), { axis: 0 }));
  };
  return [one(low, emit.Sub(n(1), part)), one(emit.Min(emit.Add(low, n(1)), emit.Sub(size, n(1))), part)];
};

/**
 * Average mode: bilinear sampling is separable, so each region is A·x·Bᵀ. Maximum mode as ONNX Runtime has it: the largest of
 * the four weighted pixels around any sample of the bin. No gradient to the regions, as in PyTorch.
 */
export const roiAlign: Rule = {
  as: (emit, site) => {
    const { node, x } = site;
    const pictures = emit.Gather(x[0], x[2], { axis: 0 });
    const [rows, columns] = [samplesOf(emit, site, 2), samplesOf(emit, site, 3)];
    const along = (v: string): string => emit.Unsqueeze(v, emit.ints([1]));
    const product = (a: string, b: string): string =>
      emit.MatMul(emit.MatMul(along(a), pictures), emit.Transpose(along(b), { perm: [0, 1, 3, 2] }));
    if (stringOf(node, 'mode', 'avg') === 'avg') return [product(averages(emit, rows), averages(emit, columns))];
    const [above, left] = [neighbours(emit, rows), neighbours(emit, columns)];
    const largest = above.flatMap((a) => left.map((b) => product(a, b))).reduce((a, b) => emit.Max(a, b));
    // [R, C, rows, samples, columns, samples]; samples that a region does not take lie below all others.
    const shape = emit.Concat(emit.ints([0, 0, rows.bins]), emit.call('Shape', [rows.place], { start: 2 }), emit.ints([columns.bins, -1]), {
      axis: 0,
    });
    const taken = emit.And(emit.Unsqueeze(rows.taken, emit.ints([1, 4, 5])), emit.Unsqueeze(columns.taken, emit.ints([1, 2, 3])));
    const low = num(emit, -1e30, x[0]);
    const best = emit.ReduceMax(emit.Where(taken, emit.Reshape(largest, shape), low), emit.ints([3, 5]), { keepdims: 0 });
    return [emit.Where(emit.Equal(best, low), num(emit, 0, x[0]), best)];
  },
};
