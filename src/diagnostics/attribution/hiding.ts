import type { ImageAxes } from '../../base/image.ts';
import { pixelAt } from '../../base/image.ts';
import { breathe, type Job } from '../../base/job.ts';
import type { GradientTool } from '../../evidence/evidence.ts';
import type { EmbeddedSamples } from './embedded.ts';
import type { Question } from './method.ts';

/** Inputs that are hidden together: a pixel with its channels, a place of a signal, or one column. */
export interface Places {
  readonly height: number;
  readonly width: number;
  /** Inputs at each place, row-major. */
  readonly inputs: readonly (readonly number[])[];
}

/** Pictures by pixel, [C, L] signals by place, embeddings [T, width] by token, everything else input by input. */
export const placesOf = (
  { inputDims: dims, embedding }: Pick<EmbeddedSamples, 'inputDims' | 'embedding'>,
  axes: ImageAxes | undefined,
): Places => {
  if (embedding) {
    const { tokens, width } = embedding;
    const of = (t: number): readonly number[] => Array.from({ length: width }, (_, k) => t * width + k);
    return { height: 1, width: tokens, inputs: Array.from({ length: tokens }, (_, t) => of(t)) };
  }
  if (axes) {
    const { height, width, channels } = axes;
    const at = (i: number): readonly number[] =>
      Array.from({ length: channels }, (_, c) => pixelAt(axes, c, Math.floor(i / width), i % width));
    return { height, width, inputs: Array.from({ length: height * width }, (_, i) => at(i)) };
  }
  const length = dims.at(-1) ?? 1;
  const channels = dims.length === 2 ? dims[0] : 1;
  const size = dims.reduce((n, d) => n * d, 1);
  const columns = dims.length === 2 ? length : size;
  const at = (i: number): readonly number[] => Array.from({ length: channels }, (_, c) => c * length + i);
  return { height: 1, width: columns, inputs: Array.from({ length: columns }, (_, i) => (dims.length === 2 ? at(i) : [i])) };
};

/** One row of `values`, several times. */
export const copiesOf = (values: Float32Array, row: number, rows: number, times: number): Float32Array => {
  const d = values.length / rows;
  const out = new Float32Array(times * d);
  for (let i = 0; i < times; i++) out.set(values.subarray(row * d, (row + 1) * d), i * d);
  return out;
};

/** f of one row with parts of it hidden: `keep(i, place)` is the share of the row's own value that stays at a place of copy i. */
export const hiddenValues = async (
  tool: GradientTool,
  { x, targets, against, inputs: tokens }: Question,
  row: number,
  baseline: Float32Array,
  { inputs }: Places,
  copies: number,
  keep: (copy: number, share: Float32Array) => void,
  job: Pick<Job, 'signal'>,
): Promise<Float64Array> => {
  const d = x.length / targets.length;
  const out = new Float64Array(copies);
  const perCall = Math.max(1, Math.floor(1_000_000 / d));
  const share = new Float32Array(inputs.length);
  for (let from = 0; from < copies; from += perCall) {
    await breathe(job);
    const n = Math.min(perCall, copies - from);
    const points = new Float32Array(n * d);
    for (let i = 0; i < n; i++) {
      keep(from + i, share);
      inputs.forEach((list, place) => {
        for (const k of list) points[i * d + k] = baseline[row * d + k] + share[place] * (x[row * d + k] - baseline[row * d + k]);
      });
    }
    const same = (list: Int32Array): Int32Array => new Int32Array(n).fill(list[row]);
    const request = {
      points,
      targets: same(targets),
      ...(against ? { against: same(against) } : {}),
      ...(tokens ? { inputs: copiesOf(tokens, row, targets.length, n) } : {}),
    };
    out.set(await tool.values(request, job.signal), from);
  }
  return out;
};
