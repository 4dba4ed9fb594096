import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import type { ScoreTable } from '../evidence.ts';
import { type Passage, type Passed, pass } from '../plan.ts';

/** Numbers that one table may hold: 4 GiB of a model's logits. */
const most = 2 ** 30;

/** Logits and labels of every row. A model's logits are float32 already; logarithms and columns of a table keep their digits. Throws `evidence/…` and `data/…`. */
export const readScores = async (
  passage: Passage,
  id: string,
  job: Job,
): Promise<{ readonly passed: Passed; readonly table: ScoreTable }> => {
  const { bound } = passage;
  if (!bound.labelled) throw new Fault('evidence/no-labels', { id, path: bound.path, known: bound.known });
  let table: { classes: number; rows: Float64Array; labels: Int32Array; logits: Float32Array | Float64Array } | undefined;
  let at = 0;
  let failed: unknown;
  const passed = await pass(
    passage,
    [
      {
        needs: ['rows', 'labels', 'logits'],
        begin({ classes, scores }) {
          const size = bound.count * classes.length;
          if (size > most) failed = new Fault('evidence/scores-size', { rows: bound.count, classes: classes.length, most });
          else
            table = {
              classes: classes.length,
              rows: new Float64Array(bound.count),
              labels: new Int32Array(bound.count),
              logits: bound.table === undefined && scores === 'logits' ? new Float32Array(size) : new Float64Array(size),
            };
        },
        add({ rows, labels, logits }) {
          if (!table || !rows || !labels || !logits) return;
          table.rows.set(rows, at);
          table.labels.set(labels, at);
          table.logits.set(logits.data, at * table.classes);
          at += rows.length;
        },
        fail(fault) {
          failed ??= fault;
        },
      },
    ],
    job,
  );
  if (failed !== undefined || !table) throw failed;
  return { passed, table };
};
