import { resolve } from 'node:path';
import type { Check, RunRequest } from '../base/request.ts';
import type { RunRecord, RunStore } from '../jobs/store.ts';
import { format } from '../report/format.ts';
import { cardOfNumber } from '../report/place.ts';
import type { CheckResult, SuiteRequest, TrainRequest } from '../report/tasks.ts';
import { t } from './l10n.ts';
import { located } from './located.ts';
import type { SuiteText } from './suite.ts';

/** The newest result for an entry of `assay.json`: a few words, and the run and report they came from. */
export interface LastResult {
  readonly text: string;
  readonly run: string;
  readonly focus?: string;
  /** Of a check. */
  readonly verdict?: Verdict;
}
/** How a check went, with the card of its report that tells of each gate. */
export interface Verdict extends Pick<CheckResult, 'status' | 'sentence'> {
  readonly gates: readonly (CheckResult['gates'][number] & { readonly focus?: string })[];
}
export interface LastResults {
  readonly models: ReadonlyMap<string, LastResult>;
  readonly datasets: ReadonlyMap<string, LastResult>;
  readonly checks: ReadonlyMap<string, LastResult>;
}

export interface History {
  /** Newest first. */
  runs(): Promise<readonly RunRecord[]>;
  /** What the runs kept here say of the entries of a suite. */
  last(path: string, suite: SuiteText): Promise<LastResults>;
  /** The newest result about a file: a diagnostic of a model or of data, or the training that wrote it. */
  lastOf(): Promise<(path: string) => LastResult | undefined>;
  /** The store is not what it was. */
  forget(): void;
}

/** How many headline numbers fit on a line, and how many earlier suites are looked through for a check. */
const FEW = 3;
const LOOK_BACK = 10;

export type Standing = RunRecord['status'] | 'unavailable' | 'checks-failed';

/** How a run went, in one word: a run that is done may have been stopped halfway, or found nothing to measure. */
export const standingOf = ({ status, reports, checks }: RunRecord): Standing => {
  if (status !== 'done') return status;
  if (checks) return checks.failed + checks.error > 0 ? 'checks-failed' : 'done';
  const outcome = reports[0]?.outcome ?? 'failed';
  return outcome === 'measured' ? 'done' : outcome;
};

/** How a run went, to be read. */
export const standingText = (run: RunRecord): string => {
  switch (standingOf(run)) {
    case 'running':
      return t('running');
    case 'done':
      return t('done');
    case 'failed':
      return t('failed');
    case 'stopped':
      return t('stopped');
    case 'unavailable':
      return t('unavailable');
    case 'checks-failed':
      return t('checks-failed');
  }
};

/** A few numbers of a headline: `accuracy 0.978, ece 0.021`. How many rows there were is not one of them. */
export const brief = (headline: Readonly<Record<string, number>>): string =>
  Object.entries(headline)
    .filter(([name]) => name !== 'rows')
    .slice(0, FEW)
    .map(([name, value]) => `${name} ${format(value)}`)
    .join(', ');

const marks: Readonly<Record<CheckResult['status'], string>> = {
  passed: '$(pass)',
  failed: '$(error)',
  skipped: '$(debug-step-over)',
  error: '$(warning)',
};

/** Checks of a suite with the places that links to their cards lead to. */
export const verdictsIn = (
  checks: readonly CheckResult[],
): readonly { readonly name: string; readonly focus?: string; readonly verdict: Verdict }[] => {
  let reports = 0;
  return checks.map(({ name, status, sentence, gates, report }) => {
    if (!report) return { name, verdict: { status, sentence, gates } };
    const at = reports++;
    return {
      name,
      focus: `${at}:${cardOfNumber(report, gates[0]?.name)}`,
      verdict: { status, sentence, gates: gates.map((gate) => ({ ...gate, focus: `${at}:${cardOfNumber(report, gate.name)}` })) },
    };
  });
};

const checkText = ({ status, gates, report, sentence }: CheckResult, limit: number | undefined): string => {
  const numbers =
    gates.length > 0
      ? gates.slice(0, FEW).map(({ name, actual }) => `${name} ${format(actual)}`)
      : [report ? brief(report.headline) : sentence];
  const rows = limit === undefined || !report ? '' : ` (${limit === 1 ? t('first row') : t('first {0} rows', limit)})`;
  return `${marks[status]}\u00a0${numbers.join(', ')}${rows}`;
};

/** The result of one run of a diagnostic, or of a training, for the model or data it was about. */
const runText = (run: RunRecord): string => {
  const [report] = run.reports;
  return `${run.title}: ${report.outcome === 'measured' ? brief(report.headline) : standingText(run)}`;
};

/** Files that a run is about. */
const filesOf = ({ kind, request }: RunRecord): readonly (string | undefined)[] => {
  if (kind === 'train') return [(request as TrainRequest).out || undefined];
  if (kind !== 'run') return [];
  const { model, data } = request as RunRequest;
  return [model?.path, data.path];
};

interface NamedResult {
  readonly name: string;
  readonly result: LastResult;
}

export const history = (store: Pick<RunStore, 'list' | 'read'>): History => {
  let listed: Promise<readonly RunRecord[]> | undefined;
  const suites = new Map<string, Promise<readonly NamedResult[]>>();

  const runs = (): Promise<readonly RunRecord[]> => {
    listed ??= store.list().then((all) => all.runs);
    return listed;
  };
  const checksOf = ({ id, request }: RunRecord): Promise<readonly NamedResult[]> => {
    const known =
      suites.get(id) ??
      store.read(id).then(
        ({ result }) => {
          const checks = result.suite?.checks ?? [];
          return verdictsIn(checks).map(({ name, ...rest }, i) => ({
            name,
            result: { ...rest, run: id, text: checkText(checks[i], (request as SuiteRequest).limit) },
          }));
        },
        () => [],
      );
    suites.set(id, known);
    return known;
  };

  const lastChecks = async (done: readonly RunRecord[], path: string, checks: readonly Check[]): Promise<Map<string, LastResult>> => {
    const found = new Map<string, LastResult>();
    const earlier = done.filter(({ kind, request }) => kind === 'suite' && resolve((request as SuiteRequest).path) === path);
    for (const run of earlier.slice(0, LOOK_BACK)) {
      for (const { name, result } of await checksOf(run)) if (!found.has(name)) found.set(name, result);
      if (checks.every(({ name }) => found.has(name))) break;
    }
    return found;
  };

  const lastOf = async (): Promise<(path: string) => LastResult | undefined> => {
    const newest = new Map<string, LastResult>();
    for (const run of await runs()) {
      if (run.status !== 'done' || run.reports.length === 0) continue;
      for (const path of filesOf(run)) if (path !== undefined && !newest.has(path)) newest.set(path, { text: runText(run), run: run.id });
    }
    return (path) => newest.get(path);
  };

  return {
    runs,
    lastOf,
    async last(path, suite) {
      const ended = (await runs()).filter(({ status }) => status === 'done');
      const about = await lastOf();
      const collect = <T extends { readonly path: string }>(entries: readonly { readonly name: string; readonly value: T }[]) =>
        new Map(
          entries.flatMap(({ name, value }) => {
            const result = about(located(path, value).path);
            return result ? [[name, result] as const] : [];
          }),
        );
      return {
        models: collect(suite.models),
        datasets: collect(suite.datasets),
        checks: await lastChecks(
          ended,
          path,
          suite.checks.map(({ value }) => value),
        ),
      };
    },
    forget() {
      listed = undefined;
    },
  };
};
