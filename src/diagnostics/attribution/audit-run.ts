import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { argmax } from '../../base/maths/argmax.ts';
import type { Matrix, Subject, Tools } from '../../evidence/evidence.ts';
import type { FreshAsk, FreshModel, FreshTrainer, KeptResults, LabelledRows } from '../../evidence/fresh.ts';
import { trainAndTest } from '../train-and-test.ts';
import { type Audited, randomRanks, ranksOf } from './audit-attributions.ts';
import { type Level, levelOf, type Power, powerOf } from './audit-statistics.ts';
import type { How } from './method.ts';
import type { AttributionChoice } from './options.ts';
import { predictions } from './targets.ts';
import { fillOf, keptAt, maskOf, type Places, placesOf, type Ranks, type Side, unmasked } from './unmasking.ts';

export interface AuditOptions {
  readonly target: 'label' | 'predicted' | 'class-free';
  readonly levels: string;
  readonly granularity: 'element' | 'pixel';
  readonly fill: 'mean' | 'zero';
  readonly runs: number;
  readonly controlRuns: number;
  readonly test: string;
  readonly recipe: string;
  readonly resume: string;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly robustEpsilon: number;
  readonly robustNorm: 'linf' | 'l2';
  readonly robustSteps: number;
}

/** How copies of the model diagnosed are trained: by the recipe named, or by these numbers. */
export const copiesOf = ({ recipe, epochs, batch, rate }: Pick<AuditOptions, 'recipe' | 'epochs' | 'batch' | 'rate'>): FreshAsk => ({
  source: 'model',
  ...(recipe ? { recipe } : {}),
  epochs,
  batch,
  rate,
});

/** The audit of one model's attributions. */
export interface AuditedModel {
  readonly name: string;
  /** On test rows as they are. */
  readonly accuracy: number;
  readonly levels: readonly Level[];
}
export interface Audit {
  readonly models: readonly AuditedModel[];
  /** Accuracy of fresh models trained on rows as they are. */
  readonly fresh: Power;
  readonly how: How;
  readonly train: number;
  readonly test: number;
  readonly places: number;
  readonly trainings: number;
  readonly steps: number;
  readonly parameters: number;
  readonly trained: string;
  readonly seconds: number;
}

/** Steps measured before the plan is told. */
const MEASURED = 50;

const levelsOf = (text: string, places: number): readonly { readonly level: number; readonly kept: number }[] =>
  text.split(',').map((part) => {
    const level = Number(part);
    if (part.trim() === '' || !(level > 0 && level <= 100))
      throw new Fault('option/value', { name: 'levels', value: text, expected: 'percentages above 0 and up to 100, separated by commas' });
    const kept = keptAt(level, places);
    if (kept === 0) throw new Fault('diagnostic/audit-level', { level, places });
    return { level, kept };
  });

const rightOf = ({ rows, cols, data }: Matrix, labels: Int32Array): Uint8Array =>
  Uint8Array.from({ length: rows }, (_, i) => Number(argmax(data, i * cols, cols) === labels[i]));

