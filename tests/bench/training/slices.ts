import type { AppJob } from '../../../src/app/ports.ts';
import { evaluate } from '../../../src/app/train-evaluate.ts';
import { type Run, trainLoop } from '../../../src/app/train-loop.ts';
import { fresh, type Snapshot } from '../../../src/app/train-progress.ts';
import { quietJob } from '../../../src/base/job.ts';
import { int64, type Tensor } from '../../../src/base/tensor.ts';
import { vector } from '../../../src/training/layout.ts';
import type { Call, Feeds } from '../engine/subject.ts';
import type { Trainer } from './subjects.ts';

/** One call of the compiled steps. */
interface Called {
  readonly steps: number;
  readonly seconds: number;
}
/** Some steps of a run, with all that goes on around them. */
export interface Slice {
  readonly seconds: number;
  /** Of all threads of the process. */
  readonly cpuSeconds: number;
  readonly calls: readonly Called[];
  readonly losses: readonly number[];
  /** Positions of the rows of each step. */
  readonly rows: readonly (readonly number[])[];
}

const listsOf = ({ dims: [count, size], data }: Tensor): number[][] => {
  const all = Array.from(data as BigInt64Array, Number);
  return Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size));
};

/** A run that goes on when asked to, `steps` at a time, as the trainer does it. */
export interface Stepper {
  more(steps: number, job?: Partial<AppJob>): Promise<Slice>;
  accuracy(): Promise<number>;
  readonly snapshot: () => Snapshot;
}

export const stepperOf = ({ setup }: Trainer): Stepper => {
  const { run, test } = setup;
  let at = fresh(run.compiled.start);
  return {
    snapshot: () => at,
    async more(steps, asked = {}) {
      const calls: Called[] = [];
      const given: Tensor[] = [];
      const job: AppJob = { ...quietJob(), live: () => {}, ...asked };
      const session: Run['session'] = {
        ...run.session,
        async run(feeds, wanted) {
          const from = performance.now();
          const out = await run.session.run(feeds, wanted);
          const rows = feeds[run.compiled.inputs.rows];
          calls.push({ steps: rows.dims[0], seconds: (performance.now() - from) / 1000 });
          given.push(rows);
          return out;
        },
      };
      const length = { steps: at.progress.step + steps };
      const busy = process.cpuUsage();
      const from = performance.now();
      const ended = await trainLoop({ ...run, session, job, recipe: { ...run.recipe, length }, save: async () => {} }, at);
      const seconds = (performance.now() - from) / 1000;
      const { user, system } = process.cpuUsage(busy);
      const losses = ended.snapshot.curves.loss;
      at = {
        ...ended.snapshot,
        progress: { ...ended.snapshot.progress, history: [] },
        curves: { loss: [], accuracy: [], lr: [], gradientNorm: [], monitors: {} },
      };
      return { seconds, cpuSeconds: (user + system) / 1e6, calls, losses, rows: given.flatMap(listsOf) };
    },
    async accuracy() {
      if (!test) return Number.NaN;
      const { accuracy } = await evaluate({ ...run, job: { ...quietJob(), live: () => {} } }, at.state, test);
      return accuracy ?? Number.NaN;
    },
  };
};

/** One call of so many steps with the first rows, for a profile. */
export const callOf = ({ setup }: Trainer, steps: number): Omit<Call, 'run' | 'steps'> => {
  const { compiled, train, batch } = setup.run;
  const { model, inputs, state, start, hyper } = compiled;
  const { x, y } = train.rows.resident ?? {};
  if (!x || !y) throw new Error('the rows are not in memory');
  const positions = Array.from({ length: steps * batch }, (_, i) => train.positions[i % train.positions.length]);
  const feeds: Feeds = {
    ...hyper,
    ...Object.fromEntries(Object.entries(state).map(([key, { input }]) => [input, start[key]])),
    [inputs.x]: x,
    [inputs.y]: y,
    [inputs.rows]: int64([steps, batch], positions),
    [inputs.lr]: vector(compiled.precision, new Array<number>(steps).fill(1e-4)),
    ...(inputs.go ? { [inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) } as const } : {}),
  };
  return { model, feeds, wanted: model.graph.outputs.map((o) => o.name) };
};
