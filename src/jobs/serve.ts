import type { AppJob, Ports } from '../app/ports.ts';
import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import { random } from '../base/random.ts';
import type { Steer } from '../report/tasks.ts';
import type { Command, Event } from './protocol.ts';

/** A use case with its types erased at the door: what was asked arrives as the supervisor's types promised it. */
export type Work = (ask: never, ports: Ports, job: AppJob) => Promise<unknown>;
/** Task → its use case, loaded when first asked for. */
export type Table = Readonly<Record<string, () => Promise<Work>>>;

/** Progress goes out at most this often; the newest is kept and sent when its time comes, or before the job's last event. */
const apart = 50;

const seedOf = (ask: unknown): number =>
  typeof ask === 'object' && ask !== null && 'seed' in ask && typeof ask.seed === 'number' ? ask.seed : 0;

const faultOf = (job: number, error: unknown, aborted: boolean): Extract<Event, { type: 'fault' }> => {
  const known =
    aborted && !(error instanceof Fault) && error instanceof Error && error.name === 'AbortError' ? new Fault('job/stopped', {}) : error;
  if (known instanceof Fault) return { type: 'fault', job, code: known.code, sentence: known.message, detail: known.detail };
  const { message, stack } = known instanceof Error ? known : new Error(String(known));
  return { type: 'fault', job, code: 'internal', sentence: message, ...(stack === undefined ? {} : { stack }) };
};

/** Runs in the job process: takes commands from the parent until it is gone. */
export const serve = (table: Table, open: () => Promise<Ports>): void => {
  const running = new Map<number, { readonly controller: AbortController; steer: Steer }>();
  let ports: Promise<Ports> | undefined;

  const send = (event: Event): Promise<void> =>
    new Promise((sent) => {
      if (process.connected) process.send?.(event, () => sent());
      else sent();
    });

  const run = async (id: number, task: string, ask: unknown): Promise<void> => {
    const controller = new AbortController();
    const own = { controller, steer: 'run' as Steer };
    running.set(id, own);
    let pending: Event | undefined;
    let sentAt = Number.NEGATIVE_INFINITY;
    let timer: NodeJS.Timeout | undefined;
    const flush = (): void => {
      clearTimeout(timer);
      timer = undefined;
      if (pending) void send(pending);
      pending = undefined;
      sentAt = performance.now();
    };
    const job: AppJob = {
      signal: controller.signal,
      progress(fraction, text) {
        pending = { type: 'progress', job: id, fraction, text };
        const wait = sentAt + apart - performance.now();
        if (wait <= 0) flush();
        else timer ??= setTimeout(flush, wait);
      },
      note: (text) => void send({ type: 'note', job: id, text }),
      live: (live) => void send({ type: 'live', job: id, live }),
      steer: () => own.steer,
      random: (name) => random(seedOf(ask), name),
    };
    let last: Event;
    try {
      if (!Object.hasOwn(table, task)) {
        const known = Object.keys(table);
        throw new Fault('id/unknown', { what: 'task', id: task, nearest: nearest(task, known), known });
      }
      ports ??= open();
      const [work, world] = await Promise.all([table[task](), ports]);
      last = { type: 'done', job: id, give: await work(ask as never, world, job) };
    } catch (error) {
      last = faultOf(id, error, controller.signal.aborted);
    }
    flush();
    running.delete(id);
    // What cannot be cloned is an internal fault of its use case.
    await send(last).catch((error: unknown) => send(faultOf(id, error, false)));
  };

  const collapse = (error: unknown): void => {
    const stopped = setTimeout(() => process.exit(70), 1000);
    stopped.unref();
    void Promise.all([...running.keys()].map((id) => send({ ...faultOf(id, error, false), ends: true }))).finally(() => process.exit(70));
  };
  process.on('uncaughtException', collapse);
  process.on('unhandledRejection', collapse);
  process.on('disconnect', () => process.exit());
  // Ctrl+C reaches the whole terminal group: the parent decides what becomes of the job.
  process.on('SIGINT', () => {});
  process.on('message', (command: Command) => {
    if (command.type === 'start') return void run(command.job, command.task, command.ask);
    const own = running.get(command.job);
    if (command.type === 'cancel') own?.controller.abort();
    else if (own) own.steer = command.steer;
  });
  void send({ type: 'ready' });
};
