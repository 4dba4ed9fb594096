import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type SeparatingMethod, type SignedRows, separate } from '../../../src/base/maths/large-step-logistic.ts';
import { readNpz } from '../../../src/data/npz.ts';
import { toFloats } from '../../../src/data/values.ts';
import type { MeasuredRecipe } from '../../../src/manifest/measured-page.ts';
import type { RecipeEntry } from './entry.ts';

const path = fileURLToPath(new URL('../../../media/sample/digits.npz', import.meta.url));
const MOST = 5000;

/** Pixels at 0..1 with a 1 behind them, those of class `one` positive; `against` one class, or all others. */
const signed = (one: number, against?: number): SignedRows => {
  const { x, y } = readNpz(readFileSync(path), path);
  const [pixels, labels] = [toFloats(x), Array.from(y.data as ArrayLike<number | bigint>, Number)];
  const size = pixels.length / labels.length;
  const places = [...labels.keys()].filter((i) => labels[i] === one || against === undefined || labels[i] === against);
  const data = places.flatMap((i) => {
    const sign = labels[i] === one ? 1 : -1;
    return [...Array.from(pixels.subarray(i * size, (i + 1) * size), (v) => (sign * v) / 16), sign];
  });
  return { rows: places.length, width: size + 1, data: Float64Array.from(data) };
};

/** Card 04-large-step-logistic (c), on the digits in place of Fashion-MNIST. */
export const largeStepLogistic: RecipeEntry = {
  id: 'large-step-logistic',
  title: 'Updates to perfect separation by large steps',
  source: 'arXiv:2412.08424',
  setting: `Digits, pixels at 0..1 and a bias: 0 against the rest (178 of 1,797 rows) and 8 against 1 (174 and 182), from θ = 0, at most ${MOST} updates; no chance is involved.`,
  async run() {
    const rows: MeasuredRecipe['rows'][number][] = [];
    const found: Record<string, number> = {};
    for (const [name, data] of [
      ['0 against the rest', signed(0)],
      ['8 against 1', signed(8, 1)],
    ] as const) {
      for (const [method, rate] of [
        ['lr-gd', 1],
        ['lr-gd', 100],
        ['normalized-lr-gd', 0.1],
        ['normalized-lr-gd', 1],
        ['batch-perceptron', 1],
        ['normalized-batch-perceptron', 1],
      ] as const satisfies readonly (readonly [SeparatingMethod, number])[]) {
        const { updates, separated } = await separate(data, { method, rate, most: MOST });
        const label = `${method}${method.endsWith('perceptron') ? '' : ` at rate ${rate}`}`;
        found[`${name} ${label}`] = separated ? updates : Number.POSITIVE_INFINITY;
        rows.push({ name: `${name}: ${label}${separated ? '' : ' (not separated)'}`, value: updates, unit: 'count' });
      }
    }
    const times = found['0 against the rest lr-gd at rate 100'] / found['0 against the rest normalized-lr-gd at rate 0.1'];
    const same = found['0 against the rest lr-gd at rate 1'] / found['0 against the rest normalized-lr-gd at rate 1'];
    return {
      rows: [
        ...rows,
        {
          name: 'LR+GD at 100 over normalized at 0.1, 0 against the rest',
          value: times,
          unit: 'none',
          expected: '> 10 (T-shirts against boots of Fashion-MNIST)',
        },
      ],
      says: `At rate 1 the normalized method needs ${Math.round(same)} times fewer updates than plain descent at that rate (0 against the rest). ${times > 10 ? 'At a tenth of that rate it needs less than a tenth of those of descent at rate 100, as expected.' : 'The tenfold gain of the normalized method at rate 0.1 over descent at rate 100, measured on Fashion-MNIST, does not come out on the digits.'}`,
    };
  },
};
