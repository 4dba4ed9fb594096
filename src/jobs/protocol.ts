import type { Live, Steer } from '../report/tasks.ts';

/** Supervisor → process. */
export type Command =
  | { readonly type: 'start'; readonly job: number; readonly task: string; readonly ask: unknown }
  | { readonly type: 'cancel'; readonly job: number }
  | { readonly type: 'steer'; readonly job: number; readonly steer: Steer };

/**
 * Process → supervisor. The last event of a job is `done` or `fault`; `detail` rebuilds a Fault of the table, and
 * the code 'internal' is anything that was not expected.
 */
export type Event =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly job: number; readonly fraction: number; readonly text: string }
  | { readonly type: 'note'; readonly job: number; readonly text: string }
  | { readonly type: 'live'; readonly job: number; readonly live: Live }
  | { readonly type: 'done'; readonly job: number; readonly give: unknown }
  | {
      readonly type: 'fault';
      readonly job: number;
      readonly code: string;
      readonly sentence: string;
      readonly detail?: unknown;
      readonly stack?: string;
      /** The process ends after this. */
      readonly ends?: true;
    };
