import type { MeasuredRecipe } from '../../../src/manifest/measured-page.ts';
import { beside, digitsData, monitored, type RecipeEntry, row } from './entry.ts';

const mean = (values: readonly number[]): number => values.reduce((s, v) => s + v, 0) / values.length;

/** Card 03-adamp (c), on the digits in place of Fashion-MNIST. */
export const adamp: RecipeEntry = {
  id: 'adamp',
  title: 'AdamP and SGDP beside AdamW and SGD before batch normalisations',
  source: 'arXiv:2006.08217',
  setting:
    'Digits, 1,437 rows to train and 360 to test, MLP 64-128-128-10 with batch normalisation of both hidden layers, batch 32, 14 epochs, no decay, cosine schedule to 0, 3 seeds; SGD and SGDP with momentum 0.9 at rate 0.1, AdamW and AdamP at 1e-3.',
  async run() {
    const base = {
      arch: { kind: 'mlp', hidden: '128,128', norm: 'batch' },
      ...digitsData,
      loss: 'cross-entropy',
      schedule: 'cosine',
      batch: 32,
      epochs: 14,
    };
    const sgd = { lr: 0.1, momentum: 0.9 };
    const rows: MeasuredRecipe['rows'][number][] = [];
    const ratio: Record<string, number> = {};
    for (const [kind, options] of [
      ['sgd', sgd],
      ['sgdp', sgd],
      ['adamw', { lr: 1e-3, weightDecay: 0 }],
      ['adamp', { lr: 1e-3 }],
    ] as const) {
      const recipe = { ...base, optimizer: { kind, ...options } };
      const lengths = await monitored({ ...recipe, monitor: ['weight-norm'] }, 'Length of the weights');
      const first = lengths['dense1.weight'];
      ratio[kind] = (first.at(-1) ?? Number.NaN) / first[0];
      const expected = { sgd: '1.82', sgdp: '1.08', adamw: '1.31', adamp: '1.02' }[kind];
      rows.push({
        name: `‖W₁‖ at the end over that after step 1, ${kind}`,
        value: ratio[kind],
        unit: 'none',
        expected: `${expected} on Fashion-MNIST`,
      });
    }
    const shares = await monitored({ ...base, optimizer: { kind: 'sgdp', ...sgd } }, 'Share of weights projected');
    for (const [name, expected] of [
      ['dense1.weight', 'all'],
      ['dense2.weight', 'all'],
      ['dense3.weight', 'few'],
    ] as const) {
      const share = mean(shares[`${name} by channel`]) + mean(shares[`${name} as a whole`]);
      rows.push({ name: `steps of SGDP that project ${name}`, value: share, unit: 'fraction', expected });
    }
    for (const [kind, options] of [
      ['sgdp', sgd],
      ['adamp', { lr: 1e-3 }],
    ] as const) {
      const report = await beside({ ...base, monitor: [], optimizer: { kind, ...options } }, 3);
      rows.push(row(report, 'test_accuracy', `test accuracy, ${kind}`, 'fraction'));
      rows.push(
        row(report, 'test_accuracy_difference', `difference from ${kind === 'sgdp' ? 'SGD' : 'AdamW'}`, 'fraction', 'none to be seen'),
      );
    }
    return {
      rows,
      says: `${ratio.sgdp < 0.7 * ratio.sgd ? 'As expected, the first weight grows by less than 0.7 times the factor with SGDP that it does with SGD' : 'The first weight grows by more than 0.7 times the factor with SGDP that it does with SGD, which is not as expected'}; a gain in accuracy is not promised at this scale. Lengths and shares are those of seed 0.`,
    };
  },
};
