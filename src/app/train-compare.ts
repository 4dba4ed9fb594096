import { Fault } from '../base/fault.ts';
import { meanReach } from '../base/maths/student.ts';
import { type Card, type Interval, type Report, SCHEMA } from '../report/report.ts';
import type { TrainRequest, TrainResult } from '../report/tasks.ts';
import { baselineOf } from '../training/baseline.ts';
import type { AppJob, Ports } from './ports.ts';
import { finish, finishRegime } from './train-finish.ts';
import { unkept } from './train-journal.ts';
import { trainLoop } from './train-loop.ts';
import { fresh } from './train-progress.ts';
import type { Scores } from './train-report.ts';
import { type FrequencyBin, frequencyBins, selectedBy } from './train-selection.ts';
import { readFile, type Setup, setUp } from './train-setup.ts';

type Json = Readonly<Record<string, unknown>>;
interface Side {
  readonly name: string;
  readonly path: string;
  readonly recipe: Json;
}
type Point = readonly [number, number];
interface Outcome {
  /** What its losses are of: numbers of different losses say nothing beside each other. */
  readonly loss: string;
  /** The same of losses while it trains. */
  readonly trainLoss: string;
  readonly scores: Scores;
  readonly seconds: number;
  /** Validation accuracy by epoch. */
  readonly epochs: readonly Point[];
  /** Where a head selects classes, of both sides. */
  readonly bins?: readonly FrequencyBin[];
  readonly facts: Pick<Report['provenance'], 'dataPath' | 'dataSha256' | 'device' | 'rows'>;
}

const LEVEL = 0.95;
const metrics = [
  { key: 'testAccuracy', name: 'test_accuracy', label: 'Test accuracy', unit: 'fraction' },
  { key: 'testLoss', name: 'test_loss', label: 'Test loss', unit: 'none' },
  { key: 'validationAccuracy', name: 'validation_accuracy', label: 'Validation accuracy', unit: 'fraction' },
  { key: 'validationLoss', name: 'validation_loss', label: 'Validation loss', unit: 'none' },
  { key: 'trainLoss', name: 'train_loss', label: 'Training loss over the last epoch', unit: 'none' },
] as const;

const parsed = async (path: string, ports: Ports, job: AppJob): Promise<Json> => {
  const text = await readFile(path, ports, job.signal);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new Fault('training/recipe', {
      path,
      where: 'the file',
      reason: `it is not JSON (${error instanceof Error ? error.message : error})`,
    });
  }
};

const factsOf = ({ recipe, identity, choice, train }: Setup, path: string, ports: Ports): Outcome['facts'] => ({
  dataPath: ports.resolve(path, recipe.data.train.path),
  dataSha256: identity.dataSha256,
  rows: train.positions.length,
  device: { requested: choice.requested, actual: choice.actual, reason: choice.reason },
});

const lossOf = ({ recipe: { loss, adversarial, extra } }: Setup): Pick<Outcome, 'loss' | 'trainLoss'> => {
  const own = `${loss.part.id} ${JSON.stringify(loss.chosen)}`;
  const { targets } = extra;
  return { loss: own, trainLoss: JSON.stringify([own, adversarial, targets?.part.table && [targets.part.id, targets.chosen]]) };
};

/** One run, nothing saved. Undefined where it stopped on a step that was not finite. */
const once = async (
  ask: TrainRequest,
  side: Side,
  seed: number,
  bytes: number,
  binned: boolean,
  ports: Ports,
  job: AppJob,
): Promise<Outcome | undefined> => {
  const from = performance.now();
  const setup = await setUp({ ...ask, recipe: side.path, text: JSON.stringify({ ...side.recipe, seed }) }, bytes, ports, job);
  try {
    const facts = factsOf(setup, side.path, ports);
    const done = (scores: Scores, epochs: readonly Point[]): Outcome => ({
      ...{ scores, seconds: (performance.now() - from) / 1000, facts, epochs },
      ...lossOf(setup),
    });
    if (setup.recipe.extra.regime?.part.run) {
      const { left, scores } = await finishRegime(setup, ports, unkept());
      if (!left.ended) throw new Fault('job/stopped', {});
      return done(scores, left.curves.find((c) => c.x === 'Epoch' && c.y === 'Accuracy')?.lines[0]?.points ?? []);
    }
    const ended = await trainLoop({ ...setup.run, save: async () => {} }, fresh(setup.run.compiled.start));
    if (ended.why === 'stopped') throw new Fault('job/stopped', {});
    if (ended.bad) return undefined;
    const epochs = ended.snapshot.progress.history.flatMap(({ epoch, valAccuracy }): Point[] =>
      valAccuracy === undefined ? [] : [[epoch, valAccuracy]],
    );
    const { state, scores } = await finish(setup, ended);
    const bins = binned || selectedBy(setup) !== undefined ? { bins: await frequencyBins(setup, state) } : {};
    return { ...done(scores, epochs), ...bins };
  } finally {
    await setup.close();
  }
};

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Of the mean of paired differences, by Student's t over the seeds. */
const pairedInterval = (differences: readonly number[]): Interval | undefined => {
  const n = differences.length;
  if (n < 2) return undefined;
  const centre = mean(differences);
  const reach = meanReach(differences, LEVEL);
  return { low: centre - reach, high: centre + reach, level: LEVEL, method: `Student's t over ${n} seeds, paired` };
};

