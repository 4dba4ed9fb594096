import { resolve } from 'node:path';
import type { Check, RunRequest } from '../base/request.ts';
import type { RunRecord, RunStore } from '../jobs/store.ts';
import { format } from '../report/format.ts';
import { cardOfNumber } from '../report/place.ts';
import type { CheckResult, SuiteRequest, TrainRequest } from '../report/tasks.ts';
import { located } from './located.ts';
import type { SuiteText } from './suite.ts';

/** The newest result for an entry of `assay.json`: a few words, and the run and report they came from. */
export interface LastResult {
  readonly text: string;
  readonly run: string;
  readonly focus?: string;
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

const checkText = ({ status, gates, report, sentence }: CheckResult): string => {
  const numbers =
    gates.length > 0
      ? gates.slice(0, FEW).map(({ name, actual }) => `${name} ${format(actual)}`)
      : [report ? brief(report.headline) : sentence];
  return `${marks[status]}\u00a0${numbers.join(', ')}`;
};

/** The result of one run of a diagnostic, or of a training, for the model or data it was about. */
const runText = ({ title, reports }: RunRecord): string => {
  const [report] = reports;
  return report.outcome === 'measured' ? `${title}: ${brief(report.headline)}` : `${title}: ${report.outcome}`;
};

export const history = (store: Pick<RunStore, 'list' | 'read'>): History => {
  let listed: Promise<readonly RunRecord[]> | undefined;
  const suites = new Map<string, Promise<readonly CheckResult[]>>();

  const runs = (): Promise<readonly RunRecord[]> => {
    listed ??= store.list().then((all) => all.runs);
    return listed;
  };
  const checksOf = (run: string): Promise<readonly CheckResult[]> => {
    const known =
      suites.get(run) ??
      store.read(run).then(
        ({ result }) => result.suite?.checks ?? [],
        () => [],
      );
    suites.set(run, known);
    return known;
  };

  const lastChecks = async (done: readonly RunRecord[], path: string, checks: readonly Check[]): Promise<Map<string, LastResult>> => {
    const found = new Map<string, LastResult>();
    const earlier = done.filter(({ kind, request }) => kind === 'suite' && resolve((request as SuiteRequest).path) === path);
    for (const { id } of earlier.slice(0, LOOK_BACK)) {
      let report = 0;
      for (const check of await checksOf(id)) {
        const focus = check.report ? `${report++}:${cardOfNumber(check.report, check.gates[0]?.name)}` : undefined;
        if (found.has(check.name)) continue;
        found.set(check.name, { text: checkText(check), run: id, ...(focus === undefined ? {} : { focus }) });
      }
      if (checks.every(({ name }) => found.has(name))) break;
    }
    return found;
  };

  return {
    runs,
    async last(path, suite) {
      const done = (await runs()).filter(({ status, reports }) => status === 'done' && reports.length > 0);
      const newest = (about: (run: RunRecord) => boolean): LastResult | undefined => {
        const run = done.find(about);
        return run && { text: runText(run), run: run.id };
      };
      const collect = <T extends { readonly path: string }>(
        entries: readonly { readonly name: string; readonly value: T }[],
        about: (run: RunRecord, path: string) => boolean,
      ): Map<string, LastResult> =>
        new Map(
          entries.flatMap(({ name, value }) => {
            const result = newest((run) => about(run, located(path, value).path));
            return result ? [[name, result] as const] : [];
          }),
        );
      return {
        models: collect(
          suite.models,
          ({ kind, request }, file) =>
            (kind === 'run' && (request as RunRequest).model?.path === file) ||
            (kind === 'train' && (request as TrainRequest).out === file),
        ),
        datasets: collect(suite.datasets, ({ kind, request }, file) => kind === 'run' && (request as RunRequest).data.path === file),
        checks: await lastChecks(
          done,
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
