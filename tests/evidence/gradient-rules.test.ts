import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuleSet } from '../../src/autodiff/rule-sets/index.ts';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import type { ModelGradients } from '../../src/evidence/evidence.ts';
import type { Graph } from '../../src/graph/types.ts';
import { graph, int, ints, node, value } from '../graph/build.ts';
import { b1, b2, image, near, netA, netB, w1, w2, withModel } from './card-nets.ts';
import { floats } from './models.ts';

/** Nets A and B of card 00-attribution-common through the compiler: every number below is the card's. */
const signal = new AbortController().signal;

const x = Float32Array.of(1, 0.5, -0.25);
const at = (points: Float32Array, targets: readonly number[], d = 3) => ({
  rows: targets.length,
  points,
  weights: new Array<number>(points.length / d / targets.length).fill(0).map((_, i) => Number(i === 0)),
  targets: Int32Array.from(targets),
});
const rules = async (tool: ModelGradients, set: RuleSet, points = x) =>
  (await tool.asked({ rules: set }, signal)).sum(at(points, [0]), signal);
const times = (g: ArrayLike<number>): number[] => Array.from(x, (v, k) => v * g[k]);

for (const [name, g] of [
  ['Gemm', netA()],
  ['MatMul and Add', netA({ split: true })],
  ['Softmax at the end', netA({ softmax: true })],
] as const) {
  test(`rule sets on net A: ${name}`, () =>
    withModel(g, [3], async (tool) => {
      near((await rules(tool, { name: 'guided' })).gradient, [4, 2, 2]);
      near((await rules(tool, { name: 'deconvolution' })).gradient, [4.25, 0.25, 3.5]);
      near(times((await rules(tool, { name: 'lrp', epsilon: 0 })).gradient), [3.5, 0.5, -0.75]);
      near(times((await rules(tool, { name: 'lrp', epsilon: 0.25 })).gradient), [2.510989011, 0.3681318681, -0.5302197802]);
      // One hidden layer: DeepLIFT's multipliers are the active fractions of the path, so it equals the exact path integral.
      const pair = Float32Array.of(...x, 0, 0, 0);
      const lifted = await rules(tool, { name: 'deeplift' }, pair);
      near(times(lifted.gradient), [2.4736507937, -0.643015873, -0.6306349206]);
      near(lifted.values, [1.5, 0.3]);
    }));
}

test('probability, loss and the difference of two classes', async () => {
  for (const softmax of [false, true])
    await withModel(netA({ softmax }), [3], async (tool) => {
      const probability = await (await tool.asked({ scale: 'probability' }, signal)).sum(at(x, [0]), signal);
      near(probability.values, [0.7729422594]);
      near(probability.gradient, [0.8336369844, 0.0877512615, 0.9652638767]);
      const loss = await (await tool.asked({ scale: 'loss' }, signal)).sum(at(x, [0]), signal);
      near(loss.gradient, [-1.0785242679, -0.1135288703, -1.2488175733]);
      near(loss.values, [-Math.log(0.7729422594)]);
      const contrast = await tool.sum({ ...at(x, [0]), against: Int32Array.of(1) }, signal);
      near(contrast.gradient, [4.75, 0.5, 5.5]);
      near(contrast.values, [1.225]);
      const both = Float32Array.of(...x, 0, 0, 0);
      near(await tool.values({ points: both, targets: Int32Array.of(0, 1) }, signal), [1.5, 0.2]);
      near(await tool.values({ points: x, targets: Int32Array.of(0), against: Int32Array.of(1) }, signal), [1.225]);
    });
});

