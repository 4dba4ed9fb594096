import { breathe } from '../base/job.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { Column } from '../data/define.ts';
import { toFloats } from '../data/values.ts';
import type { ArrayFacts } from '../report/data-view.ts';
import { tableOf, tensorsOf } from './data-table.ts';
import type { UseCase } from './ports.ts';

/** Bytes read at once. */
const chunk = 2 ** 24;

interface Moments {
  readonly name: string;
  count: number;
  missing: number;
  infinite: number;
  min: number;
  max: number;
  mean: number;
}
const moments = (name: string): Moments => ({ name, count: 0, missing: 0, infinite: 0, min: Infinity, max: -Infinity, mean: 0 });

const add = (m: Moments, tensor: Tensor): void => {
  if (tensor.dtype === 'string') {
    m.count += tensor.data.length;
    for (const text of tensor.data as string[]) if (text === '') m.missing++;
    return;
  }
  for (const v of toFloats(tensor)) {
    m.count++;
    if (Number.isNaN(v)) m.missing++;
    else if (!Number.isFinite(v)) m.infinite++;
    else {
      if (v < m.min) m.min = v;
      if (v > m.max) m.max = v;
      m.mean += (v - m.mean) / (m.count - m.missing - m.infinite);
    }
  }
};

const result = ({ min, max, mean, ...counts }: Moments): ArrayFacts => ({ ...counts, ...(min <= max ? { min, max, mean } : {}) });

/** Range, mean and gaps of every array of the file, in one pass over it. */
export const dataArrays: UseCase<'dataArrays'> = async (ask, ports, job): Promise<readonly ArrayFacts[]> => {
  const table = await tableOf(ask, ports, job);
  const { dataset } = table;
  // The pixels of image files are not read for this.
  const columns: readonly Column[] = dataset.columns.filter((c) => !dataset.images || c.name !== 'x');
  const found = columns.map((c) => moments(c.name));
  const width = columns.reduce((n, c) => n + 8 * sizeOf(c.dims), 1);
  const step = Math.max(1, Math.min(65536, Math.floor(chunk / width)));
  const names = columns.map((c) => c.name);
  for (let from = 0; from < dataset.length; from += step) {
    const to = Math.min(dataset.length, from + step);
    const tensors = await tensorsOf(table, names, [from, to], job.signal);
    for (const [c, tensor] of tensors.entries()) add(found[c], tensor);
    job.progress(to / dataset.length, `${to} of ${dataset.length} rows`);
    await breathe(job);
  }
  for (const { name } of dataset.extras) {
    const m = moments(name);
    add(m, await dataset.extra(name, job.signal));
    found.push(m);
    await breathe(job);
  }
  return found.map(result);
};
