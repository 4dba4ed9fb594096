import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GradientAsk, gradientGraph } from '../../../src/autodiff/gradient-graph.ts';
import { inputScaling } from '../../../src/autodiff/parameters.ts';
import { choose } from '../../../src/base/option.ts';
import { random } from '../../../src/base/random.ts';
import { type DType, float32, int64, sizeOf, type Tensor } from '../../../src/base/tensor.ts';
import { constantOf } from '../../../src/graph/constant.ts';
import { parse } from '../../../src/graph/parse.ts';
import { type Prepared, prepare } from '../../../src/graph/prepare.ts';
import type { RunGraph } from '../../../src/graph/probe.ts';
import type { Constant, Dim, Model, Node } from '../../../src/graph/types.ts';
import { write } from '../../../src/graph/write.ts';
import { onnxruntime } from '../../../src/runtime/onnxruntime.ts';
import type { Session } from '../../../src/runtime/session.ts';
import { type Compiled, compileSteps } from '../../../src/training/compile.ts';
import { losses } from '../../../src/training/losses/index.ts';
import { optimizers } from '../../../src/training/optimizers/index.ts';
import { parametersOf } from '../../../src/training/parameters.ts';
import type { Plan } from '../../../src/training/plan.ts';
import { squeezenet } from '../../autodiff/models/squeezenet.ts';

export const threads = Number(process.env.ASSAY_BENCH_THREADS ?? 2);
const runtime = onnxruntime();
export const open = async (model: Model, name: string, count: number = threads): Promise<Session> =>
  (await runtime.open(write(model), { device: 'cpu', name, threads: count })).session;

/** What is timed: forward pass, gradients and Hessian-vector product at constant weights; one SGD step of a `Loop` of several. */
export const kinds = ['forward', 'input', 'parameters', 'hvp', 'step'] as const;
export type Kind = (typeof kinds)[number];
type Derived = Exclude<Kind, 'step' | 'forward'>;

export type Feeds = Readonly<Record<string, Tensor>>;
/** One timed call; `steps` is how often it does what is asked. */
export interface Task {
  readonly steps: number;
  run(): Promise<unknown>;
}
/** With what it runs, for a profile. */
export interface Call extends Task {
  readonly model: Model;
  readonly feeds: Feeds;
  readonly wanted: readonly string[];
}

export const runGraph: RunGraph = async (graph, feeds, wanted) => {
  const { session } = await runtime.open(graph, { device: 'cpu', name: 'bench', optimize: 'off' });
  const out = await session.run(feeds, wanted);
  await session.release();
  return out;
};
const read = (path: string): Model => parse(readFileSync(path), basename(path));
const prepared = (model: Model): Promise<Prepared> => prepare(model, runGraph);

const fixtures = fileURLToPath(new URL('../../fixtures/models', import.meta.url));
/** Where models are read from: those of the repository, or the folder that ASSAY_BENCH_MODELS names. */
const folder = process.env.ASSAY_BENCH_MODELS ?? fixtures;
/** A file of the folder, or of the repository; SqueezeNet, whose file would be large, is made up where there is none. */
const modelOf = (name: string): Model => {
  const path = [folder, fixtures].map((at) => join(at, `${name}.onnx`)).find(existsSync);
  if (path === undefined && name === 'squeezenet1_1') return squeezenet();
  if (path === undefined) throw new Error(`There is no ${name}.onnx in ${folder}`);
  return read(path);
};

const draw = random(0, 'bench');
const floats = (dims: readonly number[]): Tensor =>
  float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => draw.next()),
  );
const whole = (dims: readonly number[], below: number): Tensor =>
  int64(
    dims,
    Array.from({ length: sizeOf(dims) }, () => draw.below(below)),
  );
/** Values for an input: axes that are no numbers are the batch. */
const drawn = (dtype: DType, dims: readonly Dim[], batch: number, below: number): Tensor => {
  const sizes = dims.map((d) => (typeof d === 'number' ? d : batch));
  return dtype === 'int64' ? whole(sizes, below) : floats(sizes);
};

