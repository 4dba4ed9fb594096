import type { Catalogue } from '../base/catalogue.ts';
import type { Device } from '../base/request.ts';
import type { Supervisor, Watch } from '../jobs/supervisor.ts';
import type { Outcome } from '../report/report.ts';
import type { TaskName, Tasks } from '../report/tasks.ts';

/** One flag of a command; `value` is the placeholder of its value, absent for a switch. */
export interface Flag {
  readonly help: string;
  readonly value?: string;
  readonly short?: string;
  /** An empty value means something. */
  readonly empty?: true;
}

/** What was typed after the command: flags by camelCase name (a switch is 'true'), and the words that are not flags. */
export interface Typed {
  readonly words: readonly string[];
  readonly flags: Readonly<Record<string, string>>;
}

/** What a command is given of the world; `submit` shows progress on the terminal while the job runs. */
export interface Terminal {
  readonly catalogue: Catalogue;
  readonly signal: AbortSignal;
  /** The job processes themselves, for a command that watches several jobs at once. */
  readonly jobs: Pick<Supervisor, 'submit'>;
  /** The folder of the program's own files. */
  readonly program: URL;
  readonly colour: boolean;
  readonly width: number;
  print(text: string): void;
  submit<T extends TaskName>(title: string, task: T, ask: Tasks[T]['ask'], watch?: Pick<Watch, 'onLive'>): Promise<Tasks[T]['give']>;
  /** Writes a text file, making its folder; '-' is the standard output. */
  save(path: string, text: string): Promise<void>;
  /** Script and style of the report page, for self-contained HTML. */
  page(): Promise<{ readonly script: string; readonly style: string }>;
}

export interface CliCommand {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** Most words that are not flags. */
  readonly words: number;
  /** Flags of the command; those of the chosen diagnostic are added by `run`. */
  flags(words: readonly string[], catalogue: Catalogue): Readonly<Record<string, Flag>>;
  /** What its page of help ends with. */
  more?(words: readonly string[], catalogue: Catalogue): string | undefined;
  /** Returns the exit code. */
  run(typed: Typed, terminal: Terminal): Promise<number>;
}

/** Exit codes of the contract: a check failed 1, wrong input 2, internal fault 3, stopped 130. */
export const exits = { ok: 0, failed: 1, input: 2, internal: 3, stopped: 130 } as const;
/** Of a report. */
export const exitOf: Readonly<Record<Outcome, number>> = {
  measured: exits.ok,
  unavailable: exits.input,
  failed: exits.internal,
  stopped: exits.stopped,
};

export const devices: readonly Device[] = ['auto', 'cpu', 'cuda', 'webgpu', 'dml', 'coreml'];
