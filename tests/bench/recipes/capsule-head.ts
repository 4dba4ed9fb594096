import { beside, digitsData, type RecipeEntry, row } from './entry.ts';

/** Card 35-domain-weighted-capsules: the capsule head alone. */
export const capsuleHead: RecipeEntry = {
  id: 'capsule-head',
  title: 'Capsules on the digits',
  source: 'arXiv:1710.09829; arXiv:2306.17068',
  setting:
    'Digits, 1,438 rows to train and 359 to test, 32 voting capsules of 8, class capsules of 16, 3 rounds of routing, Adam 1e-3, 300 steps of 64, 3 seeds; beside a linear model with cross-entropy. The card has 1,200 rows to train, 597 to test and 1 seed.',
  async run() {
    const base = { ...digitsData, optimizer: { kind: 'adam', lr: 1e-3 }, batch: 64, steps: 300 };
    const report = await beside({ ...base, arch: 'capsule', loss: 'margin' }, 3, { ...base, arch: 'linear', loss: 'cross-entropy' });
    return {
      rows: [
        row(report, 'test_accuracy', 'test accuracy, capsules', 'fraction', '≥ 92 % (94.8 % measured in PyTorch)'),
        row(report, 'test_accuracy_baseline', 'test accuracy, linear', 'fraction'),
        row(report, 'test_accuracy_difference', 'difference', 'fraction'),
      ],
      says: report.headline.test_accuracy >= 0.92 ? 'As expected.' : 'Less than expected.',
    };
  },
};
