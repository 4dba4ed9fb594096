import { recipeSchema } from '../training/recipe-schema.ts';
import { catalogue } from './catalogue.ts';
import { generatedManifest } from './contributes.ts';
import { page } from './docs.ts';
import { suiteSchema } from './schema.ts';

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Every generated file: path → text. `packageJson` is the present one, whose hand-written part stays. */
export const generatedFiles = (packageJson: string): ReadonlyMap<string, string> => {
  const all = catalogue();
  return new Map([
    ['package.json', json({ ...(JSON.parse(packageJson) as object), ...generatedManifest(all) })],
    ['src/generated/catalogue.json', json(all)],
    ['media/schemas/assay.schema.json', json(suiteSchema(all))],
    ['media/schemas/recipe.schema.json', json(recipeSchema())],
    ...all.diagnostics.map((d): [string, string] => [`media/docs/${d.id}.md`, page(d)]),
  ]);
};
