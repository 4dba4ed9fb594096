import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import { nearest } from '../base/nearest.ts';
import type { ModelRef } from '../base/request.ts';
import type { DType, Tensor } from '../base/tensor.ts';
import type { Source } from '../data/define.ts';
import type { Target } from '../data/preprocess.ts';
import { givesLengths } from '../graph/class-lengths.ts';
import { escapes, externalFiles } from '../graph/external.ts';
import { parse } from '../graph/parse.ts';
import { normalise } from '../graph/passes/normalise.ts';
import { sort } from '../graph/passes/sort.ts';
import { type Prepared, type PrepareOptions, prepare } from '../graph/prepare.ts';
import { type Probed, type ProbeOptions, probe, type RunGraph } from '../graph/probe.ts';
import { axisName } from '../graph/probe-feeds.ts';
import type { Dim, Model, ValueInfo } from '../graph/types.ts';
import { mustVerify } from '../graph/verify.ts';
import { freeInputs, producers } from '../graph/walk.ts';
import type { Runtime, Session } from '../runtime/session.ts';

/**
 * SHA-256 of a model: of its file, and where it has weights beside it, of the lines `SHA-256  name` of all its files, the model's own
 * first, as `sha256sum` prints them.
 */
const wholeSha256 = async (own: string, model: Model, path: string, name: string, ports: ModelPorts): Promise<string> => {
  const beside = externalFiles(model.graph).filter((location) => !escapes(location));
  if (beside.length === 0) return own;
  const lines = [`${own}  ${name}\n`];
  for (const location of beside) {
    // What is missing is told where it is read.
    const digest = await ports.sha256(`${folderOf(path)}/${location}`).catch(() => '');
    if (digest) lines.push(`${digest}  ${location}\n`);
  }
  const whole = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(lines.join('')));
  return Array.from(new Uint8Array(whole), (b) => b.toString(16).padStart(2, '0')).join('');
};

/** What opening a model needs of the world. */
export interface ModelPorts {
  readonly runtime: Runtime;
  source(path: string): Promise<Source>;
  sha256(path: string): Promise<string>;
}

/** What the node that makes the output tells about its numbers; 'linear' is a layer without an activation. */
export type ScoreHint = 'probabilities' | 'log-probabilities' | 'sigmoid' | 'linear' | 'unknown';

/** Some rows of the data, as the model takes them: the lengths of its free axes are theirs. */
export interface ProbeRows {
  readonly input: string;
  readonly x: Tensor;
}

/** A model read, in one dialect, and what running it has told. */
export interface OpenedModel {
  readonly path: string;
  /** File name. */
  readonly name: string;
  readonly folder: string;
  readonly sha256: string;
  readonly bytes: number;
  /** As in the file. */
  readonly model: Model;
  /** Throws `graph/illegal`. */
  verify(): void;
  /** In the one dialect that gradients are written for. */
  normal(): Model;
  /** Types and shapes of all values of `normal`, by running on the CPU; measured once. */
  probed(): Promise<Probed>;
  /**
   * Legal, in one dialect, its batch axis free where a check on rows allows it, simple; made once for rows of one shape. Without
   * rows, free axes have their usual length, or any.
   */
  prepared(rows?: ProbeRows | 'any length'): Promise<Prepared>;
}

/** Which input receives the data and which output is diagnosed. */
export interface Ends {
  readonly input: Target & { readonly name: string };
  /** Rows baked into the file, where its batch axis is fixed. */
  readonly fixedBatch?: number;
  readonly output: string;
  readonly hint: ScoreHint;
  /** The output is lengths of class capsules, whose sum is not 1. */
  readonly lengths?: true;
}

const opened = new Map<string, Promise<OpenedModel>>();
/** Models kept open by path and hash. */
const keep = 4;

const folderOf = (path: string): string => path.replace(/[^\\/]*$/, '') || '.';

