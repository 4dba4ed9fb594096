import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Catalogue } from '../../base/catalogue.ts';
import type { SuitePlace } from '../../jobs/agents/define.ts';
import { keepIn, keptFiles, lastSecondsIn } from '../../jobs/agents/keep.ts';
import { type CudaSupport, cudaSupport } from '../../jobs/cuda/support.ts';
import { askAgain } from '../../jobs/restart.ts';
import type { RunStore } from '../../jobs/store.ts';
import { type Supervisor, supervisor } from '../../jobs/supervisor.ts';
import type { TaskName } from '../../report/tasks.ts';
import type { Host } from '../define.ts';
import type { Running } from '../launch.ts';
import { type Agents, openAgents } from './agents.ts';
import { afterActivation } from './soon.ts';

/** What may take minutes: two of them at once, and a process is left for a look at a model or a sample. */
const longTasks: readonly TaskName[] = ['run', 'suite', 'train', 'compare', 'grad', 'vectors', 'profile', 'predict'];

export interface MachinePorts {
  readonly context: vscode.ExtensionContext;
  readonly catalogue: Catalogue;
  readonly folder: string | undefined;
  readonly store: RunStore;
  readonly running: Running;
  readonly settings: () => Pick<Host, 'device' | 'seed'>;
  suites(): Promise<readonly SuitePlace[]>;
  changed(): void;
  failed(error: unknown): void;
}

/** What the window has of the machine: job processes, the tools of agents, CUDA libraries. Nothing is started before it is asked for. */
export interface Machine extends vscode.Disposable {
  jobs(): Supervisor;
  /** What job processes said, if any was started. */
  log(): string;
  readonly cuda: CudaSupport;
  readonly agents: Agents;
}

export const openMachine = ({ context, catalogue, folder, store, running, settings, suites, changed, failed }: MachinePorts): Machine => {
  const own = (...path: readonly string[]): string => vscode.Uri.joinPath(context.extensionUri, ...path).fsPath;
  let started: Supervisor | undefined;
  const jobs = (): Supervisor => {
    started ??= supervisor({
      entry: own('dist', 'process.js'),
      processes: 3,
      long: { tasks: longTasks, processes: 2 },
      again: askAgain,
      yielding: true,
    });
    return started;
  };

  const { version } = context.extension.packageJSON as { readonly version: string };
  const agents = openAgents({
    ports: {
      catalogue,
      jobs: { submit: (task, ask, watch) => jobs().submit(task, ask, watch) },
      folder: folder ?? homedir(),
      suites,
      get device() {
        return settings().device;
      },
      get seed() {
        return settings().seed;
      },
      keep: keepIn(store, {
        begun(id, cancel) {
          running.set(id, cancel);
          changed();
        },
        ended(id) {
          running.delete(id);
          changed();
        },
      }),
      files: async (id, result) => keptFiles(store, id, result),
      lastSeconds: lastSecondsIn(store),
    },
    program: own('dist', 'cli.js'),
    version,
  });

  const { dependencies } = context.extension.packageJSON as { readonly dependencies: Readonly<Record<string, string>> };
  const cuda = cudaSupport({
    folder: join(context.globalStorageUri.fsPath, 'cuda'),
    binaries: own('node_modules', 'onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch),
    version: dependencies['onnxruntime-node'],
  });
  afterActivation(() => cuda.link().catch(failed));

  return {
    jobs,
    log: () => started?.log() ?? '',
    cuda,
    agents,
    dispose() {
      void started?.dispose();
    },
  };
};
