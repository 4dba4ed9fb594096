import { Fault } from '../base/fault.ts';

/** Checks labels against the number of classes over a whole pass, so that the fault can say how many rows are wrong. */
export interface LabelCheck {
  /** Class numbers of a batch, or undefined once a wrong one was seen. */
  read(labels: Float64Array, rows: ArrayLike<number>): Int32Array | undefined;
  /** Throws what was found. */
  finish(): void;
}

export const labelCheck = (classes: number, path: string): LabelCheck => {
  const missing = { count: 0, row: -1 };
  const wrong = { count: 0, row: -1, label: Number.NaN };
  return {
    read(labels, rows) {
      const out = new Int32Array(labels.length);
      for (let i = 0; i < labels.length; i++) {
        const label = labels[i];
        if (Number.isNaN(label)) {
          if (missing.count++ === 0) missing.row = rows[i];
        } else if (!Number.isInteger(label)) throw new Fault('evidence/no-classes', { path, row: rows[i], label });
        else if (label < 0 || label >= classes) {
          if (wrong.count++ === 0) [wrong.row, wrong.label] = [rows[i], label];
        }
        out[i] = label;
      }
      return missing.count + wrong.count > 0 ? undefined : out;
    },
    finish() {
      if (missing.count > 0) throw new Fault('data/label-missing', { path, ...missing });
      if (wrong.count > 0) throw new Fault('data/label-range', { path, ...wrong, classes });
    },
  };
};
