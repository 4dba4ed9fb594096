import { Fault } from '../base/fault.ts';
import { addValues, deviationOf, noValues } from '../base/maths/running-moments.ts';
import { nearest } from '../base/nearest.ts';
import type { WeightFacts } from '../report/tasks.ts';
import { hoisted, openHeaders } from './model-headers.ts';
import type { UseCase } from './ports.ts';
import { readable, storedValues } from './stored-values.ts';

const bins = 48;
/** An outlier lies further from the mean than so many standard deviations. */
const far = 6;
const mostOutliers = 20;

/** Moments, histogram and outliers of one stored tensor, in two passes over its bytes. */
export const weights: UseCase<'weights'> = async ({ model: { path }, name }, ports, job): Promise<WeightFacts> => {
  const { name: own, model } = await openHeaders(path, ports, job);
  const { initializers } = hoisted(model.graph);
  const c = initializers.get(name);
  if (!c) {
    const known = [...initializers.keys()];
    throw new Fault('id/unknown', { what: 'weight', id: name, nearest: nearest(name, known), known });
  }
  if (!readable(c.dtype)) throw new Fault('graph/unsupported', { node: `'${name}'`, reason: `elements of type ${c.dtype} are not shown` });
  const home = { path, own };
  const moments = noValues();
  for await (const { values } of storedValues(c, home, ports, job)) addValues(moments, values);
  const { count, zeros, min, max, mean } = moments;
  const notFinite = moments.nan + moments.infinite;
  const deviation = deviationOf(moments);
  const histogram = new Array<number>(bins).fill(0);
  const width = (max - min) / bins;
  let outliers = 0;
  const furthest: { index: number; value: number }[] = [];
  const distance = (value: number): number => Math.abs(value - mean);
  for await (const { values, from } of storedValues(c, home, ports, job)) {
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
  }
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
