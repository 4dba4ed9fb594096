import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predictedColumns } from '../../src/app/predict.ts';
import { Fault } from '../../src/base/fault.ts';
import { readers } from '../../src/data/readers/index.ts';
import type { DataColumn, DataFacts } from '../../src/report/data-view.ts';
import { dataEndings } from '../../src/vscode/contributions.ts';
import type { DataAsk, DataTell } from '../../src/vscode/data-protocol.ts';
import { type DataSession, dataSession, type SessionPorts } from '../../src/vscode/editors/data-session.ts';

const column = (name: string): DataColumn => ({ name, kind: 'number', size: 1, dtype: 'float64', dims: [] });
const factsOf = (predicted: boolean, scored: boolean): DataFacts => ({
  name: 'x.npz',
  format: 'npz',
  length: 100,
  rows: 100,
  columns: ['y', ...(predicted ? predictedColumns : [])].map(column),
  arrays: [],
  scored,
  notes: [],
});

/** A session whose jobs are answered by hand of a table: task → answer. */
const opened = (
  given: { readonly scored?: boolean; readonly trusted?: boolean; readonly there?: boolean; readonly broken?: string } = {},
) => {
  const told: DataTell[] = [];
  const problems: string[] = [];
  const done: string[] = [];
  let held: { readonly task: string; readonly until: Promise<void> } | undefined;
  const read = async (task: string, ask: unknown, signal: AbortSignal | undefined): Promise<unknown> => {
    done.push(task);
    if (held?.task === task) await held.until;
    if (signal?.aborted) throw new Fault('job/stopped', {});
    if (given.broken === task) throw new Fault('file/empty', { path: 'x.npz' });
    const { predictions, rows, filter = '' } = ask as { predictions?: string; rows?: Uint32Array; filter?: string };
    if (task === 'data') return factsOf(predictions !== undefined, given.scored ?? false);
    if (task === 'dataSelection') return filter === '' ? { count: 100 } : { count: 3, rows: Uint32Array.of(9, 5, 7) };
    if (task === 'dataSlice') return { rows, columns: ['y'], cells: [] };
    if (task === 'attributionMaps') return [];
    return { row: 1, fields: [] };
  };
  const ports = {
    read: (task: string, ask: unknown, watch: { signal?: AbortSignal }) => read(task, ask, watch.signal),
    submit: (task: string, ask: unknown, watch: { signal?: AbortSignal }) => read(task, ask, watch.signal),
    stamp: async () => '1',
    trusted: () => given.trusted ?? true,
    predictions: async () => '/kept/p.npz',
    there: async () => given.there ?? false,
    chooseModel: async () => ({ path: '/m.onnx' }),
    saliency: (_: unknown, __: unknown, row: number) => void done.push(`saliency ${row}`),
    failed: (error: unknown) => assert.fail(String(error)),
    tell: (tell: DataTell) => void told.push(tell),
    problem: (sentence: string) => void problems.push(sentence),
  } as SessionPorts;
  const session: DataSession = dataSession({ path: 'x.npz' }, ports);
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((go) => setImmediate(go));
  };
  const ask = async (message: DataAsk): Promise<readonly DataTell[]> => {
    const from = told.length;
    session.ask(message);
    await settle();
    return told.slice(from);
  };
  return { session, ask, told, problems, done, settle, hold: (task: string, until: Promise<void>) => (held = { task, until }) };
};
const look = { filter: '' };
const slices = (generation: number, ...froms: readonly number[]): DataAsk => ({
  kind: 'slices',
  generation,
  squares: [],
  wanted: froms.map((from) => ({ from, to: from + 2, columns: ['y'] })),
});

test('a file is opened, its rows are given in file order, then in the order of a filter', async () => {
  const { ask, done } = opened();
  assert.deepEqual(
    (await ask({ kind: 'open', look })).map(({ kind }) => kind),
    ['work', 'table', 'selection'],
  );
  const [first] = await ask(slices(1, 4));
  assert.deepEqual(first.kind === 'slice' && [first.from, [...first.slice.rows]], [4, [4, 5]]);
  const [second] = await ask({ kind: 'look', look: { filter: 'y > 3' } });
  assert.deepEqual(second.kind === 'selection' && [second.generation, second.selection], [2, { count: 3 }]);
  const [third] = await ask(slices(2, 0, 2));
  assert.deepEqual(third.kind === 'slice' && [...third.slice.rows], [9, 5]);
  assert.deepEqual(await ask(slices(1, 0)), [], 'an order that is out of date is not read');
  // A page loaded anew is told again, and nothing is read for it.
  const before = done.length;
  assert.deepEqual(
    (await ask({ kind: 'open', look: { filter: 'y > 3' } })).map(({ kind }) => kind),
    ['table', 'selection'],
  );
  assert.equal(done.length, before);
});

