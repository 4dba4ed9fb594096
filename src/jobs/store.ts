import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../base/fault.ts';
import type { Report } from '../report/report.ts';
import type { Live, SuiteResult } from '../report/tasks.ts';
import { alive } from './alive.ts';
import { writeWhole } from './write-file.ts';

/** Where a workspace keeps its runs. */
export const runsFolder = '.assay/runs';
/** Of the files below; a newer one is not read. */
export const RUN_SCHEMA = 1;
const kept = 200;
/** The owner of a run touches its head this often; after three times that it is taken for dead. */
const beat = 20_000;

export type RunKind = 'run' | 'suite' | 'train' | 'compare';
/** `done`: there is a result; whether a report of it is measured or unavailable is its `outcome`. */
export type RunStatus = 'running' | 'done' | 'failed' | 'stopped';

/** The head of a run: what lists show. Kept apart from its reports, so that listing reads little. */
export interface RunRecord {
  readonly id: string;
  readonly kind: RunKind;
  readonly title: string;
  /** What it is about, as the user knows it: a model, a data file, a suite. */
  readonly subject: string;
  readonly status: RunStatus;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seconds?: number;
  /** As it was asked, to run it again. */
  readonly request: unknown;
  /** Why it failed or was stopped. */
  readonly sentence?: string;
  readonly reports: readonly Pick<Report, 'id' | 'title' | 'outcome' | 'headline'>[];
  /** Of a suite. */
  readonly checks?: Readonly<Record<'passed' | 'failed' | 'skipped' | 'error', number>>;
  /** The model that a training saved. */
  readonly out?: string;
}

/** A run with all that it produced; where it did not end well, `live` and `notes` are what there is. */
export interface Run extends RunRecord {
  readonly result: RunResult;
  readonly live: readonly Live[];
  readonly notes: readonly string[];
}

export interface RunResult {
  readonly reports: readonly Report[];
  readonly suite?: SuiteResult;
  readonly out?: string;
}

/** Keeps one run on disk while it goes. Writes are in order; each method resolves when its own is done. */
export interface RunWriter {
  readonly id: string;
  live(event: Live): Promise<void>;
  note(text: string): Promise<void>;
  done(result: RunResult): Promise<RunRecord>;
  /** By the error of the job: `job/stopped` leaves a stopped run, any other a failed one. */
  failed(error: unknown): Promise<RunRecord>;
}

export interface RunStore {
  readonly folder: string;
  start(about: Pick<RunRecord, 'kind' | 'title' | 'subject' | 'request'>): Promise<RunWriter>;
  /** Newest first. `unreadable` are folders that stay as they are, each with the reason. */
  list(): Promise<{
    readonly runs: readonly RunRecord[];
    readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
  }>;
  /** Throws `run/unknown` or `run/unreadable`. */
  read(id: string): Promise<Run>;
  delete(id: string): Promise<void>;
  /** The file with the reports of a run that is done. */
  path(id: string): string;
}

interface Head extends RunRecord {
  readonly schema: number;
  readonly owner: { readonly host: string; readonly pid: number; readonly session: string };
}
type Line = { readonly live: Live } | { readonly note: string };

/** Tells this process from an earlier one with the same number. */
const session = randomBytes(8).toString('hex');
const safeId = /^[\w.-]+$/;

const ownerGone = ({ owner }: Head, touchedMs: number): boolean => {
  if (owner.host === hostname()) {
    if (owner.pid === process.pid) return owner.session !== session;
    if (!alive(owner.pid)) return true;
  }
  return Date.now() - touchedMs > 3 * beat;
};

const publicOf = ({ schema: _, owner: __, ...record }: Head): RunRecord => record;

const orphaned = 'The process that ran it has ended; what it had produced until then is kept.';

const headOf = async (folder: string): Promise<Head> => {
  const path = join(folder, 'run.json');
  let head: Partial<Head>;
  try {
    head = JSON.parse(await readFile(path, 'utf8')) as Partial<Head>;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Fault('run/unreadable', { path: folder, reason: missing ? 'it has no run.json' : 'its run.json is damaged' }, { cause });
  }
  const { schema, id, status, startedAt } = head;
  if (typeof schema !== 'number' || typeof id !== 'string' || typeof status !== 'string' || typeof startedAt !== 'string') {
    throw new Fault('run/unreadable', { path: folder, reason: 'its run.json is not that of a run' });
  }
  if (schema > RUN_SCHEMA)
    throw new Fault('run/unreadable', { path: folder, reason: `it was written by a newer version (schema ${schema})` });
  const whole = head as Head;
  if (status !== 'running' || !ownerGone(whole, (await stat(path)).mtimeMs)) return whole;
  return { ...whole, status: 'failed', sentence: orphaned };
};

