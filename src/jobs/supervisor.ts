import { type ChildProcess, fork } from 'node:child_process';
import { freemem, totalmem } from 'node:os';
import { Fault } from '../base/fault.ts';
import type { Live, Steer, Tasks } from '../report/tasks.ts';
import { describeEnd, environment, giveWay } from './child.ts';
import { errorOf } from './event-error.ts';
import type { Command, Event } from './protocol.ts';
import { noted, restartNote } from './restart.ts';

/** Task → what it is asked and what it gives; the product's are `Tasks`. */
export type Contract<C> = { readonly [T in keyof C]: { readonly ask: unknown; readonly give: unknown } };

export interface Watch {
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number, text: string) => void;
  readonly onNote?: (text: string) => void;
  readonly onLive?: (live: Live) => void;
  /** Its place in the queue, from 1, each time that it changes; 0 when it starts. Silent where it starts at once. */
  readonly onQueue?: (place: number) => void;
  /** It starts, the second time too; `steer` reaches it until it has ended. */
  readonly onBegin?: (steer: (steer: Steer) => void) => void;
  /** Its process died and it is run once more. */
  readonly onRestart?: (how: string) => void;
}

export interface SupervisorOptions {
  /** The module that the job process runs. */
  readonly entry: string;
  /** Arguments of Node itself; none where absent, and never those of this process (a debugger's port is not shared). */
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Job processes give way to the editor, whose threads would else wait for theirs: every core is theirs while they compute. */
  readonly yielding?: true;
  /** A process ends after this many jobs: sessions of ONNX Runtime leave memory behind (microsoft/onnxruntime#25325). */
  readonly recycleAfter?: number;
  /**
   * Most processes at once. Two, so that a look at one sample does not wait for a training of minutes; no more, as each
   * job already uses every core. The second is started only when the first is busy.
   */
  readonly processes?: number;
  /** Tasks that may take minutes, and most processes that they may hold at once: others find one free. */
  readonly long?: { readonly tasks: readonly string[]; readonly processes: number };
  /** Whether the machine has memory for a process beside those there are. */
  readonly room?: () => boolean;
  /** What is asked of the process that is started in place of one that died; the same where absent. */
  readonly again?: (task: string, ask: unknown, began: number) => Promise<unknown>;
  /** A process that has had nothing to do for so long is let go. */
  readonly idleMs?: number;
  /** How long a job that was asked to stop may take before its process is killed. */
  readonly graceMs?: number;
}

export interface Supervisor<C extends Contract<C> = Tasks> {
  /** Queued in order. Rejects with the job's Fault, `job/stopped` after `signal`, `job/crashed` if the process died. */
  submit<T extends keyof C & string>(task: T, ask: C[T]['ask'], watch?: Watch): Promise<C[T]['give']>;
  /** Starts a process now, so that the next job need not wait for it; resolves when it listens or has failed to. */
  warm(): Promise<void>;
  /** The last of what job processes wrote to their output streams. */
  log(): string;
  /** Later jobs run in new processes; those that run now end as they are. */
  renew(): void;
  /** Stops every job and ends every process. */
  dispose(): Promise<void>;
}

