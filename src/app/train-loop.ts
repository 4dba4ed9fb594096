import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { random } from '../base/random.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import type { Session } from '../runtime/session.ts';
import { startsOf } from '../training/adversarial.ts';
import { augmentDraws, type Drawn } from '../training/augment.ts';
import type { Compiled } from '../training/compile.ts';
import type { Evaluation } from '../training/evaluate.ts';
import { vector } from '../training/layout.ts';
import type { Recipe } from '../training/recipe.ts';
import type { AppJob } from './ports.ts';
import type { Held, TrainingRows } from './train-data.ts';
import { type EpochRow, type Snapshot, weights } from './train-progress.ts';

/** A call should last about this long: short enough to stop at once, long enough that the host costs nothing. */
const callSeconds = 0.25;
/** Streamed rows in one call. */
const blockBytes = 64 * 2 ** 20;
const liveSeconds = 0.1;
const checkpointSeconds = 30;
/** Steps in a row that may be left out for not being finite. */
const skipLimit = 10;

export interface Run {
  readonly recipe: Recipe;
  readonly compiled: Compiled;
  readonly session: Session;
  readonly evaluation: Evaluation;
  readonly evaluator: Session;
  readonly train: Held<TrainingRows>;
  readonly validation?: Held<TrainingRows>;
  readonly batch: number;
  readonly job: AppJob;
  /** Keeps a snapshot on disk. */
  save(snapshot: Snapshot): Promise<void>;
}

/** A step whose loss or gradient was not finite: its number from 0, its rate, positions of its rows, and the state it started from. */
export interface Bad {
  readonly state: Snapshot['state'];
  readonly step: number;
  readonly lr: number;
  readonly positions: Float64Array;
}
export interface Ended {
  readonly why: 'finished' | 'early' | 'stopped' | 'not-finite';
  readonly snapshot: Snapshot;
  readonly bad?: Bad;
}

/** Steps of one epoch and of the whole run. */
export const lengthOf = (
  recipe: Recipe,
  rows: number,
  batch: number,
): { readonly perEpoch: number; readonly steps: number; readonly epochs: number } => {
  const perEpoch = recipe.batch.dropLast ? Math.floor(rows / batch) : Math.ceil(rows / batch);
  const steps = 'steps' in recipe.length ? recipe.length.steps : recipe.length.epochs * perEpoch;
  return { perEpoch, steps, epochs: Math.ceil(steps / perEpoch) };
};

/** What a call draws for changes of rows. */
export const augmentFeeds = (
  { inputs, precision }: Compiled,
  { augment }: Recipe,
  seed: number,
  steps: readonly [first: number, count: number],
  batch: number,
  row: readonly number[],
): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(augment ? augmentDraws(augment, precision, seed, steps, batch, row) : {}).flatMap(([kind, tensor]) => {
      const name = inputs.drawn[kind as Drawn];
      return name ? [[name, tensor]] : [];
    }),
  );

const now = (): number => performance.now() / 1000;
const list = (tensor: Tensor): number[] => Array.from(tensor.data as Float32Array);

/** Mean loss and accuracy of some rows in inference form. */
export const evaluate = async (
  { evaluation, evaluator, job }: Pick<Run, 'evaluation' | 'evaluator' | 'job'>,
  state: Snapshot['state'],
  { rows, positions }: Held<TrainingRows>,
): Promise<{ readonly loss: number; readonly accuracy?: number }> => {
  const feeds: Record<string, Tensor> = { ...evaluation.hyper };
  const measured = weights(state);
  for (const [key, input] of Object.entries(evaluation.state)) feeds[input] = measured[key];
  const width = Math.max(1, sizeOf(rows.bound.inputDims));
  const size = Math.max(1, Math.min(256, Math.floor(2 ** 21 / width)));
  const { total, weight, correct } = evaluation.outputs;
  const sums = { total: 0, weight: 0, correct: 0 };
  for (let from = 0; from < positions.length; from += size) {
    await breathe(job);
    const part = positions.subarray(from, from + size);
    const { x, y } = await rows.take(part, [part.length], job.signal);
    const wanted = [total, weight, ...(correct ? [correct] : [])];
    const out = await evaluator.run({ ...feeds, [evaluation.inputs.x]: x, [evaluation.inputs.y]: y }, wanted);
    sums.total += Number(out[total].data[0]);
    sums.weight += Number(out[weight].data[0]);
    if (correct) sums.correct += Number(out[correct].data[0]);
  }
  return { loss: sums.total / sums.weight, ...(correct ? { accuracy: sums.correct / positions.length } : {}) };
};

