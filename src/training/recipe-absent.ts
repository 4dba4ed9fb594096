import { Fault } from '../base/fault.ts';

interface Absent {
  /** What it would do. */
  readonly does: string;
  readonly instead: string;
  /** The one value that is meant; any where absent. */
  readonly only?: unknown;
}

/** What a recipe cannot ask for, though the trainer's own papers speak of it, by the path of its key. */
const absent: Readonly<Record<string, Absent>> = {
  subset: {
    does: 'trains on rows that are chosen by a score',
    instead: "Store the numbers of the rows as an array of the data file and name it: data.train { path, split: '@ARRAY' }",
  },
  ensemble: { does: 'keeps several members of one run', instead: 'Train the recipe once for each seed' },
  lrScaling: { does: 'scales the rate with the batch', instead: 'Write the scaled rate in optimizer.lr' },
  'optimizer.lr': { does: 'finds a rate', instead: 'Write the rate as a number', only: 'auto' },
};

const at = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((v, key) => (typeof v === 'object' && v !== null ? (v as Record<string, unknown>)[key] : undefined), value);

/** Throws `training/absent` where a recipe as read from JSON asks for what there is not. */
export const refuseAbsent = (recipe: unknown, path: string): void => {
  for (const [where, { does, instead, only }] of Object.entries(absent)) {
    const given = at(recipe, where);
    if (given === undefined || (only !== undefined && given !== only)) continue;
    throw new Fault('training/absent', { path, where: only === undefined ? where : `${where} to ${JSON.stringify(only)}`, does, instead });
  }
};
