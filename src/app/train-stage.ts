import { Fault } from '../base/fault.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Graph } from '../graph/types.ts';
import type { State } from '../training/compile.ts';
import { defineTargets, type Stage, type StageEnd, type Targets } from '../training/define-run.ts';
import { gathered, layoutOf, scattered, zeros } from '../training/layout.ts';
import type { Plan } from '../training/plan.ts';
import type { AppJob, Ports } from './ports.ts';
import { mismatch, unfit } from './train-checkpoint.ts';
import type { Held } from './train-data.ts';
import { type Course, enter } from './train-journal.ts';
import { trainLoop } from './train-loop.ts';
import { fresh, type Snapshot } from './train-progress.ts';
import { openTraining } from './train-sessions.ts';
import type { Setup } from './train-setup.ts';

const layoutFor = (plan: Plan) => layoutOf(plan.groups.flatMap((g) => g.parameters));
const statisticsOf = (state: State): ReadonlyMap<string, Tensor> =>
  new Map(
    Object.entries(state).flatMap(([key, t]) => (key.startsWith('statistic/') ? [[key.slice('statistic/'.length), t] as const] : [])),
  );

/** The plan's graph with the values of a state. */
export const storedIn = (plan: Plan, state: State): Graph => {
  const { theta } = state;
  return theta ? scattered(plan.graph, layoutFor(plan), theta, statisticsOf(state)) : plan.graph;
};

/** The rows with other targets than their labels, [positions · width]. */
const retargeted = ({ rows, positions }: Held, targets: Float64Array, double: boolean): Held => {
  const width = targets.length / positions.length;
  const labels = new Float64Array(rows.count * width);
  for (const [i, p] of positions.entries()) labels.set(targets.subarray(i * width, (i + 1) * width), p * width);
  const tensor = (at: ArrayLike<number>, lead: readonly number[]): Tensor => {
    const values = Float64Array.from({ length: at.length * width }, (_, i) => labels[at[Math.floor(i / width)] * width + (i % width)]);
    const dims = [...lead, width];
    return double ? { dtype: 'float64', dims, data: values } : { dtype: 'float32', dims, data: Float32Array.from(values) };
  };
  const { resident } = rows;
  const whole = resident && {
    x: resident.x,
    y: tensor(
      Float64Array.from({ length: rows.count }, (_, i) => i),
      [rows.count],
    ),
  };
  const { resident: _, ...rest } = rows;
  return {
    positions,
    rows: {
      ...rest,
      labels,
      labelDims: [width],
      ...(whole ? { resident: whole } : {}),
      take: async (at, lead, signal) => ({ x: (await rows.take(at, lead, signal)).x, y: tensor(at, lead) }),
    },
  };
};

/** Rows of shares, by place. */
const givenShares = (table: Float64Array): Targets =>
  defineTargets({
    id: 'stage',
    source: 'the stage',
    options: {},
    table: {
      start: () => ({}),
      shares: (_, places, { classes }) =>
        Float64Array.from({ length: places.length * classes }, (__, i) => table[places[Math.floor(i / classes)] * classes + (i % classes)]),
    },
  });

/** Runs that wait for their next turn keep their sessions, up to so many. */
const HELD = 16;

/** A run as it was left, of so many epochs. */
export interface ShownRun {
  readonly snapshot: Snapshot;
  readonly epochs: number;
}
interface Stages {
  train(stage: Stage): Promise<StageEnd>;
  /** The last run, and the last along paths through a larger network. */
  shown(): { readonly last: ShownRun; readonly search?: ShownRun };
  close(): Promise<void>;
}

