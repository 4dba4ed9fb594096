import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { finished, recording } from '../../src/autodiff/differentiate.ts';
import { crossEntropy } from '../../src/autodiff/loss.ts';
import { hessianProduct } from '../../src/autodiff/products.ts';
import { gradients } from '../../src/autodiff/reverse.ts';
import { Fault } from '../../src/base/fault.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { emitter } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { nodesWithin } from '../../src/graph/walk.ts';
import { optimised } from './optimised.ts';
import { numbers, probed, run } from './ort.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);

const compiled = async (file: Model, input: string): Promise<Model> => {
  const model = normalise(file);
  const emit = recording(model.graph, await probed(model));
  const target = { name: emit.fresh('target'), type: { kind: 'tensor', dtype: 'int64', dims: ['N'] } } as const;
  const { loss } = crossEntropy(emit, model.graph.outputs[0].name, emit.typed(target.name, target.type));
  const wrt = [input];
  const g = gradients(emit, loss, wrt).get(input) ?? '';
  // The direction is the gradient's sign, taken as constant.
  const hv = hessianProduct(emit, loss, wrt, [emit.Sign(g)]).get(input) ?? '';
  const outputs = [loss, g, hv].map((v, i) => ({
    name: emit.rename(v, emit.fresh(['loss', 'gradient', 'product'][i])),
    type: emit.type(v) ?? target.type,
  }));
  return mustVerify(finished(model, emit, [...model.graph.inputs, target], outputs));
};

// Fused operators sum in another order than those they replace.
const close = (what: string, a: Tensor, b: Tensor): void => {
  const [u, v] = [numbers(a), numbers(b)];
  const scale = v.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  const off = v.reduce((m, x, i) => Math.max(m, Math.abs(x - u[i])), 0);
  assert.equal(u.length, v.length);
  assert.ok(off <= 1e-4 * scale, `${what}: off by ${off} of ${scale}`);
};

for (const [name, input, fused] of [
  ['vit_digits', 'x', ['LayerNormalization', 'com.microsoft.BiasGelu']],
  ['lenet_mnist', 'x', ['com.microsoft.FusedConv', 'com.microsoft.FusedGemm']],
  ['mobilenet_v2_035', 'x', ['com.microsoft.FusedConv']],
  ['text_sms', '', ['com.microsoft.SkipLayerNormalization', 'com.microsoft.BiasGelu']],
] as const) {
  test(`${name} as ONNX Runtime's optimiser writes it: the gradients and curvature of the original`, async () => {
    const bytes = readFileSync(at(`fixtures/models/${name}.onnx`));
    const golden = readNpz(readFileSync(at(`golden/autodiff/${name}.npz`)));
    const wrt = input || String((golden.embedding_name.data as string[])[0]);
    const [before, after] = [parse(bytes, name), parse(await optimised(bytes), name)];
    const operators = new Set(Array.from(nodesWithin(after.graph), (n) => (n.domain ? `${n.domain}.${n.op}` : n.op)));
    for (const op of fused) assert.ok(operators.has(op), `${op} was not fused: ${[...operators].join(', ')}`);
    const feeds = { [before.graph.inputs[0].name]: golden.x, target: golden.y };
    const [a, b] = [await run(await compiled(after, wrt), feeds), await run(await compiled(before, wrt), feeds)];
    for (const output of Object.keys(b)) close(output, a[output], b[output]);
  });
}

test("what the optimiser's level 'all' writes is refused by name, with what to do", () => {
  const type = { kind: 'tensor', dtype: 'float32', dims: [1, 8, 4, 4] } as const;
  const emit = emitter({ types: new Map([['x', type]]) });
  emit.node({ op: 'Conv', domain: 'com.microsoft.nchwc', name: 'first', inputs: ['x', 'w'], outputs: ['y'], attributes: {} });
  assert.throws(
    () => gradients(emit, emit.ReduceSum('y', { keepdims: 0 }), ['x']),
    (error: unknown) =>
      Fault.is(error, 'graph/no-gradient') && /'first' \(com\.microsoft\.nchwc\.Conv: .*level 'extended'/.test(error.message),
  );
});
