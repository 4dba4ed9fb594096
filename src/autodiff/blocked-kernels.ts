import { intOf } from '../graph/attribute.ts';
import { constantOf, dataOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import { product } from './rules/convolution-window.ts';
import { flip } from './rules/shape.ts';

/** The domain of ONNX Runtime's kernels over channels in blocks. */
export const blockDomain = 'com.microsoft.nchwc';
const domain = blockDomain;

export interface Shape {
  readonly group: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}
/** Weights [o, i, k…], or their transpose [i, o, k…]; the kernel may be reversed, which of weights that are computed only the transpose is. */
export interface Weights {
  readonly name: string;
  readonly o: number;
  readonly i: number;
  readonly transposed?: boolean;
  readonly reversed?: boolean;
}
/** What a convolution does with its result before it is written. */
export interface Behind {
  readonly activation?: string | undefined;
  readonly sum?: string | undefined;
}

/** Writes the kernels' nodes into `out`; `block` is the number of channels in a block. */
export const kernels = (out: Emit, block: number) => {
  const up = (n: number): number => Math.ceil(n / block) * block;
  /** What was in blocks before it left them, and its channels. */
  const within = (x: string): readonly [made: string, channels: number] | undefined => {
    const node = out.producer(x);
    const left = node?.op === 'ReorderOutput' && node.domain === domain && intOf(node, 'channels_last', 0) === 0;
    return left ? [node.inputs[0], intOf(node, 'channels', 0)] : undefined;
  };
  const enter = (x: string, channels: number): string => {
    const from = within(x);
    return from?.[1] === channels ? from[0] : out.call('ReorderInput', [x], {}, domain);
  };
  /** Input channels that are read as they are, out of blocks: a block of them would be mostly empty, or is not there yet. */
  const isFew = (i: number, taps: number, x: string): boolean => {
    if (taps === 1) return i < block / 2;
    return within(x)?.[1] === i ? i <= block / 2 : i < block;
  };
  /** [O, I, k…] → [O/b, I/b, k…, b, b], or with few inputs [O/b, I, k…, b]. */
  const filter = (w: string, o: number, i: number, kernel: readonly number[], few: boolean): string => {
    const taps = product(kernel);
    const inner = few ? i : up(i);
    const wide = inner === i ? w : out.Pad(w, out.ints([0, 0, 0, 0, 0, inner - i, 0, 0]));
    const rows = enter(out.Reshape(wide, out.ints([1, o, inner * kernel[0], kernel[1]])), o);
    const shape = out.ints([up(o), inner, ...kernel]);
    if (few || taps === 1) return out.Reshape(rows, shape);
    const parts = out.Reshape(rows, out.ints([up(o) / block, inner / block, block, taps, block]));
    return out.Reshape(out.Transpose(parts, { perm: [0, 1, 3, 2, 4] }), shape);
  };
  /** The same of the transposed and reversed weights [I, O, k…], in moves of whole blocks. */
  const adjointFilter = (w: string, o: number, i: number, kernel: readonly number[], few: boolean): string => {
    const taps = product(kernel);
    const inner = few ? i : up(i);
    const wide = inner === i ? w : out.Pad(w, out.ints([0, 0, 0, 0, inner - i, 0, 0, 0]));
    const rows = out.Reshape(enter(wide, o), out.ints([inner, up(o) / block, taps, block]));
    const order = Array.from({ length: taps }, (_, t) => taps - 1 - t);
    const reversed = taps === 1 ? rows : out.Gather(rows, out.ints(order), { axis: 2 });
    const shape = out.ints([up(o), inner, ...kernel]);
    if (few) return out.Reshape(out.Transpose(reversed, { perm: [1, 0, 2, 3] }), shape);
    const parts = out.Reshape(reversed, out.ints([inner / block, block, up(o) / block, taps, block]));
    return out.Reshape(out.Transpose(parts, { perm: [2, 0, 3, 1, 4] }), shape);
  };
  /** Of weights that do not change: laid out here. */
  const constantFilter = (
    { o, i, transposed, reversed }: Weights,
    values: ArrayLike<number>,
    kernel: readonly number[],
    few: boolean,
  ): string => {
    const taps = product(kernel);
    const [deep, inner] = [up(o), few ? i : up(i)];
    const width = Math.min(inner, block);
    const data = new Float32Array(deep * inner * taps);
    const turns = few ? 1 : width;
    for (let f = 0; f < o; f++) {
      for (let c = 0; c < i; c++) {
        const from = (transposed ? c * o + f : f * i + c) * taps;
        const [group, filter] = [Math.floor(f / block) * (inner / turns) + Math.floor(c / turns), f % block];
        for (let t = 0; t < taps; t++) {
          data[((group * taps + t) * turns + (c % turns)) * block + filter] = values[from + (reversed ? taps - 1 - t : t)];
        }
      }
    }
    return out.constant(constantOf('float32', [deep, inner, ...kernel], data));
  };
  const weightsIn = (w: Weights, kernel: readonly number[], few: boolean): string => {
    const held = out.constantOf(w.name);
    if (held?.bytes) return constantFilter(w, dataOf(held) as Float32Array, kernel, few);
    return (w.transposed ? adjointFilter : filter)(w.name, w.o, w.i, kernel, few);
  };
  return {
    within: (x: string): readonly [made: string, channels: number] | undefined => within(x),
    enter: (x: string, channels: number): string => enter(x, channels),
    /** With `sum`, in blocks already, what it adds to; an activation comes last. */
    convolution(x: string, w: Weights, bias: string, { group, ...at }: Shape, { activation, sum = '' }: Behind): string {
      const { o, i } = w;
      const deep = group > 1;
      const attributes = {
        kernel_shape: at.kernel,
        strides: at.strides,
        dilations: at.dilations,
        pads: at.pads,
        group: deep ? up(o) : 1,
        activation,
      };
      const shift = bias && up(o) !== o ? out.Pad(bias, out.ints([0, up(o) - o])) : bias;
      const few = isFew(i, product(at.kernel), x);
      const taken = deep || !few ? enter(x, deep ? o : i) : x;
      const weights = weightsIn(w, at.kernel, few);
      return out.call('Conv', [taken, weights, shift, sum], attributes, domain);
    },
    /** Depthwise, transposed: zeros between the elements of g, then a convolution with the reversed weights. */
    spread(g: string, w: string, channels: number, from: readonly number[], to: readonly number[], at: Shape): string | undefined {
      const { kernel, strides, dilations, pads } = at;
      const extent = kernel.map((k, i) => (k - 1) * dilations[i] + 1);
      const first = extent.map((e, i) => e - 1 - pads[i]);
      const last = extent.map((e, i) => to[i] - from[i] * strides[i] - first[i] + e - 1);
      if ([...first, ...last].some((p) => p < 0)) return undefined;
      const apart = out.Reshape(enter(g, channels), out.ints([-1, from[0], 1, from[1], block]));
      const wide = out.Pad(apart, out.ints([0, 0, 0, 0, 0, 0, 0, strides[0] - 1, 0, (strides[1] - 1) * block]));
      const image = out.Reshape(wide, out.ints([-1, up(channels), from[0] * strides[0], from[1] * strides[1]]));
      const held = out.constantOf(w) !== undefined;
      const name = held ? w : [2, 3].reduce((v, axis) => (kernel[axis - 2] === 1 ? v : flip(out, v, axis)), w);
      const attributes = { kernel_shape: kernel, dilations, pads: [...first, ...last], group: up(channels) };
      const weights = weightsIn({ name, o: channels, i: 1, reversed: held }, kernel, true);
      return out.call('Conv', [image, weights], attributes, domain);
    },
    /**
     * dW[c, t] = Σ g[n, c, l]·x[n, c, s·l + d·t]: the images of a batch, one below the other, under the cotangents as one
     * kernel, with rows of zeros in between so that images do not meet.
     */
    depthwise(x: string, g: string, channels: number, sizes: readonly number[], from: readonly number[], at: Shape): string {
      const { kernel, strides, dilations, pads } = at;
      const extent = kernel.map((k, i) => (k - 1) * dilations[i] + 1);
      const span = from.map((n, i) => strides[i] * (n - 1) + extent[i]);
      const rows = Math.max(from[0], Math.ceil(span[0] / strides[0]));
      const crop = [strides[0] * rows - sizes[0] - pads[0], span[1] - sizes[1] - pads[1]];
      const deep = up(channels) / block;
      const side = (v: string, [h, w]: readonly number[], ends: readonly number[], starts: readonly number[]): string => {
        const rowsOf = out.Reshape(enter(v, channels), out.ints([-1, deep, h, w * block]));
        const amounts = [0, 0, starts[0], starts[1] * block, 0, 0, ends[0], ends[1] * block];
        const padded = amounts.every((p) => p === 0) ? rowsOf : out.Pad(rowsOf, out.ints(amounts));
        return out.Transpose(padded, { perm: [1, 0, 2, 3] });
      };
      const images = out.Reshape(side(x, sizes, crop, pads), out.ints([1, up(channels), -1, span[1]]));
      const weights = out.Reshape(side(g, from, [rows - from[0], 0], [0, 0]), out.ints([up(channels), 1, -1, from[1]]));
      const beyond = extent[0] - strides[0];
      const attributes = { group: up(channels), strides: dilations, dilations: strides, pads: [0, 0, Math.max(beyond, 0), 0] };
      const found = out.call('ReorderOutput', [out.call('Conv', [images, weights], attributes, domain)], { channels }, domain);
      const cut = beyond < 0 ? out.Slice(found, out.ints([0]), out.ints([kernel[0]]), out.ints([2])) : found;
      return out.Reshape(cut, out.ints([channels, 1, ...kernel]));
    },
  };
};

/** What writes them. */
export type Kernels = ReturnType<typeof kernels>;
