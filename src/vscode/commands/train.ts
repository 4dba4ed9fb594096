import { basename, dirname, join } from 'node:path';
import { type Choice, type Command, defineCommand, type FileKinds, type Host, type Target } from '../define.ts';
import { t } from '../l10n.ts';

const models = (): FileKinds => ({ [t('ONNX models')]: ['onnx'] });

const chooseRecipe = async (host: Host, target: Target): Promise<string | undefined> => {
  if (target.file !== undefined) return target.file;
  const found = await host.find('**/*.train.json');
  const choices: Choice<string>[] = [
    ...found.map((path) => ({ label: basename(path), description: host.label(path), icon: 'mortar-board', value: path })),
    { label: t('Choose a recipe file…'), icon: 'folder-opened', group: t('elsewhere'), value: '' },
  ];
  const chosen = await host.pick(t('Train'), t('Recipe'), choices);
  return chosen === '' ? host.open(t('Recipe'), { [t('Training recipes')]: ['json'] }) : chosen;
};

interface Out {
  readonly path: string;
  readonly resume: boolean;
}

/** Beside the recipe, under its name. An existing file is replaced, and a checkpoint gone on from, only when the user says so. */
const chooseOut = async (host: Host, recipe: string): Promise<Out | undefined> => {
  const path = join(dirname(recipe), `${basename(recipe).replace(/(\.train)?\.json$/, '')}.onnx`);
  const [exists, checkpoint] = await Promise.all([host.exists(path), host.exists(path.replace(/\.onnx$/, '.checkpoint.state'))]);
  const name = basename(path);
  const choices: Choice<Out | 'elsewhere'>[] = [
    {
      label: exists ? t('Replace {0}', name) : name,
      description: host.label(path),
      icon: exists ? 'replace' : 'new-file',
      value: { path, resume: false },
    },
    ...(checkpoint
      ? [
          {
            label: t('Resume {0}', name),
            detail: t('Goes on from the last checkpoint'),
            icon: 'debug-continue',
            value: { path, resume: true },
          },
        ]
      : []),
    { label: t('Save as…'), icon: 'folder-opened', value: 'elsewhere' },
  ];
  const chosen = await host.pick(t('Train'), t('Where the trained model goes'), choices);
  if (chosen !== 'elsewhere') return chosen;
  const elsewhere = await host.save(t('Trained model'), path, models());
  return elsewhere === undefined ? undefined : { path: elsewhere, resume: false };
};

/** A recipe as its runs name it: with its folder where the workspace has several. */
const recipeName = (host: Host, recipe: string): string => (host.folders().length > 1 ? host.label(recipe) : basename(recipe));

export const train: Command = defineCommand({
  id: 'assay.train',
  title: 'Train…',
  icon: '$(mortar-board)',
  needsTrust: true,
  menus: { 'explorer/context': { when: 'resourceFilename =~ /\\.train\\.json$/ && resourceScheme == file', group: '7_assay@1' } },
  async run(host, target) {
    const recipe = await chooseRecipe(host, target);
    if (recipe === undefined) return;
    const out = await chooseOut(host, recipe);
    if (out === undefined) return;
    await host.launch({
      task: 'train',
      title: `Train ${basename(out.path)}`,
      subject: recipeName(host, recipe),
      ask: { recipe, out: out.path, device: host.device, resume: out.resume, force: false },
    });
  },
});

export const compareTraining: Command = defineCommand({
  id: 'assay.compareTraining',
  title: 'Train Beside Baseline…',
  icon: '$(git-compare)',
  needsTrust: true,
  menus: { 'explorer/context': { when: 'resourceFilename =~ /\\.train\\.json$/ && resourceScheme == file', group: '7_assay@2' } },
  async run(host, target) {
    const recipe = await chooseRecipe(host, target);
    if (recipe === undefined) return;
    const others = (await host.find('**/*.train.json')).filter((path) => path !== recipe);
    const choices: Choice<string>[] = [
      {
        label: t('Its natural baseline'),
        detail: t('The same recipe with the parts that its own are measured against'),
        icon: 'git-compare',
        value: 'baseline',
      },
      ...others.map((path) => ({
        label: basename(path),
        description: host.label(path),
        icon: 'mortar-board',
        group: t('another recipe'),
        value: path,
      })),
    ];
    const other = await host.pick(t('Train Beside'), t('What the recipe is compared with'), choices);
    if (other === undefined) return;
    const counts = [3, 5, 10, 20].map((n): Choice<number> => ({ label: t('{0} seeds', n), icon: 'symbol-number', value: n }));
    const seeds = await host.pick(t('Train Beside'), t('Seeds that both are trained with'), counts);
    if (seeds === undefined) return;
    await host.launch({
      task: 'train',
      title: `${basename(recipe)} beside ${other === 'baseline' ? 'its baseline' : basename(other)}`,
      subject: recipeName(host, recipe),
      ask: { recipe, out: '', device: host.device, resume: false, force: false, compare: { with: other, seeds } },
    });
  },
});
