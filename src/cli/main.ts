import { fileURLToPath } from 'node:url';
import type { Catalogue } from '../base/catalogue.ts';
import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import catalogue from '../generated/catalogue.json' with { type: 'json' };
import { supervisor } from '../jobs/supervisor.ts';
import { readArguments } from './arguments.ts';
import { commands } from './commands/index.ts';
import { exits } from './define.ts';
import { explain } from './explain.ts';
import { overview, page } from './help.ts';
import { terminal } from './terminal.ts';

/** The program: argv in, text or JSON out, an exit code. Files of the program lie beside this one in dist/. */
const main = async (argv: readonly string[], signal: AbortSignal): Promise<number> => {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(`${overview(commands)}\n`);
    return name === undefined ? exits.input : exits.ok;
  }
  const command = commands.find((c) => c.name === name);
  const known = commands.map((c) => c.name);
  if (!command) throw new Fault('id/unknown', { what: 'command', id: name, nearest: nearest(name, known), known });
  const offered = catalogue as unknown as Catalogue;
  const subject = rest.slice(0, 1).filter((w) => !w.startsWith('-'));
  if (rest.includes('--help')) {
    process.stdout.write(`${page(command, subject, offered)}\n`);
    return exits.ok;
  }
  const typed = readArguments(rest, `'assay ${name}'`, command.usage, command.flags(subject, offered));
  const jobs = supervisor({ entry: fileURLToPath(new URL('process.js', import.meta.url)) });
  try {
    return await command.run(typed, terminal(offered, jobs, signal, new URL('./', import.meta.url)));
  } finally {
    await jobs.dispose();
  }
};

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
process.stdout.on('error', () => process.exit(exits.ok));
process.exitCode = await main(process.argv.slice(2), stop.signal).catch(explain);
