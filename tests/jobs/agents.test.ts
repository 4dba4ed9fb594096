import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Catalogue } from '../../src/base/catalogue.ts';
import { Fault } from '../../src/base/fault.ts';
import catalogue from '../../src/generated/catalogue.json' with { type: 'json' };
import type { AgentPorts, Prepared } from '../../src/jobs/agents/define.ts';
import { keepIn, lastSecondsIn } from '../../src/jobs/agents/keep.ts';
import { agentTools } from '../../src/jobs/agents/tools.ts';
import { runStore } from '../../src/jobs/store.ts';
import type { Supervisor } from '../../src/jobs/supervisor.ts';
import type { Report } from '../../src/report/report.ts';
import type { Cost } from '../../src/report/tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-agents-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
for (const name of ['a.onnx', 'b.onnx', 'data.npz', 'old.onnx', 'a.train.json']) writeFileSync(at(name), 'x'.repeat(1000));

const offered = catalogue as unknown as Catalogue;
const cost: Cost = { reads: [at('a.onnx'), at('data.npz')], rows: 50_000, parameters: 1_000_000, macs: 2e6 };
const trained: Cost = { ...cost, reads: [at('a.train.json'), at('data.npz')], length: { epochs: 10 } };
const store = runStore(at('runs'));
const ports: AgentPorts = {
  catalogue: offered,
  jobs: {
    submit: (async (task: string, ask: { recipe?: string }) => {
      assert.equal(task, 'cost', 'nothing else is asked before a person has agreed');
      return ask.recipe === undefined ? cost : trained;
    }) as unknown as Supervisor['submit'],
  },
  folder,
  suites: async () => [],
  device: 'auto',
  seed: 3,
  keep: keepIn(store),
  files: async () => [],
  lastSeconds: lastSecondsIn(store),
};
const prepare = (name: string, given: unknown, over: Partial<AgentPorts> = {}): Promise<Prepared> => {
  const tool = agentTools(offered).find((one) => one.name === name);
  assert.ok(tool, name);
  return tool.prepare(given, { ...ports, ...over });
};

test('before a run a person is told its files, device, rows, size and time', async () => {
  const call = await prepare('run_diagnostic', { diagnostic: 'reliability', model: 'a.onnx', data: 'data.npz', limit: 10_000 });
  assert.equal(call.title, 'Reliability Diagram: a.onnx on data.npz');
  assert.deepEqual(call.reads, [at('a.onnx'), at('data.npz')]);
  assert.deepEqual(call.writes, []);
  assert.equal(call.device, 'auto');
  // 10 000 rows of 2e6 multiply–accumulates at 5e9 a second are 4 s.
  assert.equal(await call.cost(), 'the first 10,000 rows, 1,000,000 parameters, 2 kB to read, at least about 4 s on a processor');
});

test('a table of predictions runs no model', async () => {
  const call = await prepare('run_diagnostic', { diagnostic: 'reliability', data: 'data.npz' });
  assert.equal(call.device, undefined);
});

test('a training names what it writes, and three passes for each epoch', async () => {
  const call = await prepare('train_model', { recipe: 'a.train.json', out: 'new.onnx', device: 'cpu' });
  assert.deepEqual(call.writes, [at('new.onnx'), at('new.checkpoint.onnx'), at('new.checkpoint.state')]);
  assert.deepEqual(call.reads, trained.reads);
  assert.equal(call.device, 'cpu');
  // 50 000 · 2e6 · 10 · 3 / 5e9 = 600 s.
  assert.match(await call.cost(), /at most 50,000 rows, 10 epochs, .* at least about 10 min on a processor$/);
});

test('a file that is there is written over only when that was said', async () => {
  const given = { recipe: 'a.train.json', out: 'old.onnx' };
  await assert.rejects(prepare('train_model', given), (e) => Fault.is(e, 'file/exists'));
  assert.equal((await prepare('train_model', { ...given, overwrite: true })).writes[0], at('old.onnx'));
});

test('how long the same run took before is told in place of an estimate', async () => {
  const report = { id: 'reliability', title: 'Reliability diagram', outcome: 'measured', headline: {} } as Report;
  const request = { id: 'reliability', model: { path: at('b.onnx') }, data: { path: at('data.npz') }, options: {}, device: 'cpu', seed: 0 };
  await ports.keep({ kind: 'run', title: 'Reliability', subject: 'b', request }, {}, async () => ({ reports: [report] }));
  const call = await prepare('run_diagnostic', { diagnostic: 'reliability', model: 'b.onnx', data: 'data.npz' });
  assert.match(await call.cost(), /less than a second the last time$/);
});

