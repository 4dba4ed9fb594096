import { intOf, intsOf } from '../../graph/attribute.ts';
import type { Emit } from '../../graph/emit.ts';
import { padsOf } from '../../graph/infer-windows.ts';
import type { Dim } from '../../graph/types.ts';
import type { Site } from '../rule.ts';
import { dimsOf, rankOf, sum } from '../shapes.ts';

/** A convolution or pool written out: sizes over the spatial axes, which are all but the first two. */
export interface Window {
  readonly rank: number;
  readonly group: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
  /** Sizes of input and output, where known. */
  readonly input: readonly Dim[];
  readonly output: readonly Dim[];
}

export const windowOf = (emit: Emit, { node, x: [x, w], y: [y] }: Pick<Site, 'node' | 'x' | 'y'>): Window => {
  const kernel = intsOf(node, 'kernel_shape') ?? dimsOf(emit, w)?.slice(2).map(Number) ?? [];
  const ones = kernel.map(() => 1);
  const input = dimsOf(emit, x)?.slice(2) ?? kernel.map(() => undefined);
  const pads = padsOf(node, input, kernel) ?? kernel.flatMap(() => [0, 0]);
  return {
    rank: kernel.length,
    group: intOf(node, 'group', 1),
    kernel,
    strides: intsOf(node, 'strides') ?? ones,
    dilations: intsOf(node, 'dilations') ?? ones,
    begin: pads.slice(0, kernel.length),
    end: pads.slice(kernel.length),
    input,
    output: dimsOf(emit, y)?.slice(2) ?? kernel.map(() => undefined),
  };
};

export const isWhole = (sizes: readonly Dim[]): sizes is readonly number[] => sizes.every((d) => typeof d === 'number');
export const product = (sizes: readonly number[]): number => sizes.reduce((n, d) => n * d, 1);
/** Positions in the kernel, row-major. */
export const tapsOf = (kernel: readonly number[]): number[][] =>
  kernel.reduce<number[][]>((found, k) => found.flatMap((tap) => Array.from({ length: k }, (_, i) => [...tap, i])), [[]]);

/** One sum for each channel. First within each image: over all axes at once, channels last, ONNX Runtime takes ten times as long. */
export const channelSums = (emit: Emit, v: string): string => {
  const spatial = Array.from({ length: (rankOf(emit, v) ?? 2) - 2 }, (_, i) => i + 2);
  return sum(emit, sum(emit, v, spatial), [0]);
};