/** 0 for an output of one axis, which is a value. */
const classesOf = ({ model, probed }: Prepared): number => {
  const dims = probed.types.get(model.graph.outputs[0].name)?.dims ?? [];
  return dims.length === 1 ? 0 : Number(dims[1]);
};

/** Feeds of a graph by its declared inputs; whole numbers are classes or tokens. */
export const feedsFor = (model: Model, prep: Prepared, batch: number): Feeds => {
  const classes = classesOf(prep);
  return Object.fromEntries(
    model.graph.inputs.map(({ name, type }) => {
      const { dtype, dims } = type?.kind === 'tensor' ? type : ({ dtype: 'float32', dims: [] } as const);
      return [name, drawn(dtype, dims ?? [], batch, name === 'target' ? classes : 1000)];
    }),
  );
};

/** Convolutions that a file holds with their batch normalisation folded in, as they were before: PyTorch's step has it. */
const unfolded = (model: Model): Model => {
  const initializers = new Map<string, Constant>(model.graph.initializers);
  const nodes = model.graph.nodes.flatMap((node): Node[] => {
    const [x, w, b] = node.inputs;
    const size = initializers.get(b ?? '')?.dims[0];
    if (node.op !== 'Conv' || size === undefined) return [node];
    const stat = (what: string, value: number): string => {
      initializers.set(`${b}/${what}`, constantOf('float32', [size], new Float32Array(size).fill(value)));
      return `${b}/${what}`;
    };
    const raw = `${node.outputs[0]}/raw`;
    const inputs = [raw, stat('scale', 1), b, stat('mean', 0), stat('variance', 1)];
    return [
      { ...node, inputs: [x, w], outputs: [raw] },
      { op: 'BatchNormalization', domain: '', name: `${node.name}/bn`, inputs, outputs: node.outputs, attributes: {} },
    ];
  });
  return { ...model, graph: { ...model.graph, nodes, initializers } };
};

const picked = <P extends { readonly id: string; readonly options: Parameters<typeof choose>[1] }>(parts: readonly P[], id: string) => {
  const part = parts.find((p) => p.id === id);
  if (!part) throw new Error(id);
  return { part, chosen: choose(id, part.options, {}) };
};

const planOf = (prep: Prepared, block: number): Plan => {
  const { graph, opsets, irVersion } = prep.model;
  const typed = (v: (typeof graph.inputs)[number]) => {
    const type = prep.probed.types.get(v.name) ?? v.type;
    return type ? { ...v, type } : v;
  };
  const known = { ...graph, values: prep.probed.types, inputs: graph.inputs.map(typed), outputs: graph.outputs.map(typed) };
  const classes = classesOf(prep);
  const scaling = inputScaling(known);
  return {
    graph: known,
    opsets,
    irVersion,
    input: graph.inputs[0].name,
    output: graph.outputs[0].name,
    classes,
    loss: picked(losses, classes > 0 ? 'cross-entropy' : 'mse'),
    optimizer: picked(optimizers, 'sgd'),
    groups: [{ parameters: parametersOf(known).filter(({ name }) => !scaling.has(name)), lrScale: 1 }],
    data: 'resident',
    statistics: 'batch',
    precision: 'float32',
    block,
  };
};

/** The training of a model: of its `.raw` file, where batch normalisations are still apart, if there is one. */
export const trainingOf = async (name: string, prep: Prepared): Promise<{ compiled: Compiled; classes: number }> => {
  const raw = [folder, fixtures].map((at) => join(at, `${name}.raw.onnx`)).find(existsSync);
  const own = name.startsWith('mobilenet') ? await prepared(unfolded(prep.model)) : prep;
  const plan = planOf(raw ? await prepared(read(raw)) : own, await runtime.block());
  return { compiled: compileSteps(plan), classes: plan.classes };
};

