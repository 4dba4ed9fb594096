import { nearest } from '../base/nearest.ts';
import type { Expectation } from '../base/request.ts';
import type { Report } from '../report/report.ts';
import type { GateResult } from '../report/tasks.ts';

/** A gate that could be judged, or why it could not. */
export type Judged = { readonly gate: GateResult } | { readonly problem: GateResult };

const short = (v: number): string => String(Number(v.toPrecision(5)));

const wanted = ({ min, max }: Expectation): string =>
  [...(min === undefined ? [] : [`at least ${short(min)}`]), ...(max === undefined ? [] : [`at most ${short(max)}`])].join(' and ');

/** Judges one gate on a measured report. Both limits are included; `lower` and `upper` take that end of the number's interval. */
export const judge = (
  name: string,
  expected: Expectation,
  { id, headline, intervals }: Pick<Report, 'id' | 'headline' | 'intervals'>,
): Judged => {
  const interval = Object.hasOwn(intervals, name) ? intervals[name] : undefined;
  const actual = Object.hasOwn(headline, name) ? headline[name] : null;
  const result = (holds: boolean, sentence: string): GateResult => ({
    name,
    holds,
    actual,
    expected,
    sentence,
    ...(interval ? { interval } : {}),
  });
  const problem = (sentence: string): Judged => ({ problem: result(false, sentence) });
  if (actual === null) {
    const known = Object.keys(headline);
    const near = nearest(name, known);
    return problem(
      `'${id}' gives no number '${name}' here (unknown, or undefined for these data).${near ? ` Did you mean '${near}'?` : ''} It gives: ${known.join(', ')}.`,
    );
  }
  const { min, max, bound = 'point', level } = expected;
  if (min === undefined && max === undefined) return problem(`The gate on '${name}' has neither min nor max; give one.`);
  if (bound !== 'point' && !interval)
    return problem(`'${name}' has no interval, so its ${bound} bound cannot be judged; use bound 'point'.`);
  if (bound !== 'point' && interval && level !== undefined && Math.abs(interval.level - level) > 1e-9)
    return problem(
      `The interval of '${name}' is at level ${interval.level}, but the gate asks for ${level}; set the option confidenceLevel of the check.`,
    );
  const value = bound === 'point' || !interval ? actual : bound === 'lower' ? interval.low : interval.high;
  const holds = (min === undefined || value >= min) && (max === undefined || value <= max);
  const what =
    bound === 'point' ? `${name} is ${short(value)}` : `the ${bound} bound of ${name} is ${short(value)} (${name} ${short(actual)})`;
  return { gate: result(holds, `${what}, ${holds ? 'as expected' : 'but is expected to be'} ${wanted(expected)}.`) };
};
