import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Tensor } from '../../src/base/tensor.ts';
import { type Probed, probe, type RunGraph } from '../../src/graph/probe.ts';
import type { Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';

/** ONNX Runtime without the product's adapter: what these tests compare with must not depend on it. */
export type Feeds = Readonly<Record<string, Tensor>>;
/** A copy: BatchNormalization in training mode writes its new statistics over the ones that were fed (ONNX Runtime 1.30). */
const toOrt = ({ dtype, dims, data }: Tensor): OrtTensor => new OrtTensor(dtype as 'float32', data.slice() as Float32Array, [...dims]);

export const open = async (
  bytes: Uint8Array,
  optimize = true,
): Promise<(feeds: Feeds, wanted?: readonly string[]) => Promise<Record<string, Tensor>>> => {
  const session = await InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: optimize ? 'all' : 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return async (feeds, wanted) => {
    const given = Object.fromEntries(session.inputNames.map((name) => [name, toOrt(feeds[name])]));
    const out = await session.run(given, wanted ? [...wanted] : [...session.outputNames]);
    return Object.fromEntries(
      Object.entries(out).map(([name, t]) => [name, { dtype: t.type as Tensor['dtype'], dims: t.dims, data: t.data as Float32Array }]),
    );
  };
};

export const run = async (model: Model, feeds: Feeds, optimize = true): Promise<Record<string, Tensor>> =>
  (await open(write(model), optimize))(feeds);

/** Probes with one session per instrumented file. */
export const probed = (model: Model): Promise<Probed> => {
  const sessions = new Map<Uint8Array, ReturnType<typeof open>>();
  const runner: RunGraph = async (bytes, feeds, wanted) => {
    const session = sessions.get(bytes) ?? open(bytes, false);
    sessions.set(bytes, session);
    return (await session)(feeds, wanted);
  };
  return probe(model, runner);
};

export const numbers = (t: Tensor): number[] => Array.from(t.data as ArrayLike<number | bigint>, Number);
