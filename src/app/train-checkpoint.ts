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
const under = (prefix: string, tensors: Readonly<Record<string, Tensor>>): [string, Tensor][] =>
  Object.entries(tensors).map(([key, tensor]) => [`${prefix}/${key}`, tensor]);

/** Arrays `state/…`, `best/…`, `curve/…`, `monitor/…`, `host/…`, and `meta`: JSON as bytes. Loads in numpy. */
const stateBytes = (snapshot: Snapshot, identity: Identity): Uint8Array => {
  const meta = new TextEncoder().encode(JSON.stringify({ version: VERSION, ...identity, progress: snapshot.progress }));
  const curve = (values: readonly number[]): Tensor => {
    const made = Float64Array.from(values.slice(0, snapshot.progress.step));
    return { dtype: 'float64', dims: [made.length], data: made };
  };
  return writeNpz(
    Object.fromEntries([
      ...under('state', snapshot.state),
      ...under('best', snapshot.best ?? {}),
      ...curveNames.map((name): [string, Tensor] => [`curve/${name}`, curve(snapshot.curves[name])]),
      ...Object.entries(snapshot.curves.monitors).map(([name, values]): [string, Tensor] => [`monitor/${name}`, curve(values)]),
      ...Object.entries(snapshot.host ?? {}).map(([name, data]): [string, Tensor] => [
        `host/${name}`,
        { dtype: 'float64', dims: [data.length], data },
      ]),
      ['meta', { dtype: 'uint8', dims: [meta.length], data: meta }],
    ]),
  );
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
  await ports.write(paths.state, stateBytes(snapshot, identity));
};

interface Meta extends Identity {
  readonly version: number;
  readonly progress: Progress;
}

const opened = (bytes: Uint8Array, path: string): { readonly arrays: Record<string, Tensor>; readonly meta: Meta } | undefined => {
  try {
    const arrays = readNpz(bytes, path);
    return { arrays, meta: JSON.parse(new TextDecoder().decode(arrays.meta.data as Uint8Array)) as Meta };
  } catch {
    return undefined;
  }
};

/** Reads the state of an interrupted run. Throws where it belongs to another recipe or other data, unless forced. */
export const readCheckpoint = async (
  ports: Pick<Ports, 'source'>,
  path: string,
  start: State,
  identity: Identity,
  force: boolean,
  signal: AbortSignal,
): Promise<Snapshot> => {
  const source = await ports.source(path).catch((error: unknown) => {
    throw Fault.is(error, 'file/missing') ? new Fault('training/no-checkpoint', { path }) : error;
  });
  const refuse = (reason: string): never => {
    throw new Fault('training/checkpoint', { path, reason });
  };
  const bytes = await source.read(0, source.size, signal);
  const { arrays, meta } = opened(bytes, path) ?? refuse('it is damaged');
  const of = (prefix: string): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(arrays).flatMap(([key, t]) => (key.startsWith(`${prefix}/`) ? [[key.slice(prefix.length + 1), t]] : [])),
    );
  if (meta.version !== VERSION) return refuse(`it has version ${meta.version} where ${VERSION} is due`);
  const fields = differences(meta.recipe, identity.recipe);
  if (meta.dataSha256 !== identity.dataSha256) fields.push('the content of data.train');
  if (fields.length > 0 && !force) throw new Fault('training/changed', { path, fields });
  const state = of('state');
  for (const [key, tensor] of Object.entries(start)) {
    const found = state[key];
    if (!found) return refuse(`it has no '${key}', which this optimizer carries`);
    if (found.dims.join() !== tensor.dims.join() || found.dtype !== tensor.dtype)
      return refuse(`its '${key}' is ${found.dtype} [${found.dims}] where ${tensor.dtype} [${tensor.dims}] is due`);
  }
  const best = of('best');
  const curves = of('curve');
  const curve = (name: Exclude<keyof Curves, 'monitors'>): number[] => Array.from((curves[name]?.data ?? []) as Float64Array);
  const floats = (prefix: string): [string, Float64Array][] =>
    Object.entries(of(prefix)).map(([name, { data }]) => [name, data as Float64Array]);
  const host = floats('host');
  return {
    progress: meta.progress,
    curves: {
      loss: curve('loss'),
      accuracy: curve('accuracy'),
      lr: curve('lr'),
      gradientNorm: curve('gradientNorm'),
      monitors: Object.fromEntries(floats('monitor').map(([name, values]) => [name, Array.from(values)])),
    },
    state: Object.fromEntries(Object.keys(start).map((key) => [key, state[key]])),
    ...(Object.keys(best).length > 0 ? { best } : {}),
    ...(host.length > 0 ? { host: Object.fromEntries(host) } : {}),
  };
};
