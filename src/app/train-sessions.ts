import type { Device } from '../base/request.ts';
import { int64 } from '../base/tensor.ts';
import { factsOf } from '../graph/facts.ts';
import type { TensorType } from '../graph/types.ts';
import { write } from '../graph/write.ts';
import type { DeviceChoice } from '../runtime/session.ts';
import { startsOf } from '../training/adversarial.ts';
import { branchFrom } from '../training/branch.ts';
import { type Compiled, compileSteps } from '../training/compile.ts';
import { compileEvaluation } from '../training/evaluate.ts';
import { vector } from '../training/layout.ts';
import { type Plan, tensorType } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import { blankInputs } from '../training/step-inputs.ts';
import type { AppJob, Ports } from './ports.ts';
import type { Held, TrainingRows } from './train-data.ts';
import { augmentFeeds } from './train-draws.ts';
import { openIterate } from './train-iterate.ts';
import type { Run } from './train-loop.ts';

/** One call of one step with the first rows: what devices are compared on. */
const probeOf = async (
  compiled: Compiled,
  plan: Plan,
  { rows, positions }: Held<TrainingRows>,
  batch: number,
  recipe: Recipe,
  job: AppJob,
) => {
  const { adversarial } = recipe;
  const first = positions.subarray(0, batch);
  const { x, y } = rows.resident ?? (await rows.take(first, [1, batch], job.signal));
  const { inputs, start, state, hyper } = compiled;
  return {
    ...hyper,
    ...Object.fromEntries(Object.entries(state).map(([key, { input }]) => [input, start[key]])),
    [inputs.x]: x,
    [inputs.y]: y,
    ...(inputs.rows ? { [inputs.rows]: int64([1, batch], first) } : {}),
    ...Object.fromEntries(Object.entries(blankInputs(plan, batch)).map(([key, tensor]) => [inputs.each[key], tensor])),
    ...augmentFeeds(compiled, recipe, 0, [0, 1], batch, rows.bound.inputDims),
    [inputs.lr]: vector(compiled.precision, [1e-3]),
    ...(inputs.go ? { [inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) } as const } : {}),
    ...(adversarial && inputs.start
      ? { [inputs.start]: startsOf(adversarial, compiled.precision, 0, [0, 1], batch, rows.bound.inputDims) }
      : {}),
  } as const;
};

/** Multiply–accumulates of forward and backward of a step, where they can be counted. */
const workOf = ({ graph }: Plan, batch: number): number => {
  const known = [...graph.values, ...[...graph.inputs, ...graph.outputs].map(({ name, type }) => [name, type] as const)];
  const types = new Map<string, TensorType>(Array.from(graph.initializers, ([name, { dtype, dims }]) => [name, tensorType(dtype, dims)]));
  for (const [name, type] of known) if (type?.kind === 'tensor') types.set(name, type);
  return 3 * (factsOf(graph, types).macs ?? Number.POSITIVE_INFINITY) * batch;
};
/** Below it threads only wait for each other. Measured, µs a step on one and two: 5 million 84 and 80, 16 million 232 and 183, 58 million 720 and 477. */
const singleThread = 4e6;
/** Below it having nodes at all takes a good part of the time. */
const small = 1e8;

type Opening = Pick<Run, 'session' | 'iterate'> & { readonly choice: DeviceChoice };

/** Small steps are not guarded where a step that is not finite ends the run. */
const unguarded = ({ micro }: Plan, { nonfinite }: Recipe, work: number): boolean => work < small && nonfinite === 'stop' && !micro;

/** On the CPU convolutions of a step use the machine's own layout (autodiff/blocked.ts), and long vectors branch (branch.ts); elsewhere a step is plain ONNX. */
const openSteps = async (
  plan: Plan,
  free: boolean,
  device: Device,
  ports: Ports,
  open: (steps: Compiled, device: Device) => Promise<Opening>,
): Promise<Opening & { readonly compiled: Compiled }> => {
  const block = plan.graph.nodes.some((n) => n.op === 'Conv') ? await ports.runtime.block() : 0;
  const own = (): Compiled => compileSteps({ ...plan, block, ...(free ? { unguarded: true } : {}) });
  if (device === 'cpu') {
    const compiled = own();
    return { compiled, ...(await open(compiled, device)) };
  }
  const plain = compileSteps(plan);
  const first = await open(plain, device);
  if ((block === 0 && plain.layout.size < branchFrom && !free) || first.choice.actual !== 'cpu') return { compiled: plain, ...first };
  await first.session.release();
  const compiled = own();
  return { compiled, session: (await open(compiled, 'cpu')).session, choice: first.choice };
};

/** A plan's steps and evaluation compiled, and sessions for both on one device. */
export const openTraining = async (
  plan: Plan,
  recipe: Recipe,
  train: Held<TrainingRows>,
  batch: number,
  device: Device,
  ports: Ports,
  job: AppJob,
): Promise<
  Pick<Run, 'compiled' | 'session' | 'evaluation' | 'evaluator' | 'iterate'> & {
    readonly choice: DeviceChoice;
    /** Of the CPU; absent for as many as ONNX Runtime takes. */
    readonly threads?: number;
  }
> => {
  const evaluation = compileEvaluation(plan);
  const work = workOf(plan, batch);
  const threads = work < singleThread ? { threads: 1 } : {};
  const name = `the training steps of ${recipe.id}`;
  const openStep = async (steps: Compiled, on: Device): Promise<Opening> =>
    ports.runtime.open(
      write(steps.model),
      { device: on, name, ...threads, probe: await probeOf(steps, plan, train, batch, recipe, job) },
      job,
    );
  const { compiled, session, choice, iterate } =
    'iterate' in plan.optimizer.part
      ? await openIterate(plan, train, device, ports, job)
      : await openSteps(plan, unguarded(plan, recipe, work), device, ports, openStep);
  const evaluator = await ports.runtime
    .open(write(evaluation.model), { device: choice.actual, name: `the evaluation of ${recipe.id}`, ...threads }, job)
    .catch(async (error: unknown) => {
      await session.release();
      throw error;
    });
  return { compiled, session, evaluation, evaluator: evaluator.session, choice, ...(iterate ? { iterate } : {}), ...threads };
};
