import { readFileSync } from 'node:fs';
import { radiusOf, type SeparatingMethod, type SignedRows, separate } from '../../../src/base/maths/large-step-logistic.ts';
import { median } from '../../../src/base/maths/quantile.ts';
import { readNpz } from '../../../src/data/npz.ts';
import { toFloats } from '../../../src/data/values.ts';
import type { MeasuredRecipe } from '../../../src/manifest/measured-page.ts';
import { workshop } from '../../training/workshop.ts';
import { digitsPath, type RecipeEntry } from './entry.ts';
import { fashion, type Pictures, withoutFashion } from './fashion.ts';

/** The card's bound on updates. */
const MOST = 5000;
const EACH = 2500;

/** Rows of one class and, with the other sign, of another, `most` of each, with a 1 behind them. Pixels are over `white`, in float32 as everywhere. */
const against = (
  pixels: ArrayLike<number>,
  labels: ArrayLike<number>,
  [one, other]: readonly [number, number],
  white: number,
  most = Number.POSITIVE_INFINITY,
): SignedRows => {
  const size = pixels.length / labels.length;
  const of = (c: number): number[] => Array.from({ length: labels.length }, (_, i) => i).filter((i) => labels[i] === c);
  const places = [...of(one).slice(0, most), ...of(other).slice(0, most)];
  const data = new Float64Array(places.length * (size + 1));
  for (const [row, i] of places.entries()) {
    const sign = labels[i] === one ? 1 : -1;
    for (let k = 0; k < size; k++) data[row * (size + 1) + k] = sign * Math.fround(pixels[i * size + k] / white);
    data[row * (size + 1) + size] = sign;
  }
  return { rows: places.length, width: size + 1, data };
};

/** The paper's worst case: one row (0.5, −1) among n − 1 rows (0.5, 1). */
const worst = (n: number): SignedRows => ({
  rows: n,
  width: 2,
  data: Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 0.5 : i === 1 ? -1 : 1)),
});

const updates = async (data: SignedRows, method: SeparatingMethod, rate = 1): Promise<number> => {
  const walk = await separate(data, { method, rate, most: MOST });
  return walk.separated ? walk.updates : Number.POSITIVE_INFINITY;
};

/** Steps of the trainer after which every row is on its side, by the recipe of the card: a linear model from 0 in full batches. */
const trained = async ({ rows, width, data }: SignedRows, lr: number, steps: number): Promise<number> => {
  const shop = workshop();
  const size = width - 1;
  const y = Array.from({ length: rows }, (_, i) => Number(data[i * width + size] > 0));
  const x = Float32Array.from({ length: rows * size }, (_, i) => data[Math.floor(i / size) * width + (i % size)]);
  for (let i = 0; i < x.length; i++) if (y[Math.floor(i / size)] === 0) x[i] = -x[i];
  const path = shop.arrays('pair.npz', {
    x: { dtype: 'float32', dims: [rows, size], data: x },
    y: { dtype: 'int32', dims: [rows], data: Int32Array.from(y) },
  });
  const accuracy: number[] = [];
  await shop.run(
    {
      arch: { kind: 'mlp', hidden: '' },
      data: { train: path },
      split: { val: 0 },
      init: 'zeros',
      loss: 'binary-cross-entropy',
      optimizer: { kind: 'normalized-lr-gd', lr },
      batch: 'full',
      steps,
    },
    { live: (event) => void (event.kind === 'steps' && accuracy.push(...event.accuracy)) },
  );
  // Of step t, from 0, it is that of the parameters after t updates.
  const done = accuracy.indexOf(1);
  return done < 0 ? Number.POSITIVE_INFINITY : done;
};

type Tell = (name: string, value: number, expected?: string, unit?: 'count' | 'none') => void;

