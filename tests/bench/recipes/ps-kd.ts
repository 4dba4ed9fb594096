import { readFileSync } from 'node:fs';
import { random } from '../../../src/base/random.ts';
import { float32, int64 } from '../../../src/base/tensor.ts';
import { readNpz } from '../../../src/data/npz.ts';
import { workshop } from '../../training/workshop.ts';
import { digitsPath, type RecipeEntry } from './entry.ts';

const SEEDS = 3;
const TRAINED = 600;
const names = ['error', 'nll', 'aurc', 'ece'] as const;
type Scores = Record<(typeof names)[number], number>;

/** All digits in an order of the seed: 600 to train, a fifth of them with a label drawn anew, and 1,197 as they are. */
const noisy = (seed: number) => {
  const digits = readNpz(readFileSync(digitsPath));
  const x = Array.from(digits.x.data as Float64Array, (v) => v / 16);
  const y = Array.from(digits.y.data as BigInt64Array, Number);
  const draw = random(seed, 'noisy digits');
  const order = y.map((_, i) => i);
  draw.shuffle(order);
  const part = (places: readonly number[], label: (y: number) => number) => ({
    x: float32(
      [places.length, 64],
      places.flatMap((p) => x.slice(64 * p, 64 * p + 64)),
    ),
    y: int64(
      [places.length],
      places.map((p) => label(y[p])),
    ),
  });
  const relabelled = (label: number): number => (draw.next() < 0.2 ? Math.floor(10 * draw.next()) : label);
  return { train: part(order.slice(0, TRAINED), relabelled), test: part(order.slice(TRAINED), (v) => v) };
};

const scored = async (seed: number, change: object): Promise<Scores> => {
  const shop = workshop();
  const { train, test } = noisy(seed);
  const recipe = {
    arch: { kind: 'mlp', hidden: '256' },
    data: { train: shop.arrays('train.npz', train), val: shop.arrays('test.npz', test) },
    loss: 'cross-entropy',
    optimizer: { kind: 'sgd', lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 },
    schedule: { kind: 'multistep', milestones: '30,45' },
    batch: 64,
    epochs: 60,
    evalEvery: 60,
    diagnose: ['reliability'],
    seed,
    ...change,
  };
  let found: Readonly<Record<string, number>> = {};
  await shop.run(recipe, {
    live(event) {
      if (event.kind === 'epoch' && event.diagnosed) found = event.diagnosed;
    },
  });
  const of = (name: string): number => found[`reliability/${name}`];
  return { error: 1 - of('accuracy'), nll: of('nll'), aurc: of('aurc'), ece: of('ece') };
};

/** Card 34: noisy labels to train on, clean ones to be judged by. */
export const psKd: RecipeEntry = {
  id: 'ps-kd',
  title: 'Self-distillation with the predictions of the epoch before (PS-KD)',
  source: 'arXiv:2006.12000',
  setting:
    'Digits, 600 rows to train with a fifth of the labels drawn anew, 1,197 clean rows to test, MLP 64-256-10, SGD 0.1 with Nesterov momentum 0.9 and decay 5e-4, ×0.1 after 30 and 45 of 60 epochs, batch 64, mean of 3 seeds, each with its own rows.',
  async run() {
    const kinds = {
      'cross-entropy': {},
      'label smoothing 0.1': { loss: { kind: 'cross-entropy', labelSmoothing: 0.1 } },
      'PS-KD': { targets: { kind: 'ps-kd', alphaT: 0.8 } },
    };
    const expected: Record<string, Scores> = {
      'cross-entropy': { error: 0.1158, nll: 0.463, aurc: 0.0195, ece: 0.133 },
      'label smoothing 0.1': { error: 0.0886, nll: 0.5325, aurc: 0.0119, ece: 0.246 },
      'PS-KD': { error: 0.0944, nll: 0.4577, aurc: 0.0139, ece: 0.174 },
    };
    const means: Record<string, Scores> = {};
    for (const [kind, change] of Object.entries(kinds)) {
      const sum: Scores = { error: 0, nll: 0, aurc: 0, ece: 0 };
      for (let seed = 0; seed < SEEDS; seed++) {
        const scores = await scored(seed, change);
        for (const name of names) sum[name] += scores[name] / SEEDS;
      }
      means[kind] = sum;
    }
    const [plain, own] = [means['cross-entropy'], means['PS-KD']];
    const won = own.error < plain.error && own.nll <= plain.nll;
    return {
      rows: Object.entries(means).flatMap(([kind, scores]) =>
        names.map((name) => {
          const due = expected[kind][name];
          return {
            name: `${name === 'nll' || name === 'aurc' || name === 'ece' ? name.toUpperCase() : name}, ${kind}`,
            value: scores[name],
            unit: name === 'nll' ? ('none' as const) : ('fraction' as const),
            expected: name === 'nll' ? String(due) : `${(100 * due).toFixed(2)} %`,
          };
        }),
      ),
      says: `${won ? 'As expected: PS-KD has a lower error than cross-entropy, and no higher NLL.' : `Not as expected: PS-KD has error ${own.error.toFixed(4)} and NLL ${own.nll.toFixed(4)} beside ${plain.error.toFixed(4)} and ${plain.nll.toFixed(4)} of cross-entropy.`} ECE is ${own.ece < plain.ece ? 'lower' : 'no lower'}: the labels trained on are noisy and those judged by are not.`,
    };
  },
};
