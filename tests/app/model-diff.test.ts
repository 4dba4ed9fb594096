import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { diff } from '../../src/app/model-diff.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { aligned } from '../../src/graph/pair.ts';
import type { Constant, Graph, Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import type { ModelDiff } from '../../src/report/model-study.ts';
import { float, graph, int, ints, model, node, value } from '../graph/build.ts';
import { fixtureBytes } from '../graph/run.ts';
import { memoryPorts } from './memory-ports.ts';

const job = (): AppJob => ({ ...quietJob(), live: () => {} });
const compare = (a: Uint8Array, b: Uint8Array): Promise<ModelDiff> =>
  diff({ models: ['a.onnx', 'b.onnx'] }, memoryPorts({ 'a.onnx': a, 'b.onnx': b }), job());
const floats = (dims: readonly number[], data: readonly number[]): Constant => constantOf('float32', dims, data);

const net = (weights: Readonly<Record<string, Constant>>, nodes: Graph['nodes']): Uint8Array =>
  write(model(graph([value('x', ['N', 2])], nodes, [value('y', ['N', 2])], weights)));
const dense = (w: string, b: string, from: string, to: string) => node('Gemm', [from, w, b], [to], { transB: int(1) });
const w = [1, 2, 3, 4];
const base = net({ w: floats([2, 2], w), b: floats([2], [0, 1]) }, [dense('w', 'b', 'x', 'h'), node('Relu', ['h'], ['y'])]);

test('a file and itself have no difference', async () => {
  for (const bytes of [base, fixtureBytes('resnet8_cifar10'), fixtureBytes('gru_digits')]) {
    const found = await compare(bytes, bytes);
    deepEqual(new Set(found.nodes.map(({ status }) => status)), new Set(['same']));
    deepEqual(new Set(found.tensors.map(({ status }) => status)), new Set(['same']));
    deepEqual(found.headers, []);
    for (const { values } of found.tensors) if (values) equal(values.relative, 0);
  }
});

test('a weight that moved is measured: maximum, relative difference, cosine and norms', async () => {
  const moved = net({ w: floats([2, 2], [1, 2, 3, 5]), b: floats([2], [0, 1]) }, [dense('w', 'b', 'x', 'h'), node('Relu', ['h'], ['y'])]);
  const { tensors, nodes } = await compare(base, moved);
  equal(
    nodes.every(({ status }) => status === 'same'),
    true,
  );
  const [first, bias] = tensors;
  equal(bias.status, 'same');
  equal(first.status, 'changed');
  ok(first.values);
  equal(first.values.maxAbs, 1);
  // By hand: ‖a − b‖ = 1, ‖a‖² = 30, ‖b‖² = 39, a·b = 34.
  equal(first.values.relative, Math.sqrt(1 / 30));
  equal(first.values.norm, Math.sqrt(30));
  equal(first.values.otherNorm, Math.sqrt(39));
  ok(Math.abs((first.values.cosine ?? 0) - 34 / Math.sqrt(30 * 39)) < 1e-15);
});

test('tensors of other names are paired by the place where they are read, then by shape and order', async () => {
  const named = net({ weight: floats([2, 2], w), bias: floats([2], [0, 1]) }, [
    dense('weight', 'bias', 'x', 'h'),
    node('Relu', ['h'], ['y']),
  ]);
  const { tensors, nodes } = await compare(base, named);
  deepEqual(
    tensors.map(({ name, otherName, status }) => [name, otherName, status]),
    [
      ['w', 'weight', 'same'],
      ['b', 'bias', 'same'],
    ],
  );
  equal(nodes[0].status, 'same', 'a renamed weight is no other input');
});

test('nodes added, removed and changed are told, with attributes, inputs and shapes', async () => {
  const x = value('x', ['N', 3, 8, 8]);
  const kernel = floats([4, 3, 3, 3], Array<number>(108).fill(0.5));
  const of = (nodes: Graph['nodes']): Uint8Array => write(model(graph([x], nodes, ['y'], { k: kernel })));
  const conv = (pad: number, to: string) => node('Conv', ['x', 'k'], [to], { pads: ints(pad, pad, pad, pad) });
  const a = of([conv(1, 'c'), node('Relu', ['c'], ['r']), node('Sigmoid', ['r'], ['s']), node('GlobalAveragePool', ['s'], ['y'])]);
  const b = of([
    conv(0, 'c'),
    node('LeakyRelu', ['c'], ['r'], { alpha: float(0.1) }),
    node('GlobalAveragePool', ['r'], ['p']),
    node('Tanh', ['p'], ['y']),
  ]);
  const { nodes } = await compare(a, b);
  const by = (name: string) => nodes.find((n) => n.name === name);
  deepEqual(by('n_c')?.changes, ['pads: [1, 1, 1, 1] → [0, 0, 0, 0]', 'shape: [N, 4, 8, 8] → [N, 4, 6, 6]']);
  match(by('n_r')?.changes.join() ?? '', /operator: Relu → LeakyRelu,alpha added: 0\.1/);
  equal(by('n_s')?.status, 'removed');
  match(by('n_y')?.changes[0] ?? '', /operator: GlobalAveragePool → Tanh/);
  equal(by('n_p')?.status, 'added');
});

test('a layer put between others moves none of them, also where nodes have no names', async () => {
  const chain = (ops: readonly string[]): Model => {
    const nodes = ops.map((op, i) => ({ ...node(op, [i === 0 ? 'x' : `v${i}`], [i === ops.length - 1 ? 'y' : `v${i + 1}`]), name: '' }));
    return model(graph([value('x', ['N', 2])], nodes, ['y']));
  };
  const { nodes } = await compare(write(chain(['Relu', 'Exp', 'Tanh', 'Neg'])), write(chain(['Relu', 'Abs', 'Exp', 'Tanh', 'Neg'])));
  deepEqual(
    nodes.filter(({ status }) => status === 'added').map(({ op }) => op),
    ['Abs'],
  );
  equal(nodes.filter(({ status }) => status === 'removed').length, 0);
});

test('other shapes, other element types and values that are not finite are told', async () => {
  const half = { ...floats([2], [1, Number.NaN]) };
  const a = net({ w: floats([2, 2], w), b: half, only: floats([3], [1, 2, 3]) }, [dense('w', 'b', 'x', 'h'), node('Relu', ['h'], ['y'])]);
  const b = net({ w: floats([4, 1], w), b: floats([2], [1, 2]), ids: constantOf('int64', [1], [1]) }, [
    dense('w', 'b', 'x', 'h'),
    node('Relu', ['h'], ['y']),
  ]);
  const { tensors } = await compare(a, b);
  deepEqual(
    tensors.map(({ name, status }) => [name, status]),
    [
      ['w', 'changed'],
      ['b', 'changed'],
      ['only', 'removed'],
      ['ids', 'added'],
    ],
  );
  deepEqual(tensors[0].otherDims, [4, 1]);
  equal(tensors[0].values, undefined);
  equal(tensors[1].values?.notFinite, 1);
});

test('headers that differ are listed; an empty graph and one without initialisers are compared too', async () => {
  const empty = write(model(graph([value('x', ['N', 2])], [], ['x'])));
  const found = await compare(empty, base);
  deepEqual(
    found.headers.map(({ label }) => label),
    ['Outputs'],
  );
  equal(
    found.nodes.every(({ status }) => status === 'added'),
    true,
  );
  equal(found.tensors.length, 2);
  equal((await compare(empty, empty)).nodes.length, 0);
});

test('two trainings of one architecture share every node, and no weight of some size', async () => {
  const { nodes, tensors } = await compare(fixtureBytes('few_digits_0'), fixtureBytes('few_digits_1'));
  equal(
    nodes.every(({ status }) => status === 'same'),
    true,
  );
  const large = tensors.filter(({ values }) => (values?.elements ?? 0) > 100);
  ok(large.length > 0);
  for (const { status, values } of large) {
    equal(status, 'changed');
    ok(values?.cosine !== null && Math.abs(values?.cosine ?? 1) < 0.9);
  }
});

test('a file that is no model is said by its name', async () => {
  await rejects(compare(base, base.subarray(0, 30)), (error) => Fault.is(error, 'graph/not-onnx') && /b\.onnx/.test(error.message));
});

test('signs in one order are aligned; too many are paired one by one', () => {
  deepEqual(aligned(['a', 'b', 'c'], ['a', 'x', 'b', 'c']), [
    [0, 0],
    [1, 2],
    [2, 3],
  ]);
  const many = Array.from({ length: 5000 }, (_, i) => String(i % 7));
  equal(aligned(many, many).length, 5000);
});
