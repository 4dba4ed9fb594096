import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import type { AgainstRef, Check, DataRef, ModelRef, RunRequest, Suite } from '../base/request.ts';
import { isDataFile } from '../data/open.ts';
import type { Diagnostic } from '../diagnostics/define.ts';
import { diagnostics } from '../diagnostics/index.ts';
import type { CheckResult, SuiteRequest, SuiteResult } from '../report/tasks.ts';
import { type Diagnosed, diagnoseAll } from './diagnose.ts';
import { judge } from './gates.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';
import { checkNames, readSuiteFile } from './suite-file.ts';

/** Paths of the file are relative to it; `x`, `y` and `labels` may name files too. */
export const dataRef = (ref: DataRef, from: string, { resolve }: Ports): DataRef => {
  const file = (name: string | undefined): string | undefined => (name !== undefined && isDataFile(name) ? resolve(from, name) : name);
  const [x, y] = [file(ref.x), file(ref.y)];
  const { tokenizer } = ref.preprocess ?? {};
  return {
    ...ref,
    path: resolve(from, ref.path),
    ...(x === undefined ? {} : { x }),
    ...(y === undefined ? {} : { y }),
    ...(ref.labels === undefined ? {} : { labels: resolve(from, ref.labels) }),
    ...(tokenizer === undefined ? {} : { preprocess: { ...ref.preprocess, tokenizer: resolve(from, tokenizer) } }),
  };
};
export const modelRef = (ref: ModelRef, from: string, { resolve }: Ports): ModelRef => ({ ...ref, path: resolve(from, ref.path) });

/** Options that name files are relative to the file, too. */
const optionsOf = (
  { options }: Check,
  diagnostic: Diagnostic | undefined,
  from: string,
  { resolve }: Ports,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(options ?? {}).map(([name, value]) => {
      const option = diagnostic?.options[name];
      // What is read may be an array of the data instead, whose name has neither folder nor ending.
      const file =
        option?.kind === 'text' &&
        typeof value === 'string' &&
        value !== '' &&
        (option.writes !== undefined || (option.reads && /[\\/.]/.test(value)));
      return [name, file ? resolve(from, value) : value];
    }),
  );

/** The level of all intervals that the gates ask for, where they agree and the diagnostic can be told. */
const levelOf = ({ expect, options }: Check, diagnostic: Diagnostic | undefined): Readonly<Record<string, unknown>> => {
  const levels = new Set(Object.values(expect ?? {}).flatMap((e) => (e.level === undefined ? [] : [e.level])));
  const [level] = levels;
  const takes = diagnostic !== undefined && Object.hasOwn(diagnostic.options, 'confidenceLevel') && options?.confidenceLevel === undefined;
  return levels.size === 1 && takes ? { confidenceLevel: level } : {};
};

/** A model of that name, else a dataset. */
const againstOf = ({ models, datasets }: Suite, { against, againstData }: Check, from: string, ports: Ports): AgainstRef | undefined => {
  if (against === undefined) return undefined;
  const model = models?.[against];
  const data = datasets?.[againstData ?? (model ? '' : against)];
  return { ...(model ? { model: modelRef(model, from, ports) } : {}), ...(data ? { data: dataRef(data, from, ports) } : {}) };
};

interface Planned {
  readonly check: Check;
  readonly request: RunRequest;
}

const plan = (suite: Suite, checks: readonly Check[], ask: SuiteRequest, ports: Ports, registry: readonly Diagnostic[]): Planned[] =>
  checks.map((check) => {
    const model = check.model === undefined ? undefined : suite.models?.[check.model];
    const data = suite.datasets?.[check.data];
    if (!data) throw new RangeError(`dataset '${check.data}' was checked to be there`);
    const diagnostic = registry.find((d) => d.id === check.run);
    const against = againstOf(suite, check, ask.path, ports);
    return {
      check,
      request: {
        id: check.run,
        ...(model ? { model: modelRef(model, ask.path, ports) } : {}),
        data: dataRef(data, ask.path, ports),
        ...(against ? { against } : {}),
        options: { ...levelOf(check, diagnostic), ...optionsOf(check, diagnostic, ask.path, ports) },
        device: ask.device,
        seed: ask.seed,
        ...(ask.limit === undefined ? {} : { limit: ask.limit }),
      },
    };
  });

