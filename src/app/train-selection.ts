import { isLargest } from '../base/maths/argmax.ts';
import { wilson } from '../base/maths/proportion.ts';
import { keepFirst, selection } from '../diagnostics/selection.ts';
import type { Card, Interval } from '../report/report.ts';
import type { State } from '../training/compile.ts';
import { NOT_ABOVE } from '../training/selected.ts';
import { inParts } from './train-data.ts';
import { weights } from './train-progress.ts';
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

/** Of a head that scores only some classes of each row: how often the own one is among them, and wins, by how many training rows it has. */
export const selectionCards = async ({ recipe, run, test, validation, train }: Setup, state: State): Promise<Card[]> => {
  const { head } = recipe.extra;
  const classes = run.plan.classes;
  const selects = head?.part.selects?.(classes, head.chosen);
  const held = test ?? validation;
  if (selects === undefined || !held) return [];
  const trained = new Float64Array(classes);
  for (const p of train.positions) trained[train.rows.labels[p]]++;
  const found = bins.map(({ name, most }, i) => ({
    ...{ name, classes: trained.filter((n) => n <= most && n > (bins[i - 1]?.most ?? 0)).length },
    ...{ rows: 0, selected: 0, right: 0, missed: [] as number[] },
  }));
  const { evaluation, evaluator, job } = run;
  const feeds = { ...evaluation.hyper };
  const measured = weights(state);
  for (const [key, input] of Object.entries(evaluation.state)) feeds[input] = measured[key];
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
  const shown = found.filter((b) => b.rows > 0);
  if (shown.length === 0) return [];
  const sum = (of: 'rows' | 'selected' | 'right'): number => shown.reduce((n, b) => n + b[of], 0);
  const share = (of: 'selected' | 'right'): { readonly value: number; readonly interval?: Interval } => {
    const reach = wilson(sum(of), sum('rows'), LEVEL);
    return {
      value: sum(of) / sum('rows'),
      ...(reach ? { interval: { low: reach[0], high: reach[1], level: LEVEL, method: 'Wilson' } } : {}),
    };
  };
  const which = test ? 'test' : 'validation';
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
