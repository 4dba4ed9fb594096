import type { Live, TaskName } from '../report/tasks.ts';

/** Supervisor → process. */
export type Command =
  | { readonly type: 'start'; readonly job: number; readonly task: TaskName; readonly ask: unknown }
  | { readonly type: 'cancel'; readonly job: number };

/** Process → supervisor. */
export type Event =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly job: number; readonly fraction: number; readonly text: string }
  | { readonly type: 'note'; readonly job: number; readonly text: string }
  | { readonly type: 'live'; readonly job: number; readonly live: Live }
  | { readonly type: 'done'; readonly job: number; readonly give: unknown }
  | { readonly type: 'fault'; readonly job: number; readonly code: string; readonly sentence: string; readonly stack?: string };