test('gradients at a layer, of a neuron, and along a path inside the model', () =>
  withModel(netA(), [3], async (tool) => {
    assert.deepEqual(
      tool.layers.map((l) => [l.name, l.op, ...l.dims]),
      [
        ['z', 'Gemm', 4],
        ['h', 'Relu', 4],
        ['logits', 'Gemm', 2],
      ],
    );
    const { dims, activation, gradient, values } = await tool.layer({ at: 'h' }, { points: x, targets: Int32Array.of(0) }, signal);
    assert.deepEqual(dims, [4]);
    near(activation, [0, 1.05, 0, 1.25]);
    near(gradient, [1, -1, 0.5, 2]);
    near(values, [1.5]);
    const neuron = await (await tool.asked({ of: 'h' }, signal)).sum(at(x, [3]), signal);
    near(neuron.gradient, [2, 1, 1]);
    const inside = await (await tool.asked({ at: 'h' }, signal)).sum(at(Float32Array.of(0, 1.05, 0, 1.25), [1], 4), signal);
    near(inside.gradient, [-0.5, 1.5, 1, -1]);
    near(inside.values, [0.275]);
    await assert.rejects(tool.asked({ at: 'g' }, signal), (e) => Fault.is(e, 'evidence/layer') && /'g'.*z, h, logits/.test(e.message));
  }));

test('Grad-CAM’s weights on net B: mean gradients of the convolution’s activation', () =>
  withModel(netB, [1, 4, 4], async (tool) => {
    const points = Float32Array.from(image);
    const { dims, gradient, values } = await tool.layer({ at: 'a' }, { points, targets: Int32Array.of(1) }, signal);
    assert.deepEqual(dims, [2, 4, 4]);
    near(values, [4.6]);
    const mean = [0, 1].map((c) => gradient.subarray(c * 16, (c + 1) * 16).reduce((s, v) => s + v / 16, 0));
    near(mean, [0.03125, 0.125]);
    const plain = await tool.sum(at(points, [1], 16), signal);
    near(plain.gradient.subarray(0, 4), [-0.09375, 0.28125, 0.46875, -0.46875]);
  }));

/** Convolution, normalisation (apart or folded in), maxima and an average, with weights drawn. */
const pooled = (folded: boolean): Graph => {
  const { normal, next } = random(7, 'net');
  const draw = (n: number): number[] => Array.from({ length: n }, () => normal());
  const [k, kb] = [draw(27), draw(3)];
  const [scale, shift, mean] = [draw(3), draw(3), draw(3)];
  const variance = Array.from({ length: 3 }, () => 0.5 + next());
  const factor = scale.map((s, c) => s / Math.sqrt(variance[c] + 1e-5));
  return graph(
    [value('x', ['N', 1, 6, 6])],
    [
      node('Conv', ['x', 'k', 'kb'], [folded ? 'n' : 'c'], { pads: ints(1, 1, 1, 1) }),
      ...(folded ? [] : [node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'variance'], ['n'])]),
      node('Relu', ['n'], ['a']),
      node('MaxPool', ['a'], ['p'], { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
      node('GlobalAveragePool', ['p'], ['m']),
      node('Flatten', ['m'], ['f']),
      node('Gemm', ['f', 'w', 'b'], ['logits'], { transB: int(1) }),
    ],
    ['logits'],
    {
      k: floats([3, 1, 3, 3], folded ? k.map((v, i) => v * factor[Math.floor(i / 9)]) : k),
      kb: floats([3], folded ? kb.map((v, c) => (v - mean[c]) * factor[c] + shift[c]) : kb),
      ...(folded ? {} : { scale: floats([3], scale), shift: floats([3], shift), mean: floats([3], mean), variance: floats([3], variance) }),
      w: floats([2, 3], draw(6)),
      b: floats([2], draw(2)),
    },
  );
};

test('DeepLIFT adds up through maxima and normalisation; the share of equal inputs is 0', () =>
  withModel(pooled(false), [1, 6, 6], async (tool) => {
    const { normal } = random(8, 'pair');
    const pair = Float32Array.from({ length: 72 }, (_, k) => (k >= 36 ? 0.1 : k < 6 ? 0.1 : normal()));
    const { gradient, values } = await (await tool.asked({ rules: { name: 'deeplift' } }, signal)).sum(at(pair, [1], 36), signal);
    const shares = Array.from({ length: 36 }, (_, k) => gradient[k] * (pair[k] - pair[36 + k]));
    near(
      shares.slice(0, 6),
      [0, 0, 0, 0, 0, 0].map(() => 0),
    );
    assert.ok(Math.abs(values[0] - values[1]) > 0.1);
    near([shares.reduce((s, v) => s + v)], [values[0] - values[1]], 1e-5);
  }));

