import { intOf, intsOf, stringOf } from '../graph/attribute.ts';
import { type Emit, emitter } from '../graph/emit.ts';
import type { Node } from '../graph/types.ts';
import { namesWithin, readsOf, subgraphs } from '../graph/walk.ts';
import { type Behind, blockDomain, kernels, type Shape, type Weights } from './blocked-kernels.ts';
import { pooledBack } from './blocked-pool.ts';
import { type Phased, type Transposed, transposes } from './blocked-transpose.ts';
import { isWhole, product, windowOf } from './rules/convolution-window.ts';
import { dimsOf, dtypeOf, given } from './shapes.ts';

/**
 * ONNX Runtime's CPU convolutions are two to ten times faster over channels in blocks (NCHWc), but it takes them only for
 * weights that are initializers. Here the same kernels are called for weights that are computed, and for cotangents in the
 * place of weights; what lies between them stays in blocks. They belong to the machine: the size of a block is that of its
 * vectors, so such a graph is not for a file.
 */
export { blockDomain };

const domain = blockDomain;

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

const isReversal = (emit: Emit, node: Node | undefined): node is Node =>
  node?.op === 'Slice' && [node.inputs[1], node.inputs[4]].every((v) => v && given(emit, v)?.join() === '-1');
/** Sees through the transposition and reversal that carry cotangents back. */
const weightsOf = (emit: Emit, w: string, [o, i, ...kernel]: readonly number[]): Weights => {
  const turned = emit.producer(w);
  const transposed = turned?.op === 'Transpose' && intsOf(turned, 'perm')?.join() === '1,0,2,3';
  let name = transposed ? turned.inputs[0] : w;
  const axes = new Set<number>();
  for (let node = emit.producer(name); isReversal(emit, node); node = emit.producer(name)) {
    axes.add(Number(given(emit, node.inputs[3])?.[0]));
    name = node.inputs[0];
  }
  const adjoint = (transposed || emit.constantOf(name) !== undefined) && kernel.every((k, a) => k > 1 === axes.has(a + 2));
  return adjoint ? { name, o, i, transposed, reversed: true } : { name: w, o, i };
};

