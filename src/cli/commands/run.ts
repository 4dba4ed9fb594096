import type { Catalogue, CatalogueDiagnostic } from '../../base/catalogue.ts';
import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';
import { expected } from '../../base/option.ts';
import { word } from '../arguments.ts';
import { type CliCommand, exitOf, type Flag } from '../define.ts';
import { present } from '../present.ts';
import { dataOf, deviceOf, limitOf, modelOf, outputFlags, runFlags, seedOf, subjectFlags } from '../subject.ts';

const find = (catalogue: Catalogue, id: string): CatalogueDiagnostic => {
  const found = catalogue.diagnostics.find((d) => d.id === id);
  const known = catalogue.diagnostics.map((d) => d.id);
  if (!found) throw new Fault('id/unknown', { what: 'diagnostic', id, nearest: nearest(id, known), known });
  return found;
};

export const run: CliCommand = {
  name: 'run',
  usage: 'assay run ID [--model M.onnx] --data FILE [options]',
  summary: 'One diagnostic on a model and a dataset, or on a table of predictions.',
  flags(words, catalogue) {
    const own = words[0] === undefined ? {} : find(catalogue, words[0]).options;
    const flags = Object.entries(own).map(([name, o]): [string, Flag] => [
      name,
      { value: expected(o), help: `${o.help} Default ${o.default === '' ? 'none' : o.default}.` },
    ]);
    return { ...subjectFlags, ...runFlags, ...outputFlags, ...Object.fromEntries(flags) };
  },
  async run(typed, terminal) {
    const diagnostic = find(terminal.catalogue, word(typed, 0, 'the id of a diagnostic', run.usage));
    const { flags } = typed;
    if (flags.data === undefined) throw new Fault('option/missing', { name: '--data', usage: run.usage });
    const limit = limitOf(typed);
    const report = await terminal.submit(diagnostic.title, 'run', {
      id: diagnostic.id,
      ...(flags.model === undefined ? {} : { model: modelOf(typed, flags.model) }),
      data: dataOf(typed, flags.data),
      options: Object.fromEntries(Object.keys(diagnostic.options).flatMap((k) => (flags[k] === undefined ? [] : [[k, flags[k]]]))),
      device: deviceOf(typed),
      seed: seedOf(typed),
      ...(limit === undefined ? {} : { limit }),
    });
    await present([report], typed, terminal);
    return exitOf[report.outcome];
  },
};
