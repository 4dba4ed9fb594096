import type { Catalogue } from '../base/catalogue.ts';
import { kebab } from './arguments.ts';
import type { CliCommand } from './define.ts';

/** Two columns; what is too long for the left one stands on a line of its own. */
const rows = (pairs: readonly (readonly [string, string])[]): string => {
  const width = Math.min(34, Math.max(...pairs.map(([left]) => left.length)));
  return pairs
    .map(([left, right]) => `  ${left.padEnd(width)}${left.length > width ? `\n  ${' '.repeat(width)}` : ''}  ${right}`)
    .join('\n');
};

/** The page of the program. */
export const overview = (commands: readonly CliCommand[]): string =>
  `Assay diagnoses and trains ONNX models.\n\n${rows(commands.map((c) => [c.usage, c.summary]))}\n\nassay COMMAND --help shows its options, assay --version the version. Exit codes: 0 ok, 1 a check failed, 2 wrong input, 3 internal fault, 130 stopped.`;

/** The page of one command; `run ID` lists the options of that diagnostic too. */
export const page = (command: CliCommand, words: readonly string[], catalogue: Catalogue): string => {
  const flags = Object.entries(command.flags(words, catalogue));
  const left = ([name, { value, short }]: (typeof flags)[number]): string =>
    `${short ? `-${short}, ` : ''}--${kebab(name)}${value === undefined ? '' : ` ${value}`}`;
  const more = command.more?.(words, catalogue);
  return `${command.summary}\n\nUsage: ${command.usage}\n\n${rows(flags.map((f) => [left(f), f[1].help]))}${more ? `\n\n${more}` : ''}`;
};
