/** Runs in a process with a Vulkan driver: prints what WebGPU gave beside what the CPU gave, as one line of JSON. */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { finished, recording } from '../../src/autodiff/differentiate.ts';
import { crossEntropy } from '../../src/autodiff/loss.ts';
import { gradients } from '../../src/autodiff/reverse.ts';
import { int64, sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import { probe, type RunGraph } from '../../src/graph/probe.ts';
import type { Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { caseFeeds, caseModel, webGpuCases } from '../graph/webgpu-cases.ts';
import { recorded, value } from './models.ts';

export interface Answer {
  readonly devices: readonly { readonly provider: string; readonly ok: boolean; readonly reason: string }[];
  /** Per model: largest difference from the CPU, and the largest value of the CPU. */
  readonly models: Readonly<
    Record<string, { readonly gap: number; readonly size: number; readonly reason: string; readonly actual: string }>
  >;
  /** The same for single nodes (graph/webgpu-cases.ts). */
  readonly nodes: Answer['models'];
  readonly auto: { readonly actual: string; readonly reason: string };
  readonly unsupported: { readonly actual: string; readonly provider: string; readonly reason: string; readonly y: number };
  readonly left: readonly string[];
}

const runtime = onnxruntime();
const wave = (dims: readonly number[]): Tensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from({ length: sizeOf(dims) }, (_, i) => 0.5 + 0.5 * Math.sin(i)),
});
const fixture = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/models/${name}.onnx`, import.meta.url));
const profiles = (): string[] => readdirSync(tmpdir()).filter((f) => f.startsWith('assay-profile-'));
const before = new Set(profiles());

const compare = async (
  bytes: Uint8Array,
  name: string,
  feeds: () => Readonly<Record<string, Tensor>>,
): Promise<Answer['models'][string]> => {
  const cpu = (await runtime.open(bytes, { device: 'cpu', name })).session;
  const { session, choice } = await runtime.open(bytes, { device: 'webgpu', name, probe: feeds() });
  const [a, b] = [await session.run(feeds()), await cpu.run(feeds())];
  let gap = 0;
  let size = 0;
  for (const [output, { data }] of Object.entries(b)) {
    for (let i = 0; i < data.length; i++) {
      const [p, q] = [Number(a[output].data[i]), Number(data[i])];
      gap = Math.max(gap, Number.isNaN(p) ? Number.POSITIVE_INFINITY : Math.abs(p - q));
      size = Math.max(size, Math.abs(q));
    }
  }
  await session.release();
  return { gap, size, reason: choice.reason, actual: choice.actual };
};

/** Loss and its gradients by the input and every weight, as one graph. */
const gradientOf = async (given: Model, name: string): Promise<Uint8Array> => {
  const model = normalise(given);
  const run: RunGraph = async (bytes, feeds, wanted) => {
    const { session } = await runtime.open(bytes, { device: 'cpu', name, optimize: 'off' });
    return session.run(feeds, wanted).finally(() => session.release());
  };
  const emit = recording(model.graph, await probe(model, run));
  const target = emit.typed(emit.fresh('target'), { kind: 'tensor', dtype: 'int64', dims: ['N'] });
  const [input] = model.graph.inputs;
  const { loss } = crossEntropy(emit, model.graph.outputs[0].name, target);
  const weights = [...model.graph.initializers].filter(([, c]) => c.dtype === 'float32' && c.dims.length > 0).map(([w]) => w);
  const slopes = gradients(emit, loss, [input.name, ...weights], { missing: 'omit' });
  const outputs = [...new Set([loss, ...slopes.values()])].map((v) => ({
    name: v,
    type: emit.type(v) ?? { kind: 'tensor' as const, dtype: 'float32' as const },
  }));
  return write(finished(model, emit, [input, value(target, 'int64', ['N'])], outputs));
};

const digits = { x: wave([2, 1, 8, 8]) };
const target = int64([2], [3, 7]);
/** Convolution, Relu, MaxPool, a matrix product: the kernels of image models, small enough for a driver without a card. */
const cnn = recorded([value('x', 'float32', ['N', 1, 8, 8])], [value('logits', 'float32', ['N', 10])], (emit) => {
  const weight = (dims: readonly number[]): string => {
    const { data } = wave(dims);
    return emit.constant(
      constantOf(
        'float32',
        dims,
        Array.from(data as Float32Array, (v) => v - 0.5),
      ),
    );
  };
  const features = emit.call('MaxPool', [emit.Relu(emit.Conv('x', weight([2, 1, 3, 3]), weight([2])))], {
    kernel_shape: [2, 2],
    strides: [2, 2],
  });
  emit.rename(emit.MatMul(emit.Flatten(features), weight([18, 10])), 'logits');
});
/** In 1.30 WebGPU takes MaxPool with indices from the CPU and then refuses to run it. */
const pooling = recorded(
  [value('x', 'float32', ['N', 1, 8, 8])],
  [value('y', 'float32', ['N', 1, 4, 4]), value('at', 'int64', ['N', 1, 4, 4])],
  (emit) => {
    const [y, at] = emit.calls('MaxPool', [emit.Neg('x')], 2, { kernel_shape: [2, 2], strides: [2, 2] });
    emit.rename(emit.Neg(y), 'y');
    emit.rename(at, 'at');
  },
);
const models = {
  mlp_digits: await compare(fixture('mlp_digits'), 'mlp_digits', () => digits),
  cnn_gradient: await compare(await gradientOf(cnn, 'cnn'), 'cnn', () => ({ ...digits, target })),
  pooling: await compare(write(pooling), 'pooling', () => digits),
};
const nodes: Record<string, Answer['models'][string]> = {};
for (const one of webGpuCases) {
  nodes[`${one.op}, ${one.name}`] = await compare(write(caseModel(one)), one.op, () => caseFeeds(one));
}
const auto = (await runtime.open(fixture('mlp_digits'), { device: 'auto', name: 'mlp_digits', probe: digits })).choice;

const double = recorded([value('x', 'float64', ['N'])], [value('y', 'float64', ['N'])], (emit) => void emit.rename(emit.Exp('x'), 'y'));
const x: Tensor = { dtype: 'float64', dims: [1], data: Float64Array.of(1) };
const alone = await runtime.open(write(double), { device: 'webgpu', name: 'double', probe: { x } });
const answer: Answer = {
  devices: await runtime.devices(),
  models,
  nodes,
  auto: { actual: auto.actual, reason: auto.reason },
  unsupported: {
    actual: alone.choice.actual,
    provider: alone.session.provider,
    reason: alone.choice.reason,
    y: Number((await alone.session.run({ x })).y.data[0]),
  },
  left: profiles().filter((f) => !before.has(f)),
};
process.stdout.write(`${JSON.stringify(answer)}\n`);
