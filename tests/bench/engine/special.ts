import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { gradientGraph } from '../../../src/autodiff/gradient-graph.ts';
import { random } from '../../../src/base/random.ts';
import { float32, int64, sizeOf, type Tensor } from '../../../src/base/tensor.ts';
import { parse } from '../../../src/graph/parse.ts';
import { restrict } from '../../../src/graph/passes/prune.ts';
import { staged } from '../../../src/graph/passes/stage.ts';
import { prepare } from '../../../src/graph/prepare.ts';
import type { RunGraph } from '../../../src/graph/probe.ts';
import type { Model } from '../../../src/graph/types.ts';
import { write } from '../../../src/graph/write.ts';
import { resnet50 } from '../../autodiff/models/resnet50.ts';
import { round } from '../measure.ts';
import { inTurns, interleaved, leastOf, told } from './interleave.ts';
import type { Peer } from './peer.ts';
import { type Feeds, feedsFor, open, runGraph, stepFeeds, subjectOf, trainingOf } from './subject.ts';

type Figures = Readonly<Record<string, unknown>>;
const share = 300;

/** The norm of the gradient of each of 1,024 examples' losses. */
const norms = async (peer: Peer | undefined): Promise<Figures> => {
  const batch = 1024;
  const { prep } = await subjectOf('lenet_mnist');
  const { model } = gradientGraph(prep.model, prep.probed, { of: 'cross-entropy', wrt: ['parameters'], perExample: 'norms' });
  const session = await open(model, 'norms');
  const feeds = feedsFor(model, prep, batch);
  const at = peer && (await peer.special('norms', batch)) ? { of: peer, kind: 'special' } : undefined;
  const pair = await interleaved({ steps: 1, run: () => session.run(feeds, ['norm/example']) }, at, share);
  await session.release();
  return told(pair);
};

/** Rows of MNIST from tests/fixtures, those there are over and over. */
const digits = (batch: number): { readonly x: Tensor; readonly target: Tensor } => {
  const read = (name: string): Uint8Array => gunzipSync(readFileSync(new URL(`../../fixtures/data/${name}.gz`, import.meta.url)));
  const [images, labels] = [read('t10k-100-images-idx3-ubyte').subarray(16), read('t10k-100-labels-idx1-ubyte').subarray(8)];
  const size = 28 * 28;
  const at = (row: number): number => row % labels.length;
  return {
    x: float32(
      [batch, 1, 28, 28],
      Float32Array.from({ length: batch * size }, (_, i) => images[at(Math.floor(i / size)) * size + (i % size)] / 255),
    ),
    target: int64(
      [batch],
      Array.from({ length: batch }, (_, i) => labels[at(i)]),
    ),
  };
};

/**
 * Power iteration with deflation for the five largest eigenvalues of the Hessian; the peer makes as many products. What no
 * direction changes is computed once, as the peer keeps its graph.
 */
const eigenvalues = async (peer: Peer | undefined): Promise<Figures> => {
  const batch = 256;
  const { prep } = await subjectOf('lenet_mnist');
  const whole = gradientGraph(prep.model, prep.probed, { of: 'cross-entropy', wrt: ['parameters'], product: 'hvp' });
  const { wrt } = whole;
  const directions = feedsFor(whole.model, prep, batch);
  const names = new Set(wrt.flatMap((name) => [`hvp/${name}`]));
  const { first, second } = staged(
    { ...whole.model, graph: { ...whole.model.graph, outputs: whole.model.graph.outputs.filter((o) => names.has(o.name)) } },
    wrt.map((name) => `vec/${name}`),
  );
  const [before, session] = [await open(first, 'gradient'), await open(second, 'product')];
  const given = digits(batch);
  const once = async (): Promise<Feeds> => {
    const all: Feeds = { ...given, ...(await before.run(given)) };
    return Object.fromEntries(session.inputs.flatMap(({ name }) => (all[name] ? [[name, all[name]]] : [])));
  };
  let feeds = await once();
  const dims = wrt.map((name) => directions[`vec/${name}`].dims);
  const sizes = dims.map(sizeOf);
  const total = sizes.reduce((a, b) => a + b, 0);
  const times = async (v: Float32Array): Promise<Float32Array> => {
    let from = 0;
    const parts = wrt.map((name, i) => {
      from += sizes[i];
      return [`vec/${name}`, float32(dims[i], v.subarray(from - sizes[i], from))] as const;
    });
    const out = await session.run(
      { ...feeds, ...Object.fromEntries(parts) },
      wrt.map((name) => `hvp/${name}`),
    );
    const joined = new Float32Array(total);
    let at = 0;
    for (const [i, name] of wrt.entries()) {
      joined.set(out[`hvp/${name}`].data as Float32Array, at);
      at += sizes[i];
    }
    return joined;
  };
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((n, x, i) => n + x * b[i], 0);
  let products = 0;
  const topFive = async (): Promise<number[]> => {
    const vectors: Float32Array[] = [];
    const values: number[] = [];
    products = 0;
    feeds = await once();
    for (let k = 0; k < 5; k++) {
      const draw = random(k, 'power');
      let v: Float32Array = Float32Array.from({ length: total }, () => draw.normal());
      let [value, before] = [0, Number.NaN];
      for (let i = 0; i < 100; i++) {
        for (const u of vectors) {
          const along = dot(v, u);
          v = v.map((x, j) => x - along * u[j]);
        }
        const scale = 1 / (Math.sqrt(dot(v, v)) + 1e-6);
        v = v.map((x) => x * scale);
        const next = await times(v);
        products++;
        value = dot(v, next);
        v = next;
        if (Math.abs(value - before) / (Math.abs(before) + 1e-6) < 1e-3) break;
        before = value;
      }
      values.push(value);
      const scale = 1 / (Math.sqrt(dot(v, v)) + 1e-6);
      vectors.push(v.map((x) => x * scale));
    }
    return values;
  };
  const values = await topFive();
  const at = peer && (await peer.special('eigenvalues', batch, products)) ? { of: peer, kind: 'special' } : undefined;
  const pair = await interleaved({ steps: 1, run: topFive }, at, share);
  await session.release();
  await before.release();
  return { ...told(pair), products, values: values.map((v) => round(v)) };
};

