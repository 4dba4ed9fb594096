import { type Catalogue, type CatalogueDiagnostic, comparesTwo } from '../../base/catalogue.ts';
import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';
import { word } from '../arguments.ts';
import type { CliCommand } from '../define.ts';
import { optionFlags, runDiagnostic } from '../run-diagnostic.ts';
import { againstFlags, againstOf, dataOf, modelOf, outputFlags, runFlags, subjectFlags } from '../subject.ts';

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
    const found = words[0] === undefined ? undefined : find(catalogue, words[0]);
    return {
      ...subjectFlags,
      ...(found && comparesTwo(found) ? againstFlags : {}),
      ...runFlags,
      ...outputFlags,
      ...optionFlags(found?.options ?? {}),
    };
  },
  more: (words, catalogue) =>
    words.length > 0
      ? undefined
      : `Diagnostics: ${catalogue.diagnostics.map((d) => d.id).join(', ')}. assay run ID --help adds the options of one.`,
  async run(typed, terminal) {
    const diagnostic = find(terminal.catalogue, word(typed, 0, 'the id of a diagnostic', run.usage));
    const { flags } = typed;
    if (flags.data === undefined) throw new Fault('option/missing', { name: '--data', usage: run.usage });
    const models = [flags.model, flags.against].some((path) => path?.endsWith('.onnx'));
    const idle = modelFlags.filter((name) => flags.model === undefined && !models && flags[name] !== undefined);
    if (idle.length > 0) throw new Fault('option/without-model', { names: idle });
    const subject = {
      ...(flags.model === undefined ? {} : { model: modelOf(typed, flags.model) }),
      data: dataOf(typed, flags.data),
      ...(flags.against === undefined ? {} : { against: againstOf(typed, flags.against, flags.againstData, flags.model !== undefined) }),
    };
    return runDiagnostic(diagnostic, subject, typed, terminal);
  },
};
