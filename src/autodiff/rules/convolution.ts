import { intOf, intsOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import { padsOf } from '../../graph/infer.ts';
import type { Dim, Node } from '../../graph/types.ts';
import type { Back, Rule, Rules, Site } from '../rule.ts';
import { dimsOf, dtypeOf, rankOf, reshapeLike, sizeAt, sum } from '../shapes.ts';
import { padding } from './pad.ts';
import { flip } from './shape.ts';

/** A convolution written out: sizes over the spatial axes, which are all but the first two. */
interface Window {
  readonly rank: number;
  readonly group: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
  /** Sizes of input and output, where known. */
  readonly input: readonly Dim[];
  readonly output: readonly Dim[];
}
export const windowOf = (emit: Emit, { node, x: [x, w], y: [y] }: Site): Window => {
  const kernel = intsOf(node, 'kernel_shape') ?? dimsOf(emit, w)?.slice(2).map(Number) ?? [];
  const ones = kernel.map(() => 1);
  const input = dimsOf(emit, x)?.slice(2) ?? kernel.map(() => undefined);
  const pads = padsOf(node, input, kernel) ?? kernel.flatMap(() => [0, 0]);
  return {
    rank: kernel.length,
    group: intOf(node, 'group', 1),
    kernel,
    strides: intsOf(node, 'strides') ?? ones,
    dilations: intsOf(node, 'dilations') ?? ones,
    begin: pads.slice(0, kernel.length),
    end: pads.slice(kernel.length),
    input,
    output: dimsOf(emit, y)?.slice(2) ?? kernel.map(() => undefined),
  };
};
export const isWhole = (sizes: readonly Dim[]): sizes is readonly number[] => sizes.every((d) => typeof d === 'number');

/** Weights [G·m, c, k…] as [G·c, m, k…] with the kernel reversed: the convolution that carries cotangents back. */
const adjoint = (emit: Emit, w: string, group: number, rank: number): string => {
  const axes = Array.from({ length: rank }, (_, i) => i + 2);
  const reversed = axes.reduce((out, axis) => (dimsOf(emit, w)?.[axis] === 1 ? out : flip(emit, out, axis)), w);
  if (group === 1) return emit.Transpose(reversed, { perm: [1, 0, ...axes] });
  const dims = dimsOf(emit, w) ?? [];
  const [m, c, ...k] = dims.map(Number);
  if (m === group && c === 1) return reversed;
  const parts = emit.Reshape(reversed, emit.ints([group, m / group, c, ...k]));
  return emit.Reshape(emit.Transpose(parts, { perm: [0, 2, 1, ...axes.map((a) => a + 1)] }), emit.ints([group * c, m / group, ...k]));
};

/**
 * To the input: the cotangent, its elements set apart by the stride, is convolved with the reversed weights. Rows of the
 * input that no window reached get zeros. Sizes unknown or pads beyond the kernel: the transposed convolution.
 */
const toInput: Back = (emit, g, site) => {
  const [x, w] = site.x;
  const { rank, group, kernel, strides, dilations, begin, end, input, output } = windowOf(emit, site);
  const extent = kernel.map((k, i) => (k - 1) * dilations[i] + 1);
  const stride1 = strides.every((s) => s === 1);
  const first = begin.map((p, i) => extent[i] - 1 - p);
  const last = end.map((p, i) => extent[i] - 1 - p);
  if (stride1 && [...first, ...last].every((p) => p >= 0)) {
    return emit.Conv(g, adjoint(emit, w, group, rank), { group, dilations, pads: [...first, ...last], kernel_shape: kernel });
  }
  if (isWhole(input) && isWhole(output)) {
    // What the windows reach may exceed the padded input (ceil) or fall short of it: output_padding makes up the difference.
    const reached = output.map((n, i) => (n - 1) * strides[i] + extent[i]);
    const rest = input.map((n, i) => n + begin[i] + end[i] - reached[i]);
    if (rest.every((r, i) => r >= 0 && r < strides[i])) {
      return emit.ConvTranspose(g, w, { group, dilations, strides, pads: [...begin, ...end], kernel_shape: kernel, output_padding: rest });
    }
  }
  const full = emit.ConvTranspose(g, w, { group, dilations, strides, kernel_shape: kernel });
  return fit(emit, full, x, begin);
};

/** `full` starts `begin` before `x`: cropped in front, and behind cropped or padded with zeros to the sizes of `x`. */
export const fit = (emit: Emit, full: string, x: string, begin: readonly number[]): string => {
  const axes = emit.ints(begin.map((_, i) => i + 2));
  const slack = emit.Concat(...begin.map((_, i) => sizeAt(emit, x, i + 2)), { axis: 0 });
  const ends = emit.Sub(emit.Add(slack, emit.ints(begin)), emit.Concat(...begin.map((_, i) => sizeAt(emit, full, i + 2)), { axis: 0 }));
  const out = emit.Pad(full, emit.Concat(emit.ints(begin.map((b) => 0 - b)), ends, { axis: 0 }), '', axes);
  const type = emit.type(x);
  return type ? emit.typed(out, type) : out;
};

const product = (sizes: readonly number[]): number => sizes.reduce((n, d) => n * d, 1);

/**
 * To the weights, where the stride is 1 and there is one group: x and g are laid on one grid, so wide that rows do not
 * touch, and flattened; each tap of the kernel is then a contiguous slice of x, and one batched product with g.
 */
const flatShift = (emit: Emit, g: string, site: Site, at: Window, output: readonly number[]): string => {
  const [x, w] = site.x;
  const { kernel, dilations, begin, end } = at;
  const grid = output.map((n, i) => n + (kernel[i] - 1) * dilations[i]);
  const zeros = [0, 0];
  const wide = padding(emit, x, [...zeros, ...begin, ...zeros, ...end]);
  const channels = Number(dimsOf(emit, w)?.[1]);
  const filters = Number(dimsOf(emit, w)?.[0]);
  const size = product(grid);
  const flat = emit.Reshape(wide, emit.ints([-1, channels, size]));
  // The last rows of g's grid hold only zeros: the flattened g ends with its last element, so that every slice fits.
  const used = output.reduce((n, d, i) => n + (d - 1) * product(grid.slice(i + 1)), 1);
  const spread = padding(emit, g, [...zeros, ...output.map(() => 0), ...zeros, ...grid.map((n, i) => (i === 0 ? 0 : n - output[i]))]);
  const rows = product([output[0], ...grid.slice(1)]);
  const down = emit.Reshape(spread, emit.ints([-1, filters, rows]));
  const cut = rows === used ? down : emit.Slice(down, emit.ints([0]), emit.ints([used]), emit.ints([2]));
  const taps = tapsOf(kernel).map((tap) => {
    const offset = tap.reduce((n, k, i) => n + k * dilations[i] * product(grid.slice(i + 1)), 0);
    const shifted = emit.Slice(flat, emit.ints([offset]), emit.ints([offset + used]), emit.ints([2]));
    return emit.MatMul(cut, emit.Transpose(shifted, { perm: [0, 2, 1] }));
  });
  const sums = taps.map((tap) => emit.Unsqueeze(sum(emit, tap, [0]), emit.ints([2])));
  const all = sums.length === 1 ? sums[0] : emit.Concat(...sums, { axis: 2 });
  return reshapeLike(emit, all, w);
};
const tapsOf = (kernel: readonly number[]): number[][] =>
  kernel.reduce<number[][]>((found, k) => found.flatMap((tap) => Array.from({ length: k }, (_, i) => [...tap, i])), [[]]);

/**
 * To the weights, in general: a convolution with one-hot kernels copies, for each channel, the element under each tap to a
 * channel of its own; the columns meet g in one batched product.
 */
const columns = (emit: Emit, g: string, site: Site, at: Window): string => {
  const [x, w] = site.x;
  const { group, kernel, strides, dilations, begin, end, rank } = at;
  const [filters, channels] = (dimsOf(emit, w) ?? []).slice(0, 2).map(Number);
  const taps = product(kernel);
  const one = new Float64Array(taps * taps);
  for (let i = 0; i < taps; i++) one[i * taps + i] = 1;
  const hot = emit.constant(constantOf(dtypeOf(emit, x), [taps, 1, ...kernel], one));
  const total = channels * group;
  const spatial = Array.from({ length: rank }, (_, i) => sizeAt(emit, x, i + 2));
  const sizes = at.input;
  const single = isWhole(sizes)
    ? emit.Reshape(x, emit.ints([-1, 1, ...sizes]))
    : emit.Reshape(x, emit.Concat(emit.ints([-1, 1]), ...spatial, { axis: 0 }));
  const attributes = { kernel_shape: kernel, strides, dilations, pads: [...begin, ...end] };
  // [N·C, taps, o…] → [N, G, C/G·taps, o]
  const parts = [group, (total / group) * taps];
  const shape = isWhole(at.output)
    ? emit.ints([-1, ...parts, product(at.output)])
    : emit.Concat(sizeAt(emit, x, 0), emit.ints([...parts, -1]), { axis: 0 });
  const cols = emit.Reshape(emit.Conv(single, hot, attributes), shape);
  const down = emit.Reshape(g, emit.ints([0, group, filters / group, -1]));
  const dw = emit.MatMul(down, emit.Transpose(cols, { perm: [0, 1, 3, 2] }));
  return reshapeLike(emit, sum(emit, dw, [0]), w);
};

const toWeights: Back = (emit, g, site) => {
  const at = windowOf(emit, site);
  if (at.group === 1 && at.strides.every((s) => s === 1) && isWhole(at.output)) return flatShift(emit, g, site, at, at.output);
  return columns(emit, g, site, at);
};
const toBias: Back = (emit, g) => sum(emit, g, [0, ...Array.from({ length: (rankOf(emit, g) ?? 2) - 2 }, (_, i) => i + 2)]);

/** Sizes over the spatial axes as a vector. */
export const spatialSizes = (emit: Emit, x: string, rank: number): string =>
  emit.Concat(...Array.from({ length: rank }, (_, i) => sizeAt(emit, x, i + 2)), { axis: 0 });
const vector = (emit: Emit, values: readonly number[], plus = 0): string => emit.ints(values.map((v) => v + plus));

/** `x` padded as auto_pad SAME_* asks, where its sizes are known only when the graph runs; also for the windowed averages. */
export const paddedSame = (emit: Emit, x: string, node: Node, { kernel, strides, dilations }: Window): string => {
  const n = spatialSizes(emit, x, kernel.length);
  const step = emit.ints(strides);
  const count = emit.Div(emit.Add(n, vector(emit, strides, -1)), step);
  const extent = emit.ints(kernel.map((k, i) => (k - 1) * dilations[i] + 1));
  const total = emit.Max(emit.Sub(emit.Add(emit.Mul(emit.Sub(count, emit.ints([1])), step), extent), n), emit.ints([0]));
  return emit.Pad(x, split(emit, total, stringOf(node, 'auto_pad', '') === 'SAME_UPPER'), '', emit.ints(kernel.map((_, i) => i + 2)));
};
/** Amounts in front and behind: halves, the odd one behind for SAME_UPPER, else in front. */
const split = (emit: Emit, total: string, upper: boolean): string => {
  const small = emit.Div(total, emit.ints([2]));
  const large = emit.Sub(total, small);
  return upper ? emit.Concat(small, large, { axis: 0 }) : emit.Concat(large, small, { axis: 0 });
};
/** Pads that follow from sizes which are not known. */
export const hasUnknownPads = (node: Node, emit: Emit): boolean =>
  stringOf(node, 'auto_pad', 'NOTSET').startsWith('SAME') && !isWhole(dimsOf(emit, node.inputs[0])?.slice(2) ?? [undefined]);

const conv = (node: Node, emit: Emit): Rule =>
  hasUnknownPads(node, emit)
    ? {
        as: (_, site) => {
          const { auto_pad, ...attributes } = node.attributes;
          return [emit.Conv(paddedSame(emit, site.x[0], node, windowOf(emit, site)), ...site.x.slice(1), attributes)];
        },
      }
    : { back: [toInput, toWeights, toBias] };

/** Output sizes that follow from an attribute and input sizes which are not known: the whole transposed convolution, cropped. */
const croppedTranspose = (emit: Emit, node: Node, site: Site): string => {
  const { auto_pad, output_shape, pads, output_padding, ...attributes } = node.attributes;
  const full = emit.ConvTranspose(...site.x, attributes);
  const rank = (rankOf(emit, site.x[0]) ?? 2) - 2;
  const wanted = intsOf(node, 'output_shape');
  const strides = intsOf(node, 'strides') ?? Array.from({ length: rank }, () => 1);
  const sizes = wanted ? emit.ints(wanted) : emit.Mul(spatialSizes(emit, site.x[0], rank), emit.ints(strides));
  const excess = emit.Sub(spatialSizes(emit, full, rank), sizes);
  const both = split(emit, emit.Max(excess, emit.ints([0])), stringOf(node, 'auto_pad', '') === 'SAME_UPPER');
  const short = emit.Concat(
    vector(
      emit,
      strides.map(() => 0),
    ),
    emit.Max(emit.Neg(excess), emit.ints([0])),
    { axis: 0 },
  );
  return emit.Pad(full, emit.Sub(short, both), '', emit.ints(Array.from({ length: rank }, (_, i) => i + 2)));
};

/** y = Convᵀ(x): to its input an ordinary convolution, to its weights that of Conv with x and g exchanged. */
const convTranspose = (node: Node, emit: Emit): Rule =>
  hasUnknownPads(node, emit) || (node.attributes.output_shape && !isWhole(dimsOf(emit, node.inputs[0])?.slice(2) ?? [undefined]))
    ? { as: (_, site) => [croppedTranspose(emit, node, site)] }
    : {
        back: [
          (_, g, site) => {
            const { group, kernel, strides, dilations, begin, end } = transposedWindow(emit, site);
            return emit.Conv(g, site.x[1], { group, kernel_shape: kernel, strides, dilations, pads: [...begin, ...end] });
          },
          (_, g, site) => columns(emit, site.x[0], { ...site, x: [g, site.x[1]] }, transposedWindow(emit, site)),
          toBias,
        ],
      };
/** The window of the convolution that it transposes. An `output_shape` decides the pads, the odd one in front unless SAME_UPPER. */
const transposedWindow = (emit: Emit, site: Site): Window => {
  const at = windowOf(emit, { ...site, x: [site.y[0], site.x[1]], y: [site.x[0]] });
  const { input: out, output: within } = at;
  if (!site.node.attributes.output_shape || !isWhole(out) || !isWhole(within)) return at;
  const more = intsOf(site.node, 'output_padding') ?? [];
  const total = out.map((n, i) => {
    const extent = (at.kernel[i] - 1) * at.dilations[i] + 1;
    return Math.max(0, at.strides[i] * (within[i] - 1) + (more[i] ?? 0) + extent - n);
  });
  const small = total.map((t) => Math.floor(t / 2));
  const large = total.map((t, i) => t - small[i]);
  const upper = stringOf(site.node, 'auto_pad', 'NOTSET') === 'SAME_UPPER';
  return { ...at, begin: upper ? small : large, end: upper ? large : small };
};

export const convolution: Rules = { Conv: conv, ConvTranspose: convTranspose };
