import type { Dim } from './types.ts';

/**
 * How probed types write an axis that follows the batch size N: 'N', or scale·N + offset as '3N', 'N+1', '2N-4'. Any other
 * axis is a number; one that follows N in another way, or the data itself, is undefined.
 */
interface BatchDim {
  readonly scale: number;
  readonly offset: number;
}

export const batchDim = ({ scale, offset }: BatchDim): Dim => {
  if (scale === 0) return offset;
  return `${scale === 1 ? '' : scale}N${offset === 0 ? '' : offset > 0 ? `+${offset}` : offset}`;
};

/** The affine form behind a probed dim (a number has scale 0), or undefined. */
export const affineOf = (dim: Dim): BatchDim | undefined => {
  if (typeof dim === 'number') return { scale: 0, offset: dim };
  const m = dim?.match(/^(\d*)N([+-]\d+)?$/);
  return m ? { scale: m[1] ? Number(m[1]) : 1, offset: Number(m[2] ?? 0) } : undefined;
};

/** Sizes of a probed shape at batch size `n`; undefined where an axis is unknown. */
export const dimsAt = (dims: readonly Dim[], n: number): readonly number[] | undefined => {
  const out = dims.map((d) => {
    const a = affineOf(d);
    return a ? a.scale * n + a.offset : Number.NaN;
  });
  return out.some(Number.isNaN) ? undefined : out;
};

/** The dim that had these sizes at these batch sizes. */
export const fitDim = (batches: readonly number[], sizes: readonly number[]): Dim => {
  if (sizes.every((s) => s === sizes[0])) return sizes[0];
  const scale = (sizes[1] - sizes[0]) / (batches[1] - batches[0]);
  const offset = sizes[0] - scale * batches[0];
  return Number.isInteger(scale) && scale > 0 && batches.every((n, i) => scale * n + offset === sizes[i])
    ? batchDim({ scale, offset })
    : undefined;
};
