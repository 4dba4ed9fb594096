import { beside, digitsData, type RecipeEntry, row } from './entry.ts';

/** Card 00-training-common: the smoke test of the trainer, beside SGD at its own rate. */
export const digitsTrainer: RecipeEntry = {
  id: 'digits-trainer',
  title: 'The trainer on the digits',
  source: 'arXiv:1412.6980 (Adam)',
  setting: 'Digits, 1,437 rows to train and 360 to test, MLP 64-64-10, batch 32, 20 epochs, 5 seeds; Adam 1e-3 beside SGD 0.1.',
  async run() {
    const base = { arch: { kind: 'mlp', hidden: '64' }, ...digitsData, loss: 'cross-entropy', batch: 32, epochs: 20 };
    const adam = { ...base, optimizer: { kind: 'adam', lr: 1e-3 } };
    const report = await beside(adam, 5, { ...base, optimizer: { kind: 'sgd', lr: 0.1 } });
    return {
      rows: [
        row(report, 'test_accuracy', 'test accuracy, Adam', 'fraction', '≥ 95 % (96.39 % measured in PyTorch)'),
        row(report, 'test_accuracy_baseline', 'test accuracy, SGD', 'fraction'),
        row(report, 'test_accuracy_difference', 'difference', 'fraction'),
      ],
      says: report.headline.test_accuracy >= 0.95 ? 'As expected.' : 'Less than expected.',
    };
  },
};
