import { type Case, c, f } from './case.ts';

export const einsum: readonly Case[] = [
  c('Einsum', [f([2, 3]), f([3, 4])], { equation: 'ij,jk->ik' }),
  c('Einsum', [f([2, 3]), f([3, 4])], { equation: 'ij,jk' }),
  c('Einsum', [f([2, 2, 3]), f([2, 4, 3])], { equation: 'bid,bjd->bij' }),
  c('Einsum', [f([2, 3])], { equation: 'ij->j' }),
  c('Einsum', [f([2, 3])], { equation: 'ij->' }),
  c('Einsum', [f([3, 3])], { equation: 'ii->i' }),
  c('Einsum', [f([3, 3])], { equation: 'ii' }),
  c('Einsum', [f([2, 3]), f([3]), f([2, 2])], { equation: 'ij,j,ik->k' }),
  c('Einsum', [f([2, 2, 3]), f([3, 2])], { equation: '...ij,jk->...ik' }),
  c('Einsum', [f([1, 2, 3]), f([2, 3, 2])], { equation: '...ij,...jk->...ik' }, { sized: true }),
  c('Einsum', [f([3]), f([2])], { equation: 'i,j->ji' }),
];
