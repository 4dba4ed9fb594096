import { basename, dirname, join } from 'node:path';
import type { RunRequest } from '../base/request.ts';
import type { RunRecord } from '../jobs/store.ts';
import type { SuiteRequest, TrainRequest } from '../report/tasks.ts';
import { type Standing, standingOf } from './history.ts';
import { t } from './l10n.ts';

/** Which runs their view shows, and how. */
export interface RunsShown {
  readonly by: 'newest' | 'oldest' | 'model';
  /** Name of the model they are about. */
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

type Asked = Pick<RunRecord, 'kind' | 'request'>;

/** The file of the model, or in its place of the table or suite, that a run is about. */
const fileOf = ({ kind, request }: Asked): string => {
  switch (kind) {
    case 'run': {
      const { model, data } = request as RunRequest;
      return model?.path ?? data.path;
    }
    case 'train':
      return (request as TrainRequest).out;
    case 'suite':
      return (request as SuiteRequest).path;
    case 'compare':
      return '';
  }
};

/** What the models of some runs are called: as their files, with the folder where several files have one name. */
export const modelNames = (runs: readonly Asked[]): ((run: Asked) => string) => {
  const files = new Set(runs.map(fileOf));
  const namesakes = new Map<string, number>();
  for (const file of files) namesakes.set(basename(file), (namesakes.get(basename(file)) ?? 0) + 1);
  return (run) => {
    const file = fileOf(run);
    const name = basename(file);
    if (name === '') return t('Comparisons');
    return (namesakes.get(name) ?? 0) > 1 ? join(basename(dirname(file)), name) : name;
  };
};

/** The runs shown, newest first unless asked otherwise; by model in groups, that of the newest run first. */
export const arranged = (
  runs: readonly RunRecord[],
  { by, model, days, standings }: RunsShown,
  now: number,
): readonly RunRecord[] | readonly RunGroup[] => {
  const nameOf = modelNames(runs);
  const kept = runs.filter(
    (run) =>
      (model === undefined || nameOf(run) === model) &&
      (days === undefined || now - Date.parse(run.startedAt) < days * day) &&
      (standings === undefined || standings.includes(standingOf(run))),
  );
  if (by !== 'model') return by === 'newest' ? kept : kept.toReversed();
  const groups = new Map<string, RunRecord[]>();
  for (const run of kept) {
    const list = groups.get(nameOf(run));
    if (list) list.push(run);
    else groups.set(nameOf(run), [run]);
  }
  return Array.from(groups, ([name, list]) => ({ kind: 'runs', name, runs: list }));
};

/** What is left out, for the line above the view. */
export const filterText = ({ model, days, standings }: RunsShown): string | undefined => {
  const parts = [
    model === undefined ? '' : t('about {0}', model),
    days === undefined ? '' : days === 1 ? t('of the last 24 hours') : t('of the last {0} days', days),
    standings === undefined ? '' : t('that did not end well'),
  ].filter((part) => part !== '');
  return parts.length > 0 ? t('Only runs {0}.', parts.join(', ')) : undefined;
};
