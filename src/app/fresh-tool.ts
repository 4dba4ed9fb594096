import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import { fromFloats, toFloats } from '../data/values.ts';
import type { Matrix } from '../evidence/evidence.ts';
import type { FreshAsk, FreshModel, FreshTool, FreshTrainer, LabelledRows } from '../evidence/fresh.ts';
import { withSessions } from '../evidence/model.ts';
import { type OpenGradient, openGradient } from '../evidence/providers/gradient.ts';
import { type Prepared, prepare } from '../graph/prepare.ts';
import type { DeviceChoice } from '../runtime/session.ts';
import { redraws } from '../training/initialise.ts';
import { gathered, scattered } from '../training/layout.ts';
import { type Recipe, readRecipe } from '../training/recipe.ts';
import { attackedRows, inChunks, stepOf } from './attacked-rows.ts';
import { keptResults } from './kept-results.ts';
import type { AppJob, Ports } from './ports.ts';
import type { OpenSubject } from './subject.ts';
import { withClassMeans } from './train-class-means.ts';
import { readRows, rowsInMemory } from './train-data.ts';
import { lengthOf, type Run, trainLoop } from './train-loop.ts';
import { fresh, startingAt, weights } from './train-progress.ts';
import { openTraining } from './train-sessions.ts';
import { openRecipeModel, redrawn, type Subject } from './train-subject.ts';
import { openTrained } from './trained-model.ts';

export interface OpenFresh {
  readonly tool: FreshTool;
  /** Where the last trainer opened runs. */
  device(): DeviceChoice | undefined;
  release(): Promise<void>;
}

/** The recipe asked for: a file with its parameters drawn anew, or one made of the numbers. */
const recipeOf = async (ask: FreshAsk, model: string | undefined, ports: Ports, signal: AbortSignal): Promise<Recipe> => {
  const { adversarial, epochs, batch, rate } = ask;
  const attack = adversarial ? { adversarial: { ...adversarial, step: stepOf(adversarial) } } : {};
  if (ask.recipe) {
    const source = await ports.source(ask.recipe);
    const text = new TextDecoder().decode(await source.read(0, source.size, signal));
    const own = readRecipe(text, ask.recipe);
    const {
      earlyStop: _,
      init,
      ...recipe
    } = ask.loss ? readRecipe(JSON.stringify({ ...JSON.parse(text), loss: ask.loss }), ask.recipe) : own;
    return { ...recipe, init: redraws(init) ? init : 'torch-default', ...attack };
  }
  if (ask.source === 'model' && model === undefined) throw new Fault('option/without-model', { names: ['model'] });
  const text = JSON.stringify({
    ...(ask.source === 'model' ? { model } : { arch: ask.source }),
    data: { train: '-' },
    init: 'torch-default',
    loss: ask.loss ?? 'cross-entropy',
    optimizer: { kind: 'adam', lr: rate },
    batch,
    epochs,
    split: { val: 0 },
  });
  return { ...readRecipe(text, 'options'), ...attack };
};

interface Trained extends Pick<Run, 'evaluation' | 'evaluator'> {
  readonly recipe: Recipe;
  readonly subject: Subject;
  readonly model: Prepared['model'];
  readonly state: Readonly<Record<string, Tensor>>;
  readonly dims: readonly number[];
  readonly stepSeconds: number;
  readonly sessions: { release(): Promise<void> }[];
}

