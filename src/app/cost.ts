import type { DataRef, ModelRef } from '../base/request.ts';
import type { Cost } from '../report/tasks.ts';
import { readRecipe } from '../training/recipe.ts';
import { layers } from './layers.ts';
import type { UseCase } from './ports.ts';

/** What a job would read, from the heads of its files. */
export const cost: UseCase<'cost'> = async (ask, ports, job): Promise<Cost> => {
  const models: ModelRef[] = [...(ask.models ?? [])];
  const tables: DataRef[] = ask.data ? [ask.data] : [];
  let length: Cost['length'];
  if (ask.recipe !== undefined) {
    const from = ask.recipe;
    const source = await ports.source(from);
    const recipe = readRecipe(new TextDecoder().decode(await source.read(0, source.size, job.signal)), from);
    length = recipe.length;
    if ('model' in recipe.source) models.push({ path: ports.resolve(from, recipe.source.model) });
    const { train, val, test } = recipe.data;
    for (const ref of [train, val, test]) if (ref) tables.push({ ...ref, path: ports.resolve(from, ref.path) });
  }
  let parameters = 0;
  let macs: number | null = models.length === 0 ? null : 0;
  for (const model of models) {
    const facts = await layers({ model, run: false }, ports, job);
    parameters += facts.parameters;
    macs = macs === null || facts.macs === null ? null : macs + facts.macs;
  }
  let rows: number | null = null;
  const [first] = tables;
  if (first) {
    const dataset = await ports.dataset(first.path, job.signal);
    rows = dataset.length;
    await dataset.close();
  }
  const reads = [
    ...new Set([...(ask.recipe === undefined ? [] : [ask.recipe]), ...models, ...tables].map((r) => (typeof r === 'string' ? r : r.path))),
  ];
  return { reads, rows, parameters, macs, ...(length ? { length } : {}) };
};