/** Means over the seeds at the epochs that all of them have. */
const meanCurve = (runs: readonly (readonly Point[])[]): Point[] =>
  (runs[0] ?? []).flatMap(([epoch]): Point[] => {
    const at = runs.flatMap((points) => points.filter(([e]) => e === epoch).map(([, v]) => v));
    return at.length === runs.length ? [[epoch, mean(at)]] : [];
  });

const epochCurve = (lines: readonly { readonly name: string; readonly points: readonly Point[] }[]): Card[] =>
  lines.every(({ points }) => points.length > 1)
    ? [
        {
          kind: 'curve',
          title: 'Validation accuracy by epoch',
          caption: 'Means over the seeds.',
          x: { label: 'Epoch', unit: 'count' },
          y: { label: 'Accuracy', unit: 'fraction' },
          lines: lines.map((l) => ({ ...l, shape: 'line' as const })),
        },
      ]
    : [];

/** Accuracy by how many training rows a class has, of both sides: means over the seeds. */
const frequencyTable = (rows: readonly { readonly own: Outcome; readonly against: Outcome }[], other: string): Card[] => {
  const lines = (rows[0]?.own.bins ?? []).flatMap(({ name }) => {
    const pairs = rows.flatMap(({ own, against }) => {
      const of = (side: Outcome): FrequencyBin | undefined => side.bins?.find((b) => b.name === name);
      const [a, b] = [of(own), of(against)];
      return a && b ? [{ a, own: a.right / a.rows, against: b.right / b.rows }] : [];
    });
    if (pairs.length < rows.length) return [];
    const differences = pairs.map((p) => p.own - p.against);
    const interval = pairedInterval(differences);
    const [{ a }] = pairs;
    const of = [a.classes, a.rows, mean(pairs.map((p) => p.own)), mean(pairs.map((p) => p.against)), mean(differences)];
    return [[name, ...of, interval?.low ?? null, interval?.high ?? null]];
  });
  const column = (name: string, label: string, unit: 'count' | 'fraction') => ({ name, label, type: 'number' as const, unit });
  if (lines.length === 0) return [];
  return [
    {
      kind: 'table',
      title: 'Accuracy by frequency of the class',
      caption: `Rare classes have at most 10 training rows, common ones at most 100; classes and rows are those of the first seed. The interval of the difference is Student's t over the seeds, paired, at ${100 * LEVEL} %.`,
      columns: [
        { name: 'bin', label: 'Classes', type: 'text' },
        column('classes', 'Number of them', 'count'),
        column('rows', 'Rows judged', 'count'),
        column('accuracy', 'Accuracy, recipe', 'fraction'),
        column('accuracy_baseline', `Accuracy, ${other}`, 'fraction'),
        column('difference', 'Difference', 'fraction'),
        column('low', 'From', 'fraction'),
        column('high', 'To', 'fraction'),
      ],
      rows: lines,
    },
  ];
};