/** Compiles and trains the runs of a regime. A run that the journal knows goes on from there, or is given as it ended. */
export const openStages = ({ recipe, run, train, validation, choice }: Setup, ports: Ports, job: AppJob, course: Course): Stages => {
  const { journal } = course;
  const waiting = new Map<string, Awaited<ReturnType<typeof openTraining>>>();
  let last: ShownRun | undefined;
  let search: ShownRun | undefined;
  const close = async (name: string): Promise<void> => {
    const opening = waiting.get(name);
    waiting.delete(name);
    await opening?.session.release();
    await opening?.evaluator.release();
  };
  const show = ({ plan, epochs }: Stage, snapshot: Snapshot): void => {
    last = { snapshot, epochs };
    if (plan.paths) search = last;
  };
  const endOf = (stage: Stage, snapshot: Snapshot): StageEnd => {
    show(stage, snapshot);
    const { gradientNorm, monitors } = snapshot.curves;
    return { state: snapshot.state, history: snapshot.progress.history, gradientNorm, monitors };
  };

  const trainStage = async (stage: Stage): Promise<StageEnd> => {
    const { name, epochs, until = epochs } = stage;
    const kind = stage.plan.paths ? ({ search: true } as const) : {};
    const standing = journal.stages.get(name);
    const fits = (start: State): void => {
      const reason = standing && mismatch(standing.snapshot.state, start);
      if (reason !== undefined) throw unfit(course.path, `of its ${name}, ${reason}`);
    };
    fits({ theta: zeros(stage.plan.precision, layoutFor(stage.plan).size) });
    if (standing && (standing.ended || standing.snapshot.progress.epoch >= until)) return endOf(stage, standing.snapshot);
    const [from, to] = stage.span ?? [0, 1];
    const begun = until === epochs ? 0 : until - 1;
    const paced: AppJob = {
      ...job,
      progress: (fraction, text) =>
        job.progress(from + (to - from) * Math.min(1, Math.max(0, (fraction * epochs - begun) / (until - begun))), `${name}, ${text}`),
    };
    const positions = stage.places ? Float64Array.from(stage.places, (at) => train.positions[at]) : train.positions;
    const plain: Held = { rows: train.rows, positions };
    const rows = stage.targets ? retargeted(plain, stage.targets, stage.plan.precision === 'float64') : plain;
    const lr = Number(recipe.optimizer.chosen.lr) * (stage.rate ?? 1);
    const { regime: _, ...extra } = recipe.extra;
    const own = {
      ...recipe,
      extra: stage.soft ? { ...extra, targets: { part: givenShares(stage.soft.shares), chosen: {} } } : extra,
      loss: stage.plan.loss,
      optimizer: { ...recipe.optimizer, chosen: { ...recipe.optimizer.chosen, lr } },
      length: { epochs },
    };
    const batch = Math.min(run.batch, positions.length);
    const soft = stage.soft ? { soft: { temperature: stage.soft.temperature } } : {};
    const plan = { ...stage.plan, ...soft, optimizer: { ...stage.plan.optimizer, chosen: { ...stage.plan.optimizer.chosen, lr } } };
    const opening = waiting.get(name) ?? (await openTraining(plan, own, rows, batch, choice.actual, ports, job));
    waiting.set(name, opening);
    const { choice: __, threads: ___, ...sessions } = opening;
    const { start, layout } = sessions.compiled;
    fits(start);
    const known = standing ? standing.snapshot : fresh({ ...start, ...stage.from });
    const begin = (): Snapshot => {
      if (!stage.values || standing?.until === until) return known;
      const graph = storedIn(plan, known.state);
      const initializers = new Map([...graph.initializers, ...stage.values]);
      return { ...known, state: { ...known.state, theta: gathered({ ...graph, initializers }, layout, plan.precision) } };
    };
    const judged = stage.targets || stage.measured === false ? undefined : validation;
    const ended = await trainLoop(
      {
        ...sessions,
        recipe: own,
        plan,
        batch,
        ...(until < epochs ? { until } : {}),
        train: rows,
        ...(judged ? { validation: judged } : {}),
        facts: run.facts,
        job: paced,
        async save(snapshot) {
          enter(journal, name, { snapshot, until, ended: false, ...kind });
          await course.save();
        },
      },
      begin(),
    );
    if (ended.why === 'stopped') {
      enter(journal, name, { snapshot: ended.snapshot, until, ended: false, ...kind });
      show(stage, ended.snapshot);
      throw new Fault('job/stopped', {});
    }
    if (ended.bad) throw new Fault('training/stage-not-finite', { stage: name, step: ended.bad.step + 1, lr: ended.bad.lr });
    const goesOn = ended.why === 'finished' && until < epochs;
    if (!goesOn || waiting.size > HELD) await close(name);
    if (ended.why !== 'kept') {
      enter(journal, name, { snapshot: ended.snapshot, until, ended: !goesOn, ...kind });
      await course.keep();
    }
    return endOf(stage, ended.snapshot);
  };
  return {
    train: trainStage,
    shown: () => ({ last: last ?? { snapshot: fresh(run.compiled.start), epochs: 0 }, ...(search ? { search } : {}) }),
    async close() {
      for (const name of [...waiting.keys()]) await close(name);
    },
  };
};
