import { Fault } from '../../base/fault.ts';

/** How a row's predictions say what its target may be: a normal distribution, or quantiles at levels. */
export type Forecast =
  | {
      readonly kind: 'normal';
      readonly mean: number;
      readonly spread: number;
      readonly scale: 'sd' | 'variance' | 'log-variance' | 'column';
    }
  | { readonly kind: 'quantiles'; readonly levels: readonly number[]; readonly columns: readonly number[] };

export interface ForecastOptions {
  readonly form: 'auto' | 'mean-sd' | 'mean-variance' | 'mean-log-variance' | 'quantiles' | 'interval';
  readonly levels: string;
  readonly coverage: number;
  readonly spread: string;
}

const quantileName = /^(?:quantile|q)_?(\d*\.?\d+)$/i;
const means = ['prediction', 'mean', 'mu', 'loc'];
const spreads = {
  sd: ['sd', 'std', 'stdev', 'sigma', 'scale'],
  variance: ['variance', 'var'],
  'log-variance': ['log_variance', 'logvar'],
};
/** How a column of that name says the spread. */
const scaleOf = (name: string): keyof typeof spreads | undefined =>
  (['sd', 'variance', 'log-variance'] as const).find((scale) => spreads[scale].includes(name.toLowerCase()));
const ends = [
  ['lower', 'low', 'lo'],
  ['upper', 'high', 'hi'],
];

/** Levels above 1 are percentages. */
const levelOf = (text: string): number => (Number(text) > 1 ? Number(text) / 100 : Number(text));

const quantiles = (levels: readonly number[]): Forecast => {
  const order = levels.map((_, k) => k).sort((a, b) => levels[a] - levels[b]);
  return { kind: 'quantiles', levels: order.map((k) => levels[k]), columns: order };
};

const levelsOf = (text: string): number[] => {
  const levels = text
    .split(/[,\s]+/)
    .filter((part) => part !== '')
    .map(levelOf);
  const bad = levels.some((v, k) => !(v > 0 && v < 1) || levels.indexOf(v) !== k);
  if (bad) throw new Fault('option/value', { name: 'levels', value: text, expected: 'different numbers between 0 and 1, with commas' });
  return levels;
};

/** Decides from the options, then the names of a table's columns, then their number. */
export const forecastOf = (
  cols: number,
  names: readonly string[] | undefined,
  { form, levels, coverage, spread }: ForecastOptions,
): Forecast => {
  const wrong = (): Fault => new Fault('diagnostic/forecast', { columns: cols, names: names ?? [], form });
  const find = (wanted: readonly string[]): number => names?.findIndex((name) => wanted.includes(name.toLowerCase())) ?? -1;
  const two = (): void => {
    if (cols !== 2) throw wrong();
  };
  const interval = (low: number, high: number): Forecast => ({
    kind: 'quantiles',
    levels: [(1 - coverage) / 2, (1 + coverage) / 2],
    columns: [low, high],
  });
  if (spread !== '') {
    const mean = cols === 1 ? 0 : find(means);
    if (mean < 0 || (form !== 'auto' && form !== 'mean-sd')) throw wrong();
    return { kind: 'normal', mean, spread: -1, scale: 'column' };
  }
  switch (form) {
    case 'mean-sd':
    case 'mean-variance':
    case 'mean-log-variance': {
      two();
      const swapped = find(means) === 1 || names?.findIndex((name) => scaleOf(name) !== undefined) === 0;
      return {
        kind: 'normal',
        mean: swapped ? 1 : 0,
        spread: swapped ? 0 : 1,
        scale: form === 'mean-sd' ? 'sd' : form === 'mean-variance' ? 'variance' : 'log-variance',
      };
    }
    case 'interval':
      two();
      return find(ends[1]) === 0 || find(ends[0]) === 1 ? interval(1, 0) : interval(0, 1);
    default:
  }
  if (levels !== '') {
    const given = levelsOf(levels);
    if (given.length !== cols) throw wrong();
    return quantiles(given);
  }
  const named = names?.map((name) => quantileName.exec(name)?.[1]) ?? [];
  if (named.length > 0 && named.every((text) => text !== undefined)) return quantiles(named.map((text) => levelOf(text ?? '')));
  if (form === 'auto' && cols === 2) {
    const [mean, low, high] = [find(means), find(ends[0]), find(ends[1])];
    const scale = mean >= 0 ? scaleOf(names?.[1 - mean] ?? '') : undefined;
    if (scale !== undefined) return { kind: 'normal', mean, spread: 1 - mean, scale };
    if (low >= 0 && high >= 0) return interval(low, high);
  }
  if (cols === 1) return quantiles([0.5]);
  throw wrong();
};
