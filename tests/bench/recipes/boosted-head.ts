import type { MeasuredRecipe } from '../../../src/manifest/measured-page.ts';
import { workshop } from '../../training/workshop.ts';
import { digitsData, digitsPath, type RecipeEntry } from './entry.ts';

const SEEDS = 2;
const shares = [0.1, 0.25, 0.5, 1];

/** Accuracy on the 360 test rows by the share of the units that is kept: rows held out are only measured, nothing is chosen by them. */
const staged = async (regime: object): Promise<number[]> => {
  const sums = shares.map(() => 0);
  for (let seed = 0; seed < SEEDS; seed++) {
    const preprocess = { scale: 0.0625 };
    const { report } = await workshop().run({
      arch: { kind: 'mlp', hidden: '' },
      data: { train: { path: digitsPath, split: 'train', preprocess }, val: { path: digitsPath, split: 'test', preprocess } },
      loss: 'cross-entropy',
      optimizer: 'adam',
      regime: { kind: 'boosted-head', units: 200, unitsPerStep: 10, ...regime },
      seed,
    });
    const table = report.cards.find((c) => c.title === 'Stages');
    if (table?.kind !== 'table') throw new Error('no table of stages');
    const at = table.columns.findIndex((c) => c.name === 'validation_accuracy');
    for (const [i, share] of shares.entries()) sums[i] += Number(table.rows[Math.round(share * table.rows.length) - 1][at]) / SEEDS;
  }
  return sums;
};

/** Card 06: how many of 200 logistic units are needed. */
export const boostedHead: RecipeEntry = {
  id: 'boosted-head',
  title: 'A hidden layer trained by gradient boosting (GBNN)',
  source: 'arXiv:1909.12098',
  setting:
    'Digits at 0 to 1, 1,437 rows to train and 360 to test, one hidden layer of 200 logistic units on the inputs, 20 steps of 10 units, or 50 of 4, by L-BFGS, mean of 2 seeds; beside it the same layer trained whole by Adam 1e-3, batch 200, 200 epochs.',
  async run() {
    const settings = [
      { name: 'η 0.5, all rows', regime: { shrinkage: 0.5, subsample: 1 }, due: [0.9722, 0.9806, 0.9722, 0.9694] },
      { name: 'η 1, half the rows', regime: { shrinkage: 1, subsample: 0.5 }, due: [0.9472, 0.9556, 0.9583, 0.9611] },
      {
        name: 'η 0.5, half the rows, 4 units a step',
        regime: { shrinkage: 0.5, subsample: 0.5, unitsPerStep: 4 },
        due: [0.9583, 0.9528, 0.9611, 0.9583],
      },
    ];
    const rows: MeasuredRecipe['rows'][number][] = [];
    const costs: number[] = [];
    for (const { name, regime, due } of settings) {
      const perStep = 'unitsPerStep' in regime ? Number(regime.unitsPerStep) : 10;
      const found = await staged(regime);
      costs.push(found[3] - found[2]);
      for (const [i, share] of shares.entries())
        rows.push({
          name: `test accuracy, ${name}, ${perStep * Math.round((200 / perStep) * share)} units`,
          value: found[i],
          unit: 'fraction',
          expected: `${(100 * due[i]).toFixed(2)} %`,
        });
    }
    let whole = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const { report } = await workshop().run({
        arch: { kind: 'mlp', hidden: '200', activation: 'sigmoid' },
        ...digitsData,
        loss: 'cross-entropy',
        optimizer: { kind: 'adam', lr: 1e-3 },
        batch: 200,
        epochs: 200,
        seed,
      });
      whole += report.headline.test_accuracy / SEEDS;
    }
    rows.push({ name: 'test accuracy, trained whole', value: whole, unit: 'fraction', expected: '96.11 % to 97.50 %' });
    const most = Math.max(...costs.map(Math.abs));
    return {
      rows,
      says: `${most <= 0.01 ? 'As expected' : 'Not as expected'}: leaving out the last half of the units changes the accuracy by ${costs.map((c) => `${(-100 * c).toFixed(2)}`).join(', ')} points.`,
    };
  },
};
