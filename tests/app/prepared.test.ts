import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { info } from '../../src/app/info.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { DataRef } from '../../src/base/request.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import type { Dim, Graph, Model } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { ImagesCard, Report } from '../../src/report/report.ts';
import { graph, int, model as made, node, value } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-prepared-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const jobOf = (): AppJob => ({ ...quietJob(), live: () => {} });
const digits: DataRef = { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } };
const run = (id: string, path: string, data: DataRef = digits, options: Readonly<Record<string, unknown>> = {}): Promise<Report> =>
  diagnose({ id, model: { path }, data, options, device: 'cpu', seed: 0, limit: 50 }, ports, jobOf());

const mlp = parse(readFileSync(fixture('models/mlp_digits.onnx')), 'mlp_digits.onnx');
/** The MLP written for `rows` at a time; with `bound`, a constant of that many rows keeps it so. */
const fixedAt = (rows: number, bound: boolean): Model => {
  const { graph: g } = mlp;
  const inputs = [value('x', [rows, 1, 8, 8])];
  const nodes = g.nodes.map((n) => ({ ...n, outputs: n.outputs.map((o) => (bound && o === 'logits' ? 'free' : o)) }));
  return {
    ...mlp,
    graph: {
      ...g,
      inputs,
      outputs: [value('logits', [rows, 10])],
      nodes: bound ? [...nodes, node('Add', ['free', 'shift'], ['logits'])] : nodes,
      initializers: new Map([...g.initializers, ['shift', constantOf('float32', [rows, 10], new Array<number>(10 * rows).fill(0))]]),
    },
  };
};
const overlays = (r: Report): readonly number[] => (r.cards.find((c) => c.kind === 'images') as ImagesCard).images[0].overlays[0].values;

// 50 rows of the test split, of which 50 and 43 are no multiples of 7.
for (const [rows, bound, note] of [
  [1, false, /batches of 1; its batch axis was freed/],
  [7, false, /batches of 7; its batch axis was freed/],
  [7, true, /its batch axis cannot be freed: rows run 7 at a time/],
] as const) {
  test(`a model written for ${rows} rows${bound ? ' that cannot be freed' : ''} gives what the free one gives, and says so`, async () => {
    const path = file(`fixed-${rows}-${bound}.onnx`, write(fixedAt(rows, bound)));
    const [free, fixed] = [await run('confusion-matrix', fixture('models/mlp_digits.onnx')), await run('confusion-matrix', path)];
    assert.deepEqual(fixed.headline, free.headline);
    assert.match(fixed.notes.join('\n'), note);
    assert.equal(fixed.notes.filter((n) => n.includes('batches of')).length, 1);
    const options = { samples: 2, method: 'gradient' };
    const [a, b] = [
      overlays(await run('saliency', fixture('models/mlp_digits.onnx'), digits, options)),
      overlays(await run('saliency', path, digits, options)),
    ];
    const most = Math.max(...a.map(Math.abs));
    // float32 sums may be ordered differently for other batch sizes.
    for (const [i, v] of a.entries()) assert.ok(Math.abs(v - b[i]) <= 1e-5 * most);
    assert.match((await info({ model: { path } }, ports, jobOf())).notes.join('\n'), note);
  });
}

/** y = the mean over time of x, through the length that Shape tells: [N, T, 2] → [N, 2]. */
const mean = (time: Dim): Graph =>
  graph(
    [value('x', ['N', time, 2])],
    [
      node('ReduceSum', ['x', 'axis'], ['sum'], { keepdims: int(0) }),
      node('Shape', ['x'], ['t'], { start: int(1), end: int(2) }),
      node('Cast', ['t'], ['length'], { to: int(1) }),
      node('Div', ['sum', 'length'], ['y']),
    ],
    ['y'],
    { axis: constantOf('int64', [1], [1]) },
  );

