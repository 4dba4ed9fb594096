import { intOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Rule, Rules } from '../rule.ts';
import { rankOf, sizeAt } from '../shapes.ts';

interface Angles {
  /** [B, S, D/2] each. */
  readonly cos: string;
  readonly sin: string;
}

/** Pairs of channels turned by the angle of their position: halves of the first D channels, or neighbours where interleaved. */
export const rotated = (emit: Emit, x: string, angles: Angles, interleaved: boolean, width: number): string => {
  const cut = (from: number, to: number): string => emit.Slice(x, emit.ints([from]), emit.ints([to]), emit.ints([3]));
  const turning = width > 0 ? cut(0, width) : x;
  const [cos, sin] = [angles.cos, angles.sin].map((v) => emit.Unsqueeze(v, emit.ints(interleaved ? [1, 4] : [1])));
  const pairs = interleaved ? emit.Reshape(turning, emit.ints([0, 0, 0, -1, 2])) : turning;
  const axis = interleaved ? 4 : 3;
  const [a, b] = emit.calls('Split', [pairs], 2, { axis, num_outputs: 2 });
  const both = [emit.Sub(emit.Mul(a, cos), emit.Mul(b, sin)), emit.Add(emit.Mul(b, cos), emit.Mul(a, sin))];
  const out = emit.Concat(...both, { axis });
  const flat = interleaved ? emit.Reshape(out, emit.ints([0, 0, 0, -1])) : out;
  return width > 0 ? emit.Concat(flat, cut(width, 2 ** 31 - 1), { axis: 3 }) : flat;
};

/** Rows of the tables of angles for each position; one number is the first position. */
export const anglesAt = (emit: Emit, cos: string, sin: string, positions: string): Angles => ({
  cos: emit.Gather(cos, positions),
  sin: emit.Gather(sin, positions),
});

const rotary: Rule = {
  as: (emit, { x: [x, positions, cos, sin], node }) => {
    const flat = rankOf(emit, x) === 3;
    const width = intOf(node, 'rotary_embedding_dim', 0);
    const size = emit.Mul(sizeAt(emit, cos, 1), emit.ints([2]));
    const shape = width > 0 ? emit.ints([0, 0, intOf(node, 'num_heads', 1), -1]) : emit.Concat(emit.ints([0, 0, -1]), size, { axis: 0 });
    const heads = flat ? emit.Transpose(emit.Reshape(x, shape), { perm: [0, 2, 1, 3] }) : x;
    const length = emit.Squeeze(sizeAt(emit, heads, 2), emit.ints([0]));
    const run = (): string => emit.Add(positions, emit.Range(emit.scalar(0, 'int64'), length, emit.scalar(1, 'int64')));
    const at = rankOf(emit, positions) === 1 ? emit.Unsqueeze(run(), emit.ints([0])) : positions;
    const out = rotated(emit, heads, anglesAt(emit, cos, sin, at), intOf(node, 'interleaved', 0) === 1, width);
    return [flat ? emit.Reshape(emit.Transpose(out, { perm: [0, 2, 1, 3] }), emit.ints([0, 0, -1])) : out];
  },
};

export const contribRotary: Rules = { 'com.microsoft.RotaryEmbedding': rotary };
