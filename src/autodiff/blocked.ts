import { intOf, intsOf, stringOf } from '../graph/attribute.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import type { Node } from '../graph/types.ts';
import { isWhole, product } from './rules/convolution-window.ts';
import { dimsOf, dtypeOf } from './shapes.ts';

/**
 * ONNX Runtime's CPU convolutions are two to ten times faster over channels in blocks (NCHWc), but it takes them only for
 * weights that are initializers. Here the same kernels are called for weights that are computed, and for cotangents in the
 * place of weights. They belong to the machine: the size of a block is that of its vectors, so such a graph is not for a file.
 */
export const blockDomain = 'com.microsoft.nchwc';
const domain = blockDomain;

interface Shape {
  readonly group: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}
const shapeOf = (node: Node, kernel: readonly number[]): Shape | undefined => {
  const pads = intsOf(node, 'pads') ?? [0, 0, 0, 0];
  if (kernel.length !== 2 || stringOf(node, 'auto_pad', 'NOTSET') !== 'NOTSET' || pads.some((p) => p < 0)) return undefined;
  return {
    group: intOf(node, 'group', 1),
    kernel,
    strides: intsOf(node, 'strides') ?? [1, 1],
    dilations: intsOf(node, 'dilations') ?? [1, 1],
    pads,
  };
};
const whole = (emit: Emit, x: string): readonly number[] | undefined => {
  const dims = dimsOf(emit, x);
  return dims && isWhole(dims) ? dims : undefined;
};

/** Writes the kernels' nodes into `out`; `block` is the number of channels in a block. */
const kernels = (out: Emit, block: number) => {
  const up = (n: number): number => Math.ceil(n / block) * block;
  const enter = (x: string, channels: number): string => {
    const node = out.producer(x);
    if (node?.op === 'ReorderOutput' && node.domain === domain && intOf(node, 'channels', 0) === channels) return node.inputs[0];
    return out.call('ReorderInput', [x], {}, domain);
  };
  /** [O, I, k…] → [O/b, I/b, k…, b, b], or with few inputs [O/b, I, k…, b]. */
  const filter = (w: string, o: number, i: number, kernel: readonly number[]): string => {
    const inner = i < block ? i : up(i);
    const taps = product(kernel);
    const wide = inner === i ? w : out.Pad(w, out.ints([0, 0, 0, 0, 0, inner - i, 0, 0]));
    const rows = enter(out.Reshape(wide, out.ints([1, o, inner * kernel[0], kernel[1]])), o);
    const shape = out.ints([up(o), inner, ...kernel]);
    if (i < block || taps === 1) return out.Reshape(rows, shape);
    const parts = out.Reshape(rows, out.ints([up(o) / block, inner / block, block, taps, block]));
    return out.Reshape(out.Transpose(parts, { perm: [0, 1, 3, 2, 4] }), shape);
  };
  return {
    convolution(x: string, w: string, bias: string, dims: readonly number[], { group, ...at }: Shape): string {
      const [o, i] = dims;
      const deep = group > 1;
      const attributes = { kernel_shape: at.kernel, strides: at.strides, dilations: at.dilations, pads: at.pads, group: deep ? up(o) : 1 };
      const shift = bias && up(o) !== o ? out.Pad(bias, out.ints([0, up(o) - o])) : bias;
      const taken = deep || i >= block ? enter(x, deep ? o : i) : x;
      return out.call('Conv', [taken, filter(w, o, i, at.kernel), shift], attributes, domain);
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
      const side = (v: string, ends: readonly number[], starts: readonly number[], width: number): string => {
        const padded = [...starts, ...ends].every((p) => p === 0) ? v : out.Pad(v, out.ints([0, 0, ...starts, 0, 0, ...ends]));
        const stacked = out.Reshape(out.Transpose(padded, { perm: [1, 0, 2, 3] }), out.ints([1, channels, -1, width]));
        return out.call('ReorderInput', [stacked], {}, domain);
      };
      const images = side(x, crop, pads.slice(0, 2), span[1]);
      const weights = out.Reshape(side(g, [rows - from[0], 0], [0, 0], from[1]), out.ints([up(channels), 1, -1, from[1]]));
      const beyond = extent[0] - strides[0];
      const attributes = { group: up(channels), strides: dilations, dilations: strides, pads: [0, 0, Math.max(beyond, 0), 0] };
      const found = out.call('ReorderOutput', [out.call('Conv', [images, weights], attributes, domain)], { channels }, domain);
      const cut = beyond < 0 ? out.Slice(found, out.ints([0]), out.ints([kernel[0]]), out.ints([2])) : found;
      return out.Reshape(cut, out.ints([channels, 1, ...kernel]));
    },
  };
};

/** Channels of what is put in blocks come in multiples of 4. */
const align = 4;

/** The graph of `emit` with convolutions of computed weights, and gradients of depthwise weights, on blocks of channels. */
export const blocked = (emit: Emit, block: number): Emit => {
  const out = emitter({ constants: emit.constants, types: emit.types, taken: emit.nodes.flatMap((n) => n.outputs) });
  const { convolution, depthwise } = kernels(out, block);
  const single = (...values: readonly string[]): boolean => values.every((v) => !v || dtypeOf(emit, v) === 'float32');

  const forward = (node: Node, name: string): boolean => {
    const [x, w, bias = ''] = node.inputs;
    const dims = whole(emit, w);
    const at = dims && shapeOf(node, dims.slice(2));
    if (!dims || !at || emit.constantOf(w) || !single(x, w, bias)) return false;
    const [o, i] = dims;
    const positions = product(dimsOf(emit, name)?.slice(2).map(Number) ?? [Number.NaN]);
    const deep = at.group > 1 && at.group === o && i === 1;
    const dense = at.group === 1 && o >= block / 2 && (product(at.kernel) > 1 || positions <= 16) && (i < block || i % align === 0);
    if (o % align !== 0 || !(deep || dense)) return false;
    const made = convolution(x, w, bias, dims, at);
    const attributes = { channels: { type: 'int', value: o } } as const;
    out.node({ op: 'ReorderOutput', domain, name, inputs: [made], outputs: [name], attributes });
    return true;
  };
  const weights = (node: Node, name: string): boolean => {
    const [x, g] = node.inputs;
    const [sizes, reached] = [x, g].map((v) => dimsOf(emit, v)?.slice(1) ?? [undefined]);
    const at = shapeOf(node, intsOf(node, 'kernel_shape') ?? []);
    if (!at || !isWhole(sizes) || !isWhole(reached) || !single(x, g)) return false;
    const [channels, ...spatial] = sizes.map(Number);
    const [filters, ...from] = reached.map(Number);
    if (at.group !== channels || filters !== channels || channels % align !== 0) return false;
    out.rename(depthwise(x, g, channels, spatial, from, at), name);
    return true;
  };
  for (const node of emit.nodes) {
    const [name] = node.outputs;
    const meant = node.outputs.length === 1 ? emit.meaning(name) : undefined;
    const done =
      meant?.op === 'Conv' && meant.domain === '' ? forward(meant, name) : meant?.op === 'ConvWeights' ? weights(meant, name) : false;
    if (!done) out.node(node);
  }
  return out;
};