/** A fresh model after its training. */
const trainedModel = (t: Trained, device: RunRequest['device'], ports: Ports, job: Job): FreshModel => {
  const { input, output, classes } = t.subject.plan;
  const size = sizeOf(t.dims);
  const dtype = t.subject.plan.precision;
  const tensor = (x: Float32Array, from: number, to: number): Tensor => ({
    dtype,
    dims: [to - from, ...t.dims],
    data: fromFloats(x.subarray(from * size, to * size), dtype),
  });
  const model = { ...t.model, graph: { ...t.model.graph, outputs: [{ name: output }] } };
  const name = `a fresh ${t.recipe.id}`;
  let known: Promise<Prepared> | undefined;
  const prepared = (): Promise<Prepared> => {
    known ??= withSessions(ports.runtime, name, '.', (run) => prepare(model, run, { name }));
    return known;
  };
  let gradients: Promise<OpenGradient> | undefined;
  return {
    stepSeconds: t.stepSeconds,
    async scores(x): Promise<Matrix> {
      const { evaluation, evaluator } = t;
      const feeds: Record<string, Tensor> = { ...evaluation.hyper };
      for (const [key, name] of Object.entries(evaluation.state)) feeds[name] = t.state[key];
      const rows = x.length / size;
      const data = new Float64Array(rows * classes);
      await inChunks(rows, job, async (from, to) => {
        const y = int64([to - from], new Int32Array(to - from));
        const given = { ...feeds, [evaluation.inputs.x]: tensor(x, from, to), [evaluation.inputs.y]: y };
        const out = await evaluator.run(given, [evaluation.outputs.scores]);
        data.set(toFloats(out[evaluation.outputs.scores]), from * classes);
      });
      return { rows, cols: classes, data };
    },
    async gradient() {
      gradients ??= openGradient(
        { name, folder: '.', ends: { input: { name: input, dtype, dims: t.dims }, output, hint: 'linear' }, prepared },
        t.dims,
        { runtime: ports.runtime, device },
        job,
      ).then((open) => {
        t.sessions.push(open);
        return open;
      });
      return (await gradients).tool;
    },
    attacked: async (rows, attack) =>
      attackedRows({ ...(await prepared()), name, input, output, dtype, dims: t.dims }, rows, attack, ports, job),
  };
};

/** Fresh models of one recipe, on rows in memory. */
const trainerOf = async (
  ask: FreshAsk,
  { dims, rows, classes }: Parameters<FreshTool['open']>[1],
  request: RunRequest,
  ports: Ports,
  job: AppJob,
  opened: { release(): Promise<void> }[],
  placed: (choice: DeviceChoice) => void,
): Promise<FreshTrainer> => {
  const recipe = await recipeOf(ask, request.model?.path, ports, job.signal);
  const source = await openRecipeModel(recipe, ports, job);
  if (source.classes > 0 && source.classes < classes)
    throw new Fault('training/recipe', {
      path: recipe.path,
      where: 'model',
      reason: `it tells ${source.classes} classes apart, and the data have ${classes}`,
    });
  const subject = await source.finish(dims, source.classes || classes);
  const plan = { ...subject.plan, data: 'resident' as const };
  const batch = Math.min(rows, recipe.batch.size === 'full' ? rows : recipe.batch.size);
  const blank: Tensor = {
    dtype: plan.precision,
    dims: [batch, ...dims],
    data: fromFloats(new Float32Array(batch * sizeOf(dims)), plan.precision),
  };
  const probe = { rows: rowsInMemory(blank, new Int32Array(batch)), positions: Float64Array.from({ length: batch }, (_, i) => i) };
  const { choice, threads: _, ...steps } = await openTraining(plan, recipe, probe, batch, request.device, ports, job);
  placed(choice);
  opened.push(steps.session, steps.evaluator);
  const { compiled } = steps;
  const { part, chosen } = recipe.optimizer;
  const length = 'steps' in recipe.length ? `${recipe.length.steps} steps` : `${recipe.length.epochs} epochs`;
  return {
    how: `${length} of ${part.id}, rate ${chosen.lr}, ${batch} rows a step`,
    parameters: compiled.layout.size,
    steps: (count) => lengthOf(recipe, count, Math.min(batch, count)).steps,
    async train(given, seed, { most, told } = {}) {
      const count = given.labels.length;
      const x: Tensor = { dtype: plan.precision, dims: [count, ...dims], data: fromFloats(given.x, plan.precision) };
      const rows = { rows: rowsInMemory(x, given.labels), positions: Float64Array.from({ length: count }, (_, i) => i) };
      const drawn = await withClassMeans(redrawn(subject, recipe, seed), rows, { recipe, device: choice.actual }, ports, job);
      const theta = gathered(drawn.plan.graph, compiled.layout, compiled.precision);
      const { why, snapshot, bad } = await trainLoop(
        {
          ...steps,
          recipe: { ...recipe, seed, evalEvery: 1e6, ...(most === undefined ? {} : { length: { steps: most } }) },
          train: rows,
          plan,
          facts: { labels: given.labels, classes: plan.classes },
          batch: Math.min(batch, count),
          job: { ...job, progress: (share) => told?.(share) },
          save: async () => {},
        },
        fresh(startingAt(compiled.start, theta)),
      );
      if (why === 'stopped') throw new Fault('job/stopped', {});
      if (bad) throw new Fault('training/fresh-not-finite', { step: bad.step, lr: bad.lr });
      const { progress } = snapshot;
      const state = weights(snapshot.state);
      const statistics = new Map(
        Object.entries(state).flatMap(([key, value]) =>
          key.startsWith('statistic/') ? [[key.slice('statistic/'.length), value] as const] : [],
        ),
      );
      const trained: Trained = {
        evaluation: steps.evaluation,
        evaluator: steps.evaluator,
        recipe,
        subject,
        model: { ...subject.model, graph: scattered(subject.model.graph, compiled.layout, state.theta, statistics) },
        state,
        dims,
        stepSeconds: progress.stepSeconds / Math.max(1, progress.step),
        sessions: opened,
      };
      return trainedModel(trained, request.device, ports, job);
    },
  };
};