/** Whether a cotangent is 0 where y is not above 0: a Relu's step is applied to it already. */
const isAbove = (emit: Emit, g: string, y: string): boolean => {
  const node = emit.producer(g);
  return node?.op === 'Mul' && node.inputs.some((v) => emit.producer(v)?.op === 'HardSigmoid' && emit.producer(v)?.inputs[0] === y);
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

/** Operators whose value at one element depends on that element alone, and is finite where channels that fill up a block are 0. */
const elementwise = ['Add', 'Sub', 'Mul', 'Max', 'Min', 'Neg', 'Abs', 'Relu', 'LeakyRelu', 'HardSigmoid', 'Sigmoid', 'Tanh', 'Clip'];

const comparisons = ['Equal', 'Less', 'Greater', 'LessOrEqual', 'GreaterOrEqual'];

/** A convolution that only a sum reads: it adds to the rest of it. */
type Pending = (behind: Behind) => readonly [made: string, channels: number];

/** The graph of `emit` with convolutions and what lies between them on blocks of channels. */
export const blocked = (emit: Emit, block: number, outputs: readonly string[]): Emit => {
  const { live, users } = needed(emit, outputs);
  const done = new Set<Node>();
  const pending = new Map<string, Pending>();
  const inPhases = new Map<string, Phased>();
  const out = emitter({
    constants: emit.constants,
    types: emit.types,
    taken: emit.nodes.flatMap((n) => [...n.outputs, ...subgraphs(n).flatMap((g) => [...namesWithin(g)])]),
  });
  const own = kernels(out, block);
  const { within, enter, convolution, spread, depthwise } = own;
  const { packed, paired, phased, woven } = transposes(out, block, own);
  const single = (...values: readonly string[]): boolean => values.every((v) => !v || dtypeOf(emit, v) === 'float32');
  const isScalar = (v: string): boolean => {
    const dims = whole(emit, v);
    return dims !== undefined && product(dims) === 1 && emit.constantOf(v) !== undefined;
  };
  /** The node that alone reads a value, if it is of this operator. */
  const onlyReader = (name: string, op: string): Node | undefined => {
    const [next, ...more] = users.get(name) ?? [];
    return next?.op === op && next.domain === '' && more.length === 0 && !outputs.includes(name) ? next : undefined;
  };
  /** Strides of the transposed convolution that a value is. */
  const strided = (v: string): readonly number[] | undefined => {
    const node = emit.meaning(v);
    return node?.op === 'ConvTranspose' && node.domain === '' ? intsOf(node, 'strides') : undefined;
  };
  const image = (v: string): string | undefined => {
    const dims = dimsOf(emit, v);
    return dims?.length === 4 && isWhole(dims.slice(1)) ? dims.slice(1).join() : undefined;
  };

  /** The channels leave their blocks for axis 1, or the last. */
  const leave = (made: string, name: string, channels: number, last = 0): boolean => {
    const attributes = { channels: { type: 'int', value: channels }, channels_last: { type: 'int', value: last } } as const;
    out.node({ op: 'ReorderOutput', domain, name, inputs: [made], outputs: [name], attributes });
    return true;
  };
  /** A convolution or sum, with the Relu that alone reads it. */
  const rectified = (name: string, make: Pending, sum = ''): boolean => {
    const relu = onlyReader(name, 'Relu');
    if (relu) done.add(relu);
    const [made, channels] = make({ sum, activation: relu ? 'Relu' : undefined });
    return leave(made, relu ? relu.outputs[0] : name, channels);
  };
  const flush = (name: string): void => {
    const make = pending.get(name);
    if (make) rectified(name, make);
    pending.delete(name);
  };
  const forward = (node: Node, name: string): boolean => {
    const [x, w, bias = ''] = node.inputs;
    const dims = whole(emit, w);
    const at = dims && shapeOf(node, dims.slice(2));
    if (!dims || !at || !single(x, w, bias)) return false;
    const [o, i] = dims;
    const from = weightsOf(emit, w, dims);
    const held = emit.constantOf(from.name);
    if (held && !held.bytes) return false;
    const positions = product(dimsOf(emit, name)?.slice(2).map(Number) ?? [Number.NaN]);
    const deep = at.group > 1 && at.group === o && i === 1;
    const worthwhile = product(at.kernel) > 1 || positions <= 16 || held !== undefined || within(x) !== undefined;
    const dense = at.group === 1 && o >= block / 2 && worthwhile && (i < block || i % align === 0);
    if (o % align !== 0 || !(deep || dense)) return false;
    const make: Pending = (behind) => [convolution(x, from, bias, at, behind), o];
    const sum = onlyReader(name, 'Add');
    if (sum && sum.inputs[0] !== sum.inputs[1] && sum.inputs.every((v) => image(v) === image(name))) {
      pending.set(name, make);
      return true;
    }
    return rectified(name, make);
  };
  /** The image that phases are of, which may be added to the phases `sums` of another. */
  const weave = (made: Phased, name: string, sums: ReadonlyMap<string, string> = new Map()): boolean =>
    leave(woven(made, made.make(sums)), name, made.at.to);
  /** Two transposed convolutions by the same strides meet in their phases: a shortcut fills only some of them. */
  const addPhases = ([a, b]: readonly string[], name: string): boolean => {
    const [one, other] = [inPhases.get(a), inPhases.get(b)];
    for (const v of [a, b]) inPhases.delete(v);
    const fits = (part?: Phased, all?: Phased): boolean =>
      part !== undefined && all !== undefined && a !== b && part.met.every((own, axis) => own.every((r) => all.met[axis].includes(r)));
    if (one && other && (fits(one, other) || fits(other, one))) {
      const [part, all] = fits(other, one) ? [other, one] : [one, other];
      return weave(all, name, part.make(new Map()));
    }
    for (const [v, made] of [
      [a, one],
      [b, other],
    ] as const)
      if (made) weave(made, v);
    return false;
  };
  const add = (node: Node, name: string): boolean => {
    const [a, b] = node.inputs;
    if (addPhases(node.inputs, name)) return true;
    const [one, other] = pending.has(a) ? [a, b] : [b, a];
    const make = pending.get(one);
    if (!make) return between(node, name);
    flush(other);
    const sum = within(other);
    if (!sum) {
      flush(one);
      return between(node, name);
    }
    pending.delete(one);
    return rectified(name, make, sum[0]);
  };
  /** A transposed convolution of one group, of few channels or by strides. */
  const apart = (g: string, w: string, name: string, at: Transposed & Shape): boolean => {
    const held = emit.constantOf(w);
    if ((held && !held.bytes) || at.dilations.some((d) => d !== 1) || at.from % align !== 0) return false;
    const few = at.to * 4 <= block ? packed : at.to * 2 <= block && product(at.strides) === 1 ? paired : undefined;
    if (few) {
      const made = few(g, at);
      if (made !== undefined) out.rename(made, name);
      return made !== undefined;
    }
    if (product(at.strides) === 1 || at.to < block / 2 || at.to % align !== 0) return false;
    const made = phased(g, at);
    if (made === undefined) return false;
    const sum = onlyReader(name, 'Add');
    if (sum?.inputs.every((v) => strided(v)?.join() === at.strides.join() && image(v) === image(name))) inPhases.set(name, made);
    else weave(made, name);
    return true;
  };
  const transposed = (node: Node, name: string): boolean => {
    const [g, w, bias] = node.inputs;
    const dims = whole(emit, w);
    const at = dims && shapeOf(node, dims.slice(2));
    const [from, to] = [g, name].map((v) => dimsOf(emit, v)?.slice(2) ?? [undefined]);
    if (!dims || !at || bias || !isWhole(from) || !isWhole(to) || !single(g, w)) return false;
    const [channels, each] = dims;
    if (at.group === 1) return apart(g, w, name, { ...at, weights: w, from: channels, to: each, reached: from, sizes: to });
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
    if (!from || !(node.op.startsWith('Global') || (intsOf(node, 'kernel_shape') ?? []).length === 2)) return false;
    const [made, channels] = from;
    const pooled = out.fresh(`${name}/blocks`);
    out.node({ ...node, domain, name: pooled, inputs: [made], outputs: [pooled] });
    return leave(pooled, name, channels);
  };
  const poolBack = (node: Node, name: string): boolean => {
    const [x, y, g] = node.inputs;
    const { rank, kernel, strides, dilations, begin, end, input, output } = windowOf(emit, { node, x: [x], y: [y] });
    const channels = Number(dimsOf(emit, x)?.[1]);
    if (rank !== 2 || !isWhole(input) || !isWhole(output) || !single(x, g) || dilations.some((d) => d !== 1)) return false;
    const reach = output.map((n, i) => (n - 1) * strides[i] + kernel[i] - input[i] - begin[i]);
    const padded = [...begin, ...end, ...reach].some((p) => p > 0);
    if (!within(x) || channels % align !== 0 || (padded && !isAbove(emit, g, y))) return false;
    const [values, pooled] = [[x, y, g].map((v) => enter(v, channels)), { channels, kernel, strides, begin, input, output }];
    const sum = pathSums.get(name);
    if (sum) {
      done.add(sum.node);
      leave(pooledBack(out, block, values, pooled, alongPaths(channels, sum.weights)), sum.node.outputs[0], channels);
    }
    return leave(pooledBack(out, block, values, pooled), name, channels);
  };
  /** A node on what is in blocks, and numbers: its value in blocks. */
  const among = (node: Node, name: string): readonly [made: string, channels: number] | undefined => {
    const size = image(name);
    let channels = 0;
    const inputs = node.inputs.map((v) => {
      const from = image(v) === size ? within(v) : undefined;
      channels = from?.[1] ?? channels;
      return from?.[0] ?? (v === '' || isScalar(v) ? v : undefined);
    });
    if (!size || channels === 0 || !inputs.every((v) => v !== undefined)) return undefined;
    const made = out.fresh(`${name}/blocks`);
    out.node({ ...node, name: made, inputs, outputs: [made] });
    return [made, channels];
  };
  const between = (node: Node, name: string): boolean => {
    const made = among(node, name);
    return made !== undefined && leave(made[0], name, made[1]);
  };
  /** A comparison as numbers. */
  const cast = (node: Node, name: string): boolean => {
    const test = emit.producer(node.inputs[0]);
    if (test?.domain !== '' || !comparisons.includes(test.op) || !single(name)) return false;
    const made = among(test, test.outputs[0]);
    return made !== undefined && leave(out.Cast(made[0], node.attributes), name, made[1]);
  };
  const concat = (node: Node, name: string): boolean => {
    const parts = node.inputs.map(within);
    if (intOf(node, 'axis', 0) !== 1 || !image(name)) return false;
    const inputs = parts.flatMap((p) => (p && p[1] % block === 0 ? [p[0]] : []));
    if (inputs.length < parts.length) return false;
    const channels = parts.reduce((n, p) => n + (p?.[1] ?? 0), 0);
    return leave(out.Concat(...inputs, { axis: 1 }), name, channels);
  };
  const channelsLast = (node: Node, name: string): boolean => {
    const from = intsOf(node, 'perm')?.join() === '0,2,3,1' ? within(node.inputs[0]) : undefined;
    return from !== undefined && leave(from[0], name, from[1], 1);
  };
  const split = (node: Node): boolean => {
    const from = within(node.inputs[0]);
    const sizes = node.outputs.map((v) => Number(dimsOf(emit, v)?.[1]));
    if (!from || node.op !== 'Split' || node.domain !== '' || intOf(node, 'axis', 0) !== 1) return false;
    if (sizes.some((n) => n % block !== 0) || !node.outputs.every(image)) return false;
    const parts = node.outputs.map((v) => out.fresh(`${v}/blocks`));
    out.node({ ...node, name: parts[0], inputs: [from[0], ...node.inputs.slice(1)], outputs: parts });
    node.outputs.forEach((v, i) => void leave(parts[i], v, sizes[i]));
    return true;
  };
  /** A weighted sum over the points of paths (path-gradient.ts), of images in blocks. */
  const alongPaths =
    (channels: number, weights: string) =>
    (images: string, sizes: readonly number[]): string => {
      const deep = Math.ceil(channels / block) * block;
      const ends = out.ints([deep * product(sizes)]);
      const points = out.Reshape(images, out.Concat(out.ints([-1]), out.Shape(weights), ends, { axis: 0 }));
      const sums = out.MatMul(out.Unsqueeze(weights, out.ints([0])), points);
      return out.Reshape(sums, out.ints([-1, deep, ...sizes]));
    };
  const pathSum = (node: Node, name: string): boolean => {
    const [v, weights] = node.inputs;
    const from = within(v);
    const sizes = dimsOf(emit, v)?.slice(2) ?? [undefined];
    return from !== undefined && isWhole(sizes) && leave(alongPaths(from[1], weights)(from[0], sizes), name, from[1]);
  };
  /** Sums over paths, by what they sum. */
  const pathSums = new Map(
    live.flatMap((node) => {
      const meant = emit.meaning(node.outputs[0]);
      return meant?.domain === 'assay' && meant.op === 'PathSum' ? [[meant.inputs[0], { node, weights: meant.inputs[1] }] as const] : [];
    }),
  );
  const lowerings: Readonly<Record<string, (node: Node, name: string) => boolean>> = {
    ...Object.fromEntries(elementwise.map((op) => [`.${op}`, between])),
    '.Add': add,
    '.Cast': cast,
    '.Conv': forward,
    '.Concat': concat,
    '.ConvTranspose': transposed,
    '.MaxPool': pool,
    '.AveragePool': pool,
    '.GlobalAveragePool': pool,
    '.Transpose': channelsLast,
    'assay.ConvWeights': weights,
    'assay.MaxPoolGradient': poolBack,
    'assay.PathSum': pathSum,
  };
  for (const node of live) {
    if (done.has(node)) continue;
    const [name] = node.outputs;
    const meant = node.outputs.length === 1 ? emit.meaning(name) : undefined;
    const lower = meant && lowerings[`${meant.domain}.${meant.op}`];
    if (!(meant ? lower?.(meant, name) : split(node))) out.node(node);
  }
  return out;
};
