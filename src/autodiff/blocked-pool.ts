import { constantOf } from '../graph/constant.ts';
import { type Emit, floats } from '../graph/emit.ts';
import { blockDomain } from './blocked-kernels.ts';
import { product } from './rules/convolution-window.ts';

/** A pool of images in blocks of channels, sizes over (height, width). */
interface BlockedPool {
  readonly channels: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly begin: readonly number[];
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/** HardSigmoid(0) = 1, and 0 at what exceeds 1/3e38: an equality as an activation. */
const isZero = { activation: 'HardSigmoid', activation_params: floats([-3e38, 1]) };

/**
 * The gradient of a maximum over windows, one spatial axis after the other, in depthwise convolutions with one-hot kernels,
 * which compare, shift, add and crop at the speed of memory. Maxima along the rows are the images of the second axis. Pads
 * count as 0: where there are any, cotangents of windows whose maximum is not above 0 must be 0. What is linear in the images
 * and the same for each element, a sum over some of them, is taken before their parts come together.
 */
export const pooledBack = (
  out: Emit,
  block: number,
  [x, y, g]: readonly string[],
  at: BlockedPool,
  linear: (part: string, sizes: readonly number[]) => string = (part) => part,
): string => {
  const deep = Math.ceil(at.channels / block);
  const group = deep * block;
  const oneHot = (kernel: readonly number[], tap: number, value: number): string => {
    const taps = product(kernel);
    const data = Float32Array.from({ length: group * taps }, (_, i) => (Math.floor(i / block) % taps === tap ? value : 0));
    return out.constant(constantOf('float32', [group, 1, ...kernel], data));
  };
  /** The element under `tap` of windows along an axis, times `value`, added to `sum`. */
  const taken = (
    v: string,
    axis: number,
    { length = 1, tap = 0, value = 1, stride = 1, pads = [0, 0], sum = '', last = {} }: Partial<Taken>,
  ): string => {
    const along = <T>(one: T, other: T): readonly T[] => (axis === 0 ? [one, other] : [other, one]);
    const kernel = along(length, 1);
    const attributes = {
      kernel_shape: kernel,
      strides: along(stride, 1),
      dilations: [1, 1],
      pads: [...along(pads[0], 0), ...along(pads[1], 0)],
      group,
      ...last,
    };
    return out.call('Conv', [v, oneHot(kernel, tap, value), '', sum], attributes, blockDomain);
  };
  /** Pads behind that the windows reach into. */
  const behind = at.kernel.map((k, i) => Math.max(0, (at.output[i] - 1) * at.strides[i] + k - at.input[i] - at.begin[i]));
  /** The cotangent of each window's maximum `top` to the first element of v that equals it, along one axis. */
  const parted = (v: string, top: string, cotangent: string, axis: number): readonly string[] => {
    const [length, stride, pads] = [at.kernel[axis], at.strides[axis], [at.begin[axis], behind[axis]]];
    let rest = cotangent;
    const parts = Array.from({ length: length - 1 }, (_, tap) => {
      const here = taken(v, axis, { length, tap, value: -1, stride, pads, sum: top, last: isZero });
      const part = out.Mul(rest, here);
      rest = out.Sub(rest, part);
      return part;
    });
    return [...parts, rest];
  };
  /** The parts summed where they came from: positions of one phase (offset modulo stride) side by side, then phases in turns. */
  const collected = (parts: readonly string[], axis: number): string => {
    const [stride, begin, input] = [at.strides[axis], at.begin[axis], at.input[axis]];
    const shifts = parts.map((_, tap) => Math.floor(tap / stride));
    const slack = shifts[shifts.length - 1];
    const phases = Array.from({ length: stride }, (_, phase) => {
      const own = parts.flatMap((part, tap) => (tap % stride === phase ? [{ part, shift: shifts[tap] }] : []));
      if (own.length === 0) return taken(parts[0], axis, { value: 0, pads: [0, slack] });
      if (slack === 0) return own[0].part;
      return own.reduce((sum, { part, shift }) => taken(part, axis, { pads: [shift, slack - shift], sum }), '');
    });
    const grid = at.output[axis] + slack;
    const sizes = axis === 0 ? [grid * stride, at.output[1]] : [at.input[0], grid * stride];
    const inner = block * (axis === 0 ? at.output[1] : 1);
    const rows = phases.map((p) => out.Reshape(p, out.ints([-1, 1, inner])));
    const whole = stride === 1 ? phases[0] : out.Reshape(out.Concat(...rows, { axis: 1 }), out.ints([-1, group, ...sizes]));
    const more = input + begin - grid * stride;
    if (begin === 0 && more === 0) return whole;
    return taken(whole, axis, { length: begin + Math.max(0, -more) + 1, tap: begin, pads: [0, Math.max(0, more)] });
  };
  const rows = {
    kernel_shape: [1, at.kernel[1]],
    strides: [1, at.strides[1]],
    pads: [0, at.begin[1], 0, behind[1]],
  };
  const across = out.call('MaxPool', [x], rows, blockDomain);
  const down = collected(parted(across, y, g, 0), 0);
  const parts = parted(x, across, down, 1).map((part) => linear(part, [at.input[0], at.output[1]]));
  return collected(parts, 1);
};

interface Taken {
  readonly length: number;
  readonly tap: number;
  readonly value: number;
  readonly stride: number;
  readonly pads: readonly number[];
  readonly sum: string;
  readonly last: Readonly<Record<string, string | ReturnType<typeof floats>>>;
}
