import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { type Supervisor, type SupervisorOptions, supervisor } from '../../src/jobs/supervisor.ts';

export interface Tasks {
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
export const make = (options: Partial<SupervisorOptions> = {}): Supervisor<Tasks> => {
  const jobs = supervisor<Tasks>({ entry, execArgv: ['--import', 'tsx'], processes: 1, ...options });
  open.push(jobs);
  return jobs;
};
after(() => Promise.all(open.map((jobs) => jobs.dispose())));

/** An orphan stays in the table as a zombie (Z) until the init process looks after it: that is ended. */
export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
export const gone = async (pid: number): Promise<void> => {
  for (let i = 0; i < 60 && alive(pid); i++) await new Promise((done) => setTimeout(done, 50));
  assert.equal(alive(pid), false, `process ${pid} is still there`);
};
export const has =
  (code: string, pattern = /./) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code && pattern.test(error.message);