/** Trains a recipe and another with the same seeds, and reports the differences. */
export const compareTraining = async (
  ask: TrainRequest,
  { with: other, seeds }: NonNullable<TrainRequest['compare']>,
  bytes: number,
  ports: Ports,
  outer: AppJob,
): Promise<TrainResult> => {
  const began = { at: new Date().toISOString(), clock: performance.now() };
  const notes = new Set<string>();
  const raw = await parsed(ask.recipe, ports, outer);
  const natural = other === 'baseline' ? baselineOf(raw, ask.recipe) : undefined;
  const own: Side = { name: 'recipe', path: ask.recipe, recipe: raw };
  const against: Side = natural
    ? { name: 'baseline', path: ask.recipe, recipe: natural.recipe }
    : { name: other.split(/[\\/]/).at(-1) ?? other, path: other, recipe: await parsed(other, ports, outer) };
  if (natural) notes.add(`The baseline is the same recipe ${natural.changed.join(', ')}.`);
  const first = Number(raw.seed ?? 0);
  const rows: { readonly seed: number; readonly own: Outcome; readonly against: Outcome }[] = [];
  for (let i = 0; i < seeds; i++) {
    const seed = first + i;
    const found: (Outcome | undefined)[] = [];
    for (const [k, side] of [own, against].entries()) {
      const job: AppJob = {
        ...outer,
        live: () => {},
        note: (text) => void notes.add(text),
        progress: (fraction, text) => outer.progress((2 * i + k + fraction) / (2 * seeds), `seed ${seed}, ${side.name}: ${text}`),
      };
      found.push(await once({ ...ask, out: '' }, side, seed, bytes, found[0]?.bins !== undefined, ports, job));
    }
    const [a, b] = found;
    if (a && b) rows.push({ seed, own: a, against: b });
    else notes.add(`Seed ${seed} is left out, as loss or gradient was not finite with the ${a ? against.name : own.name}.`);
  }
  const [sample] = rows;
  if (!sample) throw new Fault('training/no-pairs', { path: ask.recipe, seeds });
  const { own: one, against: two } = sample;
  const apart = (name: string): boolean =>
    name.endsWith('_loss') && (name === 'train_loss' ? one.trainLoss !== two.trainLoss : one.loss !== two.loss);
  const measured = metrics.filter(
    ({ key, name }) => !apart(name) && rows.every((r) => r.own.scores[key] !== undefined && r.against.scores[key] !== undefined),
  );
  if (one.loss !== two.loss) notes.add(`Losses are left out: those of the recipe and of the ${against.name} are not of one kind.`);
  else if (one.trainLoss !== two.trainLoss)
    notes.add(`Training losses are left out: those of the recipe and of the ${against.name} are of different targets or rows.`);
  const headline: Record<string, number> = {};
  const intervals: Record<string, Interval> = {};
  const values = measured.flatMap(({ key, name, label, unit }) => {
    const mine = rows.map((r) => Number(r.own.scores[key]));
    const theirs = rows.map((r) => Number(r.against.scores[key]));
    const differences = mine.map((v, i) => v - theirs[i]);
    const interval = pairedInterval(differences);
    headline[`${name}_difference`] = mean(differences);
    headline[name] = mean(mine);
    headline[`${name}_baseline`] = mean(theirs);
    if (interval) intervals[`${name}_difference`] = interval;
    if (interval && Math.max(...differences) - Math.min(...differences) < 1e-12)
      notes.add(
        `${label}: every seed has the same difference, so the interval has no width, which is chance and not certainty; add seeds.`,
      );
    return [
      {
        name: `${name}_difference`,
        label: `${label}: recipe − ${against.name}, mean over seeds`,
        value: mean(differences),
        unit,
        ...(interval ? { interval } : {}),
      },
      { name, label: `${label}, recipe`, value: mean(mine), unit },
      { name: `${name}_baseline`, label: `${label}, ${against.name}`, value: mean(theirs), unit },
    ];
  });
  headline.seconds = mean(rows.map((r) => r.own.seconds));
  headline.seconds_baseline = mean(rows.map((r) => r.against.seconds));
  const cards: Card[] = [
    { kind: 'number', title: 'Difference', values },
    ...epochCurve([
      { name: 'recipe', points: meanCurve(rows.map((r) => r.own.epochs)) },
      { name: against.name, points: meanCurve(rows.map((r) => r.against.epochs)) },
    ]),
    ...frequencyTable(rows, against.name),
    {
      kind: 'table',
      title: 'Seeds',
      columns: [
        { name: 'seed', label: 'Seed', type: 'number', unit: 'count' },
        ...measured.flatMap(({ name, label, unit }) => [
          { name, label: `${label}, recipe`, type: 'number' as const, unit },
          { name: `${name}_baseline`, label: `${label}, ${against.name}`, type: 'number' as const, unit },
        ]),
        { name: 'seconds', label: 'Seconds, recipe', type: 'number', unit: 'seconds' },
        { name: 'seconds_baseline', label: `Seconds, ${against.name}`, type: 'number', unit: 'seconds' },
      ],
      rows: rows.map((r) => [
        r.seed,
        ...measured.flatMap(({ key }) => [Number(r.own.scores[key]), Number(r.against.scores[key])]),
        r.own.seconds,
        r.against.seconds,
      ]),
    },
  ];
  if (seeds < 2) notes.add('One seed has no interval: run with more seeds to tell a difference from chance.');
  const id =
    ask.recipe
      .split(/[\\/]/)
      .at(-1)
      ?.replace(/(\.train)?\.json$/, '') ?? ask.recipe;
  const report: Report = {
    schema: SCHEMA,
    id,
    title: `Training: ${id} beside ${natural ? 'its baseline' : against.name}`,
    question: 'Does the recipe train a better model than what it is compared with?',
    outcome: 'measured',
    notes: [...notes],
    headline,
    intervals,
    cards,
    guide:
      'Both are trained with the same seeds, so rows, their order and first values are alike as far as the recipes allow, and the differences are paired. An interval that holds 0 says that these seeds do not tell the two apart: add seeds before you believe either. Intervals are over seeds alone, on one split of one dataset; another split can move them. Judge by test numbers, and weigh the seconds.',
    samples: [],
    provenance: {
      ...sample.own.facts,
      seed: first,
      versions: ports.versions,
      options: { recipe: raw, against: against.recipe, seeds },
      seconds: (performance.now() - began.clock) / 1000,
      startedAt: began.at,
    },
  };
  return { out: '', report };
};
