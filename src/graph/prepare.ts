import { Fault } from '../base/fault.ts';
import type { Tensor, TensorData } from '../base/tensor.ts';
import { atLengths, probeAnyLength } from './any-length.ts';
import { foldConstants } from './passes/fold-constants.ts';
import { freeBatch } from './passes/free-batch.ts';
import { liftHalf } from './passes/half.ts';
import { dropIdentity } from './passes/identity.ts';
import { normalise } from './passes/normalise.ts';
import { prune } from './passes/prune.ts';
import { shareEqual } from './passes/share.ts';
import { sort } from './passes/sort.ts';
import { type Probed, type ProbeOptions, probe, type RunGraph } from './probe.ts';
import { feedsOf, planOf } from './probe-feeds.ts';
import type { Model } from './types.ts';
import { mustVerify } from './verify.ts';
import { write } from './write.ts';

/** A model as the rest of Assay works on it. */
export interface Prepared {
  /** In one dialect (passes/normalise.ts), shape arithmetic folded, nothing dead. Value names are those of the file. */
  readonly model: Model;
  readonly probed: Probed;
  /** Batch size of the file where its batch axis was fixed and has been freed. */
  readonly freedFrom?: number;
  /** Sentences for the report. */
  readonly notes: readonly string[];
}

type Feeds = Readonly<Record<string, Tensor>>;

/** Rows [from, from + rows) along `axis`. */
const rowsOf = (t: Tensor, axis: number, from: number, rows: number): Tensor => {
  const outer = t.dims.slice(0, axis).reduce((n, d) => n * d, 1);
  const inner = t.dims.slice(axis + 1).reduce((n, d) => n * d, 1);
  const length = t.dims[axis];
  const dims = t.dims.map((d, i) => (i === axis ? rows : d));
  const pieces = Array.from({ length: outer }, (_, o) =>
    (t.data as Float32Array).slice((o * length + from) * inner, (o * length + from + rows) * inner),
  );
  const data = pieces.length === 1 ? pieces[0] : (t.data as Float32Array).slice(0, outer * rows * inner);
  if (pieces.length > 1) pieces.forEach((p, o) => void data.set(p, o * rows * inner));
  return { dtype: t.dtype, dims, data: data as TensorData };
};

/** Two float32 evaluations of one row in batches of different size: sums may be ordered differently. */
const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= 1e-5 + 1e-4 * Math.max(Math.abs(a), Math.abs(b)) || (Number.isNaN(a) && Number.isNaN(b));

/** Whether the freed model gives every chunk of rows what the fixed one gives it. */
const agrees = async (
  fixed: Model,
  free: Model,
  plan: ReturnType<typeof planOf>,
  run: RunGraph,
  given: ProbeOptions['feeds'],
): Promise<boolean> => {
  const size = plan.fixed ?? 1;
  const chunks = 3;
  const feeds: Feeds = { ...feedsOf(plan, chunks * size, 7), ...given?.(chunks * size) };
  const outputs = fixed.graph.outputs.map((o) => o.name);
  const [fixedBytes, freeBytes] = [write(fixed), write(free)];
  const all = await run(freeBytes, feeds, outputs);
  for (let k = 0; k < chunks; k++) {
    const part = Object.fromEntries(
      Object.entries(feeds).map(([name, t]) => {
        const axis = plan.batchAxes.get(name);
        return [name, axis === undefined ? t : rowsOf(t, axis, k * size, size)];
      }),
    );
    const one = await run(fixedBytes, part, outputs);
    for (const name of outputs) {
      const [a, b] = [one[name], all[name]];
      if (a.dims.length === 0 || b.dims[0] !== chunks * a.dims[0]) return false;
      const rows = rowsOf(b, 0, k * a.dims[0], a.dims[0]);
      const values = a.data as ArrayLike<number | bigint>;
      const others = rows.data as ArrayLike<number | bigint>;
      for (let i = 0; i < values.length; i++) if (!near(Number(values[i]), Number(others[i]))) return false;
    }
  }
  return true;
};

/** How to prepare, besides what probing takes. */
export interface PrepareOptions extends ProbeOptions {
  /** What messages call the file. */
  readonly name?: string;
  /** The result holds for every length of the free axes that `axes` gives none for, not for the usual one alone. */
  readonly anyLength?: boolean;
}
const measured = (model: Model, run: RunGraph, options: PrepareOptions): Promise<Probed> =>
  options.anyLength ? probeAnyLength(model, run, options) : probe(model, run, options);

const refused = (error: unknown): boolean => Fault.is(error, 'runtime/session') || Fault.is(error, 'runtime/run');

/** The model with a free batch axis and what probing says of it, or undefined where it cannot be freed. */
const freed = async (
  model: Model,
  known: Probed,
  run: RunGraph,
  options: PrepareOptions,
): Promise<{ model: Model; probed: Probed } | undefined> => {
  const size = known.batchSize;
  if (size === undefined || size === 0) return undefined;
  const folded = prune(foldConstants(model, known));
  const free = freeBatch(folded, { types: known.types, batchSize: size, batchAxes: known.batchAxes });
  try {
    if (!(await agrees(model, free, planOf(model.graph, options.axes), run, options.feeds))) return undefined;
    return { model: free, probed: await measured(free, run, options) };
  } catch (error) {
    if (refused(error)) return undefined;
    throw error;
  }
};

const notesOf = (probed: Probed, freedFrom: number | undefined, { axes: given, anyLength }: PrepareOptions): string[] => {
  const notes: string[] = [];
  if (freedFrom !== undefined)
    notes.push(`The file is written for batches of ${freedFrom}; its batch axis was freed, and three batches of rows give equal outputs.`);
  else if (probed.batch === 'fixed')
    notes.push(
      `The file is written for batches of ${probed.batchSize} and its batch axis cannot be freed: rows run ${probed.batchSize} at a time.`,
    );
  for (const [name, length] of probed.axes) {
    if (given?.[name] === undefined)
      notes.push(
        anyLength
          ? `Free axis '${name}' is fixed at ${length}: the model did not run at another length.`
          : `Free axis '${name}' is taken as ${length}.`,
      );
  }
  return notes;
};

const lifted = 'The file computes in half precision; here it computes in float32, from the same parameters.';

/**
 * Sorts, verifies, brings into one dialect, probes, frees a fixed batch axis where a check on rows allows it, and simplifies.
 * Law: the outputs are those of the file, less the rounding between operators in half precision. Throws `graph/illegal`,
 * `graph/opset`, `graph/unsupported` and what `run` throws.
 */
export const prepare = async (file: Model, run: RunGraph, options: PrepareOptions = {}): Promise<Prepared> => {
  const normal = normalise(mustVerify(sort(file), options.name));
  const dialect = liftHalf(normal);
  const first = await measured(dialect, run, options);
  const free = first.batch === 'fixed' ? await freed(dialect, first, run, options) : undefined;
  const { model, probed } = free ?? { model: dialect, probed: first };
  const simple = prune(shareEqual(dropIdentity(foldConstants(model, probed))));
  const freedFrom = free ? first.batchSize : undefined;
  return {
    model: options.anyLength ? atLengths(simple, probed.axes) : simple,
    probed,
    ...(freedFrom === undefined ? {} : { freedFrom }),
    notes: [...(dialect === normal ? [] : [lifted]), ...notesOf(probed, freedFrom, options)],
  };
};
