import type { Tensor } from '../base/tensor.ts';
import type { DeviceChoice, Session } from '../runtime/session.ts';
import type { Compiled, State } from '../training/compile.ts';
import type { Problem } from '../training/define.ts';
import { hostSteps } from '../training/iterate.ts';
import { vector } from '../training/layout.ts';
import type { Plan } from '../training/plan.ts';
import { openProblem } from './open-problem.ts';
import type { AppJob, Ports } from './ports.ts';
import type { Held, TrainingRows } from './train-data.ts';

/** One step of a host optimizer on the rows at these positions: columns and state by the names of its compiled steps. */
export type Iterate = (
  state: State,
  positions: Float64Array,
  lr: number,
) => Promise<{ readonly out: Record<string, Tensor>; readonly done: boolean }>;

const one = (value: number): Tensor => ({ dtype: 'float64', dims: [1], data: Float64Array.of(value) });
const named = (state: State, prefix: string): Record<string, Float64Array> =>
  Object.fromEntries(
    Object.entries(state).flatMap(([key, { data }]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), Float64Array.from(data as Float64Array)]] : [],
    ),
  );

/** What a host optimizer asks for, over rows of the training data. */
export const openIterate = async (
  plan: Plan,
  held: Held<TrainingRows>,
  device: 'auto' | DeviceChoice['actual'],
  ports: Ports,
  job: AppJob,
): Promise<{ readonly compiled: Compiled; readonly session: Session; readonly choice: DeviceChoice; readonly iterate: Iterate }> => {
  const { part, chosen } = plan.optimizer;
  const compiled = hostSteps(plan);
  const dtype = plan.precision;
  const { session, choice, sums, release } = await openProblem(plan, held, device, ports, job);
  return {
    compiled,
    session: { ...session, run: (feeds, wanted) => session.run(feeds, wanted), release },
    choice,
    async iterate(state, positions, lr) {
      if (!('iterate' in part)) return { out: {}, done: true };
      let passes = 0;
      let right = Number.NaN;
      const start = Float64Array.from(state.theta.data as Float32Array);
      const measured = async (theta: Float64Array) => {
        const { total, weight, correct, vector: sum } = await sums('gradient', positions, theta);
        passes++;
        if (Number.isNaN(right)) right = correct / positions.length;
        return { loss: total / weight, gradient: sum.map((g) => g / weight) };
      };
      const problem: Problem = {
        size: compiled.layout.size,
        rows: positions.length,
        theta: start,
        get passes() {
          return passes;
        },
        loss: async (theta) => (await measured(theta)).loss,
        gradient: measured,
        async product(kind, theta, v) {
          passes++;
          const { weight, vector: sum } = await sums(kind, positions, theta, v);
          const by = kind === 'fisher' ? positions.length : weight;
          return sum.map((s) => s / by);
        },
      };
      const next = await part.iterate(problem, named(state, 'kept/'), lr, chosen);
      if (next.note !== undefined) job.note(next.note);
      const finite = Number.isFinite(next.loss) && Number.isFinite(next.gradientNorm) && next.theta.every(Number.isFinite);
      const { outputs } = compiled;
      const out: Record<string, Tensor> = finite
        ? {
            theta: vector(dtype, next.theta),
            t: { ...state.t, data: vector(dtype, [Number(state.t.data[0]) + 1]).data },
            ...Object.fromEntries(
              Object.entries(next.kept).map(([key, data]) => [`kept/${key}`, { dtype: 'float64', dims: [data.length], data } as const]),
            ),
          }
        : { ...state };
      out[outputs.loss] = one(next.loss);
      out[outputs.gradientNorm] = one(next.gradientNorm);
      out[outputs.finite] = one(Number(finite));
      if (outputs.accuracy) out[outputs.accuracy] = one(right);
      for (const line of part.lines ?? []) out[`line/${line}`] = one(next.lines?.[line] ?? Number.NaN);
      return { out, done: next.done === true };
    },
  };
};
