import { Fault } from '../../base/fault.ts';
import { floatOf, intOf, intsOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { called } from '../../graph/walk.ts';
import type { Rule, Rules } from '../rule.ts';
import { cast, dimsOf, dtypeOf, num, rankOf, sizeAt } from '../shapes.ts';

/** [B, S, N·H] as [B, N, S, H]. */
export const toHeads = (emit: Emit, x: string, heads: number): string =>
  emit.Transpose(emit.Reshape(x, emit.ints([0, 0, heads, -1])), { perm: [0, 2, 1, 3] });
const fromHeads = (emit: Emit, x: string): string => emit.Reshape(emit.Transpose(x, { perm: [0, 2, 1, 3] }), emit.ints([0, 0, -1]));

const count = (emit: Emit, from: string, to: string): string => {
  const scalar = (v: string): string => emit.Squeeze(v, emit.ints([0]));
  return emit.Range(scalar(from), scalar(to), emit.scalar(1, 'int64'));
};
/** 0, 1, … up to a size, which is a vector of one. */
export const numbersUpTo = (emit: Emit, size: string): string => count(emit, emit.ints([0]), size);
/** Lowest float32: what ONNX Runtime puts where a query may not look ahead. */
export const lowest = -3.4028234663852886e38;

/** Forms that serve generation only are refused, so that no part of a derivative is left out in silence. */
export const refuseWhere = (node: Node, forms: Readonly<Record<string, boolean>>): void => {
  for (const [form, present] of Object.entries(forms))
    if (present) throw new Fault('graph/unsupported', { node: called(node), reason: `${form} has no derivative` });
};

/** 1/√H, or as the node says. */
export const scaleOf = (emit: Emit, node: Node, q: string): string => {
  const given = floatOf(node, 'scale', 0);
  if (given !== 0) return num(emit, given, q);
  const size = dimsOf(emit, q)?.at(-1);
  if (typeof size === 'number') return num(emit, 1 / Math.sqrt(size), q);
  return emit.Reciprocal(emit.Sqrt(cast(emit, emit.Squeeze(sizeAt(emit, q, 3), emit.ints([0])), dtypeOf(emit, q))));
};

interface Heads {
  /** [B, N, S, H], [B, N, T, H], [B, N, T, V] */
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly scale: string;
  /** Added to the scores, each broadcast to [B, N, S, T]; '' for none. */
  readonly added: readonly string[];
  /** Where a query at row s may look no further than column `past` + s: that number. */
  readonly past?: string;
}

/** softmax(s·q·kᵀ + …)·v as [B, S, N·V], and the scores. */
const attend = (emit: Emit, { q, k, v, scale, added, past }: Heads): { readonly y: string; readonly scores: string } => {
  const product = emit.MatMul(emit.Mul(q, scale), emit.Transpose(k, { perm: [0, 1, 3, 2] }));
  const open = added.filter((a) => a).reduce((sum, a) => emit.Add(sum, a), product);
  const behind = (first: string): string => {
    const rows = emit.Unsqueeze(count(emit, first, emit.Add(first, sizeAt(emit, q, 2))), emit.ints([1]));
    return emit.GreaterOrEqual(rows, numbersUpTo(emit, sizeAt(emit, k, 2)));
  };
  const scores = past === undefined ? open : emit.Where(behind(past), open, num(emit, lowest, open));
  return { y: fromHeads(emit, emit.MatMul(emit.Softmax(scores, { axis: -1 }), v)), scores };
};

/**
 * A mask of whole numbers as a term of the scores: per key [B, T], per query and key [B, S, T], or as the end of each row's
 * keys [B], followed by their starts [2B].
 */
const maskTerm = (emit: Emit, mask: string | undefined, node: Node, q: string, k: string): string => {
  if (!mask) return '';
  const term = (open: string): string => emit.Where(open, num(emit, 0, q), num(emit, floatOf(node, 'mask_filter_value', -10000), q));
  const positive = (): string => emit.Greater(mask, emit.scalar(0, 'int32'));
  const rank = rankOf(emit, mask);
  if (rank === 2) return term(emit.Unsqueeze(positive(), emit.ints([1, 2])));
  if (rank === 3) return term(emit.Unsqueeze(positive(), emit.ints([1])));
  const batch = sizeAt(emit, q, 0);
  const twice = emit.Mul(batch, emit.ints([2]));
  const bounds = emit.Cast(emit.Pad(mask, emit.Concat(emit.ints([0]), emit.Sub(twice, emit.Shape(mask)), { axis: 0 })), { to: 7 });
  const part = (from: string, to: string): string => emit.Reshape(emit.Slice(bounds, from, to, emit.ints([0])), emit.ints([-1, 1, 1, 1]));
  const column = numbersUpTo(emit, sizeAt(emit, k, 2));
  return term(emit.And(emit.Less(column, part(emit.ints([0]), batch)), emit.GreaterOrEqual(column, part(batch, twice))));
};
const joined = (emit: Emit, past: string, now: string): string => (past ? emit.Concat(past, now, { axis: 2 }) : now);
const lengthOf = (emit: Emit, past: string): string => (past ? sizeAt(emit, past, 2) : emit.ints([0]));
const causal = (emit: Emit, node: Node, past: string): { readonly past?: string } =>
  intOf(node, 'unidirectional', 0) === 1 ? { past: lengthOf(emit, past) } : {};

/** Queries, keys and values from one projection of the input; past and present keys and values in one array. */
const attention: Rule = {
  as: (emit, { x: [x, w, bias, mask, past, added, length], y, node }) => {
    refuseWhere(node, { 'a cache that is changed in place': Boolean(length), 'a rotation inside': intOf(node, 'do_rotary', 0) === 1 });
    const heads = intOf(node, 'num_heads', 1);
    const projected = emit.MatMul(x, w);
    const all = bias ? emit.Add(projected, bias) : projected;
    const sizes = intsOf(node, 'qkv_hidden_sizes');
    const parts = sizes
      ? emit.calls('Split', [all, emit.ints(sizes)], 3, { axis: 2 })
      : emit.calls('Split', [all], 3, { axis: 2, num_outputs: 3 });
    const [q, ownKeys, ownValues] = parts.map((part) => toHeads(emit, part, heads));
    const before = (index: number): string =>
      past ? emit.Squeeze(emit.Slice(past, emit.ints([index]), emit.ints([index + 1]), emit.ints([0])), emit.ints([0])) : '';
    const [k, v] = [joined(emit, before(0), ownKeys), joined(emit, before(1), ownValues)];
    const terms = [maskTerm(emit, mask, node, q, k), added ?? ''];
    const out = attend(emit, { q, k, v, scale: scaleOf(emit, node, q), added: terms, ...causal(emit, node, before(0)) });
    const stacked = (): string => emit.Concat(emit.Unsqueeze(k, emit.ints([0])), emit.Unsqueeze(v, emit.ints([0])), { axis: 0 });
    return [out.y, y[1] ? stacked() : ''];
  },
};

/** Queries, keys and values given; keys and values of rank 4 are split into heads already. */
const multiHead: Rule = {
  as: (emit, { x: [query, key, value, bias, mask, added, pastKey, pastValue, length], y, node }) => {
    refuseWhere(node, { 'a cache that is changed in place': Boolean(length), 'a packed input': !key || !value });
    const heads = intOf(node, 'num_heads', 1);
    const given = [query, key, value];
    const sizes = (): string => emit.Concat(...given.map((v) => sizeAt(emit, v, 2)), { axis: 0 });
    const shifts = bias ? emit.calls('Split', [bias, sizes()], 3, { axis: 0 }) : [];
    const [q, ownKeys, ownValues] = given.map((v, i) =>
      rankOf(emit, v) === 4 ? v : toHeads(emit, bias ? emit.Add(v, shifts[i]) : v, heads),
    );
    const [k, v] = [joined(emit, pastKey ?? '', ownKeys), joined(emit, pastValue ?? '', ownValues)];
    const terms = [maskTerm(emit, mask, node, q, k), added ?? ''];
    const out = attend(emit, { q, k, v, scale: scaleOf(emit, node, q), added: terms, ...causal(emit, node, pastKey ?? '') });
    return [out.y, y[1] ? k : '', y[2] ? v : '', y[3] ? out.scores : ''];
  },
};

export const contribAttention: Rules = {
  'com.microsoft.Attention': attention,
  'com.microsoft.MultiHeadAttention': multiHead,
};
