import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import { nearest } from '../../base/nearest.ts';
import type { Device } from '../../base/request.ts';
import { sizeOf, type Tensor } from '../../base/tensor.ts';
import { toFloats } from '../../data/values.ts';
import { emitter } from '../../graph/emit.ts';
import { prune } from '../../graph/passes/prune.ts';
import { headOps, penultimate } from '../../graph/penultimate.ts';
import type { Graph, Model } from '../../graph/types.ts';
import { called, definedIn, namesWithin, producers } from '../../graph/walk.ts';
import { write } from '../../graph/write.ts';
import type { Runtime, Session } from '../../runtime/session.ts';
import type { Bound } from '../bound.ts';
import { labelCheck } from '../class-labels.ts';
import type { FeatureAsk, FeatureBatch, FeatureStream, FeaturesTool, FeatureTable } from '../features.ts';
import { finiteCheck } from '../finite.ts';
import type { Ends } from '../model.ts';
import { batchRows } from '../plan.ts';
import { rowRunner } from '../scorer.ts';

/** Numbers that one table may hold: 2 GiB in float32. */
const most = 2 ** 29;
/** Names that a fault lists. */
const listed = 40;
const suggested = 8;

/** Where features come from. */
export interface FeatureSource {
  /** Name of the diagnostic, for faults. */
  readonly id: string;
  /** Rows of a split as the model takes them, or, without a model, as columns of numbers; whoever asks closes it. */
  bind(split: string | undefined): Promise<Bound>;
  /** The model that is run, absent where the features are columns. */
  readonly model?: { readonly name: string; readonly folder: string; readonly model: Model; readonly ends: Ends };
  readonly runtime: Runtime;
  readonly device: Device;
}

/** The value that a layer's name means: a value of the graph, or the first output of the node of that name. */
export const layerValue = (graph: Graph, layer: string, output: string): string => {
  if (layer === '') {
    const found = penultimate(graph, output);
    if ('features' in found) return found.features;
    const dense = graph.nodes.filter((n) => headOps.has(n.op)).flatMap((n) => n.inputs[0] || []);
    const candidates = [...new Set(dense)].slice(-suggested);
    throw new Fault('evidence/no-head', { output, at: found.stuck ? called(found.stuck) : '', known: candidates });
  }
  const values = definedIn(graph);
  const made = values.has(layer) ? layer : graph.nodes.find((n) => n.name === layer)?.outputs.find((o) => o);
  if (made !== undefined) return made;
  const known = graph.nodes.flatMap((n) => (n.outputs[0] ? [n.outputs[0]] : []));
  throw new Fault('id/unknown', {
    what: 'layer',
    id: layer,
    nearest: nearest(layer, [...values, ...graph.nodes.map((n) => n.name)]),
    known: [...known.slice(-listed), ...(known.length > listed ? [`… (${known.length} in all; the last are listed)`] : [])],
  });
};

const lastRead = (graph: Graph, output: string): string | undefined => {
  const found = penultimate(graph, output);
  return 'features' in found ? found.features : undefined;
};

/** What a Sigmoid reads, of a value that one makes. */
const beforeSigmoid = (graph: Graph, value: string): string => {
  const node = producers(graph).get(value);
  return node?.op === 'Sigmoid' ? node.inputs[0] : value;
};

/** The part of a model that makes one value, as its only output. */
const upTo = (model: Model, value: string): { readonly model: Model; readonly output: string } => {
  const { graph } = model;
  const emit = emitter({ taken: namesWithin(graph) });
  // A value that is an input or an output already cannot be given out as it is.
  const output = emit.Identity(value);
  const nodes = [...graph.nodes, ...emit.nodes];
  return { model: prune({ ...model, graph: { ...graph, nodes, outputs: [{ name: output }] } }), output };
};

/** Means over some axes of a row. */
const means = (values: ArrayLike<number>, rows: number, channels: number, places: number, last: boolean): Float32Array => {
  const out = new Float32Array(rows * channels);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      const start = r * channels * places;
      for (let p = 0; p < places; p++) sum += values[start + (last ? p * channels + c : c * places + p)];
      out[r * channels + c] = sum / places;
    }
  return out;
};

/** [rows, …] → [rows, width]; axes of length 1 do not count. */
const pooled = ({ dims, ...tensor }: Tensor, layer: string, pooling: NonNullable<FeatureAsk['pooling']>): Float32Array => {
  const values = toFloats({ ...tensor, dims });
  const [rows, ...row] = dims;
  const wide = row.filter((d) => d !== 1);
  if (wide.length > 1 && pooling === 'none') throw new Fault('evidence/feature-rank', { layer, shape: `[${row.join(', ')}]` });
  if (row.length < 2 || pooling === 'none' || pooling === 'flatten') return Float32Array.from(values);
  const last = pooling === 'channels-last';
  const channels = row[last ? row.length - 1 : 0];
  return means(values, rows, channels, sizeOf(row) / channels, last);
};

interface Layer {
  readonly name: string;
  readonly op: string;
  features(x: Tensor): Promise<Tensor>;
}

export interface OpenFeatures {
  readonly tool: FeaturesTool;
  release(): Promise<void>;
}

