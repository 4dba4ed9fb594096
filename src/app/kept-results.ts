import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import type { KeptResults } from '../evidence/fresh.ts';
import type { Ports } from './ports.ts';

interface Saved {
  readonly identity: Readonly<Record<string, unknown>>;
  readonly results: Readonly<Record<string, string>>;
}

const isSaved = (v: unknown): v is Saved =>
  typeof v === 'object' && v !== null && 'identity' in v && 'results' in v && typeof v.results === 'object' && v.results !== null;

/** Results of finished trainings in a file of JSON, written after each, so that a run that was stopped goes on. Throws `training/kept-results`. */
export const keptResults = async (
  path: string,
  given: Readonly<Record<string, unknown>>,
  { options, model, data }: RunRequest,
  ports: Ports,
  job: Pick<Job, 'signal' | 'note'>,
): Promise<KeptResults> => {
  for (const input of [model?.path, data.path]) if (path === input) throw new Fault('file/overwrites', { option: 'resume', path, input });
  const recipe = typeof options.recipe === 'string' && options.recipe !== '' ? { recipe: await ports.sha256(options.recipe) } : {};
  const identity = { ...given, ...recipe };
  const results = new Map<string, string>();
  const source = await ports.source(path).catch((error: unknown) => {
    if (Fault.is(error, 'file/missing')) return undefined;
    throw error;
  });
  if (source) {
    let saved: unknown;
    try {
      saved = JSON.parse(new TextDecoder().decode(await source.read(0, source.size, job.signal)));
    } catch {
      saved = undefined;
    }
    if (!isSaved(saved)) throw new Fault('training/kept-results', { path, other: [] });
    const theirs = saved.identity;
    const other = Object.entries(identity).flatMap(([name, value]) =>
      JSON.stringify(theirs[name]) === JSON.stringify(value) ? [] : [name],
    );
    if (other.length > 0) throw new Fault('training/kept-results', { path, other });
    for (const [key, value] of Object.entries(saved.results)) results.set(key, value);
    if (results.size > 0) job.note(`${results.size} trainings were taken from '${path}', where an earlier run had kept their results.`);
  }
  return {
    get: (key) => results.get(key),
    async put(key, value) {
      results.set(key, value);
      await ports.write(path, new TextEncoder().encode(JSON.stringify({ identity, results: Object.fromEntries(results) } satisfies Saved)));
    },
  };
};
