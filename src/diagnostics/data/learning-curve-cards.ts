import { normalCdf } from '../../base/maths/normal.ts';
import { studentQuantile } from '../../base/maths/student.ts';
import type { Card, CurveCard, Interval, NumberCard, TableCard } from '../../report/report.ts';
import { selection } from '../selection.ts';
import { type CurveFit, predictError } from './learning-curve-fit.ts';
import type { Curve, CurveOptions, LearningCurve } from './learning-curve-run.ts';

const finite = (x: number | undefined): number | null => (x !== undefined && Number.isFinite(x) ? x : null);

export interface Law {
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  readonly errors: readonly [alpha: number, beta: number, gamma: number];
  readonly df: number;
  readonly r2: number;
}

/** The exponent, coefficient and floor in force, with standard errors. */
export const lawOf = ({ law, floored, floor }: CurveFit): Law | undefined => {
  if (!law) return undefined;
  const df = floor && floored ? floored.n - 3 : law.n - 2;
  return floor && floored
    ? { alpha: floored.alpha, beta: floored.beta, gamma: floored.gamma, errors: floored.errors, df, r2: law.r2 }
    : { alpha: law.alpha, beta: law.beta, gamma: Number.NaN, errors: [law.alphaError, law.betaError, Number.NaN] as const, df, r2: law.r2 };
};

export const outliers = ({ points, studentised }: CurveFit): number[] =>
  points.map((_, i) => i).filter((i) => Math.abs(studentised[i]) > 2.5);

export const curveHeadline = (c: LearningCurve, level: number): Record<string, number> => {
  const [{ fit, needed }] = c.curves;
  const law = lawOf(fit);
  const most = fit.points[fit.points.length - 1];
  return {
    alpha: law?.alpha ?? Number.NaN,
    beta: law?.beta ?? Number.NaN,
    gamma: law?.gamma ?? Number.NaN,
    r2: law?.r2 ?? Number.NaN,
    predicted_error: predictError(fit, c.at, level)?.error ?? Number.NaN,
    predicted_at: c.at,
    size_for_target: needed?.size ?? Number.NaN,
    more_rows_for_target: needed ? Math.max(0, needed.size - most.size) : Number.NaN,
    largest_size: most.size,
    error_at_largest: most.error,
    sizes: fit.points.length,
    outliers: outliers(fit).length,
  };
};

export const curveIntervals = (c: LearningCurve, level: number): Record<string, Interval> => {
  const [{ fit, needed }] = c.curves;
  const law = lawOf(fit);
  const predicted = predictError(fit, c.at, level);
  const method = 'Student’s t';
  const around = (value: number, error: number, df: number): Interval | undefined => {
    const half = studentQuantile((1 + level) / 2, df) * error;
    return Number.isFinite(half) ? { low: value - half, high: value + half, level, method } : undefined;
  };
  const [beta, floor] = law ? [around(law.beta, law.errors[1], law.df), around(law.gamma, law.errors[2], law.df)] : [];
  // Of α the logarithm is fitted.
  const factor = law ? Math.exp((studentQuantile((1 + level) / 2, law.df) * law.errors[0]) / law.alpha) : Number.NaN;
  const alpha: Interval | undefined =
    law && Number.isFinite(factor)
      ? { low: law.alpha / factor, high: law.alpha * factor, level, method: `${method}, on the log scale` }
      : undefined;
  const gamma = floor && { ...floor, low: Math.max(0, floor.low) };
  return {
    ...(alpha ? { alpha } : {}),
    ...(beta ? { beta } : {}),
    ...(gamma ? { gamma } : {}),
    ...(predicted ? { predicted_error: { low: predicted.low, high: predicted.high, level, method: 'prediction band of the fit' } } : {}),
    ...(needed ? { size_for_target: { low: needed.low, high: needed.high, level, method: 'prediction band of the fit' } } : {}),
  };
};

