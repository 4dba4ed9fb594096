import { Fault } from '../base/fault.ts';
import { imageAxes } from '../base/image.ts';
import type { Job } from '../base/job.ts';
import { nearest } from '../base/nearest.ts';
import { type Chosen, choose, type Options } from '../base/option.ts';
import { random } from '../base/random.ts';
import type { RunRequest } from '../base/request.ts';
import { comparesTwo, type Diagnostic, type Findings, type Fold, needsModel, type Study } from '../diagnostics/define.ts';
import { diagnostics } from '../diagnostics/index.ts';
import type { Evidence, Subject, ToolName, Tools } from '../evidence/evidence.ts';
import type { Declared, Meaning } from '../evidence/interpret.ts';
import { type Listener, pass } from '../evidence/plan.ts';
import { costs } from '../evidence/providers/costs.ts';
import { openGradient } from '../evidence/providers/gradient.ts';
import { rowName } from '../evidence/providers/pair.ts';
import { samples } from '../evidence/providers/samples.ts';
import { checkConfidences } from '../evidence/score-size.ts';
import { rangeNotes } from '../evidence/unlike.ts';
import { type DeviceFacts, type Provenance, type Report, SCHEMA } from '../report/report.ts';
import { openComparison } from './compare-subject.ts';
import { ensembleTool } from './ensemble-tool.ts';
import { featureTools } from './feature-tools.ts';
import { lookAt, unscored } from './look-at.ts';
import { mapsTool } from './maps-tool.ts';
import { withContents } from './option-contents.ts';
import { outcomeOf, type Unmeasured } from './outcome.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';
import { rowsNamed, sampleViews } from './samples.ts';
import { openOutputs, openScores, passageOf } from './score-tools.ts';
import { type OpenSubject, openSubject } from './subject.ts';
import { trainingTools } from './training-tools.ts';

/** A report, or the fault that kept its run from starting. */
export type Diagnosed = Report | Fault;

/** A run whose id and options are known to be right. */
interface Started {
  readonly ask: RunRequest;
  readonly diagnostic: Diagnostic;
  readonly told: Chosen<Options>;
  /** The same, with the contents of files in place of their paths where the diagnostic asks for them. */
  readonly chosen: Chosen<Options>;
  readonly notes: string[];
}

/** What a run has found, with all that its samples need. */
interface Measured {
  readonly findings: Findings;
  readonly subject: Subject;
  readonly meaning?: Meaning;
  /** Where the gradient ran, if one did. */
  readonly device?: DeviceFacts;
  readonly against?: Provenance['against'];
}

const find = (id: string, registry: readonly Diagnostic[]): Diagnostic => {
  const found = registry.find((d) => d.id === id);
  const known = registry.map((d) => d.id);
  if (!found) throw new Fault('id/unknown', { what: 'diagnostic', id, nearest: nearest(id, known), known });
  return found;
};

/** How scores are to be read: as values for a regression, else by the option of that name. */
const declaredBy = ({ diagnostic, chosen }: Started): Declared =>
  diagnostic.shape === 'fold' && diagnostic.needs.includes('marks')
    ? 'independent'
    : diagnostic.shape === 'fold' && diagnostic.needs.includes('predictions')
      ? 'values'
      : chosen.logits === 'logits' || chosen.logits === 'probabilities' || chosen.logits === 'values'
        ? chosen.logits
        : 'auto';

/** The columns that options name. */
const columnsNamed = ({ diagnostic, chosen }: Started): readonly string[] =>
  Object.entries(diagnostic.options).flatMap(([name, o]) =>
    o.kind === 'pick' && o.from === 'column' && chosen[name] ? String(chosen[name]) : [],
  );

/** The columns that a fold reads in words: those named, and `group` where none is named to group by. */
const groupedBy = (run: Started): readonly string[] =>
  run.diagnostic.shape === 'fold' && run.diagnostic.needs.includes('groups')
    ? [...columnsNamed(run), ...(run.chosen.group ? [] : ['group'])]
    : comparesTwo(run.diagnostic)
      ? [rowName]
      : [];

/** Tools that read columns themselves. */
const freely: ReadonlySet<ToolName> = new Set<ToolName>(['columns', 'outputs', 'features', 'maps', 'loss']);