test('LRP of a normalised convolution is that of the convolution with the normalisation folded in', async () => {
  const { normal } = random(9, 'points');
  const points = Float32Array.from({ length: 36 }, normal);
  const sets: readonly RuleSet[] = [
    { name: 'lrp', epsilon: 0.25, relative: true },
    { name: 'lrp', epsilon: 1e-3, gamma: 0.5 },
  ];
  const found: Float64Array[] = [];
  for (const set of sets)
    for (const folded of [false, true])
      await withModel(pooled(folded), [1, 6, 6], async (tool) => {
        found.push((await (await tool.asked({ rules: set }, signal)).sum(at(points, [0], 36), signal)).gradient);
      });
  near(found[0], Array.from(found[1]), 1e-5);
  near(found[2], Array.from(found[3]), 1e-5);
  assert.ok(found[0].some((v, k) => Math.abs(v - found[2][k]) > 1e-3));
});

test('LRP-γ on net A is the formula worked out by hand', () => {
  const gamma = 0.25;
  const raised = (w: number): number => w + gamma * Math.max(0, w);
  const h = [0, 1.05, 0, 1.25];
  const share = (inputs: readonly number[], w: readonly number[], b: readonly number[], relevance: readonly number[]): number[] => {
    const z = relevance.map((_, j) => inputs.reduce((s, v, i) => s + v * raised(w[j * inputs.length + i]), raised(b[j])));
    return inputs.map((v, i) => relevance.reduce((s, r, j) => s + (r === 0 ? 0 : (v * raised(w[j * inputs.length + i]) * r) / z[j]), 0));
  };
  const wanted = share([...x], w1, b1, share(h, w2.slice(0, 4), b2, [1.5]));
  return withModel(netA(), [3], async (tool) => {
    near(times((await rules(tool, { name: 'lrp', epsilon: 0, gamma })).gradient), wanted);
  });
});

/** A residual block: the input is read beside the layer. */
const residual = (batch: string | number): Graph =>
  graph([value('x', [batch, 3])], [node('Relu', ['x'], ['h']), node('Mul', ['h', 'h'], ['s']), node('Add', ['s', 'x'], ['y'])], ['y']);

test('a path at a layer of a model that reads its input beside it, with a free and a fixed batch', async () => {
  for (const batch of ['N', 2])
    await withModel(residual(batch), [3], async (tool) => {
      const layer = await tool.asked({ at: 'h' }, signal);
      const request = { ...at(Float32Array.of(2, 0, 0, 3, 0, 0), [0]), weights: [0.5, 0.5], inputs: Float32Array.of(7, 0, 0) };
      const found = await layer.sum(request, signal);
      near(found.gradient, [5, 0, 0]);
      near(found.values, [11, 16]);
    });
});

test('LRP and DeepLIFT name what they are not defined for; guided backpropagation wants a rectifier', async () => {
  const refused = (set: RuleSet, code: 'graph/rule-set' | 'graph/no-rectifier', pattern: RegExp, g: Graph) =>
    withModel(g, [3], async (tool) => {
      await assert.rejects(tool.asked({ rules: set }, signal), (e) => Fault.is(e, code) && pattern.test(e.message));
    });
  const gate = graph([value('x', ['N', 3])], [node('Sigmoid', ['x'], ['s']), node('Mul', ['s', 'x'], ['y'])], ['y']);
  await refused({ name: 'lrp', epsilon: 0.1 }, 'graph/rule-set', /LRP is not defined for 'n_s' \(Sigmoid\)/, gate);
  await refused({ name: 'deeplift' }, 'graph/rule-set', /DeepLIFT is not defined for 'n_y' \(Mul\)/, gate);
  await refused({ name: 'guided' }, 'graph/no-rectifier', /none lies between 'x' and 'y'/, gate);
  await withModel(netA({ batch: 2 }), [3], async (tool) => {
    await assert.rejects(
      tool.asked({ rules: { name: 'deeplift' } }, signal),
      (e) => Fault.is(e, 'evidence/fixed-pairs') || Fault.is(e, 'graph/rule-set'),
    );
  });
});
