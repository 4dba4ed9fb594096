import { auroc } from '../../base/maths/auroc.ts';

/**
 * Histograms of all pixels for the two numbers that stand beside AUPIMO. Bins are the leading 20 bits of a float32, so that no range need be
 * known; they are finest around `centre`, where their width is 2⁻¹¹ of the distance from it.
 */
export interface PixelBins {
  centre: number;
  readonly defect: Float64Array;
  readonly normal: Float64Array;
  /** Each defect pixel weighing 1 / pixels of its region. */
  readonly regions: Float64Array;
  regionCount: number;
}

const bits = 20;

export const pixelBins = (centre: number): PixelBins => ({
  centre,
  defect: new Float64Array(2 ** bits),
  normal: new Float64Array(2 ** bits),
  regions: new Float64Array(2 ** bits),
  regionCount: 0,
});

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Greater numbers have greater keys: the sign bit is turned, and all bits of negative numbers. */
const binOf = (value: number): number => {
  float[0] = value;
  const raw = word[0];
  return (raw >>> 31 === 1 ? ~raw >>> 0 : (raw | 0x80000000) >>> 0) >>> (32 - bits);
};

/** Regions of 1 that touch by side or corner (two passes, union–find): the region of each pixel from 1, 0 outside, and pixels of each. */
export const regionsOf = (
  mask: Uint8Array,
  height: number,
  width: number,
): { readonly of: Int32Array; readonly sizes: readonly number[] } => {
  const of = new Int32Array(mask.length);
  const parent = [0];
  const root = (i: number): number => {
    let r = i;
    while (parent[r] !== r) {
      parent[r] = parent[parent[r]];
      r = parent[r];
    }
    return r;
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (mask[i] === 0) continue;
      let label = x > 0 ? of[i - 1] : 0;
      if (y > 0)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const above = of[i - width + u - x];
          if (above === 0) continue;
          if (label === 0) label = above;
          else parent[Math.max(root(label), root(above))] = Math.min(root(label), root(above));
        }
      if (label === 0) label = parent.push(parent.length) - 1;
      of[i] = label;
    }
  const numbers = new Map<number, number>();
  const sizes: number[] = [];
  for (let i = 0; i < of.length; i++) {
    if (of[i] === 0) continue;
    const r = root(of[i]);
    const number = numbers.get(r) ?? sizes.push(0);
    numbers.set(r, number);
    of[i] = number;
    sizes[number - 1]++;
  }
  return { of, sizes };
};

/** Adds one image; gives the number of its regions. */
export const addPixels = (bins: PixelBins, map: ArrayLike<number>, mask: Uint8Array, height: number, width: number): number => {
  const { of, sizes } = regionsOf(mask, height, width);
  for (let i = 0; i < map.length; i++) {
    const bin = binOf(map[i] - bins.centre);
    if (of[i] === 0) bins.normal[bin]++;
    else {
      bins.defect[bin]++;
      bins.regions[bin] += 1 / sizes[of[i] - 1];
    }
  }
  bins.regionCount += sizes.length;
  return sizes.length;
};

export interface Context {
  readonly auroc: number;
  readonly aupro: number;
}

/** AUROC over pixels, ties half; mean recall of regions against the pooled FPR up to `limit` by trapezoids, divided by `limit`. */
export const contextOf = ({ defect, normal, regions, regionCount }: PixelBins, limit: number): Context => {
  const negatives = normal.reduce((a, b) => a + b, 0);
  let [area, fpr, recall] = [0, 0, 0];
  for (let b = normal.length - 1; b >= 0 && fpr < limit; b--) {
    if (normal[b] === 0 && regions[b] === 0) continue;
    const [x, y] = [fpr + normal[b] / negatives, recall + regions[b] / regionCount];
    const part = x > limit ? (limit - fpr) / (x - fpr) : 1;
    area += (x - fpr) * part * (recall + (part * (y - recall)) / 2);
    [fpr, recall] = [x, y];
  }
  return { auroc: auroc({ hits: defect, misses: normal }).value, aupro: area / limit };
};
