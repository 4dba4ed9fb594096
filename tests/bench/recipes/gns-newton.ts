import { readFileSync } from 'node:fs';
import { readNpz } from '../../../src/data/npz.ts';
import { workshop } from '../../training/workshop.ts';
import { digitsData, type RecipeEntry } from './entry.ts';

const base = { arch: { kind: 'mlp', hidden: '' }, ...digitsData, loss: 'cross-entropy', batch: 'full' };
const newton = (curvature: string): object => ({ kind: 'gns-newton', curvature, l2: 1e-3, tolerance: 1e-6 });

/** Card 13: a softmax head with 650 parameters and L2 1e-3, as far as each method brings the gradient. */
export const gnsNewtonEntry: RecipeEntry = {
  id: 'gns-newton',
  title: 'Newton steps by gradient-normalized smoothness',
  source: 'arXiv:2506.13710',
  setting:
    'Digits, 1,438 rows, softmax regression with L2 1e-3 (650 parameters), the whole data in every step, conjugate gradients; empirical Fisher for 15 steps. One seed.',
  async run() {
    const shop = workshop();
    const ends = async (recipe: object): Promise<Readonly<Record<'steps' | 'norm' | 'descent', number>>> => {
      await shop.run(recipe, { force: true });
      const kept = readNpz(readFileSync(shop.at('out.checkpoint.state')));
      const numbers = (name: string): number[] => Array.from((kept[name]?.data ?? []) as Float64Array);
      const norms = numbers('curve/gradientNorm');
      const beside = numbers('monitor/gns-newton/descent-gradient').filter(Number.isFinite);
      return { steps: norms.length, norm: norms[norms.length - 1], descent: beside[beside.length - 1] };
    };
    const ggn = await ends({ ...base, optimizer: newton('ggn'), epochs: 20 });
    const diagonal = await ends({ ...base, optimizer: { kind: 'gns-newton', l2: 1e-3, tolerance: 1e-6, norm: 'curvature' }, epochs: 20 });
    const fisher = await ends({ ...base, optimizer: newton('empirical-fisher'), epochs: 15 });
    return {
      rows: [
        { name: 'steps, Gauss–Newton', value: ggn.steps, unit: 'count', expected: '≤ 12 to a gradient of 1e-6' },
        { name: 'gradient norm at the end, Gauss–Newton', value: ggn.norm, unit: 'none', expected: '≤ 1e-6' },
        { name: 'gradient norm by as many steps of gradient descent', value: ggn.descent, unit: 'none' },
        { name: 'steps, Gauss–Newton in the norm of its first diagonal', value: diagonal.steps, unit: 'count' },
        { name: 'gradient norm at the end in that norm', value: diagonal.norm, unit: 'none', expected: '≤ 1e-6' },
        { name: 'gradient norm after 15 steps, empirical Fisher', value: fisher.norm, unit: 'none', expected: '2.2e-3 after 60 steps' },
      ],
      says:
        ggn.norm <= 1e-6 && ggn.norm < fisher.norm
          ? `As in the card: Gauss–Newton, here the Hessian, ends in ${ggn.steps - 1} steps; the empirical Fisher matrix is slower by far where the least loss is not zero.`
          : 'Not as in the card.',
    };
  },
};
