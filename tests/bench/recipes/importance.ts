import { beside, digitsData, type RecipeEntry, row } from './entry.ts';

/** The data sampling of card 29-pada-sampling alone; its search for architectures is not part of this. */
export const importance: RecipeEntry = {
  id: 'importance',
  title: 'Importance sampling beside shuffling',
  source: 'arXiv:2302.14772',
  setting:
    'Digits, 1,438 rows to train and 359 to test, MLP 64-64-10, SGD 0.05 with momentum 0.9, weight decay 2.5e-4, cosine, clip 5, batch 64, 15 epochs, 3 seeds.',
  async run() {
    const recipe = {
      arch: { kind: 'mlp', hidden: '64' },
      ...digitsData,
      loss: 'cross-entropy',
      optimizer: { kind: 'sgd', lr: 0.05, momentum: 0.9, weightDecay: 2.5e-4 },
      schedule: 'cosine',
      clip: { norm: 5 },
      batch: 64,
      epochs: 15,
    };
    const rows: Awaited<ReturnType<RecipeEntry['run']>>['rows'][number][] = [];
    const gains: number[] = [];
    const losses: number[] = [];
    for (const reweight of [false, true]) {
      const name = reweight ? 'importance, reweighted' : 'importance';
      const report = await beside({ ...recipe, sampler: { kind: 'importance', reweight } }, 3);
      if (rows.length === 0) rows.push(row(report, 'test_accuracy_baseline', 'test accuracy, shuffled', 'fraction'));
      rows.push(row(report, 'test_accuracy', `test accuracy, ${name}`, 'fraction'));
      rows.push(row(report, 'test_accuracy_difference', `difference, ${name}`, 'fraction'));
      rows.push(row(report, 'test_loss_difference', `difference of the test loss (nats), ${name}`, 'none'));
      gains.push(report.headline.test_accuracy_difference);
      losses.push(report.headline.test_loss_difference);
    }
    const points = gains.map((g) => (100 * g).toFixed(2));
    return {
      rows,
      says: `Differences of ${points.join(' and ')} points from shuffling; three seeds of 359 test rows cannot tell less than about a point apart, and where an interval has no width each seed got as many rows right by chance. The test loss differs by ${losses.map((l) => l.toFixed(4)).join(' and ')} nats. The card found no gain on small spaces either.`,
    };
  },
};
