import { type Case, c, f } from './case.ts';

const image = (channels: number, ...sizes: number[]) => f([2, channels, ...sizes]);

export const pooling: readonly Case[] = [
  c('MaxPool', [image(2, 4, 4)], { kernel_shape: [2, 2], strides: [2, 2] }),
  c('MaxPool', [image(1, 5, 5)], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  c('MaxPool', [image(1, 5, 5)], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
  c('MaxPool', [image(1, 5, 5)], { kernel_shape: [2, 2], dilations: [2, 2] }),
  c('MaxPool', [image(2, 6)], { kernel_shape: [3], strides: [3] }),
  c('MaxPool', [image(1, 3, 4, 4)], { kernel_shape: [2, 2, 2], strides: [1, 2, 2] }),
  c('MaxPool', [image(1, 5, 4)], { kernel_shape: [3, 2], auto_pad: 'SAME_UPPER', strides: [2, 2] }),
  c('AveragePool', [image(2, 4, 4)], { kernel_shape: [2, 2], strides: [2, 2] }),
  c('AveragePool', [image(2, 5, 5)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  c('AveragePool', [image(2, 5, 5)], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  c('AveragePool', [image(1, 6, 5)], { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }),
  c('AveragePool', [image(1, 6, 6)], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 0, 1], ceil_mode: 1, count_include_pad: 1 }),
  c('AveragePool', [image(1, 6, 5)], { kernel_shape: [2, 2], dilations: [2, 2] }),
  c('AveragePool', [image(2, 5)], { kernel_shape: [2] }),
  c('AveragePool', [image(1, 3, 3, 4)], { kernel_shape: [2, 2, 2], strides: [1, 1, 2] }),
  c('AveragePool', [image(1, 5, 4)], { kernel_shape: [2, 3], auto_pad: 'SAME_LOWER', strides: [2, 2] }),
  c('GlobalAveragePool', [image(2, 3, 4)]),
  c('GlobalAveragePool', [image(2, 5)]),
  c('GlobalMaxPool', [image(2, 3, 4)]),
  c('GlobalMaxPool', [image(2, 5)]),
  c('GlobalLpPool', [image(2, 3, 2)]),
  c('GlobalLpPool', [image(2, 3, 2)], { p: 3 }),
  c('GlobalLpPool', [image(2, 3, 2)], { p: 1 }),
];
