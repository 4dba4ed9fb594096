import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnoseAll } from '../../src/app/diagnose.ts';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { type Diagnostic, defineStudy } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import type { ColumnsTool, OutputsTool } from '../../src/evidence/evidence.ts';
import { world } from '../../src/jobs/world.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-columns-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const save = (name: string, content: Uint8Array | string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const { signal } = new AbortController();

/** A study that hands its tools to `ask` and finds nothing. */
const asking = (ask: (columns: ColumnsTool, outputs: OutputsTool) => Promise<void>): Diagnostic =>
  defineStudy({
    id: 'asking',
    title: 'Asking',
    family: 'data',
    question: 'What is in the file?',
    source: 'made up here',
    uses: ['columns', 'outputs'],
    options: {},
    study: ({ columns, outputs }) => ask(columns, outputs),
    report: () => ({ headline: {}, cards: [], guide: '' }),
  });
const run = async (of: Partial<RunRequest> & Pick<RunRequest, 'data'>, ask: Parameters<typeof asking>[0]) => {
  const [found] = await diagnoseAll(
    [{ id: 'asking', device: 'cpu', seed: 0, options: {}, ...of }],
    ports,
    { ...quietJob(), live: () => {} },
    [asking(ask)],
  );
  if (found instanceof Fault) throw found;
  assert.equal(found.outcome, 'measured', found.reason?.sentence);
  return found;
};
const code = (expected: FaultCode) => (error: unknown) => Fault.is(error, expected);

const arrays = save(
  'arrays.npz',
  writeNpz({
    images: float32([3, 2], [1, 2, 3, 4, 5, 6]),
    texts: float32([2, 2, 2], [1, 0, 0, 1, 0.5, 0.25, 0, 1]),
    y: int64([3], [0, 1, 1]),
    scale: float32([], [100]),
  }),
);

test('arrays of any shape are listed and read whole in float64; those as long as the rows also by the rows diagnosed', async () => {
  await run({ data: { path: arrays, x: 'images' }, limit: 2 }, async (columns, outputs) => {
    assert.deepEqual(
      columns.list.map(({ name, dims, dtype }) => [name, dims, dtype]),
      [
        ['images', [3, 2], 'float32'],
        ['y', [3], 'int64'],
        ['texts', [2, 2, 2], 'float32'],
        ['scale', [1], 'float32'],
      ],
    );
    assert.deepEqual([columns.label, [...columns.rows], outputs.given], ['y', [0, 1], false]);
    const texts = await columns.read('texts', signal);
    assert.deepEqual(
      [texts.dims, [...texts.data]],
      [
        [2, 2, 2],
        [1, 0, 0, 1, 0.5, 0.25, 0, 1],
      ],
    );
    assert.deepEqual([...(await columns.read('images', signal)).data], [1, 2, 3, 4, 5, 6]);
    const images = await columns.take('images', signal);
    assert.deepEqual(
      [images.dims, [...images.data]],
      [
        [2, 2],
        [1, 2, 3, 4],
      ],
    );
    assert.deepEqual([...(await columns.take('y', signal)).data], [0, 1]);
    assert.deepEqual([...(await columns.read('scale', signal)).data], [100]);
    await assert.rejects(columns.take('texts', signal), code('data/array-rows'));
    await assert.rejects(
      columns.read('text', signal),
      (e: unknown) => Fault.is(e, 'data/column') && e.detail.nearest === 'texts' && e.detail.known.length === 4,
    );
    await assert.rejects(outputs.read('values'), code('data/predictions'));
  });
});

test('columns of a table that is no predictions, text among them, and another file', async () => {
  const sizes = save('sizes.csv', 'size,error,name\n100,0.5,a\n200,0.4,b\n400,,c\n');
  await run({ data: { path: sizes } }, async (columns) => {
    assert.deepEqual([...(await columns.take('error', signal)).data], [0.5, 0.4, Number.NaN]);
    assert.deepEqual(await columns.words('name', signal), ['a', 'b', 'c']);
    await assert.rejects(columns.read('name', signal), code('data/not-a-number'));
    const other = await columns.file(arrays, signal);
    assert.deepEqual((await other.read('texts', signal)).dims, [2, 2, 2]);
    await assert.rejects(columns.file(join(folder, 'none.npz'), signal), code('file/missing'));
  });
});

test('outputs of a table: probabilities and values as given; text labels that are no class are numbered after the classes', async () => {
  const table = save('table.csv', 'prob_cat,prob_dog,label\n0.9,0.1,dog\n0.2,0.8,wolf\n0.5,0.5,\n0.4,0.6,bear\n');
  await run({ data: { path: table } }, async (_, outputs) => {
    const told = await outputs.read('probabilities');
    assert.deepEqual([...told.values.data], [0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.4, 0.6]);
    assert.deepEqual(told.names, ['cat', 'dog']);
    assert.deepEqual([...(told.labels ?? [])], [1, 3, Number.NaN, 2]);
    assert.deepEqual(told.labelNames, ['cat', 'dog', 'bear', 'wolf']);
    const given = await outputs.read('values');
    assert.deepEqual([given.names, given.values.cols], [['0', '1'], 2]);
  });
});

test('a study that reads columns leaves runs of the same subject that read classes as they are', async () => {
  const table = save('both.csv', 'prob_cat,prob_dog,label\n0.9,0.1,dog\n0.2,0.8,wolf\n');
  const ask = { device: 'cpu', seed: 0, options: {}, data: { path: table } } as const;
  const found = await diagnoseAll(
    [
      { id: 'confusion-matrix', ...ask },
      { id: 'asking', ...ask },
      { id: 'none', ...ask },
    ],
    ports,
    { ...quietJob(), live: () => {} },
    [...diagnostics, asking(async (columns) => assert.equal(columns.rows.length, 2))],
  );
  assert.deepEqual(
    found.map((f) => (f instanceof Fault ? f.code : f.outcome)),
    ['data/class-name', 'measured', 'id/unknown'],
  );
});
