import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type * as Ort from 'onnxruntime-node';
import { Fault } from '../../base/fault.ts';
import type { DType, Tensor, TensorData } from '../../base/tensor.ts';
import { checkFeeds } from '../feeds.ts';
import { outOfMemory, sentenceOf } from '../message.ts';
import { type Placement, placementOf } from '../placement.ts';
import type { Port, Provider, Session, SessionOptions } from '../session.ts';

const require = createRequire(import.meta.url);
const platform = `${process.platform}-${process.arch}`;

/** Folder of the native libraries for this platform. */
export const binaries = (): string => {
  try {
    return join(dirname(require.resolve('onnxruntime-node/package.json')), 'bin', 'napi-v6', process.platform, process.arch);
  } catch {
    return '';
  }
};

export const version = (): string => {
  try {
    return `onnxruntime-node ${(require('onnxruntime-node/package.json') as { version: string }).version}`;
  } catch {
    return 'onnxruntime-node';
  }
};

const debug = Boolean(process.env.ASSAY_DEBUG);
let loaded: Promise<typeof Ort> | undefined;

/** Loads ONNX Runtime on first use. Its own log is for its developers: silent unless ASSAY_DEBUG is set. */
export const load = (): Promise<typeof Ort> => {
  loaded ??= import('onnxruntime-node').then(
    (ort) => {
      ort.env.logLevel = debug ? 'warning' : 'fatal';
      return ort;
    },
    (error: unknown) => {
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      throw new Fault('runtime/platform', { platform, reason }, { cause: error });
    },
  );
  return loaded;
};

type ValueMetadata = Ort.InferenceSession['inputMetadata'][number];
const portOf = (m: ValueMetadata): Port =>
  m.isTensor ? { name: m.name, dtype: m.type as DType, dims: m.shape } : { name: m.name, dtype: 'undefined', dims: [] };

/** float16 crosses as its 16 bits: the binding does not know the Float16Array that newer engines would make of it. */
const toNative = (ort: typeof Ort, { dtype, dims, data }: Tensor): Ort.Tensor => {
  const type = dtype === 'float16' ? 'uint16' : dtype;
  const tensor = new ort.Tensor(type as Ort.Tensor.Type, data as Ort.Tensor.DataType, dims);
  return dtype === 'float16' ? Object.defineProperty(tensor, 'type', { value: 'float16' }) : tensor;
};

const fromNative = ({ type, dims, data }: Ort.Tensor): Tensor => {
  if (type !== 'float16') return { dtype: type as DType, dims, data: data as TensorData };
  const { buffer, byteOffset, length } = data as Ort.Tensor.DataTypeMap['float16'];
  return { dtype: type, dims, data: new Uint16Array(buffer, byteOffset, length) };
};

/** A model file as bytes, without the weights beside it. */
export const fileOf = (path: string): Promise<Uint8Array> => readFile(path);

/** A session and, where asked for, a look at where its nodes ran. */
export interface Opened {
  readonly session: Session;
  /** Runs once under the profiler, which then stops. Throws `runtime/run`. */
  look(feeds: Readonly<Record<string, Tensor>>): Promise<{ readonly outputs: Record<string, Tensor>; readonly placement: Placement }>;
  /** Runs under the profiler while `again` says so of the runs done, and gives what it wrote. Throws `runtime/run`. */
  profile(feeds: Readonly<Record<string, Tensor>>, again: (done: number) => boolean): Promise<string>;
}

/**
 * Microseconds that threads look for work before they sleep. Without a bound they go on for tens of milliseconds after a run, on the
 * cores of the session that runs next: two sessions in turn took 1.2 times as long. Within a run less than a millisecond passes.
 */
const spinning = '1000';

/** Enough for every node of the first iterations of the largest graphs. */
const profileBytes = 32 * 2 ** 20;

const readProfile = async (folder: string): Promise<string> => {
  const [name] = await readdir(folder);
  if (!name) return '';
  const file = await open(join(folder, name));
  try {
    const { size } = await file.stat();
    const bytes = Buffer.alloc(Math.min(size, profileBytes));
    await file.read(bytes, 0, bytes.length, 0);
    return bytes.toString('utf8');
  } finally {
    await file.close();
  }
};

