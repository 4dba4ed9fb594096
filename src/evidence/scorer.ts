import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { joinRows } from '../data/rows.ts';
import { toFloats } from '../data/values.ts';
import type { Session } from '../runtime/session.ts';
import type { Matrix } from './evidence.ts';
import { type Ends, repeated } from './model.ts';

/** Runs rows through a model and gives the diagnosed output, one row of numbers each. */
export type Scorer = (x: Tensor) => Promise<Matrix>;

const rowsOf = (x: Tensor, from: number, to: number): Tensor => {
  const n = sizeOf(x.dims.slice(1));
  const data = Array.isArray(x.data) ? x.data.slice(from * n, to * n) : x.data.subarray(from * n, to * n);
  return { dtype: x.dtype, dims: [to - from, ...x.dims.slice(1)], data };
};

/** [rows], [rows, C] or either with further axes of length 1. */
const matrixOf = (output: Tensor, rows: number, name: string): Matrix => {
  const [first, ...rest] = output.dims;
  const wide = rest.filter((d) => d !== 1);
  if (first !== rows || wide.length > 1 || output.dtype === 'string')
    throw new Fault('evidence/output-shape', { output: name, shape: `[${output.dims.join(', ')}]` });
  return { rows, cols: rest.length === 0 ? 1 : sizeOf(rest), data: Float64Array.from(toFloats(output)) };
};

/**
 * Runs rows and gives one output, its parts one under the other. A file with a fixed batch is run at that size, its last chunk
 * filled up with repeated rows. Where memory runs out, the batch is halved and the run goes on; where only single rows run, they
 * run one at a time.
 */
export const rowRunner = (
  session: Session,
  { input, output, fixedBatch }: Pick<Ends, 'input' | 'output' | 'fixedBatch'>,
  job: Pick<Job, 'note'>,
): ((x: Tensor) => Promise<Tensor>) => {
  let most = fixedBatch ?? Number.POSITIVE_INFINITY;
  const run = async (x: Tensor): Promise<Tensor> => {
    const rows = x.dims[0];
    const fed = fixedBatch === undefined ? x : repeated(x, fixedBatch);
    const result = (await session.run({ [input.name]: fed }, [output]))[output];
    return fixedBatch === undefined || result.dims[0] !== fixedBatch ? result : rowsOf(result, 0, rows);
  };
  return async (x) => {
    const rows = x.dims[0];
    const parts: Tensor[] = [];
    for (let from = 0; from < rows; ) {
      const to = Math.min(rows, from + most);
      try {
        parts.push(await run(rowsOf(x, from, to)));
        from = to;
      } catch (error) {
        if (fixedBatch !== undefined || to - from === 1) throw error;
        if (Fault.is(error, 'runtime/memory')) {
          most = Math.ceil((to - from) / 2);
          job.note(`Memory ran out at ${to - from} rows a batch; went on with ${most}.`);
        } else if (Fault.is(error, 'runtime/run') && most === Number.POSITIVE_INFINITY) {
          // Exporters may call a batch axis free that a Reshape inside fixes at 1.
          parts.push(
            await run(rowsOf(x, from, from + 1)).catch(() => {
              throw error;
            }),
          );
          from++;
          most = 1;
          job.note('The model says that it takes any number of rows, but runs only with one: rows run one at a time.');
        } else throw error;
      }
    }
    for (const part of parts) if (part.dims.length === 0) throw new Fault('evidence/output-shape', { output, shape: '[]' });
    return parts.length === 1 ? parts[0] : joinRows(parts);
  };
};

/** Rows divided by their sums; equal shares where that is 0. */
const shared = ({ rows, cols, data }: Matrix): Matrix => {
  const out = data.slice();
  for (let r = 0; r < rows; r++) {
    const own = out.subarray(r * cols, (r + 1) * cols);
    const sum = own.reduce((a, b) => a + b, 0);
    for (let c = 0; c < cols; c++) own[c] = sum > 0 ? own[c] / sum : 1 / cols;
  }
  return { rows, cols, data: out };
};

/** What the diagnosed output says of each row. */
export const scorer = (session: Session, ends: Ends, job: Pick<Job, 'note'>): Scorer => {
  const run = rowRunner(session, ends, job);
  return async (x) => {
    const scores = matrixOf(await run(x), x.dims[0], ends.output);
    return ends.lengths ? shared(scores) : scores;
  };
};