const linesOf = async (path: string): Promise<Line[]> => {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line): Line[] => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      // The last line of a process that was killed may be cut short.
      return [];
    }
  });
};

const countsOf = (suite: SuiteResult): NonNullable<RunRecord['checks']> => {
  const counts = { passed: 0, failed: 0, skipped: 0, error: 0 };
  for (const { status } of suite.checks) counts[status]++;
  return counts;
};

/** Runs on disk: per run a folder with its head, what it streamed, and its reports. */
export const runStore = (folder: string): RunStore => {
  const at = (id: string): string => {
    if (!safeId.test(id) || id.startsWith('.')) throw new Fault('run/unknown', { id });
    return join(folder, id);
  };
  /** Names begin with the time, so their order is that of the runs. */
  const names = async (): Promise<string[]> => {
    const all = await readdir(folder, { withFileTypes: true }).catch(() => []);
    return all
      .filter((e) => e.isDirectory())
      .map((e) => e.name)
      .sort()
      .reverse();
  };

  const prune = async (): Promise<void> => {
    for (const name of (await names()).slice(kept)) {
      const head = await headOf(join(folder, name)).catch(() => undefined);
      if (head && head.status !== 'running') await rm(join(folder, name), { recursive: true, force: true });
    }
  };

  return {
    folder,
    async start(about) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx' }).catch(() => {});
      await prune();
      const began = new Date();
      const startedAt = began.toISOString();
      const id = `${startedAt.replace(/[:.]/g, '-')}-${randomBytes(3).toString('hex')}`;
      const home = at(id);
      const owner = { host: hostname(), pid: process.pid, session };
      let head: Head = { schema: RUN_SCHEMA, id, ...about, status: 'running', startedAt, reports: [], owner };
      const save = (): Promise<void> => writeWhole(join(home, 'run.json'), `${JSON.stringify(head, null, 1)}\n`);
      await save();

      const pulse = setInterval(() => void utimes(join(home, 'run.json'), new Date(), new Date()).catch(() => {}), beat);
      pulse.unref();
      let writing: Promise<void> = Promise.resolve();
      let waiting = '';
      const append = (line: Line): Promise<void> => {
        waiting += `${JSON.stringify(line)}\n`;
        writing = writing.then(async () => {
          const text = waiting;
          waiting = '';
          if (text) await appendFile(join(home, 'live.jsonl'), text);
        });
        return writing;
      };
      const end = async (change: Partial<Head>): Promise<RunRecord> => {
        clearInterval(pulse);
        await writing.catch(() => {});
        head = { ...head, ...change, seconds: (Date.now() - began.getTime()) / 1000 };
        await save();
        return publicOf(head);
      };
      return {
        id,
        live: (live) => append({ live }),
        note: (note) => append({ note }),
        async done(result) {
          await writeWhole(join(home, 'report.json'), JSON.stringify(result));
          return end({
            status: 'done',
            reports: result.reports.map(({ id: of, title, outcome, headline }) => ({ id: of, title, outcome, headline })),
            ...(result.suite ? { checks: countsOf(result.suite) } : {}),
            ...(result.out === undefined ? {} : { out: result.out }),
          });
        },
        failed: (error) =>
          end({
            status: Fault.is(error, 'job/stopped') ? 'stopped' : 'failed',
            sentence: error instanceof Error ? error.message : String(error),
          }),
      };
    },

    async list() {
      const runs: RunRecord[] = [];
      const unreadable: { path: string; reason: string }[] = [];
      const heads = await Promise.allSettled((await names()).map((name) => headOf(join(folder, name))));
      for (const head of heads) {
        if (head.status === 'fulfilled') runs.push(publicOf(head.value));
        else if (Fault.is(head.reason, 'run/unreadable')) unreadable.push(head.reason.detail);
        else throw head.reason;
      }
      return { runs, unreadable };
    },

    async read(id) {
      const home = at(id);
      const found = await stat(home).catch(() => undefined);
      if (!found?.isDirectory()) throw new Fault('run/unknown', { id });
      const head = await headOf(home);
      const lines = await linesOf(join(home, 'live.jsonl'));
      let result: RunResult = { reports: [] };
      if (head.status === 'done') {
        try {
          result = JSON.parse(await readFile(join(home, 'report.json'), 'utf8')) as RunResult;
        } catch (cause) {
          throw new Fault('run/unreadable', { path: home, reason: 'its report.json is missing or damaged' }, { cause });
        }
      }
      return {
        ...publicOf(head),
        result,
        live: lines.flatMap((l) => ('live' in l ? [l.live] : [])),
        notes: lines.flatMap((l) => ('note' in l ? [l.note] : [])),
      };
    },

    delete: async (id) => rm(at(id), { recursive: true, force: true }),
    path: (id) => join(at(id), 'report.json'),
  };
};
