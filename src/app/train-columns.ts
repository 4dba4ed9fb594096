import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { Recipe } from '../training/recipe.ts';
import type { Rows } from './train-data.ts';

const shown = (names: readonly string[]): string => names.map((n) => `'${n}'`).join(', ');

/** Parts that compare domains. */
const comparing = ({ extra, loss }: Recipe): boolean =>
  [loss.part, ...(extra.regularizers ?? []).map((r) => r.part), ...(extra.monitor ?? []).map((m) => m.part)].some((part) =>
    part.reads?.includes('domains'),
  );

/** Classes that only one domain has rows of. */
const lone = (rows: Rows, of: ArrayLike<number>): Map<number, number> => {
  const found = new Map<number, number>();
  for (let i = 0; i < rows.count; i++) {
    const c = rows.labels[i];
    found.set(c, (found.get(c) ?? of[i]) === of[i] ? of[i] : -1);
  }
  return new Map([...found].filter(([, domain]) => domain >= 0).toSorted(([a], [b]) => a - b));
};

/** Domain of each row, by the order of their names. Throws where there are fewer than two for parts that need several. */
export const domainsOf = (recipe: Recipe, rows: Rows, classes: number, job: Pick<Job, 'note'>): Float64Array | undefined => {
  const { domainKey: name } = recipe.data;
  if (name === undefined) return undefined;
  const words = rows.beside[name];
  const names = [...new Set(words)].toSorted();
  const numbers = new Map(names.map((word, i) => [word, i]));
  const of = Float64Array.from(words, (word) => numbers.get(word) ?? 0);
  const compares = comparing(recipe);
  if ((compares || recipe.extra.sampler?.part.needs?.includes('domains')) && names.length < 2)
    throw new Fault('training/column-values', {
      path: rows.bound.path,
      key: 'domainKey',
      name,
      reason: `holds one domain alone (${shown(names)}), and the recipe compares domains; give rows of at least two`,
    });
  const only = compares && classes > 0 ? lone(rows, of) : new Map<number, number>();
  if (only.size > 0)
    job.note(
      `${only.size === 1 ? 'Class' : 'Classes'} ${Array.from(only, ([c, d]) => `${rows.bound.classNames?.[c] ?? c} (domain '${names[d]}')`).join(', ')} ${only.size === 1 ? 'is' : 'are each'} found in one domain alone: different labels make the distances between domains large.`,
    );
  return of;
};

/** The number of each row by `data.indexKey`. Throws where one is no whole number. */
export const indicesOf = (recipe: Recipe, rows: Rows): Float64Array | undefined => {
  const { indexKey: name } = recipe.data;
  if (name === undefined) return undefined;
  const words = rows.beside[name];
  const numbers = Float64Array.from(words, (word) => (word.trim() === '' ? Number.NaN : Number(word)));
  const at = numbers.findIndex((n) => !Number.isSafeInteger(n));
  if (at >= 0)
    throw new Fault('training/column-values', {
      path: rows.bound.path,
      key: 'indexKey',
      name,
      reason: `holds '${words[at]}' in row ${rows.bound.rowAt(at)}, which is no whole number; name a column that numbers the rows`,
    });
  return numbers;
};
