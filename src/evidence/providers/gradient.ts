import { recording } from '../../autodiff/differentiate.ts';
import type { EntryOptions } from '../../autodiff/entry.ts';
import { entryValues, inputGradient, layerGradient, modelOf } from '../../autodiff/path-gradient.ts';
import { pathBetween } from '../../autodiff/rule-sets/path.ts';
import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { nearest } from '../../base/nearest.ts';
import type { Device } from '../../base/request.ts';
import { int64, sizeOf, type Tensor } from '../../base/tensor.ts';
import { toFloats } from '../../data/values.ts';
import { chance } from '../../graph/chance.ts';
import type { Prepared } from '../../graph/prepare.ts';
import type { Graph, Model, Node } from '../../graph/types.ts';
import { readsOf } from '../../graph/walk.ts';
import { write } from '../../graph/write.ts';
import type { DeviceChoice, Runtime, Session } from '../../runtime/session.ts';
import type { Embedding, GradientAsk, GradientTool, LayerFacts, ModelGradients } from '../evidence.ts';
import type { Ends } from '../model.ts';
import {
  blank,
  type CompiledPath,
  chunkOf,
  feedsAt,
  inChunks,
  mixOf,
  type Place,
  type Places,
  pointsOf,
  rowsAt,
  runPaths,
  weightsOf,
} from './gradient-paths.ts';
import { redrawn, weightedLayers } from './redrawn.ts';

/** Bytes of weights beyond which a graph keeps them as they are: blocks of channels hold two copies, one for each way. */
const copied = 2 ** 28;

