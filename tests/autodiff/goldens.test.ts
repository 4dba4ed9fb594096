import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { finished, recording } from '../../src/autodiff/differentiate.ts';
import { crossEntropy, meanSquare } from '../../src/autodiff/loss.ts';
import { gradients } from '../../src/autodiff/reverse.ts';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import type { Emit } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Model, TensorType, ValueInfo } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { numbers, open, probed } from './ort.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const largest = (values: readonly number[]): number => values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);

/**
 * Against PyTorch in float64, per array: max|a−b| ≤ 1e-4·max|b| + 1e-5·G with G the largest gradient entry of the model; the
 * second term because a bias in front of a normalisation has an exactly zero gradient, which float32 cannot show relatively.
 * Outputs: 1e-5·max|b|.
 */
const close = (what: string, actual: Tensor, expected: Tensor, slack: number, scale = 1e-4): void => {
  const [a, b] = [numbers(actual), numbers(expected)];
  assert.ok(a.length >= b.length, `${what}: ${a.length} elements for ${b.length}`);
  const error = b.reduce((m, v, i) => Math.max(m, Math.abs(v - a[i])), 0);
  const limit = scale * largest(b) + slack;
  assert.ok(error <= limit, `${what}: off by ${error}, allowed ${limit}`);
};

const cases: readonly { readonly name: string; readonly variants: readonly string[]; readonly target?: 'value'; readonly hvp?: false }[] = [
  { name: 'softmax_digits', variants: [''] },
  { name: 'mlp_digits', variants: [''] },
  { name: 'mlp_breast_cancer', variants: [''] },
  { name: 'mlp_diabetes', variants: [''], target: 'value' },
  { name: 'lenet_mnist', variants: ['', 'raw', 'train'] },
  { name: 'resnet8_cifar10', variants: ['', 'raw', 'train'] },
  { name: 'mobilenet_v2_035', variants: [''] },
  { name: 'vit_digits', variants: [''] },
  { name: 'text_sms', variants: [''] },
  { name: 'gru_digits', variants: ['', 'raw'] },
  { name: 'lstm_digits', variants: ['', 'raw'] },
];

const info = (emit: Emit, name: string): ValueInfo => ({ name, type: emit.type(name) ?? { kind: 'tensor', dtype: 'float32' } });

for (const { name, variants, target } of cases) {
  const golden = readNpz(readFileSync(at(`golden/autodiff/${name}.npz`)));
  for (const variant of variants) {
    const prefix = variant ? `${variant}/` : '';
    const strip = (kind: string): string[] =>
      Object.keys(golden).flatMap((k) => (k.startsWith(prefix + kind) ? [k.slice(prefix.length + kind.length)] : []));
    test(`${name}${variant && `.${variant}`}: loss, gradients and Hessian-vector products agree with PyTorch`, async () => {
      const file = `${name}${variant && `.${variant}`}.onnx`;
      const model: Model = normalise(parse(readFileSync(at(`fixtures/models/${file}`)), file));
      const known = await probed(model);
      const emit = recording(model.graph, known);
      const [output] = model.graph.outputs;
      const x = model.graph.inputs[0].name;
      const type: TensorType = {
        kind: 'tensor',
        dtype: target ? 'float32' : 'int64',
        dims: target ? (emit.type(output.name)?.dims ?? []) : ['N'],
      };
      const y = emit.typed(emit.fresh('target'), type);
      const { loss } = target ? meanSquare(emit, output.name, y) : crossEntropy(emit, output.name, y);
      const parameters = strip('grad/');
      const embedding = golden.embedding_name ? String((golden.embedding_name.data as string[])[0]) : '';
      const wrt = [embedding || x, ...parameters];
      const first = gradients(emit, loss, wrt);
      const outputs = [info(emit, output.name), info(emit, loss), ...[...first.values()].map((g) => info(emit, g))];
      // v[i] = cos(i + p) for element i of parameter p, as in make/autodiff.py.
      const second = strip('hvp/');
      const feeds: Record<string, Tensor> = { [x]: golden.x, [y]: { ...golden.y, dtype: type.dtype } as Tensor };
      if (target) feeds[y] = float32(golden.y.dims, Float32Array.from(numbers(golden.y)));
      const inputs = [info(emit, x), { name: y, type }];
      let products = new Map<string, string>();
      if (second.length > 0) {
        const dots = second.map((p, index) => {
          const v = emit.typed(emit.fresh(`vec/${p}`), emit.type(p) ?? type);
          const dims = model.graph.initializers.get(p)?.dims ?? [];
          const size = dims.reduce((n, d) => n * d, 1);
          feeds[v] = float32(
            dims,
            Float32Array.from({ length: size }, (_, i) => Math.cos(i + index)),
          );
          inputs.push(info(emit, v));
          return emit.ReduceSum(emit.Mul(first.get(p) ?? '', v), { keepdims: 0 });
        });
        products = gradients(
          emit,
          dots.reduce((a, b) => emit.Add(a, b)),
          second,
          { missing: 'omit' },
        );
        outputs.push(...[...products.values()].map((g) => info(emit, g)));
      }
      const unique = outputs.filter((o, i) => outputs.findIndex((p) => p.name === o.name) === i);
      const built = mustVerify(finished(model, emit, inputs, unique));
      const got = await (await open(write(built)))(feeds);
      const grads = parameters.map((p) => golden[`${prefix}grad/${p}`]);
      const G = Math.max(...grads.map((g) => largest(numbers(g))));
      close('logits', got[output.name], golden[`${prefix}logits`], 0, 1e-5);
      close('loss', got[loss], golden[`${prefix}loss`], 0, 1e-5);
      close('grad_input', got[first.get(wrt[0]) ?? ''], golden[`${prefix}grad_input`], 1e-5 * G);
      for (const p of parameters) close(`grad/${p}`, got[first.get(p) ?? ''], golden[`${prefix}grad/${p}`], 1e-5 * G);
      const H = Math.max(0, ...second.map((p) => largest(numbers(golden[`${prefix}hvp/${p}`]))));
      for (const p of second) {
        const h = products.get(p);
        if (h) close(`hvp/${p}`, got[h], golden[`${prefix}hvp/${p}`], 1e-5 * H);
        else assert.equal(largest(numbers(golden[`${prefix}hvp/${p}`])), 0, `hvp/${p} is missing`);
      }
    });
  }
}