const tellFashion = async ({ pixels, classes }: Pictures, tell: Tell): Promise<number> => {
  const rows = against(pixels, classes, [0, 9], 255, EACH);
  const of = 'T-shirts against boots';
  tell(`${of}: R`, radiusOf(rows), '21.197', 'none');
  const slow = await updates(rows, 'lr-gd', 100);
  const quick = await updates(rows, 'normalized-lr-gd', 0.1);
  tell(`${of}: LR+GD at rate 1`, await updates(rows, 'lr-gd', 1), '1075');
  tell(`${of}: LR+GD at rate 10`, await updates(rows, 'lr-gd', 10), '393');
  tell(`${of}: LR+GD at rate 100`, slow, '378');
  tell(`${of}: normalized LR+GD at rate 0.01`, await updates(rows, 'normalized-lr-gd', 0.01), '254');
  tell(`${of}: normalized LR+GD at rate 0.1`, quick, '26');
  tell(`${of}: normalized LR+GD at rate 1`, await updates(rows, 'normalized-lr-gd', 1), '18');
  tell(`${of}: batch perceptron`, await updates(rows, 'batch-perceptron'), '380');
  tell(`${of}: normalized batch perceptron`, await updates(rows, 'normalized-batch-perceptron'), '18');
  tell(`${of}: steps of the recipe at rate 0.1, in float32`, await trained(rows, 0.1, 60), '26');
  // A last bit of the pixels decides: divided in float64 they take 2,003.
  const even = against(pixels, classes, [0, 1], 255, EACH);
  tell('T-shirts against trousers: batch perceptron', await updates(even, 'batch-perceptron'), '1966');
  tell('T-shirts against trousers: normalized batch perceptron', await updates(even, 'normalized-batch-perceptron'), '1917');
  return slow / quick;
};

/** Of all pairs of digits: updates of the batch perceptron over those of the normalized one. */
const digitPairs = async (): Promise<readonly number[]> => {
  const { x, y } = readNpz(readFileSync(digitsPath), digitsPath);
  const [pixels, labels] = [toFloats(x), Array.from(y.data as ArrayLike<number | bigint>, Number)];
  const gains: number[] = [];
  for (let one = 0; one < 10; one++)
    for (let other = one + 1; other < 10; other++) {
      const rows = against(pixels, labels, [one, other], 16);
      gains.push((await updates(rows, 'batch-perceptron')) / (await updates(rows, 'normalized-batch-perceptron')));
    }
  return gains;
};

/** Card 04-large-step-logistic (a), (c). */
export const largeStepLogistic: RecipeEntry = {
  id: 'large-step-logistic',
  title: 'Updates to perfect separation by large steps',
  source: 'arXiv:2412.08424',
  setting: `The worst case of the paper with 1,000 rows; the first ${EACH} T-shirts and boots, and T-shirts and trousers, of the training pictures of Fashion-MNIST (fashion-mnist/ of ASSAY_BENCH_DATA), and all 45 pairs of digits (1,797 rows), each pixels at 0..1 and a bias. From θ = 0, ${MOST} updates at most; no chance is involved.`,
  async run() {
    const rows: MeasuredRecipe['rows'][number][] = [];
    const tell: Tell = (name, value, expected, unit = 'count') => {
      rows.push({ name, value, unit, ...(expected === undefined ? {} : { expected }) });
    };
    const table = worst(1000);
    const slow = await updates(table, 'lr-gd', 100);
    const quick = await updates(table, 'normalized-lr-gd', 1);
    tell('worst case: LR+GD at rate 100', slow, '308');
    tell('worst case: normalized LR+GD at rate 0.1', await updates(table, 'normalized-lr-gd', 0.1), '157');
    tell('worst case: normalized LR+GD at rate 1', quick, '16');
    tell('worst case: normalized LR+GD at rate 10', await updates(table, 'normalized-lr-gd', 10), '2');
    tell('worst case: batch perceptron', await updates(table, 'batch-perceptron'), '301');
    tell('worst case: normalized batch perceptron', await updates(table, 'normalized-batch-perceptron'), '2');
    const pictures = fashion('train');
    const gain = pictures ? await tellFashion(pictures, tell) : undefined;
    const pairs = await digitPairs();
    tell('digits: batch over normalized batch perceptron, median of 45 pairs', median(pairs), undefined, 'none');
    tell('digits: batch over normalized batch perceptron, most of 45 pairs', Math.max(...pairs), undefined, 'none');
    const fashionable =
      gain === undefined
        ? withoutFashion
        : `T-shirts are told apart from boots in ${gain.toFixed(1)} times fewer updates by normalized steps at rate 0.1 than by plain ones at rate 100${gain > 10 ? ', as expected of more than ten times' : ', where more than ten times was expected'}.`;
    return {
      rows,
      says: `In the worst case ${Math.round(slow / quick)} times fewer updates are made at rate 1. ${fashionable} The gain is that of data in which few rows of many are left to decide: pairs of digits, like T-shirts and trousers, have next to none, as the paper finds of balanced data.`,
    };
  },
};
