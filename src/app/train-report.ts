import type { Axis, Card, CurveCard, HeatmapCard, Report, TableCard, Unit } from '../report/report.ts';
import type { StageCurve, StageGrid } from '../training/define-run.ts';
import { monitors } from '../training/monitors/index.ts';
import type { Recipe } from '../training/recipe.ts';
import { isTerm } from '../training/terms.ts';
import type { Curves, EpochRow, Progress } from './train-progress.ts';

type Point = readonly [number, number];

/** Points of a curve drawn at most: longer ones are shown as means of equal runs of steps. */
const most = 400;
const stepAxis: Axis = { label: 'Step', unit: 'count' };

const thinned = (values: readonly number[]): Point[] => {
  const run = Math.ceil(values.length / most);
  const points: Point[] = [];
  for (let from = 0; from < values.length; from += run) {
    const part = values.slice(from, from + run).filter(Number.isFinite);
    if (part.length > 0) points.push([Math.min(from + run, values.length), part.reduce((s, v) => s + v, 0) / part.length]);
  }
  return points;
};
const perEpoch = (history: readonly EpochRow[], of: (row: EpochRow) => number | undefined): Point[] =>
  history.flatMap((row): Point[] => {
    const value = of(row);
    return value === undefined || !Number.isFinite(value) ? [] : [[row.step, value]];
  });

const curve = (
  title: string,
  y: Axis,
  lines: readonly { readonly name: string; readonly points: readonly Point[]; readonly shape?: 'points' }[],
  caption?: string,
): CurveCard[] => {
  const drawn = lines.filter((l) => l.points.length > 0);
  if (drawn.length === 0) return [];
  const shaped = drawn.map((l) => ({ ...l, shape: l.shape ?? (l.points.length === 1 ? ('points' as const) : ('line' as const)) }));
  return [{ kind: 'curve', title, ...(caption ? { caption } : {}), x: stepAxis, y, lines: shaped }];
};

/** The numbers that a run is judged by. Absent where there is nothing to measure on. */
export interface Scores {
  readonly trainLoss?: number | undefined;
  readonly trainAccuracy?: number | undefined;
  readonly validationLoss?: number | undefined;
  readonly validationAccuracy?: number | undefined;
  readonly testLoss?: number | undefined;
  readonly testAccuracy?: number | undefined;
}

type LossUnit = 'nats' | 'none';
/** Of losses that are a negative logarithm of a probability. */
const lossUnit = ({ target, embeds, sizeless, unitless }: Recipe['loss']['part']): LossUnit =>
  (target === 'class' || target === 'marks') && !embeds && !sizeless && !unitless ? 'nats' : 'none';

const epochTable = (history: readonly EpochRow[], unit: LossUnit): TableCard => ({
  kind: 'table',
  title: 'Epochs',
  columns: [
    { name: 'epoch', label: 'Epoch', type: 'number', unit: 'count' },
    { name: 'step', label: 'Steps', type: 'number', unit: 'count' },
    { name: 'learning_rate', label: 'Learning rate', type: 'number' },
    { name: 'train_loss', label: 'Training loss', type: 'number', unit },
    { name: 'train_accuracy', label: 'Training accuracy', type: 'number', unit: 'fraction' },
    { name: 'validation_loss', label: 'Validation loss', type: 'number', unit },
    { name: 'validation_accuracy', label: 'Validation accuracy', type: 'number', unit: 'fraction' },
  ],
  rows: history.map((r) =>
    [r.epoch, r.step, r.lr, r.trainLoss, r.trainAccuracy, r.valLoss, r.valAccuracy].map((v) => (Number.isFinite(v) ? Number(v) : null)),
  ),
});

