import type { CliCommand } from '../define.ts';
import { exits } from '../define.ts';

export const list: CliCommand = {
  name: 'list',
  usage: 'assay list [--json]',
  words: 0,
  summary: 'What can be run: id, title, question, what it needs, options.',
  flags: () => ({ json: { help: 'Prints JSON.' } }),
  async run({ flags }, { catalogue, print }) {
    if (flags.json) print(JSON.stringify(catalogue.diagnostics, undefined, 2));
    else {
      const width = Math.max(...catalogue.diagnostics.map((d) => d.id.length));
      for (const d of catalogue.diagnostics) print(`${d.id.padEnd(width)}  ${d.title}: ${d.question}`);
      print(`\nassay run ID --help shows the options of one.`);
    }
    return exits.ok;
  },
};
