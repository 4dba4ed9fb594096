import { sizeOf } from '../../../base/tensor.ts';
import { floatsOf, intOf, stringOf } from '../../attribute.ts';
import { numbersOf } from '../../constant.ts';
import type { Attribute, Node } from '../../types.ts';
import { type Rewriter, type Upgrades, without } from './rewriter.ts';

const text = (value: string): Attribute => ({ type: 'string', value });
const resize = (node: Node, inputs: readonly string[], nearest: 'floor' | 'ceil'): Node => ({
  ...node,
  op: 'Resize',
  inputs,
  attributes: {
    mode: text(stringOf(node, 'mode', 'nearest') === 'bilinear' ? 'linear' : stringOf(node, 'mode', 'nearest')),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text(nearest),
  },
});

const upsample = (node: Node, at: Rewriter): Node => {
  const scales = at.version < 9 ? at.floats(floatsOf(node, 'scales') ?? []) : node.inputs[1];
  return resize(node, [node.inputs[0], '', scales], 'floor');
};

/**
 * Version 10 took asymmetric coordinates, rounded down where an axis grows and up where it shrinks (ONNX Runtime's reading);
 * nearest neighbours are separable, so an axis of each kind takes a Resize of its own.
 */
const resize10 = (node: Node, at: Rewriter): Node => {
  const [x, scales] = node.inputs;
  const known = at.constant(scales);
  const factors = known?.bytes ? numbersOf(known) : [];
  const nearest = stringOf(node, 'mode', 'nearest') === 'nearest';
  if (!nearest || factors.every((f) => f >= 1)) return resize(node, [x, '', scales], 'floor');
  if (factors.every((f) => f <= 1)) return resize(node, [x, '', scales], 'ceil');
  const grown = at.call('Resize', [x, '', at.floats(factors.map((f) => Math.max(f, 1)))], resize(node, [], 'floor').attributes);
  return resize(node, [grown, '', at.floats(factors.map((f) => Math.min(f, 1)))], 'ceil');
};

/** Empty roi, scales and sizes were written as empty tensors before they could be left out. */
const resize11 = (node: Node, at: Rewriter): Node => {
  const inputs = node.inputs.map((name, i) => {
    const c = i > 0 && name ? at.constant(name) : undefined;
    return c && sizeOf(c.dims) === 0 ? '' : name;
  });
  const out = { ...node, inputs };
  if (stringOf(node, 'coordinate_transformation_mode', 'half_pixel') !== 'tf_half_pixel_for_nn') return out;
  // floor((i + 0.5) / s) = floor(t + 0.5) with t the half-pixel coordinate.
  if (stringOf(node, 'nearest_mode', 'round_prefer_floor') !== 'floor')
    return at.refuse('Resize with tf_half_pixel_for_nn is read with nearest_mode floor only');
  return {
    ...out,
    attributes: { ...out.attributes, coordinate_transformation_mode: text('half_pixel'), nearest_mode: text('round_prefer_ceil') },
  };
};

const renamedMode: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' };
const gridSample = (node: Node): Node => {
  const mode = stringOf(node, 'mode', 'bilinear');
  return { ...node, attributes: { ...node.attributes, mode: text(renamedMode[mode] ?? mode) } };
};

const roiAlign = (node: Node): Node => ({
  ...node,
  attributes: { ...node.attributes, coordinate_transformation_mode: text('output_half_pixel') },
});

const dft = (node: Node, at: Rewriter): Node => {
  const [x, length = ''] = node.inputs;
  const axis = at.call('Squeeze', [at.ints([intOf(node, 'axis', 1)])]);
  return { ...without(node, 'axis'), inputs: [x, length, axis] };
};

export const resampling: Upgrades = {
  Upsample: [{ before: 10, rewrite: upsample }],
  Resize: [
    { before: 11, rewrite: resize10 },
    { before: 19, rewrite: resize11 },
  ],
  GridSample: [{ before: 20, rewrite: gridSample }],
  RoiAlign: [{ before: 16, rewrite: roiAlign }],
  DFT: [{ before: 20, rewrite: dft }],
  Scatter: [{ before: 11, rewrite: (node) => ({ ...node, op: 'ScatterElements' }) }],
  Scan: [
    {
      before: 9,
      rewrite: (_, at) => at.refuse('Scan of operator set 8 is read by no current runtime'),
    },
  ],
};
