import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Attack } from '../../src/autodiff/attack.ts';
import { attackGraph } from '../../src/autodiff/attack-graph.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import type { Model } from '../../src/graph/types.ts';
import { mustVerify } from '../../src/graph/verify.ts';
import { write } from '../../src/graph/write.ts';
import { modelOf } from '../../src/training/plan.ts';
import { fixture } from '../graph/run.ts';
import { numbers, open, probed } from './ort.ts';

const golden = readNpz(readFileSync(new URL('../golden/autodiff/attack.npz', import.meta.url)));
const inputsOf = (name: string) => readNpz(readFileSync(new URL(`../golden/autodiff/${name}.npz`, import.meta.url)));
const near = (a: readonly number[], b: readonly number[], limit: number): void => {
  assert.equal(a.length, b.length);
  for (const [i, v] of b.entries()) assert.ok(Math.abs(v - a[i]) <= limit, `${i}: ${a[i]} for ${v}`);
};
const scalar = (v: number): Tensor => float32([], [v]);

const attacker = async (model: Model, attack: Attack) => {
  const known = await probed(model);
  const found = attackGraph(model, known, { input: model.graph.inputs[0].name, output: model.graph.outputs[0].name, ...attack });
  const run = await open(write(mustVerify(found.model)));
  const { x, label, epsilon, step, low = '', high = '', start = '' } = found.inputs;
  return async (
    rows: Tensor,
    y: Tensor,
    at: { epsilon: number; step: number; range?: readonly [number, number]; start?: Tensor },
  ): Promise<number[]> => {
    const feeds: Record<string, Tensor> = { [x]: rows, [label]: y, [epsilon]: scalar(at.epsilon), [step]: scalar(at.step) };
    if (low && at.range) Object.assign(feeds, { [low]: scalar(at.range[0]), [high]: scalar(at.range[1]) });
    if (start && at.start) feeds[start] = at.start;
    return numbers((await run(feeds))[found.adversarial]);
  };
};

for (const name of ['softmax_digits', 'mlp_digits', 'lstm_digits', 'gru_digits', 'vit_digits']) {
  test(`${name}: FGSM and PGD of both norms agree with PyTorch`, async () => {
    const model = normalise(fixture(name));
    const { x, y } = inputsOf(name);
    const labels = int64([y.dims[0]], numbers(y));
    const of = (key: string): number[] => numbers(golden[`${name}/${key}`]);
    const gradient = of('gradient');
    // The engine's gradients are good to 1e-4 of the largest: below that a sign may differ.
    const certain = 1e-4 * Math.max(...gradient.map(Math.abs));
    const fgsm = await attacker(model, { norm: 'linf', steps: 1, randomStart: false, clip: true });
    const one = await fgsm(x, labels, { epsilon: 0.1, step: 0.1, range: [0, 1] });
    const same = (a: readonly number[], b: readonly number[], wanted: (i: number) => boolean, limit: number): number => {
      const counted = b.flatMap((v, i) => (wanted(i) ? [Math.abs(v - a[i])] : []));
      assert.ok(Math.max(...counted) <= limit, `${Math.max(...counted)}`);
      return counted.length / b.length;
    };
    // One float32 addition.
    assert.ok(same(one, of('fgsm'), (i) => Math.abs(gradient[i]) > certain, 1e-7) > 0.5);
    const pgd = await attacker(model, { norm: 'linf', steps: 10, randomStart: false, clip: true });
    const sure = of('sure');
    // Ten float32 additions.
    assert.ok(same(await pgd(x, labels, { epsilon: 0.1, step: 0.02, range: [0, 1] }), of('linf'), (i) => sure[i] === 1, 1e-6) > 0.4);
    const l2 = await attacker(model, { norm: 'l2', steps: 8, randomStart: false, clip: false });
    const steady = of('steady');
    // Directions good to about 1e-4 of their length where the class is not certain beyond float32, over eight steps of a quarter.
    assert.ok(same(await l2(x, labels, { epsilon: 1, step: 0.25 }), of('l2'), (i) => steady[Math.floor(i / 64)] === 1, 2e-4) > 0.3);
  });
}

test('FGSM follows the sign of PyTorch’s gradient on convolutions, residual blocks and tables', async () => {
  for (const name of ['lenet_mnist', 'resnet8_cifar10', 'mobilenet_v2_035', 'mlp_breast_cancer']) {
    const { x, y, grad_input } = inputsOf(name);
    const gradient = numbers(grad_input);
    // As above.
    const certain = 1e-4 * gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    const run = await attacker(normalise(fixture(name)), { norm: 'linf', steps: 1, randomStart: false, clip: false });
    const found = await run(x, int64([y.dims[0]], numbers(y)), { epsilon: 0.25, step: 0.25 });
    const before = numbers(x);
    let counted = 0;
    for (const [i, g] of gradient.entries()) {
      if (Math.abs(g) <= certain) continue;
      counted++;
      assert.equal(Math.sign(found[i] - before[i]), Math.sign(g), `${name} ${i}: ${g}`);
    }
    assert.ok(counted > gradient.length / 10, `${name}: ${counted}`);
  }
});

