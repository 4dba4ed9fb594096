import { type Case, c, f, weight } from './case.ts';

const image = (channels: number, ...sizes: number[]) => f([2, channels, ...sizes]);

export const convolution: readonly Case[] = [
  c('Conv', [image(2, 5), weight([3, 2, 3])]),
  c('Conv', [image(2, 4, 5), weight([3, 2, 3, 2]), weight([3])]),
  c('Conv', [image(1, 3, 4, 3), weight([2, 1, 2, 2, 3])], { pads: [1, 0, 1, 0, 1, 0] }),
  c('Conv', [image(2, 5, 5), weight([3, 2, 3, 3])], { pads: [1, 1, 1, 1], strides: [2, 2] }),
  c('Conv', [image(2, 6, 5), weight([2, 2, 3, 3])], { pads: [0, 1, 2, 1], strides: [2, 3] }),
  c('Conv', [image(2, 6, 6), weight([3, 2, 1, 1])], { strides: [2, 2] }),
  c('Conv', [image(2, 4, 6), weight([3, 2, 2, 3])], { strides: [2, 3] }),
  c('Conv', [image(1, 7, 7), weight([2, 1, 3, 3])], { dilations: [2, 2], pads: [2, 1, 1, 2] }),
  c('Conv', [image(4, 4, 4), weight([6, 2, 3, 3])], { group: 2, pads: [1, 1, 1, 1] }),
  c('Conv', [image(4, 5, 5), weight([4, 2, 3, 3])], { group: 2, pads: [1, 1, 1, 1], strides: [2, 2] }),
  c('Conv', [image(3, 4, 4), weight([3, 1, 3, 3]), weight([3])], { group: 3, pads: [1, 1, 1, 1] }),
  c('Conv', [image(2, 5, 5), weight([4, 1, 3, 3])], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }),
  c('Conv', [image(2, 3, 3), weight([2, 2, 3, 3])], { pads: [3, 3, 3, 3] }),
  c('Conv', [image(1, 5, 4), weight([2, 1, 3, 3])], { auto_pad: 'SAME_UPPER', strides: [2, 1] }),
  c('Conv', [image(1, 5, 4), weight([2, 1, 2, 2])], { auto_pad: 'SAME_LOWER' }),
  c('Conv', [image(1, 5, 4), weight([2, 1, 2, 2])], { auto_pad: 'VALID' }),
  c('ConvTranspose', [image(2, 4), weight([2, 3, 3])]),
  c('ConvTranspose', [image(2, 3, 3), weight([2, 3, 2, 3]), weight([3])]),
  c('ConvTranspose', [image(2, 3, 3), weight([2, 2, 3, 3])], { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }),
  c('ConvTranspose', [image(4, 3, 3), weight([4, 1, 3, 3])], { group: 2, strides: [2, 1], dilations: [1, 2] }),
  c('ConvTranspose', [image(1, 3, 3), weight([1, 2, 3, 3])], { strides: [2, 2], output_shape: [6, 6] }),
  c('ConvTranspose', [image(1, 3, 3), weight([1, 2, 3, 3])], { strides: [2, 2], auto_pad: 'SAME_UPPER' }),
  c('ConvTranspose', [image(1, 2, 2, 2), weight([1, 2, 2, 2, 2])], { strides: [2, 1, 2] }),
];
