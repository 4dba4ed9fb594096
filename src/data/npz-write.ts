import { zipSync } from 'fflate';
import type { DType, Tensor } from '../base/tensor.ts';

const descr: Partial<Readonly<Record<DType, string>>> = {
  float32: '<f4',
  float64: '<f8',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
  float16: '<f2',
};

/** One array as `.npy` version 1.0: the header padded so that the elements start on a multiple of 64. */
const npy = ({ dtype, dims, data }: Tensor): Uint8Array => {
  const type = descr[dtype];
  if (type === undefined || Array.isArray(data)) throw new TypeError(`no .npy form of ${dtype}`);
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const out = new Uint8Array(10 + header.length + data.byteLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  out.set(new TextEncoder().encode(header), 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return out;
};

/** Arrays as `.npz`, stored without compression; `readNpz` gives them back. */
export const writeNpz = (arrays: Readonly<Record<string, Tensor>>): Uint8Array =>
  zipSync(Object.fromEntries(Object.entries(arrays).map(([name, tensor]) => [`${name}.npy`, npy(tensor)])), {
    level: 0,
    mtime: '1980-01-01',
  });
