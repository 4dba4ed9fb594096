import type { Job } from '../base/job.ts';
import { type Bagged, bagged } from '../data/bags.ts';
import { labelColumn } from '../data/columns.ts';
import type { Dataset } from '../data/define.ts';
import type { BindOptions } from './binding.ts';

/** Rows gathered into bags, where that was asked for. */
export const bagsOf = async (
  dataset: Dataset,
  { x, y }: { readonly x: string | undefined; readonly y: string | undefined },
  { bag, target, aside = [] }: BindOptions,
  job: Pick<Job, 'note' | 'signal'>,
): Promise<Bagged | undefined> => {
  if (!target || bag === undefined) return undefined;
  const found = await bagged(dataset, { key: bag, x, label: labelColumn(dataset, y), aside, target }, job.signal);
  job.note(found.note);
  return found;
};
