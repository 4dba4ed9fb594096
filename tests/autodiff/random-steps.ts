import { sizeOf } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import type { Emit } from '../../src/graph/emit.ts';

export type Float = 'float32' | 'float64';

/** A value of a random graph: all its sizes are numbers, and no element is far beyond `bound`. */
export interface Part {
  readonly name: string;
  readonly dims: readonly number[];
  readonly bound: number;
}

/** What a step may use: the values so far, chance of its own, and new values. */
export interface Maker {
  readonly emit: Emit;
  readonly float: Float;
  /** A whole number in [0, n). */
  draw(n: number): number;
  pick<T>(from: readonly T[]): T;
  /** A value made before; one without elements only where `empty`. */
  value(empty?: boolean): Part;
  /** A new input that is differentiated. */
  leaf(dims: readonly number[], values?: readonly number[]): Part;
  /** Some value in this shape: its elements in order, again from the start where there are too few. */
  shaped(part: Part, dims: readonly number[]): Part;
  /** Mapped into [low, high]. */
  within(part: Part, low: number, high: number): Part;
  /** Announces the output of a step. */
  made(name: string, dims: readonly number[], bound: number): Part;
}
type Step = (m: Maker) => void;

/** Values beyond this are brought back before they grow further. */
const largest = 20;
const tame = (m: Maker, part: Part): Part => (part.bound > largest ? m.within(part, -2, 2) : part);

const unary =
  (op: string, low: number, high: number, bound: (b: number) => number): Step =>
  (m) => {
    const x = m.within(tame(m, m.value(true)), low, high);
    m.made(m.emit.call(op, [x.name]), x.dims, bound(x.bound));
  };
const broadcast = (a: readonly number[], b: readonly number[]): number[] => {
  const rank = Math.max(a.length, b.length);
  const at = (d: readonly number[], i: number): number => d[i - rank + d.length] ?? 1;
  return Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i)));
};
/** A second operand: the same value, or another brought into a shape that broadcasts with the first. */
const partner = (m: Maker, a: Part): Part => {
  if (m.draw(5) === 0) return a;
  const kept = a.dims.slice(m.draw(a.dims.length + 1));
  const dims = kept.map((d) => (m.draw(3) === 0 ? 1 : d));
  const wider = m.draw(4) === 0 && dims.length === a.dims.length && dims.length < 4 ? [2, ...dims] : dims;
  return tame(m, m.shaped(m.value(), wider));
};
const binary =
  (op: string, bound: (a: number, b: number) => number, range?: readonly [number, number]): Step =>
  (m) => {
    const a = tame(m, m.value(true));
    const b = partner(m, a);
    const second = range ? m.within(b, ...range) : b;
    const [x, y] = m.draw(2) === 0 || range ? [a, second] : [second, a];
    m.made(m.emit.call(op, [x.name, y.name]), broadcast(a.dims, second.dims), bound(a.bound, second.bound));
  };

const axesOf = (m: Maker, rank: number): number[] => {
  const some = Array.from({ length: rank }, (_, i) => i).filter(() => m.draw(2) === 0);
  return some.length > 0 || rank === 0 ? some : [m.draw(rank)];
};
const reduced =
  (op: string, low: number, high: number, bound: (b: number, count: number) => number): Step =>
  (m) => {
    const x = m.within(tame(m, m.value(op === 'ReduceSum')), low, high);
    const axes = axesOf(m, x.dims.length);
    const keep = m.draw(2);
    const dims = x.dims.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d]));
    const count = sizeOf(axes.map((a) => x.dims[a]));
    // ONNX Runtime 1.30 overlooks negative axes where there are no elements.
    const signed = axes.map((a) => (m.draw(2) || sizeOf(x.dims) === 0 ? a : a - x.dims.length));
    // No axes given would mean all of them.
    const inputs = axes.length > 0 ? [x.name, m.emit.ints(signed)] : [x.name];
    m.made(m.emit.call(op, inputs, { keepdims: keep }), axes.length > 0 ? dims : x.dims.map(() => 1), bound(x.bound, count));
  };

const same = (b: number): number => b;
const one = (): number => 1;

