import { Fault } from '../../base/fault.ts';
import type { RunRecord, RunResult, RunStore } from '../store.ts';
import type { AgentPorts, AnswerFile, Keep } from './define.ts';

/** What becomes of a run outside the tools: where it is listed, and may be stopped. */
export interface KeepWatch {
  begun(id: string, cancel: () => void): void;
  ended(id: string): void;
}

/** Keeps runs in the store, like those that a person starts. */
export const keepIn =
  (store: Pick<RunStore, 'start'>, listed: KeepWatch = { begun() {}, ended() {} }): Keep =>
  async (about, watch, work) => {
    const writer = await store.start(about);
    const stop = new AbortController();
    const signal = watch.signal ? AbortSignal.any([watch.signal, stop.signal]) : stop.signal;
    listed.begun(writer.id, () => stop.abort());
    // A note that cannot be written is no reason to end a run.
    const lost = (): void => {};
    try {
      const result = await work({
        ...watch,
        signal,
        onNote: (text) => void writer.note(text).catch(lost),
        onLive: (live) => void writer.live(live).catch(lost),
      });
      await writer.done(result);
      return { id: writer.id, result };
    } catch (error) {
      await writer.failed(error).catch(lost);
      throw error;
    } finally {
      listed.ended(writer.id);
    }
  };

/** The report and, after a training, its model. */
export const keptFiles = (store: Pick<RunStore, 'path'>, run: string, { out }: RunResult): readonly AnswerFile[] => [
  { path: store.path(run), title: 'Whole report (JSON)', mime: 'application/json' },
  ...(out === undefined ? [] : [{ path: out, title: 'Trained model', mime: 'application/octet-stream' }]),
];

export const lastSecondsIn =
  (store: Pick<RunStore, 'list'>): AgentPorts['lastSeconds'] =>
  async (kind, same) => {
    const { runs } = await store.list();
    return runs.find((run: RunRecord) => run.kind === kind && run.status === 'done' && same(run.request))?.seconds;
  };

/** What went wrong, for an agent: one sentence. */
export const sentenceOf = (error: unknown): string =>
  error instanceof Fault ? error.message : `Assay failed: ${error instanceof Error ? error.message : String(error)}`;
