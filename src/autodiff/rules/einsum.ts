import { stringOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Dim } from '../../graph/types.ts';
import type { Back, Rules, Site } from '../rule.ts';
import { castLike, dimsOf, dtypeOf, expandLike, rankOf, sizeAt, sum } from '../shapes.ts';

interface Terms {
  readonly inputs: readonly string[];
  readonly output: string;
}
/** The equation with its ellipsis written as letters of their own, and the output that a missing arrow implies. */
const termsOf = (equation: string, ranks: readonly number[]): Terms => {
  const [left, right] = equation.replaceAll(' ', '').split('->');
  const inputs = left.split(',');
  const spare = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].filter((c) => !equation.includes(c));
  const hidden = inputs.map((t, i) => (t.includes('...') ? ranks[i] - (t.length - 3) : 0));
  const longest = spare.slice(0, Math.max(0, ...hidden)).join('');
  const written = inputs.map((t, i) => t.replace('...', longest.slice(longest.length - hidden[i])));
  const letters = [...left.replaceAll(/[.,]/g, '')];
  const once = [...new Set(letters)].filter((c) => letters.indexOf(c) === letters.lastIndexOf(c)).sort();
  return { inputs: written, output: right === undefined ? longest + once.join('') : right.replace('...', longest) };
};

/** 1 where the indices along two axes agree. */
const diagonal = (emit: Emit, x: string, first: number, second: number, rank: number): string => {
  const size = emit.Squeeze(sizeAt(emit, x, first), emit.ints([0]));
  const index = emit.Range(emit.scalar(0, 'int64'), size, emit.scalar(1, 'int64'));
  const along = (axis: number): string => emit.Reshape(index, emit.ints(Array.from({ length: rank }, (_, k) => (k === axis ? -1 : 1))));
  return castLike(emit, emit.Equal(along(first), along(second)), x);
};

/**
 * The cotangent of one operand is an Einsum of the others with g. A letter of the operand that occurs nowhere else was summed
 * out, and comes back by broadcasting; a letter written twice in it read a diagonal, to which a mask sends it back; an axis
 * of size 1 was broadcast, and is summed.
 */
const operand =
  (i: number): Back =>
  (emit, g, { node, x }: Site) => {
    const ranks = x.map((v) => rankOf(emit, v) ?? 0);
    const { inputs, output } = termsOf(stringOf(node, 'equation', ''), ranks);
    const own = [...inputs[i]];
    const sources = [{ term: output, value: g }, ...inputs.flatMap((term, k) => (k === i ? [] : [{ term, value: x[k] }]))];
    const present = new Set(sources.flatMap(({ term }) => [...term]));
    const kept = [...new Set(own)].filter((c) => present.has(c));
    const equation = `${sources.map(({ term }) => term).join()}->${kept.join('')}`;
    const sizeOf = (c: string): Dim => {
      const found = sources.map(({ term, value }) => dimsOf(emit, value)?.[term.indexOf(c)]).filter((_, k) => sources[k].term.includes(c));
      return found.find((d) => d !== 1) ?? (found.every((d) => d === 1) ? 1 : undefined);
    };
    let out = emit.Einsum(...sources.map(({ value }) => value), { equation });
    emit.typed(out, { kind: 'tensor', dtype: dtypeOf(emit, x[i]), dims: kept.map(sizeOf) });
    const lost = own.flatMap((c, k) => (present.has(c) && own.indexOf(c) === k ? [] : [k]));
    if (lost.length > 0) out = emit.Unsqueeze(out, emit.ints(lost));
    const sizes = dimsOf(emit, x[i]) ?? [];
    const ones = own.flatMap((_, k) => (sizes[k] === 1 && !lost.includes(k) ? [k] : []));
    out = expandLike(emit, sum(emit, out, ones, 1), x[i]);
    own.forEach((c, k) => {
      if (own.indexOf(c) < k) out = emit.Mul(out, diagonal(emit, x[i], own.indexOf(c), k, own.length));
    });
    return out;
  };

export const einsum: Rules = { Einsum: { back: operand } };
