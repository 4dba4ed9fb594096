import { intOf, intsOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Back, Rule, Rules, Site } from '../rule.ts';
import { castLike, dimsOf, dtypeCode, dtypeOf, expandLike, isPlain, num, reshapeLike, sizeAt } from '../shapes.ts';
import { hasUnknownPads, paddedSame, spatialSizes } from './convolution.ts';
import { isWhole, product, windowOf } from './convolution-window.ts';
import { padding } from './pad.ts';
import { maxPooling } from './pooling-max.ts';

/** How many elements each window averages: a number, or a constant over the spatial axes of the output. Sizes are known. */
const counts = (emit: Emit, site: Site): string | number => {
  const { kernel, strides, dilations, begin, end, input, output } = windowOf(emit, site);
  const include = intOf(site.node, 'count_include_pad', 0) === 1;
  const per = kernel.map((k, i) =>
    Array.from({ length: Number(output[i]) }, (_, o) => {
      let n = 0;
      for (let t = 0; t < k; t++) {
        const at = o * strides[i] - begin[i] + t * dilations[i];
        if (include ? at < Number(input[i]) + end[i] : at >= 0 && at < Number(input[i])) n++;
      }
      return n;
    }),
  );
  if (per.every((c) => c.every((n) => n === c[0]))) return per.reduce((n, c) => n * c[0], 1);
  const table = per.reduce<number[]>((found, c) => found.flatMap((n) => c.map((m) => n * m)), [1]);
  return emit.constant(constantOf(dtypeOf(emit, site.x[0]), [1, 1, ...output.map(Number)], table));
};

/**
 * Sizes known only when the graph runs: the average over the padded input, divided by that of a mask of what counts. Zeros
 * behind make whole windows of those that ceil_mode cuts.
 */
const maskedAverage = (emit: Emit, node: Node, site: Site): string => {
  const [x] = site.x;
  const at = windowOf(emit, site);
  const { kernel, strides, dilations, begin, end } = at;
  const rank = kernel.length;
  const axes = emit.ints(kernel.map((_, i) => i + 2));
  const include = intOf(node, 'count_include_pad', 0) === 1;
  const one = emit.Expand(num(emit, 1, x), emit.Concat(emit.ints([1, 1]), spatialSizes(emit, x, rank), { axis: 0 }));
  const same = hasUnknownPads(node, emit);
  const around = (v: string, value: string): string => {
    const padded = same ? paddedSame(emit, v, node, at) : emit.Pad(v, emit.ints([...begin, ...end]), value, axes);
    if (intOf(node, 'ceil_mode', 0) === 0) return padded;
    const extent = emit.ints(kernel.map((k, i) => (k - 1) * dilations[i] + 1));
    const [size, step] = [spatialSizes(emit, padded, rank), emit.ints(strides)];
    const count = emit.Add(emit.Div(emit.Add(emit.Sub(size, extent), emit.ints(strides.map((s) => s - 1))), step), emit.ints([1]));
    // A window must start inside the input or its front padding.
    const beyond = emit.GreaterOrEqual(emit.Mul(emit.Sub(count, emit.ints([1])), step), emit.Sub(size, emit.ints(end)));
    const last = emit.Sub(emit.Sub(count, emit.ints([1])), emit.Cast(beyond, { to: dtypeCode('int64') }));
    const tail = emit.Max(emit.Sub(emit.Add(emit.Mul(last, step), extent), size), emit.ints([0]));
    return emit.Pad(padded, emit.Concat(emit.ints(kernel.map(() => 0)), tail, { axis: 0 }), '', axes);
  };
  const plain = { kernel_shape: kernel, strides, dilations };
  const mask = around(one, include && !same ? num(emit, 1, x) : '');
  return emit.Div(emit.AveragePool(around(x, ''), plain), emit.AveragePool(mask, plain));
};
const averagePool = (node: Node, emit: Emit): Rule => {
  const sizes = dimsOf(emit, node.inputs[0])?.slice(2) ?? [undefined];
  const pads =
    intsOf(node, 'pads')?.some((p) => p !== 0) || intOf(node, 'ceil_mode', 0) === 1 || stringOf(node, 'auto_pad', '').startsWith('SAME');
  return pads && !isWhole(sizes) ? { as: (_, site) => [maskedAverage(emit, node, site)] } : { back: [spreadAverage] };
};