const minutes = (seconds: number): string =>
  seconds < 90
    ? `${Math.max(1, Math.round(seconds))} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;

/** Counts trainings, and tells how long the others will take by what a step has taken. */
const clockOf = (job: Job, trainings: number, stepsEach: number, first: number) => {
  let done = 0;
  let perStep = first;
  const tell = (share: number, text: string): void => {
    const left = Math.max(0, trainings - done - share) * stepsEach * perStep;
    job.progress(
      (0.1 * trainings + done + share) / (1.1 * trainings),
      `${text}, training ${done + 1} of ${trainings}, about ${minutes(left)} left`,
    );
  };
  return {
    tell,
    /** `model` is none where the result was kept from an earlier run. */
    ended(model?: FreshModel): void {
      perStep = model?.stepSeconds ?? perStep;
      done++;
    },
  };
};
type Clock = ReturnType<typeof clockOf>;

interface Bench {
  readonly trainer: FreshTrainer;
  readonly train: LabelledRows;
  readonly test: LabelledRows;
  readonly clock: Clock;
  readonly kept?: KeptResults;
  readonly job: Job;
}

/** Accuracy on test rows changed as the training rows are, over several runs; run r has the same seed whatever is trained. */
const power = async (
  { trainer, train, test, clock, kept, job }: Bench,
  runs: number,
  text: string,
  changed: (data: LabelledRows, of: 'train' | 'test') => Float32Array,
): Promise<Power> => {
  const keys = Array.from({ length: runs }, (_, r) => `${text}, run ${r + 1}`);
  const all = keys.every((key) => kept?.get(key) !== undefined);
  const [x, tested] = all ? [new Float32Array(), new Float32Array()] : [changed(train, 'train'), changed(test, 'test')];
  const right: Uint8Array[] = [];
  for (let r = 0; r < runs; r++) {
    const seed = job.random(`run/${r}`).below(2 ** 32);
    clock.tell(0, text);
    const known = kept?.get(keys[r]);
    if (known !== undefined) {
      right.push(Uint8Array.from(known, Number));
      clock.ended();
      continue;
    }
    const model = await trainer.train({ x, labels: train.labels }, seed, { told: (share) => clock.tell(share, text) });
    clock.ended(model);
    const hits = rightOf(await model.scores(tested), test.labels);
    right.push(hits);
    await kept?.put(keys[r], hits.join(''));
  }
  return powerOf(right);
};

const chanceOf = (labels: Int32Array): number => {
  const counts = new Map<number, number>();
  for (const y of labels) counts.set(y, (counts.get(y) ?? 0) + 1);
  return Math.max(...counts.values()) / labels.length;
};

type RanksOf = Readonly<Record<'train' | 'test', Ranks>>;

const auditLevels = async (
  bench: Bench,
  name: string,
  levels: ReturnType<typeof levelsOf>,
  own: RanksOf,
  random: RanksOf,
  places: Places,
  fill: Float32Array,
  { runs, controlRuns }: AuditOptions,
): Promise<readonly Level[]> => {
  const out: Level[] = [];
  for (const { level, kept } of levels) {
    const data = (ranks: RanksOf, side: Side) => (rows: LabelledRows, of: 'train' | 'test') =>
      unmasked(rows.x, ranks[of], places, side, kept, fill);
    const masks = (side: Side) => (_: LabelledRows, of: 'train' | 'test') => maskOf(own[of], places, side, kept);
    const at = `${name}, ${level} %`;
    out.push(
      levelOf(
        level,
        kept,
        {
          top: await power(bench, runs, `${at}, top`, data(own, 'top')),
          bottom: await power(bench, runs, `${at}, bottom`, data(own, 'bottom')),
          maskTop: await power(bench, controlRuns, `${at}, masks alone, top`, masks('top')),
          maskBottom: await power(bench, controlRuns, `${at}, masks alone, bottom`, masks('bottom')),
          randomTop: await power(bench, controlRuns, `${at}, random, top`, data(random, 'top')),
          randomBottom: await power(bench, controlRuns, `${at}, random, bottom`, data(random, 'bottom')),
        },
        chanceOf(bench.test.labels),
      ),
    );
  }
  return out;
};

/** DiffROAR (Shah et al. 2021) of a model's attributions, with the controls of card 05. */
export const auditRun = async (
  tools: Pick<Tools, 'gradient' | 'samples' | 'fresh'>,
  chosen: AuditOptions & AttributionChoice,
  subject: Subject,
  job: Job,
): Promise<Audit> => {
  const { fresh, samples } = tools;
  if (tools.gradient.embedding) throw new Fault('diagnostic/audit-tokens', { model: subject.modelName ?? 'the model' });
  if (subject.classes.length < 2) throw new Fault('diagnostic/audit-classes', { model: subject.modelName ?? 'the model' });
  job.progress(0, 'reading rows');
  const [train, test] = await trainAndTest(fresh, chosen.test, job);
  if (new Set(train.labels).size < 2) throw new Fault('diagnostic/one-class', { title: 'The audit', rows: train.labels.length });
  for (const { labels, rows } of [train, test]) {
    const at = labels.findIndex((y) => y < 0 || y >= subject.classes.length);
    if (at >= 0) throw new Fault('diagnostic/label', { row: rows[at], label: labels[at], classes: subject.classes.length });
  }
  const places = placesOf(train.dims, chosen.granularity);
  const levels = levelsOf(chosen.levels, places.count);
  const ask = copiesOf(chosen);
  const like = { dims: train.dims, rows: train.labels.length, classes: Math.max(train.classes, test.classes) };
  const trainer = await fresh.open(ask, like);
  const robust = chosen.robustEpsilon > 0;
  const stepsEach = trainer.steps(train.labels.length);
  const models = robust ? 2 : 1;
  const trainings = chosen.runs + models * levels.length * (2 * chosen.runs + 4 * chosen.controlRuns);

  job.progress(0.02, 'measuring the time of a step');
  const seed = job.random('run/0').below(2 ** 32);
  const pace = await trainer.train(train, seed, { most: Math.min(MEASURED, stepsEach) });
  const seconds = trainings * stepsEach * pace.stepSeconds;
  job.note(
    `${trainings} trainings of ${stepsEach} steps (${levels.length} levels, ${chosen.runs} runs a side, masks alone and random order beside them${robust ? ', for two models' : ''}) were estimated at ${minutes(seconds)} from ${Math.min(MEASURED, stepsEach)} measured steps.`,
  );
  // More runs, and other levels, may be added to those that were kept.
  const { resume, runs: _, controlRuns: __, levels: ___, ...identity } = chosen;
  const kept =
    resume === '' ? undefined : await fresh.kept(resume, { ...identity, seed, train: train.labels.length, test: test.labels.length });
  const clock = clockOf(job, trainings, stepsEach, pace.stepSeconds);
  const bench: Bench = { trainer, train, test, clock, job, ...(kept ? { kept } : {}) };

  const audited: Audited[] = [{ name: subject.modelName ?? 'this model', gradient: tools.gradient, scores: fresh.scores }];
  if (robust) {
    job.progress(0.03, 'training a robust copy');
    const range = train.x.reduce<[number, number]>(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [Infinity, -Infinity]);
    const { robustNorm: norm, robustEpsilon: epsilon, robustSteps: steps } = chosen;
    const teacher = await fresh.open({ ...ask, adversarial: { norm, epsilon, steps, randomStart: false, range } }, like);
    const model = await teacher.train(train, seed, { told: (share) => job.progress(0.03 + 0.03 * share, 'training a robust copy') });
    audited.push({ name: 'robust copy', gradient: await model.gradient(), scores: (x) => model.scores(x) });
  }
  const fill = fillOf(train.x, train.dims, chosen.fill);
  const random: RanksOf = {
    train: randomRanks(train.rows, places, 'random/train', job),
    test: randomRanks(test.rows, places, 'random/test', job),
  };
  const plain = await power(bench, chosen.runs, 'rows as they are', ({ x }) => x);
  const found: AuditedModel[] = [];
  let how: How = [];
  for (const model of audited) {
    const ranks = async (data: LabelledRows, of: string) =>
      ranksOf(model, samples, data, places, chosen.target, chosen, subject, job, (share) =>
        job.progress(0.06 + 0.02 * share, `attributing ${of} rows of ${model.name}`),
      );
    const [own, tested] = [await ranks(train, 'training'), await ranks(test, 'test')];
    how = own.how;
    const said = predictions(tested.outputs, subject);
    found.push({
      name: model.name,
      accuracy: test.labels.reduce((sum, y, i) => sum + Number(said[i] === y), 0) / test.labels.length,
      levels: await auditLevels(bench, model.name, levels, { train: own.ranks, test: tested.ranks }, random, places, fill, chosen),
    });
  }
  return {
    models: found,
    fresh: plain,
    how,
    train: train.labels.length,
    test: test.labels.length,
    places: places.count,
    trainings,
    steps: stepsEach,
    parameters: trainer.parameters,
    trained: trainer.how,
    seconds,
  };
};
