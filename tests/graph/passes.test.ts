import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { Tensor } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { foldConstants } from '../../src/graph/passes/fold-constants.ts';
import { dropIdentity } from '../../src/graph/passes/identity.ts';
import { normalise } from '../../src/graph/passes/normalise.ts';
import { prune } from '../../src/graph/passes/prune.ts';
import { shareEqual } from '../../src/graph/passes/share.ts';
import { prepare } from '../../src/graph/prepare.ts';
import { probe } from '../../src/graph/probe.ts';
import { feedsOf, planOf } from '../../src/graph/probe-feeds.ts';
import type { Model, ValueType } from '../../src/graph/types.ts';
import { verify } from '../../src/graph/verify.ts';
import { nodesWithin } from '../../src/graph/walk.ts';
import { body, constantly, floatConstant, graph, int, intConstant, ints, model, node, value, wave } from './build.ts';
import { fixture, fixtures, run, runModel } from './run.ts';

// The same kernels in the same order, optimisation off: equal to the last bit unless a formula changed, which none does here.
const lawful = async (name: string, before: Model, after: Model, feeds: Readonly<Record<string, Tensor>>): Promise<void> => {
  deepEqual(verify(after), [], name);
  const [a, b] = [await runModel(before, feeds), await runModel(after, feeds)];
  deepEqual(b, a, name);
};

for (const f of fixtures) {
  test(`${f}: every pass leaves a legal graph with the same outputs`, async () => {
    const file = fixture(f);
    const feeds = feedsOf(planOf(file.graph), 3, 1);
    const normal = normalise(file);
    await lawful('normalise', file, normal, feeds);
    const known = await probe(normal, run);
    const folded = foldConstants(normal, known);
    await lawful('fold', file, folded, feeds);
    const direct = dropIdentity(folded);
    await lawful('identity', file, direct, feeds);
    const shared = shareEqual(direct);
    await lawful('share', file, shared, feeds);
    const pruned = prune(shared);
    await lawful('prune', file, pruned, feeds);
    ok(!Array.from(nodesWithin(pruned.graph)).some((n) => n.op === 'Constant' || n.op === 'Identity'));
    ok(pruned.graph.nodes.length <= file.graph.nodes.length);
  });
}

test('the shape arithmetic of an exported transformer is gone', async () => {
  const { model: m } = await prepare(fixture('vit_digits'), run);
  ok(m.graph.nodes.filter((n) => ['Shape', 'ConstantOfShape', 'Where', 'Equal'].includes(n.op)).length <= 2);
});

test('a parameter shared through copies is read as one', async () => {
  const { model: m } = await prepare(fixture('resnet8_cifar10.raw'), run);
  const readers = (name: string): number => m.graph.nodes.filter((n) => n.inputs.includes(name)).length;
  // The exporter merged the equal biases of blocks 1 and 2.
  equal(readers('blocks.1.b2.bias'), 2);
  equal(readers('blocks.2.b2.bias'), 2);
});

test('equal calls become one, random ones and parameters of equal value stay apart', () => {
  const g = graph(
    [value('x', [2])],
    [
      node('Relu', ['x'], ['a']),
      node('Relu', ['x'], ['b']),
      node('Add', ['a', 'b'], ['c']),
      node('RandomUniformLike', ['x'], ['r']),
      node('RandomUniformLike', ['x'], ['s']),
      node('Mul', ['c', 'w'], ['d']),
      node('Mul', ['c', 'v'], ['e']),
      node('Sum', ['d', 'e', 'r', 's'], ['y']),
    ],
    ['y'],
    { w: floatConstant([2]), v: floatConstant([2]) },
  );
  const { nodes } = shareEqual(model(g)).graph;
  deepEqual(
    nodes.map((n) => n.outputs[0]),
    ['a', 'c', 'r', 's', 'd', 'e', 'y'],
  );
  deepEqual(nodes[1].inputs, ['a', 'a']);
});