/** What reads classes and their labels is bound in one way; a study that reads columns itself more freely; several labels a row as such. */
const bindingOf = (id: string, registry: readonly Diagnostic[]): 'classes' | 'bare' | 'marks' => {
  const d = registry.find((one) => one.id === id);
  if (d?.shape === 'study' && d.uses.some((tool) => freely.has(tool) || (tool === 'fresh' && !needsModel(d)))) return 'bare';
  return d?.shape === 'fold' && d.needs.includes('marks') ? 'marks' : 'classes';
};

const finite = <T>(record: Readonly<Record<string, T>>, good: (value: T) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([, v]) => good(v)));

const facts = (device: DeviceFacts | undefined): DeviceFacts | undefined =>
  device && { requested: device.requested, actual: device.actual, reason: device.reason };

/** Runs that ask about one subject (model, data, limit, device): it is opened once and read once for all folds among them. */
export const diagnoseAll = async (
  asks: readonly RunRequest[],
  ports: Ports,
  outer: AppJob,
  registry: readonly Diagnostic[] = diagnostics,
): Promise<Diagnosed[]> => {
  const bindings = new Set(asks.map((ask) => bindingOf(ask.id, registry)));
  if (bindings.size > 1) {
    const found = new Map<RunRequest, Diagnosed>();
    for (const part of [...bindings].map((binding) => asks.filter((ask) => bindingOf(ask.id, registry) === binding)))
      for (const [i, one] of (await diagnoseAll(part, ports, outer, registry)).entries()) found.set(part[i], one);
    return asks.map((ask) => found.get(ask) ?? new Fault('job/stopped', {}));
  }
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const shared: string[] = [];
  const job: Job = {
    signal: outer.signal,
    progress: (fraction, text) => outer.progress(fraction, text),
    note(text) {
      shared.push(text);
      outer.note(text);
    },
    random: (name) => random(asks[0].seed, name),
  };
  const results = new Map<RunRequest, Diagnosed>();
  const started: Started[] = [];
  for (const ask of asks) {
    try {
      const diagnostic = find(ask.id, registry);
      if (comparesTwo(diagnostic) !== (ask.against !== undefined))
        throw new Fault(ask.against ? 'option/no-against' : 'option/against', { id: ask.id });
      const told = choose(`'${ask.id}'`, diagnostic.options, ask.options);
      const chosen = await withContents(diagnostic.options, told, ports, job.signal);
      started.push({ ask, diagnostic, told, chosen, notes: [] });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      results.set(ask, error);
    }
  }

  let open: OpenSubject | undefined;
  const report = (run: Started, extra: Partial<Report>, { device, against }: Pick<Measured, 'device' | 'against'> = {}): Report => ({
    schema: SCHEMA,
    id: run.diagnostic.id,
    title: run.diagnostic.title,
    question: run.diagnostic.question,
    outcome: 'measured',
    headline: {},
    intervals: {},
    cards: [],
    guide: '',
    samples: [],
    ...extra,
    notes: [...new Set([...shared, ...run.notes, ...(extra.notes ?? [])])],
    provenance: {
      ...(run.ask.model ? { modelPath: run.ask.model.path } : {}),
      ...(open?.modelSha256 ? { modelSha256: open.modelSha256 } : {}),
      dataPath: run.ask.data.path,
      dataSha256: open?.dataSha256 ?? '',
      ...(run.ask.data.split ? { split: run.ask.data.split } : {}),
      ...(against ? { against } : {}),
      rows: open?.bound.count ?? 0,
      seed: run.ask.seed,
      device: facts(device ?? open?.device) ?? { requested: run.ask.device, actual: 'none', reason: 'nothing was run' },
      versions: ports.versions,
      options: run.told,
      seconds: (performance.now() - began) / 1000,
      startedAt,
    },
  });
  const unmeasured = (run: Started, error: unknown): void => {
    try {
      const { outcome, reason }: Unmeasured = outcomeOf(error, job.signal);
      results.set(run.ask, report(run, { outcome, reason }));
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      results.set(run.ask, fault);
    }
  };
  const measured = async (run: Started, { findings, subject, meaning, ...ran }: Measured): Promise<void> => {
    if (!open) return;
    const views = await sampleViews(rowsNamed(findings.cards), open.bound, meaning && open.model?.score, subject, meaning, job.signal);
    results.set(
      run.ask,
      report(
        run,
        {
          headline: finite(findings.headline, Number.isFinite),
          intervals: finite(findings.intervals ?? {}, ({ low, high }) => Number.isFinite(low) && Number.isFinite(high)),
          cards: findings.cards,
          guide: findings.guide,
          notes: findings.notes ?? [],
          samples: views,
        },
        ran,
      ),
    );
  };
  const own = (run: Started): Job => ({
    ...job,
    random: (name) => random(run.ask.seed, name),
    note(text) {
      run.notes.push(text);
      outer.note(text);
    },
  });

  try {
    if (started.length > 0) {
      const subject = await openSubject(
        { ...started[0].ask, groups: started.flatMap(groupedBy), bare: bindings.has('bare'), marks: bindings.has('marks') },
        ports,
        job,
      );
      open = subject;
      for (const declared of ['auto', 'logits', 'probabilities', 'values', 'independent'] as const) {
        const folds = started.filter((run) => run.diagnostic.shape === 'fold' && declaredBy(run) === declared);
        if (folds.length > 0) await passFolds(folds, subject, declared, job, { own, measured, unmeasured });
      }
      for (const run of started) {
        if (run.diagnostic.shape !== 'study') continue;
        try {
          await measured(run, await ask(run.diagnostic, run, subject, ports, own(run)));
        } catch (error) {
          unmeasured(run, error);
        }
      }
    }
  } catch (error) {
    for (const run of started) if (!results.has(run.ask)) unmeasured(run, error);
  } finally {
    await open?.close();
  }
  return asks.map((a) => results.get(a) ?? new Fault('job/stopped', {}));
};

