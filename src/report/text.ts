import { format, formatInterval, intervalName, visible } from './format.ts';
import { columns, wrap } from './grid.ts';
import { leadingOf } from './headline.ts';
import type { Outcome, Report } from './report.ts';
import { subjectOf } from './subject.ts';
import { cardText, type Terminal } from './text-cards.ts';

export interface TextOptions {
  /** Columns of the terminal; 80 where unknown. */
  readonly width?: number;
  readonly colour?: boolean;
  /** Headline and guide only. */
  readonly brief?: boolean;
}

const paint =
  (on: boolean, code: number) =>
  (text: string): string =>
    on ? `\u001b[${code}m${text}\u001b[0m` : text;

const terminalOf = ({ width = 80, colour = false }: TextOptions): Terminal => ({
  width: Math.max(40, Math.min(width, 120)),
  bold: paint(colour, 1),
  dim: paint(colour, 2),
  good: paint(colour, 32),
  bad: paint(colour, 31),
});

const OUTCOME: Readonly<Record<Outcome, string>> = {
  measured: 'Measured',
  unavailable: 'Unavailable',
  failed: 'Failed',
  stopped: 'Ended early',
};

const MOST_NUMBERS = 8;

const headlineText = ({ width, dim }: Terminal, report: Report): readonly string[] => {
  const { leading, others } = leadingOf(report, MOST_NUMBERS);
  const lines = columns(
    leading.map(({ name, value, unit, interval }) => [
      name,
      format(value, unit),
      interval ? formatInterval(interval, unit) : '',
      interval ? intervalName(interval) : '',
    ]),
    ['left', 'right', 'right', 'left'],
    width - 2,
  );
  return [...lines, ...(others.length > 0 ? [dim(`… ${others.length} more numbers in the JSON and HTML reports`)] : [])].map(
    (line) => `  ${line}`,
  );
};

const provenanceText = ({ width, dim }: Terminal, { provenance: p }: Report): readonly string[] => {
  const device = p.device.actual === p.device.requested ? p.device.actual : `${p.device.actual} (asked for ${p.device.requested})`;
  const facts = [
    `${subjectOf(p, (path) => path)}${p.split ? ` (${p.split})` : ''}`,
    `${format(p.rows, 'count')} ${p.rows === 1 ? 'row' : 'rows'} · seed ${p.seed} · ${format(p.seconds, 'seconds')} · device ${device}${p.device.reason ? `: ${p.device.reason}` : ''}`,
  ];
  return facts.map((fact) => dim(wrap(visible(fact), width, '  ')));
};

/** The report for a terminal: headline, cards as compact text, notes, where it was measured. */
export const toText = (report: Report, options: TextOptions = {}): string => {
  const terminal = terminalOf(options);
  const { width, bold, dim, bad } = terminal;
  const sections: (readonly string[])[] = [
    [bold(visible(report.title)), dim(wrap(visible(report.question), width)), ...provenanceText(terminal, report)],
  ];
  if (report.outcome !== 'measured') {
    sections.push([bad(wrap(`${OUTCOME[report.outcome]}: ${visible(report.reason?.sentence ?? 'no reason was given.')}`, width, '  '))]);
  }
  if (Object.keys(report.headline).length > 0) sections.push(headlineText(terminal, report));
  for (const card of options.brief ? [] : report.cards) {
    sections.push([
      bold(visible(String(card.title))),
      ...(card.caption ? [dim(wrap(visible(card.caption), width))] : []),
      ...cardText(terminal, card),
    ]);
  }
  if (report.guide) sections.push([wrap(visible(report.guide), width)]);
  if (report.notes.length > 0 && !options.brief) sections.push(report.notes.map((note) => wrap(`- ${visible(note)}`, width, '  ')));
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
};
