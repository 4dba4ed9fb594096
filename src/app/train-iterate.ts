import { breathe } from '../base/job.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { write } from '../graph/write.ts';
import type { DeviceChoice, Session } from '../runtime/session.ts';
import type { Compiled, State } from '../training/compile.ts';
import type { Problem } from '../training/define.ts';
import { type Asked, compileSum, hostSteps, type SumGraph } from '../training/iterate.ts';
import { vector } from '../training/layout.ts';
import type { Plan } from '../training/plan.ts';
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

/** Sessions for what a host optimizer asks, opened when it first asks. Sums over rows are float64. */
export const openIterate = async (
  plan: Plan,
  { rows, positions: all }: Held<TrainingRows>,
  device: 'auto' | DeviceChoice['actual'],
  ports: Ports,
  job: AppJob,
): Promise<{ readonly compiled: Compiled; readonly session: Session; readonly choice: DeviceChoice; readonly iterate: Iterate }> => {
  const { part, chosen } = plan.optimizer;
  const compiled = hostSteps(plan);
  const dtype = plan.precision;
  const size = Math.max(1, Math.min(256, Math.floor(2 ** 21 / Math.max(1, sizeOf(rows.bound.inputDims)))));
  const feedsOf = async ({ inputs, hyper }: SumGraph, positions: Float64Array, theta: Float64Array, v?: Float64Array) => {
    const { x, y } = await rows.take(positions, [positions.length], job.signal);
    const given = { ...hyper, [inputs.theta]: vector(dtype, theta), [inputs.x]: x, [inputs.y]: y };
    return v ? { ...given, [inputs.v]: vector(dtype, v) } : given;
  };
  const gradientGraph = compileSum(plan, 'gradient');
  const name = 'the gradient of the training loss';
  const probe = await feedsOf(
    gradientGraph,
    all.subarray(0, Math.min(all.length, 8)),
    Float64Array.from(compiled.start.theta.data as Float32Array),
  );
  const { session, choice } = await ports.runtime.open(write(gradientGraph.model), { device, name, probe }, job);
  const open = new Map<Asked, { readonly graph: SumGraph; readonly session: Session }>([['gradient', { graph: gradientGraph, session }]]);
  const opened = async (asked: Asked): Promise<{ readonly graph: SumGraph; readonly session: Session }> => {
    const known = open.get(asked);
    if (known) return known;
    const graph = compileSum(plan, asked);
    const next = {
      graph,
      session: (await ports.runtime.open(write(graph.model), { device: choice.actual, name: `the ${asked} products` }, job)).session,
    };
    open.set(asked, next);
    return next;
  };

  const sums = async (asked: Asked, positions: Float64Array, theta: Float64Array, v?: Float64Array) => {
    const { graph, session: own } = await opened(asked);
    const out = { total: 0, weight: 0, correct: 0, vector: new Float64Array(compiled.layout.size) };
    for (let from = 0; from < positions.length; from += size) {
      await breathe(job);
      const given = await own.run(await feedsOf(graph, positions.subarray(from, from + size), theta, v));
      out.total += Number(given[graph.outputs.total].data[0]);
      out.weight += Number(given[graph.outputs.weight].data[0]);
      if (graph.outputs.correct) out.correct += Number(given[graph.outputs.correct].data[0]);
      const part = given[graph.outputs.vector].data as Float32Array;
      for (let i = 0; i < part.length; i++) out.vector[i] += part[i];
    }
    return out;
  };

  return {
    compiled,
    session: {
      ...session,
      run: (feeds, wanted) => session.run(feeds, wanted),
      async release() {
        for (const { session: each } of open.values()) await each.release();
      },
    },
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
