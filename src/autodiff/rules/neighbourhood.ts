import { floatOf, intOf, intsOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Back, Rule, Rules, Site } from '../rule.ts';
import { castLike, dtypeOf, given, num, reshapeLike, sizeAt } from '../shapes.ts';
import { product, windowOf } from './convolution-window.ts';
import { padding } from './pad.ts';

/** Sums over neighbouring channels or elements, written as averages over zero-padded windows. */

/** y = x·(k + α/n·Σx²)^{−β}, the sum over n neighbouring channels. */
const lrn: Rule = {
  as: (emit, { x: [x], node }) => {
    const size = intOf(node, 'size', 1);
    const before = Math.floor((size - 1) / 2);
    // Channels become the first axis of a picture of one channel.
    const picture = emit.Concat(sizeAt(emit, x, 0), emit.ints([1]), sizeAt(emit, x, 1), emit.ints([-1]), { axis: 0 });
    const squares = emit.Reshape(emit.Mul(x, x), picture);
    const mean = emit.AveragePool(squares, { kernel_shape: [size, 1], pads: [before, 0, size - 1 - before, 0], count_include_pad: 1 });
    // α/n times the sum is α times the mean.
    const total = reshapeLike(emit, emit.Mul(num(emit, floatOf(node, 'alpha', 1e-4), x), mean), x);
    const base = emit.Add(num(emit, floatOf(node, 'bias', 1), x), total);
    return [emit.Mul(x, emit.Pow(base, num(emit, 0 - floatOf(node, 'beta', 0.75), x)))];
  },
};

/** (Σ|x|^p)^{1/p} over windows; 0, with slope 0, where the sum is 0. */
const lpPool: Rule = {
  as: (emit, site) => {
    const {
      node,
      x: [x],
    } = site;
    const { kernel, strides, dilations, begin, end, input, output } = windowOf(emit, site);
    const p = intOf(node, 'p', 2);
    const powers = p === 2 ? emit.Mul(x, x) : emit.Pow(emit.Abs(x), num(emit, p, x));
    const tail = kernel.map((k, i) => {
      const [n, m] = [input[i], output[i]];
      const reached = typeof m === 'number' ? (m - 1) * strides[i] + (k - 1) * dilations[i] + 1 : 0;
      return typeof n === 'number' ? Math.max(end[i], reached - n - begin[i]) : end[i];
    });
    const wide = padding(emit, powers, [0, 0, ...begin, 0, 0, ...tail]);
    const mean = emit.AveragePool(wide, { kernel_shape: kernel, strides, dilations });
    const total = emit.Mul(num(emit, product(kernel), x), mean);
    const zero = emit.Equal(total, num(emit, 0, x));
    const root = emit.Pow(emit.Where(zero, num(emit, 1, x), total), num(emit, 1 / p, x));
    return [emit.Where(zero, num(emit, 0, x), root)];
  },
};

/** Blocks laid back into a picture add up; each is read back from where it was laid. */
const col2im: Back = (emit, g, { node, x: [x, image, block] }) => {
  const kernel = given(emit, block) ?? [];
  const sizes = given(emit, image);
  const taps = product(kernel);
  const one = new Float64Array(taps * taps);
  for (let i = 0; i < taps; i++) one[i * taps + i] = 1;
  const hot = emit.constant(constantOf(dtypeOf(emit, x), [taps, 1, ...kernel], one));
  const single = sizes ? emit.ints([-1, 1, ...sizes]) : emit.Concat(emit.ints([-1, 1]), image, { axis: 0 });
  const attributes = {
    kernel_shape: kernel,
    strides: intsOf(node, 'strides'),
    dilations: intsOf(node, 'dilations'),
    pads: intsOf(node, 'pads'),
  };
  return reshapeLike(emit, emit.Conv(emit.Reshape(g, single), hot, attributes), x);
};

/** Whole-number bins of each region: the maximum over columns, then over rows, of what lies in the bin. Ties share. */
const maxRoiPool: Rule = {
  as: (emit, { node, x: [x, rois] }: Site) => {
    const [height, width] = intsOf(node, 'pooled_shape') ?? [1, 1];
    const n = (v: number): string => num(emit, v, rois);
    const column = (i: number): string => emit.Gather(rois, emit.scalar(i, 'int64'), { axis: 1 });
    const edge = (i: number): string => {
      const scaled = emit.Mul(column(i), n(floatOf(node, 'spatial_scale', 1)));
      return emit.Floor(emit.Add(scaled, n(0.5)));
    };
    // [R, bins, size]: which pixels along one axis belong to each bin.
    const within = (axis: number, bins: number, from: string, to: string): string => {
      const extent = emit.Max(emit.Add(emit.Sub(to, from), n(1)), n(1));
      const bin = emit.Unsqueeze(emit.Div(extent, n(bins)), emit.ints([1, 2]));
      const index = emit.constant(
        constantOf(
          dtypeOf(emit, rois),
          [bins, 1],
          Array.from({ length: bins }, (_, i) => i),
        ),
      );
      const size = emit.Squeeze(sizeAt(emit, x, axis), emit.ints([0]));
      const pixel = castLike(emit, emit.Range(emit.scalar(0, 'int64'), size, emit.scalar(1, 'int64')), rois);
      const start = emit.Unsqueeze(from, emit.ints([1, 2]));
      const first = emit.Add(emit.Floor(emit.Mul(index, bin)), start);
      const last = emit.Add(emit.Ceil(emit.Mul(emit.Add(index, n(1)), bin)), start);
      return emit.And(emit.GreaterOrEqual(pixel, first), emit.Less(pixel, last));
    };
    const low = num(emit, -3.4e38, x);
    const most = (mask: string, v: string): string => emit.ReduceMax(emit.Where(mask, v, low), emit.ints([-1]), { keepdims: 0 });
    const pictures = emit.Gather(x, emit.Cast(column(0), { to: 7 }), { axis: 0 });
    // [R, C, H, 1, W] → [R, C, H, w] → [R, C, w, H] → [R, C, h, w]
    const alongWidth = emit.Unsqueeze(within(3, width, edge(1), edge(3)), emit.ints([1, 2]));
    const narrow = most(alongWidth, emit.Unsqueeze(pictures, emit.ints([3])));
    const alongHeight = emit.Unsqueeze(within(2, height, edge(2), edge(4)), emit.ints([1, 3]));
    const turned = emit.Unsqueeze(emit.Transpose(narrow, { perm: [0, 1, 3, 2] }), emit.ints([2]));
    const found = most(alongHeight, turned);
    return [emit.Where(emit.Greater(found, num(emit, -1e38, x)), found, num(emit, 0, x))];
  },
};

export const neighbourhood: Rules = {
  LRN: lrn,
  LpPool: lpPool,
  Col2Im: { back: [col2im, null, null] },
  MaxRoiPool: maxRoiPool,
};
