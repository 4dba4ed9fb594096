import { sizeOf } from '../base/tensor.ts';
import { intOf, intsOf } from './attribute.ts';
import { affineOf, batchDim } from './batch-dim.ts';
import { numbersOf } from './constant.ts';
import { type At, type Dims, type Infer, like, tensor } from './infer-type.ts';
import { conv, pool, transposed } from './infer-windows.ts';
import { dtypes } from './schema.ts';
import type { Constant, Dim, Node, TensorType } from './types.ts';

/**
 * Types of the values that derivative rules make, so that a rule and the derivative of a derivative know shapes without a run.
 * Types of a model's own values come from probing; what is not in this table stays unknown, which every rule can bear.
 */
const join = (a: Dim, b: Dim): Dim => {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === 'number') return a;
  return typeof b === 'number' ? b : undefined;
};
/** Dims of a broadcast; undefined where a rank is unknown. */
const broadcast = (shapes: readonly Dims[]): Dims => {
  let out: readonly Dim[] = [];
  for (const s of shapes) {
    if (!s) return undefined;
    const rank = Math.max(out.length, s.length);
    const at = (d: readonly Dim[], i: number): Dim => (i < rank - d.length ? 1 : d[i - rank + d.length]);
    const left = out;
    out = Array.from({ length: rank }, (_, i) => join(at(left, i), at(s, i)));
  }
  return out;
};

const same: Infer = ({ x: [a] }) => [a];
const spread: Infer = ({ x }) => like(x[0], broadcast(x.map((t) => t?.dims)));
const compare: Infer = ({ x }) => [tensor('bool', broadcast(x.map((t) => t?.dims)))];

const axesOf = (at: At, rank: number): readonly number[] | undefined => {
  const given = intsOf(at.node, 'axes') ?? (at.node.inputs[1] ? at.ints(1) : []);
  if (!given) return undefined;
  if (given.length === 0) return intOf(at.node, 'noop_with_empty_axes', 0) ? [] : Array.from({ length: rank }, (_, i) => i);
  return given.map((a) => (a < 0 ? a + rank : a));
};
const reduce: Infer = (at) => {
  const dims = at.x[0]?.dims;
  if (!dims) return like(at.x[0], undefined);
  const keep = intOf(at.node, 'keepdims', 1) === 1;
  const axes = axesOf(at, dims.length);
  if (!axes) return like(at.x[0], keep ? dims.map(() => undefined) : undefined);
  return like(at.x[0], keep ? dims.map((d, i) => (axes.includes(i) ? 1 : d)) : dims.filter((_, i) => !axes.includes(i)));
};
const argument: Infer = (at) => {
  const dims = at.x[0]?.dims;
  if (!dims) return [tensor('int64', undefined)];
  const axis = (intOf(at.node, 'axis', 0) + dims.length) % dims.length;
  const keep = intOf(at.node, 'keepdims', 1) === 1;
  return [tensor('int64', keep ? dims.map((d, i) => (i === axis ? 1 : d)) : dims.filter((_, i) => i !== axis))];
};

/** A product of sizes of which at most one follows the batch: k or k·N. */
const product = (dims: readonly Dim[]): Dim =>
  dims.reduce<Dim>((a, b) => {
    const [s, t] = [affineOf(a), affineOf(b)];
    if (!s || !t || (s.scale !== 0 && t.scale !== 0)) return undefined;
    const [n, k] = s.scale === 0 ? [t, s.offset] : [s, t.offset];
    return batchDim({ scale: n.scale * k, offset: n.offset * k });
  }, 1);
const quotient = (a: Dim, b: Dim): Dim => {
  const [s, t] = [affineOf(a), affineOf(b)];
  if (!s || !t) return undefined;
  if (t.scale === 0)
    return t.offset === 0 || s.scale % t.offset || s.offset % t.offset
      ? undefined
      : batchDim({ scale: s.scale / t.offset, offset: s.offset / t.offset });
  const times = s.scale / t.scale;
  return Number.isInteger(times) && times * t.offset === s.offset ? times : undefined;
};

