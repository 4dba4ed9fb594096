import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import { joinRows } from '../data/rows.ts';
import type { Session } from '../runtime/session.ts';
import { startsOf } from '../training/adversarial.ts';
import { augmentDraws, type Drawn } from '../training/augment.ts';
import type { Compiled } from '../training/compile.ts';
import type { EpochMoment } from '../training/define-run.ts';
import type { Evaluation } from '../training/evaluate.ts';
import { vector } from '../training/layout.ts';
import type { Plan } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import type { AppJob } from './ports.ts';
import { stepsOfCall, stretch, taken } from './train-calls.ts';
import type { Held, TrainingRows } from './train-data.ts';
import type { Diagnosed } from './train-diagnose.ts';
import { type HostRows, hostOf } from './train-host.ts';
import type { Iterate } from './train-iterate.ts';
import { liveOf } from './train-live.ts';
import { type Cut, columnsOf, cutOf, microFeeds } from './train-micro.ts';
import { moves } from './train-moves.ts';
import { pause } from './train-pause.ts';
import { type EpochRow, type Snapshot, weights } from './train-progress.ts';
import { allSaid } from './train-report.ts';

/** Streamed rows in one call. */
const blockBytes = 64 * 2 ** 20;
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
  readonly plan: Plan;
  readonly batch: number;
  /** Epochs to end after, of those that rates and draws are laid out for. */
  readonly until?: number;
  /** In the place of compiled steps, for an optimizer that moves the parameters from the host. */
  readonly iterate?: Iterate;
  /** Diagnostics of the validation rows, at every evaluation. */
  readonly diagnose?: (state: Snapshot['state'], brief: boolean) => Promise<Diagnosed>;
  /** Labels and columns of all rows of the training data, by position. */
  readonly facts: HostRows;
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
  /** `kept`: ended on request, to be kept as it is. */
  readonly why: 'finished' | 'early' | 'kept' | 'stopped' | 'not-finite';
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

const improved = (value: number, best: number, { metric, minDelta }: NonNullable<Recipe['earlyStop']>): boolean =>
  metric === 'val_loss' ? value < best - minDelta : value > best + minDelta;

/** Rows of the first step. */
const firstBatch = ({ recipe: { extra }, batch, train }: Run): number => {
  const { part, chosen } = extra.batchSchedule ?? {};
  const first = part?.decide?.first?.(batch, train.positions.length, chosen ?? {}) ?? batch;
  return Math.max(1, Math.min(train.positions.length, first));
};