/** Headline numbers by their stable names. */
export const headlineOf = (scores: Scores, progress: Progress, parameters: number, seconds: number): Record<string, number> => {
  const named = {
    train_loss: scores.trainLoss,
    train_accuracy: scores.trainAccuracy,
    validation_loss: scores.validationLoss,
    validation_accuracy: scores.validationAccuracy,
    test_loss: scores.testLoss,
    test_accuracy: scores.testAccuracy,
    steps: progress.step,
    epochs: progress.history.length,
    parameters,
    steps_per_second: progress.step / progress.stepSeconds,
    seconds,
  };
  return Object.fromEntries(Object.entries(named).flatMap(([name, v]) => (v !== undefined && Number.isFinite(v) ? [[name, v]] : [])));
};

const labels: Readonly<Record<string, string>> = {
  train_loss: 'Training loss (mean over the last epoch, while the parameters moved)',
  train_accuracy: 'Training accuracy (over the last epoch)',
  validation_loss: 'Validation loss of the saved parameters',
  validation_accuracy: 'Validation accuracy of the saved parameters',
  test_loss: 'Test loss',
  test_accuracy: 'Test accuracy',
  steps: 'Steps',
  epochs: 'Epochs',
  parameters: 'Parameters trained',
  steps_per_second: 'Steps per second',
  seconds: 'Seconds in all',
};
const unitOf = (name: string, loss: LossUnit) =>
  name.endsWith('accuracy')
    ? 'fraction'
    : name.endsWith('loss')
      ? loss
      : name === 'seconds'
        ? 'seconds'
        : name === 'steps_per_second'
          ? 'none'
          : 'count';

/** What a monitor says of the lines of a run. */
const said = (id: string, lines: Curves['monitors']): string | undefined =>
  monitors
    .find((m) => m.id === id)
    ?.says?.(Object.fromEntries(Object.entries(lines).filter(([line]) => line === id || line.startsWith(`${id}/`))));

/** What all of them say. */
export const allSaid = (lines: Curves['monitors']): readonly string[] =>
  [...new Set(Object.keys(lines).map((line) => line.split('/')[0]))].flatMap((id) => said(id, lines) ?? []);

/** Drawn in logarithms: what is positive throughout and spans more than two decades. */
const wide = (values: readonly number[]): boolean => {
  const known = values.filter(Number.isFinite);
  return known.length > 0 && Math.min(...known) > 0 && Math.max(...known) > 100 * Math.min(...known);
};

/** A curve for each monitor, its lines together; one for the terms that were added to the loss; and one for each line of an optimizer. */
const monitorCards = (lines: Curves['monitors']): CurveCard[] => {
  const groups = new Map<string, { readonly name: string; readonly points: readonly Point[] }[]>();
  for (const [line, values] of Object.entries(lines)) {
    const [id, ...rest] = line.split('/');
    const part = monitors.find((m) => m.id === id);
    const positive = thinned(values).filter(([, v]) => part?.scale !== 'log' || v > 0);
    const group = part || id === 'term' ? id : line;
    groups.set(group, [...(groups.get(group) ?? []), { name: rest.join('/') || (part?.title ?? id).toLowerCase(), points: positive }]);
  }
  return Array.from(groups).flatMap(([id, drawn]) => {
    const part = monitors.find((m) => m.id === id);
    const title = part?.title ?? (id === 'term' ? 'Terms added to the loss' : id.replace('/', ': ').replaceAll('-', ' '));
    const log = part ? part.scale === 'log' : id in lines && wide(lines[id]);
    return curve(title, { label: title, unit: part?.unit ?? 'none', ...(log ? { scale: 'log' as const } : {}) }, drawn, said(id, lines));
  });
};

