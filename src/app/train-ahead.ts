import type { Tensor } from '../base/tensor.ts';
import type { TrainingRows, XY } from './train-data.ts';

/** Some rows of a tensor [rows, …], with other leading axes. */
const cut = ({ dtype, dims, data }: Tensor, all: number, rows: number, lead: readonly number[]): Tensor => {
  const numbers = data as Float32Array;
  return { dtype, dims: [...lead, ...dims.slice(1)], data: numbers.subarray(0, (numbers.length / all) * rows) };
};

export interface Ahead {
  /** The rows at these positions: those of them that were read ahead are not read again. */
  take(positions: Float64Array, lead: readonly number[]): Promise<XY>;
  /** Reads these rows while something else is done. */
  begin(positions: Float64Array): void;
  /** Once nothing is being read any more. */
  idle(): Promise<void>;
}

/** Rows of a file, of which the next ones are read while a call of steps works on those before: at most two blocks are in memory. */
export const readAhead = (rows: Pick<TrainingRows, 'take'>, signal: AbortSignal): Ahead => {
  let next: { readonly positions: Float64Array; readonly read: Promise<XY> } | undefined;
  return {
    async take(positions, lead) {
      const ready = next;
      next = undefined;
      const fits = ready && ready.positions.length >= positions.length && positions.every((position, i) => position === ready.positions[i]);
      if (!fits) {
        await ready?.read.catch(() => {});
        return rows.take(positions, lead, signal);
      }
      const { x, y } = await ready.read;
      const of = (tensor: Tensor): Tensor => cut(tensor, ready.positions.length, positions.length, lead);
      return { x: of(x), y: of(y) };
    },
    begin(positions) {
      if (positions.length === 0) return;
      const read = rows.take(positions, [positions.length], signal);
      // A failure is raised when these rows are wanted, not while others are in use.
      read.catch(() => {});
      next = { positions, read };
    },
    async idle() {
      await next?.read.catch(() => {});
    },
  };
};
