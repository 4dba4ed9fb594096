import { recipeSchema } from '../training/recipe-schema.ts';
import { catalogue } from './catalogue.ts';
import { generatedManifest } from './contributes.ts';
import { page } from './docs.ts';
import { catalogueTexts, l10nBundle } from './l10n.ts';
import { localise } from './localise.ts';
import { type MeasuredRecipe, measuredPage } from './measured-page.ts';
import { withGenerated } from './readme.ts';
import { recipePage } from './recipe-page.ts';
import { suiteSchema } from './schema.ts';

/** Where texts stand that are in the language of the window: in the extension host, and in its pages. */
const spoken = ['src/vscode', 'webview'];

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Every generated file: path → text. `read` gives the present ones, whose hand-written parts stay; `list` the names in a folder and under it. */
export const generatedFiles = (
  read: (path: string) => string,
  list: (folder: string) => readonly string[],
): ReadonlyMap<string, string> => {
  const all = catalogue();
  const { value, words } = localise(generatedManifest(all));
  const texts = spoken.flatMap((room) =>
    list(room)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${room}/${name}`),
  );
  const results = 'tests/bench/recipes/results';
  const measured = list(results).toSorted();
  return new Map([
    ['package.json', json({ ...(JSON.parse(read('package.json')) as object), ...(value as object) })],
    ['package.nls.json', json(words)],
    ['media/l10n/bundle.l10n.json', json(l10nBundle(texts.map(read), catalogueTexts(all)))],
    ['README.md', withGenerated(read('README.md'))],
    ['src/generated/catalogue.json', json(all)],
    ['media/schemas/assay.schema.json', json(suiteSchema(all))],
    ['media/schemas/recipe.schema.json', json(recipeSchema())],
    ['media/docs/recipe.md', recipePage()],
    ['media/docs/recipes-measured.md', measuredPage(measured.map((name) => JSON.parse(read(`${results}/${name}`)) as MeasuredRecipe))],
    ...all.diagnostics.map((d): [string, string] => [`media/docs/${d.id}.md`, page(d)]),
  ]);
};