/** What was minimised: the loss and what was added to it, or the parts that a term says stand in their place. */
const piecesOf = ({ loss, monitors: lines }: Curves): ReadonlyMap<string, readonly number[]> => {
  const terms = Object.keys(lines).filter(isTerm);
  const partsOf = (term: string): string[] => Object.keys(lines).filter((line) => line.startsWith(`${term}/`));
  const scale = lines['term/loss-scale'];
  const parted = scale ? undefined : terms.find((term) => partsOf(term).length > 0);
  const named = (line: string): string => line.slice('term/'.length);
  return new Map<string, readonly number[]>([
    ...(parted
      ? partsOf(parted).map((line) => [line.slice(parted.length + 1), lines[line]] as const)
      : [['loss', scale ? loss.map((v, k) => v * scale[k]) : loss] as const]),
    ...terms.filter((term) => term !== parted).map((term) => [named(term), lines[term]] as const),
  ]);
};

/** Shares of the parts of what was minimised over the last epoch, by their absolute means; empty where there is the loss alone. */
const minimised = (
  curves: Curves,
  history: readonly EpochRow[],
): readonly { readonly name: string; readonly mean: number; readonly share: number }[] => {
  const pieces = piecesOf(curves);
  if (pieces.size < 2) return [];
  const from = history.at(-2)?.step ?? 0;
  const means = Array.from(pieces, ([name, steps]) => {
    const last = steps.slice(from).filter(Number.isFinite);
    return { name, mean: last.reduce((a, b) => a + b, 0) / Math.max(1, last.length) };
  });
  const total = means.reduce((sum, { mean }) => sum + Math.abs(mean), 0);
  return total > 0 ? means.map(({ name, mean }) => ({ name, mean, share: Math.abs(mean) / total })) : [];
};

/** A loss of less than this share of what is minimised is hardly followed. */
const HARDLY = 0.01;
const minimisedCards = (curves: Curves, history: readonly EpochRow[]): TableCard[] => {
  const parts = minimised(curves, history);
  if (parts.length === 0) return [];
  const [{ name, share }] = parts;
  return [
    {
      kind: 'table',
      title: 'What was minimised',
      caption: `Means over the last epoch, and their shares of all. ${share < HARDLY ? `The ${name} has hardly any share, so the steps follow what is added to it alone: weigh that less.` : 'Where the loss has hardly any share, the steps follow what is added to it alone.'}`,
      columns: [
        { name: 'part', label: 'Part', type: 'text' },
        { name: 'mean', label: 'Mean', type: 'number' },
        { name: 'share', label: 'Share', type: 'number', unit: 'fraction' },
      ],
      rows: parts.map((p) => [p.name, p.mean, p.share]),
    },
  ];
};

/** Where the batch changes, steps cost more and more: the same losses by the rows that they took. */
const byRows = ({ loss, monitors: { 'batch-size': sizes } }: Curves, y: Axis): CurveCard[] => {
  if (!sizes || sizes.every((b) => b === sizes[0])) return [];
  let seen = 0;
  const rows = sizes.map((b) => {
    seen += b;
    return seen;
  });
  const points = thinned(loss).map(([step, value]): Point => [rows[step - 1], value]);
  const [card] = curve('Loss by rows trained on', y, [{ name: 'training', points }]);
  return card ? [{ ...card, x: { label: 'Rows trained on', unit: 'count' } }] : [];
};

/** Numbers of each diagnostic over the epochs: those between 0 and 1, at most four. */
const diagnosedCards = (history: readonly EpochRow[]): CurveCard[] => {
  const last = history.findLast((row) => row.diagnosed)?.diagnosed ?? {};
  const ids = [...new Set(Object.keys(last).map((name) => name.split('/')[0]))];
  return ids.flatMap((id) => {
    const names = Object.keys(last).filter((name) => name.startsWith(`${id}/`) && last[name] >= 0 && last[name] <= 1);
    const lines = names
      .slice(0, 4)
      .map((name) => ({ name: name.slice(id.length + 1).replaceAll('_', ' '), points: perEpoch(history, (r) => r.diagnosed?.[name]) }));
    return curve(`Validation rows by epoch: ${id.replaceAll('-', ' ')}`, { label: 'Value', unit: 'fraction', min: 0 }, lines);
  });
};