/** Nodes that a value is made of. */
const needed = ({ nodes }: Graph, output: string): readonly Node[] => {
  const wanted = new Set([output]);
  return nodes.toReversed().filter((node) => {
    const needs = node.outputs.some((y) => wanted.has(y));
    if (needs) for (const x of readsOf(node)) wanted.add(x);
    return needs;
  });
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

/** What is made once for each key, when first asked for. */
const once = <T>(): ((key: string, make: () => Promise<T>) => Promise<T>) => {
  const made = new Map<string, Promise<T>>();
  return (key, make) => {
    const known = made.get(key);
    if (known) return known;
    const found = make();
    made.set(key, found);
    // What was stopped halfway can be asked for again.
    found.catch(() => made.delete(key));
    return found;
  };
};

/** Compiles the gradient graph (and others as they are asked for) and runs paths through it in chunks. */
export const openGradient = async (
  subject: GradientSubject,
  inputDims: readonly number[],
  { runtime, device }: { readonly runtime: Runtime; readonly device: Device },
  job: Pick<Job, 'note' | 'signal'>,
): Promise<OpenGradient> => {
  const { output, fixedBatch, hint } = subject.ends;
  const input: Place = { name: subject.ends.input.name, dims: inputDims, dtype: subject.ends.input.dtype };
  const prepared = await subject.prepared();
  const { model, probed } = prepared;
  const drawing = needed(model.graph, output).find((n) => chance.has(n.op));
  if (drawing) throw new Fault('evidence/chance', { model: subject.name, node: drawing.name || drawing.outputs[0], op: drawing.op });
  let known: LayerFacts[] | undefined;
  const layers = (): LayerFacts[] => {
    known ??= layersOf(prepared, input.name, output);
    return known;
  };
  const inside = (name: string): Place => {
    const names = layers().map((l) => l.name);
    const found = layers().find((l) => l.name === name);
    if (!found) throw new Fault('evidence/layer', { model: subject.name, layer: name, nearest: nearest(name, names), known: names });
    return { name, dims: found.dims, dtype: probed.types.get(name)?.dtype ?? 'float32' };
  };
  /** Whole numbers have no gradient: points are the rows of a table that they choose. */
  const table = /^(b?float)/.test(input.dtype) ? undefined : layers().find((l) => l.op === 'Gather' && l.dims.length === 2);
  if (!table && !/^(b?float)/.test(input.dtype)) throw new Fault('evidence/whole-input', { input: input.name, dtype: input.dtype });
  const start = table ? inside(table.name) : input;
  const placesAt = (at: string | undefined): Places => ({ at: at === undefined ? start : inside(at), input });

  const sessions: Session[] = [];
  let choice: DeviceChoice | undefined;
  const open = async (graph: Model, probe: Readonly<Record<string, Tensor>>): Promise<Session> => {
    const what = { device: choice?.actual ?? device, name: `gradient of ${subject.name}`, folder: subject.folder, probe };
    const found = await runtime.open(write(graph), what, job);
    choice ??= found.choice;
    sessions.push(found.session);
    return found.session;
  };
  const light = Array.from(model.graph.initializers.values(), (c) => c.bytes?.length ?? 0).reduce((a, b) => a + b, 0) <= copied;
  const convolves = light && model.graph.nodes.some((n) => n.op === 'Conv');
  /** On the CPU convolutions use the machine's own layout (autodiff/blocked.ts); elsewhere graphs are plain ONNX. */
  const block = async (): Promise<number> => (convolves && (choice?.actual ?? device) === 'cpu' ? await runtime.block() : 0);
  const chunk = chunkOf(probed, fixedBatch);
  const tried = Array.from({ length: fixedBatch ?? 2 }, (_, i) => i);
  const entry = ({ scale, of, mirrored = false }: GradientAsk): EntryOptions => ({
    mirrored,
    output: of ?? output,
    scale: of === undefined ? (scale ?? 'logit') : 'as given',
    probabilities: hint === 'probabilities' || hint === 'sigmoid',
  });

  const compilePath = async (ask: GradientAsk, square: boolean, contrast: boolean, straight: boolean): Promise<CompiledPath> => {
    const places = placesAt(ask.at);
    if (ask.of !== undefined) inside(ask.of);
    const { rules } = ask;
    const options = { ...entry(ask), input: places.at.name, square, contrast, straight, ...(rules ? { rules } : {}) };
    const graph = inputGradient(model, { ...probed, block: await block() }, options);
    const pairs = rules?.name === 'deeplift';
    if (pairs && fixedBatch !== undefined) throw new Fault('evidence/fixed-pairs', { model: subject.name, batch: fixedBatch });
    const feeds = feedsAt(graph, places, blank(tried.length, places), tried);
    const { mix } = graph.inputs;
    // A pair of points is one path of two: the target is one.
    const one = int64([1], [0]);
    const indices =
      pairs || mix !== undefined ? { [graph.inputs.target]: one, ...(graph.inputs.against ? { [graph.inputs.against]: one } : {}) } : {};
    const weights = { [graph.inputs.weights]: weightsOf(graph, pairs ? [1, 0] : mix === undefined ? [1] : [0.5, 0.5]) };
    const parts = mix === undefined ? {} : { [mix]: mixOf([0.25, 0.75]) };
    return { graph, session: await open(graph.model, { ...feeds, ...indices, ...parts, ...weights }), places };
  };
  const toolOf = async (ask: GradientAsk): Promise<GradientTool> => {
    const paths = once<CompiledPath>();
    const form = (square: boolean, contrast: boolean, straight: boolean): Promise<CompiledPath> =>
      paths(`${square}/${contrast}/${straight}`, () => compilePath(ask, square, contrast, straight));
    const { graph, places } = await form(false, false, false);
    const lines = fixedBatch === undefined && ask.rules === undefined && places.at.dtype === 'float32';
    if (graph.targets === undefined) throw new Fault('evidence/output-shape', { output: graph.of, shape: 'that follows the data' });
    const evaluators = once<{ readonly graph: ReturnType<typeof entryValues>; readonly session: Session }>();
    return {
      output: graph.of,
      targets: graph.targets,
      inputDims: places.at.dims,
      get atOnce() {
        return chunk.most;
      },
      async sum(request, signal) {
        const straight = lines && request.nodes !== undefined;
        const compiled = await form(request.square ?? false, request.against !== undefined, straight);
        return runPaths(compiled, chunk, request, { signal, note: job.note });
      },
      async values(request, signal) {
        const contrast = request.against !== undefined;
        const own = await evaluators(String(contrast), async () => {
          const made = entryValues(model, probed, { ...entry(ask), input: places.at.name, contrast });
          return { graph: made, session: await open(made.model, feedsAt(made, places, blank(tried.length, places), tried)) };
        });
        const out = new Float64Array(request.targets.length);
        await inChunks(out.length, chunk, { signal, note: job.note }, async (at, from, count) => {
          const result = await own.session.run(feedsAt(own.graph, places, request, at));
          out.set(toFloats(result[own.graph.values]).subarray(0, count), from);
        });
        return out;
      },
    };
  };
  let tools = once<GradientTool>();
  const asked = (ask: GradientAsk): Promise<GradientTool> =>
    tools(JSON.stringify([ask.scale ?? 'logit', ask.mirrored ?? false, ask.of, ask.at, ask.rules]), () => toolOf(ask));

  const layered = once<{ readonly graph: ReturnType<typeof layerGradient>; readonly session: Session }>();
  const layer: ModelGradients['layer'] = async (ask, request, signal) => {
    const { dims } = inside(ask.at);
    const places = placesAt(undefined);
    const contrast = request.against !== undefined;
    const { graph, session } = await layered(JSON.stringify([ask, contrast]), async () => {
      const made = layerGradient(model, probed, { ...entry(ask), input: places.at.name, layer: ask.at, contrast });
      return { graph: made, session: await open(made.model, feedsAt(made, places, blank(tried.length, places), tried)) };
    });
    const [n, size] = [request.targets.length, sizeOf(dims)];
    const [activation, gradient, values] = [new Float64Array(n * size), new Float64Array(n * size), new Float64Array(n)];
    await inChunks(n, chunk, { signal, note: job.note }, async (at, from, count) => {
      const result = await session.run(feedsAt(graph, places, request, at));
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

  const embedders = once<{ readonly session: Session; readonly output: string }>();
  const embedding = (place: Place): Embedding => ({
    name: place.name,
    tokens: place.dims[0],
    width: place.dims[1],
    async of(tokens, signal) {
      const size = sizeOf(inputDims);
      const rows = (at: readonly number[]): Readonly<Record<string, Tensor>> => ({
        [input.name]: pointsOf(rowsAt(tokens, size, at), input),
      });
      const made = await embedders('', async () => {
        const own = modelOf(model, probed, place.name);
        return { session: await open(own.model, rows(tried.map(() => 0))), output: own.output };
      });
      const width = sizeOf(place.dims);
      const out = new Float32Array((tokens.length / size) * width);
      await inChunks(tokens.length / size, chunk, { signal, note: job.note }, async (at, from, count) => {
        const result = await made.session.run(rows(at));
        out.set(toFloats(result[made.output]).subarray(0, count * width), from * width);
      });
      return out;
    },
  });

  let plain = await asked({});
  // The device was to be chosen: the plain graph that showed it makes room.
  if (device !== 'cpu' && (await block()) > 0) {
    for (const session of sessions.splice(0)) await session.release();
    tools = once();
    plain = await asked({});
  }
  if (!choice) throw new Fault('runtime/session', { model: subject.name, reason: 'no device was chosen' });
  return {
    tool: {
      ...plain,
      get atOnce() {
        return chunk.most;
      },
      ...(table ? { embedding: embedding(start) } : {}),
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
