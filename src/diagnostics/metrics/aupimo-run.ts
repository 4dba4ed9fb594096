import { Fault } from '../../base/fault.ts';
import { imageAxes } from '../../base/image.ts';
import { breathe, type Job } from '../../base/job.ts';
import { quantile } from '../../base/maths/quantile.ts';
import { type SignedRank, signedRank } from '../../base/maths/signed-rank.ts';
import type { MapResize, MapsOpener, MapsTool } from '../../evidence/maps.ts';
import { pictureOf, pictureRange } from '../../report/picture.ts';
import type { Picture } from '../../report/report.ts';
import { number } from '../wording.ts';
import { addPixels, type Context, contextOf, pixelBins } from './aupimo-context.ts';
import {
  addNormal,
  exactScore,
  type Levels,
  levelsOf,
  recallAt,
  referenceScore,
  type Tail,
  tailOf,
  thresholdsOf,
} from './aupimo-scores.ts';

export interface AupimoChoice {
  readonly maps: string;
  readonly masks: string;
  readonly fprLower: number;
  readonly fprUpper: number;
  readonly mode: 'exact' | 'reference';
  readonly resized: MapResize;
  readonly proLimit: number;
  readonly compareWith: string;
  readonly tolerance: number;
  readonly shown: number;
  readonly bootstrap: number;
  readonly confidenceLevel: number;
}

/** One anomalous image. */
export interface ImageScore {
  readonly position: number;
  readonly row: number;
  readonly score: number;
  readonly regions: number;
  /** Share of the image's pixels that belong to a defect. */
  readonly area: number;
  /** Recall at each F of the curves' grid. */
  readonly curve: readonly number[];
}

export interface Shown {
  readonly row: number;
  readonly score: number;
  readonly statistic: string;
  readonly picture: Picture | null;
  readonly height: number;
  readonly width: number;
  /** Contours of score ≥ the two validation thresholds, and of the mask: 1 on the edge. */
  readonly layers: readonly { readonly name: string; readonly values: readonly number[] }[];
}

export interface Measured {
  readonly name: string;
  readonly images: readonly ImageScore[];
  readonly context: Context;
  readonly pixels: number;
  readonly grain: number;
  /** Scores whose shared FPR is the upper and the lower bound. */
  readonly thresholds: readonly [number, number];
}

export interface Aupimo extends Measured {
  readonly normal: number;
  readonly grid: readonly number[];
  readonly shown: readonly Shown[];
  readonly statistics: readonly Statistic[];
  readonly spread: Readonly<Record<'mean' | 'median' | 'p33', readonly [number, number]>>;
  readonly other?: Measured & { readonly test: SignedRank; readonly wins: number; readonly ties: number; readonly losses: number };
  readonly notes: readonly string[];
}

/** Places of the curves' grid. */
const gridSize = 61;

/** From a tenth of the lower bound (or what can be told) to twice the upper one, evenly in ln F. */
const gridOf = (lower: number, upper: number, grain: number): number[] => {
  const [from, to] = [Math.log(Math.max(lower / 10, grain)), Math.log(Math.min(1, 2 * upper))];
  return Array.from({ length: gridSize }, (_, i) => Math.exp(from + ((to - from) * i) / (gridSize - 1)));
};

/** The first score whose inclusion would carry F beyond `share`: what is above it is admissible. */
const thresholdAt = ({ scores, shares }: Levels, share: number): number =>
  scores[
    Math.max(
      0,
      shares.findIndex((s) => s > share),
    )
  ];

const checkTail = (tail: Tail, { fprLower, mode }: AupimoChoice, images: number): void => {
  if (tail.min === tail.max) throw new Fault('diagnostic/equal-scores', { value: tail.min });
  if (mode === 'exact' && 5 * tail.grain > fprLower * (1 + 1e-9))
    throw new Fault('diagnostic/fpr-resolution', { images, pixels: tail.pixels, least: number(tail.grain), lower: fprLower });
};

interface Split {
  readonly normal: readonly number[];
  readonly anomalous: readonly number[];
}

