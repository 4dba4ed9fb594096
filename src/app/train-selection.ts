import { isLargest } from '../base/maths/argmax.ts';
import { wilson } from '../base/maths/proportion.ts';
import { keepFirst, selection } from '../diagnostics/selection.ts';
import type { Card, Interval } from '../report/report.ts';
import type { State } from '../training/compile.ts';
import { NOT_ABOVE } from '../training/selected.ts';
import { inParts } from './train-data.ts';
import { evaluationFeeds } from './train-evaluate.ts';
import type { Setup } from './train-setup.ts';

const LEVEL = 0.95;
/** Rows behind a bar. */
const SHOWN = 24;
/** Classes with at most so many training rows, as LVIS bins them. */
const bins = [
  { name: 'rare', most: 10 },
  { name: 'common', most: 100 },
  { name: 'frequent', most: Number.POSITIVE_INFINITY },
] as const;

/** Classes with similarly many training rows, and the rows of theirs that are judged: how often the own class is selected, and wins. */
export interface FrequencyBin {
  readonly name: string;
  readonly classes: number;
  readonly rows: number;
  readonly selected: number;
  readonly right: number;
  /** Rows whose class was not selected, the first. */
  readonly missed: readonly number[];
}

/** Of how many classes of a row its head has scores; undefined where it scores them all. */
export const selectedBy = ({ recipe, run }: Pick<Setup, 'recipe' | 'run'>): number | undefined => {
  const { head } = recipe.extra;
  return head?.part.selects?.(run.plan.classes, head.chosen);
};

/** On the test rows, or those of validation where there are none; nothing where outputs are no scores of classes. */
export const frequencyBins = async ({ recipe, run, test, validation, train }: Setup, state: State): Promise<readonly FrequencyBin[]> => {
  const classes = run.plan.classes;
  const held = test ?? validation;
  if (classes === 0 || !held || recipe.loss.part.embeds) return [];
  const trained = new Float64Array(classes);
  for (const p of train.positions) trained[train.rows.labels[p]]++;
  const found = bins.map(({ name, most }, i) => ({
    ...{ name, classes: trained.filter((n) => n <= most && n > (bins[i - 1]?.most ?? 0)).length },
    ...{ rows: 0, selected: 0, right: 0, missed: [] as number[] },
  }));
  const { evaluation, evaluator, job } = run;
  const feeds = evaluationFeeds(run, state);
  const { scores } = evaluation.outputs;
  for await (const { x, y, from, count } of inParts(held, job)) {
    const { data } = (await evaluator.run({ ...feeds, [evaluation.inputs.x]: x, [evaluation.inputs.y]: y }, [scores]))[scores];
    const values = data as Float32Array;
    for (let i = 0; i < count; i++) {
      const c = Number(y.data[i]);
      const bin = trained[c] > 0 ? found.find((_, k) => trained[c] <= bins[k].most) : undefined;
      if (!bin) continue;
      bin.rows++;
      if (values[i * classes + c] > NOT_ABOVE) bin.selected++;
      else keepFirst(bin.missed, held.rows.bound.rowAt(held.positions[from + i]), SHOWN);
      bin.right += Number(isLargest(values, i * classes, classes, c));
    }
  }
  return found.filter((b) => b.rows > 0);
};

/** Of a head that scores only some classes of each row: how often the own one is among them, and wins, by how many training rows it has. */
export const selectionCards = async (setup: Setup, state: State): Promise<Card[]> => {
  const selects = selectedBy(setup);
  const shown = selects === undefined ? [] : await frequencyBins(setup, state);
  if (selects === undefined || shown.length === 0) return [];
  const { classes } = setup.run.plan;
  const sum = (of: 'rows' | 'selected' | 'right'): number => shown.reduce((n, b) => n + b[of], 0);
  const share = (of: 'selected' | 'right'): { readonly value: number; readonly interval?: Interval } => {
    const reach = wilson(sum(of), sum('rows'), LEVEL);
    return {
      value: sum(of) / sum('rows'),
      ...(reach ? { interval: { low: reach[0], high: reach[1], level: LEVEL, method: 'Wilson' } } : {}),
    };
  };
  const which = setup.test ? 'test' : 'validation';
  return [
    {
      kind: 'number',
      title: 'Selection of classes',
      caption: `On the ${which} rows whose class has training rows. What is not selected cannot be predicted.`,
      values: [
        { name: 'selected_classes', label: 'Classes selected for a row', value: selects, unit: 'count' },
        { name: 'negatives_before', label: 'Other classes of a row, without the selection', value: classes - 1, unit: 'count' },
        { name: 'negatives_after', label: 'Other classes of a row whose class is selected', value: selects - 1, unit: 'count' },
        { name: 'selection_recall', label: 'Rows whose class is selected', ...share('selected'), unit: 'fraction' },
        { name: 'selection_accuracy', label: 'Accuracy', ...share('right'), unit: 'fraction' },
      ],
    },
    {
      kind: 'bars',
      title: 'Selection by frequency of the class',
      caption: `Rare classes have at most 10 training rows, common ones at most 100. The marks of the first bars are ${which} rows whose class was not selected.`,
      x: { label: 'Classes by training rows', unit: 'none' },
      y: { label: 'Rows', unit: 'fraction', min: 0 },
      categories: shown.map((b) => `${b.name} (${b.classes})`),
      series: [
        {
          name: 'class selected',
          values: shown.map((b) => b.selected / b.rows),
          intervals: shown.map((b) => wilson(b.selected, b.rows, LEVEL)),
          selections: shown.map((b) => selection(`rows of ${b.name} classes that were not selected`, b.rows - b.selected, b.missed)),
        },
        {
          name: 'right',
          values: shown.map((b) => b.right / b.rows),
          intervals: shown.map((b) => wilson(b.right, b.rows, LEVEL)),
        },
      ],
    },
  ];
};
