import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { Model } from '../graph/types.ts';
import { write } from '../graph/write.ts';
import type { DeviceChoice, Session } from '../runtime/session.ts';
import { gathered, type Layout, layoutOf, vector } from '../training/layout.ts';
import { inPrecision, type Plan } from '../training/plan.ts';
import { type Asked, compileRows, compileSum, type RowGraph, type SumGraph } from '../training/sums.ts';
import type { AppJob, Ports } from './ports.ts';
import type { Held, TrainingRows } from './train-data.ts';

interface Sums {
  readonly total: number;
  readonly weight: number;
  readonly correct: number;
  readonly vector: Float64Array;
}

/** A loss over rows as a function of the parameters, in sessions opened when they are first asked for. Sums over rows are float64. */
export interface OpenProblem {
  readonly layout: Layout;
  readonly theta: Float64Array;
  readonly session: Session;
  readonly choice: DeviceChoice;
  sums(asked: Asked, positions: Float64Array, theta: Float64Array, v?: Float64Array): Promise<Sums>;
  /** Gradients of single rows in the order of `positions` (training/sums.ts). */
  rows(
    positions: Float64Array,
    theta: Float64Array,
    v: Float64Array,
  ): Promise<{
    readonly losses: Float64Array;
    readonly squares: Float64Array;
    readonly along: Float64Array;
    readonly second: Float64Array;
  }>;
  release(): Promise<void>;
}

/** Numbers of gradients of single rows that are held at once. */
const held = 2 ** 22;

const isFault = (error: unknown): boolean => Fault.is(error, 'runtime/session') || Fault.is(error, 'runtime/run');

/** In float64 where every operator has a kernel for it, so that small falls of the loss are seen; else as the plan is. */
export const openProblem = async (
  plan: Plan,
  held: Held<TrainingRows>,
  device: 'auto' | DeviceChoice['actual'],
  ports: Ports,
  job: AppJob,
): Promise<OpenProblem> => {
  const known = (error: unknown): undefined => {
    if (isFault(error)) return undefined;
    throw error;
  };
  const double = device === 'auto' || device === 'cpu' ? { ...plan, precision: 'float64' as const } : plan;
  return (await opened(double, held, device, ports, job).catch(known)) ?? opened(plan, held, device, ports, job);
};

const opened = async (
  plan: Plan,
  { rows, positions: all }: Held<TrainingRows>,
  device: 'auto' | DeviceChoice['actual'],
  ports: Ports,
  job: AppJob,
): Promise<OpenProblem> => {
  const dtype = plan.precision;
  const wide = (t: Tensor): Tensor =>
    dtype === 'float64' && t.dtype === 'float32' ? { dtype, dims: t.dims, data: Float64Array.from(t.data as Float32Array) } : t;
  const layout = layoutOf(plan.groups.flatMap((g) => g.parameters));
  const start = gathered(inPrecision(plan.graph, dtype), layout, dtype);
  const size = Math.max(1, Math.min(256, Math.floor(2 ** 21 / Math.max(1, sizeOf(rows.bound.inputDims)))));
  const feedsOf = async ({ inputs, hyper }: SumGraph | RowGraph, positions: Float64Array, theta: Float64Array, v?: Float64Array) => {
    const { x, y } = await rows.take(positions, [positions.length], job.signal);
    const given: Record<string, Tensor> = { ...hyper, [inputs.theta]: vector(dtype, theta), [inputs.x]: wide(x), [inputs.y]: wide(y) };
    return v ? { ...given, [inputs.v]: vector(dtype, v) } : given;
  };
  const theta = Float64Array.from(start.data as Float32Array);
  const gradientGraph = compileSum(plan, 'gradient');
  const name = 'the gradient of the training loss';
  const probe = await feedsOf(gradientGraph, all.subarray(0, Math.min(all.length, 8)), theta);
  const { session, choice } = await ports.runtime.open(write(gradientGraph.model), { device, name, probe }, job);
  const another = async (model: Model, what: string): Promise<Session> =>
    (await ports.runtime.open(write(model), { device: choice.actual, name: what }, job)).session;
  const open = new Map<Asked, { readonly graph: SumGraph; readonly session: Session }>([['gradient', { graph: gradientGraph, session }]]);
  const graphOf = async (asked: Asked): Promise<{ readonly graph: SumGraph; readonly session: Session }> => {
    const known = open.get(asked);
    if (known) return known;
    const graph = compileSum(plan, asked);
    const next = { graph, session: await another(graph.model, `the ${asked} products`) };
    open.set(asked, next);
    return next;
  };
  let single: { readonly graph: RowGraph; readonly session: Session } | undefined;

  return {
    layout,
    theta,
    session,
    choice,
    async sums(asked, positions, at, v) {
      const { graph, session: own } = await graphOf(asked);
      const out = { total: 0, weight: 0, correct: 0, vector: new Float64Array(layout.size) };
      for (let from = 0; from < positions.length; from += size) {
        await breathe(job);
        const given = await own.run(await feedsOf(graph, positions.subarray(from, from + size), at, v));
        out.total += Number(given[graph.outputs.total].data[0]);
        out.weight += Number(given[graph.outputs.weight].data[0]);
        if (graph.outputs.correct) out.correct += Number(given[graph.outputs.correct].data[0]);
        const part = given[graph.outputs.vector].data as Float32Array;
        for (let i = 0; i < part.length; i++) out.vector[i] += part[i];
      }
      return out;
    },
    async rows(positions, at, v) {
      if (!single) {
        const graph = compileRows(plan);
        single = { graph, session: await another(graph.model, 'the gradients of single rows') };
      }
      const { graph, session: own } = single;
      const count = graph.single ? 1 : Math.max(1, Math.min(size, Math.floor(held / layout.size)));
      const tensors = layout.entries.length;
      const out = {
        losses: new Float64Array(positions.length),
        squares: new Float64Array(positions.length * tensors),
        along: new Float64Array(positions.length * tensors),
        second: new Float64Array(layout.size),
      };
      for (let from = 0; from < positions.length; from += count) {
        await breathe(job);
        const given = await own.run(await feedsOf(graph, positions.subarray(from, from + count), at, v));
        const read = (key: keyof typeof graph.outputs): Float32Array => given[graph.outputs[key]].data as Float32Array;
        out.losses.set(read('losses'), from);
        out.squares.set(read('squares'), from * tensors);
        out.along.set(read('along'), from * tensors);
        const part = read('second');
        for (let i = 0; i < part.length; i++) out.second[i] += part[i];
      }
      return out;
    },
    async release() {
      for (const { session: each } of open.values()) await each.release();
      await single?.session.release();
    },
  };
};
