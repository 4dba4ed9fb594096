import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import type { Matrix, Tools } from '../../evidence/evidence.ts';
import type { FreshAsk } from '../../evidence/fresh.ts';
import { chanceAmong, firstCounts, midRank, trueRank } from '../metrics/true-rank.ts';
import { trainAndTest } from '../train-and-test.ts';

export interface SweepOptions {
  readonly recipe: string;
  readonly arch: 'mlp' | 'cnn';
  readonly hidden: string;
  readonly a: string;
  readonly b: string;
  readonly test: string;
  readonly repeats: number;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly by: 'mrr' | 'top1' | 'top5';
  readonly confidenceLevel: number;
}

/** What one loss reached, one number a repeat. */
export interface Cell {
  /** Absent for cross-entropy. */
  readonly at?: { readonly a: number; readonly b: number };
  /** Share of test rows among the first k, for every k of `counts`. */
  readonly among: readonly (readonly number[])[];
  readonly mrr: readonly number[];
}
export interface Sweep {
  readonly counts: readonly number[];
  readonly classes: number;
  readonly as: readonly number[];
  readonly bs: readonly number[];
  /** Cross-entropy first, then a by a and b by b. */
  readonly cells: readonly Cell[];
  readonly how: string;
  readonly parameters: number;
  readonly train: number;
  readonly test: number;
}

const listOf = (name: string, text: string, expected: string, read: (word: string) => number): number[] => {
  const values = text.split(',').map((word) => read(word.trim()));
  if (!values.every(Number.isFinite)) throw new Fault('option/value', { name, value: text, expected });
  return [...new Set(values)];
};
const numeral = (word: string): number => (word === '' ? Number.NaN : Number(word));

/** The place that the card gives b for a margin which can be reached. */
const reachable = (classes: number): number => Number((0.7 * Math.sqrt(classes - 1)).toPrecision(4));

export const ranksOf = (
  { rows, cols, data }: Matrix,
  labels: Int32Array,
  counts: readonly number[],
): { readonly among: readonly number[]; readonly mrr: number } => {
  const among = counts.map(() => 0);
  let mrr = 0;
  for (let i = 0; i < rows; i++) {
    const rank = trueRank(data, i * cols, cols, labels[i]);
    mrr += 1 / (1 + midRank(rank)) / rows;
    counts.forEach((k, n) => {
      among[n] += chanceAmong(k, rank) / rows;
    });
  }
  return { among, mrr };
};

/** Trains the same model with cross-entropy and with z-loss at every (a, b), and ranks the classes of rows held out. */
export const sweepRun = async ({ fresh }: Pick<Tools, 'fresh'>, options: SweepOptions, job: Job): Promise<Sweep> => {
  const as = listOf('a', options.a, 'numbers above 0 separated by commas', (word) => (numeral(word) > 0 ? numeral(word) : Number.NaN));
  const [train, test] = await trainAndTest(fresh, options.test, job);
  const classes = Math.max(train.classes, test.classes);
  if (classes < 3) throw new Fault('diagnostic/sweep-classes', { classes });
  const bs = listOf('b', options.b, "numbers separated by commas, or 'auto' for 0.7 √(C − 1)", (word) =>
    word === 'auto' ? reachable(classes) : numeral(word),
  );
  const counts = firstCounts(classes);
  const { recipe, arch, hidden, epochs, batch, rate, repeats } = options;
  const ask: FreshAsk = { source: { kind: arch, hidden }, ...(recipe === '' ? {} : { recipe }), epochs, batch, rate };
  const losses = [undefined, ...as.flatMap((a) => bs.map((b) => ({ a, b })))];
  const cells: Cell[] = [];
  let [how, parameters] = ['', 0];
  for (const [n, at] of losses.entries()) {
    const loss = at ? { kind: 'z-loss', ...at } : { kind: 'cross-entropy' };
    const trainer = await fresh.open({ ...ask, loss }, { dims: train.dims, rows: train.labels.length, classes });
    [how, parameters] = [trainer.how, trainer.parameters];
    const among: number[][] = counts.map(() => []);
    const mrr: number[] = [];
    for (let r = 0; r < repeats; r++) {
      await breathe(job);
      const name = `${at ? `a ${at.a}, b ${at.b}` : 'cross-entropy'}, repeat ${r + 1} of ${repeats}`;
      job.progress((n + r / repeats) / losses.length, name);
      // Every loss has the same first values and order of rows in a repeat.
      const model = await trainer.train(train, job.random(`repeat/${r}`).below(2 ** 32));
      const found = ranksOf(await model.scores(test.x), test.labels, counts);
      mrr.push(found.mrr);
      found.among.forEach((v, k) => {
        among[k].push(v);
      });
    }
    cells.push({ ...(at ? { at } : {}), among, mrr });
  }
  return { counts, classes, as, bs, cells, how, parameters, train: train.labels.length, test: test.labels.length };
};
