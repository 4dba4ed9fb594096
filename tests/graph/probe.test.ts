import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { int64, type Tensor } from '../../src/base/tensor.ts';
import { affineOf, dimsAt, fitDim } from '../../src/graph/batch-dim.ts';
import { constantOf, numbersOf } from '../../src/graph/constant.ts';
import { type Probed, probe } from '../../src/graph/probe.ts';
import { feedsOf, planOf } from '../../src/graph/probe-feeds.ts';
import type { Dim, Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { body, floatConstant, graph, int, intConstant, ints, model, node, value } from './build.ts';
import { fixture, fixtures, run } from './run.ts';

const dims = (p: Probed, name: string): readonly Dim[] | undefined => p.types.get(name)?.dims;

for (const f of fixtures) {
  test(`${f}: every value has the type and shape it has at another batch size`, async () => {
    const m = fixture(f);
    const p = await probe(m, run);
    equal(p.batch, 'free');
    const names = m.graph.nodes.flatMap((n) => n.outputs.filter((o) => o));
    const all = { ...m, graph: { ...m.graph, outputs: names.map((name) => ({ name })) } };
    // 7 rows: a size that probing did not use.
    const got = await run(write(all), feedsOf(planOf(m.graph), 7, 1), names);
    for (const name of names) {
      const type = p.types.get(name);
      equal(type?.dtype, got[name].dtype, name);
      deepEqual(dimsAt(type?.dims ?? [undefined], 7), got[name].dims, name);
    }
    for (const [name, c] of p.contents) deepEqual(numbersOf(c), Array.from(got[name].data as BigInt64Array, Number), name);
  });
}

const mixed = (): Model =>
  model(
    graph(
      [value('x', ['batch', 3, 4]), value('ids', ['batch', 'sequence'], 'int64')],
      [
        node('Reshape', ['x', 'flat'], ['rows']),
        node('Concat', ['x', 'extra'], ['longer'], { axis: int(0) }),
        node('Transpose', ['x'], ['turned']),
        node('Gather', ['table', 'ids'], ['embedded']),
        node('Shape', ['x'], ['shape']),
        node('Gather', ['shape', 'one'], ['channels']),
        node('Cast', ['channels'], ['asFloat'], { to: int(1) }),
        node('Sqrt', ['asFloat'], ['root']),
        node('Cast', ['root'], ['asInt'], { to: int(7) }),
      ],
      ['rows', 'longer', 'turned', 'embedded', 'asInt'],
      { flat: intConstant(-1, 4), extra: floatConstant([1, 3, 4]), table: floatConstant([5, 2]), one: constantOf('int64', [], [1]) },
    ),
  );

test('axes that follow the batch: N, 3N, N+1, anywhere', async () => {
  const p = await probe(mixed(), run);
  deepEqual(dims(p, 'x'), ['N', 3, 4]);
  deepEqual(dims(p, 'rows'), ['3N', 4]);
  deepEqual(dims(p, 'longer'), ['N+1', 3, 4]);
  deepEqual(dims(p, 'turned'), [4, 3, 'N']);
  deepEqual(dims(p, 'shape'), [3]);
  deepEqual(
    [...p.batchAxes],
    [
      ['x', 0],
      ['ids', 0],
    ],
  );
});

test('other free axes have the length asked for, and 8 without', async () => {
  const p = await probe(mixed(), run);
  deepEqual([...p.axes], [['sequence', 8]]);
  deepEqual(dims(p, 'embedded'), ['N', 8, 2]);
  const longer = await probe(mixed(), run, { axes: { sequence: 5 } });
  deepEqual(dims(longer, 'embedded'), ['N', 5, 2]);
});

test('whole numbers that follow from shapes alone are known', async () => {
  const p = await probe(mixed(), run);
  const known = (name: string): number[] | undefined => {
    const c = p.contents.get(name);
    return c && numbersOf(c);
  };
  deepEqual(known('channels'), [3]);
  deepEqual(known('asInt'), [1]);
  equal(known('shape'), undefined);
});

test('real rows replace made-up ones', async () => {
  const seen: number[][] = [];
  const ids = (rows: number): Record<string, Tensor> => ({
    ids: int64(
      [rows, 2],
      Array.from({ length: rows * 2 }, (_, i) => i % 5),
    ),
  });
  await probe(
    mixed(),
    (m, feeds, wanted) => {
      seen.push([...feeds.ids.dims]);
      return run(m, feeds, wanted);
    },
    { axes: { sequence: 2 }, feeds: ids },
  );
  ok(seen.every((d) => d[1] === 2) && seen.some((d) => d[0] === 3));
});

test('pictures of free size are 64 on a side, and 224 where that is too small', async () => {
  // A window of two cells far apart: as wide as asked for, and quick.
  const pooled = (width: number): Model => {
    const attributes = { kernel_shape: ints(2, 2), dilations: ints(width - 1, width - 1) };
    return model(graph([value('x', ['N', 3, 'height', 'width'])], [node('MaxPool', ['x'], ['y'], attributes)], ['y']));
  };
  deepEqual(dims(await probe(pooled(3), run), 'y'), ['N', 3, 62, 62]);
  deepEqual(dims(await probe(pooled(100), run), 'y'), ['N', 3, 125, 125]);
});

test('a fixed batch is reported with its size', async () => {
  const m = model(graph([value('x', [4, 3])], [node('Relu', ['x'], ['y'])], ['y']));
  const p = await probe(m, run);
  equal(p.batch, 'fixed');
  equal(p.batchSize, 4);
  deepEqual(dims(p, 'y'), [4, 3]);
});

test('a scalar input has no batch', async () => {
  const p = await probe(model(graph([value('x', [])], [node('Relu', ['x'], ['y'])], ['y'])), run);
  equal(p.batch, 'none');
  deepEqual(dims(p, 'y'), []);
});

test('shapes that follow the data are unknown there only', async () => {
  const m = model(
    graph(
      [value('x', ['N', 4])],
      [node('Greater', ['x', 'half'], ['big']), node('NonZero', ['big'], ['where']), node('Transpose', ['where'], ['rows'])],
      ['rows'],
      { half: constantOf('float32', [], [0.5]) },
    ),
  );
  const p = await probe(m, run);
  equal(dims(p, 'where')?.[0], 2);
  equal(typeof dims(p, 'where')?.[1], 'undefined');
  equal(dims(p, 'rows')?.[1], 2);
});

test('sequences are passed by, tensors made from them are not', async () => {
  const m = model(
    graph(
      [value('x', ['N', 4])],
      [
        node('SplitToSequence', ['x', 'two'], ['parts'], { axis: int(1) }),
        node('Identity', ['parts'], ['same']),
        node('ConcatFromSequence', ['same'], ['y'], { axis: int(1) }),
        node('SequenceLength', ['same'], ['n']),
      ],
      ['y', 'n'],
      { two: constantOf('int64', [], [2]) },
    ),
  );
  const p = await probe(m, run);
  ok(!p.types.has('parts') && !p.types.has('same'));
  deepEqual(dims(p, 'y'), ['N', 4]);
  equal(p.types.get('n')?.dtype, 'int64');
});

test('outputs of branches and loops', async () => {
  const then = graph([], [node('Neg', ['x'], ['t'])], ['t']);
  const other = graph([], [node('Relu', ['x'], ['e'])], ['e']);
  const step = graph(
    [value('i', [], 'int64'), value('go', [], 'bool'), value('s', ['N', 2])],
    [node('Identity', ['go'], ['on']), node('Add', ['s', 'x'], ['next']), node('Identity', ['next'], ['each'])],
    ['on', 'next', 'each'],
  );
  const m = model(
    graph(
      [value('x', ['N', 2]), value('c', [], 'bool')],
      [
        node('If', ['c'], ['y'], { then_branch: body(then), else_branch: body(other) }),
        node('Loop', ['three', '', 'y'], ['last', 'all'], { body: body(step) }),
      ],
      ['last', 'all'],
      { three: constantOf('int64', [], [3]) },
    ),
  );
  const p = await probe(m, run);
  deepEqual(dims(p, 'y'), ['N', 2]);
  deepEqual(dims(p, 'all'), [3, 'N', 2]);
  equal(p.types.get('all')?.dtype, 'float32');
});

test('operators of other domains are typed by running', async () => {
  const m = model(
    graph([value('x', ['N', 3])], [node('Gelu', ['x'], ['y'], {}, 'com.microsoft'), node('Relu', ['y'], ['z'])], ['z']),
    17,
    [],
    ['com.microsoft'],
  );
  const p = await probe(m, run);
  deepEqual(p.types.get('y'), { kind: 'tensor', dtype: 'float32', dims: ['N', 3] });
});

test('affine dims read back', () => {
  for (const [dim, scale, offset] of [
    ['N', 1, 0],
    ['3N', 3, 0],
    ['N+1', 1, 1],
    ['2N-4', 2, -4],
    [5, 0, 5],
  ] as const) {
    deepEqual(affineOf(dim), { scale, offset });
    equal(
      fitDim(
        [2, 3, 5],
        [2, 3, 5].map((n) => scale * n + offset),
      ),
      dim,
    );
  }
  equal(affineOf('sequence'), undefined);
  equal(fitDim([2, 3, 5], [4, 9, 25]), undefined);
  equal(dimsAt(['N', undefined], 2), undefined);
});

test('length of axes written as sums of others', () => {
  const g = graph(
    [value('ids', ['batch', 'seq'], 'int64'), value('mask', ['batch', 'past + seq'], 'int64'), value('past', ['batch', 'past'])],
    [],
    [],
  );
  const plan = planOf(g, { seq: 4 });
  deepEqual(
    plan.inputs.map((i) => i.axes),
    [
      ['batch', 4],
      ['batch', 4],
      ['batch', 0],
    ],
  );
});

test('what is made of an input whose rank the file does not say has no shape', async () => {
  const x = { name: 'x', type: { kind: 'tensor', dtype: 'float32' } } as const;
  const sines = model(graph([x], [node('Sin', ['x'], ['s']), node('Shape', ['s'], ['n'])], ['s', 'n']));
  const { types, contents } = await probe(sines, run);
  deepEqual([types.get('x'), types.get('s')], [x.type, x.type]);
  equal(contents.size, 0);
  await rejects(
    probe(model(graph([x], [node('Softmax', ['x'], ['y'])], ['y'])), run),
    (e) => Fault.is(e, 'graph/rank') && /no shape for input 'x'/.test(e.message),
  );
});
