import { basename, dirname, relative } from 'node:path';
import type { DataRef, ModelRef } from '../../base/request.ts';
import { type Command, defineCommand, type Host, type Target } from '../define.ts';
import { t } from '../l10n.ts';
import { chooseData, chooseModel } from './subject.ts';
import { train } from './train.ts';

const onFile = 'resourceExtname == .onnx && resourceScheme == file';
const onModel = 'view == assay.models && viewItem == model';

/** A model and data for it; undefined when dismissed. */
const chooseBoth = async (
  host: Host,
  title: string,
  target: Target,
): Promise<{ readonly model: ModelRef; readonly data: DataRef } | undefined> => {
  const model = await chooseModel(host, title, target, false);
  if (!model || model === 'none') return undefined;
  const data = await chooseData(host, title, {}, model, []);
  return data && data !== 'options' ? { model: model.ref, data: data.ref } : undefined;
};

/** Two files chosen in the explorer or the view, else one and another that is picked. */
export const compareModelFiles: Command = defineCommand({
  id: 'assay.compareModelFiles',
  title: 'Compare Model Files…',
  icon: '$(diff)',
  menus: {
    'explorer/context': { when: onFile, group: '7_assay@4' },
    'editor/title': { when: 'activeCustomEditorId == assay.model', group: '1_assay@1' },
    'view/item/context': { when: onModel, group: '2_model@3' },
  },
  async run(host, target) {
    const title = t('Compare Model Files');
    const [first, other] = (target.files ?? []).filter((path) => path.endsWith('.onnx'));
    if (first !== undefined && other !== undefined) return host.compareFiles(first, other);
    const model = await chooseModel(host, title, target, false);
    if (!model || model === 'none') return;
    const second = await chooseModel(host, title, {}, false, t('File to compare {0} with', basename(model.ref.path)));
    if (second && second !== 'none') host.compareFiles(model.ref.path, second.ref.path);
  },
});

export const profileModel: Command = defineCommand({
  id: 'assay.profileModel',
  title: 'Profile Layers…',
  icon: '$(dashboard)',
  needsTrust: true,
  menus: {
    'explorer/context': { when: onFile, group: '7_assay@5' },
    'view/item/context': { when: onModel, group: '2_model@4' },
  },
  async run(host, target) {
    const title = t('Profile Layers');
    const chosen = await chooseBoth(host, title, target);
    if (chosen) await host.profileModel(chosen.model, chosen.data);
  },
});

const besideOf =
  (recipe: string) =>
  (path: string): string =>
    relative(dirname(recipe), path).replaceAll('\\', '/');

/** The keys of a recipe that name its data: what is only for testing stays so. */
export const recipeData = (recipe: string, data: DataRef): object => {
  const beside = besideOf(recipe);
  const of = ({ path, labels, ...rest }: DataRef): DataRef => ({
    path: beside(path),
    ...(labels === undefined ? {} : { labels: beside(labels) }),
    ...rest,
  });
  const tested = data.split === 'test';
  return {
    data: tested ? { train: of({ ...data, split: 'train' }), test: of(data) } : { train: of(data) },
    split: { val: 0.1, stratified: true },
  };
};

/** A recipe that goes on from a model. */
export const furtherRecipe = (recipe: string, model: string, data: DataRef): string => {
  const whole = {
    model: besideOf(recipe)(model),
    ...recipeData(recipe, data),
    loss: 'cross-entropy',
    optimizer: { kind: 'adam', lr: 0.0003 },
    batch: 32,
    epochs: 5,
    seed: 0,
  };
  return `${JSON.stringify(whole, undefined, 2)}\n`;
};

export const trainFurther: Command = defineCommand({
  id: 'assay.trainFurther',
  title: 'Train Further…',
  icon: '$(mortar-board)',
  needsTrust: true,
  menus: {
    'explorer/context': { when: onFile, group: '7_assay@6' },
    'view/item/context': { when: onModel, group: '2_model@1' },
  },
  async run(host, target) {
    const title = t('Train Further');
    const chosen = await chooseBoth(host, title, target);
    if (!chosen) return;
    const { model, data } = chosen;
    const path = model.path.replace(/(\.onnx)?$/, '.further.train.json');
    const recipe = await host.save(t('Recipe'), path, { [t('Training recipes')]: ['json'] });
    if (recipe === undefined) return;
    await host.writeText(recipe, furtherRecipe(recipe, model.path, data));
    await train.run(host, { file: recipe });
  },
});

export const revealFile: Command = defineCommand({
  id: 'assay.revealFile',
  title: 'Reveal in Explorer',
  palette: 'false',
  menus: { 'view/item/context': { when: 'view =~ /^assay\\.(models|datasets)$/ && viewItem =~ /^(model|dataset)$/', group: '9_file@1' } },
  async run(host, target) {
    const [path] = target.files ?? [];
    if (path !== undefined) await host.reveal(path);
  },
});
