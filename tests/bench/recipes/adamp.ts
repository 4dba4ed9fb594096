import type { MeasuredRecipe } from '../../../src/manifest/measured-page.ts';
import { beside, digitsData, type RecipeEntry, row, watched } from './entry.ts';
import { fashionData, withoutFashion } from './fashion.ts';

type Rows = MeasuredRecipe['rows'][number][];
type Kind = 'sgd' | 'sgdp' | 'adamw' | 'adamp';
type Expected = Readonly<Partial<Record<Kind, string>>>;
const optimizers: Readonly<Record<Kind, object>> = {
  sgd: { kind: 'sgd', lr: 0.1, momentum: 0.9 },
  sgdp: { kind: 'sgdp', lr: 0.1, momentum: 0.9 },
  adamw: { kind: 'adamw', lr: 1e-3, weightDecay: 0 },
  adamp: { kind: 'adamp', lr: 1e-3 },
};
const kinds = Object.keys(optimizers) as Kind[];
/** Both are fed to a batch normalisation. */
const normed = ['dense1.weight', 'dense2.weight'] as const;
const base = { arch: { kind: 'mlp', hidden: '128,128', norm: 'batch' }, loss: 'cross-entropy' };
const mean = (values: readonly number[]): number => values.reduce((s, v) => s + v, 0) / values.length;

type Curve = Awaited<ReturnType<typeof watched>>['curve'];
const grownOf = (curve: Curve): readonly number[] => {
  const lengths = curve('Length of the weights');
  return normed.map((name) => (lengths[name].at(-1) ?? Number.NaN) / lengths[name][0]);
};
const tellGrowth = (of: string, kind: Kind, grown: readonly number[], rows: Rows, expected?: string): void => {
  for (const [i, name] of normed.entries())
    rows.push({
      name: `${of}: length of ${name} at the end over that after step 1, ${kind}`,
      value: grown[i],
      unit: 'none',
      ...(i === 0 && expected !== undefined ? { expected } : {}),
    });
};
/** How much less both weights grow with SGDP than with SGD. */
const growthBeside = (grown: Readonly<Partial<Record<Kind, readonly number[]>>>): readonly number[] =>
  normed.map((_, i) => (grown.sgdp?.[i] ?? Number.NaN) / (grown.sgd?.[i] ?? Number.NaN));

/** Growth of the weights, steps projected and accuracies with a rate that falls to 0. */
const lowered = async (of: string, recipe: object, rows: Rows, growths: Expected, accuracies: Expected): Promise<readonly number[]> => {
  const grown: Partial<Record<Kind, readonly number[]>> = {};
  for (const kind of kinds) {
    const { curve } = await watched({ ...recipe, optimizer: optimizers[kind], monitor: ['weight-norm', 'projection'] });
    const own = grownOf(curve);
    grown[kind] = own;
    tellGrowth(of, kind, own, rows, growths[kind]);
    if (kind !== 'sgdp') continue;
    const shares = curve('Share of weights projected');
    for (const [name, expected] of [...normed.map((n) => [n, 'all'] as const), ['dense3.weight', 'few'] as const]) {
      const share = mean(shares[`${name} by channel`]) + mean(shares[`${name} as a whole`]);
      rows.push({ name: `${of}: steps of SGDP that project ${name}`, value: share, unit: 'fraction', expected });
    }
  }
  for (const [kind, other] of [
    ['sgdp', 'sgd'],
    ['adamp', 'adamw'],
  ] as const) {
    const report = await beside({ ...recipe, monitor: [], optimizer: optimizers[kind] }, 3);
    rows.push(row(report, 'test_accuracy', `${of}: test accuracy, ${kind}`, 'fraction', accuracies[kind]));
    rows.push(row(report, 'test_accuracy_baseline', `${of}: test accuracy, ${other}`, 'fraction', accuracies[other]));
    rows.push(row(report, 'test_accuracy_difference', `${of}: difference from ${other}`, 'fraction', 'none to be seen'));
  }
  return growthBeside(grown);
};

