import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputScaling } from '../../src/autodiff/parameters.ts';
import { choose } from '../../src/base/option.ts';
import { dataOf } from '../../src/graph/constant.ts';
import { architectures } from '../../src/training/architectures/index.ts';
import { buildModel } from '../../src/training/build.ts';
import { type Initialisation, initialisations, initialise } from '../../src/training/initialise.ts';
import { parametersOf } from '../../src/training/parameters.ts';
import { fixture, fixtures } from '../graph/run.ts';

const build = (id: string, row: readonly number[], given: Record<string, unknown>) => {
  const part = architectures.find((a) => a.id === id);
  assert.ok(part);
  return buildModel(part, row, 10, choose(id, part.options, given)).graph;
};
const cnn = build('cnn', [3, 8, 8], { channels: '24,32', kernel: 5, hidden: '50', batchNorm: true });
const valuesOf = (kind: Initialisation, name: string, seed = 0): number[] => {
  const c = initialise(cnn, kind, seed).initializers.get(name);
  assert.ok(c, name);
  return Array.from(dataOf(c) as Float32Array);
};
const deviation = (values: readonly number[]): number => Math.sqrt(values.reduce((s, v) => s + v * v, 0) / values.length);

test('roles and fans of layers: receptive field times channels on each side', () => {
  const found = Object.fromEntries(parametersOf(cnn).map((p) => [p.name, [p.role, p.fanIn, p.fanOut]]));
  assert.deepEqual(found['conv2.weight'], ['weight', 24 * 25, 32 * 25]);
  assert.deepEqual(found['conv2.bias'], ['bias', 24 * 25, 32 * 25]);
  assert.deepEqual(found['bn1.weight'], ['scale', 1, 1]);
  assert.deepEqual(found['bn1.bias'], ['shift', 1, 1]);
  assert.deepEqual(found['dense1.weight'], ['weight', 128, 50]);
  assert.ok(!('bn1.running_mean' in found));
});

test('roles in exported models: MatMul with an added bias, embeddings and position tables', () => {
  const found = Object.fromEntries(parametersOf(fixture('vit_digits').graph).map((p) => [p.name, p.role]));
  assert.equal(found['head.weight'], 'weight');
  assert.equal(found['head.bias'], 'bias');
  assert.equal(found.pos, 'table');
  assert.equal(found.cls, 'table');
  const text = Object.fromEntries(parametersOf(fixture('text_sms').graph).map((p) => [p.name, p.role]));
  assert.deepEqual(
    ['pos', 'emb.weight', 'enc.n1.weight', 'enc.n1.bias'].map((name) => text[name]),
    ['table', 'embedding', 'scale', 'shift'],
  );
});

test('every parameter of the fixtures has a role, but for those that scale the input', () => {
  for (const name of fixtures) {
    const { graph } = fixture(name);
    const other = parametersOf(graph).filter((p) => p.role === 'other');
    const scaling = inputScaling(graph);
    assert.ok(
      other.every((p) => scaling.has(p.name)),
      `${name}: ${other.map((p) => p.name)}`,
    );
  }
});

test('cells, embeddings and tables are drawn as PyTorch draws them', () => {
  for (const name of ['gru_digits', 'gru_digits.raw', 'lstm_digits', 'lstm_digits.raw']) {
    const { graph } = fixture(name);
    const cells = parametersOf(graph).filter((p) => p.role === 'recurrent');
    assert.ok(cells.length >= 3, name);
    const drawn = initialise(graph, 'kaiming-uniform', 0);
    for (const p of cells) {
      const values = Array.from(dataOf(drawn.initializers.get(p.name) ?? assert.fail()) as Float32Array);
      const most = Math.max(...values.map(Math.abs));
      // U(±1/√32).
      assert.ok(most <= 1 / Math.sqrt(32) + 1e-7 && most > 0.9 / Math.sqrt(32), `${name} ${p.name}`);
    }
  }
  const drawn = initialise(fixture('text_sms').graph, 'torch-default', 0);
  const spread = (name: string): number => deviation(Array.from(dataOf(drawn.initializers.get(name) ?? assert.fail()) as Float32Array));
  // 32 000 and 1024 draws: five standard errors are 2 and 11 %.
  assert.ok(Math.abs(spread('emb.weight') - 1) < 0.02);
  assert.ok(Math.abs(spread('pos') / 0.02 - 1) < 0.11);
  assert.equal(spread('enc.n1.weight'), 1);
  assert.equal(spread('enc.n2.bias'), 0);
});

