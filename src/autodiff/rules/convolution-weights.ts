import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import { dimsOf, dtypeOf, reshapeLike, sizeAt, sum } from '../shapes.ts';
import { isWhole, product, tapsOf, type Window } from './convolution-window.ts';
import { padding } from './pad.ts';

/**
 * The gradient of a convolution to its weights, dW[o, c, t] = Σ g[n, o, l]·x[n, c, window(l, t)], in five formulations; the
 * choice follows measurements on ONNX Runtime's CPU kernels (one thread, batch 32).
 */
interface Operands {
  readonly x: string;
  readonly g: string;
  /** Only for its shape, [filters, channels, …kernel]. */
  readonly w: string;
  readonly filters: number;
  readonly channels: number;
}
export interface Sized extends Window {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

const padded = (emit: Emit, x: string, { begin, end }: Window): string => padding(emit, x, [0, 0, ...begin, 0, 0, ...end]);

/** The elements under one tap of every window, spatial axes from `first` on. */
const under = (emit: Emit, wide: string, tap: readonly number[], { output, strides, dilations }: Sized, first: number): string => {
  const start = tap.map((t, i) => t * dilations[i]);
  const stop = start.map((s, i) => s + (output[i] - 1) * strides[i] + 1);
  const axes = tap.map((_, i) => first + i);
  return emit.Slice(wide, emit.ints(start), emit.ints(stop), emit.ints(axes), emit.ints(strides));
};
const stacked = (emit: Emit, taps: readonly string[], axis: number): string =>
  taps.length === 1 ? taps[0] : emit.Concat(...taps, { axis });

/**
 * Stride 1: x and g are laid on one grid, so wide that rows do not touch, and flattened; each tap is then a contiguous slice
 * of x, and one batched product with g.
 */
const flatShift = (emit: Emit, { x, g, w, filters, channels }: Operands, at: Sized): string => {
  const { kernel, dilations, output } = at;
  const grid = output.map((n, i) => n + (kernel[i] - 1) * dilations[i]);
  const flat = emit.Reshape(padded(emit, x, at), emit.ints([-1, channels, product(grid)]));
  // The flattened g ends with its last element, so that every slice of x fits.
  const used = output.reduce((n, d, i) => n + (d - 1) * product(grid.slice(i + 1)), 1);
  const spread = padding(emit, g, [0, 0, ...output.map(() => 0), 0, 0, ...grid.map((n, i) => (i === 0 ? 0 : n - output[i]))]);
  const rows = product([output[0], ...grid.slice(1)]);
  const down = emit.Reshape(spread, emit.ints([-1, filters, rows]));
  const cut = rows === used ? down : emit.Slice(down, emit.ints([0]), emit.ints([used]), emit.ints([2]));
  const taps = tapsOf(kernel).map((tap) => {
    const offset = tap.reduce((n, k, i) => n + k * dilations[i] * product(grid.slice(i + 1)), 0);
    const whole = offset === 0 && used === product(grid);
    const shifted = whole ? flat : emit.Slice(flat, emit.ints([offset]), emit.ints([offset + used]), emit.ints([2]));
    return emit.Unsqueeze(sum(emit, emit.MatMul(cut, emit.Transpose(shifted, { perm: [0, 2, 1] })), [0]), emit.ints([2]));
  });
  return reshapeLike(emit, stacked(emit, taps, 2), w);
};

const channelsLast = (emit: Emit, x: string, rank: number): string =>
  emit.Transpose(x, { perm: [0, ...Array.from({ length: rank }, (_, i) => i + 2), 1] });

/** One row of numbers for each example and position: what each tap reads, channels last. */
const rowsOf = (emit: Emit, x: string, channels: number, at: Sized): string => {
  const wide = padding(emit, channelsLast(emit, x, at.rank), [0, ...at.begin, 0, 0, ...at.end, 0]);
  const taps = tapsOf(at.kernel);
  const whole = taps.length === 1 && at.strides.every((s) => s === 1);
  const cols = whole
    ? wide
    : stacked(
        emit,
        taps.map((tap) => under(emit, wide, tap, at, 1)),
        at.rank + 1,
      );
  return emit.Reshape(cols, emit.ints([-1, taps.length * channels]));
};

/** A convolution whose weights are not constant, at few positions: one product over all rows. */
export const rowConvolution = (emit: Emit, x: string, w: string, at: Sized): string => {
  const [filters, channels] = (dimsOf(emit, w) ?? []).slice(0, 2).map(Number);
  const taps = product(at.kernel);
  const flat = emit.Reshape(channelsLast(emit, w, at.rank), emit.ints([filters, taps * channels]));
  const rows = emit.Gemm(rowsOf(emit, x, channels, at), flat, { transB: 1 });
  const last = at.rank + 1;
  return emit.Transpose(emit.Reshape(rows, emit.ints([-1, ...at.output, filters])), {
    perm: [0, last, ...at.kernel.map((_, i) => i + 1)],
  });
};

/** Channels last: rows of all examples and positions, one product over them. For few positions, where a batch would repeat a large result. */
const rowsProduct = (emit: Emit, { x, g, w, filters, channels }: Operands, at: Sized): string => {
  const down = emit.Reshape(channelsLast(emit, g, at.rank), emit.ints([-1, filters]));
  const taps = product(at.kernel);
  const all = emit.Gemm(down, rowsOf(emit, x, channels, at), { transA: 1 });
  if (taps === 1) return reshapeLike(emit, all, w);
  return reshapeLike(emit, emit.Transpose(emit.Reshape(all, emit.ints([filters, taps, channels])), { perm: [0, 2, 1] }), w);
};

/** Depthwise: each tap of each channel is a sum of products. */
const tapSums = (emit: Emit, { x, g, w }: Operands, at: Sized, last: boolean): string => {
  const wide = last ? channelsLast(emit, padded(emit, x, at), at.rank) : padded(emit, x, at);
  const down = last ? channelsLast(emit, g, at.rank) : g;
  const axes = [0, ...Array.from({ length: at.rank }, (_, i) => i + (last ? 1 : 2))];
  const taps = tapsOf(at.kernel).map((tap) =>
    emit.Unsqueeze(sum(emit, emit.Mul(under(emit, wide, tap, at, last ? 1 : 2), down), axes), emit.ints([1])),
  );
  return reshapeLike(emit, stacked(emit, taps, 1), w);
};

const oneHot = (emit: Emit, x: string, kernel: readonly number[], copies: number): string => {
  const taps = product(kernel);
  const one = new Float64Array(copies * taps * taps);
  for (let i = 0; i < copies * taps; i++) one[i * taps + (i % taps)] = 1;
  return emit.constant(constantOf(dtypeOf(emit, x), [copies * taps, 1, ...kernel], one));
};

/**
 * In general: a convolution with one-hot kernels copies the element under each tap to a channel of its own; the columns meet
 * g in one batched product. `apart` makes an image of every channel, otherwise channels are groups.
 */
const columns = (emit: Emit, { x, g, w, filters, channels }: Operands, at: Window, apart: boolean): string => {
  const { group, kernel, strides, dilations, begin, end, rank, input, output } = at;
  const attributes = { kernel_shape: kernel, strides, dilations, pads: [...begin, ...end] };
  const spatial = isWhole(input)
    ? emit.ints([-1, 1, ...input])
    : emit.Concat(emit.ints([-1, 1]), ...Array.from({ length: rank }, (_, i) => sizeAt(emit, x, i + 2)), { axis: 0 });
  const found = apart
    ? emit.Conv(emit.Reshape(x, spatial), oneHot(emit, x, kernel, 1), attributes)
    : emit.Conv(x, oneHot(emit, x, kernel, channels * group), { ...attributes, group: channels * group });
  // → [N, G, C/G·taps, l]
  const parts = [group, channels * product(kernel)];
  const shape = isWhole(output)
    ? emit.ints([-1, ...parts, product(output)])
    : emit.Concat(sizeAt(emit, x, 0), emit.ints([...parts, -1]), { axis: 0 });
  const down = emit.Reshape(g, emit.ints([0, group, filters / group, -1]));
  return reshapeLike(emit, sum(emit, emit.MatMul(down, emit.Transpose(emit.Reshape(found, shape), { perm: [0, 1, 3, 2] })), [0]), w);
};

/** One element of each window: the input is thinned out first. */
const thinned = (emit: Emit, x: string, at: Sized): { readonly x: string; readonly at: Sized } => {
  const ones = at.kernel.map(() => 1);
  const none = at.kernel.map(() => 0);
  const picked = under(emit, padded(emit, x, at), none, at, 2);
  return { x: picked, at: { ...at, input: at.output, strides: ones, begin: none, end: none } };
};

/** dW for a convolution of x whose output has cotangent g; `w` gives the shape. */
export const weightGradient = (emit: Emit, x: string, g: string, w: string, at: Window): string => {
  const [filters, channels] = (dimsOf(emit, w) ?? []).slice(0, 2).map(Number);
  const given: Operands = { x, g, w, filters, channels };
  const { input, output, group, kernel } = at;
  if (!isWhole(input) || !isWhole(output)) return columns(emit, given, at, true);
  const sized: Sized = { ...at, input, output };
  const positions = product(output);
  const taps = product(kernel);
  const dense = at.strides.every((s) => s === 1);
  if (group > 1)
    return filters === group && channels === 1 ? tapSums(emit, given, sized, !dense || positions < 200) : columns(emit, given, at, true);
  if (positions <= (taps === 1 ? 31 : 64)) return rowsProduct(emit, given, sized);
  if (taps === 1) {
    const thin = dense ? { x, at: sized } : thinned(emit, x, sized);
    return flatShift(emit, { ...given, x: thin.x }, thin.at);
  }
  const narrow = channels <= 4 || positions <= 144 || (channels <= 16 && filters >= 4 * channels);
  if (dense && !narrow) return flatShift(emit, given, sized);
  return columns(emit, given, at, channels === 1 || channels > 16 || positions < 200);
};
