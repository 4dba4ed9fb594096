import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { alive, gone, has, make } from './supervisors.ts';

// Most tests share one supervisor: each must leave it usable, which is the point of it.
const jobs = make();

test('typed arrays arrive as typed arrays', async () => {
  const give = await jobs.submit('arrays', { x: Float32Array.of(1, 2, 3) });
  assert.deepEqual(give.doubled, Float32Array.of(2, 4, 6));
  assert.deepEqual(give.view, Float64Array.of(3, 3, 3));
  assert.deepEqual(give.whole, BigInt64Array.of(-1n));
  assert.equal(give.bytes.constructor.name, 'Uint8Array');
});

test('a job gets its ports, and its random numbers from the seed it was asked with', async () => {
  assert.deepEqual(await jobs.submit('world', null), { assay: 'test' });
  assert.equal(await jobs.submit('draw', { seed: 7 }), random(7, 'draws').next());
});

test('progress comes at most every 50 ms, the last one always, before the result', async () => {
  const seen: [number, string][] = [];
  const notes: string[] = [];
  const times = 60;
  await jobs.submit('progress', { times, ms: 300 }, { onProgress: (f, t) => seen.push([f, t]), onNote: (t) => notes.push(t) });
  assert.deepEqual(seen.at(-1), [1, '60']);
  assert.ok(seen.length >= 2 && seen.length < times / 2, `${seen.length} of ${times} were sent`);
  assert.deepEqual(
    seen.map(([f]) => f),
    seen.map(([f]) => f).sort((a, b) => a - b),
  );
  assert.equal(notes.length, times);
});

test('a fault of the job is the same fault here; the process stays', async () => {
  const before = await jobs.submit('pid', null);
  await assert.rejects(jobs.submit('fault', null), (e) => Fault.is(e, 'file/missing') && e.detail.path === 'there.npz');
  assert.equal(await jobs.submit('pid', null), before);
});

test('an unexpected error keeps its message and the place in the job process', async () => {
  await assert.rejects(jobs.submit('error', null), (e) => {
    assert.ok(e instanceof Error && !(e instanceof Fault));
    assert.equal(e.message, 'an index was wrong');
    assert.match(e.stack ?? '', /entry\.ts/);
    return true;
  });
});

test('what cannot be cloned is an error on either side, not a hang', async () => {
  await assert.rejects(
    jobs.submit('echo', () => 1),
    /could not be cloned/,
  );
  await assert.rejects(jobs.submit('unclonable', null), /could not be cloned/);
  assert.equal(await jobs.submit('echo', 1), 1);
});

test('an unknown task is named, with what there is', async () => {
  await assert.rejects(jobs.submit('unheard', null), has('id/unknown', /Unknown task 'unheard'/));
});

test('a job that watches its signal is stopped without being killed, and its process lives on', async () => {
  const patient = make({ graceMs: 20_000 });
  const before = await patient.submit('pid', null);
  const stop = new AbortController();
  let job: Promise<unknown> = Promise.resolve();
  await new Promise<void>((done) => {
    job = patient.submit('sleep', { ms: 30_000 }, { signal: stop.signal, onLive: () => done() });
    job.catch(() => {});
  });
  const start = performance.now();
  stop.abort();
  await assert.rejects(job, has('job/stopped'));
  assert.ok(performance.now() - start < 1000);
  assert.equal(await patient.submit('pid', null), before);
});

test('the AbortError of an interrupted wait is a stop, too', async () => {
  const stop = new AbortController();
  const job = jobs.submit('aborted', null, { signal: stop.signal });
  setTimeout(() => stop.abort(), 50);
  await assert.rejects(job, has('job/stopped'));
});

test('a job that blocks its thread is stopped within a second; the next runs in a new process', async () => {
  const before = await jobs.submit('pid', null);
  const stop = new AbortController();
  let job: Promise<unknown> = Promise.resolve();
  await new Promise<void>((done) => {
    job = jobs.submit('block', { ms: 30_000 }, { signal: stop.signal, onLive: () => done() });
    job.catch(() => {});
  });
  await new Promise((done) => setTimeout(done, 100));
  const start = performance.now();
  stop.abort();
  await assert.rejects(job, has('job/stopped'));
  assert.ok(performance.now() - start < 1000, `${performance.now() - start} ms`);
  assert.notEqual(await jobs.submit('pid', null), before);
  assert.equal(alive(before), false);
});

test('a signal that was aborted before never starts a job', async () => {
  await assert.rejects(jobs.submit('echo', 1, { signal: AbortSignal.abort() }), has('job/stopped'));
});

for (const [task, how] of [
  ['abort', /signal SIGABRT|exit code/],
  ['kill', /signal SIGKILL/],
  ['exit', /exit code 5/],
] as const) {
  test(`a process that ends itself (${task}) is a fault that says how; the next job runs`, async () => {
    await assert.rejects(jobs.submit(task, null), (e) => has('job/crashed', how)(e) && has('job/crashed', new RegExp(`'${task}'`))(e));
    assert.equal(await jobs.submit('echo', task), task);
  });
}

