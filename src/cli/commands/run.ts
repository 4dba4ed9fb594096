import type { Catalogue, CatalogueDiagnostic } from '../../base/catalogue.ts';
import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';
import { expected } from '../../base/option.ts';
import { word } from '../arguments.ts';
import { type CliCommand, exitOf, type Flag } from '../define.ts';
import { checkOutputs } from '../outputs.ts';
import { present } from '../present.ts';
import { dataOf, deviceOf, limitOf, modelOf, outputFlags, runFlags, seedOf, subjectFlags } from '../subject.ts';

/** What only a model has a use for, besides the binding of its inputs. */
const modelFlags = ['input', 'output', 'classes'] as const;

const find = (catalogue: Catalogue, id: string): CatalogueDiagnostic => {
  const found = catalogue.diagnostics.find((d) => d.id === id);
  const known = catalogue.diagnostics.map((d) => d.id);
  if (!found) throw new Fault('id/unknown', { what: 'diagnostic', id, nearest: nearest(id, known), known });
  return found;
};

export const run: CliCommand = {
  name: 'run',
  usage: 'assay run ID [--model M.onnx] --data FILE [options]',
  words: 1,
  summary: 'One diagnostic on a model and a dataset, or on a table of predictions.',
  flags(words, catalogue) {
    const own = words[0] === undefined ? {} : find(catalogue, words[0]).options;
    const flags = Object.entries(own).map(([name, o]): [string, Flag] => [
      name,
      {
        value: expected(o),
        help: `${o.help} Default ${o.default === '' ? 'none' : o.default}.`,
        ...(o.kind === 'text' || o.kind === 'pick' ? { empty: true } : {}),
      },
    ]);
    return { ...subjectFlags, ...runFlags, ...outputFlags, ...Object.fromEntries(flags) };
  },
  more: (words, catalogue) =>
    words.length > 0
      ? undefined
      : `Diagnostics: ${catalogue.diagnostics.map((d) => d.id).join(', ')}. assay run ID --help adds the options of one.`,
  async run(typed, terminal) {
    const diagnostic = find(terminal.catalogue, word(typed, 0, 'the id of a diagnostic', run.usage));
    const { flags } = typed;
    if (flags.data === undefined) throw new Fault('option/missing', { name: '--data', usage: run.usage });
    const idle = modelFlags.filter((name) => flags.model === undefined && flags[name] !== undefined);
    if (idle.length > 0) throw new Fault('option/without-model', { names: idle });
    const files = Object.entries(diagnostic.options).flatMap(([name, o]) => (o.kind === 'text' && o.writes !== undefined ? [name] : []));
    await checkOutputs(typed, [flags.model, flags.data, flags.labels, flags.x, flags.y], files);
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
