import { Fault } from '../base/fault.ts';
import { scoreSize } from '../evidence/score-size.ts';
import { inputRangeKey } from '../evidence/unlike.ts';
import { withValues } from '../graph/passes/half.ts';
import type { Model } from '../graph/types.ts';
import { write } from '../graph/write.ts';
import { type Report, SCHEMA } from '../report/report.ts';
import type { TrainRequest, TrainResult } from '../report/tasks.ts';
import type { State } from '../training/compile.ts';
import { layoutOf } from '../training/layout.ts';
import { compileTaps } from '../training/taps.ts';
import { outcomeOf } from './outcome.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';
import { writeModel } from './save-model.ts';
import { checkpointPaths, modelWith, readCheckpoint, writeCheckpoint } from './train-checkpoint.ts';
import { compareTraining } from './train-compare.ts';
import { finish, finishRegime } from './train-finish.ts';
import { blankJournal, courseOf, readJournal } from './train-journal.ts';
import { type Bad, lengthOf, trainLoop } from './train-loop.ts';
import { scalingRemarks } from './train-parts.ts';
import { fresh, type Snapshot, weights } from './train-progress.ts';
import { cardsOf, guideOf, headlineOf, regimeReport, type Scores } from './train-report.ts';
import { samplingCards } from './train-sampling.ts';
import { selectionCards } from './train-selection.ts';
import { type Setup, setUp } from './train-setup.ts';
import { targetCards } from './train-targets.ts';

/** The first tensor of the bad step that is not finite: its forward pass again, with a number per tensor. */
const blame = async ({ subject, run, train }: Setup, { positions, state }: Bad, ports: Ports): Promise<string> => {
  const taps = compileTaps(subject.plan);
  const { session } = await ports.runtime.open(write(taps.model), { device: 'cpu', name: 'the search for what is not finite' });
  try {
    const { x, y } = await train.rows.take(positions, [positions.length], run.job.signal);
    const feeds = { ...taps.hyper, ...Object.fromEntries(Object.entries(taps.state).map(([key, input]) => [input, state[key]])) };
    const out = await session.run({ ...feeds, [taps.inputs.x]: x, [taps.inputs.y]: y });
    const at = Array.from(out[taps.output].data as Float32Array).findIndex((v) => v !== 0);
    return at < 0 ? 'the gradient of what is added to the loss' : taps.names[at];
  } finally {
    await session.release();
  }
};

const metadataOf = ({ recipe, identity, classNames, subject, train: { rows } }: Setup, ports: Ports): ReadonlyMap<string, string> =>
  new Map([
    ['assay.recipe', recipe.id],
    ['assay.recipe_sha256', identity.recipeSha256],
    ['assay.data_sha256', identity.dataSha256],
    ['assay.seed', String(recipe.seed)],
    [
      'assay.versions',
      Object.entries(ports.versions)
        .map(([name, v]) => `${name} ${v}`)
        .join(', '),
    ],
    ...(rows.range[0] <= rows.range[1] ? [[inputRangeKey, rows.range.join(' ')] as const] : []),
    ...scoreSize(subject.model.metadata, recipe.loss.part.sizeless === true),
    ...(classNames ? [['classes', JSON.stringify(classNames)] as const] : []),
  ]);

const reportOf = (
  ask: TrainRequest,
  ports: Ports,
  began: { readonly at: string; readonly clock: number },
  setup: Setup,
  snapshot: Snapshot,
  scores: Scores,
  extra: Pick<Report, 'outcome' | 'notes'> & Partial<Pick<Report, 'reason'>>,
  parameters = setup.run.compiled.layout.size,
): Report => {
  const { recipe, opened, identity, choice, train } = setup;
  const seconds = (performance.now() - began.clock) / 1000;
  const headline = headlineOf(scores, snapshot.progress, parameters, seconds);
  return {
    schema: SCHEMA,
    id: recipe.id,
    title: `Training: ${recipe.id}`,
    question: 'How far does the model get, and was it still improving?',
    ...extra,
    headline,
    intervals: {},
    cards: [
      ...cardsOf(headline, snapshot.progress, snapshot.curves, recipe),
      ...targetCards(setup, snapshot),
      ...samplingCards(setup, snapshot),
    ],
    guide: guideOf(scores, snapshot.progress, snapshot.curves, recipe),
    samples: [],
    provenance: {
      ...opened.facts,
      dataPath: ports.resolve(ask.recipe, recipe.data.train.path),
      dataSha256: identity.dataSha256,
      ...(recipe.data.train.split ? { split: recipe.data.train.split } : {}),
      rows: train.positions.length,
      seed: recipe.seed,
      device: { requested: choice.requested, actual: choice.actual, reason: choice.reason },
      versions: ports.versions,
      options: {
        ...identity.recipe,
        recipeSha256: identity.recipeSha256,
        ...(setup.threads === undefined ? {} : { threads: setup.threads }),
      },
      seconds,
      startedAt: began.at,
    },
  };
};

