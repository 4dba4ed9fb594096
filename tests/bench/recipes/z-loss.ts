import { diagnose } from '../../../src/app/diagnose.ts';
import { quietJob } from '../../../src/base/job.ts';
import { world } from '../../../src/jobs/world.ts';
import { beside, digitsData, digitsPath, type RecipeEntry, row } from './entry.ts';

/** Card 27-z-loss, on the digits in place of Fashion-MNIST. */
export const zLoss: RecipeEntry = {
  id: 'z-loss',
  title: 'Z-loss beside cross-entropy',
  source: 'arXiv:1604.08859',
  setting:
    'Digits, 1,438 rows to train and 359 to test, MLP 64-64-10, Adam 1e-3, batch 64, 65 epochs (1,495 steps, as in the card), 5 seeds; z-loss with (a, b) of (1, 0), (5, 2) and (10, 2.5). Then the grid of 20 (a, b) of Z-loss Sweep, on two thirds of the training rows, 2 repeats.',
  async run() {
    const recipe = {
      arch: { kind: 'mlp', hidden: '64' },
      ...digitsData,
      optimizer: { kind: 'adam', lr: 1e-3 },
      batch: 64,
      epochs: 65,
    };
    const rows: Awaited<ReturnType<RecipeEntry['run']>>['rows'][number][] = [];
    let worst = Infinity;
    for (const [a, b] of [
      [1, 0],
      [5, 2],
      [10, 2.5],
    ]) {
      const report = await beside({ ...recipe, loss: { kind: 'z-loss', a, b } }, 5);
      if (rows.length === 0) rows.push(row(report, 'test_accuracy_baseline', 'test accuracy, cross-entropy', 'fraction'));
      rows.push(row(report, 'test_accuracy', `test accuracy, z-loss (${a}, ${b})`, 'fraction'));
      rows.push(row(report, 'test_accuracy_difference', `difference, z-loss (${a}, ${b})`, 'fraction', '≥ −1 point'));
      worst = Math.min(worst, report.headline.test_accuracy_difference);
    }
    const sweep = await diagnose(
      {
        id: 'z-loss-sweep',
        data: { path: digitsPath, split: 'train', preprocess: { scale: 0.0625 } },
        options: { hidden: '64', epochs: 65, repeats: 2 },
        device: 'cpu',
        seed: 0,
      },
      await world(),
      { ...quietJob(), live: () => {} },
    );
    for (const [key, name] of [
      ['cross_entropy_top1_error', 'sweep: top-1 error, cross-entropy'],
      ['best_top1_error', 'sweep: top-1 error, best (a, b) by mean reciprocal rank'],
      ['cross_entropy_top3_error', 'sweep: top-3 error, cross-entropy'],
      ['best_top3_error', 'sweep: top-3 error, best (a, b)'],
      ['cross_entropy_mrr', 'sweep: mean reciprocal rank, cross-entropy'],
      ['best_mrr', 'sweep: mean reciprocal rank, best (a, b)'],
      ['best_a', 'sweep: a of the best'],
      ['best_b', 'sweep: b of the best'],
    ])
      rows.push(row(sweep, key, name, /best_[ab]$/.test(key) ? 'none' : 'fraction'));
    return {
      rows,
      says:
        worst >= -0.01
          ? 'Within 1 point of cross-entropy or better, as expected.'
          : 'With at least one (a, b) more than 1 point below cross-entropy.',
    };
  },
};