for (const time of ['T', undefined] as const) {
  test(`a free axis (${time ?? 'without a name'}) is probed at the length of the data: gradients are those of that length`, async () => {
    const path = file(`mean-${time ?? 'none'}.onnx`, write(made(mean(time))));
    const names = Array.from({ length: 10 }, (_, i) => `f${i}`);
    const rows = Array.from({ length: 3 }, (_, r) => [...names.map((_, i) => (i + r) / 8), r % 2].join(','));
    const data = { path: file(`mean.csv`, [[...names, 'y'].join(','), ...rows].join('\n')) };
    const report = await run('saliency', path, data, { samples: 1, method: 'gradient', class: '0' });
    const table = report.cards.find((c) => c.kind === 'table' || c.kind === 'bars');
    assert.equal(report.outcome, 'measured');
    // ∂y₀/∂x[t, 0] = 1/5 at each of five times, 0 for the other feature; at the usual length of 8 it would be 1/8.
    assert.match(JSON.stringify(table), /0\.2000000/);
    assert.doesNotMatch(report.notes.join('\n'), /Free axis/);
  });
}

test('an input of open rank takes that of the data', async () => {
  const open = made(
    graph([{ name: 'x', type: { kind: 'tensor', dtype: 'float32' } }], [node('MatMul', ['x', 'w'], ['y'])], ['y'], {
      w: constantOf('float32', [2, 2], [1, 2, 3, 4]),
    }),
  );
  const data = { path: file('open.csv', 'a,b,y\n1,2,0\n3,4,1\n') };
  const report = await run('saliency', file('open.onnx', write(open)), data, { samples: 1, method: 'gradient', class: '0' });
  const bars = report.cards.find((c) => c.kind === 'bars');
  // ∂y₀/∂x = (1, 3), the largest first.
  assert.deepEqual(bars?.series[0].values, [3, 1]);
});

test('a batch that is not the first axis is refused', async () => {
  const path = file(
    'time-first.onnx',
    write(
      made(graph([value('x', ['time', 'batch', 2])], [node('ReduceMean', ['x', 'a'], ['y'])], ['y'], { a: constantOf('int64', [1], [0]) })),
    ),
  );
  const data = { path: file('t.csv', 'a,b,y\n1,2,0\n3,4,1\n') };
  await assert.rejects(
    run('confusion-matrix', path, data),
    (e) => Fault.is(e, 'graph/batch-axis') && /'x'.*\[time, batch, 2\].*axis 1/.test(e.message),
  );
});

test('files out of order or not legal: read in order, or refused by name', async () => {
  const bytes = write({ ...mlp, graph: { ...mlp.graph, nodes: mlp.graph.nodes.toReversed() } });
  const report = await run('saliency', file('reversed.onnx', bytes), digits, { samples: 1 });
  assert.equal(report.outcome, 'measured');
  const illegal = { ...mlp, graph: { ...mlp.graph, nodes: mlp.graph.nodes.slice(1) } };
  await assert.rejects(
    run('saliency', file('illegal.onnx', write(illegal)), digits),
    (e) => e instanceof Fault && /illegal\.onnx/.test(e.message),
  );
});

test('a model in training mode: scores that depend on the batch are told', async () => {
  const note = /depend on the rows that share its batch/;
  // Free data in the shape of CIFAR-10: noise tells batch statistics as well.
  const draw = quietJob().random('pictures');
  const x = { dtype: 'float32' as const, dims: [40, 3, 32, 32], data: Float32Array.from({ length: 40 * 3072 }, () => draw.next()) };
  const y = { dtype: 'int32' as const, dims: [40], data: Int32Array.from({ length: 40 }, (_, i) => i % 10) };
  const data = { path: file('pictures.npz', writeNpz({ x, y })) };
  const train = await run('confusion-matrix', fixture('models/resnet8_cifar10.train.onnx'), data);
  assert.match(train.notes.join('\n'), note);
  const evaluation = await run('confusion-matrix', fixture('models/resnet8_cifar10.onnx'), data);
  assert.doesNotMatch(evaluation.notes.join('\n'), note);
});
