import { intOf, intsOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Back, Rule, Rules } from '../rule.ts';
import { castLike, dimsOf, dtypeOf, isPlain, num, rankOf, reshapeLike, shapeOf } from '../shapes.ts';
import { masked, step } from './activation.ts';
import { isWhole, product, tapsOf, type Window, windowOf } from './convolution-window.ts';
import { padding } from './pad.ts';

/**
 * The gradient of a pool goes to the maximum of each window; of equal ones to the first in row-major order, which is the one
 * ONNX Runtime's indices name. A pool that gives its indices takes some 4 times as long as one that does not, so where sizes
 * are known the maximum is found again by comparison. Whatever it is written in, it is differentiated as one operator, linear
 * in the cotangent, whose adjoint picks the elements under the maxima.
 */
const domain = 'assay';

interface Sized extends Window {
  readonly input: readonly number[];
  readonly output: readonly number[];
}
const sizedOf = (emit: Emit, node: Node, x: string, y: string): Sized | undefined => {
  const at = windowOf(emit, { node, x: [x], y: [y] });
  const { input, output } = at;
  return isWhole(input) && isWhole(output) ? { ...at, input, output } : undefined;
};

/** Windows that lie side by side without pads: values of the output are spread over their windows by Resize. */
interface Tiles {
  readonly spread: (v: string) => string;
  /** The part of an image that windows cover, and such a part with zeros around it. */
  readonly covered: (v: string) => string;
  readonly whole: (v: string) => string;
  readonly sizes: readonly number[];
  readonly attributes: { readonly kernel_shape: readonly number[]; readonly strides: readonly number[] };
}
const tilesOf = (emit: Emit, x: string, { kernel, strides, dilations, begin, input, output }: Sized): Tiles | undefined => {
  const sizes = output.map((n, i) => n * kernel[i]);
  const side = kernel.every((k, i) => k === strides[i] && dilations[i] === 1 && begin[i] === 0 && sizes[i] <= input[i]);
  if (kernel.length !== 2 || !side || !isPlain(emit, x)) return undefined;
  const scales = emit.constant(constantOf('float32', [4], [1, 1, ...kernel]));
  const rest = input.map((n, i) => n - sizes[i]);
  const axes = emit.ints([2, 3]);
  const channels = dimsOf(emit, x)?.slice(0, 2) ?? [];
  return {
    spread: (v) => {
      const wide = emit.call('Resize', [v, '', scales], {
        mode: 'nearest',
        nearest_mode: 'floor',
        coordinate_transformation_mode: 'asymmetric',
      });
      return emit.typed(wide, { kind: 'tensor', dtype: dtypeOf(emit, x), dims: [...channels, ...sizes] });
    },
    covered: (v) => (rest.every((r) => r === 0) ? v : emit.Slice(v, emit.ints([0, 0]), emit.ints(sizes), axes)),
    whole: (v) => padding(emit, v, [0, 0, 0, 0, 0, 0, ...rest]),
    sizes,
    attributes: { kernel_shape: kernel, strides },
  };
};
/** 1 at the first maximum of each tile. Ties are ranked, so that the best rank, found by a pool of its own, is the first. */
const firstOfTile = (emit: Emit, x: string, y: string, { spread, covered, sizes, attributes }: Tiles): string => {
  const [[kh, kw], [h, w]] = [attributes.kernel_shape, sizes];
  const ranks = Array.from({ length: h * w }, (_, i) => kh * kw - ((Math.floor(i / w) % kh) * kw + ((i % w) % kw)));
  const hits = castLike(emit, emit.Equal(spread(y), covered(x)), x);
  const ranked = emit.Mul(hits, emit.constant(constantOf(dtypeOf(emit, x), [1, 1, h, w], ranks)));
  return castLike(emit, emit.Equal(spread(emit.call('MaxPool', [ranked], attributes)), ranked), x);
};

