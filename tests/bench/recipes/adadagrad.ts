import { workshop } from '../../training/workshop.ts';
import { beside, digitsData, type RecipeEntry, row } from './entry.ts';

const base = {
  arch: { kind: 'mlp', hidden: '' },
  ...digitsData,
  loss: 'cross-entropy',
  optimizer: { kind: 'adagrad', lr: 8e-3 },
  epochs: 10,
};
const adaptive = (eta: number): object => ({ ...base, batch: { size: 256, schedule: { kind: 'adaptive', start: 2, eta } } });

/** Card 30: how fast the batch grows, and what it costs by rows and by steps. */
export const adadagrad: RecipeEntry = {
  id: 'adadagrad',
  title: 'AdAdaGrad: batches that grow with the noise of the gradient',
  source: 'arXiv:2402.11215',
  setting:
    'Digits, 1,438 rows to train and 359 to test, softmax regression, AdaGrad 8e-3, 10 epochs, first batch 2, norm test; beside a batch of 256, and 2 for 4 epochs.',
  async run() {
    const shop = workshop();
    const rows: { name: string; value: number; unit: 'count' | 'none' | 'fraction'; expected?: string }[] = [];
    const measure = async (name: string, recipe: object): Promise<number> => {
      const { report } = await shop.run(recipe);
      const { steps, train_loss: loss } = report.headline;
      rows.push(
        { name: `steps, ${name}`, value: steps, unit: 'count' },
        { name: `training loss of the last epoch, ${name}`, value: loss, unit: 'none' },
      );
      return loss;
    };
    for (const eta of [0.1, 0.5, 1]) await measure(`η = ${eta}`, adaptive(eta));
    const fixed = await measure('batch 256', { ...base, batch: 256 });
    const small = await measure('batch 2, 4 epochs', { ...base, batch: 2, epochs: 4 });
    const compared = await beside(adaptive(1), 3);
    return {
      rows: [
        ...rows,
        row(compared, 'test_accuracy', 'test accuracy, η = 1, 3 seeds', 'fraction'),
        row(compared, 'test_accuracy_baseline', 'test accuracy, batch 256, 3 seeds', 'fraction'),
        row(compared, 'test_accuracy_difference', 'difference', 'fraction'),
      ],
      says: `Batches ramp up as in the card (there on Fashion-MNIST: 14, 50 and 164 steps, fixed 256: 235): fast for a small η, which then takes few steps and learns little from as many rows. Small constant batches reach the lowest loss by rows (${small.toFixed(3)} with 2, ${fixed.toFixed(3)} with 256), with the most steps.`,
    };
  },
};
