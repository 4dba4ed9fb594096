import { workshop } from '../../training/workshop.ts';
import { digitsData, type RecipeEntry } from './entry.ts';

const SEEDS = 2;

/** Card 32: a chain of ten blocks trained without a gradient between them, beside a network of the same layers trained whole. */
export const noprop: RecipeEntry = {
  id: 'noprop',
  title: 'Training without back-propagation through the blocks (NoProp)',
  source: 'arXiv:2503.24322',
  setting:
    'Digits at 0 to 1, 1,437 rows to train and 360 to test, ten blocks of width 64 in turns, one-hot labels, η 0.1, cosine schedule, AdamW 1e-3 with decay 1e-3, batch 128, 40 epochs, mean of 2 seeds; beside it an MLP 64-128-64-10 trained by back-propagation for as many epochs, and the same chain with the gradient through all blocks, which at that rate was right on 55 % after as many, at 1e-2 for 100 epochs.',
  async run() {
    const base = {
      arch: { kind: 'mlp', hidden: '128,64' },
      ...digitsData,
      loss: 'cross-entropy',
      optimizer: { kind: 'adamw', lr: 1e-3, weightDecay: 1e-3 },
      batch: 128,
      epochs: 40,
    };
    const accuracy = async (recipe: object): Promise<number> => {
      let sum = 0;
      for (let seed = 0; seed < SEEDS; seed++) sum += (await workshop().run({ ...base, ...recipe, seed })).report.headline.test_accuracy;
      return sum / SEEDS;
    };
    const chain = { kind: 'noprop', blocks: 10 };
    const mean = await accuracy({ regime: chain });
    const after = await accuracy({ regime: { ...chain, order: 'sequential' } });
    const wide = await accuracy({ regime: { ...chain, high: 0.9999 } });
    const sampled = await accuracy({ regime: { ...chain, high: 0.9999, inference: 'sampled' } });
    const twin = await accuracy({
      regime: { ...chain, gradient: 'through' },
      optimizer: { kind: 'adamw', lr: 0.01, weightDecay: 1e-3 },
      epochs: 100,
    });
    const whole = await accuracy({});
    const unit = 'fraction' as const;
    return {
      rows: [
        { name: 'test accuracy, chain without noise, levels to 0.99', value: mean, unit, expected: '≥ 93 %' },
        { name: 'test accuracy, the same with one block after the other', value: after, unit },
        { name: 'test accuracy, chain without noise, levels to 0.9999', value: wide, unit, expected: '94.8 % and 97.8 %' },
        {
          name: 'test accuracy, one noise for all rows, levels to 0.9999',
          value: sampled,
          unit,
          expected: '91.8 % and 93.8 % with noise of its own for each row',
        },
        { name: 'test accuracy, back-propagation through the same chain, rate 1e-2, 100 epochs', value: twin, unit },
        { name: 'test accuracy, back-propagation of the MLP', value: whole, unit, expected: '97.4 % and 97.6 %' },
      ],
      says: `${mean >= 0.93 ? 'As expected' : 'Less than expected'}: the chain is right on ${(100 * mean).toFixed(2)} % of the rows, ${(100 * (whole - mean)).toFixed(2)} points below back-propagation of the MLP.`,
    };
  },
};