/** Each element of the cotangent, divided by the size of its window, is spread over the window. */
const spreadAverage: Back = (emit, g, site) => {
  const [x] = site.x;
  const { kernel, strides, dilations, begin, end, input, output } = windowOf(emit, site);
  const whole = isWhole(input) && isWhole(output);
  const n = whole ? counts(emit, site) : kernel.reduce((a, k) => a * k, 1);
  const share = typeof n === 'number' ? emit.Mul(g, num(emit, 1 / n, g)) : emit.Div(g, n);
  const simple = begin.every((p) => p === 0) && end.every((p) => p === 0) && kernel.every((k, i) => k === strides[i] && dilations[i] === 1);
  if (whole && simple && input.every((d, i) => d === output[i] * kernel[i])) {
    // Windows tile the input: [N, C, o₁, 1, o₂, 1] broadcasts to [N, C, o₁, k₁, o₂, k₂].
    const channels = dimsOf(emit, x)?.[1];
    if (typeof channels === 'number') {
      const open = emit.Reshape(share, emit.ints([-1, channels, ...output.flatMap((o) => [o, 1])]));
      const wide = emit.Expand(open, emit.ints([1, 1, ...output.flatMap((o, i) => [o, kernel[i]])]));
      return reshapeLike(emit, wide, x);
    }
  }
  // One image per channel, so that the kernel of ones has one channel.
  const rank = kernel.length;
  const sizes = Array.from({ length: rank }, (_, i) => sizeAt(emit, share, i + 2));
  const single = emit.Reshape(
    share,
    isWhole(output) ? emit.ints([-1, 1, ...output]) : emit.Concat(emit.ints([-1, 1]), ...sizes, { axis: 0 }),
  );
  const ones = emit.constant(constantOf(dtypeOf(emit, x), [1, 1, ...kernel], new Float64Array(kernel.reduce((a, k) => a * k, 1)).fill(1)));
  const full = emit.ConvTranspose(single, ones, { kernel_shape: kernel, strides, dilations });
  const reached = emit.Reshape(
    full,
    isWhole(output)
      ? emit.ints([0, 1, ...output.map((o, i) => (o - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1)])
      : emit.Shape(full),
  );
  if (whole) {
    const after = input.map((d, i) => d + begin[i] - ((output[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1));
    return reshapeLike(emit, padding(emit, reached, [0, 0, ...begin.map((b) => 0 - b), 0, 0, ...after]), x);
  }
  const cropped = emit.Pad(
    reached,
    emit.Concat(emit.ints(begin.map((b) => 0 - b)), tails(emit, reached, x, begin), { axis: 0 }),
    '',
    emit.ints(begin.map((_, i) => i + 2)),
  );
  return reshapeLike(emit, cropped, x);
};
const tails = (emit: Emit, full: string, x: string, begin: readonly number[]): string => {
  const sizes = (v: string): string => emit.Concat(...begin.map((_, i) => sizeAt(emit, v, i + 2)), { axis: 0 });
  return emit.Sub(emit.Add(sizes(x), emit.ints(begin)), sizes(full));
};

const elements = (emit: Emit, x: string): string =>
  castLike(emit, emit.call('ReduceProd', [emit.call('Shape', [x], { start: 2 })], { keepdims: 0 }), x);
/** A share for each element: a product with a row of 1/n, many times as fast as Expand to few elements. */
const global: Rule = {
  back: [
    (emit, g, { x: [x] }) => {
      const sizes = dimsOf(emit, x)?.slice(2);
      if (!sizes || !isWhole(sizes) || product(sizes) === 0 || !isPlain(emit, g))
        return expandLike(emit, emit.Div(g, elements(emit, x)), x);
      const n = product(sizes);
      const shares = emit.constant(constantOf(dtypeOf(emit, x), [1, n], new Float64Array(n).fill(1 / n)));
      return reshapeLike(emit, emit.MatMul(emit.Reshape(g, emit.ints([-1, 1])), shares), x);
    },
  ],
};

/** The first maximum of each channel, found as an index over the flattened spatial axes (PyTorch's adaptive_max_pool). */
const globalMax: Back = (emit, g, { x: [x] }) => {
  const rows = emit.Reshape(x, emit.ints([0, 0, -1]));
  const at = emit.ArgMax(rows, { axis: 2, keepdims: 1 });
  const zeros = emit.Expand(num(emit, 0, x), emit.Shape(rows));
  return reshapeLike(emit, emit.ScatterElements(zeros, at, emit.Reshape(g, emit.ints([0, 0, 1])), { axis: 2 }), x);
};

/** (mean |x|^p · n)^{1/p}: 0 where the norm is 0. */
const globalLp: Back = (emit, g, { x: [x], y: [y], node }) => lpSlope(emit, g, x, y, intOf(node, 'p', 2));
const lpSlope = (emit: Emit, g: string, x: string, y: string, p: number): string => {
  if (p === 1) return emit.Mul(g, emit.Sign(x));
  const safe = emit.Where(emit.Equal(y, num(emit, 0, y)), num(emit, 1, y), y);
  const ratio = emit.Div(x, safe);
  const power = p === 2 ? ratio : emit.Mul(ratio, emit.Pow(emit.Abs(ratio), num(emit, p - 2, x)));
  return emit.Mul(g, power);
};

export const pooling: Rules = {
  ...maxPooling,
  AveragePool: averagePool,
  GlobalAveragePool: global,
  GlobalMaxPool: { back: [globalMax] },
  GlobalLpPool: { back: [globalLp] },
};