export const stepFeeds = ({ compiled, classes }: { compiled: Compiled; classes: number }, batch: number, steps: number): Feeds => {
  const { inputs, state, start, hyper, model } = compiled;
  const rows = (name: string, below: number): Tensor => {
    const type = model.graph.inputs.find((i) => i.name === name)?.type;
    return type?.kind === 'tensor' ? drawn(type.dtype, type.dims ?? [], batch, below) : whole([batch], below);
  };
  return {
    ...hyper,
    ...Object.fromEntries(Object.entries(state).map(([key, { input }]) => [input, start[key]])),
    [inputs.x]: rows(inputs.x, 1000),
    [inputs.y]: rows(inputs.y, Math.max(classes, 1)),
    [inputs.rows]: int64(
      [steps, batch],
      Array.from({ length: steps * batch }, (_, i) => i % batch),
    ),
    [inputs.lr]: float32([steps], new Float32Array(steps).fill(1e-4)),
    [inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) },
  };
};

/** A model's sessions by kind, opened when first asked for. */
export interface Subject {
  readonly name: string;
  readonly prep: Prepared;
  /** Undefined where there is no such gradient: whole numbers have none. */
  task(kind: Kind, batch: number): Promise<Call | undefined>;
  close(): Promise<void>;
}

export const subjectOf = async (name: string): Promise<Subject> => {
  const prep = await prepared(modelOf(name));
  const { model, probed } = prep;
  const of = classesOf(prep) > 0 ? 'cross-entropy' : 'mse';
  const isFloat = probed.types.get(model.graph.inputs[0].name)?.dtype === 'float32';
  const asks: Readonly<Record<Derived, GradientAsk>> = {
    input: { of, wrt: ['inputs'] },
    parameters: { of, wrt: ['parameters'] },
    hvp: { of, wrt: ['parameters'], product: 'hvp' },
  };
  // Convolutions as the extension runs them on this machine; ASSAY_BENCH_PORTABLE=1 takes the graphs that are saved as files.
  const convolves = model.graph.nodes.some((n) => n.op === 'Conv') && !process.env.ASSAY_BENCH_PORTABLE;
  const known = { ...probed, block: convolves ? await onnxruntime().block() : 0 };
  const graphs = new Map<Derived, Model>();
  const graph = (kind: Derived): Model => {
    const found = graphs.get(kind) ?? gradientGraph(model, known, asks[kind]).model;
    graphs.set(kind, found);
    return found;
  };
  const sessions = new Map<Kind, Promise<Session>>();
  const session = (kind: Kind, of: Model): Promise<Session> => {
    const found = sessions.get(kind) ?? open(of, `${name} ${kind}`);
    sessions.set(kind, found);
    return found;
  };
  let training: Awaited<ReturnType<typeof trainingOf>> | undefined;
  return {
    name,
    prep,
    async task(kind, batch) {
      const call = async (of: Model, feeds: Feeds, wanted: readonly string[], steps = 1): Promise<Call> => {
        const s = await session(kind, of);
        return { steps, run: () => s.run(feeds, wanted), model: of, feeds, wanted };
      };
      const outputs = (of: Model): readonly string[] => of.graph.outputs.map((o) => o.name);
      if (kind === 'forward') return call(model, feedsFor(model, prep, batch), outputs(model));
      if (kind === 'step') {
        training ??= await trainingOf(name, prep);
        const steps = batch === 1 ? 20 : 4;
        return call(training.compiled.model, stepFeeds(training, batch, steps), outputs(training.compiled.model), steps);
      }
      if (kind === 'input' && !isFloat) return undefined;
      const of = graph(kind);
      const prefix = kind === 'hvp' ? 'hvp/' : 'grad/';
      return call(
        of,
        feedsFor(of, prep, batch),
        outputs(of).filter((o) => o.startsWith(prefix)),
      );
    },
    async close() {
      for (const s of sessions.values()) await (await s).release();
      sessions.clear();
    },
  };
};
