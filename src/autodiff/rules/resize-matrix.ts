/** How one axis of a Resize makes each of `out` elements from `size` others: a matrix [out, size]. */
export interface ResizeAxis {
  readonly size: number;
  readonly out: number;
  readonly scale: number;
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubic: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  /** Of tf_crop_and_resize. */
  readonly roi: readonly [number, number];
}

const f32 = Math.fround;

/** Where element o of the result lies on the input's axis; in float32 as ONNX Runtime computes it, so that ties fall the same way. */
const position = (o: number, { size, out, scale, coordinates, roi: [from, to] }: ResizeAxis): number => {
  const s = f32(scale);
  const half = f32(f32((o + 0.5) / s) - 0.5);
  switch (coordinates) {
    case 'half_pixel_symmetric': {
      const offset = f32((size / 2) * f32(1 - f32(out / f32(s * size))));
      return f32(offset + half);
    }
    case 'pytorch_half_pixel':
      return out > 1 ? half : 0;
    case 'align_corners':
      return out === 1 ? 0 : f32((o * (size - 1)) / (out - 1));
    case 'asymmetric':
      return f32(o / s);
    case 'tf_half_pixel_for_nn':
      return f32((o + 0.5) / s);
    case 'tf_crop_and_resize':
      return out > 1
        ? f32(f32(from * (size - 1)) + f32(f32(o * f32(to - from) * (size - 1)) / (out - 1)))
        : f32(0.5 * (from + to) * (size - 1));
    default:
      return half;
  }
};

const rounders: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Keys 1981, eq. 4. */
const cubicKernel = (d: number, a: number): number => {
  const t = Math.abs(d);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? a * (((t - 5) * t + 8) * t - 4) : 0;
};

/** Weights by input index for one element; indices outside are clamped to the border, or dropped and the rest rescaled. */
const weights = (o: number, axis: ResizeAxis): readonly (readonly [number, number])[] => {
  const { size, scale, mode, coordinates, antialias, excludeOutside, cubic } = axis;
  const x = position(o, axis);
  if (coordinates === 'tf_crop_and_resize' && (x < 0 || x > size - 1)) return [];
  if (mode === 'nearest') return [[rounders[axis.nearest](x), 1]];
  const kernel = mode === 'cubic' ? (d: number): number => cubicKernel(d, cubic) : (d: number): number => Math.max(0, 1 - Math.abs(d));
  const radius = mode === 'cubic' ? 2 : 1;
  const stretch = antialias && scale < 1 ? scale : 1;
  const at = mode === 'cubic' || stretch < 1 ? x : Math.min(Math.max(x, 0), size - 1);
  const reach = radius / stretch;
  const found: [number, number][] = [];
  for (let j = Math.ceil(at - reach); j <= Math.floor(at + reach); j++) found.push([j, kernel((j - at) * stretch)]);
  const inside = excludeOutside ? found.filter(([j]) => j >= 0 && j < size) : found;
  const total = inside.reduce((n, [, w]) => n + w, 0);
  return inside.map(([j, w]) => [j, w / total]);
};

export const resizeMatrix = (axis: ResizeAxis): Float64Array => {
  const { size, out } = axis;
  const matrix = new Float64Array(out * size);
  for (let o = 0; o < out; o++) for (const [j, w] of weights(o, axis)) matrix[o * size + Math.min(Math.max(j, 0), size - 1)] += w;
  return matrix;
};
