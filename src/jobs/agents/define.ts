import type { Catalogue } from '../../base/catalogue.ts';
import type { Device } from '../../base/request.ts';
import type { RunRecord, RunResult } from '../store.ts';
import type { Supervisor, Watch } from '../supervisor.ts';
import { type Fields, fieldsSchema, type Given, type InputSchema, readFields } from './fields.ts';

/** A run that is kept: what it is, and the work. */
export type Keep = (
  about: Pick<RunRecord, 'kind' | 'title' | 'subject' | 'request'>,
  watch: Watch,
  work: (watch: Watch) => Promise<RunResult>,
) => Promise<{ readonly id: string; readonly result: RunResult }>;

/** An `assay.json`, and what its folder is called before the name of an entry that another has too: `digits/net`. */
export interface SuitePlace {
  readonly path: string;
  readonly folder: string;
}

/** What the tools need of the world. */
export interface AgentPorts {
  readonly catalogue: Pick<Catalogue, 'diagnostics'>;
  readonly jobs: Pick<Supervisor, 'submit'>;
  /** Relative paths are taken from here. */
  readonly folder: string;
  /** The `assay.json` files whose entries go by their names. */
  suites(): Promise<readonly SuitePlace[]>;
  readonly device: Device;
  readonly seed: number;
  readonly keep: Keep;
  /** Files of a run that is done, for a person and for the agent. */
  files(run: string, result: RunResult): Promise<readonly AnswerFile[]>;
  /** Seconds that the newest earlier run of this kind took on the same files. */
  lastSeconds(kind: RunRecord['kind'], same: (request: unknown) => boolean): Promise<number | undefined>;
}

export interface AnswerFile {
  readonly path: string;
  readonly title: string;
  readonly mime: string;
}
/** What an agent is told: numbers with intervals, how to read them, and where the rest lies. */
export interface Answer {
  /** Markdown. */
  readonly text: string;
  readonly files: readonly AnswerFile[];
  /** The same numbers, unrounded. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Nothing was measured; `text` says why. */
  readonly failed?: true;
}

/** One call of a tool, understood but not yet begun: what a person is asked to agree to. */
export interface Prepared {
  readonly title: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Absent where no model is run. */
  readonly device?: Device;
  /** Rows, size and time, in a sentence. */
  cost(signal?: AbortSignal): Promise<string>;
  run(watch: Watch): Promise<Answer>;
}

export interface AgentTool {
  readonly name: string;
  readonly title: string;
  /** For the language model: what it does, its limits, what comes back. */
  readonly description: string;
  /** For the person. */
  readonly summary: string;
  readonly icon: `$(${string})`;
  /** It writes no file but the report of its run. */
  readonly readOnly: boolean;
  readonly inputs: InputSchema;
  /** Throws a Fault for arguments that cannot be. */
  prepare(given: unknown, ports: AgentPorts): Promise<Prepared>;
}

interface Definition<F extends Fields> extends Omit<AgentTool, 'inputs' | 'prepare'> {
  readonly fields: F;
  prepare(given: Given<F>, ports: AgentPorts): Promise<Prepared>;
}

export const defineTool = <F extends Fields>({ fields, prepare, ...tool }: Definition<F>): AgentTool => ({
  ...tool,
  inputs: fieldsSchema(fields),
  prepare: async (given, ports) => prepare(readFields(tool.name, fields, given), ports),
});
