import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { MeasuredRecipe } from '../../src/manifest/measured-page.ts';
import { recipeEntries } from './recipes/index.ts';

/** The small experiments of the recipes, all or those named; each leaves its result for the docs (`npm run manifest`). */
export const recipeFigures = async (words: readonly string[]): Promise<Readonly<Record<string, MeasuredRecipe>>> => {
  const folder = fileURLToPath(new URL('./recipes/results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const results: Record<string, MeasuredRecipe> = {};
  for (const { run, ...about } of recipeEntries) {
    if (words.length > 0 && !words.includes(about.id)) continue;
    process.stderr.write(`  ${about.id}\n`);
    const { rows, says } = await run();
    const digits = (v: number): number => Number(v.toPrecision(5));
    const rounded = rows.map((r) => ({
      ...r,
      value: digits(r.value),
      ...(r.interval ? { interval: [digits(r.interval[0]), digits(r.interval[1])] as const } : {}),
    }));
    results[about.id] = { ...about, rows: rounded, says };
    writeFileSync(`${folder}${about.id}.json`, `${JSON.stringify(results[about.id], undefined, 2)}\n`);
  }
  return results;
};
