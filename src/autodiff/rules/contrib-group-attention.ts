import { floatOf, intOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Rule, Rules } from '../rule.ts';
import { dimsOf, num, sizeAt } from '../shapes.ts';
import { lowest, numbersUpTo, refuseWhere, scaleOf, toHeads } from './contrib-attention.ts';
import { anglesAt, rotated } from './contrib-rotary.ts';

const int64 = (emit: Emit, v: string, shape: readonly number[]): string => emit.Reshape(emit.Cast(v, { to: 7 }), emit.ints(shape));

/** Sizes written out, then those of `x` on some axes: a constant where they are known. */
const shapeOf = (emit: Emit, first: readonly number[], x: string, axes: readonly number[]): string => {
  const rest = axes.map((a) => dimsOf(emit, x)?.[a]);
  if (rest.every((d): d is number => typeof d === 'number')) return emit.ints([...first, ...rest]);
  return emit.Concat(emit.ints(first), ...axes.map((a) => sizeAt(emit, x, a)), { axis: 0 });
};

interface Cache {
  /** [B, 1]: how many of the old rows count. */
  readonly past: string;
  /** [1]: rows that there are to be. */
  readonly total: string;
}
/** [B, M, P, H] and the new rows behind what counts of it, zeros behind both. */
const cached = (emit: Emit, old: string, now: string, { past, total }: Cache): string => {
  const length = emit.Max(total, sizeAt(emit, old, 2));
  const place = numbersUpTo(emit, length);
  const offset = emit.Sub(place, past);
  const last = emit.Sub(sizeAt(emit, now, 2), emit.ints([1]));
  const rows = (v: string): string => emit.Unsqueeze(v, emit.ints([1, 3]));
  const shape = emit.Concat(sizeAt(emit, now, 0), sizeAt(emit, now, 1), length, sizeAt(emit, now, 3), { axis: 0 });
  const source = emit.Expand(rows(emit.Min(emit.Max(offset, emit.ints([0])), last)), shape);
  const fresh = emit.GatherElements(now, source, { axis: 2 });
  const none = emit.ints([0, 0, 0, 0, 0, 0]);
  const behind = emit.Concat(none, emit.Sub(length, sizeAt(emit, old, 2)), emit.ints([0]), { axis: 0 });
  const kept = emit.Where(rows(emit.Less(place, past)), emit.Pad(old, behind), num(emit, 0, old));
  const isFresh = emit.And(emit.GreaterOrEqual(offset, emit.ints([0])), emit.LessOrEqual(offset, last));
  return emit.Where(rows(isFresh), fresh, kept);
};

/**
 * Attention of N heads of queries over M of keys and values, N/M of the former to each of the latter, always looking back.
 * Given are the index of each row's last key and the length of the longest; a first call, whose queries are all there is,
 * takes nothing from the past.
 */