export interface NativeOptions {
  /** `look` may be called. */
  readonly profiled?: boolean;
  /** Nodes of WebGPU to run on the CPU instead: it claims some that it then cannot run. */
  readonly onCpu?: readonly string[];
}

/** Opens a graph on one provider; what that provider has no kernel for runs on the CPU. Throws `runtime/session`. */
export const openNative = async (
  model: Uint8Array | string,
  provider: Provider,
  options: Pick<SessionOptions, 'name' | 'folder' | 'threads' | 'optimize' | 'brief'>,
  { profiled = false, onCpu = [] }: NativeOptions = {},
): Promise<Opened> => {
  const ort = await load();
  const { name, threads } = options;
  const folder = options.folder ?? (typeof model === 'string' ? dirname(model) : undefined);
  const folders = folder === undefined ? [] : [folder];
  const profile = profiled ? await mkdtemp(join(tmpdir(), 'assay-profile-')) : '';
  const forget = async (): Promise<void> => {
    if (profile) await rm(profile, { recursive: true, force: true });
  };
  const settings: Ort.InferenceSession.SessionOptions = {
    executionProviders: provider === 'cpu' ? ['cpu'] : [onCpu.length ? { name: provider, forceCpuNodeNames: onCpu } : provider, 'cpu'],
    graphOptimizationLevel: options.optimize === 'off' ? 'disabled' : 'all',
    logSeverityLevel: debug ? 2 : 4,
    // A plan of memory is one more block, as large as all that a run needs at once. It saves time only where runs are small.
    enableMemPattern: threads === 1,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    extra: {
      session: {
        'intra_op.spin_duration_us': spinning,
        ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
        ...((options.brief ?? options.optimize === 'off') ? { disable_prepacking: '1' } : {}),
      },
    },
    ...(profiled ? { enableProfiling: true, profileFilePrefix: join(profile, 'run') } : {}),
  };
  const failure = (error: unknown, code: 'runtime/session' | 'runtime/run'): Fault =>
    new Fault(outOfMemory(error) ? 'runtime/memory' : code, { model: name, reason: sentenceOf(error, folders) }, { cause: error });

  let native: Ort.InferenceSession;
  try {
    native = await (typeof model === 'string'
      ? ort.InferenceSession.create(model, settings)
      : ort.InferenceSession.create(model, settings));
  } catch (error) {
    await forget();
    throw failure(error, 'runtime/session');
  }
  const inputs = native.inputMetadata.map(portOf);
  const outputs = native.outputMetadata.map(portOf);
  const tensors = outputs.filter((p) => p.dtype !== 'undefined').map((p) => p.name);

  const run: Session['run'] = async (feeds, wanted = tensors) => {
    checkFeeds(name, inputs, feeds);
    for (const output of wanted) if (!tensors.includes(output)) throw new Fault('runtime/output', { model: name, output, known: tensors });
    if (wanted.length === 0) return {};
    const given = Object.fromEntries(Object.entries(feeds).map(([key, tensor]) => [key, toNative(ort, tensor)]));
    try {
      const results = await native.run(given, wanted);
      return Object.fromEntries(Object.entries(results).map(([key, tensor]) => [key, fromNative(tensor)]));
    } catch (error) {
      throw failure(error, 'runtime/run');
    }
  };
  let released = false;
  return {
    session: {
      provider,
      inputs,
      outputs,
      run,
      async release() {
        if (released) return;
        released = true;
        await native.release();
        await forget();
      },
    },
    async profile(feeds, again) {
      try {
        for (let done = 0; again(done); done++) await run(feeds);
        native.endProfiling();
        return await readProfile(profile);
      } finally {
        await forget();
      }
    },
    async look(feeds) {
      try {
        const results = await run(feeds);
        native.endProfiling();
        return { outputs: results, placement: placementOf(await readProfile(profile)) };
      } finally {
        await forget();
      }
    },
  };
};