/** Rows for a study to change, and fresh models trained on them. Sessions stay open until the study ends. */
export const freshTool = (open: OpenSubject, request: RunRequest, ports: Ports, outer: Job): OpenFresh => {
  const opened: { release(): Promise<void> }[] = [];
  let device: DeviceChoice | undefined;
  // Of many runs only the study tells how far they are.
  const job: AppJob = { ...outer, progress: () => {}, live: () => {} };
  return {
    tool: {
      async data(split): Promise<LabelledRows> {
        const bound = await open.inputs(split);
        try {
          const targets = { kind: 'class', loss: 'cross-entropy', classes: 0, dims: [1], double: false } as const;
          const { resident, labels, count, classes } = await readRows(bound, targets, Number.POSITIVE_INFINITY, job);
          if (!resident) throw new Fault('data/no-rows', { path: bound.path });
          const { dtype } = resident.x;
          if (!/float/.test(dtype)) throw new Fault('evidence/whole-input', { input: open.model?.ends.input.name ?? 'x', dtype });
          return {
            rows: Float64Array.from({ length: count }, (_, i) => bound.rowAt(i)),
            x: Float32Array.from(toFloats(resident.x)),
            dims: bound.inputDims,
            labels: Int32Array.from(labels),
            classes,
          };
        } finally {
          await bound.close();
        }
      },
      async scores(x, dims): Promise<Matrix> {
        const { model } = open;
        if (!model) throw new Fault('evidence/no-model', { id: request.id, tool: 'fresh' });
        const [rows, size] = [x.length / sizeOf(dims), sizeOf(dims)];
        const { dtype } = model.ends.input;
        let found: Matrix = { rows: 0, cols: 0, data: new Float64Array() };
        await inChunks(rows, job, async (from, to) => {
          const data = fromFloats(x.subarray(from * size, to * size), dtype);
          const part = await model.score({ dtype, dims: [to - from, ...dims], data });
          if (found.rows === 0) found = { rows, cols: part.cols, data: new Float64Array(rows * part.cols) };
          found.data.set(part.data, from * part.cols);
        });
        return found;
      },
      trained: (path, dims) => openTrained(path, dims, request.device, ports, job, opened),
      kept: (path, identity) =>
        keptResults(path, { ...identity, model: open.modelSha256 ?? '', data: open.dataSha256 }, request, ports, job),
      open: (ask, like) =>
        trainerOf(ask, like, request, ports, job, opened, (choice) => {
          device = choice;
        }),
    },
    device: () => device,
    async release() {
      for (const one of opened) await one.release();
    },
  };
};
