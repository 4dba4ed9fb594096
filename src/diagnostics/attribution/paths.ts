import { evenParts } from '../../base/even-parts.ts';
import { breathe } from '../../base/job.ts';
import type { GradientTool } from '../../evidence/evidence.ts';
import type { Question } from './method.ts';

export interface PathSums {
  /** [rows, d] */
  readonly gradient: Float64Array;
  readonly squared?: Float64Array;
  /** [rows, points] */
  readonly values: Float64Array;
}

/**
 * Σ_s weights[s]·∇f(point s) per row, the points made as they are needed: `fill` writes point `s` of `row` at `offset`.
 * Where points are of a layer, `inputs` are the question's rows, which parts of the model may read beside it.
 */
export const sumAlong = async (
  tool: GradientTool,
  { x, targets, against, inputs = x }: Question,
  weights: readonly number[],
  fill: (row: number, s: number, points: Float32Array, offset: number) => void,
  square: boolean,
  signal: AbortSignal,
  { inside = false, d = x.length / targets.length }: { readonly inside?: boolean; readonly d?: number } = {},
): Promise<PathSums> => {
  const [rows, all] = [targets.length, weights.length];
  const width = inputs.length / rows;
  const gradient = new Float64Array(rows * d);
  const squared = square ? new Float64Array(rows * d) : undefined;
  const values = new Float64Array(rows * all);
  const perPath = evenParts(all, tool.atOnce);
  const perCall = Math.max(1, Math.floor(tool.atOnce / perPath));
  const room = new Float32Array(Math.min(rows, perCall) * perPath * d);
  for (let row = 0; row < rows; row += perCall)
    for (let from = 0; from < all; from += perPath) {
      await breathe({ signal });
      const [n, s] = [Math.min(perCall, rows - row), Math.min(perPath, all - from)];
      const points = room.subarray(0, n * s * d);
      for (let b = 0; b < n; b++) for (let i = 0; i < s; i++) fill(row + b, from + i, points, (b * s + i) * d);
      const part = await tool.sum(
        {
          rows: n,
          points,
          weights: weights.slice(from, from + s),
          targets: targets.subarray(row, row + n),
          square,
          ...(against ? { against: against.subarray(row, row + n) } : {}),
          ...(inside || inputs !== x ? { inputs: inputs.subarray(row * width, (row + n) * width) } : {}),
        },
        signal,
      );
      for (let k = 0; k < n * d; k++) {
        gradient[row * d + k] += part.gradient[k];
        if (squared && part.squared) squared[row * d + k] += part.squared[k];
      }
      for (let b = 0; b < n; b++) values.set(part.values.subarray(b * s, (b + 1) * s), (row + b) * all + from);
    }
  return { gradient, values, ...(squared ? { squared } : {}) };
};
