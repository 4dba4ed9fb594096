import { Fault } from '../base/fault.ts';
import { fromBfloat, fromHalf } from '../base/half.ts';
import { breathe } from '../base/job.ts';
import { nearest } from '../base/nearest.ts';
import { type DType, sizeOf } from '../base/tensor.ts';
import { dataOf, elementBytes } from '../graph/constant.ts';
import { escapes } from '../graph/external.ts';
import type { Constant } from '../graph/types.ts';
import type { WeightFacts } from '../report/tasks.ts';
import { hoisted, openHeaders } from './model-headers.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';

/** Bytes read at once: a multiple of every element's size. */
const chunk = 8 * 2 ** 20;
const bins = 48;
/** An outlier lies further from the mean than so many standard deviations. */
const far = 6;
const mostOutliers = 20;

const refused: ReadonlySet<DType> = new Set([
  ...(['string', 'undefined', 'complex64', 'complex128', 'float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2'] as const),
  ...(['float8e5m2fnuz', 'float4e2m1', 'float8e8m0', 'int2', 'uint2'] as const),
]);

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

/** Calls back with each run of elements and the place of its first. */
const streamed = async (
  c: Constant,
  path: string,
  own: string,
  ports: Pick<Ports, 'source' | 'resolve'>,
  job: AppJob,
  each: (values: ArrayLike<number>, from: number) => void,
): Promise<void> => {
  const width = elementBytes[c.dtype];
  const total = sizeOf(c.dims);
  const { bytes, external } = c;
  if (bytes) return each(elements(c.dtype, bytes, total), 0);
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
  for (let at = external.offset; at < end; at += chunk) {
    const run = await source.read(at, Math.min(end, at + chunk), job.signal);
    const from = (at - external.offset) / width;
    each(elements(c.dtype, run, Math.min(total - from, run.length / width)), from);
    await breathe(job);
  }
};

/** Moments, histogram and outliers of one stored tensor, in two passes over its bytes. */
export const weights: UseCase<'weights'> = async ({ model: { path }, name }, ports, job): Promise<WeightFacts> => {
  const { name: own, model } = await openHeaders(path, ports, job);
  const { initializers } = hoisted(model.graph);
  const c = initializers.get(name);
  if (!c) {
    const known = [...initializers.keys()];
    throw new Fault('id/unknown', { what: 'weight', id: name, nearest: nearest(name, known), known });
  }
  if (refused.has(c.dtype))
    throw new Fault('graph/unsupported', { node: `'${name}'`, reason: `elements of type ${c.dtype} are not shown` });
  let [count, zeros, notFinite, mean, squares] = [0, 0, 0, 0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  await streamed(c, path, own, ports, job, (values) => {
    for (let i = 0; i < values.length; i++) {
      const v = values[i];
      if (!Number.isFinite(v)) {
        notFinite++;
        continue;
      }
      count++;
      if (v === 0) zeros++;
      if (v < min) min = v;
      if (v > max) max = v;
      // Welford.
      const off = v - mean;
      mean += off / count;
      squares += off * (v - mean);
    }
  });
  const deviation = count > 0 ? Math.sqrt(squares / count) : 0;
  const histogram = new Array<number>(bins).fill(0);
  const width = (max - min) / bins;
  let outliers = 0;
  const furthest: { index: number; value: number }[] = [];
  const distance = (value: number): number => Math.abs(value - mean);
  await streamed(c, path, own, ports, job, (values, from) => {
    for (let i = 0; i < values.length; i++) {
      const v = values[i];
      if (!Number.isFinite(v)) continue;
      histogram[width > 0 ? Math.min(bins - 1, Math.floor((v - min) / width)) : 0]++;
      if (deviation === 0 || distance(v) <= far * deviation) continue;
      outliers++;
      if (furthest.length === mostOutliers && distance(v) <= distance(furthest[mostOutliers - 1].value)) continue;
      furthest.push({ index: from + i, value: v });
      furthest.sort((a, b) => distance(b.value) - distance(a.value));
      if (furthest.length > mostOutliers) furthest.pop();
    }
  });
  const place = (index: number): readonly number[] => {
    const at: number[] = [];
    let rest = index;
    for (const size of c.dims.toReversed()) {
      at.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    return at;
  };
  return {
    name,
    dtype: c.dtype,
    dims: c.dims,
    count: count + notFinite,
    zeros,
    notFinite,
    ...(count > 0 ? { min, max, mean, deviation } : {}),
    histogram: count > 0 ? histogram : [],
    outliers,
    furthest: furthest.map(({ index, value }) => ({ at: place(index), value })),
  };
};
