import { intOf, stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Back, Rule, Rules, Site } from '../rule.ts';
import { axisOf, castLike, dimsOf, num, onesLike, positive, zerosLike } from '../shapes.ts';

/** Operators that read or write by index. Reading adjoins to adding, adding to reading. */
const gatherND: Back = (emit, g, { x: [x, indices], node }) => {
  const batch = intOf(node, 'batch_dims', 0);
  return emit.ScatterND(zerosLike(emit, x), batch === 0 ? indices : flatIndices(emit, indices, batch), g, { reduction: 'add' });
};
/** Indices with the batch numbers written in front, as ScatterND, which has no batch axes, wants them. */
const flatIndices = (emit: Emit, indices: string, batch: number): string => {
  const rank = dimsOf(emit, indices)?.length ?? 0;
  const shape = emit.Concat(emit.call('Shape', [indices], { end: -1 }), emit.ints([1]), { axis: 0 });
  const numbers = Array.from({ length: batch }, (_, i) => {
    const size = emit.Squeeze(emit.call('Shape', [indices], { start: i, end: i + 1 }), emit.ints([0]));
    const range = emit.Range(emit.scalar(0, 'int64'), size, emit.scalar(1, 'int64'));
    return emit.Expand(emit.Reshape(range, emit.ints(Array.from({ length: rank }, (_, k) => (k === i ? -1 : 1)))), shape);
  });
  return emit.Concat(...numbers, indices, { axis: -1 });
};

/** Reads at the indices of a scatter, and its writes. */
interface Access {
  read(emit: Emit, v: string, indices: string): string;
  write(emit: Emit, into: string, indices: string, v: string, reduction?: string): string;
}

/** Where an update replaced an element, that element no longer counts. With several equal indices the last wins, as ONNX leaves open. */
const replaced = ({ read, write }: Access): Rule => ({
  back: [(emit, g, { x: [, i, u] }) => write(emit, g, i, zerosLike(emit, u)), null, (emit, g, { x: [, i] }) => read(emit, g, i)],
});
const addedUp = ({ read }: Access): Rule => ({ back: [(_, g) => g, null, (emit, g, { x: [, i] }) => read(emit, g, i)] });

/** y = x·Πu. For an update: the product of all others, where zeros are counted and divided around. */
const multiplied = ({ read, write }: Access): Rule => ({
  back: [
    (emit, g, { x: [x, i, u] }) => emit.Mul(g, write(emit, onesLike(emit, x), i, u, 'mul')),
    null,
    (emit, g, { x: [x, i, u] }) => {
      const zero = castLike(emit, emit.Equal(u, num(emit, 0, u)), u);
      const filled = emit.Add(u, zero);
      const others = emit.Div(read(emit, write(emit, onesLike(emit, x), i, filled, 'mul'), i), filled);
      const zeros = read(emit, write(emit, zerosLike(emit, x), i, zero, 'add'), i);
      const alone = castLike(emit, emit.Equal(zeros, zero), u);
      return emit.Mul(read(emit, emit.Mul(g, x), i), emit.Mul(others, alone));
    },
  ],
});

/** The extreme takes the gradient; of several equal ones each takes its share (torch.scatter_reduce). */
const extremal = ({ read, write }: Access): Rule => {
  const hits = (emit: Emit, v: string, y: string): string => castLike(emit, emit.Equal(v, y), v);
  const shared = (emit: Emit, g: string, { x: [x, i, u], y: [y] }: Site): string =>
    emit.Div(g, write(emit, hits(emit, x, y), i, hits(emit, u, read(emit, y, i)), 'add'));
  return {
    back: [
      (emit, g, site) => emit.Mul(hits(emit, site.x[0], site.y[0]), shared(emit, g, site)),
      null,
      (emit, g, site) => {
        const [, i, u] = site.x;
        return emit.Mul(hits(emit, u, read(emit, site.y[0], i)), read(emit, shared(emit, g, site), i));
      },
    ],
  };
};

