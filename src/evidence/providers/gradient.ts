import { recording } from '../../autodiff/differentiate.ts';
import type { EntryOptions } from '../../autodiff/entry.ts';
import { type EntryValues, entryValues, inputGradient, type LayerGradient, layerGradient } from '../../autodiff/path-gradient.ts';
import { pathBetween } from '../../autodiff/rule-sets/path.ts';
import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { nearest } from '../../base/nearest.ts';
import type { Device } from '../../base/request.ts';
import { type DType, int64, sizeOf, type Tensor } from '../../base/tensor.ts';
import { toFloats } from '../../data/values.ts';
import { dimsAt } from '../../graph/batch-dim.ts';
import type { Prepared } from '../../graph/prepare.ts';
import type { Probed } from '../../graph/probe.ts';
import type { Model } from '../../graph/types.ts';
import { write } from '../../graph/write.ts';
import type { DeviceChoice, Runtime, Session } from '../../runtime/session.ts';
import type { GradientAsk, GradientTool, LayerFacts, ModelGradients } from '../evidence.ts';
import type { Ends } from '../model.ts';
import { type Chunk, type CompiledPath, inChunks, indicesAt, pointsOf, rowsAt, runPaths, weightsOf } from './gradient-paths.ts';
import { redrawn, weightedLayers } from './redrawn.ts';

/** Bytes that the values of one batch of points may take, forward and backward. */
const memory = 2 ** 29;
/** Backward values stand beside forward ones. */
const backward = 3;

/** Bytes of all intermediate values for one row, as far as probing told their shapes. */
const rowBytes = ({ types }: Probed): number => {
  let sum = 0;
  for (const { dims } of types.values()) {
    const [one, two] = [1, 2].map((n) => (dims ? dimsAt(dims, n) : undefined)).map((d) => (d ? sizeOf(d) : 0));
    sum += 4 * Math.max(0, two - one);
  }
  return Math.max(1, sum);
};

/** Float values between input and output whose rows follow the batch. */
const layersOf = ({ model, probed }: Prepared, input: string, output: string): LayerFacts[] =>
  pathBetween(recording(model.graph, probed), input, output).nodes.flatMap((node) =>
    node.outputs.flatMap((name): LayerFacts[] => {
      const type = probed.types.get(name);
      const dims = type?.dims?.slice(1);
      const rows = type?.dims?.[0];
      const whole = dims?.every((d) => typeof d === 'number') && (rows === 'N' || rows === probed.batchSize);
      return type && /float/.test(type.dtype) && dims && whole ? [{ name, op: node.op, dims: dims.map(Number) }] : [];
    }),
  );

export interface OpenGradient {
  readonly tool: ModelGradients;
  readonly choice: DeviceChoice;
  release(): Promise<void>;
}

/** The model whose gradient is wanted. */
export interface GradientSubject {
  readonly name: string;
  readonly folder: string;
  readonly ends: Ends;
  prepared(): Promise<Prepared>;
}