const numbers = (c: LearningCurve, options: CurveOptions): NumberCard => {
  const level = options.confidenceLevel;
  const h = curveHeadline(c, level);
  const intervals = curveIntervals(c, level);
  const value = (name: string, label: string, unit: 'none' | 'count' = 'none', note = ''): NumberCard['values'][number] => ({
    name,
    label,
    value: finite(h[name]),
    unit,
    ...(intervals[name] && Number.isFinite(intervals[name].high) ? { interval: intervals[name] } : {}),
    ...(Number.isFinite(h[name]) || note === '' ? {} : { note }),
  });
  const none = 'no power law was found';
  return {
    kind: 'number',
    title: 'Fitted curve',
    caption: 'error = α · rows^β, with a floor γ where the points show one.',
    values: [
      value('beta', 'Exponent β', 'none', none),
      value('alpha', 'Coefficient α', 'none', none),
      value('gamma', 'Irreducible error γ', 'none', 'not identifiable from these points'),
      value('r2', 'R² of the line in logarithms', 'none', none),
      value('predicted_error', `Error predicted at ${c.at} rows`, 'none', none),
      ...(options.target > 0
        ? [value('size_for_target', `Rows for an error of ${options.target}`, 'count', 'not reached by this curve')]
        : []),
      ...(options.target > 0 ? [value('more_rows_for_target', 'Of them still missing', 'count', 'not reached by this curve')] : []),
      value('largest_size', 'Rows of the largest size', 'count'),
      value('error_at_largest', 'Error there'),
      value('outliers', 'Points off the line', 'count'),
    ],
  };
};

const DRAWN = 60;

const plot = (c: LearningCurve, options: CurveOptions): CurveCard => {
  const level = options.confidenceLevel;
  const sizes = c.curves.flatMap((k) => k.fit.points.map((p) => p.size));
  const [low, high] = [Math.min(...sizes), Math.max(...sizes, c.at)];
  const grid = Array.from({ length: DRAWN + 1 }, (_, i) => low * (high / low) ** (i / DRAWN));
  const several = c.curves.length > 1;
  const fitted = c.curves.filter((k) => k.fit.law);
  return {
    kind: 'curve',
    title: 'Error against rows',
    caption:
      'Both axes are logarithmic: a power law is a straight line. The band is where the error of a new run would lie. Points are marked by region.',
    x: { label: 'Training rows', unit: 'count', scale: 'log' },
    y: { label: 'Error', unit: 'none', scale: 'log' },
    lines: [
      ...c.curves.flatMap(({ name, fit }) =>
        (['small-data', 'power-law', 'outside', 'irreducible'] as const).flatMap((region) => {
          const own = fit.points.filter((_, i) => fit.regions[i] === region);
          const where = { 'small-data': 'small data', 'power-law': 'power law', outside: 'off the line', irreducible: 'irreducible' }[
            region
          ];
          return own.length === 0
            ? []
            : [
                {
                  name: several ? `${name}, ${where}` : `${name}: ${where}`,
                  shape: 'points' as const,
                  points: own.map((p) => [p.size, p.error] as const),
                  intervals: own.map((p) => spread(p, level)),
                  selections: own.map((p) => selection(`${p.size} rows`, c.trained ? p.size : p.rows.length, p.rows.slice(0, 24))),
                },
              ];
        }),
      ),
      ...fitted.map(({ name, fit }) => ({
        name: several ? `${name}, fitted` : 'Fitted',
        points: grid.map((m) => [m, predictError(fit, m, level)?.error ?? 0] as const),
      })),
    ],
    bands: fitted.map(({ name, fit }) => ({
      name: several ? `${name}, prediction` : 'Prediction',
      points: grid.flatMap((m) => {
        const p = predictError(fit, m, level);
        return p ? [[m, p.low, p.high] as const] : [];
      }),
    })),
  };
};

/** Mean ± t·sd/√n over repeats. */
const spread = ({ error, sd, repeats }: CurveFit['points'][number], level: number): readonly [number, number] | null => {
  if (repeats < 2 || !(sd > 0)) return null;
  const half = (studentQuantile((1 + level) / 2, repeats - 1) * sd) / Math.sqrt(repeats);
  return [Math.max(error - half, error / 10), error + half];
};

