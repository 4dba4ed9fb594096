import { Fault } from '../../base/fault.ts';
import { arraysDataset, openNpy } from '../arrays.ts';
import { defineReader, type Reader } from '../define.ts';

/** One array; its column is called `x`. */
export const npy: Reader = defineReader({
  id: 'npy',
  title: 'NumPy array',
  endings: ['.npy'],
  knows: (head) => head[0] === 0x93 && String.fromCharCode(...head.subarray(1, 6)) === 'NUMPY',
  async open(source, signal) {
    const array = await openNpy(
      'x',
      source.path,
      (count) => source.read(0, Math.min(count, source.size), signal),
      async () => source,
    );
    const due = array.dims.reduce((n, d) => n * d, 1) === 0 || array.dims.length === 0;
    if (due) throw new Fault('data/no-rows', { path: source.path });
    return arraysDataset('npy', source.path, [array], array);
  },
});
