import { random } from '../base/random.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { constantOf } from '../graph/constant.ts';
import type { Emit } from '../graph/emit.ts';
import type { TensorType } from '../graph/types.ts';
import type { Precision } from './layout.ts';

/** Random changes of training rows, each drawn anew for every row of every step; absent kinds do not happen. */
export interface Augment {
  /** Largest shift along height and width, in pixels; what comes in is 0. */
  readonly shift?: number;
  readonly flip?: 'horizontal' | 'vertical' | 'both';
  /** Largest angle, in degrees. */
  readonly rotation?: number;
  /** Least share of the area that a cut keeps, which is then stretched over the whole. */
  readonly crop?: number;
  /** Side of a square that becomes 0, in pixels. */
  readonly cutout?: number;
  /** Standard deviation of normal noise. */
  readonly noise?: number;
  /** Rows are mixed with the next one of the batch by a share from Beta(α, α). */
  readonly mixup?: number;
}

/** What is drawn on the host, per row: a map of coordinates [2, 3], a box [4], noise as the row, a share []. */
export type Drawn = 'map' | 'box' | 'noise' | 'share';

const geometric = ({ shift = 0, flip, rotation = 0, crop = 1 }: Augment): boolean =>
  shift > 0 || flip !== undefined || rotation > 0 || crop < 1;
/** Changes that only images have. */
export const ofImages = (augment: Augment): boolean => geometric(augment) || augment.cutout !== undefined;

export const drawnOf = (augment: Augment, row: readonly number[]): Readonly<Partial<Record<Drawn, readonly number[]>>> => ({
  ...(geometric(augment) ? { map: [2, 3] } : {}),
  ...(augment.cutout === undefined ? {} : { box: [4] }),
  ...(augment.noise === undefined ? {} : { noise: row }),
  ...(augment.mixup === undefined ? {} : { share: [] }),
});

/** (a, b, c, d, e, f): x ← a·x + b·y + c, y ← d·x + e·y + f, in pixels from the middle. */
type Map = readonly [number, number, number, number, number, number];
const after = ([a, b, c, d, e, f]: Map, [g, h, i, j, k, l]: Map): Map => [
  a * g + b * j,
  a * h + b * k,
  a * i + b * l + c,
  d * g + e * j,
  d * h + e * k,
  d * i + e * l + f,
];

/** Jöhnk 1964: U = u^(1/α), V = v^(1/α), given U + V ≤ 1, makes U/(U + V) a Beta(α, α). The larger share is the row's own. */
const betaShare = (alpha: number, next: () => number): number => {
  for (;;) {
    const [u, v] = [next() ** (1 / alpha), next() ** (1 / alpha)];
    if (u + v <= 1 && u + v > 0) return Math.max(u, v) / (u + v);
  }
};

/** Where in the stored row each pixel of the changed one is found: shifted, flipped and turned in that order, of a cut. */
const mapOf = ({ shift = 0, flip, rotation = 0, crop = 1 }: Augment, [height, width]: readonly number[], next: () => number): Map => {
  const pixels = (): number => Math.floor(next() * (2 * shift + 1)) - shift;
  const sign = (axis: 'horizontal' | 'vertical'): number => ((flip === axis || flip === 'both') && next() < 0.5 ? -1 : 1);
  const moved: Map = [1, 0, pixels(), 0, 1, pixels()];
  const flipped: Map = [sign('horizontal'), 0, 0, 0, sign('vertical'), 0];
  const angle = rotation === 0 ? 0 : ((2 * next() - 1) * rotation * Math.PI) / 180;
  const turned: Map = [Math.cos(angle), Math.sin(angle), 0, -Math.sin(angle), Math.cos(angle), 0];
  const side = crop === 1 ? 1 : Math.sqrt(crop + (1 - crop) * next());
  const free = (size: number): number => (crop === 1 ? 0 : (next() - 0.5) * (1 - side) * size);
  return after([side, 0, free(width), 0, side, free(height)], after(turned, after(flipped, moved)));
};

/** A square of this side around a pixel of the image, cut at its edges: first and last row and column. */
const boxOf = (side: number, [height, width]: readonly number[], next: () => number): number[] => {
  const [y, x] = [Math.floor(next() * height), Math.floor(next() * width)];
  const low = Math.floor(side / 2);
  return [y - low, y - low + side - 1, x - low, x - low + side - 1];
};

/** The numbers for `count` steps from number `first` on: each kind of each step from a stream of its own, so a resumed run draws the same. */
export const augmentDraws = (
  augment: Augment,
  precision: Precision,
  seed: number,
  [first, count]: readonly [number, number],
  batch: number,
  row: readonly number[],
): Readonly<Partial<Record<Drawn, Tensor>>> => {
  const image = row.slice(-2);
  const all = Object.entries(drawnOf(augment, row)) as [Drawn, readonly number[]][];
  return Object.fromEntries(
    all.map(([kind, dims]) => {
      const size = sizeOf(dims);
      const data = precision === 'float32' ? new Float32Array(count * batch * size) : new Float64Array(count * batch * size);
      for (let i = 0; i < count; i++) {
        const chance = random(seed, `augment/${kind}/${first + i}`);
        const next = (): number => chance.next();
        for (let b = 0; b < batch; b++) {
          const of = {
            map: () => mapOf(augment, image, next),
            box: () => boxOf(augment.cutout ?? 0, image, next),
            noise: () => Float64Array.from({ length: size }, () => (augment.noise ?? 0) * chance.normal()),
            share: () => [betaShare(augment.mixup ?? 1, next)],
          }[kind]();
          data.set(of, (i * batch + b) * size);
        }
      }
      return [kind, { dtype: precision, dims: [count, batch, ...dims], data }];
    }),
  );
};

