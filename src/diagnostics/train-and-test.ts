import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import { sizeOf } from '../base/tensor.ts';
import type { FreshTool, LabelledRows } from '../evidence/fresh.ts';
import { heldOutThird } from './held-out.ts';

/** Most numbers of the rows that are kept in memory. */
const MOST = 100_000_000;

const part = (data: LabelledRows, at: readonly number[]): LabelledRows => {
  const d = sizeOf(data.dims);
  const x = new Float32Array(at.length * d);
  at.forEach((p, i) => {
    x.set(data.x.subarray(p * d, (p + 1) * d), i * d);
  });
  return { ...data, x, rows: Float64Array.from(at, (p) => data.rows[p]), labels: Int32Array.from(at, (p) => data.labels[p]) };
};

/** Rows to train and to test on: another split, or a third of the rows of every class. */
export const trainAndTest = async (fresh: FreshTool, test: string, job: Job): Promise<readonly [LabelledRows, LabelledRows]> => {
  const all = await fresh.data();
  if (all.x.length > MOST) throw new Fault('diagnostic/audit-size', { rows: all.labels.length, width: sizeOf(all.dims), most: MOST });
  if (test !== '') {
    const other = await fresh.data(test);
    const seen = new Set(all.rows);
    const repeated = other.rows.reduce((n, row) => n + Number(seen.has(row)), 0);
    if (repeated > 0) throw new Fault('diagnostic/audit-split', { split: test, rows: repeated });
    return [all, other];
  }
  const { fit, shown } = heldOutThird(all.labels, job.random('held out'));
  job.note(
    `A third of the rows of every class, ${shown.length} of ${all.labels.length}, was held out to test on; name another split with test.`,
  );
  return [part(all, fit), part(all, shown)];
};