/** Normal images first, for the thresholds; then each anomalous one is scored as it comes. */
const measure = async (
  tool: MapsTool,
  { normal, anomalous }: Split,
  chosen: AupimoChoice,
  job: Job,
  share: (f: number) => number,
): Promise<Measured & { readonly notes: readonly string[]; readonly grid: readonly number[] }> => {
  const { fprLower, fprUpper, mode, resized, proLimit } = chosen;
  const tail = tailOf(normal.length, fprUpper);
  let bins: ReturnType<typeof pixelBins> | undefined;
  let done = 0;
  const step = async (): Promise<void> => {
    done++;
    if (done % 8 === 0) await breathe(job);
    job.progress(share(done / tool.count), `map ${done} of ${tool.count}`);
  };
  for await (const { map, mask, height, width } of tool.read(normal, resized, job.signal)) {
    bins ??= pixelBins(quantile(Float64Array.from(map).sort(), 0.5));
    addNormal(tail, map);
    addPixels(bins, map, mask, height, width);
    await step();
  }
  checkTail(tail, chosen, normal.length);
  const levels = levelsOf(tail);
  const reference =
    mode === 'reference' ? thresholdsOf(tail, levels, { lower: fprLower, upper: fprUpper, count: referenceThresholds }) : undefined;
  const grid = gridOf(fprLower, fprUpper, tail.grain);
  const images: ImageScore[] = [];
  for await (const { row, map, mask, height, width } of tool.read(anomalous, resized, job.signal)) {
    bins ??= pixelBins(0);
    const regions = addPixels(bins, map, mask, height, width);
    const defect = Float64Array.from(map)
      .filter((_, i) => mask[i] === 1)
      .sort();
    images.push({
      position: anomalous[images.length],
      row,
      score: reference ? referenceScore(reference.thresholds, defect, fprLower, fprUpper) : exactScore(levels, defect, fprLower, fprUpper),
      regions,
      area: defect.length / map.length,
      curve: grid.map((f) => recallAt(levels, defect, f)),
    });
    await step();
  }
  return {
    name: tool.name,
    images,
    context: contextOf(bins ?? pixelBins(0), proLimit),
    pixels: tail.pixels,
    grain: tail.grain,
    thresholds: [thresholdAt(levels, fprUpper), thresholdAt(levels, fprLower)],
    notes: reference?.notes ?? [],
    grid,
  };
};

/** Thresholds of the authors' implementation. */
const referenceThresholds = 300_000;

/** A statistic of the box plot and the image nearest to it. */
export interface Statistic {
  readonly name: string;
  readonly value: number;
  readonly image: number;
}

/** How much farther the next image may lie where the nearest is shown already. */
const nearly = 0.01;

/** Tukey's box: quartiles, and the farthest scores within 1.5 interquartile ranges of them; for each the nearest image. */
export const boxStatistics = (scores: readonly number[]): Statistic[] => {
  const sorted = Float64Array.from(scores).sort();
  const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => quantile(sorted, q));
  const reach = 1.5 * (high - low);
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
  const named: readonly (readonly [string, number])[] = [
    ['Lower whisker', sorted.find((s) => s >= low - reach) ?? low],
    ['First quartile', low],
    ['Median', middle],
    ['Mean', mean],
    ['Third quartile', high],
    ['Upper whisker', sorted.findLast((s) => s <= high + reach) ?? high],
  ];
  const used = new Set<number>();
  return named.map(([name, value]) => {
    const order = scores.map((_, i) => i).sort((a, b) => Math.abs(scores[a] - value) - Math.abs(scores[b] - value) || a - b);
    const distance = (i: number): number => Math.abs(scores[i] - value);
    const image = order.find((i) => !used.has(i) && distance(i) <= distance(order[0]) + nearly) ?? order[0];
    used.add(image);
    return { name, value, image };
  });
};

/** Percentile bootstrap over anomalous images; the thresholds stay. */
const spreadOf = (scores: readonly number[], { bootstrap, confidenceLevel }: AupimoChoice, job: Job): Aupimo['spread'] => {
  const random = job.random('bootstrap');
  const [means, medians, thirds] = [0, 1, 2].map(() => new Float64Array(bootstrap));
  const drawn = new Float64Array(scores.length);
  for (let b = 0; b < bootstrap; b++) {
    for (let i = 0; i < drawn.length; i++) drawn[i] = scores[random.below(scores.length)];
    drawn.sort();
    means[b] = drawn.reduce((a, v) => a + v, 0) / drawn.length;
    medians[b] = quantile(drawn, 0.5);
    thirds[b] = quantile(drawn, 0.33);
  }
  const ends = (values: Float64Array): readonly [number, number] => {
    values.sort();
    return [quantile(values, (1 - confidenceLevel) / 2), quantile(values, (1 + confidenceLevel) / 2)];
  };
  return { mean: ends(means), median: ends(medians), p33: ends(thirds) };
};

/** Longest sides of a contour grid and of the picture under it. */
const contourSide = 64;
const pictureSide = 128;