/** Logits W·x + b of card 52. */
const W = [
  [1, -2, 0.5],
  [0, 1, -1],
];
const B = [0.1, -0.1];
const linear = (): Model => {
  const emit = emitter({});
  emit.typed('x', { kind: 'tensor', dtype: 'float32', dims: ['N', 3] });
  const w = emit.constant(constantOf('float32', [2, 3], W.flat()));
  const logits = emit.Gemm('x', w, emit.constant(constantOf('float32', [2], B)), { transB: 1 });
  const graph = emit.graph(
    'linear',
    [{ name: 'x', type: { kind: 'tensor', dtype: 'float32', dims: ['N', 3] } }],
    [{ name: logits, type: { kind: 'tensor', dtype: 'float32', dims: ['N', 2] } }],
  );
  return modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph);
};
const slope = (x: readonly number[], y: number): number[] => {
  const z = W.map((w, c) => w.reduce((s, v, k) => s + v * x[k], B[c]));
  const top = Math.max(...z);
  const e = z.map((v) => Math.exp(v - top));
  const p = e.map((v, c) => v / (e[0] + e[1]) - Number(c === y));
  return x.map((_, k) => p[0] * W[0][k] + p[1] * W[1][k]);
};

test('FGSM of a linear classifier: the numbers of card 52', async () => {
  const run = await attacker(linear(), { norm: 'linf', steps: 1, randomStart: false, clip: false });
  const x = await run(float32([1, 3], [0.2, 0.7, 0.4]), int64([1], [1]), { epsilon: 0.1, step: 0.1 });
  near(x, [0.3, 0.6, 0.5], 1e-6);
  // A negative step goes toward the label.
  const back = await run(float32([1, 3], [0.2, 0.7, 0.4]), int64([1], [1]), { epsilon: 0.1, step: -0.1 });
  near(back, [0.1, 0.8, 0.3], 1e-6);
});

/** The attack in plain TypeScript. */
const reference = (
  x: readonly number[],
  y: number,
  { norm, steps }: Attack,
  { epsilon, step, range, start }: { epsilon: number; step: number; range?: readonly [number, number]; start?: readonly number[] },
): number[] => {
  const clip = (v: readonly number[]): number[] => (range ? v.map((e) => Math.min(range[1], Math.max(range[0], e))) : [...v]);
  const length = (v: readonly number[]): number => Math.hypot(...v);
  let at = start ? clip(x.map((v, k) => v + epsilon * start[k])) : [...x];
  for (let t = 0; t < steps; t++) {
    const g = slope(at, y);
    const up = norm === 'linf' ? g.map(Math.sign) : g.map((v) => v / (length(g) + 1e-12));
    const away = at.map((v, k) => v + step * up[k] - x[k]);
    const share = Math.min(1, epsilon / Math.max(length(away), 1e-12));
    at = clip(x.map((v, k) => v + (norm === 'linf' ? Math.max(-epsilon, Math.min(epsilon, away[k])) : share * away[k])));
  }
  return at;
};

test('PGD with projections, ranges and drawn starts is the plain reference', async () => {
  for (const norm of ['linf', 'l2'] as const)
    for (const clip of [false, true]) {
      const attack: Attack = { norm, steps: 5, randomStart: true, clip };
      const run = await attacker(linear(), attack);
      await fc.assert(
        fc.asyncProperty(fc.nat(1e6), fc.double({ min: 0, max: 0.8, noNaN: true }), fc.nat(1), async (seed, epsilon, y) => {
          const r = random(seed, 'attack');
          const x = Array.from({ length: 3 }, () => r.next());
          const start = Array.from({ length: 3 }, () => (r.next() - 0.5) / Math.sqrt(3));
          const at = { epsilon, step: 0.2, ...(clip ? { range: [0, 1] as const } : {}) };
          const found = await run(float32([1, 3], x), int64([1], [y]), { ...at, start: float32([1, 3], start) });
          // Five steps in float32; the linear model's gradient keeps its direction.
          near(found, reference(x, y, attack, { ...at, start }), 2e-6);
          const away = found.map((v, k) => v - x[k]);
          assert.ok((norm === 'linf' ? Math.max(...away.map(Math.abs)) : Math.hypot(...away)) <= epsilon + 1e-6);
        }),
        { numRuns: 25 },
      );
    }
});

test('rows do not touch each other', async () => {
  const model = normalise(fixture('mlp_digits'));
  const { x, y } = inputsOf('mlp_digits');
  const run = await attacker(model, { norm: 'l2', steps: 4, randomStart: false, clip: true });
  const at = { epsilon: 1, step: 0.5, range: [0, 1] } as const;
  const all = await run(x, int64([8], numbers(y)), at);
  const third = float32([1, ...x.dims.slice(1)], numbers(x).slice(128, 192));
  const alone = await run(third, int64([1], [numbers(y)[2]]), at);
  // Matrix products of other sizes.
  near(alone, all.slice(128, 192), 1e-5);
});
