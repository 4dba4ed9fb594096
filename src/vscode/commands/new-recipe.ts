import { dirname, join } from 'node:path';
import { type Choice, type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';
import { recipeData } from './model-files.ts';
import { chooseData } from './subject.ts';

/** A recipe to begin with, but for its data; `space` is the file of a search space that it names. */
interface Starter {
  readonly label: string;
  readonly detail: string;
  readonly recipe: object;
  readonly space?: object;
}

const adam = { optimizer: { kind: 'adam', lr: 0.001 }, batch: 64, epochs: 20 };
const mlp = { arch: { kind: 'mlp', hidden: '64,64' }, loss: 'cross-entropy' };
const SPACE = 'search-space.json';
const operations = ['identity', 'dense', 'dense-tanh', 'bottleneck 8'];

/** What papers usually set; every other part and option is completed in the file. */
export const starters = (): readonly Starter[] => [
  { label: t('Classifier'), detail: t('A multi-layer perceptron, trained by Adam'), recipe: { ...mlp, ...adam } },
  {
    label: t('Boosted head'),
    detail: t('Hidden units fitted a few at a time: the first ones are a model of their own (GBNN)'),
    recipe: { ...mlp, ...adam, regime: { kind: 'boosted-head', units: 200, unitsPerStep: 10, shrinkage: 0.5, bodyEpochs: 20 } },
  },
  {
    label: t('NoProp'),
    detail: t('Blocks that each denoise the label, without back-propagation through all of them'),
    recipe: {
      ...mlp,
      optimizer: { kind: 'adamw', lr: 0.001, weightDecay: 0.001 },
      ...{ batch: 128, epochs: 100, regime: { kind: 'noprop', blocks: 10 } },
    },
  },
  {
    label: t('Architecture search'),
    detail: t('One network with shared weights for a whole space of them, its paths and rows drawn by gradients (PA&DA)'),
    recipe: {
      ...mlp,
      optimizer: { kind: 'sgd', lr: 0.05, momentum: 0.9, weightDecay: 0.00025 },
      ...{ schedule: 'cosine', batch: 64, epochs: 60, clip: { norm: 5 }, sampler: 'importance' },
      regime: { kind: 'supernet', space: SPACE, retrain: 3, verify: 10 },
    },
    space: { stem: ['dense 64'], blocks: [operations, operations, operations] },
  },
  {
    label: t('Category queries'),
    detail: t('For very many classes: a query for each, of which the best-fitting few are told apart (CQ-DINO)'),
    recipe: {
      ...{ arch: { kind: 'mlp', hidden: '64' }, loss: 'sigmoid-focal', head: { kind: 'category-queries', dim: 64, heads: 8 } },
      optimizer: { kind: 'adamw', lr: 0.001, weightDecay: 0.0001 },
      ...{ schedule: { kind: 'multistep', milestones: '12,18' }, clip: { norm: 0.1 }, batch: 32, epochs: 24 },
    },
  },
  {
    label: t('Growing batch'),
    detail: t('AdaGrad with a batch that grows as noise hides the gradient (AdAdaGrad)'),
    recipe: {
      ...mlp,
      optimizer: { kind: 'adagrad', lr: 0.01 },
      ...{ batch: { size: 8, schedule: { kind: 'adaptive', start: 8, eta: 0.5, micro: 1024 } }, epochs: 20 },
    },
  },
  {
    label: t('Self-distillation'),
    detail: t('Trained more and more towards its own predictions of the epoch before (PS-KD)'),
    recipe: { ...mlp, ...adam, targets: 'ps-kd' },
  },
  {
    label: t('Defensive distillation'),
    detail: t('A teacher at a temperature, then the model anew on what it says'),
    recipe: { ...mlp, ...adam, regime: { kind: 'defensive-distillation', temperature: 20 } },
  },
];

export const newRecipe: Command = defineCommand({
  id: 'assay.newRecipe',
  title: 'New Training Recipe…',
  icon: '$(new-file)',
  async run(host, target) {
    const title = t('New Training Recipe');
    const choices = starters().map((starter): Choice<Starter> => ({ label: starter.label, detail: starter.detail, value: starter }));
    const starter = await host.pick(title, t('What to train'), choices);
    if (!starter) return;
    const data = await chooseData(host, title, target, 'none', [], t('Dataset'));
    if (!data || data === 'options') return;
    const { path } = data.ref;
    const kind = starter.label.toLowerCase().replaceAll(' ', '-');
    const out = await host.save(t('Recipe'), path.replace(/(\.[^./\\]+)?$/, `.${kind}.train.json`), { [t('Training recipes')]: ['json'] });
    if (out === undefined) return;
    const text = (content: object): string => `${JSON.stringify(content, undefined, 2)}\n`;
    if (starter.space) await host.create(join(dirname(out), SPACE), text(starter.space));
    await host.writeText(out, text({ ...recipeData(out, data.ref), ...starter.recipe, seed: 0 }));
  },
});