test('of slices wanted one after the other only the newest are read', async () => {
  const { session, done, settle, hold, ask } = opened();
  await ask({ kind: 'open', look });
  let go = (): void => {};
  hold('dataSlice', new Promise((free) => (go = free)));
  for (const from of [0, 10, 20, 30, 40]) session.ask(slices(1, from, from + 2));
  await settle();
  go();
  await settle();
  assert.equal(done.filter((task) => task === 'dataSlice').length, 3);
});

test('a model is attached, its columns come, and it is put away with what was filtered by it', async () => {
  const { ask, done } = opened();
  await ask({ kind: 'open', look });
  const told = await ask({ kind: 'attach' });
  assert.ok(done.includes('predict'));
  const table = told.findLast(({ kind }) => kind === 'table');
  assert.ok(table?.kind === 'table' && table.look.model && table.facts.columns.length === 4);
  await ask({ kind: 'look', look: { filter: 'loss > 1', sort: { column: 'loss', descending: true } } });
  assert.deepEqual(await ask({ kind: 'maps', rows: [4] }), [{ kind: 'maps', method: 'gradient', maps: [], without: [4] }]);
  await ask({ kind: 'saliency', row: 4 });
  assert.equal(done.at(-1), 'saliency 4');
  const after = (await ask({ kind: 'detach' })).findLast(({ kind }) => kind === 'table');
  assert.deepEqual(after?.kind === 'table' && [after.look.filter, after.look.model, after.facts.columns.length], ['', undefined, 1]);
});

test('a filter on predictions waits for them; kept ones are not computed again', async () => {
  const { ask, done } = opened({ there: true });
  const told = await ask({ kind: 'open', look: { filter: 'loss > 1', model: { path: '/m.onnx' } } });
  const orders = told.flatMap((t) => (t.kind === 'selection' ? [[t.look.filter, t.selection.count]] : []));
  assert.deepEqual(orders, [
    ['', 100],
    ['loss > 1', 3],
  ]);
  assert.ok(!done.includes('predict'));
});

test('a table of predictions needs no model; a model is not run where the workspace is not trusted', async () => {
  const table = opened({ scored: true, trusted: false });
  await table.ask({ kind: 'open', look });
  assert.ok(table.done.includes('predict'));
  const limited = opened({ trusted: false });
  await limited.ask({ kind: 'open', look: { filter: '', model: { path: '/m.onnx' } } });
  await limited.ask({ kind: 'attach' });
  await limited.ask({ kind: 'maps', rows: [1] });
  assert.deepEqual([...new Set(limited.done)], ['data', 'dataSelection']);
});

test('what cannot be opened is a problem of the page; what cannot be predicted leaves the rows', async () => {
  const broken = opened({ broken: 'data' });
  await broken.ask({ kind: 'open', look });
  assert.match(broken.problems[0], /x\.npz/);
  const mute = opened({ broken: 'predict' });
  await mute.ask({ kind: 'open', look });
  const refused = (await mute.ask({ kind: 'attach' })).at(-1);
  assert.deepEqual(refused?.kind === 'refused' && refused.of, 'predictions');
  assert.deepEqual(mute.problems, []);
  const wrong = opened({ broken: 'dataRow' });
  await wrong.ask({ kind: 'open', look });
  assert.equal((await wrong.ask({ kind: 'row', row: 3, squares: [] }))[0].kind, 'refused');
});

test('a prediction that is stopped leaves the rows, and says so', async () => {
  const { ask, session, settle, hold, told, done } = opened();
  await ask({ kind: 'open', look });
  let go = (): void => {};
  hold('predict', new Promise((free) => (go = free)));
  await ask({ kind: 'attach' });
  assert.ok(done.includes('predict'));
  session.ask({ kind: 'stop' });
  go();
  await settle();
  const last = told.at(-1);
  assert.deepEqual(last?.kind === 'refused' && last.sentence, 'Stopped on request.');
});

test('every file that a reader knows by its ending can be opened with the data editor', () => {
  assert.deepEqual([...dataEndings].sort(), readers.flatMap(({ endings }) => endings).sort());
});
