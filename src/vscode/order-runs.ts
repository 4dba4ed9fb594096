import { basename } from 'node:path';
import type { RunRequest } from '../base/request.ts';
import type { RunRecord } from '../jobs/store.ts';
import type { SuiteRequest, TrainRequest } from '../report/tasks.ts';
import { type Standing, standingOf } from './history.ts';

/** Which runs their view shows, and how. */
export interface RunsShown {
  readonly by: 'newest' | 'oldest' | 'model';
  /** File name of the model they are about. */
  readonly model?: string;
  /** Only those of the last so many days. */
  readonly days?: number;
  readonly standings?: readonly Standing[];
}
export const allRuns: RunsShown = { by: 'newest' };

export interface RunGroup {
  readonly kind: 'runs';
  readonly name: string;
  readonly runs: readonly RunRecord[];
}

const day = 24 * 60 * 60 * 1000;

/** The model, or in its place the table or suite, that a run is about. */
export const modelOf = ({ kind, request }: Pick<RunRecord, 'kind' | 'request'>): string => {
  switch (kind) {
    case 'run': {
      const { model, data } = request as RunRequest;
      return basename(model?.path ?? data.path);
    }
    case 'train':
      return basename((request as TrainRequest).out) || 'Comparisons';
    case 'suite':
      return basename((request as SuiteRequest).path);
    case 'compare':
      return 'Comparisons';
  }
};

/** The runs shown, newest first unless asked otherwise; by model in groups, that of the newest run first. */
export const arranged = (
  runs: readonly RunRecord[],
  { by, model, days, standings }: RunsShown,
  now: number,
): readonly RunRecord[] | readonly RunGroup[] => {
  const kept = runs.filter(
    (run) =>
      (model === undefined || modelOf(run) === model) &&
      (days === undefined || now - Date.parse(run.startedAt) < days * day) &&
      (standings === undefined || standings.includes(standingOf(run))),
  );
  if (by !== 'model') return by === 'newest' ? kept : kept.toReversed();
  const groups = new Map<string, RunRecord[]>();
  for (const run of kept) {
    const list = groups.get(modelOf(run));
    if (list) list.push(run);
    else groups.set(modelOf(run), [run]);
  }
  return Array.from(groups, ([name, list]) => ({ kind: 'runs', name, runs: list }));
};

/** What is left out, for the line above the view. */
export const filterText = ({ model, days, standings }: RunsShown): string | undefined => {
  const parts = [
    model === undefined ? '' : `about ${model}`,
    days === undefined ? '' : days === 1 ? 'of the last 24 hours' : `of the last ${days} days`,
    standings === undefined ? '' : 'that did not end well',
  ].filter((part) => part !== '');
  return parts.length > 0 ? `Only runs ${parts.join(', ')}.` : undefined;
};
