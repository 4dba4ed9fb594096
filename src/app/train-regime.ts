import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { random } from '../base/random.ts';
import type { Tensor } from '../base/tensor.ts';
import { constantOf, numbersOf } from '../graph/constant.ts';
import type { Graph, Model } from '../graph/types.ts';
import { write } from '../graph/write.ts';
import type { Session } from '../runtime/session.ts';
import type { State } from '../training/compile.ts';
import { defineTargets, type Programme, type Stage, type StageCurve, type StageEnd, type Targets } from '../training/define-run.ts';
import { compileEvaluation, compileValue } from '../training/evaluate.ts';
import { layoutOf, scattered } from '../training/layout.ts';
import type { Plan } from '../training/plan.ts';
import type { AppJob, Ports } from './ports.ts';
import type { Held } from './train-data.ts';
import { evaluate, trainLoop } from './train-loop.ts';
import { fresh, type Snapshot } from './train-progress.ts';
import { openTraining } from './train-sessions.ts';
import type { Setup } from './train-setup.ts';

const CHUNK = 256;

export interface RegimeStage {
  readonly stage: string;
  readonly numbers: Readonly<Record<string, number>>;
}
/** How a regime ended: the model to save, with the state of its plan, the stages, and the last run's snapshot for the report. */
export interface RegimeEnd {
  readonly model: Model;
  readonly plan: Plan;
  readonly state: State;
  readonly stages: readonly RegimeStage[];
  readonly curves: readonly StageCurve[];
  readonly snapshot: Snapshot;
}

const layoutFor = (plan: Plan) => layoutOf(plan.groups.flatMap((g) => g.parameters));
const statisticsOf = (state: State): ReadonlyMap<string, Tensor> =>
  new Map(
    Object.entries(state).flatMap(([key, t]) => (key.startsWith('statistic/') ? [[key.slice('statistic/'.length), t] as const] : [])),
  );

/** The plan's graph with the values of a state. */
const storedIn = (plan: Plan, state: State): Graph => {
  const { theta } = state;
  return theta ? scattered(plan.graph, layoutFor(plan), theta, statisticsOf(state)) : plan.graph;
};

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

/** Runs the recipe's regime. */
export const runRegime = async (setup: Setup, ports: Ports): Promise<RegimeEnd> => {
  const { recipe, subject, run, train, validation } = setup;
  const { job } = run;
  const stages: RegimeStage[] = [];
  const curves: StageCurve[] = [];
  const opened: Session[] = [];
  let snapshot = fresh(run.compiled.start);
  const held = { train, validation } as const;

  const trainStage = async (stage: Stage): Promise<StageEnd> => {
    const [from, to] = stage.span ?? [0, 1];
    const paced: AppJob = {
      ...job,
      progress: (fraction, text) => job.progress(from + (to - from) * fraction, `${stage.name}, ${text}`),
    };
    const positions = stage.places ? Float64Array.from(stage.places, (at) => train.positions[at]) : train.positions;
    const plain: Held = { rows: train.rows, positions };
    const rows = stage.targets ? retargeted(plain, stage.targets, stage.plan.precision === 'float64') : plain;
    const lr = Number(recipe.optimizer.chosen.lr) * (stage.rate ?? 1);
    const { regime: _, ...extra } = recipe.extra;
    const own = {
      ...recipe,
      extra: stage.soft ? { ...extra, targets: { part: givenShares(stage.soft.shares), chosen: {} } } : extra,
      seed: recipe.seed,
      loss: stage.plan.loss,
      optimizer: { ...recipe.optimizer, chosen: { ...recipe.optimizer.chosen, lr } },
      length: { epochs: stage.epochs },
    };
    const batch = Math.min(run.batch, positions.length);
    const soft = stage.soft ? { soft: { temperature: stage.soft.temperature } } : {};
    const plan = { ...stage.plan, ...soft, optimizer: { ...stage.plan.optimizer, chosen: { ...stage.plan.optimizer.chosen, lr } } };
    const opening = await openTraining(plan, own, rows, batch, setup.choice.actual, ports, job);
    const { choice: __, threads: ___, ...sessions } = opening;
    try {
      const judged = stage.targets || stage.measured === false ? undefined : validation;
      const start = fresh(stage.from ? { ...sessions.compiled.start, ...stage.from } : sessions.compiled.start);
      const ended = await trainLoop(
        {
          ...sessions,
          recipe: own,
          plan,
          batch,
          train: rows,
          ...(judged ? { validation: judged } : {}),
          facts: run.facts,
          job: paced,
          save: async () => {},
        },
        start,
      );
      if (ended.why === 'stopped') throw new Fault('job/stopped', {});
      if (ended.bad) throw new Fault('training/stage-not-finite', { stage: stage.name, step: ended.bad.step + 1, lr: ended.bad.lr });
      snapshot = ended.snapshot;
      return { state: ended.snapshot.state, history: ended.snapshot.progress.history };
    } finally {
      await sessions.session.release();
      await sessions.evaluator.release();
    }
  };

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
    train: trainStage,
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
    curve: (curve) => void curves.push(curve),
    progress: (fraction, text) => job.progress(fraction, text),
    record(stage, numbers) {
      stages.push({ stage, numbers });
      job.live({ kind: 'stage', stage, numbers });
    },
    note: (text) => job.note(text),
  };
  const { regime } = recipe.extra;
  const ended = await Promise.resolve(regime?.part.run?.(programme, regime.chosen)).finally(async () => {
    for (const session of opened) await session.release();
  });
  const plan = ended?.plan ?? subject.plan;
  const state = ended?.state ?? run.compiled.start;
  const model = ended?.model ?? valuesInto(subject.model, storedIn(plan, state));
  return { model, plan, state, stages, curves, snapshot };
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
