import { random } from '../../../src/base/random.ts';
import { type Case, c, f, type Input, none, weight } from './case.ts';

const image = (...sizes: number[]) => f([2, 2, ...sizes]);
/**
 * Points inside a picture of these sizes and up to a pixel and a half outside, each 0.2 to 0.4 of a pixel from a whole one:
 * kinks and jumps lie at whole and half pixels.
 */
const points = (sizes: readonly number[], out: readonly number[], align: number, wanted = true, batch = 2): Input => {
  const chance = random(3, `${sizes.join()}/${align}`);
  const count = batch * out.reduce((n, d) => n * d, 1);
  const values = Array.from({ length: count }, () =>
    sizes.toReversed().map((n) => {
      const pixel = chance.below(n + 2) - 1 + (chance.next() < 0.5 ? 1 : -1) * (0.2 + 0.2 * chance.next());
      return align ? (2 * pixel) / (n - 1) - 1 : (2 * pixel + 1) / n - 1;
    }),
  ).flat();
  return { kind: 'float', dims: [batch, ...out, sizes.length], values, wanted, fixed: !wanted };
};
const offsets = (dims: readonly number[]): Input => {
  const chance = random(5, dims.join());
  const values = Array.from({ length: dims.reduce((n, d) => n * d, 1) }, () => chance.below(3) - 1 + 0.2 + 0.6 * chance.next());
  return { kind: 'float', dims, values, wanted: true, fixed: true };
};
const single = { single: true };

export const gridSample: readonly Case[] = [
  ...(['zeros', 'border', 'reflection'] as const).flatMap((padding_mode) =>
    [0, 1].flatMap((align_corners) => [
      c('GridSample', [image(3, 4), points([3, 4], [2, 3], align_corners)], { padding_mode, align_corners }, single),
      c(
        'GridSample',
        [f([1, 1, 4, 4]), points([4, 4], [2, 2], align_corners, true, 1)],
        { mode: 'cubic', padding_mode, align_corners },
        single,
      ),
    ]),
  ),
  c('GridSample', [image(3, 4), points([3, 4], [2, 3], 0, false)], { mode: 'nearest' }, single),
  c('GridSample', [image(3, 3, 2), points([3, 3, 2], [2, 1, 2], 0)], {}, single),
  // Offsets of a fifth of a pixel or more and never half of one.
  c('DeformConv', [f([1, 2, 4, 4]), weight([2, 2, 2, 2]), offsets([1, 8, 3, 3]), weight([2])], { kernel_shape: [2, 2] }, { single: true }),
  c(
    'DeformConv',
    [image(4, 4), weight([4, 1, 3, 3]), offsets([2, 36, 2, 2]), none, weight([2, 18, 2, 2])],
    { pads: [1, 1, 1, 1], strides: [2, 2], group: 2, offset_group: 2 },
    { single: true },
  ),
];
