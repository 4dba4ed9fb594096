import { intOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Back, Rule, Rules, Site } from '../rule.ts';
import { axisOf, castLike, dimsOf, expandLike, given, num, positive, rankOf, reductionAxes, sizeAt } from '../shapes.ts';

/** Reductions. `v`, of the output's shape, is brought back to rank so that it broadcasts against the input. */
const keep = (emit: Emit, v: string, site: Site): string => {
  const x = site.x[0];
  if (intOf(site.node, 'keepdims', 1) === 1) return v;
  const { all, axes, value } = reductionAxes(emit, site);
  if (!all && axes?.length === 0) return v;
  // A single number broadcasts as it is.
  if (all) return v;
  const rank = rankOf(emit, x);
  return axes && rank !== undefined
    ? emit.Unsqueeze(v, emit.ints(axes.map((a) => positive(a, rank)).sort((a, b) => a - b)))
    : emit.Unsqueeze(v, value ?? '');
};
const isIdentity = (emit: Emit, site: Site): boolean => {
  const { all, axes } = reductionAxes(emit, site);
  return !all && axes?.length === 0;
};

/** How many elements were folded into each, as a scalar in x's type. */
const count = (emit: Emit, { x: [x], y: [y] }: Site): string => {
  const sizes = (v: string): string => castLike(emit, emit.Size(v), x);
  return rankOf(emit, y) === 0 ? sizes(x) : emit.Div(sizes(x), sizes(y));
};
const countOf = (emit: Emit, site: Site): string => {
  const dims = dimsOf(emit, site.x[0]);
  const { all, axes } = reductionAxes(emit, site);
  const folded = all ? dims : dims && axes?.map((a) => dims[positive(a, dims.length)]);
  return folded?.every((d) => typeof d === 'number')
    ? num(
        emit,
        folded.reduce<number>((n, d) => n * Number(d), 1),
        site.x[0],
      )
    : count(emit, site);
};

const reduction = (back: (emit: Emit, g: string, site: Site, y: string) => string): Rule => ({
  back: [
    (emit, g, site) =>
      isIdentity(emit, site) ? back(emit, g, site, site.y[0]) : back(emit, keep(emit, g, site), site, keep(emit, site.y[0], site)),
    null,
  ],
});

/** Ties share the gradient equally (torch.amax). */
const extreme: Rule = reduction((emit, g, { x: [x], node }, y) => {
  const hit = castLike(emit, emit.Equal(x, y), x);
  const axes = node.inputs[1] ? [node.inputs[1]] : [];
  const { noop_with_empty_axes, axes: given } = node.attributes;
  return emit.Mul(
    hit,
    emit.Div(
      g,
      emit.ReduceSum(hit, ...(given ? [emit.ints(given.type === 'ints' ? given.value : [])] : axes), { noop_with_empty_axes, keepdims: 1 }),
    ),
  );
});

/** The product of all others: where zeros are among them, they are counted, and divided around. */
const product: Back = (emit, g, site) => {
  const [x] = site.x;
  const { value } = reductionAxes(emit, site);
  const axes = value ? [value] : [];
  const noop = { noop_with_empty_axes: intOf(site.node, 'noop_with_empty_axes', 0), keepdims: 1 };
  const zero = castLike(emit, emit.Equal(x, num(emit, 0, x)), x);
  const zeros = emit.ReduceSum(zero, ...axes, noop);
  // x with its zeros replaced by ones; the product of the others is 0 unless every zero is this element itself.
  const filled = emit.Add(x, zero);
  const rest = emit.call('ReduceProd', [filled, ...axes], noop);
  const alone = castLike(emit, emit.Equal(zeros, zero), x);
  return emit.Mul(keep(emit, g, site), emit.Mul(alone, emit.Div(rest, filled)));
};

/**
 * dx_k = Σ_j g_j·Π_{i≤j, i≠k} x_i, zeros and all: for every k the running product with x_k taken as 1, [.., k, j]; elements
 * before k (after it, where reversed; k itself, where exclusive) do not depend on it.
 */
const runningProduct: Back = (emit, g, { x: [x, axisInput], node }) => {
  const rank = rankOf(emit, x) ?? 1;
  const axis = positive(given(emit, axisInput)?.[0] ?? 0, rank);
  const order = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const back = { perm: order.map((_, i) => order.indexOf(i)) };
  const rows = emit.Transpose(x, { perm: order });
  const [exclusive, reverse] = [intOf(node, 'exclusive', 0), intOf(node, 'reverse', 0)];
  const size = emit.Squeeze(sizeAt(emit, x, axis), emit.ints([0]));
  const j = emit.Range(emit.scalar(0, 'int64'), size, emit.scalar(1, 'int64'));
  const k = emit.Unsqueeze(j, emit.ints([1]));
  const without = emit.Where(emit.Equal(k, j), num(emit, 1, x), emit.Unsqueeze(rows, emit.ints([-2])));
  const products = emit.call('CumProd', [without, emit.scalar(rank, 'int64')], { exclusive, reverse });
  const [first, second] = reverse === 1 ? [k, j] : [j, k];
  const counts = castLike(emit, exclusive === 1 ? emit.Greater(first, second) : emit.GreaterOrEqual(first, second), x);
  const terms = emit.Mul(emit.Mul(products, counts), emit.Unsqueeze(emit.Transpose(g, { perm: order }), emit.ints([-2])));
  return emit.Transpose(emit.ReduceSum(terms, emit.ints([-1]), { keepdims: 0 }), back);
};

export const reduce: Rules = {
  ReduceSum: reduction((emit, g, { x: [x] }) => expandLike(emit, g, x)),
  ReduceMean: reduction((emit, g, site) => expandLike(emit, emit.Div(g, countOf(emit, site)), site.x[0])),
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceProd: { back: [product, null] },
  ReduceL1: reduction((emit, g, { x: [x] }) => emit.Mul(g, emit.Sign(x))),
  // 0 where the norm is 0 (torch.linalg.vector_norm).
  ReduceL2: reduction((emit, g, { x: [x] }, y) => {
    const safe = emit.Where(emit.Equal(y, num(emit, 0, y)), num(emit, 1, y), y);
    return emit.Mul(x, emit.Div(g, safe));
  }),
  ReduceSumSquare: reduction((emit, g, { x: [x] }) => emit.Mul(g, emit.Mul(num(emit, 2, x), x))),
  ReduceLogSum: reduction((emit, g, { x: [x] }, y) => expandLike(emit, emit.Div(g, emit.Exp(y)), x)),
  ReduceLogSumExp: reduction((emit, g, { x: [x] }, y) => emit.Mul(g, emit.Exp(emit.Sub(x, y)))),
  CumSum: {
    back: [
      (emit, g, { x: [, axis], node }) =>
        emit.CumSum(g, axis, { exclusive: intOf(node, 'exclusive', 0), reverse: 1 - intOf(node, 'reverse', 0) }),
      null,
    ],
  },
  CumProd: { back: [runningProduct, null] },
  Softmax: {
    back: [
      (emit, g, site) => {
        const [y] = site.y;
        const axis = emit.ints([axisOf(emit, site, -1)]);
        return emit.Mul(y, emit.Sub(g, emit.ReduceSum(emit.Mul(g, y), axis, { keepdims: 1 })));
      },
    ],
  },
  LogSoftmax: {
    back: [
      (emit, g, site) => {
        const total = emit.ReduceSum(g, emit.ints([axisOf(emit, site, -1)]), { keepdims: 1 });
        return emit.Sub(g, emit.Mul(emit.Exp(site.y[0]), total));
      },
    ],
  },
};
