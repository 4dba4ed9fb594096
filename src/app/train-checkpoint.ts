import { Fault } from '../base/fault.ts';
import type { Tensor } from '../base/tensor.ts';
import { readNpz } from '../data/npz.ts';
import { writeNpz } from '../data/npz-write.ts';
import type { Model } from '../graph/types.ts';
import type { Compiled, State } from '../training/compile.ts';
import { scattered } from '../training/layout.ts';
import { differences } from '../training/recipe.ts';
import type { AppJob, Ports } from './ports.ts';
import { writeModel } from './save-model.ts';
import type { Curves, Progress, Snapshot } from './train-progress.ts';

/** What must be the same for a run to go on as if it had not been interrupted. */
export interface Identity {
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly recipeSha256: string;
  readonly dataSha256: string;
  /** SHA-256 of the other files that the numbers hang on, by the key that names them. */
  readonly files: Readonly<Record<string, string>>;
}

/** `OUT.onnx` → the model of the last checkpoint, and everything else a resumed run needs, the parameters too. */
export const checkpointPaths = (out: string): { readonly model: string; readonly state: string } => {
  const stem = out.replace(/\.onnx$/i, '');
  return { model: `${stem}.checkpoint.onnx`, state: `${stem}.checkpoint.state` };
};

/** The model with the parameters and statistics of a state. */
export const modelWith = (
  model: Model,
  { layout }: Pick<Compiled, 'layout'>,
  state: State,
  metadata: ReadonlyMap<string, string>,
): Model => {
  const statistics = Object.entries(state).flatMap(([key, tensor]): [string, Tensor][] =>
    key.startsWith('statistic/') ? [[key.slice('statistic/'.length), tensor]] : [],
  );
  return {
    ...model,
    metadata: new Map([...model.metadata, ...metadata]),
    graph: scattered(model.graph, layout, state.theta, new Map(statistics)),
  };
};

const VERSION = 2;
const curveNames = ['loss', 'accuracy', 'lr', 'gradientNorm'] as const;
type Arrays = Readonly<Record<string, Tensor>>;

/** Entries `PREFIX/…`, and back. */
export const under = (prefix: string, tensors: Arrays): [string, Tensor][] =>
  Object.entries(tensors).map(([key, tensor]) => [`${prefix}/${key}`, tensor]);
export const below = (prefix: string, arrays: Arrays): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(arrays).flatMap(([key, t]) => (key.startsWith(`${prefix}/`) ? [[key.slice(prefix.length + 1), t]] : [])),
  );
export const numbers = (data: Float64Array): Tensor => ({ dtype: 'float64', dims: [data.length], data });

/** A snapshot but for its progress: arrays `state/…`, `best/…`, `curve/…`, `monitor/…`, `host/…`. */
export const arraysOf = (snapshot: Snapshot): [string, Tensor][] => {
  const curve = (values: readonly number[]): Tensor => numbers(Float64Array.from(values.slice(0, snapshot.progress.step)));
  return [
    ...under('state', snapshot.state),
    ...under('best', snapshot.best ?? {}),
    ...curveNames.map((name): [string, Tensor] => [`curve/${name}`, curve(snapshot.curves[name])]),
    ...Object.entries(snapshot.curves.monitors).map(([name, values]): [string, Tensor] => [`monitor/${name}`, curve(values)]),
    ...Object.entries(snapshot.host ?? {}).map(([name, data]): [string, Tensor] => [`host/${name}`, numbers(data)]),
  ];
};

export const snapshotOf = (arrays: Arrays, progress: Progress): Snapshot => {
  const best = below('best', arrays);
  const floats = (prefix: string): [string, Float64Array][] =>
    Object.entries(below(prefix, arrays)).map(([name, { data }]) => [name, data as Float64Array]);
  const curves = Object.fromEntries(floats('curve'));
  const host = floats('host');
  const curve = (name: Exclude<keyof Curves, 'monitors'>): number[] => Array.from(curves[name] ?? []);
  return {
    progress,
    curves: {
      loss: curve('loss'),
      accuracy: curve('accuracy'),
      lr: curve('lr'),
      gradientNorm: curve('gradientNorm'),
      monitors: Object.fromEntries(floats('monitor').map(([name, values]) => [name, Array.from(values)])),
    },
    state: below('state', arrays),
    ...(Object.keys(best).length > 0 ? { best } : {}),
    ...(host.length > 0 ? { host: Object.fromEntries(host) } : {}),
  };
};