interface Entry {
  readonly id: number;
  readonly task: string;
  ask: unknown;
  readonly watch: Watch;
  /** As it was last told. */
  place: number;
  /** Milliseconds since 1970. */
  began: number;
  /** How the first process ended that it ran in. */
  lost: string | undefined;
  readonly resolve: (give: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Worker {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  readonly gone: Promise<void>;
  jobs: number;
  entry: Entry | undefined;
  /** It has said something: it could be started. */
  heard: boolean;
  /** Gets no more jobs: it was told to end, was killed, or said that it ends. */
  leaving: boolean;
  idle: NodeJS.Timeout | undefined;
}

const logLength = 64 * 1024;
/** A process that holds a model and its data of middling size. macOS tells little of what it would free, so there the whole counts. */
const GB = 2 ** 30;
const memoryLeft = (): boolean => (process.platform === 'darwin' ? totalmem() >= 8 * GB : freemem() >= Math.min(1.5 * GB, totalmem() / 8));
/** How long after the end of a process its job is begun again. */
const settlingMs = 200;
/** How soon it is asked again whether there is memory. */
const lookAgainMs = 1000;

/** Owns the job processes: queue, cancel, crash, recycling. Used by the command line and the extension alike. */
export const supervisor = <C extends Contract<C> = Tasks>(options: SupervisorOptions): Supervisor<C> => {
  const { recycleAfter = 50, processes = 2, idleMs = 300_000, graceMs = 500, long, room = memoryLeft, again } = options;
  const workers = new Set<Worker>();
  const queue: Entry[] = [];
  /** Of the queue: those of which it is still being found out what to ask again. */
  const restarting = new Set<Entry>();
  let looking: NodeJS.Timeout | undefined;
  let next = 1;
  let disposed = false;
  let said = '';

  /** A busy process keeps this one alive, an idle one does not. */
  const hold = ({ child }: Worker, busy: boolean): void => {
    if (busy) {
      child.ref();
      child.channel?.ref();
    } else {
      child.unref();
      child.channel?.unref();
    }
  };

  const letGo = (worker: Worker): void => {
    worker.leaving = true;
    clearTimeout(worker.idle);
    if (worker.child.connected) worker.child.disconnect();
  };

  const settle = (worker: Worker, finish: (entry: Entry) => void): void => {
    const { entry } = worker;
    if (!entry) return;
    worker.entry = undefined;
    hold(worker, false);
    finish(entry);
  };

  const spawn = (): Worker => {
    const child = fork(options.entry, [], {
      serialization: 'advanced',
      execArgv: [...(options.execArgv ?? [])],
      env: environment(options.env ?? {}),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    if (options.yielding) giveWay(child);
    let own = '';
    const listen = (chunk: Buffer): void => {
      own = (own + chunk.toString('utf8')).slice(-4096);
      said = (said + chunk.toString('utf8')).slice(-logLength);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', listen);
      (stream as (NodeJS.ReadableStream & { unref?(): void }) | null)?.unref?.();
    }
    const gone = new Promise<void>((done) => {
      let how = '';
      let channel = true;
      let ended = false;
      // Messages may still arrive between the end of the process and that of its channel.
      const finish = (): void => {
        if (channel || !ended) return;
        workers.delete(worker);
        clearTimeout(worker.idle);
        settle(worker, (entry) => void retry(entry, how, worker.heard));
        done();
        pump();
      };
      child.once('disconnect', () => {
        channel = false;
        finish();
      });
      child.once('exit', (code, signal) => {
        how = describeEnd(code, signal, own);
        ended = true;
        if (!child.connected) channel = false;
        finish();
      });
      child.on('error', (error) => {
        if (child.pid !== undefined) return;
        how = error.message;
        ended = true;
        channel = false;
        finish();
      });
    });
    let listening = (): void => {};
    const ready = Promise.race([gone, new Promise<void>((done) => (listening = done))]);
    const worker: Worker = { child, ready, gone, jobs: 0, entry: undefined, heard: false, leaving: false, idle: undefined };
    child.on('message', (event: Event) => {
      worker.heard = true;
      if (event.type === 'ready') listening();
      if (event.type === 'ready' || worker.entry?.id !== event.job) return;
      const { watch } = worker.entry;
      switch (event.type) {
        case 'progress':
          return watch.onProgress?.(event.fraction, event.text);
        case 'note':
          return watch.onNote?.(event.text);
        case 'live':
          return watch.onLive?.(event.live);
        case 'done':
        case 'fault':
          if (event.type === 'fault' && event.ends) worker.leaving = true;
          settle(worker, ({ resolve, reject, lost }) => {
            if (event.type === 'fault') reject(errorOf(event));
            else resolve(lost === undefined ? event.give : noted(event.give, restartNote(lost)));
          });
          return pump();
      }
    });
    workers.add(worker);
    hold(worker, false);
    rest(worker);
    return worker;
  };

  const rest = (worker: Worker): void => {
    clearTimeout(worker.idle);
    worker.idle = setTimeout(() => letGo(worker), idleMs);
    worker.idle.unref();
  };

  const tell = ({ child }: Worker, command: Command): void => {
    // A process that just died says so by its exit.
    if (child.connected) child.send(command, () => {});
  };

  /** A job whose process died runs once more, before those that wait; the second time it has failed. */
  const retry = async (entry: Entry, how: string, heard: boolean): Promise<void> => {
    const { task, watch, began, lost, reject } = entry;
    if (lost !== undefined || !heard || disposed || watch.signal?.aborted) {
      reject(new Fault('job/crashed', { task, how, ...(lost === undefined ? {} : { before: lost }) }));
      return;
    }
    entry.lost = how;
    watch.onRestart?.(how);
    queue.unshift(entry);
    restarting.add(entry);
    // What ended its process may be ending others: their ends are heard before it is given to one of them.
    await new Promise((later) => setTimeout(later, settlingMs));
    entry.ask = (await again?.(task, entry.ask, began)) ?? entry.ask;
    restarting.delete(entry);
    pump();
  };

  const isLong = ({ task }: Entry): boolean => long?.tasks.includes(task) === true;

  /** The first that may start: a long job only while fewer than its share of the processes run long ones. */
  const nextEntry = (): Entry | undefined => {
    const held = [...workers].filter(({ entry }) => entry && isLong(entry)).length;
    return queue.find((entry) => !restarting.has(entry) && (long === undefined || held < long.processes || !isLong(entry)));
  };

  /** Tells those that wait how many of their kind are before them. */
  const tellPlaces = (): void => {
    const before = { long: 0, brief: 0 };
    for (const entry of queue) {
      if (restarting.has(entry)) continue;
      const place = ++before[isLong(entry) ? 'long' : 'brief'];
      if (place === entry.place) continue;
      entry.place = place;
      entry.watch.onQueue?.(place);
    }
  };

  const begin = (worker: Worker, entry: Entry): void => {
    clearTimeout(worker.idle);
    queue.splice(queue.indexOf(entry), 1);
    entry.began = Date.now();
    if (entry.place > 0) entry.watch.onQueue?.(0);
    entry.place = 0;
    worker.entry = entry;
    worker.jobs++;
    hold(worker, true);
    entry.watch.onBegin?.((steer) => worker.entry === entry && tell(worker, { type: 'steer', job: entry.id, steer }));
    try {
      tell(worker, { type: 'start', job: entry.id, task: entry.task, ask: entry.ask });
    } catch (error) {
      // What cannot be cloned never reaches the process.
      settle(worker, ({ reject }) => reject(error instanceof Error ? error : new Error(String(error))));
    }
  };

  const pump = (): void => {
    for (const worker of workers) if (!worker.entry && !worker.leaving && worker.jobs >= recycleAfter) letGo(worker);
    clearTimeout(looking);
    for (let entry = nextEntry(); entry && !disposed; entry = nextEntry()) {
      const staying = [...workers].filter((w) => !w.leaving && w.child.connected);
      const free = staying.find((w) => !w.entry);
      if (!free && staying.length >= processes) break;
      if (!free && staying.length > 0 && !room()) {
        looking = setTimeout(pump, lookAgainMs);
        looking.unref();
        break;
      }
      begin(free ?? spawn(), entry);
    }
    tellPlaces();
    for (const worker of workers) if (!worker.entry && !worker.leaving) rest(worker);
  };

  /** Ends a process at once; native code cannot hold it. Its job hears of it without waiting for the system. */
  const kill = (worker: Worker, verdict: Fault): void => {
    worker.leaving = true;
    worker.child.kill('SIGKILL');
    settle(worker, ({ reject }) => reject(verdict));
    pump();
  };

  const cancel = (entry: Entry): void => {
    const waiting = queue.indexOf(entry);
    if (waiting >= 0) {
      queue.splice(waiting, 1);
      entry.reject(new Fault('job/stopped', {}));
      tellPlaces();
      return;
    }
    const worker = [...workers].find((w) => w.entry === entry);
    if (!worker) return;
    tell(worker, { type: 'cancel', job: entry.id });
    setTimeout(() => {
      if (worker.entry === entry) kill(worker, new Fault('job/stopped', {}));
    }, graceMs).unref();
  };

  const killAll = (): void => {
    for (const { child } of workers) child.kill('SIGKILL');
  };
  process.on('exit', killAll);

  return {
    submit: (task, ask, watch = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = watch;
        if (disposed || signal?.aborted) {
          reject(new Fault('job/stopped', {}));
          return;
        }
        const onAbort = (): void => cancel(entry);
        const entry: Entry = {
          id: next++,
          task,
          ask,
          watch,
          place: 0,
          began: 0,
          lost: undefined,
          resolve(give) {
            signal?.removeEventListener('abort', onAbort);
            resolve(give as C[typeof task]['give']);
          },
          reject(error) {
            signal?.removeEventListener('abort', onAbort);
            reject(error);
          },
        };
        signal?.addEventListener('abort', onAbort);
        queue.push(entry);
        pump();
      }),
    async warm() {
      if (disposed) return;
      const worker = [...workers].find((w) => !w.leaving) ?? spawn();
      hold(worker, true);
      await worker.ready;
      if (!worker.entry) hold(worker, false);
    },
    log: () => said,
    renew() {
      for (const worker of workers) worker.jobs = recycleAfter;
      pump();
    },
    async dispose() {
      disposed = true;
      clearTimeout(looking);
      process.off('exit', killAll);
      for (const entry of queue.splice(0)) entry.reject(new Fault('job/stopped', {}));
      const all = [...workers];
      for (const worker of all) {
        if (worker.entry) kill(worker, new Fault('job/stopped', {}));
        else letGo(worker);
        hold(worker, true);
      }
      const late = setTimeout(() => {
        for (const { child } of all) child.kill('SIGKILL');
      }, graceMs);
      await Promise.all(all.map(({ gone }) => gone));
      clearTimeout(late);
    },
  };
};
