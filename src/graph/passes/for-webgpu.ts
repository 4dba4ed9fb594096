import { floatOf, floatsOf, intOf, stringOf } from '../attribute.ts';
import { constantOf, numbersOf } from '../constant.ts';
import { type Emit, emitter, float } from '../emit.ts';
import { dtypes } from '../schema.ts';
import type { Graph, Model, Node } from '../types.ts';
import { mapSubgraphs, namesWithin } from '../walk.ts';

/** Values under the outputs of a node that is written otherwise; undefined where the node stays. */
type Rewrite = (emit: Emit, node: Node, opset: number) => readonly string[] | undefined;

/** The shader takes so many channels of the output at a time, also where they are of two groups. */
const step = (channels: number): number => (channels % 4 === 0 ? 4 : channels % 2 === 0 ? 2 : 1);

/**
 * ONNX Runtime 1.30 mixes the groups of a convolution up whose filters a group, four or more, are not a multiple of the step:
 * each group's last filter is repeated up to one, and the channels that come of it are left out.
 */
const groupedConvolution: Rewrite = (emit, node) => {
  const [x, w, b] = node.inputs;
  const group = intOf(node, 'group', 1);
  const filters = emit.type(w)?.dims?.[0];
  if (group === 1 || typeof filters !== 'number') return undefined;
  const each = filters / group;
  if (each < 4 || each % step(filters) === 0) return undefined;
  const wide = Math.ceil(each / 4) * 4;
  const from = Array.from({ length: group * wide }, (_, i) => Math.floor(i / wide) * each + Math.min(i % wide, each - 1));
  const kept = Array.from({ length: filters }, (_, i) => Math.floor(i / each) * wide + (i % each));
  const repeated = (v: string): string => emit.Gather(v, emit.ints(from), { axis: 0 });
  const y = emit.call('Conv', [x, repeated(w), b ? repeated(b) : ''], node.attributes);
  return [emit.Gather(y, emit.ints(kept), { axis: 1 })];
};

/**
 * With one filter a group and several channels, the kernel of the transposed convolution reads the wrong ones: it is given every
 * filter twice, and the second of each two channels is left out.
 */
const groupedTransposed: Rewrite = (emit, node) => {
  const [x, w, b] = node.inputs;
  const group = intOf(node, 'group', 1);
  const [channels, each] = emit.type(w)?.dims ?? [];
  if (group === 1 || each !== 1 || channels === group) return undefined;
  const twice = Array.from({ length: 2 * group }, (_, i) => i >> 1);
  const bias = b ? emit.Gather(b, emit.ints(twice), { axis: 0 }) : '';
  const y = emit.call('ConvTranspose', [x, emit.Concat(w, w, { axis: 1 }), bias], node.attributes);
  const kept = Array.from({ length: group }, (_, i) => 2 * i);
  return [emit.Gather(y, emit.ints(kept), { axis: 1 })];
};

/** Ends beyond any size. */
const far = 2 ** 31 - 1;
/** Backwards from anywhere but the end of an axis the kernel reads from the wrong place: what lies after the start is cut off first. */
const backwardSlice: Rewrite = (emit, node) => {
  const [x, ...rest] = node.inputs;
  const [starts, ends, axes, steps] = rest.map((v) => {
    const c = v ? emit.constantOf(v) : undefined;
    return c?.bytes ? numbersOf(c) : undefined;
  });
  const dims = emit.type(x)?.dims;
  if (!starts || !ends || !steps || (rest[2] && !axes)) return undefined;
  const along = axes ?? starts.map((_, i) => i);
  const moved = along.flatMap((axis, i) => (steps[i] < 0 && starts[i] !== -1 && starts[i] < far ? [{ i, size: dims?.at(axis) }] : []));
  const unclear = moved.some(({ i, size }) => typeof size !== 'number' && ends[i] < 0 && ends[i] > -far);
  if (moved.length === 0 || unclear) return undefined;
  const cut = emit.call('Slice', [
    x,
    emit.ints(moved.map(() => 0)),
    emit.ints(moved.map(({ i }) => starts[i] + 1)),
    emit.ints(moved.map(({ i }) => along[i])),
  ]);
  const [from, to] = [[...starts], [...ends]];
  for (const { i, size } of moved) {
    from[i] = -1;
    // An end counted from the back is that of the whole axis.
    if (ends[i] < 0) to[i] = typeof size === 'number' && ends[i] + size >= 0 ? ends[i] + size : -far;
  }
  return [emit.call('Slice', [cut, emit.ints(from), emit.ints(to), emit.ints(along), emit.ints(steps)])];
};

/** The kernel has no training mode: the batch's mean and variance are made of simpler operators. */
const batchNormalisation: Rewrite = (emit, node, opset) => {
  if (intOf(node, 'training_mode', 0) !== 1) return undefined;
  const [x, scale, bias, ...running] = node.inputs;
  const [momentum, epsilon] = [floatOf(node, 'momentum', 0.9), floatOf(node, 'epsilon', 1e-5)];
  const dtype = emit.type(scale)?.dtype ?? emit.type(x)?.dtype ?? 'float32';
  const num = (v: number): string => emit.constant(constantOf(dtype, [], [v]));
  const mean = (v: string): string =>
    opset < 18 ? emit.call('ReduceMean', [v], { axes: [0, 2] }) : emit.call('ReduceMean', [v, emit.ints([0, 2])]);
  const along = (v: string): string => emit.Reshape(v, emit.ints([1, -1, 1]));
  const rows = emit.Reshape(x, emit.ints([0, 0, -1]));
  const centre = mean(rows);
  const centred = emit.Sub(rows, centre);
  const variance = mean(emit.Mul(centred, centred));
  const slope = emit.Div(along(scale), emit.Sqrt(emit.Add(variance, num(epsilon))));
  const y = emit.Add(emit.Mul(centred, slope), along(bias));
  const moved = (before: string, now: string): string =>
    emit.Add(emit.Mul(before, num(momentum)), emit.Mul(emit.Reshape(now, emit.ints([-1])), num(1 - momentum)));
  return [emit.Reshape(y, emit.Shape(x)), moved(running[0], centre), moved(running[1], variance)];
};

