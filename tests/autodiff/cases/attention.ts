import { float } from '../../../src/graph/emit.ts';
import { type Case, c, f, fed, flags, held, none } from './case.ts';

const heads = (...dims: number[]) => f(dims, -1.2, 1.2);
const at = { opset: 23, single: true, sized: true };

export const attention: readonly Case[] = [
  c('Attention', [heads(1, 2, 3, 4), heads(1, 2, 3, 4), heads(1, 2, 3, 2)], {}, at),
  c('Attention', [heads(2, 3, 8), heads(2, 2, 4), heads(2, 2, 4)], { q_num_heads: 4, kv_num_heads: 2, scale: float(0.3) }, at),
  c('Attention', [heads(1, 2, 3, 4), heads(1, 2, 3, 4), heads(1, 2, 3, 4)], { is_causal: 1 }, at),
  c('Attention', [heads(1, 1, 2, 4), heads(1, 1, 3, 4), heads(1, 1, 3, 4), f([2, 3])], {}, at),
  c('Attention', [heads(1, 1, 2, 4), heads(1, 1, 3, 4), heads(1, 1, 3, 4), flags([1, 0, 1, 1, 1, 0], [2, 3])], {}, at),
  c('Attention', [heads(1, 1, 2, 4), heads(1, 1, 2, 4), heads(1, 1, 2, 4)], { softcap: float(1.5) }, at),
  c(
    'Attention',
    [heads(1, 2, 2, 4), heads(1, 2, 1, 4), heads(1, 2, 1, 4), none, heads(1, 2, 2, 4), heads(1, 2, 2, 4)],
    {},
    { ...at, outputs: [true, true, true] },
  ),
  ...[0, 3].map((mode) =>
    c(
      'Attention',
      [heads(1, 1, 2, 4), heads(1, 1, 2, 4), heads(1, 1, 2, 4)],
      { qk_matmul_output_mode: mode },
      { ...at, outputs: [true, false, false, true] },
    ),
  ),
  c(
    'RotaryEmbedding',
    [
      heads(1, 2, 3, 4),
      held([1, 0.9, 0.8, 0.7, 0.5, 0.3, 0.1, 0], [4, 2]),
      held([0, 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9], [4, 2]),
      fed([0, 2, 3], [1, 3]),
    ],
    {},
    at,
  ),
  c('RotaryEmbedding', [heads(1, 2, 8), f([1, 2, 2]), f([1, 2, 2])], { num_heads: 2, interleaved: 1 }, at),
  c('RotaryEmbedding', [heads(1, 2, 2, 4), f([1, 2, 1]), f([1, 2, 1])], { rotary_embedding_dim: 2 }, at),
];