const read = async (ref: ModelRef, own: string, ports: ModelPorts, job: Pick<Job, 'signal'>): Promise<OpenedModel> => {
  const source = await ports.source(ref.path);
  const bytes = await source.read(0, source.size, job.signal);
  const folder = folderOf(ref.path);
  const model = parse(bytes, source.name, folder);
  const sha256 = await wholeSha256(own, model, ref.path, source.name, ports);
  let normal: Model | undefined;
  const lazily = (): Model => {
    normal ??= normalise(mustVerify(sort(model), source.name));
    return normal;
  };
  let probed: Promise<Probed> | undefined;
  const prepared = new Map<string, Promise<Prepared>>();
  return {
    path: ref.path,
    name: source.name,
    folder,
    sha256,
    bytes: source.size,
    model,
    verify: () => void mustVerify(sort(model), source.name),
    normal: lazily,
    probed: () => {
      probed ??= withSessions(ports.runtime, source.name, folder, (run) => probe(lazily(), run)).catch((error: unknown) => {
        probed = undefined;
        throw error;
      });
      return probed;
    },
    prepared: (given) => {
      const rows = given === 'any length' ? undefined : given;
      const options: PrepareOptions = rows ? probeOptions(model, rows) : { anyLength: given === 'any length' };
      const key = JSON.stringify([rows?.input, options.axes, options.anyLength]);
      const found =
        prepared.get(key) ??
        withSessions(ports.runtime, source.name, folder, (run) =>
          prepare(rows ? ranked(model, rows) : model, run, { ...options, name: source.name }),
        );
      prepared.set(key, found);
      found.catch(() => prepared.delete(key));
      return found;
    },
  };
};

/** The model with its input's rank, where the file leaves it open: that of the rows. */
const ranked = (model: Model, { input, x }: ProbeRows): Model => ({
  ...model,
  graph: {
    ...model.graph,
    inputs: model.graph.inputs.map((i) =>
      i.name === input && (i.type === undefined || (i.type.kind === 'tensor' && i.type.dims === undefined))
        ? { ...i, type: { kind: 'tensor', dtype: x.dtype, dims: ['N', ...x.dims.slice(1)] } }
        : i,
    ),
  },
});

/** Free axes get the lengths of the rows; whole numbers and text are fed as they are, floats where there are enough rows. */
const probeOptions = (model: Model, { input, x }: ProbeRows): ProbeOptions => {
  const declared = freeInputs(model.graph).find((i) => i.name === input);
  const dims = declared?.type?.kind === 'tensor' ? (declared.type.dims ?? []) : [];
  const open = dims.flatMap((dim, axis) =>
    axis === 0 || typeof dim === 'number' ? [] : [[axisName(input, axis, dim), x.dims[axis]] as const],
  );
  return {
    axes: Object.fromEntries(open),
    // Random floats tell rows apart better than a few rows repeated.
    feeds: (count): Readonly<Record<string, Tensor>> => (floats.has(x.dtype) && x.dims[0] < count ? {} : { [input]: repeated(x, count) }),
  };
};

/** A RunGraph for probing: one session a model, on the CPU, without optimisation; all are released at the end. */
export const withSessions = async <T>(runtime: Runtime, name: string, folder: string, work: (run: RunGraph) => Promise<T>): Promise<T> => {
  const sessions = new Map<Uint8Array, Session>();
  try {
    return await work(async (model, feeds, wanted) => {
      const session = sessions.get(model) ?? (await runtime.open(model, { device: 'cpu', name, folder, optimize: 'off' })).session;
      sessions.set(model, session);
      return session.run(feeds, wanted);
    });
  } finally {
    for (const session of sessions.values()) await session.release();
  }
};

/** Reads a model, or takes it from the last few opened in this process. Throws `file/…` and `graph/not-onnx`. */
export const openModel = async (ref: ModelRef, ports: ModelPorts, job: Pick<Job, 'signal'>): Promise<OpenedModel> => {
  await ports.source(ref.path);
  const own = await ports.sha256(ref.path);
  const key = `${ref.path}\0${own}`;
  const kept = await opened.get(key);
  // Weights beside the file may have changed although the file has not.
  const same = kept && (await wholeSha256(own, kept.model, ref.path, kept.name, ports)) === kept.sha256;
  const found = kept && same ? Promise.resolve(kept) : read(ref, own, ports, job);
  opened.delete(key);
  opened.set(key, found);
  for (const oldest of opened.keys()) if (opened.size > keep) opened.delete(oldest);
  found.catch(() => opened.delete(key));
  return found;
};

const floats = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16']);
const isTensor = (v: ValueInfo): boolean => v.type === undefined || v.type.kind === 'tensor';
const isFloat = (v: ValueInfo): boolean => v.type === undefined || (v.type.kind === 'tensor' && floats.has(v.type.dtype));

