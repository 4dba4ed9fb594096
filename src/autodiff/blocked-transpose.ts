import { constantOf, dataOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import { blockDomain, type Kernels, type Shape } from './blocked-kernels.ts';
import { product, tapsOf } from './rules/convolution-window.ts';

/** A transposed convolution of one group: weights [from, to, k…], cotangents of sizes `reached`, a result of sizes `sizes`. */
export interface Transposed extends Pick<Shape, 'kernel' | 'strides' | 'pads'> {
  readonly weights: string;
  readonly from: number;
  readonly to: number;
  readonly reached: readonly number[];
  readonly sizes: readonly number[];
}

/** Offsets of cotangents, first to last, that results with remainders `first` to `last` read along an axis: (r + p − t)/s. */
const reachOf = (kernel: number, stride: number, pad: number, first: number, last: number): readonly [low: number, high: number] => [
  Math.ceil((first + pad - kernel + 1) / stride),
  Math.floor((last + pad) / stride),
];

/** Weights [from, to, k…] as [from, of·to, w…]: taps of the kernel for each of `of` results, row-major; −1 is a tap that is 0. */
const chosenTaps = (out: Emit, { weights, from, to, kernel }: Transposed, taps: readonly number[], wide: readonly number[]): string => {
  const [all, each] = [product(kernel), product(wide)];
  const of = taps.length / each;
  const held = out.constantOf(weights);
  if (held?.bytes) {
    const values = dataOf(held) as Float32Array;
    const data = new Float32Array(from * of * to * each);
    for (let f = 0; f < from; f++)
      for (let r = 0; r < of; r++)
        for (let c = 0; c < to; c++)
          for (let v = 0; v < each; v++) {
            const tap = taps[r * each + v];
            if (tap >= 0) data[((f * of + r) * to + c) * each + v] = values[(f * to + c) * all + tap];
          }
    return out.constant(constantOf('float32', [from, of * to, ...wide], data));
  }
  const rows = out.Reshape(weights, out.ints([from, to, all]));
  const ended = taps.includes(-1) ? out.Pad(rows, out.ints([0, 0, 0, 0, 0, 1])) : rows;
  const gathered = out.Gather(ended, out.ints(taps.map((t) => (t < 0 ? all : t))), { axis: 2 });
  const parts = of === 1 ? gathered : out.Transpose(out.Reshape(gathered, out.ints([from, to, of, each])), { perm: [0, 2, 1, 3] });
  return out.Reshape(parts, out.ints([from, of * to, ...wide]));
};

/** Taps, in the order of the kernel, of results with these remainders, over offsets that run downwards from `high`. */
const tapsAt = (
  { kernel, strides, pads }: Transposed,
  remainders: readonly number[],
  high: readonly number[],
  wide: readonly number[],
): readonly number[] =>
  tapsOf(wide).map((place) => {
    const tap = place.map((v, a) => remainders[a] + pads[a] - strides[a] * (high[a] - v));
    return tap.every((t, a) => t >= 0 && t < kernel[a]) ? tap[0] * kernel[1] + tap[1] : -1;
  });

/** What a convolution over the cotangents does for results with remainders `first` to `last`, every `step`-th of its places. */
interface Phase {
  readonly high: readonly number[];
  readonly wide: readonly number[];
  readonly pads: readonly number[];
}
const phaseOf = (
  at: Transposed,
  first: readonly number[],
  last: readonly number[],
  steps: readonly number[],
  counts: readonly number[],
): Phase | undefined => {
  const reach = [0, 1].map((a) => reachOf(at.kernel[a], at.strides[a], at.pads[a], first[a], last[a]));
  const pads = [...reach.map(([low]) => 0 - low), ...reach.map(([, high], a) => (counts[a] - 1) * steps[a] + high - at.reached[a] + 1)];
  if (pads.some((p) => p < 0)) return undefined;
  return { high: reach.map(([, high]) => high), wide: reach.map(([low, high]) => high - low + 1), pads };
};

/** A transposed convolution by strides: its phases are named by their remainders. */
export interface Phased {
  readonly at: Transposed;
  /** Remainders that some tap meets, along each axis. */
  readonly met: readonly (readonly number[])[];
  readonly make: (sums: ReadonlyMap<string, string>) => ReadonlyMap<string, string>;
}

export const transposes = (out: Emit, block: number, { convolution }: Kernels) => {
  const up = (n: number): number => Math.ceil(n / block) * block;
  const run = (
    g: string,
    at: Transposed,
    weights: string,
    o: number,
    { wide, pads }: Phase,
    strides: readonly number[],
    sum?: string,
  ): string => {
    const shape = { group: 1, kernel: wide, strides, dilations: [1, 1], pads };
    return convolution(g, { name: weights, o, i: at.from, transposed: true, reversed: true }, '', shape, { sum });
  };
  /** The results of `sides` places as channels of one convolution, in blocks; how many such there are along each axis. */
  const joined = (
    g: string,
    at: Transposed,
    sides: readonly number[],
  ): { readonly made: string; readonly counts: readonly number[] } | undefined => {
    const counts = at.sizes.map((n, a) => Math.ceil(n / sides[a]));
    const steps = sides.map((n, a) => n / at.strides[a]);
    const phase = phaseOf(
      at,
      [0, 0],
      sides.map((n) => n - 1),
      steps,
      counts,
    );
    if (!phase) return undefined;
    const taps = tapsOf(sides).flatMap((remainders) => tapsAt(at, remainders, phase.high, phase.wide));
    return { made: run(g, at, chosenTaps(out, at, taps, phase.wide), product(sides) * at.to, phase, steps), counts };
  };
  const cropped = (v: string, sizes: readonly number[], from: readonly number[]): string =>
    from.every((n, a) => n === sizes[a]) ? v : out.Slice(v, out.ints([0, 0]), out.ints(sizes), out.ints([2, 3]));
  return {
    /**
     * Few channels: the results of a square of places as channels of one convolution, so that a block is not mostly empty
     * and every tap is read once for all of them. The value itself, out of blocks.
     */
    packed(g: string, at: Transposed): string | undefined {
      const [side, other] = at.strides.map((s) => (s === 1 ? 2 : s));
      if (side !== other || side * side * at.to > block) return undefined;
      const found = joined(g, at, [side, side]);
      if (!found) return undefined;
      const plain = out.call('ReorderOutput', [found.made], { channels: side * side * at.to }, blockDomain);
      const whole = out.call('DepthToSpace', [plain], { blocksize: side, mode: 'DCR' });
      return cropped(
        whole,
        at.sizes,
        found.counts.map((n) => n * side),
      );
    },
    /** The results of two places in a row, half a block each: channels last as they are. The value itself, out of blocks. */
    paired(g: string, at: Transposed): string | undefined {
      const half = block / 2;
      const weights = at.to === half ? at.weights : out.Pad(at.weights, out.ints([0, 0, 0, 0, 0, half - at.to, 0, 0]));
      const found = joined(g, { ...at, weights, to: half }, [1, 2]);
      if (!found) return undefined;
      const [h, w] = [found.counts[0], found.counts[1] * 2];
      const turned = out.Transpose(out.Reshape(found.made, out.ints([-1, h * w, half])), { perm: [0, 2, 1] });
      const own = at.to === half ? turned : out.Slice(turned, out.ints([0]), out.ints([at.to]), out.ints([1]));
      return cropped(out.Reshape(own, out.ints([-1, at.to, h, w])), at.sizes, [h, w]);
    },
    /**
     * A convolution for each remainder of places by the strides, with the taps that meet them: a phase of the result, in blocks,
     * made when it is known what each is to be added to.
     */
    phased(g: string, at: Transposed): Phased | undefined {
      const { strides, to } = at;
      const counts = at.sizes.map((n, a) => Math.ceil(n / strides[a]));
      const met = strides.map((s, a) =>
        Array.from({ length: s }, (_, r) => r).filter((r) => {
          const [low, high] = reachOf(at.kernel[a], s, at.pads[a], r, r);
          return high >= low;
        }),
      );
      if (met.some((list, a) => list.length !== 1 && list.length !== strides[a])) return undefined;
      const phases = new Map<string, Phase>();
      for (const y of met[0])
        for (const x of met[1]) {
          const phase = phaseOf(at, [y, x], [y, x], [1, 1], counts);
          if (!phase) return undefined;
          phases.set(`${y},${x}`, phase);
        }
      const make = (sums: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
        new Map(
          Array.from(phases, ([key, phase]) => {
            const taps = tapsAt(at, key.split(',').map(Number), phase.high, phase.wide);
            return [key, run(g, at, chosenTaps(out, at, taps, phase.wide), to, phase, [1, 1], sums.get(key))] as const;
          }),
        );
      return { at, met, make };
    },
    /** Phases in turns along both axes: the image that they are of, in blocks. */
    woven({ at: { strides, sizes, to }, met }: Phased, parts: ReadonlyMap<string, string>): string {
      /** Values `width` apart, in turn; where there is one list, zeros stand for the others. */
      const inTurn = (lists: readonly string[], axis: number, width: number): string => {
        const rows = lists.map((p) => out.Reshape(p, out.ints([-1, width])));
        const [place] = met[axis];
        if (strides[axis] === 1) return lists[0];
        if (rows.length > 1) return out.Concat(...rows, { axis: 1 });
        return out.Pad(rows[0], out.ints([0, place * width, 0, (strides[axis] - 1 - place) * width]));
      };
      const lines = met[0].map((y) =>
        inTurn(
          met[1].map((x) => parts.get(`${y},${x}`) ?? ''),
          1,
          block,
        ),
      );
      const [h, w] = sizes;
      const [high, wide] = sizes.map((n, a) => Math.ceil(n / strides[a]) * strides[a]);
      const whole = inTurn(lines, 0, wide * block);
      if (h === high && w === wide) return out.Reshape(whole, out.ints([-1, up(to), h, w]));
      const planes = out.Reshape(whole, out.ints([-1, up(to) / block, high, wide * block]));
      return out.Reshape(out.Slice(planes, out.ints([0, 0]), out.ints([h, w * block]), out.ints([2, 3])), out.ints([-1, up(to), h, w]));
    },
  };
};