const scratch = mkdtempSync(join(tmpdir(), 'assay-jobs-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const measured = { id: 'reliability', cards: [], notes: ['own'] };

test('a process that dies is started once more with its job, and the report says so', async () => {
  const lost: string[] = [];
  const path = join(scratch, 'first');
  const give = await jobs.submit('once', { path, report: measured }, { onRestart: (how) => lost.push(how) });
  assert.deepEqual(lost, ['signal SIGKILL']);
  const [note, own] = (give as typeof measured).notes;
  assert.match(note, /ended unexpectedly \(signal SIGKILL\).*second attempt/);
  assert.equal(own, 'own');
});

test('the note stands in the report of a training, and in each of a suite', async () => {
  const training = (await jobs.submit('once', { path: join(scratch, 'train'), report: { out: 'a', report: measured } })) as {
    report: typeof measured;
  };
  assert.equal(training.report.notes.length, 2);
  const whole = { checks: [{ name: 'a', report: measured }, { name: 'b' }] };
  const suite = (await jobs.submit('once', { path: join(scratch, 'suite'), report: whole })) as { checks: { report?: typeof measured }[] };
  assert.deepEqual(
    suite.checks.map(({ report }) => report?.notes.length),
    [2, undefined],
  );
});

test('the second attempt is asked what the first has left to do', async () => {
  const asked: unknown[] = [];
  const path = join(scratch, 'again');
  const began = Date.now();
  const resuming = make({
    again: async (task, ask, since) => {
      asked.push(task, ask, since >= began);
      return { path, report: 'went on' };
    },
  });
  assert.equal(await resuming.submit('once', { path, report: 'from the start' }), 'went on');
  assert.deepEqual(asked, ['once', { path, report: 'from the start' }, true]);
});

test('a process that dies again is a fault that tells both ends, and is not started a third time', async () => {
  let restarts = 0;
  await assert.rejects(
    jobs.submit('kill', null, { onRestart: () => restarts++ }),
    has('job/crashed', /SIGKILL.*as it had before \(signal SIGKILL\)/),
  );
  assert.equal(restarts, 1);
});

for (const [task, message] of [
  ['reject', /nobody listened/],
  ['throw', /thrown outside any job/],
] as const) {
  test(`an error outside the job's promise (${task}) ends the job with its message; the next job runs`, async () => {
    const first = jobs.submit(task, null);
    const next = jobs.submit('echo', 'next');
    await assert.rejects(first, message);
    assert.equal(await next, 'next');
  });
}

test('an entry that does not exist is a crash with the reason', async () => {
  const lost = make({ entry: join(import.meta.dirname, 'nowhere.ts') });
  await assert.rejects(lost.submit('echo', 1), has('job/crashed', /nowhere\.ts/));
});

test('what a job writes to its streams is kept for the log, not shown', async () => {
  await jobs.submit('loud', null);
  await new Promise((done) => setTimeout(done, 100));
  assert.match(jobs.log(), /to the output/);
  assert.match(jobs.log(), /to the error stream/);
});

test('the job process does not inherit a debugger, and gets the environment it is given', async () => {
  process.env.NODE_OPTIONS = '--inspect-publish-uid=http';
  const own = make({ env: { ASSAY_TEST: 'given' } });
  const { execArgv, options, given } = await own.submit('node', null).finally(() => delete process.env.NODE_OPTIONS);
  assert.deepEqual(execArgv, ['--import', 'tsx']);
  assert.equal(options, undefined);
  assert.equal(given, 'given');
});

/** Runs `parent.ts` and gives its process and the pid of its job process. */
const family = async (mode: string) => {
  const parent = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'parent.ts'), mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((done) => parent.once('exit', done));
  const pid = await new Promise<number>((done) => parent.stdout.once('data', (line) => done(Number(line))));
  return { parent, ended, pid };
};

test('an idle job process does not keep its parent alive', async () => {
  const { ended, pid } = await family('end');
  assert.equal(await ended, 0);
  await gone(pid);
});

test('a job process ends when its parent was killed', async () => {
  const { parent, pid } = await family('wait');
  assert.ok(alive(pid));
  parent.kill('SIGKILL');
  await gone(pid);
});

test('dispose stops what runs and waits, and leaves no process', async () => {
  const last = make({ processes: 2 });
  await last.warm();
  const pid = await last.submit('pid', null);
  let running: Promise<unknown> = Promise.resolve();
  await new Promise<void>((done) => {
    running = last.submit('block', { ms: 30_000 }, { onLive: () => done() });
    running.catch(() => {});
  });
  const other = await last.submit('pid', null);
  const start = performance.now();
  await Promise.all([last.dispose(), assert.rejects(running, has('job/stopped'))]);
  assert.ok(performance.now() - start < 1000);
  assert.deepEqual([pid, other].map(alive), [false, false]);
  await assert.rejects(last.submit('echo', 1), has('job/stopped'));
});
