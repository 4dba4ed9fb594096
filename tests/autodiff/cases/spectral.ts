import { type Case, c, f, fed, held, ints, none } from './case.ts';

// Sizes, hop, frame and length are computed in the graph where they are not known.
export const spectral: readonly Case[] = [
  c('DFT', [f([2, 5, 1])]),
  c('DFT', [f([2, 4, 2]), none, ints([1], [])]),
  c('DFT', [f([3, 2, 2]), ints([4], []), ints([0], [])]),
  c('DFT', [f([2, 6, 1]), ints([5], []), ints([-2], [])], { onesided: 1 }),
  c('DFT', [f([1, 5, 2])], { inverse: 1 }),
  c('STFT', [f([2, 9, 1]), ints([2], []), f([4], 0.2, 1)]),
  c('STFT', [f([1, 8, 1]), ints([3], []), none, ints([4], [])], { onesided: 0 }),
  c('STFT', [f([1, 7, 1]), ints([2], []), held([0.5, 1, 0.7])]),
  c('DFT', [f([2, 6, 1]), fed([5], []), ints([-2], [])], { onesided: 1, inverse: 0 }),
  c('STFT', [f([2, 9, 1]), fed([2], []), f([4], 0.2, 1), fed([4], [])]),
];
