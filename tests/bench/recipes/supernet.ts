import { kendall } from '../../../src/base/maths/correlation.ts';
import { workshop } from '../../training/workshop.ts';
import { digitsPath, type RecipeEntry } from './entry.ts';

const SEEDS = 3;
const block = ['identity', 'scale 0.1', 'dense', 'dense-tanh', 'bottleneck 3'];

/** Card 29, path and data: is the ranking by shared weights that of sub-models trained on their own? */
export const supernet: RecipeEntry = {
  id: 'supernet',
  title: 'A supernet with paths and rows drawn by gradients (PA&DA)',
  source: 'arXiv:2302.14772',
  setting:
    'Digits at 0 to 1, 1,078 rows to train and 359 to rank by; dense 24, then 3 blocks of identity, × 0.1, dense, dense with tanh and a bottleneck of 3 (125 sub-models); SGD 0.05 with momentum 0.9 and decay 2.5e-4, cosine, batch 64, 40 epochs, clipped at 5; 20 sub-models drawn by chance trained on their own for 20 epochs; 3 seeds.',
  async run() {
    const taus = async (given: object): Promise<{ readonly taus: number[]; readonly best: number }> => {
      const found: number[] = [];
      let best = 0;
      for (let seed = 0; seed < SEEDS; seed++) {
        const shop = workshop();
        shop.text('space.json', JSON.stringify({ stem: ['dense 24'], blocks: [block, block, block] }));
        const preprocess = { scale: 0.0625 };
        const { report } = await shop.run({
          ...{ arch: { kind: 'mlp', hidden: '24' }, split: { val: 0.25 }, loss: 'cross-entropy', batch: 64, epochs: 40, seed },
          data: { train: { path: digitsPath, split: 'train', preprocess }, test: { path: digitsPath, split: 'test', preprocess } },
          optimizer: { kind: 'sgd', lr: 0.05, momentum: 0.9, weightDecay: 2.5e-4 },
          schedule: 'cosine',
          clip: { norm: 5 },
          ...given,
        });
        const card = report.cards.find((c) => c.title === 'Ranking and stand-alone accuracy');
        const points = card?.kind === 'curve' ? card.lines[0].points : [];
        found.push(
          kendall(
            Float64Array.from(points, ([a]) => a),
            Float64Array.from(points, ([, b]) => b),
          ),
        );
        best += report.headline.test_accuracy / SEEDS;
      }
      return { taus: found, best };
    };
    const regime = { kind: 'supernet', space: 'space.json', verify: 20, retrain: 3, retrainEpochs: 20 };
    const even = await taus({ regime: { ...regime, paths: 'uniform' } });
    const both = await taus({ regime, sampler: 'importance' });
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const range = (values: readonly number[]): readonly [number, number] => [Math.min(...values), Math.max(...values)];
    const [a, b] = [mean(even.taus), mean(both.taus)];
    const unit = 'none' as const;
    return {
      rows: [
        {
          name: "Kendall's τ, paths drawn evenly (least and most)",
          value: a,
          interval: range(even.taus),
          unit,
          expected: 'above 0 (0.315)',
        },
        {
          name: "Kendall's τ, paths and rows by gradients (least and most)",
          value: b,
          interval: range(both.taus),
          unit,
          expected: 'above 0 (0.202)',
        },
        { name: 'test accuracy of the winner, paths drawn evenly', value: even.best, unit: 'fraction' },
        { name: 'test accuracy of the winner, paths and rows by gradients', value: both.best, unit: 'fraction' },
      ],
      says: `${a > 0 && b > 0 ? 'The ranking by shared weights says something either way' : 'A ranking by shared weights that says nothing'}: τ ${a.toFixed(3)} with even paths and ${b.toFixed(3)} with paths and rows by gradients. ${b > a ? 'Here gradients rank better' : "The paper's better ranking does not show on so small a space"}, with a spread over seeds of about ${((range(even.taus)[1] - range(even.taus)[0]) / 2).toFixed(2)}.`,
    };
  },
};
