import type { DataRef, GivenRow } from '../base/request.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Dataset } from '../data/define.ts';
import type { AttributeRequest } from '../report/tasks.ts';
import type { Ports } from './ports.ts';

/** Least length, in characters, for which a place is kept. */
const LEAST = 256;

/** Where there are no data, a free length of rows is that of a text twice as long as the power of two above this one: it may grow. */
export const aloneKey = ({ path }: DataRef, given: GivenRow | undefined): number | undefined =>
  path === '' && given?.kind === 'text' ? 2 ** Math.ceil(Math.log2(Math.max(LEAST, given.text.length))) : undefined;

const dataset = (text: string): Dataset => {
  const rows = async (columns: readonly string[]): Promise<readonly Tensor[]> =>
    columns.map(() => ({ dtype: 'string', dims: [1], data: [text] }));
  return {
    format: 'text',
    path: 'the open text',
    length: 1,
    columns: [{ name: 'text', dtype: 'string', dims: [] }],
    extras: [],
    slice: rows,
    take: rows,
    extra: async () => ({ dtype: 'string', dims: [0], data: [] }),
    close: async () => {},
  };
};

/** Ports by which a text that was given without data is a dataset of one row. */
export const alone = ({ data, given }: Pick<AttributeRequest, 'data' | 'given'>, ports: Ports): Ports => {
  const size = aloneKey(data, given);
  if (size === undefined || given?.kind !== 'text') return ports;
  const text = given.text.trim() === '' ? '' : `${given.text} `.repeat(Math.ceil((2 * size) / given.text.length));
  return { ...ports, dataset: async () => dataset(text), sha256: async (path) => (path === '' ? '' : ports.sha256(path)) };
};