/** Why a state does not belong to steps that begin at `start`. */
export const mismatch = (state: State, start: State): string | undefined => {
  for (const [key, tensor] of Object.entries(start)) {
    const found = state[key];
    if (!found) return `it has no '${key}', which this optimizer carries`;
    if (found.dims.join() !== tensor.dims.join() || found.dtype !== tensor.dtype)
      return `its '${key}' is ${found.dtype} [${found.dims}] where ${tensor.dtype} [${tensor.dims}] is due`;
  }
  return undefined;
};

/** Arrays, and `meta`: JSON as bytes. Loads in numpy. */
export const checkpointBytes = (arrays: readonly [string, Tensor][], identity: Identity, more: object): Uint8Array => {
  const meta = new TextEncoder().encode(JSON.stringify({ version: VERSION, ...identity, ...more }));
  return writeNpz(Object.fromEntries([...arrays, ['meta', { dtype: 'uint8', dims: [meta.length], data: meta }]]));
};

/** First the model, then the state: a resumed run reads the state alone, so a crash between the two loses nothing. */
export const writeCheckpoint = async (
  ports: Ports,
  job: Pick<AppJob, 'signal'>,
  paths: ReturnType<typeof checkpointPaths>,
  model: Model,
  snapshot: Snapshot,
  identity: Identity,
): Promise<void> => {
  await writeModel(model, paths.model, ports, job);
  await ports.write(paths.state, checkpointBytes(arraysOf(snapshot), identity, { progress: snapshot.progress }));
};

const opened = <More>(
  bytes: Uint8Array,
  path: string,
):
  | {
      readonly arrays: Record<string, Tensor>;
      readonly meta: Omit<Identity, 'files'> & Partial<Pick<Identity, 'files'> & More> & { readonly version: number };
    }
  | undefined => {
  try {
    const arrays = readNpz(bytes, path);
    return { arrays, meta: JSON.parse(new TextDecoder().decode(arrays.meta.data as Uint8Array)) };
  } catch {
    return undefined;
  }
};

export const unfit = (path: string, reason: string): Fault => new Fault('training/checkpoint', { path, reason });

/** Opens what an interrupted run left. Throws where it belongs to another recipe or other data, unless forced. */
export const openCheckpoint = async <More>(
  ports: Pick<Ports, 'source'>,
  path: string,
  identity: Identity,
  force: boolean,
  signal: AbortSignal,
): Promise<{ readonly arrays: Arrays; readonly meta: Partial<More> }> => {
  const source = await ports.source(path).catch((error: unknown) => {
    throw Fault.is(error, 'file/missing') ? new Fault('training/no-checkpoint', { path }) : error;
  });
  const found = opened<More>(await source.read(0, source.size, signal), path);
  if (!found) throw unfit(path, 'it is damaged');
  const { meta } = found;
  if (meta.version !== VERSION) throw unfit(path, `it has version ${meta.version} where ${VERSION} is due`);
  const fields = differences(meta.recipe, identity.recipe);
  if (meta.dataSha256 !== identity.dataSha256) fields.push('the content of data.train');
  // A file of one of them alone is a key that differs.
  for (const [key, sha256] of Object.entries(meta.files ?? {}))
    if ((identity.files[key] ?? sha256) !== sha256) fields.push(`the content of ${key}`);
  if (fields.length > 0 && !force) throw new Fault('training/changed', { path, fields });
  return found;
};

/** Reads the state of an interrupted run of compiled steps that begin at `start`. */
export const readCheckpoint = async (
  ports: Pick<Ports, 'source'>,
  path: string,
  start: State,
  identity: Identity,
  force: boolean,
  signal: AbortSignal,
): Promise<Snapshot> => {
  const { arrays, meta } = await openCheckpoint<{ readonly progress: Progress }>(ports, path, identity, force, signal);
  if (!meta.progress) throw unfit(path, 'it is that of a regime, and the recipe has none');
  const snapshot = snapshotOf(arrays, meta.progress);
  const reason = mismatch(snapshot.state, start);
  if (reason !== undefined) throw unfit(path, reason);
  return { ...snapshot, state: Object.fromEntries(Object.keys(start).map((key) => [key, snapshot.state[key]])) };
};