/** Trains from `from` to the end, to an early stop, a cancel, or a step that is not finite. */
export const trainLoop = async (run: Run, from: Snapshot): Promise<Ended> => {
  const { recipe, compiled, session, train, job } = run;
  const planned = lengthOf(recipe, train.positions.length, run.batch);
  const { epochs } = planned;
  const p = structuredClone(from.progress);
  if (p.batch === 0) p.batch = firstBatch(run);
  const curves = structuredClone(from.curves);
  let { state, best } = from;
  const host = hostOf(recipe, run, run.facts, train.positions, from.host, p.step, (text) => job.note(text));
  const keeping = recipe.extra.sampler?.part.tell !== undefined || recipe.extra.targets?.part.table !== undefined;
  // Rows of the history are never changed: a copy of the list is one of them all, however long the run.
  const snapshot = (): Snapshot => ({
    progress: { ...p, history: [...p.history] },
    curves,
    state,
    ...(best ? { best } : {}),
    ...(keeping ? { host: host.kept() } : {}),
  });
  let good = snapshot();
  let saved = now();
  let perRow = Number.POSITIVE_INFINITY;
  const live = liveOf(job);
  const move = moves();
  let kept = false;
  const rowBytes = Math.max(1, sizeOf(train.rows.bound.inputDims)) * 4;
  const { resident } = train.rows;
  const go: Tensor = { dtype: 'bool', dims: [], data: Uint8Array.of(recipe.nonfinite === 'skip' ? 1 : 0) };
  const decide = recipe.extra.batchSchedule?.part.decide;
  const decided = recipe.extra.batchSchedule?.chosen ?? {};
  const micro = decide?.micro?.(decided);

  const momentOf = (epoch: number): EpochMoment => ({ epoch, epochs, batch: p.batch });
  const rowsLeft = (): number => host.order(momentOf(p.epoch)).places.length - p.position;
  const over = (): boolean => rowsLeft() <= 0 || (recipe.batch.dropLast && rowsLeft() < p.batch);
  const finished = (): boolean => ('steps' in recipe.length ? p.step >= recipe.length.steps : p.epoch >= (run.until ?? epochs)) || p.done;
  /** Of the whole run: as planned, or as far as the batch now lets expect. */
  const totalSteps = (): number => {
    if ('steps' in recipe.length || !decide) return planned.steps;
    const rows = train.positions.length;
    return p.step + Math.ceil(((epochs - p.epoch) * rows - p.position) / p.batch);
  };
  const stepMoment = (step: number): { readonly t: number; readonly total: number; readonly lr: number } => ({
    t: step,
    total: totalSteps(),
    lr: Number(recipe.optimizer.chosen.lr),
  });
  const rateAt = (i: number, validation: readonly number[]): number => {
    const { part, chosen, unit } = recipe.schedule;
    const rows = train.positions.length;
    const at = {
      step: [p.step + i, totalSteps()],
      epoch: [p.epoch, epochs],
      sample: [p.seen + i * p.batch, epochs * rows],
    }[unit];
    return p.lrScale * part.rate({ t: at[0], total: at[1], lr: stepMoment(0).lr, validation }, chosen);
  };
  const place = () => ({
    epoch: Math.min(p.epoch + 1, epochs),
    epochs,
    totalSteps: totalSteps(),
    stepsPerSecond: p.step / Math.max(p.stepSeconds, 1e-9),
  });

  /** At the last step made. */
  const reached = () => ({
    seconds: p.stepSeconds,
    epochsMade: p.epoch + p.position / Math.max(1, p.position + rowsLeft()),
    ...move.last(),
  });

  const drawn = recipe.adversarial && compiled.inputs.start ? recipe.adversarial : undefined;
  const feedsFor = async (
    order: ReturnType<typeof host.order>,
    cut: Cut,
    updates: number,
    positions: Float64Array,
    lr: readonly number[],
    again: boolean,
  ): Promise<Record<string, Tensor>> => {
    const { parts, rows: size } = cut;
    const k = updates * parts;
    // Numbers of the steps, by which they draw: those of micro-batches are of the rows before them.
    const first = micro ? p.seen : p.step;
    const kept: Record<string, Tensor> = { ...compiled.hyper, [compiled.inputs.go]: go };
    for (const [key, { input }] of Object.entries(compiled.state)) kept[input] = state[key];
    const feeds: Record<string, Tensor> = {
      [compiled.inputs.lr]: vector(compiled.precision, parts === 1 ? lr : lr.flatMap((rate) => Array.from({ length: parts }, () => rate))),
    };
    if (compiled.inputs.rows) feeds[compiled.inputs.rows] = int64([k, size], positions);
    const { x, y } = resident ?? (await train.rows.take(positions, [k, size], job.signal));
    Object.assign(resident ? kept : feeds, { [compiled.inputs.x]: x, [compiled.inputs.y]: y });
    Object.assign(feeds, augmentFeeds(compiled, recipe, recipe.seed, [first, k], size, train.rows.bound.inputDims));
    if (drawn)
      feeds[compiled.inputs.start] = startsOf(drawn, compiled.precision, recipe.seed, [first, k], size, train.rows.bound.inputDims);
    const steps = [first, k] as const;
    const moments = (step: number) => stepMoment(p.step + Math.floor((step - first) / parts));
    Object.assign(feeds, host.feeds({ order, moment: momentOf(p.epoch), at: p.position, size, steps, momentOf: moments }));
    const stepped = again ? Object.fromEntries(Object.entries(feeds).map(([name, each]) => [name, joinRows([each, each])])) : feeds;
    return { ...kept, ...stepped, ...(micro ? microFeeds(compiled, cut, micro, updates, again) : {}) };
  };

  /** As many steps as fit in one call: of equal batch size, within the epoch. */
  const call = async (): Promise<Bad | undefined> => {
    const order = host.order(momentOf(p.epoch));
    const left = rowsLeft();
    const cut = cutOf(Math.min(p.batch, left), micro?.rows);
    const size = cut.parts * cut.rows;
    const bulky = drawn !== undefined || recipe.augment?.noise !== undefined;
    const fitting = resident && !bulky ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(blockBytes / (rowBytes * size)));
    const asked = 'steps' in recipe.length ? recipe.length.steps - p.step : Number.POSITIVE_INFINITY;
    const due = Math.min(Math.floor(left / size), asked);
    const undecided = decide ? Math.max(1, decide.every(decided) - p.undecided) : Number.POSITIVE_INFINITY;
    // What is along the mean gradient takes a second look at the rows of the step that is decided by, which is a call of its own.
    const looked = micro?.along === true && p.batch < (decide?.most?.(train.positions.length, decided) ?? Number.POSITIVE_INFINITY);
    const again = looked && undecided === 1;
    const deciding = looked && undecided > 1 ? undecided - 1 : undecided;
    const k = run.iterate ? 1 : Math.min(stepsOfCall(perRow * size, due), fitting, deciding);
    const places = stretch(order.places, p.position, k * size);
    const positions = taken(train.positions, places);
    const validation = p.history.flatMap((row) => row.valLoss ?? []);
    const lr = Array.from({ length: k }, (_, i) => rateAt(i, validation));
    const feeds = run.iterate ? {} : await feedsFor(order, cut, k, positions, lr, again);
    const started = now();
    const { theta } = state;
    const stepped = await run.iterate?.(state, positions, lr[0]);
    const out = stepped?.out ?? (await session.run(feeds));
    const seconds = now() - started;
    if (stepped?.done) p.done = true;
    const { loss, accuracy, norms, flags, lines } = columnsOf(compiled, out, again ? 2 * cut.parts : cut.parts);
    const made = loss.length;
    state = Object.fromEntries(Object.entries(compiled.state).map(([key, { output }]) => [key, out[output]]));
    if (size === p.batch && !again) perRow = seconds / (made * size);
    p.stepSeconds += seconds;
    move.tell(theta, state.theta, made, p.stepSeconds);
    const before = p.step;
    p.step += made;
    p.position += made * size;
    p.seen += made * size;
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
    if (!bad) host.tell(places.subarray(0, made * size), out, momentOf(p.epoch));
    curves.loss.push(...loss);
    curves.accuracy.push(...accuracy);
    curves.lr.push(...lr.slice(0, made));
    curves.gradientNorm.push(...norms);
    for (const [line, values] of Object.entries(lines)) {
      curves.monitors[line] ??= [];
      curves.monitors[line].push(...values);
    }
    p.undecided += made;
    live.add(
      before,
      { loss, accuracy, learningRate: lr.slice(0, made), gradientNorm: norms, monitors: lines },
      { ...place(), ...reached() },
    );
    if (decide && !bad && p.undecided >= decide.every(decided)) {
      const last = Object.fromEntries(Object.entries(lines).map(([line, values]) => [line, values[made - 1]]));
      const next = decide.next({ size: p.batch, rows: train.positions.length, monitors: last }, decided);
      const { size: asked, note } = typeof next === 'number' ? { size: next, note: undefined } : next;
      if (note !== undefined) job.note(note);
      if (Number.isFinite(asked)) p.batch = Math.max(1, Math.min(train.positions.length, Math.floor(asked)));
      p.undecided = 0;
    }
    const total = totalSteps();
    job.progress(p.step / total, `epoch ${p.epoch + 1} of ${epochs}, step ${p.step} of ${total}, loss ${loss[made - 1].toPrecision(4)}`);
    return bad;
  };

  const endEpoch = async (): Promise<void> => {
    const last = kept || p.done || ('steps' in recipe.length ? p.step >= recipe.length.steps : p.epoch + 1 >= epochs);
    const due = last || (p.epoch + 1) % recipe.evalEvery === 0;
    const measured = due && run.validation ? await evaluate(run, state, run.validation) : undefined;
    const diagnosed = due ? await run.diagnose?.(state, true) : undefined;
    const row: EpochRow = {
      epoch: p.epoch + 1,
      step: p.step,
      lr: curves.lr.at(-1) ?? 0,
      trainLoss: p.lossSum / p.rows,
      ...(compiled.outputs.accuracy ? { trainAccuracy: p.correctSum / p.rows } : {}),
      ...(measured ? { valLoss: measured.loss } : {}),
      ...(measured?.accuracy === undefined ? {} : { valAccuracy: measured.accuracy }),
      ...(diagnosed ? { diagnosed: diagnosed.numbers } : {}),
    };
    const said = due ? allSaid(curves.monitors) : [];
    live.epoch({
      epoch: row.epoch,
      step: p.step,
      seconds: p.stepSeconds,
      ...(row.valLoss === undefined ? {} : { validationLoss: row.valLoss }),
      ...(row.valAccuracy === undefined ? {} : { validationAccuracy: row.valAccuracy }),
      ...(diagnosed ? { diagnosed: diagnosed.numbers, cards: diagnosed.cards } : {}),
      ...(said.length > 0 ? { said } : {}),
      place: place(),
      last,
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
    while (!finished() && !p.early) {
      if (over()) await endEpoch();
      else {
        const bad = await call();
        if (bad) {
          live.send(place());
          return { why: 'not-finite', snapshot: good, bad };
        }
        if (now() - saved >= checkpointSeconds) await keep();
      }
      await breathe(job);
      if (job.steer?.() === 'pause') {
        await keep();
        await pause(job, `paused after step ${p.step} of ${totalSteps()}`, p.step / totalSteps());
      }
      kept = job.steer?.() === 'stop' && !finished() && !p.early;
      if (kept) {
        // The checkpoint goes on from here; what ends below is the model to keep.
        await keep();
        break;
      }
    }
    if (p.position > 0 && !p.early) await endEpoch();
  } catch (error) {
    if (!Fault.is(error, 'job/stopped')) throw error;
    live.send(place());
    return { why: 'stopped', snapshot: snapshot() };
  }
  live.send(place());
  return { why: kept ? 'kept' : p.early ? 'early' : 'finished', snapshot: snapshot() };
};