const INT64 = 7;

/** Rows [B, channels, pixels] read at places of their own, 0 outside: whole pixels, or between four of them by their distances. */
const resample = (emit: Emit, pixels: string, map: string, [channels, height, width]: readonly number[], between: boolean): string => {
  const dtype = emit.type(map)?.dtype === 'float64' ? 'float64' : 'float32';
  const count = height * width;
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const grid = Array.from({ length: 3 * count }, (_, i) => {
    const p = i % count;
    return i < count ? (p % width) - middleX : i < 2 * count ? Math.floor(p / width) - middleY : 1;
  });
  const found = emit.MatMul(map, emit.constant(constantOf(dtype, [3, count], grid)));
  const number = (value: number): string => emit.scalar(value, dtype);
  const along = (axis: number, middle: number): string =>
    emit.Add(emit.Gather(found, emit.scalar(axis, 'int64'), { axis: 1 }), number(middle));
  const [x, y] = [along(0, middleX), along(1, middleY)];
  const within = (at: string, last: number): string => emit.And(emit.GreaterOrEqual(at, number(0)), emit.LessOrEqual(at, number(last)));
  const tap = (py: string, px: string): string => {
    const [row, column] = [emit.Clip(py, number(0), number(height - 1)), emit.Clip(px, number(0), number(width - 1))];
    const index = emit.Cast(emit.Add(emit.Mul(row, number(width)), column), { to: INT64 });
    const inside = emit.And(within(py, height - 1), within(px, width - 1));
    const middle = emit.ints([1]);
    const read = emit.GatherElements(pixels, emit.Expand(emit.Unsqueeze(index, middle), emit.ints([1, channels, 1])), { axis: 2 });
    return emit.Where(emit.Unsqueeze(inside, middle), read, number(0));
  };
  if (!between) return tap(y, x);
  const [top, left] = [emit.Floor(y), emit.Floor(x)];
  const [down, right] = [emit.Sub(y, top), emit.Sub(x, left)];
  const one = number(1);
  const part = (dy: 0 | 1, dx: 0 | 1): string => {
    const weight = emit.Mul(dy ? down : emit.Sub(one, down), dx ? right : emit.Sub(one, right));
    return emit.Mul(tap(dy ? emit.Add(top, one) : top, dx ? emit.Add(left, one) : left), emit.Unsqueeze(weight, emit.ints([1])));
  };
  return [part(0, 1), part(1, 0), part(1, 1)].reduce((sum, p) => emit.Add(sum, p), part(0, 0));
};

/** Pixels [B, channels, pixels] with those of each row's box at 0. */
const cut = (emit: Emit, pixels: string, box: string, [, height, width]: readonly number[]): string => {
  const dtype = emit.type(box)?.dtype ?? 'float32';
  const places = (of: (p: number) => number): string =>
    emit.constant(
      constantOf(
        dtype,
        [height * width],
        Array.from({ length: height * width }, (_, p) => of(p)),
      ),
    );
  const edge = (i: number): string => emit.Unsqueeze(emit.Gather(box, emit.scalar(i, 'int64'), { axis: 1 }), emit.ints([1]));
  const within = (at: string, first: number): string =>
    emit.And(emit.GreaterOrEqual(at, edge(first)), emit.LessOrEqual(at, edge(first + 1)));
  const inside = emit.And(
    within(
      places((p) => Math.floor(p / width)),
      0,
    ),
    within(
      places((p) => p % width),
      2,
    ),
  );
  return emit.Where(emit.Unsqueeze(inside, emit.ints([1])), emit.scalar(0, dtype), pixels);
};

/** The next row of the batch for each, and the first for the last. */
export const partners = (emit: Emit, rows: string): string => {
  const [zero, one] = [emit.ints([0]), emit.ints([1])];
  return emit.Concat(emit.Slice(rows, one, emit.ints([2 ** 31 - 1]), zero), emit.Slice(rows, zero, one, zero), { axis: 0 });
};

/** `share`·a + (1 − share)·b, the share of each row over its elements. */
export const mixed = (emit: Emit, a: string, b: string, share: string, rank: number): string => {
  const own = rank === 0 ? share : emit.Reshape(share, emit.ints([-1, ...Array(rank).fill(1)]));
  return emit.Add(emit.Mul(own, a), emit.Mul(emit.Sub(emit.scalar(1), own), b));
};

/** The rows changed: moved and turned at once, then cut, then noisy, then mixed. */
export const emitAugment = (
  emit: Emit,
  augment: Augment,
  rows: string,
  type: TensorType,
  drawn: Readonly<Partial<Record<Drawn, string>>>,
): string => {
  const dims = (type.dims ?? []).slice(1).map(Number);
  const image = [dims.length === 3 ? dims[0] : 1, ...dims.slice(-2)];
  let changed = rows;
  const onPixels = (change: (pixels: string) => string): void => {
    const pixels = emit.Reshape(changed, emit.ints([-1, image[0], image[1] * image[2]]));
    changed = emit.Reshape(change(pixels), emit.ints([-1, ...dims]));
  };
  const { map, box, noise, share } = drawn;
  const between = (augment.rotation ?? 0) > 0 || (augment.crop ?? 1) < 1;
  if (map) onPixels((pixels) => resample(emit, pixels, map, image, between));
  if (box) onPixels((pixels) => cut(emit, pixels, box, image));
  if (noise) changed = emit.Add(changed, noise);
  return share ? mixed(emit, changed, partners(emit, changed), share, dims.length) : changed;
};
