import { Fault } from '../../base/fault.ts';
import { breathe } from '../../base/job.ts';
import { toFloats } from '../../data/values.ts';
import type { Bound } from '../bound.ts';
import type { SamplesTool } from '../evidence.ts';
import { finiteCheck } from '../finite.ts';
import type { Scorer } from '../scorer.ts';

export interface SampleReader {
  readonly tool: SamplesTool;
  /** Least and greatest input value taken so far. */
  range(): { readonly min: number; readonly max: number };
}

/** Chosen rows as the model sees them, with what it says about them. Throws `data/not-finite`. */
export const samples = (bound: Bound, score: Scorer): SampleReader => {
  let [min, max] = [Infinity, -Infinity];
  return {
    range: () => ({ min, max }),
    tool: {
      count: bound.count,
      inputDims: bound.inputDims,
      ...bound.text,
      ...(bound.inputNames ? { names: bound.inputNames } : {}),
      plain: (rows, signal) => bound.plain(rows, signal),
      async take(positions, signal) {
        await breathe({ signal });
        const { rows, x, labels } = await bound.take(positions, signal);
        if (!x) throw new RangeError('samples of a table of predictions were asked for');
        if (x.dtype !== 'string') {
          const check = finiteCheck(`inputs from '${bound.path}'`);
          check.add(toFloats(x), rows);
          check.finish();
          [min, max] = [Math.min(min, check.min), Math.max(max, check.max)];
        }
        const outputs = await score(x);
        const whole = labels?.every((l) => Number.isInteger(l));
        const wide = whole ? labels?.findIndex((l) => l !== l >> 0) : -1;
        if (labels && wide !== undefined && wide >= 0)
          throw new Fault('data/label-range', {
            path: bound.path,
            count: labels.filter((l) => l !== l >> 0).length,
            row: rows[wide],
            label: labels[wide],
            classes: Math.max(2, outputs.cols),
          });
        return { x, rows: Array.from(rows), outputs, ...(labels && whole ? { labels: Int32Array.from(labels) } : {}) };
      },
    },
  };
};
