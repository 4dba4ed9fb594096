import { Fault } from '../base/fault.ts';

/** Range of the finite values of a pass, and a count of the others. */
export interface FiniteCheck {
  readonly min: number;
  readonly max: number;
  readonly clean: boolean;
  add(values: ArrayLike<number>, rows: ArrayLike<number>): void;
  /** Throws `data/not-finite` where there were any. */
  finish(): void;
}

export const finiteCheck = (what: string): FiniteCheck => {
  let [min, max, bad, badRows, first] = [Infinity, -Infinity, 0, 0, -1];
  return {
    get min() {
      return min;
    },
    get max() {
      return max;
    },
    get clean() {
      return bad === 0;
    },
    add(values, rows) {
      const width = values.length / rows.length;
      for (let r = 0; r < rows.length; r++) {
        const before = bad;
        for (let i = r * width; i < (r + 1) * width; i++) {
          const v = values[i];
          if (!Number.isFinite(v)) bad++;
          else {
            if (v < min) min = v;
            if (v > max) max = v;
          }
        }
        if (bad > before && badRows++ === 0) first = rows[r];
      }
    },
    finish() {
      if (bad > 0) throw new Fault('data/not-finite', { what, values: bad, rows: badRows, row: first });
    },
  };
};
