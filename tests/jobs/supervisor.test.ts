import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { type Supervisor, type SupervisorOptions, supervisor } from '../../src/jobs/supervisor.ts';

interface Tasks {
  echo: { ask: unknown; give: unknown };
  pid: { ask: null; give: number };
  node: { ask: null; give: { execArgv: string[]; options?: string; given?: string } };
  sleep: { ask: { ms: number }; give: number };
  block: { ask: { ms: number }; give: number };
  progress: { ask: { times: number; ms: number }; give: number };
  arrays: { ask: { x: Float32Array }; give: { doubled: Float32Array; view: Float64Array; whole: BigInt64Array; bytes: Uint8Array } };
  draw: { ask: { seed: number }; give: number };
  world: { ask: null; give: { assay: string } };
  fault: { ask: null; give: never };
  error: { ask: null; give: never };
  aborted: { ask: null; give: never };
  unclonable: { ask: null; give: never };
  loud: { ask: null; give: undefined };
  abort: { ask: null; give: never };
  kill: { ask: null; give: never };
  once: { ask: { path: string; report: unknown }; give: unknown };
  exit: { ask: null; give: never };
  reject: { ask: null; give: never };
  throw: { ask: null; give: never };
  unheard: { ask: null; give: never };
}

const entry = join(import.meta.dirname, 'entry.ts');
const open: Supervisor<Tasks>[] = [];
const make = (options: Partial<SupervisorOptions> = {}): Supervisor<Tasks> => {
  const jobs = supervisor<Tasks>({ entry, execArgv: ['--import', 'tsx'], processes: 1, ...options });
  open.push(jobs);
  return jobs;
};
after(() => Promise.all(open.map((jobs) => jobs.dispose())));

/** An orphan stays in the table as a zombie (Z) until the init process looks after it: that is ended. */
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
const gone = async (pid: number): Promise<void> => {
  for (let i = 0; i < 60 && alive(pid); i++) await new Promise((done) => setTimeout(done, 50));
  assert.equal(alive(pid), false, `process ${pid} is still there`);
};
const has =
  (code: string, pattern = /./) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code && pattern.test(error.message);

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

test('one process takes jobs in the order they came; a waiting one can be taken back', async () => {
  const order: number[] = [];
  const stop = new AbortController();
  const jobsOf = [0, 1, 2, 3].map((i) =>
    jobs.submit('sleep', { ms: 20 + i }, { ...(i === 2 ? { signal: stop.signal } : {}) }).then(() => order.push(i)),
  );
  stop.abort();
  const ends = await Promise.allSettled(jobsOf);
  assert.deepEqual(
    ends.map((e) => e.status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(order, [0, 1, 3]);
});

/** A job that runs until it is stopped; resolves when it has started. */
const held = async (at: Supervisor<Tasks>): Promise<{ readonly end: () => Promise<void> }> => {
  const stop = new AbortController();
  let job: Promise<unknown> = Promise.resolve();
  await new Promise<void>((started) => {
    job = at.submit('sleep', { ms: 60_000 }, { signal: stop.signal, onLive: () => started() });
    job.catch(() => {});
  });
  return {
    async end() {
      stop.abort();
      await assert.rejects(job, has('job/stopped'));
    },
  };
};

test('those that wait are told their place, each time that it changes, and when they start', async () => {
  const one = make();
  const first = await held(one);
  const told: Record<string, number[]> = { a: [], b: [], c: [] };
  const taken = new AbortController();
  const watch = (name: string): { onQueue: (place: number) => void } => ({ onQueue: (place) => told[name].push(place) });
  const a = one.submit('echo', 'a', { ...watch('a'), signal: taken.signal });
  const [b, c] = ['b', 'c'].map((name) => one.submit('echo', name, watch(name)));
  taken.abort();
  await assert.rejects(a, has('job/stopped'));
  await first.end();
  await Promise.all([b, c]);
  assert.deepEqual(told, { a: [1], b: [2, 1, 0], c: [3, 2, 1, 0] });
});

test('a job that starts at once is told no place', async () => {
  const places: number[] = [];
  await make().submit('echo', 1, { onQueue: (place) => places.push(place) });
  assert.deepEqual(places, []);
});

test('long jobs leave a process free: short ones pass them, and both are told their own order', async () => {
  const two = make({ processes: 2, long: { tasks: ['sleep'], processes: 1 }, room: () => true });
  const long = await held(two);
  const places: number[] = [];
  const waits = two.submit('sleep', { ms: 1 }, { onQueue: (place) => places.push(place) });
  assert.deepEqual(await Promise.all([two.submit('echo', 'x'), two.submit('echo', 'y')]), ['x', 'y']);
  assert.deepEqual(places, [1]);
  await long.end();
  await waits;
  assert.deepEqual(places, [1, 0]);
});

test('without memory for another process a job waits for the one there is', async () => {
  let asked = 0;
  const poor = make({
    processes: 2,
    room: () => {
      asked++;
      return false;
    },
  });
  const first = await held(poor);
  const next = poor.submit('echo', 'later');
  assert.equal(await Promise.race([next, new Promise((done) => setTimeout(() => done('still waiting'), 300))]), 'still waiting');
  assert.ok(asked > 0);
  await first.end();
  assert.equal(await next, 'later');
});

test('memory that is freed is found, without another job ending', async () => {
  let room = false;
  const later = make({ processes: 2, room: () => room });
  const first = await held(later);
  const next = later.submit('echo', 'now');
  room = true;
  assert.equal(await next, 'now');
  await first.end();
});

test('job processes give way where they are told to', { skip: process.platform === 'win32' }, async () => {
  const own = getPriority();
  assert.equal(getPriority(await make().submit('pid', null)), own);
  assert.ok(getPriority(await make({ yielding: true }).submit('pid', null)) > own);
});

test('after a renewal later jobs run in a new process', async () => {
  const fresh = make();
  const before = await fresh.submit('pid', null);
  fresh.renew();
  assert.notEqual(await fresh.submit('pid', null), before);
  await gone(before);
});

test('a second process takes a job while the first is busy; a third waits', async () => {
  const two = make({ processes: 2 });
  const long = two.submit('sleep', { ms: 3000 });
  const pids = await Promise.all([two.submit('pid', null), two.submit('pid', null)]);
  assert.equal(pids[0], pids[1]);
  assert.equal(await Promise.race([long, two.submit('echo', 'quick')]), 'quick');
});

test('a process is replaced after so many jobs and ends; then idle ones end, too', async () => {
  const few = make({ recycleAfter: 2, idleMs: 300 });
  const pids: number[] = [];
  for (let i = 0; i < 3; i++) pids.push(await few.submit('pid', null));
  assert.equal(pids[0], pids[1]);
  assert.notEqual(pids[1], pids[2]);
  await gone(pids[0]);
  await gone(pids[2]);
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