/** A step of the softmax regression at batch 64, many in one `Loop`. */
const softmaxStep = async (peer: Peer | undefined): Promise<Figures> => {
  const [batch, steps] = [64, 200];
  const { prep } = await subjectOf('softmax_digits');
  const training = await trainingOf('softmax_digits', prep);
  const session = await open(training.compiled.model, 'softmax', 1);
  const feeds = stepFeeds(training, batch, steps);
  const kinds = peer ? await peer.open('softmax_digits', batch) : [];
  const at = peer && kinds.includes('step') ? { of: peer, kind: 'step' } : undefined;
  const pair = await interleaved({ steps, run: () => session.run(feeds) }, at, share);
  await session.release();
  return { ...told(pair), microseconds: round(1000 * pair.ms) };
};

/** What update, bookkeeping and the `Loop` add to the loss, its gradient and the gradient's norm, for 1.2 million parameters. */
const loop = async (): Promise<Figures> => {
  const [batch, steps] = [32, 8];
  const { prep } = await subjectOf('squeezenet1_1');
  const training = await trainingOf('squeezenet1_1', prep);
  const { compiled } = training;
  const whole = await open(compiled.model, 'loop');
  const feeds = stepFeeds(training, batch, steps);
  const node = compiled.model.graph.nodes.find((n) => n.op === 'Loop');
  const body = node?.attributes.body;
  if (!node || body?.type !== 'graph') throw new Error('The training graph has no Loop');
  // The body alone: what the loop carries and what it reads around it become inputs.
  const { value } = body;
  const [iteration, , ...carried] = value.inputs;
  const from = new Map(carried.map((c, i) => [c.name, node.inputs[i + 2]]));
  const outer = compiled.model.graph.inputs.filter((i) => ![...from.values()].includes(i.name));
  const outputs = value.outputs.slice(1 + carried.length, 3 + carried.length);
  const graph = restrict({ ...value, inputs: [iteration, ...carried, ...outer], outputs: [] }, outputs);
  const read = new Set(graph.nodes.flatMap((n) => n.inputs));
  const single: Model = { ...compiled.model, graph: { ...graph, inputs: graph.inputs.filter((i) => read.has(i.name)) } };
  const step = await open(single, 'gradient step');
  const at: Tensor = { dtype: 'int64', dims: [], data: new BigInt64Array(1) };
  const one = Object.fromEntries(
    single.graph.inputs.map(({ name }) => [name, name === iteration.name ? at : feeds[from.get(name) ?? name]]),
  );
  const { least, ratio } = await inTurns(
    leastOf({ steps, run: () => whole.run(feeds) }, share),
    leastOf({ steps: 1, run: () => step.run(one) }, share),
  );
  await whole.release();
  await step.release();
  return { stepMs: round(least[0]), gradientMs: round(least[1]), overhead: round(ratio - 1) };
};

/** From the bytes of a ResNet-50 to those of its gradient; ONNX Runtime, which finds the shapes, is counted apart. */
const compile = async (): Promise<Figures> => {
  const file = write(resnet50(32));
  let elsewhere = 0;
  const apart: RunGraph = async (bytes, feeds, wanted) => {
    const from = performance.now();
    const out = await runGraph(bytes, feeds, wanted);
    elsewhere += performance.now() - from;
    return out;
  };
  const from = performance.now();
  const { model, probed } = await prepare(parse(file, 'resnet50.onnx'), apart);
  const made = gradientGraph(model, probed, { of: 'cross-entropy', wrt: ['parameters'] });
  const bytes = write(made.model);
  const ms = performance.now() - from - elsewhere;
  return {
    parameters: 25_557_032,
    nodes: made.model.graph.nodes.length,
    megabytes: round(bytes.length / 1e6),
    ms: round(ms),
    elsewhereMs: round(elsewhere),
  };
};

export const specials: Readonly<Record<string, (peer: Peer | undefined) => Promise<Figures>>> = {
  norms,
  eigenvalues,
  'softmax-step': softmaxStep,
  loop,
  compile,
};
