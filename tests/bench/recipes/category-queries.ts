import { readFileSync } from 'node:fs';
import { random } from '../../../src/base/random.ts';
import { float32, int64 } from '../../../src/base/tensor.ts';
import { parse } from '../../../src/graph/parse.ts';
import { numbers, once } from '../../training/session.ts';
import { workshop } from '../../training/workshop.ts';
import type { RecipeEntry } from './entry.ts';

const [CLASSES, WIDTH, FRESH, SEEDS] = [500, 32, 8, 2];
const bins = ['rare', 'common', 'frequent'] as const;

/** Rows of the class of rank r: 300/r, at least 4. LVIS calls up to 10 rare, up to 100 common. */
const count = (c: number): number => Math.max(4, Math.round(300 / (c + 1)));
const binOf = (c: number): (typeof bins)[number] => (count(c) <= 10 ? 'rare' : count(c) <= 100 ? 'common' : 'frequent');

/** Each class a normal cloud of spread 1 around a centre drawn with 0.8. */
const rows = (seed: number, stream: string, of: (c: number) => number) => {
  const centre = random(seed, 'centres');
  const centres = Array.from({ length: CLASSES * WIDTH }, () => 0.8 * centre.normal());
  const chance = random(seed, stream);
  const y = Array.from({ length: CLASSES }, (_, c) => c).flatMap((c) => Array.from({ length: of(c) }, () => c));
  const x = Float32Array.from({ length: y.length * WIDTH }, (_, i) => {
    const c = y[Math.floor(i / WIDTH)];
    return centres[c * WIDTH + (i % WIDTH)] + chance.normal();
  });
  return { x, y };
};

/** Card 02: a head of category queries beside one sigmoid for each class, by how many rows a class has. */
export const categoryQueries: RecipeEntry = {
  id: 'category-queries',
  title: 'Category queries for many classes (CQ-DINO)',
  source: 'arXiv:2503.18430',
  setting:
    '500 classes with 300/rank training rows, at least 4 (3,171 rows; rare: at most 10, common: at most 100), 32 numbers around a centre of their class, 8 fresh rows of each class to test; an MLP 32-64, AdamW 1e-3 with decay 1e-4, clipped at 0.1, a tenth of the rate from half and a hundredth from three quarters of 24 epochs, batch 32, mean of 2 seeds. Queries of width 32 that begin at the class means of the features, one layer, 100 selected, focal; beside it one sigmoid for each class with plain binary cross-entropy, and with the focal loss.',
  async run() {
    const head = { kind: 'category-queries', dim: 32, heads: 4, layers: 1, select: 100 };
    const heads = {
      queries: { head, loss: 'sigmoid-focal' },
      sigmoids: { loss: { kind: 'sigmoid-focal', alpha: 0.5, gamma: 0 } },
      focal: { loss: 'sigmoid-focal' },
    };
    const right: Record<keyof typeof heads, Record<string, number>> = { queries: {}, sigmoids: {}, focal: {} };
    let missed = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const shop = workshop();
      const [train, fresh] = [rows(seed, 'train', count), rows(seed, 'fresh', () => FRESH)];
      const path = shop.arrays('rows.npz', { x: float32([train.y.length, WIDTH], train.x), y: int64([train.y.length], train.y) });
      for (const [name, given] of Object.entries(heads) as [keyof typeof heads, object][]) {
        const { out } = await shop.run(
          {
            ...{ arch: { kind: 'mlp', hidden: '64' }, data: { train: path }, split: { val: 0 }, ...given },
            optimizer: { kind: 'adamw', lr: 1e-3, weightDecay: 1e-4 },
            clip: { norm: 0.1 },
            schedule: { kind: 'multistep', milestones: '12,18', gamma: 0.1 },
            ...{ batch: 32, epochs: 24, seed },
          },
          { out: shop.at(`${name}.onnx`) },
        );
        const model = parse(readFileSync(out), out);
        const scores = numbers((await once(model, { x: float32([fresh.y.length, WIDTH], fresh.x) }))[model.graph.outputs[0].name]);
        for (const [i, c] of fresh.y.entries()) {
          const own = scores.slice(i * CLASSES, (i + 1) * CLASSES);
          const hit = Number(own.indexOf(own.reduce((a, b) => Math.max(a, b))) === c);
          for (const bin of [binOf(c), 'all']) right[name][bin] = (right[name][bin] ?? 0) + hit / SEEDS;
          if (name === 'queries') missed += Number(own[c] < -500) / SEEDS;
        }
      }
    }
    const total = (bin: string): number =>
      FRESH * Array.from({ length: CLASSES }, (_, c) => Number(bin === 'all' || binOf(c) === bin)).reduce((a, b) => a + b, 0);
    const share = (name: keyof typeof heads, bin: string): number => (right[name][bin] ?? 0) / total(bin);
    const titles = {
      queries: 'category queries',
      sigmoids: 'sigmoids',
      focal: 'sigmoids, focal',
    };
    const unit = 'fraction' as const;
    const gain = share('queries', 'rare') - share('sigmoids', 'rare');
    const better = Math.max(share('sigmoids', 'rare'), share('focal', 'rare'));
    return {
      rows: [
        ...Object.entries(titles).flatMap(([name, title]) =>
          [...bins, 'all'].map((bin) => ({
            name: `test accuracy, ${title}, ${bin === 'all' ? 'all classes' : `${bin} classes`}`,
            value: share(name as keyof typeof heads, bin),
            unit,
            ...(name === 'queries' && bin === 'rare' ? { expected: 'at least that of the sigmoids' } : {}),
          })),
        ),
        { name: 'test rows whose class was not selected', value: missed / total('all'), unit },
      ],
      says: `${gain >= 0 ? 'As expected' : 'Not as expected'}: on rare classes category queries are right on ${(100 * share('queries', 'rare')).toFixed(1)} % of the rows, sigmoids with binary cross-entropy on ${(100 * share('sigmoids', 'rare')).toFixed(1)} % and with the focal loss on ${(100 * share('focal', 'rare')).toFixed(1)} %${gain >= 0 && share('queries', 'rare') < better ? ', which does better than the queries' : ''}. A synthetic set with seeds of its own: a qualitative check.`,
    };
  },
};
