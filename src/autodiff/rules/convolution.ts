import { intsOf, stringOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Back, Rule, Rules, Site } from '../rule.ts';
import { dimsOf, dtypeOf, rankOf, sizeAt } from '../shapes.ts';
import { rowConvolution, type Sized, weightGradient } from './convolution-weights.ts';
import { channelSums, isWhole, product, type Window, windowOf } from './convolution-window.ts';
import { flip } from './shape.ts';

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

/** `v` with its elements set apart by the strides: each repeated, and all but the first of them put out. */
const setApart = (emit: Emit, v: string, from: readonly number[], strides: readonly number[]): string => {
  const sizes = from.map((n, i) => n * strides[i]);
  const dims = dimsOf(emit, v)?.slice(0, 2) ?? [];
  const scales = emit.constant(constantOf('float32', [4], [1, 1, ...strides]));
  const options = { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' };
  const repeated = emit.typed(emit.call('Resize', [v, '', scales], options), {
    kind: 'tensor',
    dtype: 'float32',
    dims: [...dims, ...sizes],
  });
  const first = Array.from({ length: product(sizes) }, (_, i) =>
    Math.floor(i / sizes[1]) % strides[0] === 0 && (i % sizes[1]) % strides[1] === 0 ? 1 : 0,
  );
  return emit.Mul(repeated, emit.constant(constantOf('float32', [1, 1, ...sizes], first)));
};
/**
 * The transposed depthwise convolution of constant weights as a convolution of the cotangent set apart: two to six times as
 * fast in ONNX Runtime. Where channels meet, the zeros cost more than they save.
 */
const spreadDepthwise = (emit: Emit, g: string, w: string, at: Sized): string | undefined => {
  const { rank, group, kernel, strides, dilations, begin, input, output } = at;
  const [channels, each] = (dimsOf(emit, w) ?? []).map(Number);
  if (rank !== 2 || group !== channels || each !== 1 || !emit.constantOf(w) || dtypeOf(emit, g) !== 'float32') return undefined;
  const extent = kernel.map((k, i) => (k - 1) * dilations[i] + 1);
  const first = begin.map((p, i) => extent[i] - 1 - p);
  const last = input.map((n, i) => n - output[i] * strides[i] - first[i] + extent[i] - 1);
  if ([...first, ...last].some((p) => p < 0)) return undefined;
  const attributes = { group, dilations, kernel_shape: kernel, pads: [...first, ...last] };
  return emit.Conv(setApart(emit, g, output, strides), adjoint(emit, w, group, rank), attributes);
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
  // Few channels would be padded to a block of 16 in ONNX Runtime's direct convolution.
  const channels = Number(dimsOf(emit, w)?.[1]);
  const few = group === 1 && (channels <= 4 || (channels <= 8 && product(kernel) >= 25));
  if (stride1 && !few && [...first, ...last].every((p) => p >= 0)) {
    const back = adjoint(emit, w, group, rank);
    const attributes = { group, dilations, pads: [...first, ...last], kernel_shape: kernel };
    if (group === 1 && !emit.constantOf(w) && isWhole(input) && isWhole(output) && product(input) <= 64) {
      const at = { rank, group, kernel, strides, dilations, begin: first, end: last, input: output, output: input };
      return emit.means(rowConvolution(emit, g, back, at), 'Conv', [g, back], attributes);
    }
    return emit.Conv(g, back, attributes);
  }
  if (isWhole(input) && isWhole(output)) {
    // What the windows reach may exceed the padded input (ceil) or fall short of it: output_padding makes up the difference.
    const reached = output.map((n, i) => (n - 1) * strides[i] + extent[i]);
    const rest = input.map((n, i) => n + begin[i] + end[i] - reached[i]);
    if (rest.every((r, i) => r >= 0 && r < strides[i])) {
      const attributes = { group, dilations, strides, pads: [...begin, ...end], kernel_shape: kernel, output_padding: rest };
      const wide = spreadDepthwise(emit, g, w, { rank, group, kernel, strides, dilations, begin, end, input, output });
      return wide ? emit.means(wide, 'ConvTranspose', [g, w], attributes) : emit.ConvTranspose(g, w, attributes);
    }
  }
  const full = emit.ConvTranspose(g, w, { group, dilations, strides, kernel_shape: kernel });
  return fit(emit, full, x, begin);
};

/** `full` starts `begin` before `x`: cropped in front, and behind cropped or padded with zeros to the sizes of `x`. */
const fit = (emit: Emit, full: string, x: string, begin: readonly number[]): string => {
  const axes = emit.ints(begin.map((_, i) => i + 2));
  const slack = emit.Concat(...begin.map((_, i) => sizeAt(emit, x, i + 2)), { axis: 0 });
  const ends = emit.Sub(emit.Add(slack, emit.ints(begin)), emit.Concat(...begin.map((_, i) => sizeAt(emit, full, i + 2)), { axis: 0 }));
  const out = emit.Pad(full, emit.Concat(emit.ints(begin.map((b) => 0 - b)), ends, { axis: 0 }), '', axes);
  const type = emit.type(x);
  return type ? emit.typed(out, type) : out;
};

/**
 * The weight gradient is bilinear in x and g. Whatever operators it is written in, it is differentiated as one: to x as the
 * convolution with the cotangent for weights is, to g as that convolution itself.
 */
const weightsOf = (emit: Emit, x: string, g: string, w: string, at: Window): string => {
  const { group, kernel, strides, dilations, begin, end } = at;
  const out = weightGradient(emit, x, g, w, at);
  const attributes = { group, kernel_shape: kernel, strides, dilations, pads: [...begin, ...end] };
  return emit.means(out, 'ConvWeights', [x, g], attributes, 'assay');
};
/** A cotangent that one number for each channel scales, [1, C, 1, …]: with weights that are computed it scales those, which are fewer. */
const scaled = (emit: Emit, g: string, w: string): { readonly u: string; readonly rows: string } | undefined => {
  const made = emit.meaning(g);
  if (made?.op !== 'Mul' || made.domain !== '' || emit.constantOf(w)) return undefined;
  const [u, scale] = made.inputs;
  const [dims, whole] = [dimsOf(emit, scale), dimsOf(emit, g)];
  const each = dims && whole && dims.length === whole.length && dims.every((d, i) => (i === 1 ? d === whole[1] : d === 1));
  return each ? { u, rows: emit.Reshape(scale, emit.ints([-1, ...dims.slice(1).map(() => 1)])) } : undefined;
};
const toConvInput: Back = (emit, g, site) => {
  const [x, w, ...bias] = site.x;
  const found = scaled(emit, g, w);
  return found ? toInput(emit, found.u, { ...site, x: [x, emit.Mul(w, found.rows), ...bias], g: [found.u] }) : toInput(emit, g, site);
};
const toWeights: Back = (emit, g, site) => {
  const [x, w] = site.x;
  const found = scaled(emit, g, w);
  const at = windowOf(emit, site);
  return found ? emit.Mul(weightsOf(emit, x, found.u, w, at), found.rows) : weightsOf(emit, x, g, w, at);
};
const convWeights: Rule = {
  back: [
    (emit, u, { node, x: [x, g] }) => toInput(emit, g, { node, x: [x, u], y: [g], g: [g] }),
    (emit, u, { node, x: [x] }) => emit.Conv(x, u, node.attributes),
  ],
};
const toBias: Back = (emit, g) => channelSums(emit, g);

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
    : { back: [toConvInput, toWeights, toBias] };

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
          (_, g, site) => weightsOf(emit, g, site.x[0], site.x[1], transposedWindow(emit, site)),
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

export const convolution: Rules = { Conv: conv, ConvTranspose: convTranspose, 'assay.ConvWeights': convWeights };
