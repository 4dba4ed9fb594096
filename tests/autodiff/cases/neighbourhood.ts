import { float } from '../../../src/graph/emit.ts';
import { type Case, c, f, fed, held, ints, weight } from './case.ts';

const image = (channels: number, ...sizes: number[]) => f([2, channels, ...sizes]);

export const neighbourhood: readonly Case[] = [
  c('LRN', [image(5, 2, 2)], { size: 3, alpha: float(0.3), beta: float(0.6), bias: float(1.2) }, { single: true }),
  c('LRN', [image(4, 3, 1)], { size: 5, alpha: float(0.5) }, { single: true }),
  c('LpPool', [image(1, 4, 5)], { kernel_shape: [2, 2], strides: [2, 2] }, { single: true }),
  c('LpPool', [image(1, 4, 5)], { kernel_shape: [3, 2], pads: [1, 0, 1, 1], p: 3 }, { single: true }),
  c('LpPool', [weight([1, 1, 5, 5])], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }, { single: true, sized: true }),
  c('LpPool', [image(1, 6)], { kernel_shape: [2], dilations: [2] }, { single: true }),
  c('Col2Im', [f([1, 8, 4]), ints([3, 3]), ints([2, 2])]),
  c('Col2Im', [f([2, 4, 6]), ints([5, 4]), ints([2, 2])], { strides: [2, 1], dilations: [1, 2], pads: [0, 0, 0, 1] }),
  c('MaxRoiPool', [f([2, 2, 6, 5]), held([0, 0, 0, 4, 5, 1, 1, 2, 3, 4], [2, 5])], { pooled_shape: [2, 3] }, { single: true }),
  c('MaxRoiPool', [f([1, 1, 6, 6]), held([0, 1, 1, 9, 9], [1, 5])], { pooled_shape: [2, 2], spatial_scale: float(0.5) }, { single: true }),
  c('NegativeLogLikelihoodLoss', [f([3, 4]), fed([1, 0, 3])]),
  c('NegativeLogLikelihoodLoss', [f([2, 3, 2]), fed([1, 0, 2, 2], [2, 2]), f([3], 0.5, 1.5)], { reduction: 'mean', ignore_index: 0 }),
  c('NegativeLogLikelihoodLoss', [f([2, 3]), fed([1, 2])], { reduction: 'none' }),
  c('SoftmaxCrossEntropyLoss', [f([3, 4]), fed([1, 0, 3])], { reduction: 'sum' }),
  c('SoftmaxCrossEntropyLoss', [f([3, 4]), fed([1, 0, 3])], { reduction: 'none' }),
  c(
    'SoftmaxCrossEntropyLoss',
    [f([2, 3, 2]), fed([1, 0, 2, -1], [2, 2]), f([3], 0.5, 1.5)],
    { ignore_index: -1 },
    { outputs: [true, true] },
  ),
];
