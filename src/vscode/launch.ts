import type { RunRecord, RunResult, RunStore } from '../jobs/store.ts';
import type { Supervisor, Watch } from '../jobs/supervisor.ts';
import type { Steer, Tasks } from '../report/tasks.ts';
import { verdictsOf } from '../report/verdict.ts';
import type { Launch } from './define.ts';
import { t } from './l10n.ts';
import { type Problem, problemOf } from './problem.ts';
import type { ToPage } from './protocol.ts';

/** Where a run is shown while it goes. */
export interface RunView {
  post(message: ToPage): void;
  close(): void;
}

export interface LaunchPorts {
  readonly jobs: Pick<Supervisor, 'submit'>;
  readonly store: Pick<RunStore, 'start'>;
  view(run: string, work: Launch): RunView;
  /** Shows outside the run's view, which may be hidden, how far `work` is until it has ended. */
  progress<T>(title: string, work: (report: (fraction: number, text: string) => void) => Promise<T>): Promise<T>;
  /** The list of runs, or one of them, is not what it was. */
  changed(): void;
  /** A run waits at this place of the queue, from 1; 0 when it starts. */
  queued?(run: string, place: number): void;
  /** A training stands so, and `steer` reaches it; undefined when it can no longer be steered. */
  steered?(run: string, standing: Steered | undefined): void;
  say(problem: Problem, work: Launch): void;
  log(text: string): void;
}

/** A training that can be paused, and stopped to be kept. */
export interface Steered {
  readonly paused: boolean;
  steer(steer: Steer): void;
}

/** What would do a kept run again. */
export const launchOf = ({ kind, title, subject, request }: RunRecord): Launch => ({ task: kind, title, subject, ask: request }) as Launch;

/** Runs of this window that have not ended: id → its cancel. */
export type Running = Map<string, () => void>;

/** What is kept of a suite: the reports of its checks in order, and the checks. */
export const suiteResult = (suite: Tasks['suite']['give']): RunResult => ({
  reports: suite.checks.flatMap(({ report }) => (report ? [report] : [])),
  suite,
});

const submit = async (jobs: LaunchPorts['jobs'], work: Launch, watch: Watch): Promise<RunResult> => {
  switch (work.task) {
    case 'run':
      return { reports: [await jobs.submit('run', work.ask, watch)] };
    case 'compare':
      return { reports: [await jobs.submit('compare', work.ask, watch)] };
    case 'suite':
      return suiteResult(await jobs.submit('suite', work.ask, watch));
    case 'train': {
      const { out, report } = await jobs.submit('train', work.ask, watch);
      return { reports: [report], ...(out ? { out } : {}) };
    }
  }
};

/** What a run that has ended shows. */
export const reportsMessage = (title: string, { reports, suite, out }: RunResult): ToPage => {
  const checks = suite && verdictsOf(suite.checks).verdicts;
  return { type: 'reports', title, reports, ...(checks ? { checks } : {}), ...(out ? { out } : {}) };
};

/** What a run says that waits for others. */
export const waitingText = (place: number): string => (place === 1 ? t('Next to start') : t('Waiting: {0} before it', place - 1));

/** One run from start to end: kept in the store, shown in its view, cancelled by the user. Never rejects for a fault of the work. */
export const launch = async (work: Launch, ports: LaunchPorts, running: Running): Promise<void> => {
  const { task, title, subject } = work;
  const writer = await ports.store.start({ kind: task, title, subject, request: work.ask });
  const unsaved = (error: unknown): void => ports.log(`run ${writer.id}: ${error instanceof Error ? error.message : String(error)}`);
  const stop = new AbortController();
  running.set(writer.id, () => stop.abort());
  const view = ports.view(writer.id, work);
  const whole = `${title}: ${subject}`;
  view.post({ type: 'progress', title: whole, fraction: 0, text: t('Starting') });
  ports.changed();
  let streamed = false;
  let steer: Steered['steer'] = () => {};
  try {
    const result = await ports.progress(whole, (report) =>
      submit(ports.jobs, work, {
        signal: stop.signal,
        onProgress(fraction, text) {
          report(fraction, text);
          view.post({ type: 'progress', title: whole, fraction, text });
        },
        onQueue(place) {
          const text = place > 0 ? waitingText(place) : t('Starting');
          report(0, text);
          view.post({ type: 'progress', title: whole, fraction: 0, text });
          ports.queued?.(writer.id, place);
        },
        onBegin(reach) {
          steer = reach;
        },
        onRestart(how) {
          const text = t('The job process ended unexpectedly ({0}); it is started again.', how);
          writer.note(text).catch(unsaved);
          ports.log(`run ${writer.id}: ${text}`);
          report(0, text);
          view.post({ type: 'progress', title: whole, fraction: 0, text });
        },
        onNote: (text) => void writer.note(text).catch(unsaved),
        onLive(live) {
          if (live.kind === 'standing') ports.steered?.(writer.id, { paused: live.paused, steer });
          else streamed = true;
          writer.live(live).catch(unsaved);
          view.post({ type: 'live', live });
        },
      }),
    );
    await writer.done(result);
    view.post(reportsMessage(whole, result));
    const [first] = result.reports;
    if (task === 'run' && first.outcome !== 'measured' && first.reason)
      ports.say({ sentence: first.reason.sentence, remedies: ['choose'] }, work);
  } catch (error) {
    await writer.failed(error).catch(unsaved);
    const problem = problemOf(error);
    ports.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    // A run that was stopped before it showed anything leaves nothing on the screen.
    if (!problem && !streamed) view.close();
    else view.post({ type: 'problem', sentence: problem?.sentence ?? t('Stopped on request.') });
    if (problem) ports.say(problem, work);
  } finally {
    running.delete(writer.id);
    ports.steered?.(writer.id, undefined);
    ports.changed();
  }
};
