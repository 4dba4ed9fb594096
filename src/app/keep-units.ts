import { openModel } from '../evidence/model.ts';
import { firstUnits } from '../training/regimes/boosted-prefix.ts';
import { loadedModel } from './grad.ts';
import type { UseCase } from './ports.ts';
import { saveModel } from './save-model.ts';

/** Writes a model with the first hidden units of its boosted head alone. */
export const keepUnits: UseCase<'keepUnits'> = async (ask, ports, job) => {
  job.progress(0, 'reading');
  const { model: opened } = await openModel({ path: ask.model }, ports, job);
  const { model, of } = firstUnits(await loadedModel(opened, ask.model, ports, job), ask.units, ask.model);
  const notes = await saveModel(model, ask.out, ports, job);
  job.progress(1, 'written');
  return { out: ask.out, units: ask.units, of, notes };
};
