import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { RUN_SCHEMA, runStore } from '../../src/jobs/store.ts';
import type { Report } from '../../src/report/report.ts';
import type { Live } from '../../src/report/tasks.ts';

const root = mkdtempSync(join(tmpdir(), 'assay-store-'));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(root, String(count++), '.assay', 'runs');

const about = { kind: 'run', title: 'Reliability', subject: 'digits.onnx', request: { id: 'reliability', seed: 1 } } as const;
const report: Report = {
  schema: 1,
  id: 'reliability',
  title: 'Reliability',
  question: 'Is it?',
  outcome: 'measured',
  headline: { ece: 0.02 },
  intervals: {},
  cards: [],
  guide: '',
  notes: [],
  samples: [],
  provenance: {
    dataPath: 'd.npz',
    dataSha256: '00',
    rows: 3,
    seed: 1,
    device: { requested: 'cpu', actual: 'cpu', reason: 'asked for' },
    versions: {},
    options: {},
    seconds: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
  },
};
const epoch = (n: number): Live => ({ kind: 'epoch', epoch: n, validationLoss: 1 / (n + 1) });
const head = (folder: string, id: string): string => join(folder, id, 'run.json');
const edit = (path: string, change: (head: Record<string, unknown>) => void): void => {
  const it = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(it);
  writeFileSync(path, JSON.stringify(it));
};

test('a run is there from its start, and holds its reports when it is done', async () => {
  const store = runStore(fresh());
  const run = await store.start(about);
  const [first] = (await store.list()).runs;
  assert.deepEqual(
    [first.id, first.status, first.title, first.subject, first.request],
    [run.id, 'running', about.title, about.subject, about.request],
  );
  await run.note('scaled by 1/16');
  const record = await run.done({ reports: [report] });
  assert.equal(record.status, 'done');
  const [listed] = (await store.list()).runs;
  assert.deepEqual(listed, record);
  assert.deepEqual(listed.reports, [{ id: 'reliability', title: 'Reliability', outcome: 'measured', headline: { ece: 0.02 } }]);
  const whole = await store.read(run.id);
  assert.deepEqual(whole.result.reports, [report]);
  assert.deepEqual(whole.notes, ['scaled by 1/16']);
  assert.ok((whole.seconds ?? -1) >= 0);
  assert.ok(statSync(store.path(run.id)).isFile());
});

test('version control ignores the folder, and a .gitignore of the user stays', async () => {
  const folder = fresh();
  await runStore(folder).start(about);
  assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), '*\n');
  writeFileSync(join(folder, '.gitignore'), 'mine\n');
  await runStore(folder).start(about);
  assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8'), 'mine\n');
});

test('what streams is kept in order, also when the run fails or is stopped', async () => {
  const store = runStore(fresh());
  const failed = await store.start({ ...about, kind: 'train' });
  await Promise.all(Array.from({ length: 50 }, (_, n) => failed.live(epoch(n))));
  await failed.failed(new Fault('job/crashed', { task: 'train', how: 'signal SIGKILL' }));
  const stopped = await store.start(about);
  void stopped.live(epoch(0));
  await stopped.failed(new Fault('job/stopped', {}));

  const one = await store.read(failed.id);
  assert.equal(one.status, 'failed');
  assert.match(one.sentence ?? '', /signal SIGKILL/);
  assert.deepEqual(
    one.live,
    Array.from({ length: 50 }, (_, n) => epoch(n)),
  );
  const two = await store.read(stopped.id);
  assert.deepEqual([two.status, two.live.length, two.result.reports.length], ['stopped', 1, 0]);
});

test('newest first; an id is the name of its folder', async () => {
  const folder = fresh();
  const store = runStore(folder);
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    ids.push((await store.start({ ...about, title: `${i}` })).id);
    await new Promise((done) => setTimeout(done, 2));
  }
  assert.deepEqual(
    (await store.list()).runs.map((r) => r.id),
    ids.reverse(),
  );
  assert.deepEqual(
    readdirSync(folder)
      .filter((f) => !f.startsWith('.'))
      .sort(),
    [...ids].sort(),
  );
});

test('a run whose process has ended is shown as failed with what it had written, and stays so on disk for nobody else', async () => {
  const folder = fresh();
  const script = `
    import { runStore } from ${JSON.stringify(new URL('../../src/jobs/store.ts', import.meta.url).href)};
    const run = await runStore(process.argv[1]).start({ kind: 'train', title: 'Train', subject: 'r.json', request: {} });
    await run.live({ kind: 'epoch', epoch: 7 });
    process.kill(process.pid, 'SIGKILL');`;
  spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, folder], {
    cwd: join(import.meta.dirname, '..', '..'),
  });
  const store = runStore(folder);
  const [run] = (await store.list()).runs;
  assert.equal(run.status, 'failed');
  assert.match(run.sentence ?? '', /has ended/);
  // The line that was being written when it died is dropped, those before it are kept.
  writeFileSync(join(folder, run.id, 'live.jsonl'), '{"live":{"kind":"ep', { flag: 'a' });
  assert.deepEqual((await store.read(run.id)).live, [{ kind: 'epoch', epoch: 7 }]);
});

