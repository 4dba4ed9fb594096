import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import type { OutputTable, Subject } from '../evidence.ts';
import type { Meaning } from '../interpret.ts';
import { type Passage, pass } from '../plan.ts';

/** Numbers that one table may hold: 2 GiB in float64. */
const most = 2 ** 28;

/** Everything that is said about the rows, labels unchecked. Throws `evidence/…` and `data/…`. */
export const readOutputs = async (
  passage: Passage,
  as: 'values' | 'probabilities',
  job: Job,
): Promise<{ readonly table: OutputTable; readonly subject: Subject; readonly meaning: Meaning }> => {
  const { bound } = passage;
  const noun = as === 'values' ? 'predictions' : 'probs';
  const rows = new Float64Array(bound.count);
  const labels = bound.labelled ? new Float64Array(bound.count) : undefined;
  let data = new Float64Array();
  let cols = 0;
  let at = 0;
  const { subject, meaning } = await pass(
    { ...passage, declared: as === 'values' ? 'values' : passage.declared },
    [
      {
        needs: ['rows', noun, ...(labels ? (['targets'] as const) : [])],
        begin() {},
        add(batch) {
          const said = batch[noun];
          if (!said || !batch.rows) return;
          if (at === 0) {
            cols = said.cols;
            if (bound.count * cols > most) throw new Fault('evidence/scores-size', { rows: bound.count, classes: cols, most });
            data = new Float64Array(bound.count * cols);
          }
          rows.set(batch.rows, at);
          data.set(said.data, at * cols);
          if (labels && batch.targets) labels.set(batch.targets, at);
          at += said.rows;
        },
        fail(fault) {
          throw fault;
        },
      },
    ],
    job,
  );
  const names = as === 'values' ? Array.from({ length: cols }, (_, i) => String(i)) : subject.classes;
  return {
    table: {
      rows,
      values: { rows: bound.count, cols, data },
      names,
      ...(labels ? { labels } : {}),
      ...(bound.labelNames ? { labelNames: bound.labelNames } : {}),
    },
    subject,
    meaning,
  };
};