test('bounds and spreads are those of the fans', () => {
  const [fanIn, fanOut] = [24 * 25, 32 * 25];
  const bounds: Partial<Record<Initialisation, number>> = {
    'torch-default': 1 / Math.sqrt(fanIn),
    'kaiming-uniform': Math.sqrt(6 / fanIn),
    'xavier-uniform': Math.sqrt(6 / (fanIn + fanOut)),
  };
  for (const [kind, bound] of Object.entries(bounds)) {
    const values = valuesOf(kind as Initialisation, 'conv2.weight');
    const most = Math.max(...values.map(Math.abs));
    // 19 200 draws: the largest of a uniform comes within 1 % of its bound, the spread within 2 % (8 standard errors).
    assert.ok(most <= bound * (1 + 1e-7) && most > 0.99 * bound, kind);
    assert.ok(Math.abs(deviation(values) / (bound / Math.sqrt(3)) - 1) < 0.02, kind);
  }
  for (const [kind, spread] of [
    ['kaiming-normal', Math.sqrt(2 / fanIn)],
    ['xavier-normal', Math.sqrt(2 / (fanIn + fanOut))],
  ] as const)
    assert.ok(Math.abs(deviation(valuesOf(kind, 'conv2.weight')) / spread - 1) < 0.03, kind);
});

test("biases are zero but for torch, whose bound is the weight's; normalisations start as the identity", () => {
  for (const kind of initialisations.filter((k) => k !== 'keep')) {
    const most = Math.max(...valuesOf(kind, 'conv2.bias').map(Math.abs));
    if (kind === 'torch-default') assert.ok(most > 0 && most <= 1 / Math.sqrt(600));
    else assert.equal(most, 0, kind);
    assert.ok(valuesOf(kind, 'bn2.weight').every((v) => v === 1));
    assert.ok(valuesOf(kind, 'bn2.bias').every((v) => v === 0));
    assert.ok(valuesOf(kind, 'bn2.running_var').every((v) => v === 1));
  }
});

test('orthogonal rows or columns, whichever are fewer', () => {
  for (const [name, rows, cols] of [
    ['conv2.weight', 32, 600],
    ['dense2.weight', 10, 50],
    ['conv1.weight', 24, 75],
  ] as const) {
    const w = valuesOf('orthogonal', name);
    for (const i of [0, 3, rows - 1]) {
      for (const j of [0, 3, rows - 1]) {
        const dot = w.slice(i * cols, (i + 1) * cols).reduce((s, v, k) => s + v * w[j * cols + k], 0);
        // float32 storage of unit vectors.
        assert.ok(Math.abs(dot - Number(i === j)) < 1e-6, `${name} ${i} ${j}`);
      }
    }
  }
});

test('a parameter depends on the seed and its own name, not on what else is drawn', () => {
  assert.deepEqual(valuesOf('torch-default', 'dense2.weight'), valuesOf('torch-default', 'dense2.weight'));
  assert.notDeepEqual(valuesOf('torch-default', 'dense2.weight', 1), valuesOf('torch-default', 'dense2.weight', 0));
  const other = initialise(build('mlp', [50], { hidden: '' }), 'torch-default', 0).initializers.get('dense1.weight');
  const same = initialise(build('mlp', [50], { hidden: '', activation: 'tanh' }), 'torch-default', 0).initializers.get('dense1.weight');
  assert.deepEqual(other, same);
  assert.equal(initialise(cnn, 'keep', 0), cnn);
});

test('numbers that only scale the input are no layer', () => {
  const of = (name: string): string[] => [...inputScaling(fixture(name).graph)].filter((n) => !n.includes('/'));
  assert.deepEqual(of('mlp_breast_cancer').toSorted(), ['mean', 'std']);
  assert.deepEqual(of('vit_digits'), []);
});
