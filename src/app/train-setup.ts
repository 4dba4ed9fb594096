import { Fault } from '../base/fault.ts';
import type { DataRef, Device } from '../base/request.ts';
import { int64 } from '../base/tensor.ts';
import { factsOf } from '../graph/facts.ts';
import { write } from '../graph/write.ts';
import type { TrainRequest } from '../report/tasks.ts';
import type { DeviceChoice, Session } from '../runtime/session.ts';
import { startsOf } from '../training/adversarial.ts';
import { type Compiled, compileSteps } from '../training/compile.ts';
import { compileEvaluation } from '../training/evaluate.ts';
import { vector } from '../training/layout.ts';
import type { Plan } from '../training/plan.ts';
import { type Recipe, readRecipe } from '../training/recipe.ts';
import { bind } from './binding.ts';
import type { AppJob, Ports } from './ports.ts';
import type { Identity } from './train-checkpoint.ts';
import { absentClasses, divided, type Held, type Rows, readRows, type Targets, wholeOf } from './train-data.ts';
import type { Run } from './train-loop.ts';
import { type Opened, openRecipeModel, type Subject } from './train-subject.ts';

/** Everything a run is made of, before its first step. */
export interface Setup {
  readonly recipe: Recipe;
  readonly opened: Opened;
  readonly subject: Subject;
  readonly identity: Identity;
  readonly classNames?: readonly string[];
  readonly train: Held;
  readonly validation?: Held;
  readonly test?: Held;
  readonly run: Omit<Run, 'save'>;
  readonly choice: DeviceChoice;
  /** Of the CPU; absent for as many as ONNX Runtime takes. */
  readonly threads?: number;
  close(): Promise<void>;
}

const hex = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, '0')).join('');
};

/** Keys in one order, so that equal settings have one text. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, canonical(v)]),
  );
};

const readFile = async (path: string, ports: Ports, signal: AbortSignal): Promise<string> => {
  const source = await ports.source(path);
  return new TextDecoder().decode(await source.read(0, source.size, signal));
};

/** Paths of a recipe are relative to its file. */
const located = (ref: DataRef, recipe: string, ports: Ports): DataRef => ({
  ...ref,
  path: ports.resolve(recipe, ref.path),
  ...(ref.labels === undefined ? {} : { labels: ports.resolve(recipe, ref.labels) }),
});

/** What training writes must be none of what it reads. */
const checkOut = ({ source, data }: Recipe, ask: TrainRequest, ports: Ports): void => {
  const refs = [data.train, data.val, data.test].flatMap((ref) => (ref ? [ref.path, ...(ref.labels ? [ref.labels] : [])] : []));
  const read = [...('model' in source ? [source.model] : []), ...refs].map((path) => ports.resolve(ask.recipe, path));
  const whole = (path: string): string => ports.resolve('', path);
  const input = [ask.recipe, ...read].find((path) => whole(path) === whole(ask.out));
  if (input !== undefined) throw new Fault('file/overwrites', { option: '-o', path: ask.out, input });
};

/** One call of one step with the first rows: what devices are compared on. */
const probeOf = async (compiled: Compiled, { rows, positions }: Held, batch: number, { adversarial }: Recipe, job: AppJob) => {
  const first = positions.subarray(0, batch);
  const { x, y } = rows.resident ?? (await rows.take(first, [1, batch], job.signal));
  const { inputs, start, state, hyper } = compiled;
  return {
    ...hyper,
    ...Object.fromEntries(Object.entries(state).map(([key, { input }]) => [input, start[key]])),
    [inputs.x]: x,
    [inputs.y]: y,
    ...(inputs.rows ? { [inputs.rows]: int64([1, batch], first) } : {}),
    [inputs.lr]: vector(compiled.precision, [1e-3]),
    [inputs.go]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) },
    ...(adversarial && inputs.start
      ? { [inputs.start]: startsOf(adversarial, compiled.precision, 0, [0, 1], batch, rows.bound.inputDims) }
      : {}),
  } as const;
};

/** Forward and backward of a step below this many multiply–accumulates run on one thread: more only wait for each other. */
const singleThread = 1e8;
const threadsFor = ({ graph }: Plan, batch: number): { readonly threads?: number } => {
  const types = new Map(Array.from(graph.values).flatMap(([name, type]) => (type.kind === 'tensor' ? [[name, type] as const] : [])));
  const { macs } = factsOf(graph, types);
  return macs !== null && 3 * macs * batch < singleThread ? { threads: 1 } : {};
};

type Opening = { readonly session: Session; readonly choice: DeviceChoice };

