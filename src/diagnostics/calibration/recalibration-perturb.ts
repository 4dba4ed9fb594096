import { Fault } from '../../base/fault.ts';
import { type ImageAxes, imageAxes, pixelAt } from '../../base/image.ts';
import type { Perturbation } from '../../base/perturbation.ts';
import type { Random } from '../../base/random.ts';

type Tap = Perturbation['taps'][number];

interface Grid {
  readonly dims: readonly number[];
  readonly size: number;
  readonly axes: ImageAxes | undefined;
}

/** One tap a corner: bilinear reading of the picture at (y, x), beyond the border the border. */
const resampled = (axes: ImageAxes, size: number, source: (y: number, x: number) => readonly [number, number]): Tap[] => {
  const { height, width, channels } = axes;
  const taps = Array.from({ length: 4 }, () => ({ places: new Int32Array(size), weights: new Float32Array(size) }));
  const inside = (v: number, n: number): number => Math.min(n - 1, Math.max(0, v));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [sy, sx] = source(y, x);
      const [top, left] = [Math.floor(sy), Math.floor(sx)];
      const [down, right] = [sy - top, sx - left];
      for (let c = 0; c < channels; c++) {
        const i = pixelAt(axes, c, y, x);
        for (const [k, [dy, dx]] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ].entries()) {
          taps[k].places[i] = pixelAt(axes, c, inside(top + dy, height), inside(left + dx, width));
          taps[k].weights[i] = (dy ? down : 1 - down) * (dx ? right : 1 - right);
        }
      }
    }
  return taps;
};

/** About the middle, by degrees. */
const rotation = (axes: ImageAxes, size: number, degrees: number): Tap[] => {
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const [cy, cx] = [(axes.height - 1) / 2, (axes.width - 1) / 2];
  return resampled(axes, size, (y, x) => [cy + cos * (y - cy) - sin * (x - cx), cx + sin * (y - cy) + cos * (x - cx)]);
};

/** Gaussian of the 3 × 3 neighbours, weights summing to 1. */
const blur = (axes: ImageAxes, size: number, sigma: number): Tap[] => {
  const { height, width, channels } = axes;
  const steps = [-1, 0, 1];
  const bell = (d: number): number => (sigma === 0 ? Number(d === 0) : Math.exp((-d * d) / (2 * sigma * sigma)));
  const total = steps.reduce((sum, d) => sum + bell(d), 0) ** 2;
  return steps.flatMap((dy) =>
    steps.map((dx) => {
      const tap = { places: new Int32Array(size), weights: new Float32Array(size).fill((bell(dy) * bell(dx)) / total) };
      for (let c = 0; c < channels; c++)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++)
            tap.places[pixelAt(axes, c, y, x)] = pixelAt(
              axes,
              c,
              Math.min(height - 1, Math.max(0, y + dy)),
              Math.min(width - 1, Math.max(0, x + dx)),
            );
      return tap;
    }),
  );
};

/** Rec. 601 luma in every channel. */
const greyscale = (axes: ImageAxes, size: number): Tap[] =>
  [0.299, 0.587, 0.114].map((weight, from) => {
    const tap = { places: new Int32Array(size), weights: new Float32Array(size).fill(weight) };
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < axes.height; y++)
        for (let x = 0; x < axes.width; x++) tap.places[pixelAt(axes, c, y, x)] = pixelAt(axes, from, y, x);
    return tap;
  });

const itself = (size: number, weight: (i: number) => number): Tap => ({
  places: Int32Array.from({ length: size }, (_, i) => i),
  weights: Float32Array.from({ length: size }, (_, i) => weight(i)),
});

type Make = (size: number, grid: Grid, chance: Random) => Omit<Perturbation, 'name'>;
const flat =
  (make: (size: number, count: number, chance: Random) => Omit<Perturbation, 'name'>): Make =>
  (size, grid, chance) =>
    make(size, grid.size, chance);
const picture =
  (name: string, make: (size: number, axes: ImageAxes, count: number) => readonly Tap[]): Make =>
  (size, { axes, dims, size: count }) => {
    if (!axes || (name === 'greyscale' && axes.channels !== 3))
      throw new Fault('diagnostic/picture-perturbation', { name, shape: `[${dims.join(', ')}]` });
    return { taps: make(size, axes, count), mean: 0 };
  };

/** Changes by name; the number after the name is their size. Chance is drawn once: a saved model changes every row alike. */
const makers: Readonly<Record<string, Make>> = {
  rotation: picture('rotation', (degrees, axes, n) => rotation(axes, n, degrees)),
  greyscale: picture('greyscale', (_, axes, n) => greyscale(axes, n)),
  blur: picture('blur', (sigma, axes, n) => blur(axes, n, sigma)),
  // x ← brightness·(mean + contrast·(x − mean)), both factors from 1 − F to 1 + F.
  jitter: flat((span, n, chance) => {
    const [brightness, contrast] = [1 + span * (2 * chance.next() - 1), 1 + span * (2 * chance.next() - 1)];
    return { taps: [itself(n, () => brightness * contrast)], mean: brightness * (1 - contrast) };
  }),
  noise: flat((sigma, n, chance) => ({
    taps: [itself(n, () => 1)],
    shift: Float32Array.from({ length: n }, () => sigma * chance.normal()),
    mean: 0,
  })),
  dropout: flat((share, n, chance) => ({ taps: [itself(n, () => Number(chance.next() >= share))], mean: 0 })),
  scale: flat((factor, n) => ({ taps: [itself(n, () => factor)], mean: 0 })),
  identity: flat((_, n) => ({ taps: [itself(n, () => 1)], mean: 0 })),
};

/** Of card 11: colours and a turn, a blur where there are no colours. */
const usual = ({ channels }: ImageAxes): string => `rotation=15,${channels === 3 ? 'greyscale' : 'blur=0.5'},jitter=0.3`;

/** `NAME=SIZE,…`; '' for those of pictures. */
export const perturbationsOf = (text: string, dims: readonly number[], random: (name: string) => Random): readonly Perturbation[] => {
  const axes = imageAxes(dims);
  if (text === '' && !axes) throw new Fault('diagnostic/unnamed-perturbations', { shape: `[${dims.join(', ')}]` });
  const asked = text === '' && axes ? usual(axes) : text;
  const grid: Grid = { dims, size: dims.reduce((n, d) => n * d, 1), axes };
  return asked.split(',').map((part, k) => {
    const [name, given] = part.split('=').map((s) => s.trim());
    const size = given === undefined ? 0 : Number(given);
    if (!Object.hasOwn(makers, name) || given === '' || !Number.isFinite(size))
      throw new Fault('diagnostic/perturbations', { text: asked, known: Object.keys(makers) });
    return { name: part.trim(), ...makers[name](size, grid, random(`perturbation/${k}/${name}`)) };
  });
};
