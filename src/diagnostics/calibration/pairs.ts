/** Confidences kept for the statistics that need ranks: 8 bytes a row, split by whether the answer was right. */
export interface Pile {
  readonly chunks: Float64Array[];
  length: number;
}

const CHUNK = 16384;

export const pile = (): Pile => ({ chunks: [], length: 0 });

export const put = (to: Pile, value: number): void => {
  const at = to.length % CHUNK;
  if (at === 0) to.chunks.push(new Float64Array(CHUNK));
  to.chunks[to.chunks.length - 1][at] = value;
  to.length++;
};

export const values = (of: Pile): Float64Array => {
  const all = new Float64Array(of.length);
  of.chunks.forEach((chunk, i) => {
    all.set(chunk.subarray(0, Math.min(CHUNK, of.length - i * CHUNK)), i * CHUNK);
  });
  return all;
};

export const pour = (to: Pile, from: Pile): void => {
  for (const value of values(from)) put(to, value);
};

/** Groups of rows with one confidence, ascending: exact runs of equal values, or fine cells with their mean. */
export interface Groups {
  readonly c: Float64Array;
  readonly hits: Int32Array;
  readonly misses: Int32Array;
  /** All rows. */
  readonly n: number;
}

export const sizeOfGroup = ({ hits, misses }: Groups, g: number): number => hits[g] + misses[g];

/** Runs of equal confidence: both piles sorted and merged, so that the order of rows cannot matter. */
export const runs = (right: Pile, wrong: Pile): Groups => {
  const a = values(right).sort();
  const b = values(wrong).sort();
  const n = a.length + b.length;
  const c = new Float64Array(n);
  const hits = new Int32Array(n);
  const misses = new Int32Array(n);
  let count = 0;
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const value = j >= b.length || (i < a.length && a[i] <= b[j]) ? a[i] : b[j];
    c[count] = value;
    while (i < a.length && a[i] === value) {
      hits[count]++;
      i++;
    }
    while (j < b.length && b[j] === value) {
      misses[count]++;
      j++;
    }
    count++;
  }
  return { c: c.subarray(0, count), hits: hits.subarray(0, count), misses: misses.subarray(0, count), n };
};