interface Settle {
  own(run: Started): Job;
  measured(run: Started, found: Measured): Promise<void>;
  unmeasured(run: Started, error: unknown): void;
}

/** Every fold of one subject in one pass; one that fails leaves the others alone. */
const passFolds = async (
  runs: readonly Started[],
  { bound, model }: OpenSubject,
  declared: Declared,
  job: Job,
  settle: Settle,
): Promise<void> => {
  interface Running extends Listener {
    readonly run: Started;
    readonly fold: Fold;
    state: unknown;
    failed?: unknown;
  }
  const listeners = runs.flatMap((run): Running[] => {
    const fold = run.diagnostic;
    if (fold.shape !== 'fold') return [];
    if ((fold.needs.includes('labels') || fold.needs.includes('targets')) && !bound.labelled) {
      settle.unmeasured(run, new Fault('evidence/no-labels', { id: fold.id, path: bound.path, known: bound.known }));
      return [];
    }
    if (fold.needs.includes('marks') && !bound.labelled) {
      settle.unmeasured(run, new Fault('evidence/no-marks', { id: fold.id, path: bound.path, known: bound.known }));
      return [];
    }
    try {
      if (fold.confidences) checkConfidences(model, fold.id, run.ask.model?.path);
    } catch (error) {
      settle.unmeasured(run, error);
      return [];
    }
    const wanted = columnsNamed(run).find((name) => !bound.groups.includes(name));
    if (wanted !== undefined) {
      const { path, known } = bound;
      const detail = { path, name: wanted };
      settle.unmeasured(
        run,
        known.includes(wanted)
          ? new Fault('data/group', detail)
          : new Fault('data/column', { ...detail, nearest: nearest(wanted, known), known }),
      );
      return [];
    }
    const guarded =
      <A>(work: (self: Running, arg: A) => void) =>
      (arg: A): void => {
        if (listener.failed !== undefined) return;
        try {
          work(listener, arg);
        } catch (error) {
          listener.failed = error;
        }
      };
    const listener: Running = {
      run,
      fold,
      needs: fold.needs,
      ...(fold.missing ? { missing: true } : {}),
      state: undefined,
      begin: guarded((self, subject: Subject) => {
        self.state = fold.start(run.chosen, subject);
      }),
      // The planner gives every noun that `needs` names.
      add: guarded((self, batch: Partial<Evidence>) => fold.add(self.state, batch as Evidence, run.chosen)),
      fail(fault) {
        listener.failed ??= fault;
      },
    };
    return [listener];
  });
  if (listeners.length === 0) return;
  const passage = passageOf(bound, model, declared);
  const { subject, meaning, range } = await pass(passage, listeners, { ...job, progress: (f, text) => job.progress(0.8 * f, text) });
  if (range && model) for (const note of rangeNotes(model.model, range, imageAxes(bound.inputDims) !== undefined)) job.note(note);
  for (const [i, { run, fold, state, failed }] of listeners.entries()) {
    try {
      if (failed !== undefined) throw failed;
      const own = settle.own(run);
      const share = (f: number): number => 0.8 + (0.2 * (i + 0.9 * f)) / listeners.length;
      const result = await fold.result(state, run.chosen, { ...own, progress: (f, text) => job.progress(share(f), text) });
      await settle.measured(run, { findings: fold.report(result, run.chosen, subject), subject, meaning });
    } catch (error) {
      settle.unmeasured(run, error);
    }
  }
};