export const cardsOf = (
  headline: Readonly<Record<string, number>>,
  { history, best }: Progress,
  curves: Curves,
  recipe: Recipe,
): readonly Card[] => {
  const unit = lossUnit(recipe.loss.part);
  const kept = best ? `The saved parameters are those of epoch ${best.row.epoch}, the best by ${recipe.earlyStop?.metric}.` : undefined;
  return [
    {
      kind: 'number',
      title: 'Result',
      ...(kept && recipe.earlyStop?.restoreBest ? { caption: kept } : {}),
      values: Object.entries(headline).map(([name, value]) => ({
        name,
        label: labels[name] ?? name,
        value,
        unit: unitOf(name, unit),
      })),
    },
    ...curve('Loss', { label: 'Loss', unit }, [
      { name: 'training', points: thinned(curves.loss) },
      { name: 'validation', points: perEpoch(history, (r) => r.valLoss) },
    ]),
    ...byRows(curves, { label: 'Loss', unit }),
    ...curve('Accuracy', { label: 'Accuracy', unit: 'fraction', min: 0, max: 1 }, [
      { name: 'training', points: thinned(curves.accuracy) },
      { name: 'validation', points: perEpoch(history, (r) => r.valAccuracy) },
    ]),
    ...curve('Learning rate', { label: 'Learning rate', unit: 'none' }, [{ name: 'learning rate', points: thinned(curves.lr) }]),
    ...curve(
      'Gradient norm',
      { label: 'Gradient norm', unit: 'none', scale: 'log' },
      [{ name: 'gradient norm', points: thinned(curves.gradientNorm).filter(([, v]) => v > 0) }],
      'Length of the whole gradient before clipping.',
    ),
    ...monitorCards(curves.monitors),
    ...minimisedCards(curves, history),
    ...diagnosedCards(history),
    ...(history.length > 0 ? [epochTable(history, unit)] : []),
  ];
};

const judging = 'Judge by the test numbers, which were measured once, at the end, on rows that nothing was chosen by.';
const untested = 'Name `data.test` in the recipe to have the model judged on rows that nothing was chosen by.';

/** What the epochs of this run say. */
const seenIn = (history: readonly EpochRow[], { loss }: Curves, { adversarial, extra, loss: of }: Recipe): string => {
  const last = history.at(-1);
  // Targets, rows or a loss that change over the run leave losses of different epochs beside each other.
  const alike = !adversarial && !extra.targets?.part.table && !of.part.scheduled;
  if (!last || !alike || loss.length < 10) return '';
  const told = (v: number): string => Number(v.toPrecision(4)).toString();
  // The first step alone is too few rows for less than that.
  const grown = loss[0] > 1e-3 && !(last.trainLoss < 10 * loss[0]);
  const [first] = history;
  if (grown || (first.epoch < last.epoch && first.trainLoss > 0 && !(last.trainLoss < first.trainLoss)))
    return `Nothing was learnt: the loss of the last epoch, ${told(last.trainLoss)}, is no lower than at the start, ${told(grown ? loss[0] : first.trainLoss)}. Lower the rate, clip the gradient, or look at the labels. `;
  const measured = history.flatMap(({ epoch, valLoss }) => (valLoss === undefined ? [] : [{ epoch, valLoss }]));
  const least = measured.reduce<(typeof measured)[number] | undefined>((a, b) => (a && a.valLoss <= b.valLoss ? a : b), undefined);
  const [end, before] = [measured.at(-1), history.at(-2)];
  if (least && end && end.valLoss > 1.02 * least.valLoss)
    return `Validation loss was least after epoch ${least.epoch}, ${told(least.valLoss)}, and is ${told(end.valLoss)} at the end: stop there (earlyStop keeps the best epoch), regularise, or use more data. `;
  if (before && last.trainLoss < 0.98 * before.trainLoss && (!end || least === end))
    return `Loss was still falling in the last epoch, from ${told(before.trainLoss)} to ${told(last.trainLoss)}: train longer. `;
  return '';
};