/** Compiles the gradient graph (and others as they are asked for) and runs paths through it in chunks. */
export const openGradient = async (
  subject: GradientSubject,
  inputDims: readonly number[],
  { runtime, device }: { readonly runtime: Runtime; readonly device: Device },
  job: Pick<Job, 'note' | 'signal'>,
): Promise<OpenGradient> => {
  const { input, output, fixedBatch, hint } = subject.ends;
  if (!/^(b?float)/.test(input.dtype)) throw new Fault('evidence/whole-input', { input: input.name, dtype: input.dtype });
  const prepared = await subject.prepared();
  const { model, probed } = prepared;
  const sessions: Session[] = [];
  let choice: DeviceChoice | undefined;
  const open = async (graph: Model, probe: Readonly<Record<string, Tensor>>): Promise<Session> => {
    const what = { device: choice?.actual ?? device, name: `gradient of ${subject.name}`, folder: subject.folder, probe };
    const found = await runtime.open(write(graph), what, job);
    choice ??= found.choice;
    sessions.push(found.session);
    return found.session;
  };
  const rows = fixedBatch ?? 2;
  const none = int64([rows], new Array<number>(rows).fill(0));
  const blank = (dims: readonly number[], dtype: DType): Tensor => pointsOf(new Float32Array(rows * sizeOf(dims)), dims, dtype);
  const entry = ({ scale, of, mirrored = false }: GradientAsk): EntryOptions => ({
    mirrored,
    output: of ?? output,
    scale: of === undefined ? (scale ?? 'logit') : 'as given',
    probabilities: hint === 'probabilities' || hint === 'sigmoid',
  });

  let known: LayerFacts[] | undefined;
  const layers = (): LayerFacts[] => {
    known ??= layersOf(prepared, input.name, output);
    return known;
  };
  const layerNamed = (name: string): LayerFacts => {
    const names = layers().map((l) => l.name);
    const found = layers().find((l) => l.name === name);
    if (!found) throw new Fault('evidence/layer', { model: subject.name, layer: name, nearest: nearest(name, names), known: names });
    return found;
  };
  const dtypeAt = (name: string): DType => probed.types.get(name)?.dtype ?? 'float32';

  const compile = async (ask: GradientAsk, square: boolean, contrast: boolean): Promise<CompiledPath> => {
    const [dims, dtype] = ask.at === undefined ? [inputDims, input.dtype] : [layerNamed(ask.at).dims, dtypeAt(ask.at)];
    if (ask.of !== undefined) layerNamed(ask.of);
    const { rules } = ask;
    const graph = inputGradient(model, probed, {
      ...entry(ask),
      input: ask.at ?? input.name,
      square,
      contrast,
      ...(rules ? { rules } : {}),
    });
    const pairs = rules?.name === 'deeplift';
    if (pairs && fixedBatch !== undefined) throw new Fault('evidence/fixed-pairs', { model: subject.name, batch: fixedBatch });
    const targets = pairs ? int64([1], [0]) : none;
    const session = await open(graph.model, {
      [graph.inputs.points]: blank(dims, dtype),
      [graph.inputs.target]: targets,
      ...(graph.inputs.against ? { [graph.inputs.against]: targets } : {}),
      [graph.inputs.weights]: weightsOf(graph, pairs ? [1, 0] : [1]),
      ...(graph.beside.includes(input.name) ? { [input.name]: blank(inputDims, input.dtype) } : {}),
    });
    return { graph, session, dims, dtype, input: { name: input.name, dims: inputDims, dtype: input.dtype } };
  };
  const chunk: Chunk = {
    most: fixedBatch ?? Math.max(1, Math.min(1024, Math.floor(memory / (backward * rowBytes(probed))))),
    ...(fixedBatch === undefined ? {} : { fixedBatch }),
  };
  const toolOf = async (ask: GradientAsk): Promise<GradientTool> => {
    const compiled = new Map<string, Promise<CompiledPath>>();
    const form = (square: boolean, contrast: boolean): Promise<CompiledPath> => {
      const key = `${square}/${contrast}`;
      const found = compiled.get(key) ?? compile(ask, square, contrast);
      compiled.set(key, found);
      return found;
    };
    const { graph, dims, dtype } = await form(false, false);
    if (graph.targets === undefined) throw new Fault('evidence/output-shape', { output: graph.of, shape: 'that follows the data' });
    const forward = new Map<boolean, Promise<{ readonly graph: EntryValues; readonly session: Session }>>();
    const evaluator = async (contrast: boolean): Promise<{ readonly graph: EntryValues; readonly session: Session }> => {
      const own = entryValues(model, probed, { ...entry(ask), input: ask.at ?? input.name, contrast });
      const session = await open(own.model, {
        [own.inputs.points]: blank(dims, dtype),
        [own.inputs.target]: none,
        ...(own.inputs.against ? { [own.inputs.against]: none } : {}),
        ...(own.beside.includes(input.name) ? { [input.name]: blank(inputDims, input.dtype) } : {}),
      });
      return { graph: own, session };
    };
    return {
      output: graph.of,
      targets: graph.targets,
      inputDims: dims,
      async values({ points, targets, against, inputs }, signal) {
        const contrast = against !== undefined;
        const found = forward.get(contrast) ?? evaluator(contrast);
        forward.set(contrast, found);
        const { graph: own, session } = await found;
        const out = new Float64Array(targets.length);
        await inChunks(targets.length, chunk, { signal, note: job.note }, async (at, from, count) => {
          const result = await session.run({
            [own.inputs.points]: pointsOf(rowsAt(points, sizeOf(dims), at), dims, dtype),
            [own.inputs.target]: indicesAt(targets, at),
            ...(own.inputs.against && against ? { [own.inputs.against]: indicesAt(against, at) } : {}),
            ...(own.beside.includes(input.name) && inputs
              ? { [input.name]: pointsOf(rowsAt(inputs, sizeOf(inputDims), at), inputDims, input.dtype) }
              : {}),
          });
          out.set(toFloats(result[own.values]).subarray(0, count), from);
        });
        return out;
      },
      sum: async (request, signal) =>
        runPaths(await form(request.square ?? false, request.against !== undefined), chunk, request, { signal, note: job.note }),
    };
  };
  const tools = new Map<string, Promise<GradientTool>>();
  const asked = (ask: GradientAsk): Promise<GradientTool> => {
    const key = JSON.stringify([ask.scale ?? 'logit', ask.mirrored ?? false, ask.of, ask.at, ask.rules]);
    const found = tools.get(key) ?? toolOf(ask);
    tools.set(key, found);
    return found;
  };

  const layered = new Map<string, Promise<{ readonly graph: LayerGradient; readonly session: Session }>>();
  const layer: ModelGradients['layer'] = async (ask, { points, targets, against }, signal) => {
    const { dims } = layerNamed(ask.at);
    const key = JSON.stringify([ask, against !== undefined]);
    const making = async () => {
      const graph = layerGradient(model, probed, { ...entry(ask), input: input.name, layer: ask.at, contrast: against !== undefined });
      const indices = { [graph.inputs.target]: none, ...(graph.inputs.against ? { [graph.inputs.against]: none } : {}) };
      return { graph, session: await open(graph.model, { [graph.inputs.points]: blank(inputDims, input.dtype), ...indices }) };
    };
    const compiled = layered.get(key) ?? making();
    layered.set(key, compiled);
    const { graph, session } = await compiled;
    const [n, size] = [targets.length, sizeOf(dims)];
    const [activation, gradient, values] = [new Float64Array(n * size), new Float64Array(n * size), new Float64Array(n)];
    await inChunks(n, chunk, { signal, note: job.note }, async (at, from, count) => {
      const result = await session.run({
        [graph.inputs.points]: pointsOf(rowsAt(points, sizeOf(inputDims), at), inputDims, input.dtype),
        [graph.inputs.target]: indicesAt(targets, at),
        ...(graph.inputs.against && against ? { [graph.inputs.against]: indicesAt(against, at) } : {}),
      });
      activation.set(toFloats(result[graph.outputs.activation]).subarray(0, count * size), from * size);
      gradient.set(toFloats(result[graph.outputs.gradient]).subarray(0, count * size), from * size);
      values.set(toFloats(result[graph.outputs.values]).subarray(0, count), from);
    });
    return { dims, activation, gradient, values };
  };

  const opened: OpenGradient[] = [];
  const redrawnFrom = async (count: number, random: Job['random']): Promise<ModelGradients> => {
    const other = redrawn(prepared, weightedLayers(prepared, input.name, output).slice(0, count), random);
    const ports = { runtime, device: choice?.actual ?? device };
    const found = await openGradient({ ...subject, prepared: async () => other }, inputDims, ports, job);
    opened.push(found);
    return found.tool;
  };

  const plain = await asked({});
  if (!choice) throw new Fault('runtime/session', { model: subject.name, reason: 'no device was chosen' });
  return {
    tool: {
      ...plain,
      get layers() {
        return layers();
      },
      get weighted() {
        return weightedLayers(prepared, input.name, output).map((l) => l.name);
      },
      redrawn: redrawnFrom,
      asked,
      layer,
    },
    choice,
    async release() {
      for (const other of opened) await other.release();
      for (const session of sessions) await session.release();
    },
  };
};