const reshape: Infer = (at) => {
  const from = at.x[0]?.dims;
  const to = at.ints(1);
  if (!to) {
    const rank = at.x[1]?.dims?.[0];
    return like(at.x[0], typeof rank === 'number' ? Array.from({ length: rank }, () => undefined) : undefined);
  }
  const copies = intOf(at.node, 'allowzero', 0) === 0;
  const dims: Dim[] = to.map((d, i) => (d === 0 && copies ? from?.[i] : d === -1 ? undefined : d));
  const hole = to.indexOf(-1);
  if (hole >= 0 && from) dims[hole] = quotient(product(from), product(dims.filter((_, i) => i !== hole)));
  return like(at.x[0], dims);
};

const sliced = (dim: Dim, start: number, end: number, step: number): Dim => {
  if (typeof dim !== 'number') {
    // The whole axis, forwards or backwards, whatever its size.
    const whole = step > 0 ? start === 0 && end >= 2 ** 31 - 1 : start === -1 && end <= -(2 ** 31) + 1;
    return whole && Math.abs(step) === 1 ? dim : undefined;
  }
  const clamp = (v: number, low: number, high: number): number => Math.min(Math.max(v < 0 ? v + dim : v, low), high);
  const [from, to] = step > 0 ? [clamp(start, 0, dim), clamp(end, 0, dim)] : [clamp(start, 0, dim - 1), clamp(end, -1, dim - 1)];
  return Math.max(0, Math.ceil((to - from) / step));
};
const slice: Infer = (at) => {
  const dims = at.x[0]?.dims;
  const [starts, ends] = [at.ints(1), at.ints(2)];
  const axes = at.node.inputs[3] ? at.ints(3) : starts?.map((_, i) => i);
  const steps = at.node.inputs[4] ? at.ints(4) : starts?.map(() => 1);
  if (!dims) return like(at.x[0], undefined);
  if (!axes)
    return like(
      at.x[0],
      dims.map(() => undefined),
    );
  const out = [...dims];
  axes.forEach((a, i) => {
    const axis = a < 0 ? a + dims.length : a;
    out[axis] = starts && ends && steps ? sliced(dims[axis], starts[i], ends[i], steps[i]) : undefined;
  });
  return like(at.x[0], out);
};

const matmul: Infer = ({ x: [a, b], node }) => {
  let [s, t] = [a?.dims, b?.dims];
  if (!s || !t || s.length === 0 || t.length === 0) return like(a, undefined);
  if (intOf(node, 'transA', 0) && s.length > 1) s = [...s.slice(0, -2), s[s.length - 1], s[s.length - 2]];
  if (intOf(node, 'transB', 0) && t.length > 1) t = [...t.slice(0, -2), t[t.length - 1], t[t.length - 2]];
  const batch = broadcast([s.slice(0, -2), t.slice(0, -2)]) ?? [];
  return like(a, [...batch, ...(s.length > 1 ? [s[s.length - 2]] : []), ...(t.length > 1 ? [t[t.length - 1]] : [])]);
};

const drawn: Infer = ({ x: [a], node }) => {
  const told = intOf(node, 'dtype', 0);
  return told ? [tensor(dtypes[told], a?.dims)] : [a];
};

