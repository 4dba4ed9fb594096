import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { random } from '../base/random.ts';
import { constantOf, numbersOf } from '../graph/constant.ts';
import type { Graph, Model } from '../graph/types.ts';
import { write } from '../graph/write.ts';
import type { Session } from '../runtime/session.ts';
import type { State } from '../training/compile.ts';
import type { Programme, StageCurve, StageGrid } from '../training/define-run.ts';
import { compileEvaluation, compileValue } from '../training/evaluate.ts';
import type { Plan } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import type { Ports } from './ports.ts';
import type { Held } from './train-data.ts';
import { evaluate } from './train-evaluate.ts';
import type { Course } from './train-journal.ts';
import { pause } from './train-pause.ts';
import { weights } from './train-progress.ts';
import { readFile, type Setup } from './train-setup.ts';
import { openStages, type ShownRun, storedIn } from './train-stage.ts';

const CHUNK = 256;

export interface RegimeStage {
  readonly stage: string;
  readonly numbers: Readonly<Record<string, number>>;
}
/** What a regime leaves: the model to save with the state of its plan, none where it was stopped; its stages, and its last run. */
export interface RegimeEnd {
  readonly ended?: { readonly model: Model; readonly plan: Plan; readonly state: State };
  readonly stages: readonly RegimeStage[];
  readonly curves: readonly StageCurve[];
  readonly grids: readonly StageGrid[];
  readonly last: ShownRun;
  readonly search?: ShownRun;
}

/** A model with the values that a graph has under its names. */
const valuesInto = (model: Model, graph: Graph): Model => {
  const initializers = new Map(
    Array.from(model.graph.initializers, ([name, old]) => {
      const found = graph.initializers.get(name);
      const same = found && found.dims.join() === old.dims.join() && found.dtype === old.dtype;
      return [name, same ? constantOf(old.dtype, old.dims, numbersOf(found)) : old] as const;
    }),
  );
  return { ...model, graph: { ...model.graph, initializers } };
};

/** The files that options of the regime name, read. */
const filesOf = async ({ path, extra: { regime } }: Recipe, ports: Ports, signal: AbortSignal): Promise<Record<string, string>> => {
  const texts: Record<string, string> = {};
  for (const option of regime?.part.files ?? []) {
    const named = String(regime?.chosen[option] ?? '');
    if (named !== '') texts[option] = await readFile(ports.resolve(path, named), ports, signal);
  }
  return texts;
};

/** Runs the recipe's regime along a journal, which is saved when it is stopped. */
export const runRegime = async (setup: Setup, ports: Ports, course: Course): Promise<RegimeEnd> => {
  const { recipe, subject, run, train, validation } = setup;
  const { job } = run;
  const stages: RegimeStage[] = [];
  const curves: StageCurve[] = [];
  const grids: StageGrid[] = [];
  const opened: Session[] = [];
  const runs = openStages(setup, ports, job, course);
  const held = { train, validation } as const;
  let fraction = 0;
  const texts = await filesOf(recipe, ports, job.signal);

  const programme: Programme = {
    plan: subject.plan,
    model: subject.model,
    epochs: 'epochs' in recipe.length ? recipe.length.epochs : 1,
    rows: {
      count: train.positions.length,
      classes: run.facts.classes,
      labels: Array.from(train.positions, (p) => run.facts.labels[p]),
      ...(run.facts.domains ? { domains: Array.from(train.positions, (p) => run.facts.domains?.[p] ?? 0) } : {}),
    },
    ...(validation
      ? { validation: { count: validation.positions.length, labels: Array.from(validation.positions, (p) => validation.rows.labels[p]) } }
      : {}),
    random: (name) => random(recipe.seed, `regime/${name}`),
    texts,
    train: runs.train,
    stored: storedIn,
    async evaluate(plan, state) {
      return validation && evaluatePlan(setup, plan, state, validation, ports);
    },
    async values(plan, state, value, of) {
      const { rows, positions } = held[of] ?? { rows: train.rows, positions: new Float64Array(0) };
      const compiled = compileValue({ ...plan, graph: storedIn(plan, state) }, value);
      const { session } = await ports.runtime.open(write(compiled.model), { device: 'cpu', name: `the values of ${recipe.id}` }, job);
      try {
        const parts: ArrayLike<number>[] = [];
        for (let from = 0; from < positions.length; from += CHUNK) {
          const part = positions.subarray(from, from + CHUNK);
          const { x } = await rows.take(part, [part.length], job.signal);
          parts.push((await session.run({ [compiled.input]: x }))[compiled.output].data as Float32Array);
        }
        const size = parts.reduce((n, p) => n + p.length, 0);
        const data = new Float64Array(size);
        let at = 0;
        for (const p of parts) {
          data.set(p, at);
          at += p.length;
        }
        return { data, width: positions.length > 0 ? size / positions.length : 0 };
      } finally {
        await session.release();
      }
    },
    async open(model, name) {
      const { session } = await ports.runtime.open(write(model), { device: 'cpu', name }, job);
      opened.push(session);
      return {
        async run(feeds) {
          await breathe(job);
          return session.run(feeds);
        },
      };
    },
    async once(name, make) {
      const known = course.journal.made.get(name);
      if (known) return known;
      await breathe(job);
      if (job.steer?.() === 'pause') {
        await course.save();
        await pause(job, `paused before ${name}`, fraction);
      }
      const made = await make();
      course.journal.made.set(name, made);
      await course.keep();
      return made;
    },
    ending: course.ending,
    curve: (curve) => void curves.push(curve),
    grid: (grid) => void grids.push(grid),
    progress(reached, text) {
      fraction = reached;
      job.progress(reached, text);
    },
    record(stage, numbers) {
      stages.push({ stage, numbers });
      job.live({ kind: 'stage', stage, numbers });
    },
    note: (text) => job.note(text),
  };
  const { regime } = recipe.extra;
  const left = (): RegimeEnd => ({ stages, curves, grids, ...runs.shown() });
  try {
    const ended = await regime?.part.run?.(programme, regime.chosen);
    const plan = ended?.plan ?? subject.plan;
    const state = ended?.state ?? run.compiled.start;
    const model = ended?.model ?? valuesInto(subject.model, storedIn(plan, state.theta ? weights(state) : state));
    await course.save();
    return { ...left(), ended: { model, plan, state } };
  } catch (error) {
    if (!Fault.is(error, 'job/stopped')) throw error;
    await course.save();
    return left();
  } finally {
    await runs.close();
    for (const session of opened) await session.release();
  }
};

/** Loss and accuracy of a plan's state on some rows. */
export const evaluatePlan = async (
  { run: { job } }: Setup,
  plan: Plan,
  state: State,
  on: Held,
  ports: Ports,
): Promise<{ readonly loss: number; readonly accuracy?: number }> => {
  const evaluation = compileEvaluation(plan);
  const opened = await ports.runtime.open(write(evaluation.model), { device: 'cpu', name: 'the evaluation of a stage' }, job);
  try {
    return await evaluate({ evaluation, evaluator: opened.session, job }, state, on);
  } finally {
    await opened.session.release();
  }
};
