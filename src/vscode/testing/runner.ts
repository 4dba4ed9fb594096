import type { RunStore } from '../../jobs/store.ts';
import type { Supervisor, Watch } from '../../jobs/supervisor.ts';
import type { SuiteRequest, SuiteResult, Tasks } from '../../report/tasks.ts';
import { suiteResult } from '../launch.ts';

export interface RunnerPorts {
  readonly jobs: Pick<Supervisor, 'submit'>;
  readonly store: Pick<RunStore, 'start'>;
  /** The list of runs, or one of them, is not what it was. */
  changed(): void;
}

/** Runs checks without a panel of their own; what they gave is kept as a run, whose reports a test message can lead to. */
export interface CheckRunner {
  run(ask: SuiteRequest, subject: string, watch: Watch): Promise<{ readonly run: string; readonly suite: SuiteResult }>;
  devices(): Promise<Tasks['devices']['give']>;
}

export const checkRunner = ({ jobs, store, changed }: RunnerPorts): CheckRunner => ({
  async run(ask, subject, watch) {
    const title = ask.only?.length === 1 ? ask.only[0] : 'Suite';
    const writer = await store.start({ kind: 'suite', title, subject, request: ask });
    changed();
    try {
      const suite = await jobs.submit('suite', ask, watch);
      await writer.done(suiteResult(suite));
      return { run: writer.id, suite };
    } catch (error) {
      await writer.failed(error);
      throw error;
    } finally {
      changed();
    }
  },
  devices: () => jobs.submit('devices', {}),
});
