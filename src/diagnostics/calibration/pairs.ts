/** Confidences kept for the statistics that need ranks: 8 bytes a row, split by whether the answer was right. */
export interface Pile {
  readonly chunks: Float64Array[];
  length: number;
  /** Places left in the last chunk. */
  room: number;
}

/** Chunks grow from the first size to the last, so that many small piles are small. */
const FIRST = 128;
const LAST = 65_536;

export const pile = (): Pile => ({ chunks: [], length: 0, room: 0 });

export const put = (to: Pile, value: number): void => {
  if (to.room === 0) {
    to.room = Math.min(LAST, FIRST * 2 ** to.chunks.length);
    to.chunks.push(new Float64Array(to.room));
  }
  const last = to.chunks[to.chunks.length - 1];
  last[last.length - to.room] = value;
  to.room--;
  to.length++;
};

const filled = ({ chunks, room }: Pile): Float64Array[] =>
  chunks.map((chunk, i) => (i === chunks.length - 1 ? chunk.subarray(0, chunk.length - room) : chunk));

export const values = (of: Pile): Float64Array => {
  const all = new Float64Array(of.length);
  let at = 0;
  for (const chunk of filled(of)) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
};

export const pour = (to: Pile, from: Pile): void => {
  for (const chunk of filled(from)) for (const value of chunk) put(to, value);
};

/** Groups of rows with one confidence, ascending: exact runs of equal values, or fine cells with their mean. */
export interface Groups {
  readonly c: Float64Array;
  readonly hits: Int32Array;
  readonly misses: Int32Array;
  /** All rows. */
  readonly n: number;
  /** Of cells: Σc, Σc² and Σc over hits of each, exactly. */
  readonly sums?: { readonly f: Float64Array; readonly f2: Float64Array; readonly fo: Float64Array };
}

export const sizeOfGroup = ({ hits, misses }: Groups, g: number): number => hits[g] + misses[g];

/** Goes through runs of equal confidence, ascending. */
export type Walk = (visit: (c: number, hits: number, misses: number) => void) => void;

export const walkGroups =
  ({ c, hits, misses }: Groups): Walk =>
  (visit) => {
    for (let g = 0; g < c.length; g++) visit(c[g], hits[g], misses[g]);
  };

/**
 * Runs over the confidences of right and of wrong answers. Chunks are sorted where they lie and merged by a heap of their heads, so
 * that ranks of any number of rows take no memory beyond the piles.
 */
export const walkPiles = (right: readonly Pile[], wrong: readonly Pile[]): Walk => {
  const sorted = (piles: readonly Pile[]): Float64Array[] =>
    piles.flatMap((p) => filled(p).flatMap((chunk) => (chunk.length > 0 ? [chunk.sort()] : [])));
  const rights = sorted(right);
  const lists = [...rights, ...sorted(wrong)];
  return (visit) => {
    const at = new Int32Array(lists.length);
    const head = Float64Array.from(lists, (list) => list[0]);
    const heap = Int32Array.from(lists, (_, k) => k);
    let size = lists.length;
    /** Puts list k with its next value where it belongs, from a free place on downwards. */
    const sift = (from: number, k: number, value: number): void => {
      let i = from;
      for (;;) {
        let child = 2 * i + 1;
        if (child >= size) break;
        if (child + 1 < size && head[child + 1] < head[child]) child++;
        if (head[child] >= value) break;
        head[i] = head[child];
        heap[i] = heap[child];
        i = child;
      }
      head[i] = value;
      heap[i] = k;
    };
    for (let i = (size >> 1) - 1; i >= 0; i--) sift(i, heap[i], head[i]);
    while (size > 0) {
      const value = head[0];
      let hits = 0;
      let misses = 0;
      while (size > 0 && head[0] === value) {
        const k = heap[0];
        const list = lists[k];
        const from = at[k];
        let to = from + 1;
        while (to < list.length && list[to] === value) to++;
        if (k < rights.length) hits += to - from;
        else misses += to - from;
        at[k] = to;
        if (to < list.length) sift(0, k, list[to]);
        else if (--size > 0) sift(0, heap[size], head[size]);
      }
      visit(value, hits, misses);
    }
  };
};

/** The runs of a walk over at most `n` rows. */
export const collect = (walk: Walk, n: number): Groups => {
  const found = collected(n);
  walk(found.visit);
  return found.value();
};

/** Keeps the runs it is shown, at most `n`. */
export const collected = (n: number): { readonly visit: Parameters<Walk>[0]; readonly value: () => Groups } => {
  const c = new Float64Array(n);
  const hits = new Int32Array(n);
  const misses = new Int32Array(n);
  let [count, rows] = [0, 0];
  return {
    visit(value, h, m) {
      c[count] = value;
      hits[count] = h;
      misses[count] = m;
      rows += h + m;
      count++;
    },
    value: () => ({ c: c.subarray(0, count), hits: hits.subarray(0, count), misses: misses.subarray(0, count), n: rows }),
  };
};

/** Σ over the rows of a pile. */
export const sumOfPile = (of: Pile): number =>
  filled(of).reduce((total, chunk) => {
    let sum = 0;
    for (let i = 0; i < chunk.length; i++) sum += chunk[i];
    return total + sum;
  }, 0);

/** Runs of equal confidence, so that the order of rows cannot matter. */
export const runs = (right: Pile, wrong: Pile): Groups => collect(walkPiles([right], [wrong]), right.length + wrong.length);