const groupQuery: Rule = {
  as: (emit, { x, y, g, node }) => {
    const [query, key, value, oldKeys, oldValues, lastKeys, longest, cos, sin, positions, bias, sink] = x;
    refuseWhere(node, {
      'its output of scores': Boolean(g[3]),
      'a quantised cache': x.slice(12).some((v) => v !== ''),
      'a cache of a window': intOf(node, 'sliding_window_cache', 0) === 1,
    });
    const [n, m] = [intOf(node, 'num_heads', 1), intOf(node, 'kv_num_heads', 1)];
    const repeats = n / m;
    const packed = (): readonly string[] => emit.calls('Split', [toHeads(emit, query, n + 2 * m), emit.ints([n, m, m])], 3, { axis: 1 });
    const [ownQueries, ownKeys, v] = key ? [toHeads(emit, query, n), toHeads(emit, key, m), toHeads(emit, value, m)] : packed();
    const length = sizeAt(emit, ownQueries, 2);
    const total = int64(emit, longest, [1]);
    const before = emit.Add(int64(emit, lastKeys, [-1, 1]), emit.Sub(emit.ints([1]), length));
    const past = oldKeys ? emit.Where(emit.Equal(total, length), emit.ints([0]), before) : emit.ints([0]);
    const rows = emit.Add(past, emit.Unsqueeze(numbersUpTo(emit, length), emit.ints([0])));

    const turn = (x: string): string => {
      if (intOf(node, 'do_rotary', 0) !== 1) return x;
      const half = dimsOf(emit, cos)?.[1];
      const whole = typeof half !== 'number' || dimsOf(emit, x)?.[3] === 2 * half;
      return rotated(
        emit,
        x,
        anglesAt(emit, cos, sin, positions || rows),
        intOf(node, 'rotary_interleaved', 0) === 1,
        whole ? 0 : 2 * half,
      );
    };
    const q = turn(ownQueries);
    const [keys, values] = [
      [oldKeys, turn(ownKeys)],
      [oldValues, v],
    ].map(([old, now]) => (old ? cached(emit, old, now, { past, total }) : now));

    const grouped = emit.Reshape(emit.Mul(q, scaleOf(emit, node, q)), shapeOf(emit, [0, m, repeats], q, [2, 3]));
    const each = (kv: string): string => emit.Unsqueeze(kv, emit.ints([2]));
    const product = emit.MatMul(grouped, emit.Transpose(each(keys), { perm: [0, 1, 2, 4, 3] }));
    const cap = floatOf(node, 'softcap', 0);
    const capped = cap > 0 ? emit.Mul(num(emit, cap, q), emit.Tanh(emit.Div(product, num(emit, cap, q)))) : product;
    // One bias for all heads or one for each.
    const perHead = (b: string): string => {
      const groups = emit.Min(sizeAt(emit, b, 1), emit.ints([m]));
      const split = emit.Concat(emit.ints([0]), groups, emit.Div(sizeAt(emit, b, 1), groups), sizeAt(emit, b, 2), sizeAt(emit, b, 3), {
        axis: 0,
      });
      if (dimsOf(emit, b)?.[1] === 1) return each(b);
      return emit.Reshape(b, dimsOf(emit, b)?.[1] === n ? shapeOf(emit, [0, m, repeats], b, [2, 3]) : split);
    };
    const scores = bias ? emit.Add(capped, perHead(bias)) : capped;

    const row = emit.Unsqueeze(rows, emit.ints([1, 2, 4]));
    const column = numbersUpTo(emit, sizeAt(emit, keys, 2));
    const behind = emit.GreaterOrEqual(row, column);
    const window = intOf(node, 'local_window_size', -1);
    const seen = window > 0 ? emit.And(behind, emit.Greater(column, emit.Sub(row, emit.ints([window])))) : behind;
    const open = emit.Where(seen, scores, num(emit, lowest, scores));
    const weights = softmaxBeside(
      emit,
      open,
      sink ? emit.Reshape(sink, emit.ints([1, m, repeats, 1, 1])) : '',
      intOf(node, 'smooth_softmax', 0) === 1,
    );
    const out = emit.Transpose(emit.MatMul(weights, each(values)), { perm: [0, 3, 1, 2, 4] });
    return [emit.Reshape(out, emit.ints([0, 0, -1])), y[1] ? keys : '', y[2] ? values : ''];
  },
};

/** Softmax with one score more in each row, given or 0, whose weight is dropped. */
const softmaxBeside = (emit: Emit, scores: string, given: string, smooth: boolean): string => {
  if (!given && !smooth) return emit.Softmax(scores, { axis: -1 });
  const row = emit.Slice(scores, emit.ints([0]), emit.ints([1]), emit.ints([4]));
  const more = emit.Expand(given || num(emit, 0, scores), emit.Shape(row));
  return emit.Slice(emit.Softmax(emit.Concat(scores, more, { axis: 4 }), { axis: -1 }), emit.ints([0]), emit.ints([-1]), emit.ints([4]));
};

export const contribGroupAttention: Rules = { 'com.microsoft.GroupQueryAttention': groupQuery };