/** Edge of the region where `inside` holds, on a grid of at most `contourSide`: a block counts where one of its pixels does. */
const contour = (
  inside: (i: number) => boolean,
  height: number,
  width: number,
): { readonly values: number[]; readonly height: number; readonly width: number } => {
  const block = Math.max(1, Math.ceil(Math.max(height, width) / contourSide));
  const [h, w] = [Math.ceil(height / block), Math.ceil(width / block)];
  const filled = new Uint8Array(h * w);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) if (inside(y * width + x)) filled[Math.floor(y / block) * w + Math.floor(x / block)] = 1;
  const at = (y: number, x: number): number => (y < 0 || x < 0 || y >= h || x >= w ? 0 : filled[y * w + x]);
  const values = Array.from(filled, (v, i) => {
    const [y, x] = [Math.floor(i / w), i % w];
    return v === 1 && at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1) < 4 ? 1 : 0;
  });
  return { values, height: h, width: w };
};

const show = async (
  tool: MapsTool,
  { images, thresholds }: Measured,
  statistics: readonly Statistic[],
  chosen: AupimoChoice,
  job: Job,
): Promise<Shown[]> => {
  const wanted = [...new Map(statistics.map((s) => [s.image, s.name])).entries()].slice(0, chosen.shown);
  const found: Shown[] = [];
  for await (const { row, map, mask, height, width } of tool.read(
    wanted.map(([i]) => images[i].position),
    chosen.resized,
    job.signal,
  )) {
    const [image] = wanted[found.length];
    const plain = await tool.plain(row, job.signal);
    const axes = plain && imageAxes(plain.dims);
    const grids = [
      { name: 'Mask', grid: contour((i) => mask[i] === 1, height, width) },
      { name: `Map at FPR ${chosen.fprUpper}`, grid: contour((i) => map[i] > thresholds[0], height, width) },
      { name: `Map at FPR ${chosen.fprLower}`, grid: contour((i) => map[i] > thresholds[1], height, width) },
    ];
    found.push({
      row,
      score: images[image].score,
      statistic: statistics
        .filter((s) => s.image === image)
        .map((s) => s.name)
        .join(', '),
      picture:
        plain && axes
          ? pictureOf(plain.values, axes, pictureRange(plain.values), pictureSide)
          : pictureOf(map, { layout: 'hw', height, width, channels: 1 }, pictureRange(map), pictureSide),
      height: grids[0].grid.height,
      width: grids[0].grid.width,
      layers: grids.map(({ name, grid }) => ({ name, values: grid.values })),
    });
  }
  return found;
};

export const runAupimo = async (opener: MapsOpener, chosen: AupimoChoice, job: Job): Promise<Aupimo> => {
  const { fprLower: lower, fprUpper: upper, compareWith, tolerance } = chosen;
  if (!(lower < upper)) throw new Fault('diagnostic/bounds', { lower, upper });
  const tool = await opener.open(chosen);
  const defects = await tool.defects(job.signal);
  const positions = Array.from(defects, (_, i) => i);
  const split = { normal: positions.filter((i) => defects[i] === 0), anomalous: positions.filter((i) => defects[i] > 0) };
  if (split.normal.length === 0) throw new Fault('diagnostic/no-normal-images', { images: tool.count });
  if (split.anomalous.length === 0) throw new Fault('diagnostic/no-anomalous-images', { images: tool.count });
  const part = compareWith === '' ? 0.85 : 0.4;
  const first = await measure(tool, split, chosen, job, (f) => 0.1 + part * f);
  const scores = first.images.map((i) => i.score);
  const statistics = boxStatistics(scores);
  const result = {
    ...first,
    normal: split.normal.length,
    statistics,
    shown: await show(tool, first, statistics, chosen, job),
    spread: spreadOf(scores, chosen, job),
    notes: [...tool.notes, ...first.notes],
  };
  if (compareWith === '') return result;
  const second = await opener.other(chosen, compareWith);
  const other = await measure(second, split, chosen, job, (f) => 0.5 + part * f);
  const differences = scores.map((s, i) => s - other.images[i].score).map((d) => (Math.abs(d) <= tolerance ? 0 : d));
  return {
    ...result,
    notes: [...result.notes, ...second.notes, ...other.notes],
    other: {
      ...other,
      test: signedRank(differences),
      wins: differences.filter((d) => d > 0).length,
      ties: differences.filter((d) => d === 0).length,
      losses: differences.filter((d) => d < 0).length,
    },
  };
};