/** A check is judged by its gates; without any it passes where something was measured. */
const verdict = ({ name, expect }: Check, found: Diagnosed): CheckResult => {
  const common = { name, gates: [] };
  if (found instanceof Fault) return { ...common, status: 'error', sentence: found.message, seconds: 0 };
  const { seconds } = found.provenance;
  const told = { ...common, report: found, seconds };
  if (found.outcome !== 'measured')
    return { ...told, status: found.outcome === 'unavailable' ? 'skipped' : 'error', sentence: found.reason?.sentence ?? found.outcome };
  const judged = Object.entries(expect ?? {}).map(([key, expected]) => judge(key, expected, found));
  const gates = judged.map((j) => ('gate' in j ? j.gate : j.problem));
  const [problem] = judged.flatMap((j) => ('problem' in j ? [j.problem] : []));
  if (problem) return { ...told, gates, status: 'error', sentence: problem.sentence };
  const broken = gates.filter((g) => !g.holds);
  const sentence =
    broken.length > 0
      ? broken.map((g) => g.sentence).join(' ')
      : gates.length > 0
        ? gates.map((g) => g.sentence).join(' ')
        : 'Measured; no gates.';
  return { ...told, gates, status: broken.length > 0 ? 'failed' : 'passed', sentence };
};

/** Runs the checks of a suite, each model and dataset pair opened and read once. */
export const runSuite = async (
  ask: SuiteRequest,
  ports: Ports,
  job: AppJob,
  registry: readonly Diagnostic[] = diagnostics,
): Promise<SuiteResult> => {
  const source = await ports.source(ask.path);
  const file = readSuiteFile(new TextDecoder().decode(await source.read(0, source.size, job.signal)), ask.path);
  checkNames(
    file,
    ask.path,
    registry.map((d) => d.id),
  );
  const all = file.suite.checks ?? [];
  if (all.length === 0)
    throw new Fault('suite/value', { path: ask.path, line: 1, where: 'checks', expected: 'a list of at least one check' });
  for (const name of ask.only ?? []) {
    const known = all.map((c) => c.name);
    if (!known.includes(name)) throw new Fault('id/unknown', { what: 'check', id: name, nearest: nearest(name, known), known });
  }
  const planned = plan(
    file.suite,
    all.filter((c) => ask.only === undefined || ask.only.includes(c.name)),
    ask,
    ports,
    registry,
  );
  const groups = new Map<string, Planned[]>();
  for (const p of planned) {
    const key = JSON.stringify([p.request.model, p.request.data]);
    groups.set(key, [...(groups.get(key) ?? []), p]);
  }
  const results = new Map<Check, CheckResult>();
  let done = 0;
  for (const group of groups.values()) {
    const share = group.length / planned.length;
    const before = done;
    const part: AppJob = {
      ...job,
      progress: (f, text) => job.progress(before + share * f, `${group.map((p) => p.check.name).join(', ')}: ${text}`),
    };
    const found = await diagnoseAll(
      group.map((p) => p.request),
      ports,
      part,
      registry,
    );
    if (job.signal.aborted) throw new Fault('job/stopped', {});
    for (const [i, { check }] of group.entries()) results.set(check, verdict(check, found[i]));
    done += share;
  }
  const checks = planned.flatMap(({ check }): CheckResult[] => {
    const result = results.get(check);
    return result ? [{ ...result, line: file.lines[all.indexOf(check)] }] : [];
  });
  return { path: ask.path, checks };
};

export const suite: UseCase<'suite'> = (ask, ports, job) => runSuite(ask, ports, job);
