import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type GradientAsk, gradientGraph } from '../../src/autodiff/gradient-graph.ts';
import { inputGradient } from '../../src/autodiff/path-gradient.ts';
import { fromHalf, toHalf } from '../../src/base/half.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { parse } from '../../src/graph/parse.ts';
import { liftHalf } from '../../src/graph/passes/half.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { halved, retyped } from './half-copy.ts';
import { type Feeds, numbers, probed, run } from './ort.ts';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const fixture = (name: string): Model => normalise(parse(readFileSync(at(`fixtures/models/${name}.onnx`)), name));
const golden = (name: string): Record<string, Tensor> => readNpz(readFileSync(at(`golden/autodiff/${name}.npz`)));
const largest = (v: readonly number[]): number => v.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
const close = (what: string, a: readonly number[], b: readonly number[], tolerance: number): void => {
  assert.equal(a.length, b.length, what);
  const off = largest(b.map((v, i) => v - a[i]));
  assert.ok(off <= tolerance * largest(b), `${what}: off by ${off} of ${largest(b)}`);
};
const compiled = async (model: Model, ask: GradientAsk): Promise<Model> => {
  const known = await probed(model);
  return mustVerify(gradientGraph(model, known, ask).model);
};
const rounded = (t: Tensor): Tensor => ({ dtype: 'float16', dims: t.dims, data: Uint16Array.from(numbers(t), toHalf) });
const widened = (t: Tensor): number[] => (t.dtype === 'float16' ? Array.from(t.data as Uint16Array, fromHalf) : numbers(t));

/**
 * Against PyTorch's float64, by norm: parameters and pixels were rounded by up to 2⁻¹¹ each, and where a window's maximum goes
 * to a neighbour, as it does in LeNet, a whole entry moves.
 */
const models = [
  ['mlp_digits', 1e-2],
  ['lenet_mnist', 5e-2],
  ['lenet_mnist.raw', undefined],
  ['vit_digits', 1e-2],
] as const;
for (const [name, tolerance] of models) {
  test(`${name} in float16: gradients and Hessian-vector products of the float32 model`, async () => {
    const file = fixture(name);
    const half = liftHalf(halved(file, 'float16'));
    mustVerify(half);
    // The float32 model with the parameters that float16 can hold: only the order of sums differs, 1e-4.
    const twin = retyped(halved(file, 'float16'), 'float32');
    const { x, y } = golden(name.replace('.raw', ''));
    const input = rounded(x);
    const parameters = Array.from(file.graph.initializers).flatMap(([p, c]) => (c.dtype === 'float32' && c.dims.length === 2 ? [p] : []));
    const ask: GradientAsk = { of: 'cross-entropy', wrt: ['inputs', ...parameters.slice(0, 2)], product: 'hvp' };
    const [a, b] = [await compiled(half, ask), await compiled(twin, ask)];
    const vectors = Object.fromEntries(
      b.graph.inputs.flatMap(({ name: v, type }) => {
        if (!v.startsWith('vec/') || type?.kind !== 'tensor') return [];
        const dims = (type.dims ?? []).map((d, i) => (typeof d === 'number' ? d : x.dims[i]));
        return [
          [
            v,
            float32(
              dims,
              Array.from({ length: dims.reduce((n, d) => n * d, 1) }, (_, i) => Math.cos(i)),
            ),
          ],
        ];
      }),
    );
    const feeds: Feeds = { target: y, ...vectors };
    const found = await run(a, { ...feeds, x: input });
    const expected = await run(b, { ...feeds, x: float32(x.dims, widened(input)) });
    assert.equal(found.logits.dtype, 'float16');
    for (const output of b.graph.outputs.map((o) => o.name)) {
      assert.equal(found[output].dtype, output === 'logits' ? 'float16' : 'float32', output);
      close(output, widened(found[output]), numbers(expected[output]), output === 'logits' ? 1e-3 : 1e-4);
    }
    if (tolerance === undefined) return;
    const norm = (v: readonly number[]): number => Math.hypot(...v);
    const [own, torch] = [numbers(found['grad/x']), numbers(golden(name).grad_input)];
    assert.ok(norm(own.map((v, i) => v - torch[i])) <= tolerance * norm(torch));
  });
}

test('attributions of a float16 model come in float32', async () => {
  const half = liftHalf(halved(fixture('mlp_digits'), 'float16'));
  const twin = retyped(halved(fixture('mlp_digits'), 'float16'), 'float32');
  const { x } = golden('mlp_digits');
  const rows = rounded(float32([2, 1, 8, 8], numbers(x).slice(0, 128)));
  const gradient = async (model: Model, points: Tensor): Promise<number[]> => {
    const made = inputGradient(model, await probed(model), { input: 'x', output: 'logits' });
    const feeds = { [made.inputs.points]: points, [made.inputs.target]: int64([2], [1, 7]), [made.inputs.weights]: float32([1], [1]) };
    return numbers((await run(mustVerify(made.model), feeds))[made.outputs.gradient]);
  };
  close('gradient', await gradient(half, rows), await gradient(twin, float32(rows.dims, widened(rows))), 1e-4);
});

test('a bfloat16 model computes in float32, inputs and outputs too', async () => {
  const half = mustVerify(liftHalf(halved(fixture('mlp_digits'), 'bfloat16')));
  assert.deepEqual(
    [...half.graph.inputs, ...half.graph.outputs].map((v) => (v.type?.kind === 'tensor' ? v.type.dtype : '')),
    ['float32', 'float32'],
  );
  const { x, y, grad_input } = golden('mlp_digits');
  const out = await run(await compiled(half, { of: 'cross-entropy', wrt: ['inputs'] }), { x, target: y });
  // Eight bits of every parameter are left: 2⁻⁸ each, and more where layers add up.
  close('grad/x', numbers(out['grad/x']), numbers(grad_input), 5e-2);
});

test('a float64 model is differentiated in float64', async () => {
  const double = mustVerify(retyped(fixture('mlp_digits'), 'float64'));
  const { x, y, ...rest } = golden('mlp_digits');
  const parameters = Object.keys(rest).flatMap((k) => (k.startsWith('grad/') ? [k.slice(5)] : []));
  const graph = await compiled(double, { of: 'cross-entropy', wrt: ['inputs', ...parameters] });
  const out = await run(graph, { x: { dtype: 'float64', dims: x.dims, data: Float64Array.from(numbers(x)) }, target: y });
  // The goldens were computed in float64 and stored in float32: 6e-8.
  for (const p of parameters) {
    assert.equal(out[`grad/${p}`].dtype, 'float64');
    close(p, numbers(out[`grad/${p}`]), numbers(rest[`grad/${p}`]), 1e-6);
  }
  close('grad/x', numbers(out['grad/x']), numbers(rest.grad_input), 1e-6);
});
