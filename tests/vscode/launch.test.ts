import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { runStore } from '../../src/jobs/store.ts';
import type { Supervisor, Watch } from '../../src/jobs/supervisor.ts';
import type { Report } from '../../src/report/report.ts';
import type { Steer, TrainLive } from '../../src/report/tasks.ts';
import type { Launch } from '../../src/vscode/define.ts';
import { history } from '../../src/vscode/history.ts';
import { type LaunchPorts, launch, launchOf, type Running, type Steered } from '../../src/vscode/launch.ts';
import type { Problem } from '../../src/vscode/problem.ts';
import type { ToPage } from '../../src/vscode/protocol.ts';
import { readSuite } from '../../src/vscode/suite.ts';
import { suiteText } from './scripted-host.ts';

const folder = mkdtempSync(join(tmpdir(), 'assay-launch-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const fixture = (name: string): Report =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../fixtures/reports/${name}.json`), 'utf8')) as Report;
const report = fixture('every-kind');
const steps: TrainLive = {
  kind: 'steps',
  step: [1, 2],
  epoch: 1,
  epochs: 9,
  totalSteps: 90,
  loss: [2, 1],
  accuracy: [0.1, 0.4],
  learningRate: [0.1, 0.1],
  gradientNorm: [1, 1],
  stepsPerSecond: 100,
};

const suite = '/work space/assay.json';
const diagnose: Launch = {
  task: 'run',
  title: 'Reliability Diagram',
  subject: 'digits on test',
  ask: {
    id: 'reliability',
    model: { path: '/work space/digits.onnx' },
    data: { path: '/work space/data/digits.npz' },
    options: {},
    device: 'cpu',
    seed: 0,
  },
};
const train: Launch = {
  task: 'train',
  title: 'Train digits.onnx',
  subject: 'digits.train.json',
  ask: { recipe: '/w/digits.train.json', out: '/w/digits.onnx', device: 'cpu', resume: false, force: false },
};
const check: Launch = { task: 'suite', title: 'Suite', subject: 'assay.json', ask: { path: suite, device: 'cpu', seed: 0 } };

type Answer = (task: string, watch: Watch) => Promise<unknown>;
/** Runs `work` against a job process that answers so; what was shown, said and kept comes back. */
const play = async (name: string, work: Launch, answer: Answer, meanwhile: (running: Running) => void = () => {}) => {
  const store = runStore(join(folder, name));
  const shown: ToPage[] = [];
  const said: Problem[] = [];
  const running: Running = new Map();
  const standings: (Steered | undefined)[] = [];
  let closed = false;
  let begun = (): void => {};
  const submitted = new Promise<void>((done) => (begun = done));
  const submit = async (task: string, _: unknown, watch: Watch = {}): Promise<unknown> => {
    const given = answer(task, watch);
    begun();
    return given;
  };
  const ports: LaunchPorts = {
    jobs: { submit: submit as Supervisor['submit'] },
    store,
    view: () => ({
      post: (message) => void shown.push(message),
      close() {
        closed = true;
      },
    }),
    progress: (_, begin) => begin(() => {}),
    changed() {},
    steered: (_, standing) => void standings.push(standing),
    say: (problem) => void said.push(problem),
    log() {},
  };
  const ended = launch(work, ports, running);
  await submitted;
  meanwhile(running);
  await ended;
  assert.equal(running.size, 0);
  const [head] = (await store.list()).runs;
  return { store, shown, said, standings, closed, run: await store.read(head.id), head };
};
const stopped = ({ signal }: Watch): Promise<never> =>
  new Promise((_, fail) => signal?.addEventListener('abort', () => fail(new Fault('job/stopped', {}))));

test('a run that ends well is kept and shown, and can be asked for again as it was', async () => {
  const { shown, said, run, head } = await play('well', diagnose, async (_, watch) => {
    watch.onProgress?.(0.5, 'half');
    return report;
  });
  assert.deepEqual(
    shown.map(({ type }) => type),
    ['progress', 'progress', 'reports'],
  );
  assert.equal(run.status, 'done');
  assert.deepEqual(run.result.reports, [report]);
  assert.deepEqual(said, []);
  assert.deepEqual(launchOf(head), diagnose);
});

test('what the subject cannot supply is said with a way out, and its report is kept', async () => {
  const unavailable = fixture('unavailable');
  const { said, run } = await play('unavailable', diagnose, async () => unavailable);
  assert.deepEqual(said, [{ sentence: unavailable.reason?.sentence, remedies: ['choose'] }]);
  assert.equal(run.status, 'done');
});

test('a fault is shown and said in the same sentence', async () => {
  const fault = new Fault('graph/not-onnx', { path: '/w/a.onnx', reason: 'the file is cut short' });
  const { shown, said, run } = await play('fault', diagnose, () => Promise.reject(fault));
  assert.deepEqual(shown.at(-1), { type: 'problem', sentence: fault.message });
  assert.deepEqual(said, [{ sentence: fault.message, remedies: ['choose'] }]);
  assert.equal(run.status, 'failed');
  assert.equal(run.sentence, fault.message);
});

test('a job process that dies leaves a failed run with what it had streamed, and offers to run it again', async () => {
  const { said, run } = await play('crash', train, async (_, watch) => {
    watch.onLive?.(steps);
    watch.onNote?.('a note');
    throw new Fault('job/crashed', { task: 'train', how: 'signal SIGKILL' });
  });
  assert.equal(run.status, 'failed');
  assert.deepEqual(run.live, [steps]);
  assert.deepEqual(run.notes, ['a note']);
  assert.deepEqual(said[0].remedies, ['again', 'log']);
});

test('a run that waits says its place where it is shown, and one that was started again says so', async () => {
  const { shown, run } = await play('queue', diagnose, async (_, watch) => {
    watch.onQueue?.(3);
    watch.onQueue?.(1);
    watch.onQueue?.(0);
    watch.onRestart?.('signal SIGKILL');
    return report;
  });
  assert.deepEqual(
    shown.flatMap((message) => (message.type === 'progress' ? [message.text] : [])),
    [
      'Starting',
      'Waiting: 2 before it',
      'Next to start',
      'Starting',
      'The job process ended unexpectedly (signal SIGKILL); it is started again.',
    ],
  );
  assert.match(run.notes[0], /started again/);
});

test('a training says that it can be steered, each time that it pauses or goes on, and no longer when it has ended', async () => {
  const asked: Steer[] = [];
  const { standings, shown, run } = await play('steer', train, async (_, watch) => {
    watch.onBegin?.((steer) => void asked.push(steer));
    watch.onLive?.({ kind: 'standing', paused: false });
    watch.onLive?.({ kind: 'standing', paused: true });
    return { out: '/w/digits.onnx', report };
  });
  assert.deepEqual(
    standings.map((standing) => standing?.paused),
    [false, true, undefined],
  );
  standings[1]?.steer('stop');
  assert.deepEqual(asked, ['stop']);
  const last = shown.at(-1);
  assert.equal(last?.type === 'reports' && last.out, '/w/digits.onnx');
  assert.equal(run.out, '/w/digits.onnx');
});

test('stopping is not an error: nothing is said, and a panel that showed nothing goes', async () => {
  const cancel = (running: Running): void => {
    for (const stop of running.values()) stop();
  };
  const early = await play('stop', diagnose, (_, watch) => stopped(watch), cancel);
  assert.deepEqual(early.said, []);
  assert.ok(early.closed);
  assert.equal(early.run.status, 'stopped');
  const late = await play(
    'stop-late',
    train,
    (_, watch) => {
      watch.onLive?.(steps);
      return stopped(watch);
    },
    cancel,
  );
  assert.ok(!late.closed);
  assert.deepEqual(late.run.live, [steps]);
});

test('lenses show the newest result of each entry, and of each check whichever run had it', async () => {
  const checks = [
    {
      name: 'calibrated',
      status: 'failed',
      sentence: 's',
      gates: [{ name: 'ece', holds: false, actual: 0.07, expected: { max: 0.05 }, sentence: '' }],
      report,
      seconds: 1,
    },
  ];
  const { store } = await play('lenses', check, async () => ({ path: suite, checks }));
  const kept = history(store);
  const first = await kept.last(suite, readSuite(suiteText));
  assert.equal(first.checks.get('calibrated')?.text, '$(error)\u00a0ece 0.07');
  assert.equal(first.checks.get('calibrated')?.focus, '0:0');
  assert.equal(first.models.size, 0);
  await play('lenses', diagnose, async () => report);
  kept.forget();
  const second = await kept.last(suite, readSuite(suiteText));
  assert.match(second.models.get('digits')?.text ?? '', /^Reliability Diagram: accuracy 0\.9/);
  assert.match(second.datasets.get('test')?.text ?? '', /^Reliability Diagram: /);
  assert.ok(second.checks.has('calibrated'));
});
