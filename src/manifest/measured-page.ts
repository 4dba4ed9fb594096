/** What `npm run bench -- recipes` keeps of one entry. */
export interface MeasuredRecipe {
  readonly id: string;
  readonly title: string;
  /** Paper. */
  readonly source: string;
  /** Data, model, seeds, in a sentence. */
  readonly setting: string;
  readonly rows: readonly {
    readonly name: string;
    readonly value: number;
    readonly interval?: readonly [number, number];
    readonly unit: 'fraction' | 'none' | 'count' | 'seconds';
    /** What the paper or its card lets expect. */
    readonly expected?: string;
  }[];
  /** Whether what was expected came out, in a sentence. */
  readonly says: string;
}

const shown = (value: number, unit: MeasuredRecipe['rows'][number]['unit']): string => {
  if (unit === 'fraction') return `${(100 * value).toFixed(2)} %`;
  if (unit === 'count') return String(Math.round(value));
  return `${Number(value.toPrecision(4))}${unit === 'seconds' ? ' s' : ''}`;
};

/** The page of measured recipes: the small experiment of every card. */
export const measuredPage = (results: readonly MeasuredRecipe[]): string =>
  [
    '# Recipes, measured',
    '',
    'The small experiment of every recipe, run by `npm run bench -- recipes`. Intervals are 95 % over seeds, paired where two recipes are compared.',
    '',
    ...results.flatMap(({ id, title, source, setting, rows, says }) => [
      `## ${title}`,
      '',
      `${setting} Source: ${source}. Again: \`npm run bench -- recipes:${id}\`.`,
      '',
      '| measured | value | interval | expected |',
      '|---|---|---|---|',
      ...rows.map(({ name, value, interval, unit, expected = '' }) => {
        const range = interval ? `${shown(interval[0], unit)} to ${shown(interval[1], unit)}` : '';
        return `| ${name} | ${shown(value, unit)} | ${range} | ${expected} |`;
      }),
      '',
      says,
      '',
    ]),
  ].join('\n');
