import { readFile, stat } from 'node:fs/promises';
import { basename, delimiter, join, resolve } from 'node:path';
import type { AgentPorts, SuitePlace } from '../../jobs/agents/define.ts';
import { keepIn, keptFiles, lastSecondsIn, sentenceOf } from '../../jobs/agents/keep.ts';
import { agentTools } from '../../jobs/agents/tools.ts';
import { runStore, runsFolder } from '../../jobs/store.ts';
import { type CliCommand, exits } from '../define.ts';
import { deviceOf, runFlags, seedOf } from '../subject.ts';

/** The protocol is a bundle of its own, so that no other command loads it. */
const loadServer = async (program: URL): Promise<typeof import('../mcp/serve.ts')> =>
  (await import(new URL('mcp.js', program).href)) as typeof import('../mcp/serve.ts');

/** The `assay.json` files of folders, each with the last part of its path where no other has that, else with the path. */
const suitesIn = async (folders: readonly string[]): Promise<readonly SuitePlace[]> => {
  const there = await Promise.all(
    folders.map((folder) =>
      stat(join(folder, 'assay.json')).then(
        () => [folder],
        () => [],
      ),
    ),
  );
  const own = there.flat();
  const alone = (folder: string): boolean => own.filter((other) => basename(other) === basename(folder)).length === 1;
  return own.map((folder) => ({ path: join(folder, 'assay.json'), folder: alone(folder) ? basename(folder) : folder }));
};

export const serveMcp: CliCommand = {
  name: 'serve-mcp',
  usage: 'assay serve-mcp [--folder DIR] [--device auto|cpu|…] [--seed S]',
  words: 0,
  summary: 'Serves the tools for agents (MCP) over the standard streams.',
  flags: () => ({
    folder: {
      value: 'DIR',
      help: `Relative paths, assay.json and runs are of this folder; the current one where absent. Of more folders, after '${delimiter}', the assay.json too.`,
    },
    device: runFlags.device,
    seed: runFlags.seed,
  }),
  async run(typed, { catalogue, jobs, signal, program }) {
    // Standard output carries the protocol and nothing else.
    console.log = console.error;
    const folders = (typed.flags.folder ?? '.')
      .split(delimiter)
      .filter((one) => one !== '')
      .map((one) => resolve(one));
    const folder = folders[0] ?? resolve('.');
    const store = runStore(resolve(folder, runsFolder));
    const ports: AgentPorts = {
      catalogue,
      jobs,
      folder,
      suites: () => suitesIn([...new Set(folders)]),
      device: deviceOf(typed),
      seed: seedOf(typed),
      keep: keepIn(store),
      files: async (run, result) => keptFiles(store, run, result),
      lastSeconds: lastSecondsIn(store),
    };
    const { version } = JSON.parse(await readFile(new URL('../package.json', program), 'utf8')) as { version: string };
    const { serveMcp: serve } = await loadServer(program);
    await serve({ version, tools: agentTools(catalogue), ports, store, sentenceOf, signal });
    return exits.ok;
  },
};
