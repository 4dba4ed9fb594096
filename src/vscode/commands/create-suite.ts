import { basename, dirname, extname, join, sep } from 'node:path';
import { draftText } from '../authoring/draft-text.ts';
import { type Command, defineCommand, type Host, type Target } from '../define.ts';
import { t } from '../l10n.ts';

const chooseFolder = async (host: Host, target: Target): Promise<string | undefined> => {
  if (target.file !== undefined) return extname(target.file) === '' ? target.file : dirname(target.file);
  const folders = host.folders();
  if (folders.length <= 1) return folders[0]?.path;
  return host.pick(
    t('Create assay.json'),
    t('Folder'),
    folders.map(({ name, path }) => ({ label: name, description: path, icon: 'folder', value: path })),
  );
};

/** Folders of images by class: two folders or more beside each other that hold images. */
const imageFolders = (images: readonly string[]): readonly string[] => {
  const classes = new Map<string, Set<string>>();
  for (const image of images) {
    const folder = dirname(image);
    classes.set(dirname(folder), (classes.get(dirname(folder)) ?? new Set()).add(folder));
  }
  const found = Array.from(classes, ([folder, of]) => ({ folder, of })).filter(({ of }) => of.size > 1);
  return found.map(({ folder }) => folder).filter((folder) => !found.some((other) => other.of.has(folder)));
};

/** Writes an `assay.json` for the models and data of a folder; one that is there already is only shown. */
export const createSuite: Command = defineCommand({
  id: 'assay.createSuite',
  title: 'Create assay.json',
  icon: '$(new-file)',
  needsTrust: true,
  menus: { 'explorer/context': { when: 'explorerResourceIsFolder && resourceScheme == file', group: '7_assay@1' } },
  async run(host, target) {
    const folder = await chooseFolder(host, target);
    if (folder === undefined) {
      if (host.folders().length === 0)
        await host.say(t('Open a folder of a disk first: an assay.json stands in a folder of the workspace.'));
      return;
    }
    const path = join(folder, 'assay.json');
    if (await host.exists(path)) {
      await host.show(path);
      void host.say(t('{0} is there already and was left as it is.', host.label(path)));
      return;
    }
    const within = async (glob: string): Promise<readonly string[]> =>
      (await host.find(glob)).filter((file) => file.startsWith(folder.endsWith(sep) ? folder : folder + sep));
    const endings = host.catalogue.readers.flatMap((reader) => reader.endings);
    const [models, data, images, lists, json] = await Promise.all([
      within('**/*.onnx'),
      within(`**/*{${endings.join(',')}}`),
      within('**/*.{png,jpg,jpeg}'),
      within('**/*{labels,classes,synset}*.{txt,json}'),
      within('**/*{tokenizer,vocab,.train}*.json'),
    ]);
    const folders = imageFolders(images);
    const found = {
      models: models.filter((file) => !file.endsWith('.checkpoint.onnx')),
      data: [...data.filter((file) => !folders.some((of) => file.startsWith(of + sep))), ...folders],
    };
    if (found.models.length + found.data.length === 0) {
      const train = t('Train a Model…');
      const chosen = await host.say(
        t("There is no .onnx model and no data under '{0}' to write an assay.json for.", basename(folder)),
        train,
      );
      if (chosen === train) await host.execute('assay.train');
      return;
    }
    const drafted = await host.draft({
      path,
      ...found,
      labels: lists,
      tokenizers: json.filter((file) => !file.endsWith('.train.json') && !/tokenizer_config/.test(file)),
      recipes: json.filter((file) => file.endsWith('.train.json')),
    });
    if (!drafted) return;
    const written = await host.create(path, draftText(drafted));
    await host.show(path);
    if (!written) return;
    const { models: m = {}, datasets = {}, checks = [] } = drafted.suite;
    const [some, sets] = [Object.keys(m).length, Object.keys(datasets).length];
    const sentence = t(
      'Wrote {0}: {1}, {2}, {3}.',
      host.label(path),
      some === 1 ? t('1 model') : t('{0} models', some),
      sets === 1 ? t('1 dataset') : t('{0} datasets', sets),
      checks.length === 1 ? t('1 check') : t('{0} checks', checks.length),
    );
    const run = t('Run Checks');
    const chosen = await host.say(sentence, ...(checks.length > 0 ? [run] : []));
    if (chosen === run) await host.execute('assay.runSuite', { suite: path });
  },
});