test('names of an assay.json are asked for only where there is one', async () => {
  await assert.rejects(prepare('inspect_model', { model: 'digits' }), (e) => Fault.is(e, 'id/unknown') && e.detail.known.length === 0);
  const suites = async () => [{ path: at('assay.json'), folder: 'own' }];
  const submit = (async () => ({
    models: { digits: { path: at('a.onnx'), labels: ['no', 'yes'] } },
    datasets: {},
  })) as unknown as Supervisor['submit'];
  const call = await prepare('inspect_model', { model: 'digits' }, { jobs: { submit }, suites });
  assert.deepEqual([call.title, call.reads], ['Inspect digits', [at('a.onnx')]]);
});

test('names are those of every assay.json; one that two have is told with its folder', async () => {
  const named: Readonly<Record<string, readonly string[]>> = { one: ['digits', 'first'], two: ['digits', 'second'], broken: [] };
  const over: Partial<AgentPorts> = {
    suites: async () => Object.keys(named).map((name) => ({ path: at(`${name}/assay.json`), folder: name })),
    jobs: {
      submit: (async (_: string, { suite }: { suite: string }) => {
        const place = suite.split('/').at(-2) ?? '';
        if (place === 'broken') throw new Fault('file/missing', { path: suite });
        return { models: Object.fromEntries(named[place].map((name) => [name, { path: at(`${place}/${name}.onnx`) }])), datasets: {} };
      }) as unknown as Supervisor['submit'],
    },
  };
  const inspect = (model: string): Promise<Prepared> => prepare('inspect_model', { model }, over);
  assert.deepEqual((await inspect('second')).reads, [at('two/second.onnx')]);
  assert.deepEqual((await inspect('two/digits')).reads, [at('two/digits.onnx')]);
  assert.equal((await inspect('one/digits')).title, 'Inspect one/digits');
  assert.deepEqual((await inspect('one/first')).reads, [at('one/first.onnx')]);
  await assert.rejects(inspect('digits'), {
    message: "Several assay.json files have a model 'digits'; say which: one/digits, two/digits.",
  });
  await assert.rejects(
    inspect('digit'),
    (e) => Fault.is(e, 'id/unknown') && assert.deepEqual(e.detail.known, ['one/digits', 'first', 'two/digits', 'second']) === undefined,
  );
  await assert.rejects(inspect('three/digits'), (e) => Fault.is(e, 'file/missing'));
});

test('a run that fails or is stopped is kept as such', async () => {
  const about = { kind: 'run', title: 'Fails', subject: '', request: {} } as const;
  await assert.rejects(
    ports.keep(about, {}, () => Promise.reject(new Fault('file/missing', { path: 'x' }))),
    (e) => Fault.is(e, 'file/missing'),
  );
  let cancel = (): void => {};
  const listed = keepIn(store, { begun: (_, stop) => (cancel = stop), ended() {} });
  const stopped = listed(
    { ...about, title: 'Stops' },
    {},
    ({ signal }) => new Promise((_, fail) => signal?.addEventListener('abort', () => fail(new Fault('job/stopped', {})))),
  );
  while (true) {
    cancel();
    if (
      await Promise.race([
        stopped.then(
          () => true,
          () => true,
        ),
        new Promise<false>((done) => setTimeout(() => done(false), 20)),
      ])
    )
      break;
  }
  await assert.rejects(stopped, (e) => Fault.is(e, 'job/stopped'));
  const { runs } = await store.list();
  assert.equal(runs.find(({ title }) => title === 'Fails')?.status, 'failed');
  assert.equal(runs.find(({ title }) => title === 'Stops')?.status, 'stopped');
});

test('every tool says what it may not do: unknown arguments are refused by its schema too', () => {
  for (const { inputs, name } of agentTools(offered)) {
    assert.match(name, /^[a-z]+_[a-z]+$/);
    assert.equal(inputs.additionalProperties, false);
    for (const key of inputs.required) assert.ok(Object.hasOwn(inputs.properties, key));
  }
});
