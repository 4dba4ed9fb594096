import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import { joinRows } from '../data/rows.ts';
import type { Session } from '../runtime/session.ts';
import { startsOf } from '../training/adversarial.ts';
import type { Compiled } from '../training/compile.ts';
import type { EpochMoment } from '../training/define-run.ts';
import type { Evaluation } from '../training/evaluate.ts';
import { vector } from '../training/layout.ts';
import type { Plan } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import type { AppJob } from './ports.ts';
import { epochsOfCall, joined, spansOf, stepsOfCall, stretch, taken } from './train-calls.ts';
import type { Held, TrainingRows } from './train-data.ts';
import type { Diagnosed } from './train-diagnose.ts';
import { augmentFeeds } from './train-draws.ts';
import { evaluate } from './train-evaluate.ts';
import { type HostRows, hostOf } from './train-host.ts';
import type { Iterate } from './train-iterate.ts';
import { liveOf } from './train-live.ts';
import { type Cut, columnsOf, cutOf, microFeeds } from './train-micro.ts';
import { moves } from './train-moves.ts';
import { pause } from './train-pause.ts';
import { append, type EpochRow, type Snapshot, weights } from './train-progress.ts';
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

const now = (): number => performance.now() / 1000;

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
  /** Calls are of one epoch until this one. */
  let alone = 0;
  /** Steps of the next call at most, where the one after them is not finite and nothing held it back. */
  let clean = Number.POSITIVE_INFINITY;
  /** An epoch ended that is to be saved after. */
  let savable = false;
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
  const rateAt = (i: number, epoch: number, validation: readonly number[]): number => {
    const { part, chosen, unit } = recipe.schedule;
    const rows = train.positions.length;
    const at = {
      step: [p.step + i, totalSteps()],
      epoch: [epoch, epochs],
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

  /** At the last step made, of an epoch of so many rows. */
  const reached = (rows: number) => ({
    seconds: p.stepSeconds,
    epochsMade: p.epoch + p.position / Math.max(1, rows),
    ...move.last(),
  });

  const drawn = recipe.adversarial && compiled.inputs.start ? recipe.adversarial : undefined;
  const feedsFor = async (
    order: ReturnType<typeof host.order>,
    at: number,
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
    const kept: Record<string, Tensor> = { ...compiled.hyper, ...(compiled.inputs.go ? { [compiled.inputs.go]: go } : {}) };
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
    Object.assign(feeds, host.feeds({ order, moment: momentOf(p.epoch), at, size, steps, momentOf: moments }));
    const stepped = again ? Object.fromEntries(Object.entries(feeds).map(([name, each]) => [name, joinRows([each, each])])) : feeds;
    return { ...kept, ...stepped, ...(micro ? microFeeds(compiled, cut, micro, updates, again) : {}) };
  };

  /** Epochs from the one under way to the next that the host is needed at the end of: where rows are measured, or parts see what a step gave. */
  const untilHost = (): number => {
    if (p.epoch < alone || micro || decide || keeping || run.iterate) return 1;
    const measured = run.validation || run.diagnose ? recipe.evalEvery - (p.epoch % recipe.evalEvery) : Number.POSITIVE_INFINITY;
    return Math.min(measured, (run.until ?? epochs) - p.epoch);
  };

  /** As many steps as fit in one call: of equal batch size, within the epoch or of whole epochs. */
  const call = async (): Promise<Bad | undefined> => {
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
    const first = run.iterate ? 1 : Math.min(stepsOfCall(perRow * size, due), fitting, deciding, clean);
    const most = Math.min(untilHost(), Math.floor(Math.min(asked, fitting) / first));
    const spans = spansOf((epoch) => host.order(momentOf(epoch)), p, size, first, {
      most: epochsOfCall(perRow * size * first, most),
      dropLast: recipe.batch.dropLast,
    });
    const k = spans.length * first;
    const [{ at }] = spans;
    const order = joined(spans, first * size);
    const places = stretch(order.places, at, k * size);
    const positions = taken(train.positions, places);
    const validation = p.history.flatMap((row) => row.valLoss ?? []);
    const lr = Array.from({ length: k }, (_, i) => rateAt(i, spans[Math.floor(i / first)].epoch, validation));
    const feeds = run.iterate ? {} : await feedsFor(order, at, cut, k, positions, lr, again);
    const started = now();
    const { theta } = state;
    const stepped = await run.iterate?.(state, positions, lr[0]);
    const out = stepped?.out ?? (await session.run(feeds));
    const seconds = now() - started;
    if (stepped?.done) p.done = true;
    const { loss, accuracy, norms, flags, lines } = columnsOf(compiled, out, again ? 2 * cut.parts : cut.parts);
    if (spans.length > 1 && flags.some((flag) => flag !== 1)) {
      // Made again, epoch by epoch: what is kept is the end of the last one that is finite.
      alone = p.epoch + spans.length;
      return call();
    }
    const broken = compiled.inputs.go ? -1 : flags.indexOf(0);
    clean = broken > 0 ? broken : Number.POSITIVE_INFINITY;
    if (broken > 0) return call();
    // A step that nothing held back and that is not finite is one that leaves nothing.
    const made = broken === 0 ? 1 : loss.length;
    if (broken < 0) state = Object.fromEntries(Object.entries(compiled.state).map(([key, { output }]) => [key, out[output]]));
    if (size === p.batch && !again) perRow = seconds / (made * size);
    move.tell(theta, state.theta, made, p.stepSeconds + seconds);
    let bad: Bad | undefined;
    for (const [s, span] of spans.entries()) {
      if (s > 0) await endEpoch(true);
      const from = s * first;
      const to = Math.min(made, from + first);
      const before = p.step;
      p.stepSeconds += (seconds * (to - from)) / made;
      p.step += to - from;
      p.position += (to - from) * size;
      p.seen += (to - from) * size;
      for (let i = from; i < to; i++) {
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
          bad ??= { state, step: before + i - from, lr: lr[i], positions: positions.slice(i * size, (i + 1) * size) };
      }
      const part = (values: readonly number[]): readonly number[] => (values.length === to - from ? values : values.slice(from, to));
      const columns = {
        loss: part(loss),
        accuracy: part(accuracy),
        learningRate: lr.slice(from, to),
        gradientNorm: part(norms),
        monitors: Object.fromEntries(Object.entries(lines).map(([line, values]) => [line, part(values)])),
      };
      append(curves, columns);
      live.add(before, columns, { ...place(), ...reached(span.order.places.length) });
    }
    if (!bad) host.tell(places.subarray(0, made * size), out, momentOf(p.epoch));
    p.undecided += made;
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

  /** `within` a call, nothing is due but to enter it. */
  const endEpoch = async (within = false): Promise<void> => {
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
    const said = due && !within ? allSaid(curves.monitors) : [];
    const told = {
      epoch: row.epoch,
      step: p.step,
      seconds: p.stepSeconds,
      ...(row.valLoss === undefined ? {} : { validationLoss: row.valLoss }),
      ...(row.valAccuracy === undefined ? {} : { validationAccuracy: row.valAccuracy }),
      ...(diagnosed ? { diagnosed: diagnosed.numbers, cards: diagnosed.cards } : {}),
      ...(said.length > 0 ? { said } : {}),
    };
    if (!within) live.epoch({ ...told, place: place(), last });
    p.history.push(row);
    const early = recipe.earlyStop;
    const metric = early?.metric === 'val_accuracy' ? row.valAccuracy : row.valLoss;
    if (early && metric !== undefined) {
      if (Number.isFinite(metric) && (!p.best || improved(metric, p.best.metric, early))) {
        p.best = { metric, row };
        p.waited = 0;
        best = weights(state);
      } else p.waited++;
      p.early = p.waited >= early.patience;
    }
    p.epoch++;
    p.position = 0;
    [p.rows, p.lossSum, p.correctSum] = [0, 0, 0];
    if (due && p.epoch % (recipe.evalEvery * recipe.checkpointEvery) === 0) savable = true;
    if (within) return;
    good = snapshot();
    if (savable && now() - saved >= 1) await keep();
    savable = false;
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
