import { fileURLToPath } from 'node:url';
import type { MeasuredRecipe } from '../../../src/manifest/measured-page.ts';
import type { Report } from '../../../src/report/report.ts';
import { workshop } from '../../training/workshop.ts';

/** The small experiment of a card: its file here, one line in index.ts. What it measures is kept in results/ and shown in the docs. */
export interface RecipeEntry extends Omit<MeasuredRecipe, 'rows' | 'says'> {
  run(): Promise<Pick<MeasuredRecipe, 'rows' | 'says'>>;
}

/** The sample's digits, values 0 to 16. */
export const digitsPath: string = fileURLToPath(new URL('../../../media/sample/digits.npz', import.meta.url));
/** 1,437 training and 360 test rows of the digits, at 0..1; no rows held out. */
export const digitsData: object = {
  data: {
    train: { path: digitsPath, split: 'train', preprocess: { scale: 0.0625 } },
    test: { path: digitsPath, split: 'test', preprocess: { scale: 0.0625 } },
  },
  split: { val: 0 },
};

/** The report of a recipe trained beside another (the natural baseline where none is given) with as many seeds. */
export const beside = async (recipe: object, seeds: number, against?: object): Promise<Report> => {
  const shop = workshop();
  const other = against === undefined ? 'baseline' : shop.text('other.train.json', JSON.stringify(against));
  const { report } = await shop.run(recipe, { out: '', compare: { with: other, seeds } });
  return report;
};

/** A headline number of a comparison as a row of the table. */
export const row = (
  { headline, intervals }: Report,
  key: string,
  name: string,
  unit: MeasuredRecipe['rows'][number]['unit'],
  expected?: string,
): MeasuredRecipe['rows'][number] => {
  const interval = intervals[key];
  return {
    name,
    value: headline[key],
    unit,
    ...(interval ? { interval: [interval.low, interval.high] } : {}),
    ...(expected === undefined ? {} : { expected }),
  };
};

/** One run with the recipe's own seed: its report, and the values of the lines of a curve by its title; long runs are means of equal stretches. */
export const watched = async (
  recipe: object,
): Promise<{ readonly report: Report; curve(title: string): Readonly<Record<string, readonly number[]>> }> => {
  const { report } = await workshop().run(recipe);
  return {
    report,
    curve(title) {
      const card = report.cards.find((c) => c.title === title);
      if (card?.kind !== 'curve') throw new Error(`the report has no curve '${title}'`);
      return Object.fromEntries(card.lines.map(({ name, points }) => [name, points.map(([, y]) => y)]));
    },
  };
};
