import type { Job } from '../base/job.ts';
import type { Dataset, Source } from '../data/define.ts';
import type { Live, Steer, TaskName, Tasks } from '../report/tasks.ts';
import type { Runtime } from '../runtime/session.ts';

/** Everything a use case needs of the world; the job process supplies the real ones, tests their own. */
export interface Ports {
  readonly runtime: Runtime;
  /** assay, onnxruntime, node. */
  readonly versions: Readonly<Record<string, string>>;
  /** Throws `file/missing`, `file/directory`, `file/empty`. Relative paths are taken from the working directory. */
  source(path: string): Promise<Source>;
  dataset(path: string, signal?: AbortSignal): Promise<Dataset>;
  /** Hex SHA-256 of a file, streamed. */
  sha256(path: string): Promise<string>;
  /** Atomic: to a temporary file, then renamed. Throws `file/unwritable`. */
  write(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** `path` as seen from the folder of `from` (an absolute path stays). */
  resolve(from: string, path: string): string;
}

export interface AppJob extends Job {
  /** Streams what happens during training to whoever watches. */
  live(event: Live): void;
  /** What was last asked of a training; to run where absent. */
  steer?(): Steer;
}

/** One use case. */
export type UseCase<T extends TaskName> = (ask: Tasks[T]['ask'], ports: Ports, job: AppJob) => Promise<Tasks[T]['give']>;