test('what only a branch reads is kept, what nothing reads goes', async () => {
  const branch = (op: string): ReturnType<typeof body> => body(graph([], [node(op, ['a'], ['t']), node('Abs', ['t'], ['dead'])], ['t']));
  const m = model(
    graph(
      [value('x', ['N', 2]), value('c', [], 'bool')],
      [
        node('Neg', ['x'], ['a']),
        node('Exp', ['x'], ['unused']),
        node('If', ['c'], ['y'], { then_branch: branch('Relu'), else_branch: branch('Abs') }),
      ],
      ['y'],
      { w: floatConstant([2]) },
    ),
  );
  const pruned = prune(m);
  deepEqual(
    Array.from(nodesWithin(pruned.graph), (n) => n.op),
    ['Neg', 'If', 'Relu', 'Abs'],
  );
  equal(pruned.graph.initializers.size, 0);
  await lawful('prune', m, pruned, { x: wave([3, 2]), c: constantly('bool', [], 1) });
});

const fixedAt = (m: Model, size: number): Model => ({
  ...m,
  graph: {
    ...m.graph,
    inputs: m.graph.inputs.map((i) => {
      const type: ValueType | undefined =
        i.type?.kind === 'tensor' && i.type.dims ? { ...i.type, dims: [size, ...i.type.dims.slice(1)] } : i.type;
      return { ...i, ...(type ? { type } : {}) };
    }),
    outputs: m.graph.outputs.map((o) => ({ name: o.name })),
    values: new Map(),
  },
});

test('a recurrent layer whose zero state was expanded to the batch of the export is freed', async () => {
  const lstm = graph(
    [value('x', [2, 5, 3])],
    [
      node('Transpose', ['x'], ['t'], { perm: ints(1, 0, 2) }),
      node('Expand', ['zero', 'shape'], ['h']),
      node('LSTM', ['t', 'w', 'r', '', '', 'h', 'h'], ['all', 'last'], { hidden_size: int(4) }),
      node('Squeeze', ['last', 'first'], ['y']),
    ],
    ['y'],
    {
      w: floatConstant([1, 16, 3]),
      r: floatConstant([1, 16, 4], 0.3),
      zero: constantOf('float32', [1, 1, 4], [0, 0, 0, 0]),
      shape: intConstant(1, 2, 4),
      first: intConstant(0),
    },
  );
  const prepared = await prepare(model(lstm), run);
  equal(prepared.freedFrom, 2);
  const { y } = await runModel(prepared.model, { x: wave([7, 5, 3]) });
  deepEqual(y.dims, [7, 4]);
});

for (const [f, size] of [
  ['vit_digits', 1],
  ['gru_digits', 1],
  ['text_sms', 1],
  ['lenet_mnist', 4],
  ['lstm_digits', 4],
] as const) {
  test(`${f} written for batches of ${size} is freed, and takes five rows`, async () => {
    const whole = fixture(f);
    // As an exporter bakes it in: shapes of that size become constants.
    const fixed = normalise(fixedAt(whole, size));
    const baked = prune(foldConstants(fixed, await probe(fixed, run)));
    const prepared = await prepare(baked, run);
    equal(prepared.freedFrom, size);
    equal(prepared.probed.batch, 'free');
    ok(prepared.notes.some((n) => n.includes('freed')));
    const feeds = feedsOf(planOf(whole.graph), 5, 3);
    const [a, b] = [await runModel(whole, feeds), await runModel(prepared.model, feeds)];
    for (const name of Object.keys(a)) {
      const [u, v] = [a[name].data as Float32Array, b[name].data as Float32Array];
      // Shapes only were rewritten: sums of float32 may be ordered differently for other shapes, 1e-5 of logits near 10.
      for (let i = 0; i < u.length; i++) ok(Math.abs(u[i] - v[i]) <= 1e-5 * (1 + Math.abs(u[i])));
    }
  });
}

test('batch statistics couple the rows, so a fixed batch stays fixed', async () => {
  const prepared = await prepare(fixedAt(fixture('lenet_mnist.train'), 2), run);
  equal(prepared.freedFrom, undefined);
  equal(prepared.probed.batch, 'fixed');
  equal(prepared.probed.batchSize, 2);
  ok(prepared.notes.some((n) => n.includes('cannot be freed')));
});

test('a file whose nodes are out of order is put in order', async () => {
  const whole = fixture('lenet_mnist');
  const mixed = { ...whole, graph: { ...whole.graph, nodes: whole.graph.nodes.toReversed() } };
  ok(verify(mixed).length > 0);
  const prepared = await prepare(mixed, run);
  deepEqual(verify(prepared.model), []);
  const feeds = feedsOf(planOf(whole.graph), 2, 1);
  deepEqual(await runModel(prepared.model, feeds), await runModel(whole, feeds));
});
