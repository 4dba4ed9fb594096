import { beside, digitsData, type RecipeEntry, row, watched } from './entry.ts';

/** Card 22-diffgrad (c). */
export const diffgrad: RecipeEntry = {
  id: 'diffgrad',
  title: 'diffGrad beside Adam at half the rate, and at the same',
  source: 'arXiv:1909.11015',
  setting: 'Digits, 1,437 rows to train and 360 to test, MLP 64-64-10, batch 32, 20 epochs, 5 seeds; diffGrad at 1e-3.',
  async run() {
    const base = { arch: { kind: 'mlp', hidden: '64' }, ...digitsData, loss: 'cross-entropy', batch: 32, epochs: 20 };
    const own = { ...base, optimizer: { kind: 'diffgrad', lr: 1e-3 } };
    const half = await beside({ ...own, monitor: [] }, 5, { ...base, optimizer: { kind: 'adam', lr: 5e-4 } });
    const same = await beside({ ...own, monitor: [] }, 5);
    const friction = (await watched(own)).curve('Friction of diffGrad')['dense1.weight'];
    const apart = Math.abs(half.headline.train_loss_difference / half.headline.train_loss_baseline);
    return {
      rows: [
        row(half, 'test_accuracy', 'test accuracy, diffGrad 1e-3', 'fraction', '94.33 %'),
        row(half, 'test_accuracy_baseline', 'test accuracy, Adam 5e-4', 'fraction', '94.33 %'),
        row(same, 'test_accuracy_baseline', 'test accuracy, Adam 1e-3', 'fraction', '96.39 %'),
        row(half, 'train_loss', 'training loss, diffGrad 1e-3', 'none', '0.23643'),
        row(half, 'train_loss_baseline', 'training loss, Adam 5e-4', 'none', '0.23815'),
        row(same, 'train_loss_baseline', 'training loss, Adam 1e-3', 'none', '0.12265'),
        { name: 'relative difference of the losses of diffGrad and Adam 5e-4', value: apart, unit: 'fraction', expected: '< 3 %' },
        {
          name: 'mean friction of the first layer',
          value: friction.reduce((s, v) => s + v, 0) / friction.length,
          unit: 'none',
          expected: '0.5009',
        },
      ],
      says:
        apart < 0.03
          ? 'diffGrad is Adam at half the rate here, as expected: the friction never leaves 1/2.'
          : 'diffGrad and Adam at half the rate differ by more than expected.',
    };
  },
};
