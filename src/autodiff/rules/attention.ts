import { floatOf, intOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Rule, Rules } from '../rule.ts';
import { num, rankOf, sizeAt } from '../shapes.ts';
import { scaleOf, toHeads } from './contrib-attention.ts';
import { anglesAt, rotated } from './contrib-rotary.ts';

/** Attention of the standard operator set. */
const counting = (emit: Emit, from: string, to: string): string => {
  const scalar = (v: string): string => emit.Squeeze(v, emit.ints([0]));
  return emit.Range(scalar(from), scalar(to), emit.scalar(1, 'int64'));
};
const merged = (emit: Emit, x: string): string => emit.Reshape(emit.Transpose(x, { perm: [0, 2, 1, 3] }), emit.ints([0, 0, -1]));

/** Each head of keys or values serves several heads of queries. */
const repeated = (emit: Emit, x: string, times: number): string => {
  if (times === 1) return x;
  const sizes = [0, 1, 2, 3].map((axis) => sizeAt(emit, x, axis));
  const wide = emit.Concat(sizes[0], sizes[1], emit.ints([times]), sizes[2], sizes[3], { axis: 0 });
  return emit.Reshape(
    emit.Expand(emit.Unsqueeze(x, emit.ints([2])), wide),
    emit.Concat(sizes[0], emit.ints([-1]), sizes[2], sizes[3], { axis: 0 }),
  );
};

/** softmax(cap(s·q·kᵀ) + mask)·v with grouped heads, a cache in front of keys and values, and causal masks. */
const attention: Rule = {
  as: (emit, { node, x: [query, key, value, mask, pastKey, pastValue, lengths], y }) => {
    const flat = rankOf(emit, query) === 3;
    const heads = (v: string, attribute: string): string => (flat ? toHeads(emit, v, intOf(node, attribute, 1)) : v);
    const q = heads(query, 'q_num_heads');
    const joined = (past: string | undefined, now: string): string => (past ? emit.Concat(past, now, { axis: 2 }) : now);
    const [k, v] = [joined(pastKey, heads(key, 'kv_num_heads')), joined(pastValue, heads(value, 'kv_num_heads'))];
    const count = (x: string, attribute: string): number => (flat ? intOf(node, attribute, 1) : Number(emit.type(x)?.dims?.[1] ?? 1));
    const times = count(query, 'q_num_heads') / count(key, 'kv_num_heads');
    const raw = emit.MatMul(emit.Mul(q, scaleOf(emit, node, q)), emit.Transpose(repeated(emit, k, times), { perm: [0, 1, 3, 2] }));
    const cap = floatOf(node, 'softcap', 0);
    const capped = cap === 0 ? raw : emit.Mul(num(emit, cap, raw), emit.Tanh(emit.Div(raw, num(emit, cap, raw))));

    const terms: string[] = [];
    const forbid = (allowed: string): void =>
      void terms.push(emit.Where(allowed, num(emit, 0, raw), num(emit, Number.NEGATIVE_INFINITY, raw)));
    const total = sizeAt(emit, k, 2);
    const columns = (): string => counting(emit, emit.ints([0]), total);
    if (mask) {
      if (emit.type(mask)?.dtype === 'bool') forbid(mask);
      else terms.push(mask);
    }
    if (intOf(node, 'is_causal', 0) === 1) {
      const first = pastKey ? sizeAt(emit, pastKey, 2) : emit.ints([0]);
      const rows = emit.Unsqueeze(counting(emit, first, emit.Add(first, sizeAt(emit, q, 2))), emit.ints([1]));
      forbid(emit.GreaterOrEqual(rows, columns()));
    }
    if (lengths) forbid(emit.Less(columns(), emit.Unsqueeze(lengths, emit.ints([1, 2, 3]))));
    const scores = terms.reduce((sum, term) => emit.Add(sum, term), capped);
    const weights = emit.Softmax(scores, { axis: -1 });
    const out = emit.MatMul(weights, repeated(emit, v, times));
    const shown = [raw, scores, capped, weights][intOf(node, 'qk_matmul_output_mode', 0)];
    return [flat ? merged(emit, out) : out, y[1] ? k : '', y[2] ? v : '', y[3] ? shown : ''];
  },
};

const rotary: Rule = {
  as: (emit, { node, x: [x, cos, sin, positions] }) => {
    const flat = rankOf(emit, x) === 3;
    const heads = flat ? toHeads(emit, x, intOf(node, 'num_heads', 1)) : x;
    const angles = positions ? anglesAt(emit, cos, sin, positions) : { cos, sin };
    const out = rotated(emit, heads, angles, intOf(node, 'interleaved', 0) === 1, intOf(node, 'rotary_embedding_dim', 0));
    return [flat ? merged(emit, out) : out];
  },
};

export const attentions: Rules = { Attention: attention, RotaryEmbedding: rotary };
