import { intOf, stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Back, Rule, Rules } from '../rule.ts';
import { axisOf, dimsOf, num, positive, zerosLike } from '../shapes.ts';

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

/** Where an update replaced an element, that element no longer counts. With several equal indices the last wins, as ONNX leaves open. */
const scatter = (
  reduction: string,
  read: (emit: Emit, v: string, indices: string, node: Node) => string,
  write: (emit: Emit, into: string, indices: string, v: string, node: Node, reduction?: string) => string,
): Rule => {
  if (reduction === 'add') return { back: [(_, g) => g, null, (emit, g, { x: [, i], node }) => read(emit, g, i, node)] };
  return {
    back: [
      (emit, g, { x: [, i, u], node }) => write(emit, g, i, zerosLike(emit, u), node),
      null,
      (emit, g, { x: [, i], node }) => read(emit, g, i, node),
    ],
  };
};
const elements = (node: Node): Rule =>
  scatter(
    stringOf(node, 'reduction', 'none'),
    (emit, v, i, at) => emit.GatherElements(v, i, { axis: intOf(at, 'axis', 0) }),
    (emit, into, i, v, at) => emit.ScatterElements(into, i, v, { axis: intOf(at, 'axis', 0) }),
  );
const nd = (node: Node): Rule =>
  scatter(
    stringOf(node, 'reduction', 'none'),
    (emit, v, i) => emit.GatherND(v, i),
    (emit, into, i, v) => emit.ScatterND(into, i, v),
  );

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