/** Runs the model up to a layer; one session a layer, kept until released. */
export const openFeatures = (source: FeatureSource, job: Pick<Job, 'note' | 'signal' | 'progress'>): OpenFeatures => {
  const { model, runtime, device, id } = source;
  const sessions: Session[] = [];
  const layers = new Map<string, Promise<Layer>>();

  const layerOf = async (asked: string, scores: boolean): Promise<Layer> => {
    if (!model) {
      if (asked !== '') throw new Fault('option/without-model', { names: ['layer'] });
      return { name: 'the columns of the data', op: '', features: async (x) => x };
    }
    const { graph } = model.model;
    const named = scores && asked === '' ? model.ends.output : layerValue(graph, asked, model.ends.output);
    const value = scores ? beforeSigmoid(graph, named) : named;
    const part = upTo(model.model, value);
    const { session } = await runtime.open(write(part.model), { device, name: `'${value}' of ${model.name}`, folder: model.folder }, job);
    sessions.push(session);
    const run = rowRunner(session, { ...model.ends, output: part.output }, job);
    return {
      name: value,
      op: producers(graph).get(value)?.op ?? '',
      async features(x) {
        const out = await run(x);
        if (out.dtype === 'string' || out.dtype === 'bool') throw new Fault('evidence/feature-layer', { layer: value, dtype: out.dtype });
        if (out.dims[0] !== x.dims[0])
          throw new Fault('evidence/feature-rows', { layer: value, shape: `[${out.dims.join(', ')}]`, rows: x.dims[0] });
        return out;
      },
    };
  };
  const layer = (asked: string, scores: boolean): Promise<Layer> => {
    const key = `${scores} ${asked}`;
    const found = layers.get(key) ?? layerOf(asked, scores);
    layers.set(key, found);
    return found;
  };

  const featuresOf = async (bound: Bound, { layer: asked = '', pooling = 'none', scores }: FeatureAsk): Promise<FeatureStream> => {
    const { name, op, features } = await layer(asked, scores === true);
    const label = model ? `layer '${name}'` : name;
    // Values of data are features as they lie; which axes of a layer are channels only the user knows.
    const how = !model && pooling === 'none' ? 'flatten' : pooling;
    let dims: readonly number[] = [];
    const make = async (x: Tensor): Promise<Float32Array> => {
      const made = await features(x);
      dims = made.dims.slice(1);
      return pooled(made, name, how);
    };
    const first = await bound.take([0], job.signal);
    if (!first.x) throw new RangeError('features of a table of predictions were asked for');
    const width = (await make(first.x)).length;
    return {
      layer: name,
      width,
      dims,
      op,
      count: bound.count,
      async *batches(signal) {
        const check = finiteCheck(`features (${label}) of '${bound.path}'`);
        for await (const { rows, x, labels } of bound.batches(batchRows(bound), signal)) {
          await breathe({ signal });
          if (!x) continue;
          const made = await make(x);
          check.add(made, rows);
          check.finish();
          yield { rows, features: made, ...(labels ? { labels } : {}) } satisfies FeatureBatch;
        }
      },
    };
  };

  const bound = async <T>(split: string | undefined, work: (bound: Bound) => Promise<T>): Promise<T> => {
    const own = await source.bind(split);
    if (own.count === 0) throw new Fault('data/no-rows', { path: own.path });
    return work(own).finally(() => own.close());
  };

  return {
    tool: {
      last: model && lastRead(model.model.graph, model.ends.output),
      async open(ask) {
        const own = await source.bind(ask.split);
        if (own.count === 0) throw new Fault('data/no-rows', { path: own.path });
        const stream = await featuresOf(own, ask);
        return {
          ...stream,
          async *batches(signal) {
            try {
              yield* stream.batches(signal);
            } finally {
              await own.close();
            }
          },
        };
      },
      read: (ask) =>
        bound(ask.split, async (own): Promise<FeatureTable> => {
          const unlabelled = (): Fault => new Fault('evidence/no-labels', { id, path: own.path, known: own.known });
          if (!own.labelled) throw unlabelled();
          const { layer: name, width, count, batches } = await featuresOf(own, ask);
          if (count * width > most) throw new Fault('evidence/features-size', { layer: name, rows: count, width, most });
          const rows = new Float64Array(count);
          const labels = new Int32Array(count);
          const features = new Float32Array(count * width);
          const names = own.labelNames ?? own.classNames;
          const check = labelCheck(2 ** 31, own.path);
          let at = 0;
          for await (const batch of batches(job.signal)) {
            rows.set(batch.rows, at);
            features.set(batch.features, at * width);
            // Rows may have marks, 0 or 1 for each of several labels, and no class.
            if (!batch.labels) throw unlabelled();
            const below = batch.labels.findIndex((l) => l < 0);
            if (below >= 0) throw new Fault('evidence/no-classes', { path: own.path, row: batch.rows[below], label: batch.labels[below] });
            const read = check.read(batch.labels, batch.rows);
            if (read) labels.set(read, at);
            at += batch.rows.length;
            job.progress((0.3 * at) / count, `Features of ${at} of ${count} rows`);
          }
          check.finish();
          return { layer: name, width, rows, features, labels, ...(names ? { classNames: names } : {}) };
        }),
    },
    async release() {
      for (const session of sessions) await session.release();
    },
  };
};