const table: Readonly<Record<string, Infer>> = {
  ...Object.fromEntries(
    [
      ...[
        'Abs',
        'Ceil',
        'Clip',
        'Cos',
        'CumSum',
        'Erf',
        'Exp',
        'Floor',
        'Identity',
        'Log',
        'LogSoftmax',
        'Neg',
        'Not',
        'Reciprocal',
        'Relu',
      ],
      ...['Round', 'Sigmoid', 'Sign', 'Sin', 'Softmax', 'Softplus', 'Sqrt', 'Tanh', 'Trilu', 'ReverseSequence', 'LeakyRelu', 'Elu'],
      ...['ScatterElements', 'ScatterND', 'Cosh', 'Sinh', 'Tan', 'Atan', 'Asin', 'Acos', 'Softsign', 'HardSigmoid'],
      ...['Gelu', 'HardSwish', 'Mish', 'Selu', 'Celu', 'ThresholdedRelu', 'LayerNormalization'],
    ].map((op) => [op, same]),
  ),
  ...Object.fromEntries(['Add', 'Div', 'Mul', 'Sub', 'Max', 'Min', 'Sum', 'Mean', 'Mod', 'Pow'].map((op) => [op, spread])),
  ...Object.fromEntries(['And', 'Or', 'Xor', 'Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual'].map((op) => [op, compare])),
  ...Object.fromEntries(
    ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSum', 'LogSumExp'].map((k) => [`Reduce${k}`, reduce]),
  ),
  ArgMax: argument,
  ArgMin: argument,
  ...Object.fromEntries(['RandomNormalLike', 'RandomUniformLike', 'Bernoulli'].map((op) => [op, drawn])),
  IsNaN: ({ x: [a] }) => [tensor('bool', a?.dims)],
  IsInf: ({ x: [a] }) => [tensor('bool', a?.dims)],
  Where: ({ x: [c, a, b] }) => like(a, broadcast([c?.dims, a?.dims, b?.dims])),
  Cast: ({ x: [a], node }) => [tensor(dtypes[intOf(node, 'to', 1)], a?.dims)],
  Shape: ({ x: [a], node }) => [tensor('int64', [a?.dims?.slice(intOf(node, 'start', 0), intOf(node, 'end', a.dims.length)).length])],
  Size: () => [tensor('int64', [])],
  MatMul: matmul,
  FusedMatMul: matmul,
  Gemm: ({ node, x: [a, b] }) =>
    like(a, a?.dims && b?.dims ? [a.dims[intOf(node, 'transA', 0)], b.dims[1 - intOf(node, 'transB', 0)]] : undefined),
  Conv: conv,
  ConvTranspose: transposed,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: ({ x: [a] }) =>
    like(
      a,
      a?.dims?.map((d, i) => (i < 2 ? d : 1)),
    ),
  GlobalMaxPool: ({ x: [a] }) =>
    like(
      a,
      a?.dims?.map((d, i) => (i < 2 ? d : 1)),
    ),
  // What is quantised has the type of its zero point.
  QuantizeLinear: ({ node, x: [a, , z] }) => [tensor(z?.dtype ?? dtypes[intOf(node, 'output_dtype', 0) || 2], a?.dims)],
  DequantizeLinear: ({ x: [a, s] }) => like(s, a?.dims),
  DynamicQuantizeLinear: ({ x: [a] }) => [tensor('uint8', a?.dims), tensor('float32', []), tensor('uint8', [])],
  MatMulInteger: (at) => [tensor('int32', matmul(at)[0]?.dims)],
  ConvInteger: (at) => [tensor('int32', conv(at)[0]?.dims)],
  QLinearMatMul: (at) => like(at.x[7], matmul({ ...at, x: [at.x[0], at.x[3]] })[0]?.dims),
  QLinearConv: (at) => like(at.x[7], conv({ ...at, x: [at.x[0], at.x[3]] })[0]?.dims),
  Transpose: ({ node, x: [a] }) => {
    const dims = a?.dims;
    return like(a, dims && (intsOf(node, 'perm')?.map((p) => dims[p]) ?? dims.toReversed()));
  },
  Reshape: reshape,
  Flatten: ({ node, x: [a] }) => {
    if (!a?.dims) return like(a, [undefined, undefined]);
    const axis = intOf(node, 'axis', 1);
    const at = axis < 0 ? axis + a.dims.length : axis;
    return like(a, [product(a.dims.slice(0, at)), product(a.dims.slice(at))]);
  },
  Squeeze: (at) => {
    const dims = at.x[0]?.dims;
    const axes = at.node.inputs[1] ? at.ints(1) : intsOf(at.node, 'axes');
    if (!dims || !axes) return like(at.x[0], undefined);
    const gone = axes.map((a) => (a < 0 ? a + dims.length : a));
    return like(
      at.x[0],
      dims.filter((_, i) => !gone.includes(i)),
    );
  },
  Unsqueeze: (at) => {
    const dims = at.x[0]?.dims;
    const axes = at.node.inputs[1] ? at.ints(1) : intsOf(at.node, 'axes');
    if (!dims || !axes) return like(at.x[0], undefined);
    const rank = dims.length + axes.length;
    const added = axes.map((a) => (a < 0 ? a + rank : a));
    let next = 0;
    return like(
      at.x[0],
      Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : dims[next++])),
    );
  },
  Slice: slice,
  Split: (at) => {
    const dims = at.x[0]?.dims;
    const sizes = at.node.inputs[1] ? at.ints(1) : undefined;
    const axis = dims && (intOf(at.node, 'axis', 0) + dims.length) % dims.length;
    return at.node.outputs.map(
      (_, k) =>
        at.x[0] &&
        tensor(
          at.x[0].dtype,
          dims?.map((d, i) => (i === axis ? sizes?.[k] : d)),
        ),
    );
  },
  Concat: ({ node, x }) => {
    const first = x[0]?.dims;
    if (!first || x.some((t) => !t?.dims)) return like(x[0], undefined);
    const axis = (intOf(node, 'axis', 0) + first.length) % first.length;
    return like(
      x[0],
      first.map((d, i) => {
        const all = x.map((t) => t?.dims?.[i]);
        if (i !== axis) return all.find((v) => typeof v === 'number') ?? d;
        return all.every((v): v is number => typeof v === 'number') ? all.reduce((n, v) => n + v, 0) : undefined;
      }),
    );
  },
  Pad: (at) => {
    const dims = at.x[0]?.dims;
    const pads = at.ints(1);
    const axes = at.node.inputs[3] ? at.ints(3) : dims?.map((_, i) => i);
    if (!dims || !pads || !axes)
      return like(
        at.x[0],
        dims?.map(() => undefined),
      );
    const out = [...dims];
    axes.forEach((axis, i) => {
      const a = axis < 0 ? axis + dims.length : axis;
      const d = dims[a];
      const more = pads[i] + pads[i + axes.length];
      out[a] = typeof d === 'number' ? d + more : more === 0 ? d : undefined;
    });
    return like(at.x[0], out);
  },
  Expand: (at) => {
    const to = at.ints(1);
    const rank = at.x[1]?.dims?.[0];
    if (to) return like(at.x[0], broadcast([at.x[0]?.dims, to]));
    return like(at.x[0], typeof rank === 'number' ? Array.from({ length: rank }, () => undefined) : undefined);
  },
  Tile: (at) => {
    const by = at.ints(1);
    return like(
      at.x[0],
      at.x[0]?.dims?.map((d, i) => (by === undefined ? undefined : typeof d === 'number' ? d * by[i] : by[i] === 1 ? d : undefined)),
    );
  },
  Gather: ({ node, x: [a, b] }) => {
    if (!a?.dims || !b?.dims) return like(a, undefined);
    const axis = (intOf(node, 'axis', 0) + a.dims.length) % a.dims.length;
    return like(a, [...a.dims.slice(0, axis), ...b.dims, ...a.dims.slice(axis + 1)]);
  },
  GatherElements: ({ x: [a, b] }) => like(a, b?.dims),
  GatherND: ({ node, x: [a, b] }) => {
    const last = b?.dims?.at(-1);
    if (!a?.dims || !b?.dims || typeof last !== 'number') return like(a, undefined);
    return like(a, [...b.dims.slice(0, -1), ...a.dims.slice(intOf(node, 'batch_dims', 0) + last)]);
  },
  Range: (at) => {
    const [a, b, c] = [at.ints(0)?.[0], at.ints(1)?.[0], at.ints(2)?.[0]];
    const known = a !== undefined && b !== undefined && c !== undefined;
    return like(at.x[0], [known ? Math.max(0, Math.ceil((b - a) / c)) : undefined]);
  },
  ConstantOfShape: (at) => {
    const value = at.node.attributes.value;
    return [tensor(value?.type === 'tensor' ? value.value.dtype : 'float32', at.ints(0) ?? undefined)];
  },
};

/** Types of a node's outputs as far as the table knows them. */
export const infer = (
  node: Node,
  typeOf: (value: string) => TensorType | undefined,
  constantOf: (value: string) => Constant | undefined,
): readonly (TensorType | undefined)[] => {
  const rule = node.domain === '' || node.op === 'FusedMatMul' ? table[node.op] : undefined;
  if (!rule) return [];
  return rule({
    node,
    x: node.inputs.map((name) => typeOf(name)),
    ints(input) {
      const c = constantOf(node.inputs[input] ?? '');
      return c?.bytes && sizeOf(c.dims) <= 64 ? numbersOf(c) : undefined;
    },
  });
};