test('a running run of an earlier session with the same process number, or without a pulse, is shown as failed', async () => {
  const folder = fresh();
  const store = runStore(folder);
  const [same, silent, other, ours] = [
    await store.start(about),
    await store.start(about),
    await store.start(about),
    await store.start(about),
  ];
  edit(head(folder, same.id), (h) => Object.assign(h, { owner: { ...(h.owner as object), session: 'before' } }));
  edit(head(folder, silent.id), (h) => Object.assign(h, { owner: { host: 'another-machine', pid: 1, session: 'x' } }));
  const long = new Date(Date.now() - 3_600_000);
  utimesSync(head(folder, silent.id), long, long);
  edit(head(folder, other.id), (h) => Object.assign(h, { owner: { host: 'another-machine', pid: 1, session: 'x' } }));
  const status = Object.fromEntries((await store.list()).runs.map((r) => [r.id, r.status]));
  assert.deepEqual(
    [same, silent, other, ours].map(({ id }) => status[id]),
    ['failed', 'failed', 'running', 'running'],
  );
});

test('an entry that cannot be read is skipped with the reason and left as it is', async () => {
  const folder = fresh();
  const store = runStore(folder);
  const good = await store.start(about);
  await good.done({ reports: [] });
  const [torn, empty, newer] = [await store.start(about), { id: '2020-empty' }, await store.start(about)];
  writeFileSync(head(folder, torn.id), '{"id": "');
  mkdirSync(join(folder, empty.id));
  edit(head(folder, newer.id), (h) => Object.assign(h, { schema: RUN_SCHEMA + 1 }));
  const { runs, unreadable } = await store.list();
  assert.deepEqual(
    runs.map((r) => r.id),
    [good.id],
  );
  const why = Object.fromEntries(unreadable.map(({ path, reason }) => [path, reason]));
  assert.match(why[join(folder, torn.id)], /damaged/);
  assert.match(why[join(folder, empty.id)], /no run\.json/);
  assert.match(why[join(folder, newer.id)], /newer version/);
  await assert.rejects(store.read(torn.id), (e) => Fault.is(e, 'run/unreadable'));
  assert.equal(readFileSync(head(folder, torn.id), 'utf8'), '{"id": "');
});

test('the last 200 are kept; those that run or cannot be read are not thrown away', async () => {
  const folder = fresh();
  const store = runStore(folder);
  const running = await store.start(about);
  const whole = readFileSync(head(folder, running.id), 'utf8');
  for (let i = 0; i < 205; i++) {
    const id = `2020-01-01T00-00-00-${String(i).padStart(3, '0')}Z-aaaaaa`;
    mkdirSync(join(folder, id));
    writeFileSync(head(folder, id), i === 0 ? 'torn' : JSON.stringify({ ...JSON.parse(whole), id, status: i === 1 ? 'running' : 'done' }));
  }
  await store.start(about);
  const left = readdirSync(folder).filter((f) => f.startsWith('2020'));
  // 199 newest of 206 stay (with the one that ran before them 200), and the torn and the running one behind them.
  assert.equal(left.length, 201);
  assert.ok(left.some((f) => f.includes('-000Z')) && left.some((f) => f.includes('-001Z')) && !left.some((f) => f.includes('-005Z')));
});

test('a run is deleted by its id; an unknown or dishonest id is refused', async () => {
  const folder = fresh();
  const store = runStore(folder);
  const run = await store.start(about);
  await run.done({ reports: [] });
  await store.delete(run.id);
  assert.deepEqual((await store.list()).runs, []);
  await assert.rejects(store.read(run.id), (e) => Fault.is(e, 'run/unknown'));
  for (const id of ['..', '../../etc', '.', 'a/b', '']) await assert.rejects(store.read(id), (e) => Fault.is(e, 'run/unknown'), id);
  await assert.rejects(
    async () => store.delete('..'),
    (e) => Fault.is(e, 'run/unknown'),
  );
});

test('an empty or absent folder has no runs', async () => {
  assert.deepEqual(await runStore(fresh()).list(), { runs: [], unreadable: [] });
});

test('counts of a suite stand in the head', async () => {
  const store = runStore(fresh());
  const run = await store.start({ ...about, kind: 'suite' });
  const check = (status: 'passed' | 'failed' | 'skipped') => ({ name: status, status, sentence: '', gates: [], seconds: 0 });
  const suite = { path: 'assay.json', checks: [check('passed'), check('passed'), check('failed'), check('skipped')] };
  const { checks } = await run.done({ reports: [], suite });
  assert.deepEqual(checks, { passed: 2, failed: 1, skipped: 1, error: 0 });
});
