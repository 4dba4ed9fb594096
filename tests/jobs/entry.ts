/** A job process whose tasks do what real ones must never bring the supervisor down with. */
import { existsSync, writeFileSync } from 'node:fs';
import type { Ports } from '../../src/app/ports.ts';
import { Fault } from '../../src/base/fault.ts';
import { breathe } from '../../src/base/job.ts';
import { serve, type Table, type Work } from '../../src/jobs/serve.ts';

const blockThread = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

const table = (work: Readonly<Record<string, Work>>): Table =>
  Object.fromEntries(Object.entries(work).map(([task, use]) => [task, async () => use]));

serve(
  table({
    echo: async (ask) => ask,
    pid: async () => process.pid,
    node: async () => ({ execArgv: process.execArgv, options: process.env.NODE_OPTIONS, given: process.env.ASSAY_TEST }),
    sleep: async (ask: { ms: number }, _, job) => {
      job.live({ kind: 'epoch', epoch: 0 });
      for (const until = performance.now() + ask.ms; performance.now() < until; ) {
        await breathe(job);
        await sleep(5);
      }
      return ask.ms;
    },
    block: async (ask: { ms: number }, _, job) => {
      job.live({ kind: 'epoch', epoch: 1 });
      await sleep(20);
      blockThread(ask.ms);
      return ask.ms;
    },
    progress: async (ask: { times: number; ms: number }, _, job) => {
      for (let i = 1; i <= ask.times; i++) {
        job.progress(i / ask.times, `${i}`);
        job.note(`note ${i}`);
        await sleep(ask.ms / ask.times);
      }
      return ask.times;
    },
    arrays: async (ask: { x: Float32Array }) => ({
      doubled: ask.x.map((v) => 2 * v),
      view: new Float64Array(8).fill(3).subarray(2, 5),
      whole: BigInt64Array.of(-1n),
      bytes: Uint8Array.of(1, 2),
    }),
    draw: async (_, __, job) => job.random('draws').next(),
    world: async (_, ports) => ports.versions,
    fault: async () => {
      throw new Fault('file/missing', { path: 'there.npz' });
    },
    error: async () => {
      throw new RangeError('an index was wrong');
    },
    aborted: async (_, __, job) => {
      await new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(job.signal.reason)));
    },
    unclonable: async () => () => 1,
    loud: async () => {
      console.log('to the output');
      console.error('to the error stream');
    },
    abort: async () => process.abort(),
    kill: async () => {
      process.kill(process.pid, 'SIGKILL');
      await sleep(5000);
    },
    // Ends itself the first time.
    once: async ({ path, report }: { path: string; report: unknown }) => {
      if (existsSync(path)) return report;
      writeFileSync(path, '');
      process.kill(process.pid, 'SIGKILL');
      await sleep(5000);
    },
    exit: async () => process.exit(5),
    reject: async () => {
      void Promise.reject(new Error('nobody listened'));
      await sleep(5000);
    },
    throw: async () => {
      setImmediate(() => {
        throw new Error('thrown outside any job');
      });
      await sleep(5000);
    },
  }),
  async () => ({ versions: { assay: 'test' } }) as unknown as Ports,
);
