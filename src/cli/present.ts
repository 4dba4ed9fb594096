import { type SuiteHead, toHtml } from '../report/html.ts';
import { toJson } from '../report/json.ts';
import type { Report } from '../report/report.ts';
import { toText } from '../report/text.ts';
import type { Terminal, Typed } from './define.ts';

/** Prints reports as text (unless JSON goes to standard output) and writes the files that were asked for. */
export const present = async (
  reports: readonly Report[],
  { flags }: Typed,
  terminal: Terminal,
  json: () => string = () => toJson(reports[0]),
  suite?: SuiteHead,
): Promise<void> => {
  if (flags.json !== '-') for (const report of reports) terminal.print(toText(report, { width: terminal.width, colour: terminal.colour }));
  if (flags.json !== undefined) await terminal.save(flags.json, `${json()}\n`);
  if (flags.html !== undefined) {
    await terminal.save(flags.html, toHtml(reports, await terminal.page(), suite));
    if (flags.json !== '-') terminal.print(`Report: ${flags.html}`);
  }
};