/** Columns of the steps since the last message, sent at most ten times a second. */
const liveOf = (run: Run, epochs: number, totalSteps: number) => {
  let pending: { step: number[]; loss: number[]; accuracy: number[]; learningRate: number[]; gradientNorm: number[] } | undefined;
  let last = 0;
  const send = (epoch: number, stepsPerSecond: number): void => {
    if (pending) run.job.live({ kind: 'steps', ...pending, epoch, epochs, totalSteps, stepsPerSecond });
    pending = undefined;
    last = now();
  };
  return {
    add(
      from: number,
      loss: number[],
      accuracy: number[],
      learningRate: number[],
      gradientNorm: number[],
      epoch: number,
      stepsPerSecond: number,
    ): void {
      pending ??= { step: [], loss: [], accuracy: [], learningRate: [], gradientNorm: [] };
      pending.step.push(...loss.map((_, i) => from + i + 1));
      pending.loss.push(...loss);
      pending.accuracy.push(...accuracy);
      pending.learningRate.push(...learningRate);
      pending.gradientNorm.push(...gradientNorm);
      if (now() - last >= liveSeconds) send(epoch, stepsPerSecond);
    },
    send,
  };
};

const improved = (value: number, best: number, { metric, minDelta }: NonNullable<Recipe['earlyStop']>): boolean =>
  metric === 'val_loss' ? value < best - minDelta : value > best + minDelta;