const reductions: Readonly<Record<string, (access: Access) => Rule>> = {
  none: replaced,
  add: addedUp,
  mul: multiplied,
  max: extremal,
  min: extremal,
};
const elements = (node: Node): Rule => {
  const axis = intOf(node, 'axis', 0);
  return reductions[stringOf(node, 'reduction', 'none')]({
    read: (emit, v, i) => emit.GatherElements(v, i, { axis }),
    write: (emit, into, i, v, reduction) => emit.ScatterElements(into, i, v, { axis, reduction }),
  });
};
const nd = (node: Node): Rule =>
  reductions[stringOf(node, 'reduction', 'none')]({
    read: (emit, v, i) => emit.GatherND(v, i),
    write: (emit, into, i, v, reduction) => emit.ScatterND(into, i, v, { reduction }),
  });

/** A cache of keys or values: the update takes the place of the rows from each example's own index on, around the end where circular. */
const tensorScatter: Rule = {
  as: (emit, { node, x: [past, update, at] }) => {
    const rank = dimsOf(emit, past)?.length ?? 0;
    const axis = positive(intOf(node, 'axis', -2), rank);
    const count = emit.Squeeze(emit.call('Shape', [update], { start: axis, end: axis + 1 }), emit.ints([0]));
    const steps = emit.Range(emit.scalar(0, 'int64'), count, emit.scalar(1, 'int64'));
    const shape = (k: number): string => emit.ints(Array.from({ length: rank }, (_, i) => (i === k ? -1 : 1)));
    const along = emit.Reshape(steps, shape(axis));
    const rows = at ? emit.Add(emit.Reshape(at, shape(0)), along) : along;
    const size = emit.call('Shape', [past], { start: axis, end: axis + 1 });
    const wrapped = stringOf(node, 'mode', 'linear') === 'circular' ? emit.call('Mod', [rows, size]) : rows;
    return [emit.ScatterElements(past, emit.Expand(wrapped, emit.Shape(update)), update, { axis })];
  },
};

/** The chosen values' cotangents return to their places. */
const topK: Back = (emit, g, site) => {
  const [x] = site.x;
  const axis = axisOf(emit, site, -1);
  const indices = site.y[1] || emit.calls('TopK', site.x, 2, site.node.attributes)[1];
  return emit.ScatterElements(zerosLike(emit, x), indices, g, { axis });
};

/** Rows kept by the condition, found as numbers when the graph runs. */
const compress: Back = (emit, g, { x: [x, condition], node }) => {
  const given = node.attributes.axis;
  const rows = emit.Reshape(emit.call('NonZero', [condition]), emit.ints([-1]));
  const axis = given?.type === 'int' ? positive(given.value, dimsOf(emit, x)?.length ?? 0) : 0;
  const flat = given ? zerosLike(emit, x) : emit.Reshape(zerosLike(emit, x), emit.ints([-1]));
  const shape = Array.from({ length: given ? (dimsOf(emit, x)?.length ?? 1) : 1 }, (_, i) => (i === axis ? -1 : 1));
  const indices = emit.Expand(emit.Reshape(rows, emit.ints(shape)), emit.Shape(g));
  const out = emit.ScatterElements(flat, indices, g, { axis });
  return given ? out : emit.Reshape(out, emit.Shape(x));
};

const unsqueezed = (emit: Emit, scalar: string): string => emit.Unsqueeze(scalar, emit.ints([0]));

export const selection: Rules = {
  GatherND: { back: [gatherND, null] },
  ScatterElements: elements,
  ScatterND: nd,
  TensorScatter: tensorScatter,
  TopK: { back: [topK, null] },
  Compress: { back: [compress, null] },
  // off + (on − off)·hot
  OneHot: {
    back: [
      null,
      null,
      (emit, g, { x: [i, depth], node }) => {
        const hot = emit.OneHot(i, depth, emit.Concat(unsqueezed(emit, num(emit, 0, g)), unsqueezed(emit, num(emit, 1, g)), { axis: 0 }), {
          axis: intOf(node, 'axis', -1),
        });
        const on = emit.ReduceSum(emit.Mul(g, hot), { keepdims: 0 });
        const off = emit.Sub(emit.ReduceSum(g, { keepdims: 0 }), on);
        return emit.Concat(unsqueezed(emit, off), unsqueezed(emit, on), { axis: 0 });
      },
    ],
  },
};
