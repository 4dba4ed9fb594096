import { intOf, intsOf } from '../../graph/attribute.ts';
import { constantOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { type Back, type Rule, type Rules, wanted } from '../rule.ts';
import { castLike, dimsOf, dtypeOf, isPlain, num, rankOf, reshapeLike, shapeOf } from '../shapes.ts';
import { masked, step } from './activation.ts';
import { isWhole, product, type Window, windowOf } from './convolution-window.ts';
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

/**
 * Windows that overlap: one spatial axis after another, the last first, over channels-last images, where a strided slice
 * copies whole rows of channels. The first maximum in row-major order is the first row that holds it, and the first there.
 */
interface Line {
  readonly axis: number;
  readonly input: number;
  readonly output: number;
  readonly stride: number;
  /** Where each tap of a window lies, in front of pads counted as well. */
  readonly taps: readonly number[];
  readonly begin: number;
}
/** An axis of one element after the first spatial one keeps ONNX Runtime from moving the Transpose behind the slices, where there are more. */
const inserted = <T>(list: readonly T[], one: T): readonly T[] => [...list.slice(0, 1), one, ...list.slice(1)];
const linesOf = ({ kernel, strides, dilations, begin, input, output }: Sized): readonly Line[] =>
  kernel.map((k, i) => ({
    axis: i === 0 ? 1 : i + 2,
    input: input[i],
    output: output[i],
    stride: strides[i],
    taps: Array.from({ length: k }, (_, t) => t * dilations[i]),
    begin: begin[i],
  }));
const channelsLast = (emit: Emit, v: string, sizes: readonly number[], channels: number): string => {
  const spatial = sizes.map((_, i) => i + 2);
  return emit.Reshape(emit.Transpose(v, { perm: [0, ...spatial, 1] }), emit.ints([-1, ...inserted(sizes, 1), channels]));
};
const channelsFirst = (emit: Emit, v: string, sizes: readonly number[], channels: number): string => {
  const spatial = sizes.map((_, i) => i + 1);
  return emit.Transpose(emit.Reshape(v, emit.ints([-1, ...sizes, channels])), { perm: [0, sizes.length + 1, ...spatial] });
};
/** `v` of `rank` spatial axes with so many elements more along one, or fewer where negative. */
const lengthened = (emit: Emit, v: string, axis: number, rank: number, [front, behind]: readonly [number, number], fill = 0): string => {
  if (front === 0 && behind === 0) return v;
  const side = (n: number): readonly number[] => Array.from({ length: rank + 3 }, (_, i) => (i === axis ? n : 0));
  const amounts = [...side(front), ...side(behind)];
  return fill === 0 ? padding(emit, v, amounts) : emit.Pad(v, emit.ints(amounts), num(emit, fill, v));
};
/** The elements that every window has under each tap. */
const under = (emit: Emit, v: string, { axis, input, output, stride, taps, begin }: Line, rank: number, fill = 0): readonly string[] => {
  const reach = (output - 1) * stride + taps[taps.length - 1] + 1;
  const wide = lengthened(emit, v, axis, rank, [begin, Math.max(0, reach - input - begin)], fill);
  return taps.map((tap) =>
    emit.Slice(wide, emit.ints([tap]), emit.ints([tap + (output - 1) * stride + 1]), emit.ints([axis]), emit.ints([stride])),
  );
};
/** The adjoint: what lies under each tap, summed where it came from. Positions of one phase (offset modulo stride) make a grid of their own. */
const collected = (emit: Emit, parts: readonly string[], line: Line, at: Sized, channels: number): string => {
  const { axis, input, output, stride, taps, begin } = line;
  const rank = at.rank;
  const shifts = taps.map((t) => Math.floor(t / stride));
  const slack = shifts[shifts.length - 1];
  const phases = Array.from({ length: stride }, (_, phase) => {
    const moved = parts.flatMap((part, i) =>
      taps[i] % stride === phase ? [lengthened(emit, part, axis, rank, [shifts[i], slack - shifts[i]])] : [],
    );
    return moved.length > 0 ? moved.reduce((a, b) => emit.Add(a, b)) : undefined;
  });
  const grid = output + slack;
  // Axes before this one have the sizes of the image already, those behind it still the sizes of the windows.
  const sizes = at.input.map((n, i) => ((i === 0 ? 1 : i + 2) < axis ? n : at.output[i]));
  const place = axis === 1 ? 0 : axis - 2;
  let whole = phases[0] ?? '';
  if (stride > 1) {
    const inner = product(sizes.slice(place + 1)) * channels;
    const zero = emit.Mul(num(emit, 0, parts[0]), phases.find((p) => p) ?? '');
    const rows = phases.map((p) => emit.Reshape(p ?? zero, emit.ints([-1, 1, inner])));
    const full = sizes.map((n, i) => (i === place ? grid * stride : n));
    whole = emit.Reshape(emit.Concat(...rows, { axis: 1 }), emit.ints([-1, ...inserted(full, 1), channels]));
  }
  return lengthened(emit, whole, axis, rank, [0 - begin, input + begin - grid * stride]);
};
/** For each axis, the last first, which taps after the first exceed all before them. */
const rises = (emit: Emit, x: string, at: Sized, channels: number): readonly (readonly string[])[] => {
  let v = channelsLast(emit, x, at.input, channels);
  const lines = linesOf(at);
  const found = lines.toReversed().map((line, i) => {
    const [first, ...rest] = under(emit, v, line, at.rank, -Infinity);
    v = first;
    return rest.map((next, t) => {
      const rise = emit.Greater(next, v);
      if (i < lines.length - 1 || t < rest.length - 1) v = emit.Max(v, next);
      return rise;
    });
  });
  return found.toReversed();
};
/** Cotangents of windows to their first maxima. */
const spreadLines = (emit: Emit, x: string, g: string, at: Sized, channels: number): string => {
  const found = rises(emit, x, at, channels);
  const lines = linesOf(at);
  const arrived = channelsLast(emit, g, at.output, channels);
  const whole = lines.reduce((cotangent, line, i) => {
    let rest = cotangent;
    const parts = found[i].toReversed().map((rise) => {
      const part = emit.Mul(rest, castLike(emit, rise, x));
      rest = emit.Sub(rest, part);
      return part;
    });
    return collected(emit, [...parts, rest].toReversed(), line, at, channels);
  }, arrived);
  return channelsFirst(emit, whole, at.input, channels);
};
/** Elements of u under the first maxima of x. */
const pickLines = (emit: Emit, x: string, u: string, at: Sized, channels: number): string => {
  const found = rises(emit, x, at, channels);
  const lines = linesOf(at);
  let v = channelsLast(emit, u, at.input, channels);
  for (const [i, line] of [...lines.entries()].toReversed()) {
    const [first, ...rest] = under(emit, v, line, at.rank);
    v = rest.reduce((before, next, t) => {
      const rise = castLike(emit, found[i][t], x);
      const level = castLike(emit, emit.Not(found[i][t]), x);
      return emit.Add(emit.Mul(before, level), emit.Mul(next, rise));
    }, first);
  }
  return channelsFirst(emit, v, at.output, channels);
};

/** Beyond so many taps, or with so few channels, the indices cost less. */
const byLines = (emit: Emit, x: string, { kernel }: Sized): boolean =>
  kernel.reduce((n, k) => n + k, 0) <= 20 && Number(dimsOf(emit, x)?.[1] ?? 0) >= 8;

const indicesOf = (emit: Emit, x: string, node: Node): string =>
  emit.calls('MaxPool', [x], 2, { ...node.attributes, storage_order: undefined })[1];
const flat = (emit: Emit, x: string): string => emit.Reshape(x, emit.ints([-1]));

/** Cotangents of the maxima to where they came from. */
const unpool = (emit: Emit, x: string, y: string, g: string, node: Node): string => {
  const at = sizedOf(emit, node, x, y);
  const tiles = at && tilesOf(emit, x, at);
  if (tiles) return tiles.whole(emit.Mul(tiles.spread(g), firstOfTile(emit, x, y, tiles)));
  if (at && byLines(emit, x, at)) return reshapeLike(emit, spreadLines(emit, x, g, at, Number(dimsOf(emit, x)?.[1])), x);
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
    if (product(tiles.attributes.kernel_shape) === 1) return reshapeLike(emit, u, y);
    // One element of each tile may differ from 0, so that it is the largest or the smallest: maxima are the faster pools.
    const one = emit.Mul(tiles.covered(u), firstOfTile(emit, x, y, tiles));
    const most = (v: string): string => emit.call('MaxPool', [v], tiles.attributes);
    return emit.Sub(most(one), most(emit.Neg(one)));
  }
  if (at && byLines(emit, x, at)) return reshapeLike(emit, pickLines(emit, x, u, at, Number(dimsOf(emit, x)?.[1])), y);
  return reshapeLike(emit, emit.Gather(flat(emit, u), indicesOf(emit, x, node)), y);
};
const unpooled = (emit: Emit, x: string, y: string, g: string, node: Node): string =>
  emit.means(unpool(emit, x, y, g, node), 'MaxPoolGradient', [x, y, g], node.attributes, domain);
const picked = (emit: Emit, x: string, y: string, u: string, node: Node): string =>
  emit.means(pick(emit, x, y, u, node), 'MaxPoolPick', [x, y, u], node.attributes, domain);

/** Where the input is a Relu's, its mask is the sign of the maximum, and is applied here, where there is less. */
const maxPool: Back = (emit, g, { node, x: [x], y: [y] }) => {
  if (emit.producer(x)?.op !== 'Relu' || emit.marked(x, wanted)) return unpooled(emit, x, y, g, node);
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
