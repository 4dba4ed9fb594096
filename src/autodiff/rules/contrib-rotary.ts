import { intOf, intsOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Rule, Rules, Site } from '../rule.ts';
import { dtypeOf, rankOf, sizeAt } from '../shapes.ts';

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

/** Input of either rank turned by angles that follow from its length. */
const turned = (emit: Emit, { x: [x, , cos], node }: Site, angles: (length: string) => Angles): string => {
  const flat = rankOf(emit, x) === 3;
  const width = intOf(node, 'rotary_embedding_dim', 0);
  const size = emit.Mul(sizeAt(emit, cos, 1), emit.ints([2]));
  const shape = width > 0 ? emit.ints([0, 0, intOf(node, 'num_heads', 1), -1]) : emit.Concat(emit.ints([0, 0, -1]), size, { axis: 0 });
  const heads = flat ? emit.Transpose(emit.Reshape(x, shape), { perm: [0, 2, 1, 3] }) : x;
  const out = rotated(emit, heads, angles(sizeAt(emit, heads, 2)), intOf(node, 'interleaved', 0) === 1, width);
  return flat ? emit.Reshape(emit.Transpose(out, { perm: [0, 2, 1, 3] }), emit.ints([0, 0, -1])) : out;
};
const rotary: Rule = {
  as: (emit, site) => {
    const [, positions, cos, sin] = site.x;
    const run = (length: string): string => {
      const numbers = emit.Range(emit.scalar(0, 'int64'), emit.Squeeze(length, emit.ints([0])), emit.scalar(1, 'int64'));
      return emit.Unsqueeze(emit.Add(positions, numbers), emit.ints([0]));
    };
    return [turned(emit, site, (length) => anglesAt(emit, cos, sin, rankOf(emit, positions) === 1 ? run(length) : positions))];
  },
};

/** Which of three positions (time, height, width) gives the angle of each pair of channels: in sections, or every third. */
const streams = (node: Node): readonly number[] => {
  const sections = intsOf(node, 'mrope_section') ?? [];
  const inSections = sections.flatMap((n, stream) => Array.from({ length: n }, () => stream));
  if (intOf(node, 'mrope_layout', 0) === 0) return inSections;
  return inSections.map((_, i) => (i % 3 > 0 && i < 3 * sections[i % 3] ? i % 3 : 0));
};
const multiRotary: Rule = {
  as: (emit, site) => {
    const [, positions, cos, sin] = site.x;
    const places = streams(site.node);
    const chosen = (table: string): string => {
      const parts = [0, 1, 2].map((stream) => {
        const mask = emit.constant(
          constantOf(
            dtypeOf(emit, table),
            [places.length],
            places.map((p) => Number(p === stream)),
          ),
        );
        return emit.Mul(emit.Gather(table, emit.Gather(positions, emit.scalar(stream, 'int64'))), mask);
      });
      return parts.reduce((a, b) => emit.Add(a, b));
    };
    return [turned(emit, site, () => ({ cos: chosen(cos), sin: chosen(sin) }))];
  },
};

export const contribRotary: Rules = {
  'com.microsoft.RotaryEmbedding': rotary,
  'com.microsoft.MRotaryEmbedding': multiRotary,
};
