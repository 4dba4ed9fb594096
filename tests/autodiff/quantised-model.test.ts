import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gradientGraph } from '../../src/autodiff/gradient-graph.ts';
import type { DType, Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { constantOf, numbersOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { nodesWithin } from '../../src/graph/walk.ts';
import { write } from '../../src/graph/write.ts';
import { optimised } from './optimised.ts';
import { numbers, probed, run } from './ort.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const largest = (v: readonly number[]): number => v.reduce((m, x) => Math.max(m, Math.abs(x)), 0);

/**
 * The model as quantisation tools write it: around every convolution and product the data are quantised to uint8 and back,
 * weights are stored as int8, biases as int32, each in front of a DequantizeLinear.
 */
const quantised = async (model: Model, x: Tensor): Promise<Model> => {
  const { graph } = model;
  const layers = new Set(['Conv', 'Gemm']);
  const seen = [...new Set(graph.nodes.flatMap((n) => (layers.has(n.op) ? [n.inputs[0], n.outputs[0]] : [])))];
  const [input] = graph.inputs;
  const made = seen.filter((v) => v !== input.name);
  const out = await run({ ...model, graph: { ...graph, outputs: made.map((name) => ({ name })) } }, { [input.name]: x });
  const emit = emitter({ constants: graph.initializers, taken: graph.nodes.flatMap((n) => n.outputs) });
  const scalar = (value: number, dtype: DType = 'float32'): string => emit.constant(constantOf(dtype, [], [value]));
  const scaleOf = (name: string): number => (2 * largest(numbers(name === input.name ? x : out[name]))) / 255;
  const there = (value: string, scale: number): string => {
    const [s, z] = [scalar(scale), scalar(128, 'uint8')];
    return emit.call('DequantizeLinear', [emit.call('QuantizeLinear', [value, s, z]), s, z]);
  };
  const stored = (name: string, step: number, dtype: DType): string => {
    const c = graph.initializers.get(name);
    const numbersOfIt = c ? numbersOf(c) : [];
    const whole = constantOf(
      dtype,
      c?.dims ?? [],
      numbersOfIt.map((v) => Math.round(v / step)),
    );
    const scale = emit.hold(`${name}/scale`, constantOf('float32', [], [step]));
    return emit.call('DequantizeLinear', [emit.hold(`${name}/quantised`, whole), scale, scalar(0, dtype)]);
  };
  for (const n of graph.nodes) {
    if (!layers.has(n.op)) {
      emit.node(n);
      continue;
    }
    const [data, weight, bias] = n.inputs;
    const c = graph.initializers.get(weight);
    const step = largest(c ? numbersOf(c) : []) / 127;
    const inputs = [there(data, scaleOf(data)), stored(weight, step, 'int8')];
    const real = emit.fresh(`${n.outputs[0]}/real`);
    emit.node({ ...n, inputs: bias ? [...inputs, stored(bias, scaleOf(data) * step, 'int32')] : inputs, outputs: [real] });
    emit.rename(there(real, scaleOf(n.outputs[0])), n.outputs[0]);
  }
  return { ...model, graph: emit.graph('quantised', graph.inputs, graph.outputs) };
};

/** Cosine with PyTorch's gradient of the float model at eight bits for every value; in LeNet many a maximum goes to a neighbour. */
for (const [name, fused, near] of [
  ['lenet_mnist', ['QLinearConv', 'com.microsoft.QGemm'], 0.9],
  ['mlp_digits', ['com.microsoft.QGemm'], 0.99],
] as const) {
  test(`${name} quantised: near the float model's gradient, and the same once ONNX Runtime has fused it`, async () => {
    const model = normalise(parse(readFileSync(at(`fixtures/models/${name}.onnx`)), name));
    const { x, y, grad_input } = readNpz(readFileSync(at(`golden/autodiff/${name}.npz`)));
    const file = mustVerify(await quantised(model, x));
    const gradient = async (m: Model): Promise<number[]> => {
      const made = gradientGraph(m, await probed(m), { of: 'cross-entropy', wrt: ['inputs'] });
      return numbers((await run(mustVerify(made.model), { x, target: y }))['grad/x']);
    };
    const whole = normalise(parse(await optimised(write(file)), name));
    const operators = new Set(Array.from(nodesWithin(whole.graph), (n) => (n.domain ? `${n.domain}.${n.op}` : n.op)));
    for (const op of fused) assert.ok(operators.has(op), `${op} was not fused: ${[...operators].join(', ')}`);
    const [own, merged, float] = [await gradient(file), await gradient(whole), numbers(grad_input)];
    const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((n, v, i) => n + v * b[i], 0);
    const cosine = (a: readonly number[], b: readonly number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    assert.ok(cosine(own, float) > near);
    assert.ok(largest(own.map((v, i) => v - merged[i])) <= 1e-3 * largest(own));
  });
}