/** Windows that overlap: tap by tap over channels-last images, where a strided slice copies whole rows of channels. */
interface Taps {
  /** Under each tap, in row-major order: the elements of an image that every window has there. */
  readonly under: (v: string, fill?: number) => readonly string[];
  /** The sum over windows and taps, back on the image. */
  readonly collect: (parts: readonly string[]) => string;
  /** Of an image, and of a map of windows, with channels last, and back. */
  readonly image: (v: string) => string;
  readonly windows: (v: string) => string;
  readonly imageOf: (v: string) => string;
  readonly windowsOf: (v: string) => string;
}
const tapsFor = (emit: Emit, x: string, { rank, kernel, strides, dilations, begin, input, output }: Sized): Taps => {
  const channels = Number(dimsOf(emit, x)?.[1]);
  const spatial = Array.from({ length: rank }, (_, i) => i + 1);
  const sliced = spatial.map((axis) => (axis === 1 ? 1 : axis + 1));
  // An axis of one element after the first spatial one keeps ONNX Runtime from moving the Transpose behind the slices, where there are more.
  const inserted = <T>(list: readonly T[], one: T): readonly T[] => [...list.slice(0, 1), one, ...list.slice(1)];
  const last = (v: string, sizes: readonly number[]): string =>
    emit.Reshape(emit.Transpose(v, { perm: [0, ...spatial.map((a) => a + 1), 1] }), emit.ints([-1, ...inserted(sizes, 1), channels]));
  const first = (v: string, sizes: readonly number[]): string =>
    emit.Transpose(emit.Reshape(v, emit.ints([-1, ...sizes, channels])), { perm: [0, rank + 1, ...spatial] });
  const taps = tapsOf(kernel).map((tap) => tap.map((t, i) => t * dilations[i]));
  const span = output.map((n, i) => (n - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1);
  const ends = span.map((n, i) => Math.max(0, n - input[i] - begin[i]));
  const aside = (amounts: readonly number[], more: readonly number[]): readonly number[] => [
    0,
    ...inserted(amounts, 0),
    0,
    0,
    ...inserted(more, 0),
    0,
  ];
  // Positions of one phase (offset modulo stride) make a grid of its own, `slack` wider than the output.
  const slack = kernel.map((k, i) => Math.floor(((k - 1) * dilations[i]) / strides[i]));
  const grid = output.map((n, i) => n + slack[i]);
  return {
    image: (v) => last(v, input),
    windows: (v) => last(v, output),
    imageOf: (v) => first(v, input),
    windowsOf: (v) => first(v, output),
    under(v, fill = 0) {
      const pads = aside(begin, ends);
      const wide = pads.every((p) => p === 0) ? v : emit.Pad(v, emit.ints(pads), num(emit, fill, v));
      return taps.map((tap) => {
        const stops = tap.map((t, i) => t + (output[i] - 1) * strides[i] + 1);
        return emit.Slice(wide, emit.ints(tap), emit.ints(stops), emit.ints(sliced), emit.ints(strides));
      });
    },
    collect(parts) {
      const sums = new Map<string, string>();
      for (const [i, part] of parts.entries()) {
        const shift = taps[i].map((t, a) => Math.floor(t / strides[a]));
        const phase = taps[i].map((t, a) => t % strides[a]).join();
        const moved = padding(
          emit,
          part,
          aside(
            shift,
            shift.map((s, a) => slack[a] - s),
          ),
        );
        const before = sums.get(phase);
        sums.set(phase, before === undefined ? moved : emit.Add(before, moved));
      }
      // Phases of the last axis are put side by side first, then those of the axes before it.
      const joined = (axis: number, fixed: readonly number[]): string => {
        if (axis === rank) return sums.get(fixed.join()) ?? emit.Mul(num(emit, 0, x), [...sums.values()][0]);
        const phases = Array.from({ length: strides[axis] }, (_, p) => joined(axis + 1, [...fixed, p]));
        if (phases.length === 1) return phases[0];
        const inner = product(grid.slice(axis + 1).map((n, i) => n * strides[axis + 1 + i])) * channels;
        const rows = phases.map((p) => emit.Reshape(p, emit.ints([-1, 1, inner])));
        return emit.Concat(...rows, { axis: 1 });
      };
      const whole = emit.Reshape(
        joined(0, []),
        emit.ints([
          -1,
          ...inserted(
            grid.map((n, i) => n * strides[i]),
            1,
          ),
          channels,
        ]),
      );
      const from = begin.map((b) => 0 - b);
      return padding(
        emit,
        whole,
        aside(
          from,
          input.map((n, i) => n + begin[i] - grid[i] * strides[i]),
        ),
      );
    },
  };
};
/** 1 where a tap holds the maximum and none before it does. */
const firstOfTaps = (emit: Emit, x: string, y: string, taps: Taps): readonly string[] => {
  const best = taps.windows(y);
  let free = '';
  return taps.under(taps.image(x), -Infinity).map((v) => {
    const hit = emit.Equal(best, v);
    const own = free ? emit.And(free, hit) : hit;
    free = free ? emit.And(free, emit.Not(hit)) : emit.Not(hit);
    return castLike(emit, own, x);
  });
};

/** Beyond so many taps, or with so few channels, the indices cost less. */
const byTaps = (emit: Emit, x: string, { kernel }: Sized): boolean => product(kernel) <= 25 && Number(dimsOf(emit, x)?.[1] ?? 0) >= 8;

const indicesOf = (emit: Emit, x: string, node: Node): string =>
  emit.calls('MaxPool', [x], 2, { ...node.attributes, storage_order: undefined })[1];
const flat = (emit: Emit, x: string): string => emit.Reshape(x, emit.ints([-1]));

/** Cotangents of the maxima to where they came from. */
const unpool = (emit: Emit, x: string, y: string, g: string, node: Node): string => {
  const at = sizedOf(emit, node, x, y);
  const tiles = at && tilesOf(emit, x, at);
  if (tiles) return tiles.whole(emit.Mul(tiles.spread(g), firstOfTile(emit, x, y, tiles)));
  if (at && byTaps(emit, x, at)) {
    const taps = tapsFor(emit, x, at);
    const arrived = taps.windows(g);
    const parts = firstOfTaps(emit, x, y, taps).map((first) => emit.Mul(arrived, first));
    return reshapeLike(emit, taps.imageOf(taps.collect(parts)), x);
  }
  const indices = indicesOf(emit, x, node);
  const kernel = intsOf(node, 'kernel_shape') ?? [];
  const strides = intsOf(node, 'strides') ?? kernel.map(() => 1);
  const apart =
    kernel.every((k, i) => k <= strides[i]) && !intsOf(node, 'dilations')?.some((d) => d > 1) && intOf(node, 'ceil_mode', 0) === 0;
  if (apart && dtypeOf(emit, x) === 'float32' && !intsOf(node, 'pads')?.some((p) => p > 0) && (rankOf(emit, x) ?? 9) <= 5)
    return emit.call('MaxUnpool', [g, indices, shapeOf(emit, x)], { kernel_shape: kernel, strides });
  const zeros = emit.Expand(num(emit, 0, x), emit.Reshape(emit.Size(x), emit.ints([1])));
  return reshapeLike(emit, emit.ScatterElements(zeros, flat(emit, indices), flat(emit, g), { axis: 0, reduction: 'add' }), x);
};

/** The elements of `u` under the maxima of x. */
const pick = (emit: Emit, x: string, y: string, u: string, node: Node): string => {
  const at = sizedOf(emit, node, x, y);
  const tiles = at && tilesOf(emit, x, at);
  if (tiles) {
    // One element of each tile may differ from 0, so that it is the largest or the smallest: maxima are the faster pools.
    const one = emit.Mul(tiles.covered(u), firstOfTile(emit, x, y, tiles));
    const most = (v: string): string => emit.call('MaxPool', [v], tiles.attributes);
    return emit.Sub(most(one), most(emit.Neg(one)));
  }
  if (at && byTaps(emit, x, at)) {
    const taps = tapsFor(emit, x, at);
    const firsts = firstOfTaps(emit, x, y, taps);
    const parts = taps.under(taps.image(u)).map((v, i) => emit.Mul(v, firsts[i]));
    return reshapeLike(emit, taps.windowsOf(parts.reduce((a, b) => emit.Add(a, b))), y);
  }
  return reshapeLike(emit, emit.Gather(flat(emit, u), indicesOf(emit, x, node)), y);
};
const unpooled = (emit: Emit, x: string, y: string, g: string, node: Node): string =>
  emit.means(unpool(emit, x, y, g, node), 'MaxPoolGradient', [x, y, g], node.attributes, domain);
const picked = (emit: Emit, x: string, y: string, u: string, node: Node): string =>
  emit.means(pick(emit, x, y, u, node), 'MaxPoolPick', [x, y, u], node.attributes, domain);

/** Where the input is a Relu's, its mask is the sign of the maximum, and is applied here, where there is less. */
const maxPool: Back = (emit, g, { node, x: [x], y: [y] }) => {
  if (emit.producer(x)?.op !== 'Relu') return unpooled(emit, x, y, g, node);
  return emit.mark(unpooled(emit, x, y, emit.Mul(g, step(emit, y)), node), masked(x));
};
const gradient: Rule = { back: [null, null, (emit, u, { x: [x, y], node }) => picked(emit, x, y, u, node)] };
const picking: Rule = { back: [null, null, (emit, g, { x: [x, y], node }) => unpooled(emit, x, y, g, node)] };
/** What MaxUnpool wrote is read back. */
const maxUnpool: Back = (emit, g, { x: [x, indices] }) => reshapeLike(emit, emit.Gather(flat(emit, g), indices), x);

export const maxPooling: Rules = {
  MaxPool: { back: [maxPool] },
  MaxUnpool: { back: [maxUnpool, null, null] },
  'assay.MaxPoolGradient': gradient,
  'assay.MaxPoolPick': picking,
};