/** Steps whose operands take the shapes of the values before them; the rest of the table comes from the cases of each operator. */
export const glue: readonly Step[] = [
  unary('Sin', -largest, largest, one),
  unary('Tanh', -2, 2, one),
  unary('Sigmoid', -4, 4, one),
  unary('Relu', -largest, largest, same),
  unary('LeakyRelu', -largest, largest, same),
  unary('Abs', -largest, largest, same),
  unary('Exp', -2, 2, Math.exp),
  unary('Log', 0.3, 3, () => 1.3),
  unary('Sqrt', 0.3, 4, Math.sqrt),
  unary('Reciprocal', 0.5, 3, () => 2),
  unary('Softplus', -4, 4, (b) => b + 1),
  unary('Erf', -2, 2, one),
  binary('Add', (a, b) => a + b),
  binary('Sub', (a, b) => a + b),
  binary('Mul', (a, b) => a * b),
  binary('Div', (a) => 2 * a, [0.5, 2]),
  binary('Max', Math.max),
  binary('Min', Math.max),
  reduced('ReduceSum', -largest, largest, (b, n) => b * n),
  reduced('ReduceMean', -largest, largest, same),
  reduced('ReduceMax', -largest, largest, same),
  reduced('ReduceL2', 0.1, 3, (b, n) => b * Math.sqrt(n)),
  reduced('ReduceLogSumExp', -3, 3, (b, n) => b + Math.log(n + 1)),
  reduced('ReduceProd', -1.5, 1.5, (b, n) => Math.max(1, b ** n)),
  (m) => {
    const x = m.value(true);
    const order = x.dims.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = m.draw(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    m.made(
      m.emit.Transpose(x.name, { perm: order }),
      order.map((i) => x.dims[i]),
      x.bound,
    );
  },
  (m) => {
    const x = m.value();
    const n = sizeOf(x.dims);
    const divisors = Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);
    const d = m.pick(divisors);
    m.made(m.emit.Reshape(x.name, m.emit.ints(m.draw(2) ? [d, -1] : [d, n / d])), [d, n / d], x.bound);
  },
  (m) => {
    const x = m.value(true);
    if (x.dims.length === 0) return void m.made(m.emit.Unsqueeze(x.name, m.emit.ints([0])), [1], x.bound);
    const axis = m.draw(x.dims.length);
    const other = m.value();
    const width = 1 + m.draw(2);
    const rest = m.shaped(
      other,
      x.dims.map((d, i) => (i === axis ? width : d)),
    );
    const dims = x.dims.map((d, i) => (i === axis ? d + width : d));
    m.made(m.emit.Concat(x.name, rest.name, { axis: m.draw(2) ? axis : axis - x.dims.length }), dims, Math.max(x.bound, other.bound));
  },
  (m) => {
    const x = m.value();
    if (x.dims.length === 0) return void m.made(m.emit.Identity(x.name), [], x.bound);
    const axis = m.draw(x.dims.length);
    const start = m.draw(x.dims[axis]);
    const step = m.pick([1, 2, -1]);
    const end = step > 0 ? 2 ** 31 - 1 : -(2 ** 31);
    const count = step > 0 ? Math.ceil((x.dims[axis] - start) / step) : start + 1;
    const ints = [[start], [end], [axis], [step]].map((v) => m.emit.ints(v));
    m.made(
      m.emit.Slice(x.name, ...ints),
      x.dims.map((d, i) => (i === axis ? count : d)),
      x.bound,
    );
  },
  (m) => {
    const x = m.value();
    if (x.dims.length === 0) return void m.made(m.emit.Identity(x.name), [], x.bound);
    const axis = m.draw(x.dims.length);
    const rows = Array.from({ length: 1 + m.draw(4) }, () => m.draw(2 * x.dims[axis]) - x.dims[axis]);
    m.made(m.emit.Gather(x.name, m.emit.ints(rows), { axis }), [...x.dims.slice(0, axis), rows.length, ...x.dims.slice(axis + 1)], x.bound);
  },
  (m) => {
    const x = m.value(true);
    const dims = x.dims.map((d) => (d === 1 ? 1 + m.draw(3) : d));
    const to = x.dims.length < 4 && m.draw(2) ? [2, ...dims] : dims;
    m.made(m.emit.Expand(x.name, m.emit.ints(to)), to, x.bound);
  },
  (m) => {
    const x = m.value(true);
    const other = tame(m, partner(m, x));
    const dims = broadcast(x.dims, other.dims);
    const mask = constantOf(
      'bool',
      dims,
      Array.from({ length: sizeOf(dims) }, () => m.draw(2)),
    );
    const [a, b] = m.draw(2) ? [x, other] : [other, x];
    m.made(m.emit.Where(m.emit.constant(mask), a.name, b.name), dims, Math.max(x.bound, other.bound));
  },
  (m) => {
    const x = tame(m, m.value());
    const dims = x.dims.length > 0 ? x.dims : [1];
    const from = m.shaped(x, dims);
    const inner = dims[dims.length - 1];
    const width = 1 + m.draw(3);
    const w = m.draw(2) ? m.leaf([inner, width]) : tame(m, m.shaped(m.value(), [inner, width]));
    m.made(m.emit.MatMul(from.name, w.name), [...dims.slice(0, -1), width], inner * x.bound * w.bound);
  },
  (m) => {
    const x = tame(m, m.value());
    const dims = x.dims.length > 0 ? x.dims : [1];
    m.made(m.emit.Softmax(m.shaped(x, dims).name, { axis: m.draw(dims.length) }), dims, 1);
  },
  (m) => {
    const x = tame(m, m.value());
    const dims = x.dims.length > 0 ? x.dims : [1];
    const axis = m.draw(dims.length);
    m.made(
      m.emit.CumSum(m.shaped(x, dims).name, m.emit.scalar(axis, 'int64'), { reverse: m.draw(2), exclusive: m.draw(2) }),
      dims,
      x.bound * dims[axis],
    );
  },
];
