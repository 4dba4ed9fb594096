import { basename, dirname, join } from 'node:path';
import { type Choice, type Command, defineCommand, type FileKinds, type Host, type Target } from '../define.ts';

const models: FileKinds = { 'ONNX models': ['onnx'] };

const chooseRecipe = async (host: Host, target: Target): Promise<string | undefined> => {
  if (target.file !== undefined) return target.file;
  const found = await host.find('**/*.train.json');
  const choices: Choice<string>[] = [
    ...found.map((path) => ({ label: basename(path), description: host.label(path), icon: 'mortar-board', value: path })),
    { label: 'Choose a recipe file…', icon: 'folder-opened', group: 'elsewhere', value: '' },
  ];
  const chosen = await host.pick('Train', 'Recipe', choices);
  return chosen === '' ? host.open('Recipe', { 'Training recipes': ['json'] }) : chosen;
};

/** Beside the recipe, under its name; an existing file is replaced only when the user says so. */
const chooseOut = async (host: Host, recipe: string): Promise<string | undefined> => {
  const out = join(dirname(recipe), `${basename(recipe).replace(/(\.train)?\.json$/, '')}.onnx`);
  const exists = await host.exists(out);
  const choice = await host.pick('Train', 'Where the trained model goes', [
    {
      label: exists ? `Replace ${basename(out)}` : basename(out),
      description: host.label(out),
      icon: exists ? 'replace' : 'new-file',
      value: 'here' as const,
    },
    { label: 'Save as…', icon: 'folder-opened', value: 'elsewhere' as const },
  ]);
  if (choice === undefined) return undefined;
  return choice === 'here' ? out : host.save('Trained model', out, models);
};

export const train: Command = defineCommand({
  id: 'assay.train',
  title: 'Train…',
  icon: '$(mortar-board)',
  enablement: 'isWorkspaceTrusted',
  menus: { 'explorer/context': { when: 'resourceFilename =~ /\\.train\\.json$/ && resourceScheme == file', group: '7_assay@1' } },
  async run(host, target) {
    const recipe = await chooseRecipe(host, target);
    if (recipe === undefined) return;
    const out = await chooseOut(host, recipe);
    if (out === undefined) return;
    await host.launch({
      task: 'train',
      title: `Train ${basename(out)}`,
      subject: basename(recipe),
      ask: { recipe, out, device: host.device, resume: false, force: false },
    });
  },
});
