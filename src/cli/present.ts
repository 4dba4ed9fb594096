import { type SuiteHead, toHtml } from '../report/html.ts';
import { toJson } from '../report/json.ts';
import type { Report } from '../report/report.ts';
import { toText } from '../report/text.ts';
import type { Terminal, Typed } from './define.ts';

/** Whether the standard output is a file that was asked for, so that nothing else may be printed to it. */
export const quiet = ({ flags }: Typed): boolean => flags.json === '-' || flags.html === '-';

/** Prints reports as text (unless a file goes to standard output) and writes the files that were asked for. */
export const present = async (
  reports: readonly Report[],
  typed: Typed,
  terminal: Terminal,
  json: () => string = () => toJson(reports[0]),
  suite?: SuiteHead,
): Promise<void> => {
  const { flags } = typed;
  if (!quiet(typed)) for (const report of reports) terminal.print(toText(report, { width: terminal.width, colour: terminal.colour }));
  if (flags.json !== undefined) await terminal.save(flags.json, `${json()}\n`);
  if (flags.html !== undefined) {
    await terminal.save(flags.html, toHtml(reports, await terminal.page(), suite));
    if (!quiet(typed)) terminal.print(`Report: ${flags.html}`);
  }
};
