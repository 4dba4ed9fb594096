import assert from 'node:assert/strict';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import type { Supervisor } from '../../src/jobs/supervisor.ts';
import { gone, has, make, type Tasks } from './supervisors.ts';

test('one process takes jobs in the order they came; a waiting one can be taken back', async () => {
  const jobs = make();
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
