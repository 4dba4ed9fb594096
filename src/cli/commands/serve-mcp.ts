import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AgentPorts } from '../../jobs/agents/define.ts';
import { keepIn, keptFiles, lastSecondsIn, sentenceOf } from '../../jobs/agents/keep.ts';
import { agentTools } from '../../jobs/agents/tools.ts';
import { runStore, runsFolder } from '../../jobs/store.ts';
import { type CliCommand, exits } from '../define.ts';
import { deviceOf, runFlags, seedOf } from '../subject.ts';

/** The protocol is a bundle of its own, so that no other command loads it. */
const loadServer = async (program: URL): Promise<typeof import('../mcp/serve.ts')> =>
  (await import(new URL('mcp.js', program).href)) as typeof import('../mcp/serve.ts');

export const serveMcp: CliCommand = {
  name: 'serve-mcp',
  usage: 'assay serve-mcp [--folder DIR] [--device auto|cpu|…] [--seed S]',
  words: 0,
  summary: 'Serves the tools for agents (MCP) over the standard streams.',
  flags: () => ({
    folder: { value: 'DIR', help: 'Relative paths, assay.json and runs are of this folder; the current one where absent.' },
    device: runFlags.device,
    seed: runFlags.seed,
  }),
  async run(typed, { catalogue, jobs, signal, program }) {
    // Standard output carries the protocol and nothing else.
    console.log = console.error;
    const folder = resolve(typed.flags.folder ?? '.');
    const store = runStore(resolve(folder, runsFolder));
    const ports: AgentPorts = {
      catalogue,
      jobs,
      folder,
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
