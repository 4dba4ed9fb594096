import { Fault } from '../../base/fault.ts';
import { type DType, sizeOf } from '../../base/tensor.ts';
import { arraysDataset, npyArray } from '../arrays.ts';
import { defineReader, type Reader } from '../define.ts';

const types: Readonly<Record<number, readonly [DType, number]>> = {
  8: ['uint8', 1],
  9: ['int8', 1],
  11: ['int16', 2],
  12: ['int32', 4],
  13: ['float32', 4],
  14: ['float64', 8],
};

/** IDX: 0 0 type rank, then rank big-endian sizes, then row-major big-endian elements. A vector is called `y` (labels), anything else `x`. */
export const idx: Reader = defineReader({
  id: 'idx',
  title: 'IDX (MNIST)',
  endings: ['.idx', '-ubyte', '.idx.gz', '-ubyte.gz'],
  knows: (head) => head[0] === 0 && head[1] === 0 && Object.hasOwn(types, head[2]) && head[3] > 0 && head[3] <= 8,
  async open(source, signal) {
    const corrupt = (reason: string): never => {
      throw new Fault('data/corrupt', { path: source.path, where: 'header', reason });
    };
    const head = await source.read(0, Math.min(source.size, 36), signal);
    if (!idx.knows(head, source.name)) return corrupt('it is not in IDX form (0 0 type rank)');
    const [dtype, width] = types[head[2]];
    const at = 4 + 4 * head[3];
    if (head.length < at) return corrupt('it is cut off');
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const dims = Array.from({ length: head[3] }, (_, i) => view.getUint32(4 + 4 * i));
    const due = at + sizeOf(dims) * width;
    if (source.size !== due) return corrupt(`its sizes (${dims.join(', ')}) need ${due} bytes but the file has ${source.size}`);
    if (sizeOf(dims) === 0) throw new Fault('data/no-rows', { path: source.path });
    const header = { dtype, dims, width, at, bigEndian: true, fortran: false, text: '' } as const;
    const array = npyArray(dims.length === 1 ? 'y' : 'x', source.path, header, async () => source);
    return arraysDataset('idx', source.path, [array], array);
  },
});