const named = (what: string, name: string, list: readonly ValueInfo[]): ValueInfo => {
  const known = list.map((v) => v.name);
  const found = list.find((v) => v.name === name);
  if (!found) throw new Fault('id/unknown', { what, id: name, nearest: nearest(name, known), known });
  return found;
};

const passing = new Set(['Identity', 'Cast', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose']);
const linear = new Set(['Gemm', 'MatMul', 'Add', 'Conv', 'FusedMatMul', 'FusedGemm']);

/** What the last operator but reshapings says about an output's numbers. */
const scoreHint = ({ graph }: Model, output: string): ScoreHint => {
  const by = producers(graph);
  let node = by.get(output);
  while (node && passing.has(node.op)) node = by.get(node.inputs[0]);
  if (!node) return 'unknown';
  if (linear.has(node.op)) return 'linear';
  if (node.domain !== '') return 'unknown';
  if (node.op === 'Softmax') return 'probabilities';
  if (node.op === 'LogSoftmax') return 'log-probabilities';
  return node.op === 'Sigmoid' ? 'sigmoid' : 'unknown';
};

/** Chooses input and output: as named, else the only or first input and the first output of floats. */
export const endsOf = ({ model, name }: Pick<OpenedModel, 'model' | 'name'>, ref: ModelRef, job: Pick<Job, 'note'>): Ends => {
  const inputs = freeInputs(model.graph);
  const input = ref.input === undefined ? inputs.find(isTensor) : named('input', ref.input, inputs);
  if (!input) throw new Fault('graph/not-onnx', { path: name, reason: 'it has no input' });
  const others = inputs.filter((i) => i !== input);
  if (others.length > 0) throw new Fault('graph/inputs', { name, input: input.name, others: others.map((i) => i.name) });
  const { outputs } = model.graph;
  const usable = outputs.filter((o) => isTensor(o) && isFloat(o));
  if (ref.output === undefined && usable.length === 0) {
    throw new Fault('graph/outputs', {
      name,
      known: outputs.map((o) => `${o.name} (${o.type?.kind === 'tensor' ? o.type.dtype : (o.type?.kind ?? 'unknown')})`),
    });
  }
  const output = ref.output === undefined ? usable[0] : named('output', ref.output, outputs);
  if (!isTensor(output)) throw new Fault('graph/outputs', { name, known: outputs.map((o) => o.name) });
  if (ref.output === undefined && outputs.length > 1)
    job.note(`Of the outputs ${outputs.map((o) => o.name).join(', ')}, '${output.name}' was diagnosed.`);
  const lengths = givesLengths(model.graph, output.name);
  if (lengths)
    job.note(`Output '${output.name}' is lengths of class capsules; divided by their sum in each row they were read as probabilities.`);
  const type = input.type?.kind === 'tensor' ? input.type : undefined;
  const dims: readonly Dim[] | undefined = type?.dims;
  const first = dims?.[0];
  const batch = dims?.findIndex((d) => typeof d === 'string' && /batch/i.test(d)) ?? -1;
  if (batch > 0)
    throw new Fault('graph/batch-axis', { name, input: input.name, dims: `[${dims?.map((d) => d ?? '?').join(', ')}]`, axis: batch });
  return {
    input: { name: input.name, dtype: type?.dtype ?? 'float32', ...(dims && dims.length > 0 ? { dims: dims.slice(1) } : {}) },
    ...(typeof first === 'number' ? { fixedBatch: first } : {}),
    output: output.name,
    hint: lengths ? 'probabilities' : scoreHint(model, output.name),
    ...(lengths ? { lengths } : {}),
  };
};

/** `count` rows of zeros or the first rows given, repeated: something to try devices with. */
export const repeated = (x: Tensor, count: number): Tensor => {
  const have = x.dims[0];
  if (have === count) return x;
  const row = x.data.length / have;
  const data = x.data.slice(0, 0);
  const out = Array.isArray(data)
    ? Array.from({ length: count * row }, (_, i) => (x.data as string[])[i % x.data.length])
    : new (data.constructor as new (n: number) => Float32Array)(count * row).map((_, i) => x.data[i % x.data.length] as number);
  return { dtype: x.dtype, dims: [count, ...x.dims.slice(1)], data: out };
};