/** Trains from `from` to the end, to an early stop, a cancel, or a step that is not finite. */
export const trainLoop = async (run: Run, from: Snapshot): Promise<Ended> => {
  const { recipe, compiled, session, train, batch, job } = run;
  const { perEpoch, steps, epochs } = lengthOf(recipe, train.positions.length, batch);
  const p = structuredClone(from.progress);
  const curves = structuredClone(from.curves);
  let { state, best } = from;
  const snapshot = (): Snapshot => ({ progress: structuredClone(p), curves, state, ...(best ? { best } : {}) });
  let good = snapshot();
  let saved = now();
  let perStep = Number.POSITIVE_INFINITY;
  const live = liveOf(run, epochs, steps);
  const rowBytes = Math.max(1, sizeOf(train.rows.bound.inputDims)) * 4;
  const { resident } = train.rows;
  const go: Tensor = { dtype: 'bool', dims: [], data: Uint8Array.of(recipe.nonfinite === 'skip' ? 1 : 0) };

  let order = new Float64Array(0);
  let ordered = -1;
  const orderOf = (epoch: number): Float64Array => {
    if (ordered !== epoch) order = random(recipe.seed, `shuffle/${epoch}`).shuffle(Float64Array.from(train.positions));
    ordered = epoch;
    return order;
  };
  const rateAt = (step: number, validation: readonly number[]): number => {
    const { part, chosen, unit } = recipe.schedule;
    const lr = Number(recipe.optimizer.chosen.lr);
    const rows = train.positions.length;
    const at = {
      step: [step, steps],
      epoch: [Math.floor(step / perEpoch), epochs],
      sample: [Math.floor(step / perEpoch) * rows + (step % perEpoch) * batch, epochs * rows],
    }[unit];
    return p.lrScale * part.rate({ t: at[0], total: at[1], lr, validation }, chosen);
  };

  /** As many steps as fit in one call: of equal batch size, within the epoch. */
  const call = async (): Promise<Bad | undefined> => {
    const rows = orderOf(p.epoch);
    const whole = Math.min(perEpoch, Math.floor(rows.length / batch));
    const size = p.position < whole ? batch : rows.length - whole * batch;
    const drawn = recipe.adversarial && compiled.inputs.start ? recipe.adversarial : undefined;
    const bulky = drawn !== undefined || recipe.augment?.noise !== undefined;
    const fitting = resident && !bulky ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(blockBytes / (rowBytes * size)));
    const budget = Math.max(1, Math.floor(callSeconds / perStep));
    const k = p.position < whole ? Math.min(whole - p.position, steps - p.step, budget, fitting) : 1;
    const positions = rows.subarray(p.position * batch, p.position * batch + k * size);
    const validation = p.history.flatMap((row) => row.valLoss ?? []);
    const lr = Array.from({ length: k }, (_, i) => rateAt(p.step + i, validation));
    const feeds: Record<string, Tensor> = {
      ...compiled.hyper,
      [compiled.inputs.lr]: vector(compiled.precision, lr),
      [compiled.inputs.go]: go,
    };
    for (const [key, { input }] of Object.entries(compiled.state)) feeds[input] = state[key];
    if (compiled.inputs.rows) feeds[compiled.inputs.rows] = int64([k, size], positions);
    const { x, y } = resident ?? (await train.rows.take(positions, [k, size], job.signal));
    feeds[compiled.inputs.x] = x;
    feeds[compiled.inputs.y] = y;
    Object.assign(feeds, augmentFeeds(compiled, recipe, recipe.seed, [p.step, k], size, train.rows.bound.inputDims));
    if (drawn)
      feeds[compiled.inputs.start] = startsOf(drawn, compiled.precision, recipe.seed, [p.step, k], size, train.rows.bound.inputDims);

    const started = now();
    const out = await session.run(feeds);
    const seconds = now() - started;
    const { loss: lossName, accuracy: accuracyName, gradientNorm, finite } = compiled.outputs;
    const loss = list(out[lossName]);
    const made = loss.length;
    const accuracy = accuracyName ? list(out[accuracyName]) : [];
    const norms = list(out[gradientNorm]);
    const flags = list(out[finite]);
    state = Object.fromEntries(Object.entries(compiled.state).map(([key, { output }]) => [key, out[output]]));
    if (size === batch) perStep = seconds / made;
    p.stepSeconds += seconds;
    const before = p.step;
    p.step += made;
    p.position += made;
    let bad: Bad | undefined;
    for (let i = 0; i < made; i++) {
      if (flags[i] === 1) {
        p.rows += size;
        p.lossSum += loss[i] * size;
        p.correctSum += (accuracy[i] ?? 0) * size;
        p.skippedInRow = 0;
        continue;
      }
      p.skipped++;
      p.skippedInRow++;
      if (recipe.nonfinite === 'halve-lr') p.lrScale /= 2;
      if (recipe.nonfinite === 'stop' || p.skippedInRow > skipLimit)
        bad ??= { state, step: before + i, lr: lr[i], positions: positions.slice(i * size, (i + 1) * size) };
    }
    curves.loss.push(...loss);
    curves.accuracy.push(...accuracy);
    curves.lr.push(...lr.slice(0, made));
    curves.gradientNorm.push(...norms);
    const speed = p.step / Math.max(p.stepSeconds, 1e-9);
    live.add(before, loss, accuracy, lr.slice(0, made), norms, p.epoch + 1, speed);
    job.progress(p.step / steps, `epoch ${p.epoch + 1} of ${epochs}, step ${p.step} of ${steps}, loss ${loss[made - 1].toPrecision(4)}`);
    return bad;
  };

  const endEpoch = async (): Promise<void> => {
    const last = p.step >= steps;
    const due = last || (p.epoch + 1) % recipe.evalEvery === 0;
    const measured = due && run.validation ? await evaluate(run, state, run.validation) : undefined;
    const row: EpochRow = {
      epoch: p.epoch + 1,
      step: p.step,
      lr: curves.lr.at(-1) ?? 0,
      trainLoss: p.lossSum / p.rows,
      ...(compiled.outputs.accuracy ? { trainAccuracy: p.correctSum / p.rows } : {}),
      ...(measured ? { valLoss: measured.loss } : {}),
      ...(measured?.accuracy === undefined ? {} : { valAccuracy: measured.accuracy }),
    };
    live.send(row.epoch, p.step / Math.max(p.stepSeconds, 1e-9));
    job.live({
      kind: 'epoch',
      epoch: row.epoch,
      ...(row.valLoss === undefined ? {} : { validationLoss: row.valLoss }),
      ...(row.valAccuracy === undefined ? {} : { validationAccuracy: row.valAccuracy }),
    });
    p.history.push(row);
    const early = recipe.earlyStop;
    const metric = early?.metric === 'val_accuracy' ? row.valAccuracy : row.valLoss;
    if (early && metric !== undefined) {
      if (!p.best || improved(metric, p.best.metric, early)) {
        p.best = { metric, row };
        p.waited = 0;
        best = weights(state);
      } else p.waited++;
      p.early = p.waited >= early.patience;
    }
    p.epoch++;
    p.position = 0;
    [p.rows, p.lossSum, p.correctSum] = [0, 0, 0];
    good = snapshot();
    if (due && p.epoch % (recipe.evalEvery * recipe.checkpointEvery) === 0 && now() - saved >= 1) await keep();
  };

  const keep = async (): Promise<void> => {
    good = snapshot();
    await run.save(good);
    saved = now();
  };

  try {
    while (p.step < steps && !p.early) {
      if (p.position === perEpoch) await endEpoch();
      else {
        const bad = await call();
        if (bad) return { why: 'not-finite', snapshot: good, bad };
        if (now() - saved >= checkpointSeconds) await keep();
      }
      await breathe(job);
    }
    if (p.position > 0 && !p.early) await endEpoch();
  } catch (error) {
    if (!Fault.is(error, 'job/stopped')) throw error;
    return { why: 'stopped', snapshot: snapshot() };
  }
  return { why: p.early ? 'early' : 'finished', snapshot: snapshot() };
};