/** Gives a study its tools and lets it ask. */
const ask = async (study: Study, run: Started, open: OpenSubject, ports: Ports, job: Job): Promise<Measured> => {
  const { bound, model } = open;
  const began = performance.now();
  if (study.confidences) checkConfidences(model, study.id, run.ask.model?.path);
  if (!model && needsModel(study)) throw new Fault('evidence/no-model', { id: study.id, tool: study.uses.join(', ') });
  const uses = new Set<ToolName>(study.uses);
  const features = featureTools(open, run.ask, ports, job);
  const training = trainingTools(open, run.ask, ports, job);
  const told = openOutputs(open, declaredBy(run), run.ask, ports, job);
  const scores = uses.has('scores') ? await openScores(open, declaredBy(run), run.ask, ports, job) : undefined;
  const { subject, meaning } =
    scores ?? (uses.has('maps') || uses.has('biases') ? unscored(open) : await lookAt(open, declaredBy(run), job));
  const maps = mapsTool(open, run.ask, ports, job);
  const pair = uses.has('pair') ? await openComparison(open, run.ask, declaredBy(run), ports, job) : undefined;
  const reader = model && samples(bound, model.score);
  const gradient =
    model && uses.has('gradient')
      ? await openGradient(model, bound.inputDims, { runtime: ports.runtime, device: run.ask.device }, job)
      : undefined;
  try {
    // A study reads no tool that `uses` does not name.
    const tools = {
      ...told.tools,
      ...training.tools,
      maps: maps.tool,
      ...features.tools,
      ensemble: ensembleTool(open, run.ask, ports, job),
      ...scores?.tools,
      ...(pair ? { pair: pair.tool } : {}),
      ...(reader ? { samples: reader.tool } : {}),
      ...(model ? { costs: costs(model) } : {}),
      ...(gradient ? { gradient: gradient.tool } : {}),
    } as Tools;
    const result = await study.study(tools, run.chosen, job, subject);
    const [passed] = pair?.passed() ?? [];
    const range = scores?.range ?? passed?.range ?? reader?.range();
    if (model && range && range.max >= range.min)
      for (const note of rangeNotes(model.model, range, imageAxes(bound.inputDims) !== undefined)) job.note(note);
    const ran = gradient?.choice ?? training.device();
    const device = (ran ?? open.device)?.actual;
    const seconds = (performance.now() - began) / 1000;
    const findings = study.report(result, run.chosen, { ...subject, ...(device ? { ran: { device, seconds } } : {}) });
    return {
      findings,
      subject,
      ...(meaning ? { meaning } : {}),
      ...told.seen(),
      ...(passed ? { subject: passed.subject, meaning: passed.meaning } : {}),
      ...(pair ? { against: pair.against } : {}),
      ...(ran ? { device: ran } : {}),
    };
  } finally {
    await maps.close();
    await gradient?.release();
    await pair?.close();
    await training.release();
    await features.release();
  }
};

/** One diagnostic on one subject. Wrong input is thrown; everything else becomes a report. */
export const diagnose: UseCase<'run'> = async (request, ports, job) => {
  const [found] = await diagnoseAll([request], ports, job);
  if (found instanceof Fault) throw found;
  return found;
};
