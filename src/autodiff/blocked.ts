import { intOf, intsOf, stringOf } from '../graph/attribute.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import type { Node } from '../graph/types.ts';
import { namesWithin, readsOf, subgraphs } from '../graph/walk.ts';
import { isWhole, product } from './rules/convolution-window.ts';
import { flip } from './rules/shape.ts';
import { dimsOf, dtypeOf, given } from './shapes.ts';

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

/** Weights [o, i, k…], or their transpose [i, o, k…] with the kernel reversed. */
interface Weights {
  readonly name: string;
  readonly o: number;
  readonly i: number;
  readonly adjoint: boolean;
}
const isReversal = (emit: Emit, node: Node | undefined): node is Node =>
  node?.op === 'Slice' && [node.inputs[1], node.inputs[4]].every((v) => v && given(emit, v)?.join() === '-1');
/** Sees through the transposition and reversal that carry cotangents back. */
const weightsOf = (emit: Emit, w: string, [o, i, ...kernel]: readonly number[]): Weights => {
  const plain = { name: w, o, i, adjoint: false };
  const turned = emit.producer(w);
  if (turned?.op !== 'Transpose' || intsOf(turned, 'perm')?.join() !== '1,0,2,3') return plain;
  let name = turned.inputs[0];
  const axes = new Set<number>();
  for (let node = emit.producer(name); isReversal(emit, node); node = emit.producer(name)) {
    axes.add(Number(given(emit, node.inputs[3])?.[0]));
    name = node.inputs[0];
  }
  return kernel.every((k, a) => k > 1 === axes.has(a + 2)) ? { name, o, i, adjoint: true } : plain;
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
  /** The same of the transposed and reversed weights [I, O, k…], in moves of whole blocks. */
  const adjointFilter = (w: string, o: number, i: number, kernel: readonly number[]): string => {
    const inner = i < block ? i : up(i);
    const taps = product(kernel);
    const wide = inner === i ? w : out.Pad(w, out.ints([0, 0, 0, 0, inner - i, 0, 0, 0]));
    const rows = out.Reshape(enter(wide, o), out.ints([inner, up(o) / block, taps, block]));
    const order = Array.from({ length: taps }, (_, t) => taps - 1 - t);
    const reversed = taps === 1 ? rows : out.Gather(rows, out.ints(order), { axis: 2 });
    const shape = out.ints([up(o), inner, ...kernel]);
    if (i < block) return out.Reshape(out.Transpose(reversed, { perm: [1, 0, 2, 3] }), shape);
    const parts = out.Reshape(reversed, out.ints([inner / block, block, up(o) / block, taps, block]));
    return out.Reshape(out.Transpose(parts, { perm: [2, 0, 3, 1, 4] }), shape);
  };
  return {
    convolution(x: string, w: Weights, bias: string, { group, ...at }: Shape, activation?: string): string {
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
      const taken = deep || i >= block ? enter(x, deep ? o : i) : x;
      const weights = w.adjoint ? adjointFilter(w.name, o, i, at.kernel) : filter(w.name, o, i, at.kernel);
      return out.call('Conv', [taken, weights, shift], attributes, domain);
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
      const reversed = [2, 3].reduce((v, axis) => (kernel[axis - 2] === 1 ? v : flip(out, v, axis)), w);
      const attributes = { kernel_shape: kernel, dilations, pads: [...first, ...last], group: up(channels) };
      return out.call('Conv', [image, filter(reversed, channels, 1, kernel)], attributes, domain);
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

/** Channels of what is put in blocks come in multiples of 4. */
const align = 4;

/** The nodes that `outputs` need, and those of them that read each value. */
const needed = (
  emit: Emit,
  outputs: readonly string[],
): { readonly live: readonly Node[]; readonly users: ReadonlyMap<string, readonly Node[]> } => {
  const users = new Map<string, Node[]>(outputs.map((o) => [o, []]));
  const live = emit.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((o) => users.has(o))) return false;
    for (const read of new Set(readsOf(node))) users.set(read, [...(users.get(read) ?? []), node]);
    return true;
  });
  return { live: live.toReversed(), users };
};

