import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Catalogue } from '../base/catalogue.ts';
import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import catalogue from '../generated/catalogue.json' with { type: 'json' };
import { askAgain } from '../jobs/restart.ts';
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
  if (name === '--version') {
    const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
    process.stdout.write(`assay ${version}, Node ${process.versions.node}\n`);
    return exits.ok;
  }
  if (name === undefined || (['--help', '-h', 'help'].includes(name) && rest.length === 0)) {
    process.stdout.write(`${overview(commands)}\n`);
    return name === undefined ? exits.input : exits.ok;
  }
  if (name === 'help') return main([...rest, '--help'], signal);
  const command = commands.find((c) => c.name === name);
  const known = commands.map((c) => c.name);
  if (!command) throw new Fault('id/unknown', { what: 'command', id: name, nearest: nearest(name, known), known });
  const offered = catalogue as unknown as Catalogue;
  // The id of a diagnostic adds its options, wherever it stands.
  const id = rest.find((w) => offered.diagnostics.some((d) => d.id === w)) ?? rest[0];
  const subject = id === undefined || id.startsWith('-') ? [] : [id];
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${page(command, subject, offered)}\n`);
    return exits.ok;
  }
  const typed = readArguments(rest, command, command.flags(subject, offered));
  const jobs = supervisor({ entry: fileURLToPath(new URL('process.js', import.meta.url)), again: askAgain });
  try {
    return await command.run(typed, terminal(offered, jobs, signal, new URL('./', import.meta.url)));
  } finally {
    await jobs.dispose();
  }
};

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
// A reader that has seen enough (head) ends neither the run nor the files that were asked for.
process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.exit(explain(new Fault('file/unwritable', { path: 'standard output', reason: error.message })));
});
process.exitCode = await main(process.argv.slice(2), stop.signal).catch(explain);
