import type { Expectation } from '../../base/request.ts';
import { format } from '../../report/format.ts';
import type { Verdict } from '../history.ts';
import { t } from '../l10n.ts';

type Gate = Verdict['gates'][number];

/** A number, or an end of its interval. */
const boundOf = (name: string, bound: 'lower' | 'upper', level: number | undefined): string => {
  if (level === undefined) return bound === 'lower' ? t('lower bound of {0}', name) : t('upper bound of {0}', name);
  return bound === 'lower' ? t('lower bound of {0} at level {1}', name, level) : t('upper bound of {0} at level {1}', name, level);
};

/** What a gate asks for, one line a limit, so that a difference view stands the two beside each other. */
const expected = (name: string, { min, max, bound = 'point', level: of }: Expectation): string => {
  const what = bound === 'point' ? name : boundOf(name, bound, of);
  return [...(min === undefined ? [] : [`${what} ≥ ${min}`]), ...(max === undefined ? [] : [`${what} ≤ ${max}`])].join('\n');
};

const actual = ({ name, actual: value, expected: { bound = 'point', level: of }, interval }: Gate): string => {
  const what = bound === 'point' ? name : boundOf(name, bound, of ?? interval?.level);
  const side = bound === 'point' || !interval ? value : bound === 'lower' ? interval.low : interval.high;
  const whole =
    bound === 'point' && interval ? ` (${t('{0} interval {1} to {2}', interval.level, format(interval.low), format(interval.high))})` : '';
  return `${what} = ${side === null ? t('undefined') : format(side)}${whole}`;
};

/** One broken gate for a test message. */
export interface GateMessage {
  readonly gate: string;
  readonly sentence: string;
  readonly expected: string;
  readonly actual: string;
  readonly focus?: string;
}
export const gateMessages = ({ gates }: Verdict): readonly GateMessage[] =>
  gates
    .filter(({ holds }) => !holds)
    .map((gate) => ({
      gate: gate.name,
      sentence: gate.sentence,
      expected: expected(gate.name, gate.expected),
      actual: actual(gate),
      ...(gate.focus === undefined ? {} : { focus: gate.focus }),
    }));

/** Headline numbers on a line. */
const most = 5;

const marks: Readonly<Record<Verdict['status'], string>> = {
  passed: '\u001b[32m✔\u001b[0m',
  failed: '\u001b[31m✘\u001b[0m',
  skipped: '\u001b[33m–\u001b[0m',
  error: '\u001b[31m!\u001b[0m',
};

/** Lines for the terminal of a test: the verdict, its time, and the numbers of its gates or its headline. */
export const terminalLines = (
  name: string,
  { status, sentence, gates }: Verdict,
  measured?: { readonly seconds: number; readonly headline: Readonly<Record<string, number>> },
): string => {
  const shown = gates.length > 0 ? gates.map((gate) => gate.sentence) : status === 'passed' ? [] : [sentence];
  const numbers = Object.entries(measured?.headline ?? {})
    .slice(0, most)
    .map(([key, value]) => `${key} ${format(value)}`);
  const lines = [
    `${marks[status]} ${name}${measured ? ` (${measured.seconds.toFixed(1)} s)` : ''}`,
    ...shown,
    ...(numbers.length > 0 ? [numbers.join(', ')] : []),
  ];
  return `${lines.map((line, i) => (i === 0 ? line : `    ${line}`)).join('\r\n')}\r\n`;
};
