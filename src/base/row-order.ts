import { breathe, type Job } from './job.ts';

/** Rows sorted at once; longer lists are merged from runs of this length, so that a cancelled sort ends soon. */
const run = 1 << 16;

/**
 * Sorts row numbers in place by their keys, ties by row, rows with no key (NaN) last in both directions. Needs 4 bytes a row besides.
 */
export const sortRows = async (
  rows: Uint32Array,
  keys: ArrayLike<number> | ArrayLike<string>,
  descending: boolean,
  job: Pick<Job, 'signal'>,
): Promise<Uint32Array> => {
  const sign = descending ? -1 : 1;
  const order = (a: number, b: number): number => {
    const [x, y] = [keys[a], keys[b]];
    if (x === y) return a - b;
    if (x < y) return -sign;
    if (x > y) return sign;
    const [xMissing, yMissing] = [Number.isNaN(x), Number.isNaN(y)];
    return xMissing === yMissing ? a - b : xMissing ? 1 : -1;
  };
  for (let from = 0; from < rows.length; from += run) {
    rows.subarray(from, from + run).sort(order);
    await breathe(job);
  }
  let [source, target] = [rows, rows.length > run ? new Uint32Array(rows.length) : rows];
  for (let width = run; width < rows.length; width *= 2) {
    for (let from = 0; from < rows.length; from += 2 * width) {
      const [middle, end] = [Math.min(rows.length, from + width), Math.min(rows.length, from + 2 * width)];
      let [a, b] = [from, middle];
      for (let to = from; to < end; to++)
        target[to] = a < middle && (b >= end || order(source[a], source[b]) <= 0) ? source[a++] : source[b++];
      await breathe(job);
    }
    [source, target] = [target, source];
  }
  return source;
};