const pointTable = ({ curves, trained }: LearningCurve, level: number): TableCard => {
  const several = curves.length > 1;
  return {
    kind: 'table',
    title: 'Points',
    caption: 'A deleted residual beyond ±2.5 marks a point off the line: look for a mistake in that training run first.',
    columns: [
      ...(several ? [{ name: 'curve', label: 'Curve', type: 'text' as const }] : []),
      { name: 'size', label: 'Rows', type: 'number', unit: 'count' },
      { name: 'error', label: 'Error', type: 'number' },
      { name: 'sd', label: 'Standard deviation', type: 'number' },
      { name: 'repeats', label: 'Repeats', type: 'number', unit: 'count' },
      ...(trained?.metric === 'error' ? [{ name: 'counting', label: 'Standard error of counting', type: 'number' as const }] : []),
      { name: 'fitted', label: 'Fitted', type: 'number' },
      { name: 'residual', label: 'Deleted residual', type: 'number' },
      { name: 'region', label: 'Region', type: 'text' },
    ],
    rows: curves.flatMap(({ name, fit }) =>
      fit.points.map((p, i) => [
        ...(several ? [name] : []),
        p.size,
        p.error,
        finite(p.sd),
        p.repeats,
        // √(ε(1 − ε)/n) of the validation rows: below it no difference can be seen.
        ...(trained?.metric === 'error' ? [Math.sqrt((p.error * (1 - p.error)) / trained.validation)] : []),
        finite(predictError(fit, p.size, level)?.error),
        finite(fit.studentised[i]),
        fit.regions[i] === 'outside' ? 'off the line' : fit.regions[i],
      ]),
    ),
  };
};

/** Whether the slopes of the first curve and another differ, and how far they are apart where they do not: a shifted line. */
const comparison = (curves: readonly Curve[]): TableCard[] => {
  const [first, ...others] = curves;
  const a = lawOf(first.fit);
  const rows = others.flatMap(({ name, fit }) => {
    const b = lawOf(fit);
    if (!a || !b) return [];
    const gap = b.beta - a.beta;
    const z = gap / Math.hypot(a.errors[1], b.errors[1]);
    const shared = Math.sqrt(fit.points[fit.points.length - 1].size * first.fit.points[first.fit.points.length - 1].size);
    const ratio = (b.alpha * shared ** b.beta + (b.gamma || 0)) / (a.alpha * shared ** a.beta + (a.gamma || 0));
    return [[name, b.beta, gap, 2 * normalCdf(-Math.abs(z)), ratio]];
  });
  return rows.length === 0
    ? []
    : [
        {
          kind: 'table',
          title: 'Against the first curve',
          caption: `How the exponents differ from that of '${first.name}'. With equal exponents a configuration is better by one factor at every size; with a steeper one it gains with data.`,
          columns: [
            { name: 'curve', label: 'Curve', type: 'text' },
            { name: 'beta', label: 'Exponent β', type: 'number' },
            { name: 'gap', label: 'Difference of exponents', type: 'number' },
            { name: 'p', label: 'p (normal)', type: 'number' },
            { name: 'ratio', label: 'Ratio of errors at the largest size', type: 'number' },
          ],
          rows: rows.map(([name, ...rest]) => [name, ...rest.map((v) => finite(Number(v)))]),
        },
      ];
};

const runs = ({ trained }: LearningCurve): TableCard[] =>
  trained
    ? [
        {
          kind: 'table',
          title: 'Training runs',
          caption: 'The least validation error of every run; of every size and repeat the best one counts.',
          columns: [
            { name: 'size', label: 'Rows', type: 'number', unit: 'count' },
            { name: 'repeat', label: 'Repeat', type: 'number', unit: 'count' },
            { name: 'rate', label: 'Learning rate ×', type: 'number' },
            { name: 'error', label: 'Error', type: 'number' },
            { name: 'epochs', label: 'Epochs', type: 'number', unit: 'count' },
          ],
          rows: trained.table.map((t) => [t.size, t.repeat + 1, t.rate, finite(t.error), t.epochs]),
        },
      ]
    : [];

export const curveCards = (c: LearningCurve, options: CurveOptions): Card[] => [
  numbers(c, options),
  plot(c, options),
  pointTable(c, options.confidenceLevel),
  ...comparison(c.curves),
  ...runs(c),
];
