import { breathe } from '../base/job.ts';
import { addValues, deviationOf, type Moments, noValues } from '../base/maths/running-moments.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { toFloats } from '../data/values.ts';
import { endsOf, openModel, repeated } from '../evidence/model.ts';
import { batchRows } from '../evidence/plan.ts';
import { dimsAt } from '../graph/batch-dim.ts';
import { elementBytes } from '../graph/constant.ts';
import { tensorValues } from '../graph/probe.ts';
import { staticTypes } from '../graph/static-types.ts';
import type { Model, TensorType } from '../graph/types.ts';
import { withOutputs } from '../graph/with-outputs.ts';
import { write } from '../graph/write.ts';
import type { LayerActivity, ModelProfile } from '../report/model-study.ts';
import { shownOf } from './model-headers.ts';
import type { UseCase } from './ports.ts';
import { openSubject } from './subject.ts';

/** Bytes of activations held at once. */
const budget = 256 * 2 ** 20;
/** Rows of a batch, where the file does not fix them. */
const usualBatch = 32;

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Values in groups that take no more than the budget for one row. */
const groupsOf = (values: readonly string[], bytes: (value: string) => number): readonly (readonly string[])[] => {
  const groups: string[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const value of values) {
    held += bytes(value);
    if (held > budget) {
      groups.push([]);
      held = bytes(value);
    }
    groups.at(-1)?.push(value);
  }
  return groups;
};

/** Nodes under names that the profile can be read by. */
const numbered = (model: Model): { readonly file: Uint8Array; readonly nameOf: (place: number) => string } => {
  const nameOf = (place: number): string => `assay/${place}`;
  const nodes = model.graph.nodes.map((node, i) => ({ ...node, name: nameOf(i) }));
  return { file: write({ ...model, graph: { ...model.graph, nodes } }), nameOf };
};

const told = (m: Moments | undefined): LayerActivity['values'] => {
  if (!m) return null;
  const count = m.count + m.nan + m.infinite;
  const share = (n: number): number => (count > 0 ? n / count : 0);
  return {
    count,
    ...(m.count > 0 ? { min: m.min, max: m.max, mean: m.mean, deviation: deviationOf(m) } : {}),
    zeros: share(m.zeros),
    nan: share(m.nan),
    infinite: share(m.infinite),
  };
};

/** Times every node, then looks at what every node gives, batch by batch, on the first rows of a dataset. */
export const profile: UseCase<'profile'> = async ({ model: ref, data, rows }, ports, job): Promise<ModelProfile> => {
  const notes: string[] = [];
  const mine = { ...job, note: (text: string) => void notes.push(text) };
  const opened = await openModel(ref, ports, mine);
  const { model, normal, inlined, graph: shown } = shownOf(opened.model);
  const run: Model = inlined && !(normal instanceof Error) ? normal : model;
  const { input, fixedBatch } = endsOf(opened, ref, { note: () => {} });
  const subject = await openSubject({ model: ref, data, device: 'cpu', limit: rows }, ports, mine);
  try {
    const { bound } = subject;
    const batch = fixedBatch ?? Math.min(usualBatch, batchRows(bound), bound.count);
    const fed = (x: Tensor): Record<string, Tensor> => ({ [input.name]: fixedBatch === undefined ? x : repeated(x, fixedBatch) });
    const first = await bound.take(
      Array.from({ length: Math.min(batch, bound.count) }, (_, i) => i),
      job.signal,
    );
    if (!first.x) throw new Error('the data were bound to no input');
    const x = repeated(first.x, batch);

    job.progress(0.1, 'Timing nodes');
    const optimised: number[] = [];
    for (let runs = 0, began = performance.now(); runs < 6 && performance.now() - began < 2000; runs++) {
      const from = performance.now();
      await subject.model?.outputs(x);
      optimised.push(performance.now() - from);
    }
    const { file, nameOf } = numbered(run);
    const times = await ports.runtime.times(file, { name: opened.name, folder: opened.folder }, fed(x));
    const msOf = new Map(
      run.graph.nodes.map((node, i) => {
        const timed = times.get(nameOf(i)) ?? [];
        return [node, timed.length > 0 ? middle(timed) : null] as const;
      }),
    );

    const types: ReadonlyMap<string, TensorType> = staticTypes(shown);
    const bytes = (value: string): number => {
      const type = types.get(value);
      const dims = type?.dims && dimsAt(type.dims, 1);
      return type && dims ? sizeOf(dims) * elementBytes[type.dtype] : 0;
    };
    const tensors = new Set(tensorValues(run.graph));
    const wanted = shown.nodes.map(({ outputs }) => outputs.find((o) => tensors.has(o)));
    const groups = groupsOf([...new Set(wanted.flatMap((value) => value ?? []))], bytes);
    const moments = new Map<string, Moments>();
    for (const [g, group] of groups.entries()) {
      const { session } = await ports.runtime.open(withOutputs(run, group), {
        device: 'cpu',
        name: opened.name,
        folder: opened.folder,
        optimize: 'off',
      });
      try {
        const row = group.reduce((n, value) => n + bytes(value), 0);
        const at = fixedBatch ?? Math.max(1, Math.min(batch, Math.floor(budget / Math.max(1, row))));
        for (let from = 0; from < bound.count; from += at) {
          // What would fill up a fixed batch counts for nothing.
          if (fixedBatch !== undefined && from > 0 && bound.count - from < fixedBatch) break;
          const places = Array.from({ length: Math.min(at, bound.count - from) }, (_, i) => from + i);
          const some = await bound.take(places, job.signal);
          if (!some.x) break;
          const found = await session.run(fed(some.x), group);
          for (const value of group) {
            const tensor = found[value];
            if (tensor.dtype === 'string') continue;
            const known = moments.get(value) ?? noValues();
            moments.set(value, known);
            addValues(known, toFloats(tensor));
          }
          job.progress(
            0.3 + (0.7 * (g + (from + at) / bound.count)) / groups.length,
            `Looking at ${Math.min(from + at, bound.count)} rows`,
          );
          await breathe(job);
        }
      } finally {
        await session.release();
      }
    }
    const layers = shown.nodes.map(
      (node, i): LayerActivity => ({ ms: msOf.get(node) ?? null, values: told(moments.get(wanted[i] ?? '')) }),
    );
    return {
      data: bound.name,
      rows: bound.count,
      batch,
      runs: Math.max(0, ...Array.from(times.values(), ({ length }) => length)),
      nodesMs: layers.reduce((sum, { ms }) => sum + (ms ?? 0), 0),
      optimisedMs: middle(optimised.length > 1 ? optimised.slice(1) : optimised),
      layers,
      notes,
    };
  } finally {
    await subject.close();
  }
};
