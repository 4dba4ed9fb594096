import assert from 'node:assert/strict';
import test from 'node:test';
import { rowsNamed, sampleViews } from '../../src/app/samples.ts';
import type { Bound } from '../../src/evidence/bound.ts';
import type { Card, Selection } from '../../src/report/report.ts';

const marks = (...lists: readonly number[][]): Card => {
  const axis = { label: '', unit: 'none' } as const;
  const selections = lists.map((rows): Selection => ({ label: '', total: rows.length, rows }));
  return {
    kind: 'bars',
    title: '',
    x: axis,
    y: axis,
    categories: lists.map(String),
    series: [{ name: '', values: lists.map(() => 1), selections }],
  };
};
const table: Card = {
  kind: 'table',
  title: '',
  columns: [
    { name: 'a', label: '', type: 'number' },
    { name: 'r', label: '', type: 'row' },
  ],
  rows: [
    [7, 70],
    [8, null],
  ],
};

test('every mark shows some of its rows before any shows all', () => {
  const cards = [marks([1, 2, 3, 4], [5], [6, 1]), table];
  assert.deepEqual(rowsNamed(cards, 100), [1, 5, 6, 70, 2, 3, 4]);
  assert.deepEqual(rowsNamed(cards, 3), [1, 5, 6]);
});

test('a report stays bounded: 600 rows, pictures of 32×32, 512 KiB of them', async () => {
  const rows = rowsNamed([marks(...Array.from({ length: 100 }, (_, m) => Array.from({ length: 24 }, (_, i) => m * 24 + i)))]);
  assert.equal(rows.length, 600);
  const dims = [3, 64, 64];
  const unused = async (): Promise<never> => assert.fail('samples are taken by row number');
  const bound: Bound = {
    path: 'd.npz',
    name: 'd.npz',
    count: 2400,
    inputDims: dims,
    labelled: true,
    known: [],
    groups: [],
    namesFrom: 'stored',
    dataset: {
      format: 'npz',
      path: 'd.npz',
      length: 2400,
      columns: [],
      extras: [],
      slice: unused,
      take: unused,
      extra: unused,
      close: async () => {},
    },
    rowSize: 3 * 64 * 64,
    rowAt: (p) => p,
    batches: () => assert.fail('no pass is made'),
    take: unused,
    close: async () => {},
    takeRows: async (part: readonly number[]) => ({ rows: Float64Array.from(part), labels: new Float64Array(part.length) }),
    plain: async (part: readonly number[]) => ({ values: new Float64Array(part.length * 3 * 64 * 64).fill(0.5), dims }),
  };
  const subject = { classes: ['a'], rows: 2400, scores: 'none', dataName: 'd' } as const;
  const views = await sampleViews(rows, bound, undefined, subject, undefined, new AbortController().signal);
  assert.equal(views.length, 600);
  const pictures = views.flatMap((v) => v.picture ?? []);
  const bytes = pictures.reduce((n, p) => n + p.base64.length, 0);
  // 32·32·3 bytes are 4096 characters of base64: 128 pictures fill 512 KiB.
  assert.deepEqual([pictures.length, bytes], [128, 512 * 1024]);
  assert.ok(pictures.every((p) => p.width === 32 && p.height === 32));
});