export const guideOf = ({ testLoss }: Scores, { history }: Pick<Progress, 'history'>, curves: Curves, recipe: Recipe): string =>
  `${seenIn(history, curves, recipe)}Training loss should fall and level off. Validation loss that rises again while training loss falls means overfitting: stop earlier, regularise, or use more data. If both are still falling at the end, train longer; if the loss jumps or the gradient norm spikes, lower the learning rate or clip. ${testLoss === undefined ? untested : judging}`;

const stageLabels: Readonly<Record<string, string>> = { rho: 'ρ' };
const stageUnits: Readonly<Record<string, Unit>> = { units: 'count', signal: 'fraction' };
const stageUnit = (name: string): Unit => stageUnits[name] ?? (name.endsWith('accuracy') ? 'fraction' : 'none');

/** The stages of a regime, a column for every number that any of them has. */
const stageTable = (stages: readonly { readonly stage: string; readonly numbers: Readonly<Record<string, number>> }[]): TableCard[] => {
  if (stages.length === 0) return [];
  const names = [...new Set(stages.flatMap((s) => Object.keys(s.numbers)))];
  const label = (name: string): string => stageLabels[name] ?? `${name[0].toUpperCase()}${name.slice(1).replaceAll('_', ' ')}`;
  return [
    {
      kind: 'table',
      title: 'Stages',
      columns: [
        { name: 'stage', label: 'Stage', type: 'text' },
        ...names.map((name) => ({ name, label: label(name), type: 'number' as const, unit: stageUnit(name) })),
      ],
      rows: stages.map(({ stage, numbers }) => [stage, ...names.map((name) => (Number.isFinite(numbers[name]) ? numbers[name] : null))]),
    },
  ];
};

/** What a regime measured along a count of its own. */
const stageCurves = (curves: readonly StageCurve[]): CurveCard[] =>
  curves.flatMap(({ title, caption, x, y, unit, lines, cut, share }) =>
    curve(title, { label: y, unit }, lines, caption).map((card) => ({
      ...card,
      x: { label: x, unit: share ? ('fraction' as const) : ('count' as const) },
      ...(cut === undefined ? {} : { cut }),
    })),
  );

const stageGrids = (grids: readonly StageGrid[], classNames: readonly string[] | undefined): HeatmapCard[] =>
  grids.map(({ title, caption, classes, values }) => {
    const axis = { label: 'Class', names: Array.from({ length: classes }, (_, c) => classNames?.[c] ?? String(c)) };
    return {
      kind: 'heatmap',
      title,
      caption,
      rows: axis,
      columns: axis,
      layers: [{ name: 'cosine', unit: 'none', values, domain: [-1, 1] }],
    };
  });

/** Steps and epochs are those of the last run of a regime alone. */
const oneRun = new Set(['steps', 'epochs', 'steps_per_second']);

/** A report of one run as that of a regime: first what the regime measured, then the curves of its last run, named so. */
export const regimeReport = (
  report: Report,
  {
    stages,
    curves,
    grids,
    sampled,
  }: {
    readonly sampled: readonly Card[];
    readonly stages: Parameters<typeof stageTable>[0];
    readonly curves: readonly StageCurve[];
    readonly grids: readonly StageGrid[];
  },
  classNames: readonly string[] | undefined,
): Report => {
  const own = report.cards.flatMap((card) =>
    card.kind === 'number' ? [{ ...card, values: card.values.filter((v) => !oneRun.has(v.name)) }] : [],
  );
  const rest = report.cards.filter((card) => card.kind !== 'number').map((card) => ({ ...card, title: `${card.title}, last run` }));
  return {
    ...report,
    headline: Object.fromEntries(Object.entries(report.headline).filter(([name]) => !oneRun.has(name))),
    cards: [...own, ...stageCurves(curves), ...stageGrids(grids, classNames), ...stageTable(stages), ...sampled, ...rest],
  };
};