/** At a constant rate: what the growth of the weights does to the steps, and what that is worth. */
const constant = async (of: string, recipe: object, rows: Rows): Promise<{ readonly less: readonly number[]; readonly ahead: boolean }> => {
  const accuracy: number[] = [];
  const grown: Partial<Record<Kind, readonly number[]>> = {};
  for (const [kind, growth, step, right] of [
    ['sgd', '2.30', '0.012; 0.0077 in PyTorch', '84.23 %'],
    ['sgdp', '1.17', '0.033 to 0.051; 0.021 in PyTorch', '81.33 %'],
  ] as const) {
    const monitor = ['weight-norm', { kind: 'update-ratio', weights: true }];
    const { report, curve } = await watched({ ...recipe, optimizer: optimizers[kind], monitor });
    const own = grownOf(curve);
    grown[kind] = own;
    tellGrowth(of, kind, own, rows, growth);
    const steps = curve('Update-to-weight ratio')['dense1.weight'];
    const last = mean(steps.slice(-Math.ceil(steps.length / 10)));
    rows.push({ name: `${of}: ‖Δw‖/‖w‖ of dense1.weight, last tenth, ${kind}`, value: last, unit: 'none', expected: step });
    accuracy.push(report.headline.test_accuracy);
    rows.push({ name: `${of}: test accuracy, ${kind}`, value: report.headline.test_accuracy, unit: 'fraction', expected: right });
  }
  return { less: growthBeside(grown), ahead: accuracy[0] > accuracy[1] };
};

/** Card 03-adamp (c), and the same on the digits. */
export const adamp: RecipeEntry = {
  id: 'adamp',
  title: 'AdamP and SGDP beside AdamW and SGD before batch normalisations',
  source: 'arXiv:2006.08217',
  setting:
    'Fashion-MNIST (fashion-mnist/ of ASSAY_BENCH_DATA), the first 10,000 training and all 10,000 test pictures, batch 128, 8 epochs; digits, 1,437 rows to train and 360 to test, batch 32, 14 epochs; MLP with two hidden layers of 128, each with batch normalisation, no decay, cosine schedule to 0, 3 seeds; SGD and SGDP with momentum 0.9 at rate 0.1, AdamW and AdamP at 1e-3. Lengths, shares and runs at a constant rate are of seed 0.',
  async run() {
    const rows: Rows = [];
    const told = (less: readonly number[]): string => normed.map((name, i) => `${less[i].toFixed(2)} of ${name}`).join(' and ');
    const pictures = fashionData(10_000);
    let clothes = withoutFashion;
    if (pictures) {
      const fashionable = { ...base, ...pictures, batch: 128, epochs: 8 };
      const less = await lowered(
        'Fashion-MNIST',
        { ...fashionable, schedule: 'cosine' },
        rows,
        { sgd: '1.82', sgdp: '1.08', adamw: '1.31', adamp: '1.02' },
        { sgd: '86.14 %', sgdp: '86.14 %', adamw: '85.92 %', adamp: '85.96 %' },
      );
      const fixed = await constant('Fashion-MNIST, constant rate', fashionable, rows);
      const both = fixed.less.every((v) => v < 0.7) && less[0] < 0.7;
      clothes = `On Fashion-MNIST, the data of the card, the growth with SGDP over that with SGD is ${told(less)}, and ${told(fixed.less)} at a constant rate: ${both ? 'below the 0.7 of the card at a constant rate, and with a rate that falls for the first weight, which the card measured' : 'not below the 0.7 of the card'}. PyTorch has the same of the second, 1.03 over 1.35. At a constant rate SGD is ${fixed.ahead ? 'ahead, as in the card: growth shortens its steps, where those of SGDP stay long and ask for a schedule' : 'not ahead, unlike in the card'}.`;
    }
    const less = await lowered('digits', { ...base, ...digitsData, batch: 32, epochs: 14, schedule: 'cosine' }, rows, {}, {});
    return { rows, says: `${clothes} On the digits it is ${told(less)}. A gain in accuracy is not promised at this scale.` };
  },
};
