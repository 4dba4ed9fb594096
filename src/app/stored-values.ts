import { Fault } from '../base/fault.ts';
import { fromBfloat, fromHalf } from '../base/half.ts';
import { breathe } from '../base/job.ts';
import { type DType, sizeOf } from '../base/tensor.ts';
import { dataOf, elementBytes } from '../graph/constant.ts';
import { escapes } from '../graph/external.ts';
import type { Constant } from '../graph/types.ts';
import type { AppJob, Ports } from './ports.ts';

/** Elements read at once: an even number, as two of four bits share a byte. */
const atOnce = 2 * 2 ** 20;

const refused: ReadonlySet<DType> = new Set([
  ...(['string', 'undefined', 'complex64', 'complex128', 'float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2'] as const),
  ...(['float8e5m2fnuz', 'float4e2m1', 'float8e8m0', 'int2', 'uint2'] as const),
]);

/** Whether the elements of a type can be told as numbers. */
export const readable = (dtype: DType): boolean => !refused.has(dtype);

/** The elements of a run of bytes as numbers; of four bits each, the low half comes first. */
const elements = (dtype: DType, bytes: Uint8Array, count: number): ArrayLike<number> => {
  if (dtype === 'int4' || dtype === 'uint4') {
    const signed = dtype === 'int4';
    return Float64Array.from({ length: count }, (_, i) => {
      const half = (bytes[i >> 1] >> (4 * (i & 1))) & 15;
      return signed && half > 7 ? half - 16 : half;
    });
  }
  const data = dataOf({ dtype, dims: [count], bytes });
  if (dtype === 'float16') return Float32Array.from(data as Uint16Array, fromHalf);
  if (dtype === 'bfloat16') return Float32Array.from(data as Uint16Array, fromBfloat);
  return data instanceof BigInt64Array || data instanceof BigUint64Array ? Float64Array.from(data, Number) : (data as Float32Array);
};

/** Where a stored tensor is: the path of its model and the file name under which headers name what lies in the file itself. */
export interface Home {
  readonly path: string;
  readonly own: string;
}
export interface ValueRun {
  readonly values: ArrayLike<number>;
  /** Place of the first. */
  readonly from: number;
}

/** The elements of a stored tensor, run by run; runs of two tensors of one size hold the same places. */
export async function* storedValues(
  c: Constant,
  { path, own }: Home,
  ports: Pick<Ports, 'source' | 'resolve'>,
  job: Pick<AppJob, 'signal'>,
): AsyncGenerator<ValueRun> {
  const width = elementBytes[c.dtype];
  const total = sizeOf(c.dims);
  const { bytes, external } = c;
  if (bytes) {
    for (let from = 0; from < total; from += atOnce) {
      const count = Math.min(atOnce, total - from);
      yield { values: elements(c.dtype, bytes.subarray(from * width, Math.ceil((from + count) * width)), count), from };
    }
    return;
  }
  if (!external) return;
  const reason = escapes(external.location);
  if (reason) throw new Fault('graph/external', { location: external.location, reason });
  const source = await ports.source(external.location === own ? path : ports.resolve(path, external.location));
  const end = external.offset + Math.ceil(total * width);
  if (end > source.size)
    throw new Fault('graph/external', {
      location: external.location,
      reason: `${end - external.offset} bytes are wanted at ${external.offset} but the file ends at ${source.size}`,
    });
  for (let from = 0; from < total; from += atOnce) {
    const count = Math.min(atOnce, total - from);
    const at = external.offset + from * width;
    yield { values: elements(c.dtype, await source.read(at, at + Math.ceil(count * width), job.signal), count), from };
    await breathe(job);
  }
}
