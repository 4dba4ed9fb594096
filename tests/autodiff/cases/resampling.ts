import { float } from '../../../src/graph/emit.ts';
import { type Case, c, f, fed, graph, held, ints, none } from './case.ts';

const image = (...sizes: number[]) => f([2, 2, ...sizes], -1, 1);
const to = (...sizes: number[]) => ints([2, 2, ...sizes]);
const by = (...scales: number[]) => held([1, 1, ...scales]);
const single = { single: true };

export const resampling: readonly Case[] = [
  c(
    'Resize',
    [image(3, 4), none, by(2, 2)],
    { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    single,
  ),
  c('Resize', [image(3, 4), none, by(1.5, 2.4)], { mode: 'nearest' }, single),
  c(
    'Resize',
    [image(5, 4), none, none, to(3, 7)],
    { mode: 'nearest', nearest_mode: 'ceil', coordinate_transformation_mode: 'align_corners' },
    single,
  ),
  c('Resize', [image(5, 4), none, none, to(4, 6)], { mode: 'nearest', nearest_mode: 'round_prefer_ceil' }, single),
  ...['half_pixel', 'pytorch_half_pixel', 'align_corners', 'asymmetric', 'half_pixel_symmetric'].flatMap((mode) => [
    c('Resize', [image(3, 4), none, none, to(5, 6)], { mode: 'linear', coordinate_transformation_mode: mode }, single),
    c('Resize', [image(5, 6), none, by(0.5, 0.7)], { mode: 'linear', coordinate_transformation_mode: mode }, single),
    c('Resize', [image(4, 4), none, none, to(6, 7)], { mode: 'cubic', coordinate_transformation_mode: mode }, single),
  ]),
  c('Resize', [image(5, 4), none, none, to(3, 6)], { mode: 'cubic', cubic_coeff_a: float(-0.5), exclude_outside: 1 }, single),
  c('Resize', [image(6, 6), none, none, to(4, 3)], { mode: 'linear', antialias: 1 }, single),
  c('Resize', [image(6, 6), none, none, to(4, 3)], { mode: 'cubic', antialias: 1, exclude_outside: 1 }, single),
  c(
    'Resize',
    [image(5, 5), held([0, 0, 0.1, 0.2, 1, 1, 0.8, 0.9]), none, to(3, 4)],
    { mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize' },
    single,
  ),
  c('Resize', [f([2, 3, 4]), none, none, ints([2, 3, 7])], { mode: 'linear' }, single),
  c('Resize', [f([1, 2, 2, 3, 3]), none, none, ints([1, 2, 3, 4, 5])], { mode: 'linear' }, single),
  c('Resize', [image(3, 4), none, none, ints([6, 5])], { mode: 'linear', axes: [2, 3] }, single),
  c('Resize', [image(3, 4), none, none, ints([6, 6])], { mode: 'linear', axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' }, single),
  ...[
    { mode: 'linear' },
    { mode: 'cubic', coordinate_transformation_mode: 'align_corners' },
    { mode: 'linear', keep_aspect_ratio_policy: 'not_smaller' },
  ].map((attributes) =>
    graph(
      `Resize to sizes at run time ${JSON.stringify(attributes)}`,
      [image(3, 4), fed([7, 6])],
      (emit, [x, sizes]) => [emit.call('Resize', [x, '', '', emit.Reshape(sizes, emit.ints([2]))], { ...attributes, axes: [2, 3] })],
      single,
    ),
  ),
  c('AffineGrid', [f([2, 2, 3]), ints([2, 3, 2, 4])], {}),
  c('AffineGrid', [f([2, 2, 3]), fed([2, 3, 2, 4])], {}),
  c('AffineGrid', [f([1, 3, 4]), fed([1, 1, 2, 3, 2])], { align_corners: 1 }),
  c('AffineGrid', [f([1, 3, 4]), ints([1, 1, 2, 3, 2])], { align_corners: 1 }),
  c(
    'RoiAlign',
    [image(6, 5), held([0.3, 0.4, 3.6, 4.2, 1.1, 0.2, 4.5, 3.3], [2, 4]), ints([1, 0])],
    { output_height: 2, output_width: 3, sampling_ratio: 2 },
    single,
  ),
  c(
    'RoiAlign',
    [image(6, 5), held([0.3, 0.4, 3.6, 8.2, 1.1, 0.2, 4.5, 3.3], [2, 4]), ints([1, 1])],
    { output_height: 2, output_width: 2, spatial_scale: float(0.7) },
    single,
  ),
  c(
    'RoiAlign',
    [image(5, 5), held([0.5, 0.5, 3, 3], [1, 4]), ints([0])],
    { output_height: 2, output_width: 2, sampling_ratio: 1, coordinate_transformation_mode: 'output_half_pixel' },
    single,
  ),
  ...[
    { output_height: 2, output_width: 3, sampling_ratio: 2, mode: 'max' },
    { output_height: 2, output_width: 2, spatial_scale: float(0.7), mode: 'max' },
    { output_height: 1, output_width: 2, sampling_ratio: 1, coordinate_transformation_mode: 'output_half_pixel', mode: 'max' },
  ].map((attributes) =>
    c('RoiAlign', [f([1, 2, 6, 5], 1, 61), held([0.3, 0.4, 3.6, 8.2, 1.1, 0.2, 4.5, 3.3], [2, 4]), ints([0, 0])], attributes, single),
  ),
];
