import type { CatalogueDiagnostic } from '../base/catalogue.ts';
import { expected, type Options } from '../base/option.ts';
import type { RunRequest } from '../base/request.ts';
import { exitOf, type Flag, type Terminal, type Typed } from './define.ts';
import { checkOutputs } from './outputs.ts';
import { present } from './present.ts';
import { deviceOf, limitOf, seedOf } from './subject.ts';

/** A flag for every option of a diagnostic. */
export const optionFlags = (options: Options): Readonly<Record<string, Flag>> =>
  Object.fromEntries(
    Object.entries(options).map(([name, o]): [string, Flag] => [
      name,
      {
        value: expected(o),
        help: `${o.help} Default ${o.default === '' ? 'none' : o.default}.`,
        ...(o.kind === 'text' || o.kind === 'pick' ? { empty: true } : {}),
      },
    ]),
  );

/** Runs one diagnostic on what was typed, prints and writes its report, and gives the exit code. */
export const runDiagnostic = async (
  diagnostic: CatalogueDiagnostic,
  subject: Pick<RunRequest, 'model' | 'data' | 'against'>,
  typed: Typed,
  terminal: Terminal,
): Promise<number> => {
  const { flags } = typed;
  const files = Object.entries(diagnostic.options).flatMap(([name, o]) => (o.kind === 'text' && o.writes !== undefined ? [name] : []));
  const { model, data, against } = subject;
  const read = Object.entries(diagnostic.options).flatMap(([name, o]) => (o.kind === 'text' && o.reads ? [flags[name]] : []));
  await checkOutputs(
    typed,
    [...read, model?.path, data.path, against?.model?.path, against?.data?.path, flags.labels, flags.x, flags.y],
    files,
  );
  const limit = limitOf(typed);
  const report = await terminal.submit(diagnostic.title, 'run', {
    id: diagnostic.id,
    ...subject,
    options: Object.fromEntries(Object.keys(diagnostic.options).flatMap((k) => (flags[k] === undefined ? [] : [[k, flags[k]]]))),
    device: deviceOf(typed),
    seed: seedOf(typed),
    ...(limit === undefined ? {} : { limit }),
  });
  await present([report], typed, terminal);
  return exitOf[report.outcome];
};