/** Compiles a recipe into ONNX loops, runs them, and saves the model. Inputs of more than `residentBytes` are read as they are needed. */
export const trainWithin =
  (residentBytes: number): UseCase<'train'> =>
  async (ask, ports, outer) => {
    if (ask.compare) return compareTraining(ask, ask.compare, residentBytes, ports, outer);
    const began = { at: new Date().toISOString(), clock: performance.now() };
    const notes = new Set<string>();
    const job: AppJob = {
      signal: outer.signal,
      progress: (fraction, text) => outer.progress(fraction, text),
      live: (event) => outer.live(event),
      random: (name) => outer.random(name),
      note(text) {
        notes.add(text);
        outer.note(text);
      },
      ...(outer.steer ? { steer: () => outer.steer?.() ?? 'run' } : {}),
    };
    const setup = await setUp(ask, residentBytes, ports, job);
    try {
      const { recipe, subject, run, identity } = setup;
      const paths = checkpointPaths(ask.out);
      const metadata = metadataOf(setup, ports);
      const saved = (state: State): Model => {
        const trained = modelWith(subject.model, run.compiled, weights(state), metadata);
        return subject.stored ? { ...trained, graph: withValues(subject.stored.graph, trained.graph) } : trained;
      };
      const save = (s: Snapshot): Promise<void> => writeCheckpoint(ports, job, paths, saved(s.state), s, identity);
      const report = (snapshot: Snapshot, scores: Scores, extra: Pick<Report, 'outcome'> & Partial<Pick<Report, 'reason'>>): Report =>
        reportOf(ask, ports, began, setup, snapshot, scores, { ...extra, notes: [...notes] });

      if (recipe.extra.regime?.part.run) {
        const journal = ask.resume ? await readJournal(ports, paths.state, identity, ask.force, job) : blankJournal();
        const course = courseOf(ports, paths.state, journal, identity, job);
        await course.save();
        job.live({ kind: 'standing', paused: false });
        const { left, scores } = await finishRegime(setup, ports, course);
        const { ended, last, search } = left;
        const lasting = (epochs: number): Setup => ({ ...setup, recipe: { ...recipe, length: { epochs } } });
        const sampled = search ? samplingCards(lasting(search.epochs), search.snapshot) : [];
        const done = (extra: Parameters<typeof report>[2], parameters?: number): Report =>
          regimeReport(
            reportOf(ask, ports, began, lasting(last.epochs), last.snapshot, scores, { ...extra, notes: [...notes] }, parameters),
            { ...left, sampled },
            setup.classNames,
          );
        if (!ended) {
          job.note(`Stopped; --resume goes on from the checkpoint '${paths.state}'.`);
          return { out: '', report: done(outcomeOf(new Fault('job/stopped', {}), job.signal)) };
        }
        if (course.ending())
          job.note(`Stopped on request, and what was reached is kept; --resume goes on from the checkpoint '${paths.state}'.`);
        const model = { ...ended.model, metadata: new Map([...ended.model.metadata, ...metadata]) };
        for (const note of await writeModel(model, ask.out, ports, job)) job.note(note);
        return { out: ask.out, report: done({ outcome: 'measured' }, layoutOf(ended.plan.groups.flatMap((g) => g.parameters)).size) };
      }

      const start = run.compiled.start;
      const from = ask.resume ? await readCheckpoint(ports, paths.state, start, identity, ask.force, job.signal) : fresh(start);
      // At once, so that a place that cannot be written is known before the first step, and a killed run can be resumed.
      if (!ask.resume) await save(from);
      job.live({ kind: 'standing', paused: false });
      const ended = await trainLoop({ ...run, save }, from);
      const { progress } = ended.snapshot;
      const { epochs } = lengthOf(recipe, setup.train.positions.length, run.batch);
      if (progress.skipped > 0)
        job.note(`${progress.skipped} of ${progress.step} steps were left out, as loss or gradient was not finite.`);
      for (const remark of scalingRemarks(subject.plan, ended.snapshot.curves.monitors)) job.note(remark);
      if (ended.why !== 'kept') await save(ended.snapshot);
      if (ended.bad) {
        const { bad } = ended;
        const where = await blame(setup, bad, ports);
        const fault = new Fault('training/not-finite', {
          step: bad.step + 1,
          epoch: progress.epoch + 1,
          lr: bad.lr,
          rows: Array.from(bad.positions, setup.train.rows.bound.rowAt),
          where,
          kept: paths.model,
        });
        const reason = { code: fault.code, sentence: fault.message };
        return { out: paths.model, report: report(ended.snapshot, {}, { outcome: 'failed', reason }) };
      }
      const stopped = (): TrainResult => {
        job.note(`Stopped after step ${progress.step}; what was reached is in '${paths.model}', and --resume goes on from there.`);
        return { out: paths.model, report: report(ended.snapshot, {}, outcomeOf(new Fault('job/stopped', {}), job.signal)) };
      };
      if (ended.why === 'stopped') return stopped();
      if (ended.why === 'kept')
        job.note(`Stopped on request after step ${progress.step}, and kept; --resume goes on from the checkpoint '${paths.state}'.`);
      if (ended.why === 'early')
        job.note(
          `Ended early after epoch ${progress.epoch} of ${epochs}: ${recipe.earlyStop?.metric} had not improved for ${progress.waited} evaluations.`,
        );
      const finished = await finish(setup, ended)
        .then(async (reached) => ({ ...reached, selected: await selectionCards(setup, reached.state) }))
        .catch((error: unknown) => {
          if (!Fault.is(error, 'job/stopped')) throw error;
        });
      if (!finished) return stopped();
      const { state, scores, selected } = finished;
      for (const note of await writeModel(saved(state), ask.out, ports, job)) job.note(note);
      const done = report(ended.snapshot, scores, { outcome: 'measured' });
      const found = await run.diagnose?.(state, false);
      const cards = [...done.cards, ...selected, ...(found?.cards ?? [])];
      return { out: ask.out, report: { ...done, cards } };
    } finally {
      await setup.close();
    }
  };

export const train: UseCase<'train'> = trainWithin(2 ** 30);