/** The graph of `emit` with convolutions of computed weights, and gradients of depthwise weights, on blocks of channels. */
export const blocked = (emit: Emit, block: number, outputs: readonly string[]): Emit => {
  const { live, users } = needed(emit, outputs);
  const done = new Set<Node>();
  const out = emitter({
    constants: emit.constants,
    types: emit.types,
    taken: emit.nodes.flatMap((n) => [...n.outputs, ...subgraphs(n).flatMap((g) => [...namesWithin(g)])]),
  });
  const { convolution, spread, depthwise } = kernels(out, block);
  const single = (...values: readonly string[]): boolean => values.every((v) => !v || dtypeOf(emit, v) === 'float32');

  /** The channels leave their blocks for axis 1, or the last. */
  const leave = (made: string, name: string, channels: number, last = 0): boolean => {
    const attributes = { channels: { type: 'int', value: channels }, channels_last: { type: 'int', value: last } } as const;
    out.node({ op: 'ReorderOutput', domain, name, inputs: [made], outputs: [name], attributes });
    return true;
  };
  /** What was in blocks before it left them, and its channels. */
  const within = (name: string): readonly [made: string, channels: number] | undefined => {
    const node = out.producer(name);
    const left = node?.op === 'ReorderOutput' && node.domain === domain && intOf(node, 'channels_last', 0) === 0;
    return left ? [node.inputs[0], intOf(node, 'channels', 0)] : undefined;
  };
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
    const [next, ...more] = users.get(name) ?? [];
    const rectified = next?.op === 'Relu' && next.domain === '' && more.length === 0 && !outputs.includes(name);
    if (rectified) done.add(next);
    const made = convolution(x, weightsOf(emit, w, dims), bias, at, rectified ? 'Relu' : undefined);
    return leave(made, rectified ? next.outputs[0] : name, o);
  };
  const transposed = (node: Node, name: string): boolean => {
    const [g, w, bias] = node.inputs;
    const dims = whole(emit, w);
    const at = dims && shapeOf(node, dims.slice(2));
    const [from, to] = [g, name].map((v) => dimsOf(emit, v)?.slice(2) ?? [undefined]);
    if (!dims || !at || bias || !isWhole(from) || !isWhole(to) || !single(g, w)) return false;
    const [channels, each] = dims;
    if (at.group !== channels || each !== 1 || channels % align !== 0) return false;
    const made = spread(g, w, channels, from, to, at);
    return made !== undefined && leave(made, name, channels);
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
  /** A pool of what is in blocks anyway. */
  const pool = (node: Node, name: string): boolean => {
    const from = within(node.inputs[0]);
    if (!from || (intsOf(node, 'kernel_shape') ?? []).length !== 2) return false;
    const [made, channels] = from;
    const pooled = out.fresh(`${name}/blocks`);
    out.node({ ...node, domain, name: pooled, inputs: [made], outputs: [pooled] });
    return leave(pooled, name, channels);
  };
  const channelsLast = (node: Node, name: string): boolean => {
    const from = intsOf(node, 'perm')?.join() === '0,2,3,1' ? within(node.inputs[0]) : undefined;
    return from !== undefined && leave(from[0], name, from[1], 1);
  };
  const lowerings: Readonly<Record<string, (node: Node, name: string) => boolean>> = {
    '.Conv': forward,
    '.ConvTranspose': transposed,
    '.MaxPool': pool,
    '.Transpose': channelsLast,
    'assay.ConvWeights': weights,
  };
  for (const node of live) {
    if (done.has(node)) continue;
    const [name] = node.outputs;
    const meant = node.outputs.length === 1 ? emit.meaning(name) : undefined;
    const lower = meant && lowerings[`${meant.domain}.${meant.op}`];
    if (!meant || !lower?.(meant, name)) out.node(node);
  }
  return out;
};
