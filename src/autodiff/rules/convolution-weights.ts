import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import { dimsOf, dtypeOf, reshapeLike, sizeAt, sum } from '../shapes.ts';
import { isWhole, product, tapsOf, type Window } from './convolution-window.ts';
import { padding } from './pad.ts';

/**
 * The gradient of a convolution to its weights, dW[o, c, t] = Σ g[n, o, l]·x[n, c, window(l, t)], in six formulations; the
 * choice follows measurements on ONNX Runtime's CPU kernels (batch 32 and 128).
 */
interface Operands {
  /** One gradient for each example, [N, filters, channels, …kernel], instead of their sum. */
  readonly each: boolean;
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

/** x and g on one grid, so wide that rows do not touch, flattened: a tap is a shift of x by its offset. Stride 1. */
const grid = (
  emit: Emit,
  { x, g, filters, channels }: Operands,
  at: Sized,
): {
  readonly flat: string;
  readonly down: string;
  /** Length that g takes; every shift of x by an offset has at least this much left. */
  readonly used: number;
  readonly size: number;
  offset(tap: readonly number[]): number;
} => {
  const { kernel, dilations, output } = at;
  const sizes = output.map((n, i) => n + (kernel[i] - 1) * dilations[i]);
  const strides = sizes.map((_, i) => product(sizes.slice(i + 1)));
  const flat = emit.Reshape(padded(emit, x, at), emit.ints([-1, channels, product(sizes)]));
  const used = output.reduce((n, d, i) => n + (d - 1) * strides[i], 1);
  const spread = padding(emit, g, [0, 0, ...output.map(() => 0), 0, 0, ...sizes.map((n, i) => (i === 0 ? 0 : n - output[i]))]);
  const rows = output[0] * strides[0];
  const down = emit.Reshape(spread, emit.ints([-1, filters, rows]));
  return {
    flat,
    down: rows === used ? down : cut(emit, down, 0, used, rows),
    used,
    size: product(sizes),
    offset: (tap) => tap.reduce((n, t, i) => n + t * dilations[i] * strides[i], 0),
  };
};
const cut = (emit: Emit, x: string, from: number, length: number, whole: number): string =>
  from === 0 && length === whole ? x : emit.Slice(x, emit.ints([from]), emit.ints([from + length]), emit.ints([2]));
/** [N, filters, channels] for one tap. */
const outer = (emit: Emit, down: string, shifted: string): string => emit.MatMul(down, emit.Transpose(shifted, { perm: [0, 2, 1] }));
const summedOver = (emit: Emit, { each }: Operands, found: string): string => (each ? found : sum(emit, found, [0]));
/** Axes behind that of the examples, where there is one. */
const past = ({ each }: Operands, axis: number): number => axis + Number(each);
const shaped = (emit: Emit, { each, w }: Operands, found: string): string =>
  each ? emit.Reshape(found, emit.ints([-1, ...(dimsOf(emit, w) ?? []).map(Number)])) : reshapeLike(emit, found, w);

/** Products for each tap, in the order of the kernel, as the gradient. Small ones are summed over the examples side by side, at once. */
const joined = (emit: Emit, given: Operands, taps: readonly string[]): string => {
  const { each, filters, channels } = given;
  if (each || filters * channels > 1024) {
    const axis = past(given, 2);
    const apart = taps.map((tap) => emit.Unsqueeze(summedOver(emit, given, tap), emit.ints([axis])));
    return shaped(emit, given, stacked(emit, apart, axis));
  }
  const sums = sum(emit, stacked(emit, taps, 1), [0]);
  const last =
    taps.length === 1 ? sums : emit.Transpose(emit.Reshape(sums, emit.ints([taps.length, filters, channels])), { perm: [1, 2, 0] });
  return shaped(emit, given, last);
};

/** Each tap is a contiguous slice of the flattened x, and one batched product with g. */
const flatShift = (emit: Emit, given: Operands, at: Sized): string => {
  const { flat, down, used, size, offset } = grid(emit, given, at);
  const taps = tapsOf(at.kernel).map((tap) => outer(emit, down, cut(emit, flat, offset(tap), used, size)));
  return joined(emit, given, taps);
};

/** x and g flattened where both have one grid. A shift along the last axis runs into the next row, which `inRow` puts out. */
const shifting = (
  emit: Emit,
  { x, g, filters, channels }: Operands,
  { output: [height, width] }: Sized,
): {
  readonly flat: string;
  readonly down: string;
  readonly size: number;
  moved(v: string, by: number): string;
  /** 1 where the place `by` further along the row is in the row. */
  inRow(by: number): readonly number[];
} => {
  const size = height * width;
  const within = (column: number): number => Number(column >= 0 && column < width);
  return {
    flat: emit.Reshape(x, emit.ints([-1, channels, size])),
    down: emit.Reshape(g, emit.ints([-1, filters, size])),
    size,
    moved: (v, by) => padding(emit, v, [0, 0, by, 0, 0, 0 - by]),
    inRow: (by) => Array.from({ length: size }, (_, i) => within((i % width) + by)),
  };
};
const shiftsOf = ({ kernel, dilations, begin }: Sized, axis: number): readonly number[] =>
  Array.from({ length: kernel[axis] }, (_, t) => t * dilations[axis] - begin[axis]);
const isOneGrid = ({ rank, kernel, input, output, strides, dilations, begin }: Sized): boolean =>
  rank === 2 &&
  strides.every((s) => s === 1) &&
  output.every((n, i) => n === input[i] && begin[i] < n && (kernel[i] - 1) * dilations[i] - begin[i] < n);

/** A tap's shift is one of x by whole rows, and one of g along them the other way: a few shifts make all pairs. */
const flatMasked = (emit: Emit, given: Operands, at: Sized): string => {
  const { flat, down, size, moved, inRow } = shifting(emit, given, at);
  const along = (by: number): string =>
    by === 0 ? down : emit.Mul(moved(down, by), emit.constant(constantOf(dtypeOf(emit, given.g), [size], inRow(0 - by))));
  const [, width] = at.output;
  const taps = shiftsOf(at, 0).flatMap((y) => shiftsOf(at, 1).map((x) => outer(emit, along(x), moved(flat, 0 - y * width))));
  return joined(emit, given, taps);
};
/** Where that is the fastest: results of each example are small beside the sums that they are. */
const isMasked = (at: Sized, { filters, channels }: Operands): boolean => {
  const [taps, positions] = [product(at.kernel), product(at.output)];
  return isOneGrid(at) && taps > 1 && taps <= 9 && channels > 4 && (positions >= 196 || (positions >= 64 && filters * channels <= 4096));
};

/** The same with the taps along the last axis side by side as channels: fewer and wider products, for few channels and many taps. */
const flatRows = (emit: Emit, given: Operands, at: Sized): string => {
  const rows = isOneGrid(at) ? rowsMasked(emit, given, at) : rowsShifted(emit, given, at);
  const taps = rows.map((row) => emit.Unsqueeze(summedOver(emit, given, row), emit.ints([past(given, 1)])));
  const { filters, channels } = given;
  const all = emit.Reshape(stacked(emit, taps, past(given, 1)), emit.ints([-1, filters, product(at.kernel), channels]));
  return shaped(emit, given, emit.Transpose(all, { perm: [0, 1, 3, 2] }));
};
const rowsShifted = (emit: Emit, given: Operands, at: Sized): readonly string[] => {
  const { flat, down, used, size, offset } = grid(emit, given, at);
  const lead = at.kernel.slice(0, -1);
  const last = at.kernel[at.rank - 1];
  const none = lead.map(() => 0);
  const reach = offset([...lead.map((k) => k - 1), 0]) + used;
  const beside = Array.from({ length: last }, (_, t) => cut(emit, flat, offset([...none, t]), reach, size));
  const wide = stacked(emit, beside, 1);
  return tapsOf(lead).map((tap) => outer(emit, down, cut(emit, wide, offset([...tap, 0]), used, reach)));
};
const rowsMasked = (emit: Emit, given: Operands, at: Sized): readonly string[] => {
  const { flat, down, size, moved, inRow } = shifting(emit, given, at);
  const shifts = shiftsOf(at, 1);
  const { channels } = given;
  const beside = stacked(
    emit,
    shifts.map((x) => moved(flat, 0 - x)),
    1,
  );
  const here = emit.constant(constantOf(dtypeOf(emit, given.x), [shifts.length, 1, size], shifts.flatMap(inRow)));
  const apart = emit.Reshape(beside, emit.ints([-1, shifts.length, channels, size]));
  const wide = emit.Reshape(emit.Mul(apart, here), emit.ints([-1, shifts.length * channels, size]));
  const [, width] = at.output;
  return shiftsOf(at, 0).map((y) => outer(emit, moved(down, y * width), wide));
};

const channelsLast = (emit: Emit, x: string, rank: number): string =>
  emit.Transpose(x, { perm: [0, ...Array.from({ length: rank }, (_, i) => i + 2), 1] });

/** What each tap reads at every example and position, channels last. */
const rowTaps = (emit: Emit, x: string, at: Sized): readonly string[] => {
  const wide = padding(emit, channelsLast(emit, x, at.rank), [0, ...at.begin, 0, 0, ...at.end, 0]);
  const whole = product(at.kernel) === 1 && at.strides.every((s) => s === 1);
  return tapsOf(at.kernel).map((tap) => (whole ? wide : under(emit, wide, tap, at, 1)));
};

/** A convolution whose weights are not constant, at few positions: one product over all rows. */
export const rowConvolution = (emit: Emit, x: string, w: string, at: Sized): string => {
  const [filters, channels] = (dimsOf(emit, w) ?? []).slice(0, 2).map(Number);
  const taps = product(at.kernel);
  const flat = emit.Reshape(channelsLast(emit, w, at.rank), emit.ints([filters, taps * channels]));
  const columns = emit.Reshape(stacked(emit, rowTaps(emit, x, at), at.rank + 1), emit.ints([-1, taps * channels]));
  const rows = emit.Gemm(columns, flat, { transB: 1 });
  const last = at.rank + 1;
  return emit.Transpose(emit.Reshape(rows, emit.ints([-1, ...at.output, filters])), {
    perm: [0, last, ...at.kernel.map((_, i) => i + 1)],
  });
};

/** Windows side by side: each is a row already, once the axes inside a window are put behind those of the windows. */
const patches = (emit: Emit, { x, g, w, filters, channels }: Operands, { rank, kernel, output }: Sized): string => {
  const apart = emit.Reshape(x, emit.ints([-1, channels, ...output.flatMap((n, i) => [n, kernel[i]])]));
  const axes = Array.from({ length: rank }, (_, i) => 2 * i + 2);
  const rows = emit.Transpose(apart, { perm: [0, ...axes, 1, ...axes.map((a) => a + 1)] });
  const down = emit.Reshape(channelsLast(emit, g, rank), emit.ints([-1, filters]));
  return reshapeLike(emit, emit.Gemm(down, emit.Reshape(rows, emit.ints([-1, channels * product(kernel)])), { transA: 1 }), w);
};
const isTiled = ({ kernel, strides, dilations, begin, input, output }: Sized): boolean =>
  kernel.every((k, i) => k === strides[i] && dilations[i] === 1 && begin[i] === 0 && input[i] === output[i] * k);

/** Between 2 and 8 equal parts of so many rows for every number of examples, nearest to 4; else 1. */
const partsOf = (positions: number): number => [4, 5, 3, 6, 2, 7, 8].find((n) => positions % n === 0) ?? 1;

/**
 * Channels last, the taps along the last axis side by side as channels: for each tap along the others one product over the
 * rows of all examples and positions. ONNX Runtime has no threads along the rows, so that small results are made in parts.
 */
const rowsProduct = (emit: Emit, { x, g, w, filters, channels }: Operands, at: Sized): string => {
  const { rank, kernel, input, output, strides, dilations, begin, end } = at;
  const wide = padding(emit, channelsLast(emit, x, rank), [0, ...begin, 0, 0, ...end, 0]);
  const window = (v: string, axis: number, tap: number): string => {
    const i = axis - 1;
    const [start, length] = [tap * dilations[i], (output[i] - 1) * strides[i] + 1];
    if (start === 0 && length === input[i] + begin[i] + end[i] && strides[i] === 1) return v;
    return emit.Slice(v, emit.ints([start]), emit.ints([start + length]), emit.ints([axis]), emit.ints([strides[i]]));
  };
  const last = kernel[rank - 1];
  const beside = stacked(
    emit,
    Array.from({ length: last }, (_, t) => window(wide, rank, t)),
    rank + 1,
  );
  const positions = product(output);
  const parts = filters * channels * last <= 16384 ? partsOf(positions) : 1;
  const rows = (v: string, width: number): string => emit.Reshape(v, emit.ints(parts > 1 ? [parts, -1, width] : [-1, width]));
  const down = rows(channelsLast(emit, g, rank), filters);
  const taps = tapsOf(kernel.slice(0, -1)).map((tap) => {
    const under = rows(
      tap.reduce((v, t, i) => window(v, i + 1, t), beside),
      last * channels,
    );
    if (parts === 1) return emit.Gemm(down, under, { transA: 1 });
    return sum(emit, emit.MatMul(emit.Transpose(down, { perm: [0, 2, 1] }), under), [0]);
  });
  const all = emit.Reshape(stacked(emit, taps, 1), emit.ints([filters, product(kernel), channels]));
  return reshapeLike(emit, product(kernel) === 1 ? all : emit.Transpose(all, { perm: [0, 2, 1] }), w);
};

/** Depthwise: each tap of each channel is a sum of products, over each image first (see channelSums). */
const tapSums = (emit: Emit, given: Operands, at: Sized, last: boolean): string => {
  const { x, g, each } = given;
  const pads = [0, ...at.begin, 0, 0, ...at.end, 0];
  const wide = last ? padding(emit, channelsLast(emit, x, at.rank), pads) : padded(emit, x, at);
  const down = last ? channelsLast(emit, g, at.rank) : g;
  const spatial = Array.from({ length: at.rank }, (_, i) => i + (last ? 1 : 2));
  const taps = tapsOf(at.kernel).map((tap) =>
    emit.Unsqueeze(sum(emit, emit.Mul(under(emit, wide, tap, at, last ? 1 : 2), down), spatial), emit.ints([2])),
  );
  const found = stacked(emit, taps, 2);
  return shaped(emit, given, each ? found : sum(emit, found, [0]));
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
const columns = (emit: Emit, operands: Operands, at: Window, apart: boolean): string => {
  const { x, g, filters, channels, each } = operands;
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
  const all = emit.MatMul(down, emit.Transpose(emit.Reshape(found, shape), { perm: [0, 1, 3, 2] }));
  return shaped(emit, operands, each ? all : sum(emit, all, [0]));
};

/** The first element of each window by a depthwise convolution: unlike a Slice by strides it copies rows, with all threads. */
const everySo = (emit: Emit, x: string, channels: number, { output, strides }: Sized): string | undefined => {
  const sizes = dimsOf(emit, x)?.slice(2) ?? [undefined];
  const fits = isWhole(sizes) && sizes.every((n, i) => Math.ceil(Number(n) / strides[i]) === output[i]);
  if (!fits || dtypeOf(emit, x) !== 'float32') return undefined;
  const kernel = strides.map(() => 1);
  return emit.Conv(x, oneHot(emit, x, kernel, channels), { kernel_shape: kernel, strides, group: channels });
};

/** One element of each window: the input is thinned out first. */
const thinned = (emit: Emit, x: string, channels: number, at: Sized): { readonly x: string; readonly at: Sized } => {
  const ones = at.kernel.map(() => 1);
  const none = at.kernel.map(() => 0);
  const picked = everySo(emit, padded(emit, x, at), channels, at) ?? under(emit, padded(emit, x, at), none, at, 2);
  return { x: picked, at: { ...at, input: at.output, strides: ones, begin: none, end: none } };
};

/** dW for a convolution of x whose output has cotangent g; `w` gives the shape. With `each`, one for every example, [N, …]. */
export const weightGradient = (emit: Emit, x: string, g: string, w: string, at: Window, each = false): string => {
  const [filters, channels] = (dimsOf(emit, w) ?? []).slice(0, 2).map(Number);
  const given: Operands = { each, x, g, w, filters, channels };
  const { input, output, group, kernel } = at;
  if (!isWhole(input) || !isWhole(output)) return columns(emit, given, at, true);
  const sized: Sized = { ...at, input, output };
  const positions = product(output);
  const taps = product(kernel);
  const dense = at.strides.every((s) => s === 1);
  if (group > 1)
    return filters === group && channels === 1 ? tapSums(emit, given, sized, !dense || positions < 200) : columns(emit, given, at, true);
  if (!each && taps > 1 && isTiled(sized)) return patches(emit, given, sized);
  if (isMasked(sized, given)) return flatMasked(emit, given, sized);
  if (!each && (taps === 1 ? positions <= 31 : positions <= 64 || channels >= 16)) return rowsProduct(emit, given, sized);
  if (taps === 1) {
    const thin = dense ? { x, at: sized } : thinned(emit, x, channels, sized);
    return flatShift(emit, { ...given, x: thin.x }, thin.at);
  }
  if (dense && channels > 4) return taps > 9 && channels <= 8 ? flatRows(emit, given, sized) : flatShift(emit, given, sized);
  return columns(emit, given, at, channels === 1 || channels > 16 || positions < 200);
};
