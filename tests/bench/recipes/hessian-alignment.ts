import { random } from '../../../src/base/random.ts';
import { float32 } from '../../../src/base/tensor.ts';
import { workshop } from '../../training/workshop.ts';
import type { RecipeEntry } from './entry.ts';

const SIDE = 14;
const CELLS = SIDE * SIDE;

/** Strokes in place of handwriting: a ring or a bar of random place, size and ink, with noise. */
const shapes = (count: number, seed: number): { readonly images: Float32Array[]; readonly classes: Uint8Array } => {
  const r = random(seed, 'shapes');
  const classes = Uint8Array.from({ length: count }, () => r.below(2));
  const images = Array.from(classes, (kind) => {
    const [cx, cy, size] = [5.5 + 2 * r.next(), 5.5 + 2 * r.next(), 3 + 2 * r.next()];
    const turn = r.next() * Math.PI;
    const ink = 0.6 + 0.4 * r.next();
    return Float32Array.from({ length: CELLS }, (_, i) => {
      const [x, y] = [(i % SIDE) - cx, Math.floor(i / SIDE) - cy];
      const along = Math.cos(turn) * x + Math.sin(turn) * y;
      const across = -Math.sin(turn) * x + Math.cos(turn) * y;
      const from = kind === 1 ? Math.abs(Math.hypot(x, y) - size) : Math.max(Math.abs(across), Math.abs(along) - size);
      return Math.min(1, Math.max(0, ink * Math.exp(-from * from) + 0.1 * r.normal()));
    });
  });
  return { images, classes };
};

/** ColoredMNIST's protocol: labels flipped with 25 %, two colours that follow the label but for a share `flipped`. */
const environment = (count: number, flipped: number, seed: number): { readonly x: number[]; readonly y: number[] } => {
  const { images, classes } = shapes(count, seed);
  const r = random(seed, 'colours');
  const y = Array.from(classes, (c) => (r.next() < 0.25 ? 1 - c : c));
  const x: number[] = [];
  for (const [i, image] of images.entries()) {
    const colour = r.next() < flipped ? 1 - y[i] : y[i];
    for (const channel of [0, 1]) for (const v of image) x.push(colour === channel ? v : 0);
  }
  return { x, y };
};

/** Card 09-hessian-alignment, on drawn shapes in place of Fashion-MNIST. */
export const hessianAlignment: RecipeEntry = {
  id: 'hessian-alignment',
  title: 'Hessian alignment beside plain training on coloured shapes',
  source: 'arXiv:2308.11778',
  setting:
    "ColoredMNIST's protocol with drawn shapes (bar or ring, 14×14×2): labels flipped with 25 %, the colour disagrees with the label in 20 % and 10 % of the two training domains of 1,500 rows each and in 90 % of the test rows; MLP 392-64-64-1, preset colored-mnist, 501 full-batch steps of Adam at 4.9e-4, the scripts’ L2 in plain training too, 2 seeds.",
  async run() {
    const shop = workshop();
    const count = 1500;
    const [first, second] = [environment(count, 0.2, 1), environment(count, 0.1, 2)];
    const dims = [2 * CELLS];
    const arrays = (name: string, { x, y }: { readonly x: readonly number[]; readonly y: readonly number[] }, more = {}): string =>
      shop.arrays(name, { x: float32([y.length, ...dims], x), y: float32([y.length, 1], y), ...more });
    arrays(
      'train.npz',
      { x: [...first.x, ...second.x], y: [...first.y, ...second.y] },
      {
        domain: float32(
          [2 * count],
          Array.from({ length: 2 * count }, (_, i) => Math.floor(i / count)),
        ),
      },
    );
    arrays('turned.npz', environment(count, 0.9, 3));
    const recipe = {
      arch: { kind: 'mlp', hidden: '64,64' },
      split: { val: 0 },
      init: 'xavier-uniform',
      loss: 'binary-cross-entropy',
      optimizer: { kind: 'adam', lr: 4.898536566546834e-4 },
      sampler: 'domains',
      batch: 'full',
      epochs: 501,
    };
    const seeds = [0, 1];
    const measure = async (regularizers: readonly object[]): Promise<number> => {
      let sum = 0;
      // The preset's own squares of the parameters, as Adam's decay: the scripts keep them in plain training.
      const optimizer = { ...recipe.optimizer, ...(regularizers.length === 0 ? { weightDecay: 2 * 0.00110794568 } : {}) };
      for (const seed of seeds) {
        const data = { train: 'train.npz', test: 'turned.npz', domainKey: 'domain' };
        const { report } = await shop.run({ ...recipe, optimizer, data, regularizers, seed });
        sum += report.headline.test_accuracy / seeds.length;
      }
      return sum;
    };
    const preset = 'colored-mnist';
    const kinds = { 'plain training': [], hgp: [{ kind: 'hgp', preset }], 'diag-exact': [{ kind: 'diag-exact', preset }] };
    const rows: Awaited<ReturnType<RecipeEntry['run']>>['rows'][number][] = [];
    const turned: Record<string, number> = {};
    for (const [name, regularizers] of Object.entries(kinds)) {
      turned[name] = await measure(regularizers);
      const expected = name === 'plain training' ? {} : { expected: '≥ plain + 20 points' };
      rows.push({ name: `test accuracy where colours turn round, ${name}`, value: turned[name], unit: 'fraction', ...expected });
    }
    const gains = ['hgp', 'diag-exact'].map((name) => turned[name] - turned['plain training']);
    return {
      rows,
      says: gains.every((g) => g >= 0.2)
        ? 'Both leave the colour that plain training follows, by more than the 20 points of the card.'
        : `The card's 20 points were not reached by both: ${gains.map((g) => `${(100 * g).toFixed(1)}`).join(' and ')} points.`,
    };
  },
};