/** log softmax(x) = x − max x − log Σ exp(x − max x) along one axis. */
const logSoftmax: Rewrite = (emit, node, opset) => {
  if (opset < 18) return undefined;
  const [x] = node.inputs;
  const axis = emit.ints([intOf(node, 'axis', -1)]);
  const shifted = emit.Sub(x, emit.call('ReduceMax', [x, axis]));
  return [emit.Sub(shifted, emit.Log(emit.call('ReduceSum', [emit.Exp(shifted), axis])))];
};

/** sign(x) = [x > 0] − [x < 0]. */
const sign: Rewrite = (emit, node) => {
  const [x] = node.inputs;
  const dtype = emit.type(x)?.dtype;
  if (dtype !== 'float32' && dtype !== 'float16') return undefined;
  const zero = emit.constant(constantOf(dtype, [], [0]));
  const is = (op: string): string => emit.Cast(emit.call(op, [x, zero]), { to: dtypes.indexOf(dtype) });
  return [emit.Sub(is('Greater'), is('Less'))];
};

const sum: Rewrite = (emit, node) => (node.inputs.length > 1 ? [node.inputs.reduce((a, b) => emit.Add(a, b))] : undefined);

/** As FusedConv: the kernel leaves the value to be added out, or ends the process. */
const convolutionAndSum: Rewrite = (emit, node) => {
  const [x, w, b = '', z = ''] = node.inputs;
  const activation = stringOf(node, 'activation', 'Relu');
  const [first = 0, second = 0] = floatsOf(node, 'activation_params') ?? [];
  if (!z || !Object.hasOwn(activations, activation)) return undefined;
  const own = Object.entries(node.attributes).filter(([name]) => !name.startsWith('activation'));
  const wide: Node = {
    op: 'Conv',
    domain: '',
    name: emit.fresh(node.name || 'Conv'),
    inputs: [x, w, b],
    outputs: [],
    attributes: Object.fromEntries(own),
  };
  const y = groupedConvolution(emit, wide, 0)?.[0] ?? emit.call('Conv', [x, w, b], wide.attributes);
  return [activations[activation](emit, emit.Add(y, z), first, second)];
};
const activations: Readonly<Record<string, (emit: Emit, v: string, a: number, b: number) => string>> = {
  Relu: (emit, v) => emit.Relu(v),
  Sigmoid: (emit, v) => emit.Sigmoid(v),
  Tanh: (emit, v) => emit.Tanh(v),
  LeakyRelu: (emit, v, alpha) => emit.call('LeakyRelu', [v], { alpha: float(alpha) }),
  HardSigmoid: (emit, v, alpha, beta) => emit.call('HardSigmoid', [v], { alpha: float(alpha), beta: float(beta) }),
  Clip: (emit, v, low, high) => emit.call('Clip', [v, emit.scalar(low), emit.scalar(high)]),
};

const rewrites: Readonly<Record<string, Rewrite>> = {
  Sign: sign,
  Sum: sum,
  'com.microsoft.FusedConv': convolutionAndSum,
  Conv: groupedConvolution,
  ConvTranspose: groupedTransposed,
  Slice: backwardSlice,
  BatchNormalization: batchNormalisation,
  LogSoftmax: logSoftmax,
};

interface Around {
  readonly opset: number;
  readonly changed: () => void;
  readonly taken: Iterable<string>;
}
const rewritten = (graph: Graph, around: Around, within?: Emit): Graph => {
  const types = new Map(
    [...graph.values, ...graph.inputs.map((i) => [i.name, i.type] as const)].flatMap(([name, t]) =>
      t?.kind === 'tensor' ? [[name, t] as const] : [],
    ),
  );
  const emit = emitter({ types, constants: graph.initializers, taken: around.taken, ...(within ? { within } : {}) });
  for (const node of graph.nodes) {
    const key = node.domain ? `${node.domain}.${node.op}` : node.op;
    const rewrite = Object.hasOwn(rewrites, key) ? rewrites[key] : undefined;
    const values = rewrite?.(emit, node, around.opset);
    if (!values) {
      emit.node(mapSubgraphs(node, (inner) => rewritten(inner, around, emit)));
      continue;
    }
    around.changed();
    node.outputs.forEach((output, i) => void (output && emit.rename(values[i], output)));
  }
  const { name, inputs, outputs } = graph;
  return { ...graph, ...emit.graph(name, inputs, outputs), values: graph.values };
};

/**
 * What ONNX Runtime's WebGPU provider has no kernel for, or a wrong one, written in operators that it has. Law: the outputs are
 * unchanged but for rounding. The model itself where there is nothing to rewrite.
 */
export const forWebGpu = (model: Model): Model => {
  let changed = false;
  const around: Around = {
    opset: model.opsets.get('') ?? 1,
    changed: () => {
      changed = true;
    },
    taken: namesWithin(model.graph),
  };
  const graph = rewritten(model.graph, around);
  return changed ? { ...model, graph } : model;
};
