import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Fault } from '../../base/fault.ts';
import { runsFolder } from '../../jobs/store.ts';
import { word } from '../arguments.ts';
import { type CliCommand, exitOf, type Terminal, type Typed } from '../define.ts';
import { checkOutputs } from '../outputs.ts';
import { present } from '../present.ts';
import { optionFlags, runDiagnostic } from '../run-diagnostic.ts';
import { againstFlags, againstOf, dataOf, modelOf, outputFlags, runFlags, subjectFlags, tableOf } from '../subject.ts';

const id = 'compare-models';

/** The report of a saved run: a .json file, the folder of a run, or the id of one kept here; undefined for anything else. */
const reportOf = async (path: string): Promise<string | undefined> => {
  if (path.endsWith('.json')) return path;
  const kept = join(path, 'report.json');
  if (await stat(kept).catch(() => undefined)) return kept;
  const own = join(runsFolder, path);
  if (await stat(join(own, 'report.json')).catch(() => undefined)) return join(own, 'report.json');
  for (const at of [path, own])
    if (await stat(join(at, 'run.json')).catch(() => undefined))
      throw new Fault('run/unreadable', { path: at, reason: 'it has no report: it has not ended yet, was stopped, or failed' });
  // What has no ending is no model and no table: it can only be meant for a run.
  if (extname(path) === '' && !(await stat(path).catch(() => undefined))) throw new Fault('run/unknown', { id: path });
  return undefined;
};

const isModel = (path: string): boolean => path.toLowerCase().endsWith('.onnx');

const compareRuns = async (runs: readonly [string, string], typed: Typed, terminal: Terminal): Promise<number> => {
  const idle = Object.keys(typed.flags).find((name) => !Object.hasOwn(outputFlags, name));
  if (idle !== undefined)
    throw new Fault('option/unknown', {
      name: `--${idle}`,
      of: 'a comparison of saved runs',
      nearest: '',
      known: Object.keys(outputFlags).map((name) => `--${name}`),
    });
  await checkOutputs(typed, runs);
  const report = await terminal.submit('Compare runs', 'compare', { runs });
  await present([report], typed, terminal);
  return exitOf[report.outcome];
};

export const compare: CliCommand = {
  name: 'compare',
  usage: 'assay compare A B [--data FILE] [options]',
  words: 2,
  summary: 'Two models on one dataset, two tables of predictions, or two saved runs; differences are A less B.',
  flags(_, catalogue) {
    const { model: _model, ...binding } = subjectFlags;
    const { against: _against, ...others } = againstFlags;
    const own = catalogue.diagnostics.find((d) => d.id === id)?.options ?? {};
    return { ...binding, ...others, ...runFlags, ...outputFlags, ...optionFlags(own) };
  },
  more: () =>
    'A and B: .onnx models (with --data), tables of predictions, or one of each; or two saved runs, as files written by --json, folders or ids of .assay/runs.',
  async run(typed, terminal) {
    const words = [word(typed, 0, 'what to compare', compare.usage), word(typed, 1, 'what to compare it with', compare.usage)] as const;
    const [first, other] = [await reportOf(words[0]), await reportOf(words[1])];
    if (first !== undefined && other !== undefined) return compareRuns([first, other], typed, terminal);
    if (first !== undefined || other !== undefined) {
      const [one, two] = first === undefined ? [words[1], words[0]] : words;
      throw new Fault('option/compare', { run: one, other: two });
    }
    const diagnostic = terminal.catalogue.diagnostics.find((d) => d.id === id);
    if (!diagnostic) throw new RangeError(`'${id}' is in the catalogue`);
    const { data, againstData } = typed.flags;
    if (words.some(isModel) && data === undefined) throw new Fault('option/missing', { name: '--data', usage: compare.usage });
    const [a, b] = words;
    const subject =
      isModel(a) && data !== undefined ? { model: modelOf(typed, a), data: dataOf(typed, data) } : { data: tableOf(typed, a, isModel(b)) };
    return runDiagnostic(
      diagnostic,
      { ...subject, against: againstOf(typed, b, againstData ?? (isModel(b) && !isModel(a) ? data : undefined), isModel(a)) },
      typed,
      terminal,
    );
  },
};