/** On the CPU convolutions of a step use the machine's own layout (autodiff/blocked.ts); elsewhere a step is plain ONNX. */
const openSteps = async (
  plan: Plan,
  device: Device,
  ports: Ports,
  open: (steps: Compiled, device: Device) => Promise<Opening>,
): Promise<Opening & { readonly compiled: Compiled }> => {
  const block = plan.graph.nodes.some((n) => n.op === 'Conv') ? await ports.runtime.block() : 0;
  const onBlocks = (): Compiled => compileSteps({ ...plan, block });
  if (block > 0 && device === 'cpu') {
    const compiled = onBlocks();
    return { compiled, ...(await open(compiled, device)) };
  }
  const plain = compileSteps(plan);
  const first = await open(plain, device);
  if (block === 0 || first.choice.actual !== 'cpu') return { compiled: plain, ...first };
  await first.session.release();
  const compiled = onBlocks();
  return { compiled, session: (await open(compiled, 'cpu')).session, choice: first.choice };
};

/** Reads recipe, data and model, compiles the steps and opens sessions for them. */
export const setUp = async (ask: TrainRequest, residentBytes: number, ports: Ports, job: AppJob): Promise<Setup> => {
  job.progress(0, 'Opening');
  const recipe = readRecipe(await readFile(ask.recipe, ports, job.signal), ask.recipe);
  checkOut(recipe, ask, ports);
  const opened = await openRecipeModel(recipe, ports, job);
  const { loss } = recipe;
  const targets: Targets = {
    kind: loss.part.target,
    loss: loss.part.id,
    classes: opened.classes,
    dims: opened.valueDims,
    double: opened.target.dtype === 'float64',
  };
  const open: Rows[] = [];
  const close = async (): Promise<void> => {
    for (const { bound } of open) await bound.close();
  };
  try {
    const load = async (ref: DataRef, classes: number, target = opened.target): Promise<Rows> => {
      const bound = await bind(located(ref, ask.recipe, ports), ports, job, { target });
      const rows = await readRows(bound, { ...targets, classes }, residentBytes, job);
      open.push(rows);
      return rows;
    };
    const all = await load(recipe.data.train, opened.classes);
    if (all.count === 0) throw new Fault('data/no-rows', { path: all.bound.path });
    const names = all.bound.classNames;
    const classes = targets.kind === 'value' ? 0 : opened.classes || Math.max(names?.length ?? 0, all.classes);
    const rowTarget = { ...opened.target, dims: all.bound.inputDims };
    const { train, held } = recipe.data.val
      ? { train: wholeOf(all), held: wholeOf(await load(recipe.data.val, classes, rowTarget)) }
      : divided(all, recipe.split);
    const validation = held.positions.length > 0 ? held : undefined;
    const test = recipe.data.test && wholeOf(await load(recipe.data.test, classes, rowTarget));
    if (recipe.earlyStop && !validation) throw new Fault('training/no-validation', { path: ask.recipe });
    if (validation && classes > 0) {
      const absent = absentClasses(validation, classes);
      if (absent.length > 0)
        job.note(
          `The validation rows hold no example of ${absent.length === 1 ? 'class' : 'classes'} ${absent.join(', ')}, so their metrics say nothing about ${absent.length === 1 ? 'it' : 'them'}.`,
        );
    }
    const rows = train.positions.length;
    const batch = recipe.batch.size === 'full' ? rows : recipe.batch.size;
    if (batch > rows) throw new Fault('training/batch', { path: ask.recipe, batch, rows });

    const subject = await opened.finish(all.bound.inputDims, classes);
    const plan = { ...subject.plan, data: all.resident ? ('resident' as const) : ('streamed' as const) };
    if (!all.resident) job.note(`The data are too large to keep in memory: rows are read from '${all.bound.name}' as they are needed.`);
    if (recipe.adversarial)
      job.note(
        'Loss and accuracy of training are those on adversarial rows; validation and test rows are measured as they are in the data.',
      );
    const evaluation = compileEvaluation(plan);
    const threads = threadsFor(plan, batch);
    const device: Device = ask.device === 'auto' ? recipe.provider : ask.device;
    const name = `the training steps of ${recipe.id}`;
    const { compiled, session, choice } = await openSteps(plan, device, ports, async (steps, on) =>
      ports.runtime.open(write(steps.model), { device: on, name, ...threads, probe: await probeOf(steps, train, batch, recipe, job) }, job),
    );
    const evaluator = await ports.runtime
      .open(write(evaluation.model), { device: choice.actual, name: `the evaluation of ${recipe.id}`, ...threads }, job)
      .catch(async (error: unknown) => {
        await session.release();
        throw error;
      });
    const settings = canonical(recipe.settings) as Readonly<Record<string, unknown>>;
    const dataSha256 = await ports.sha256(ports.resolve(ask.recipe, recipe.data.train.path));
    return {
      recipe,
      opened,
      subject: { ...subject, plan },
      identity: { recipe: settings, recipeSha256: await hex(JSON.stringify(settings)), dataSha256 },
      ...(names && names.length === classes ? { classNames: names } : {}),
      train,
      ...(validation ? { validation } : {}),
      ...(test ? { test } : {}),
      run: {
        recipe,
        compiled,
        session,
        evaluation,
        evaluator: evaluator.session,
        train,
        ...(validation ? { validation } : {}),
        batch,
        job,
      },
      choice,
      ...threads,
      async close() {
        await session.release();
        await evaluator.session.release();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
};
