import { multinomial } from '../../base/maths/binomial.ts';
import type { Random } from '../../base/random.ts';
import { addSure, addTriple, clear, eceOf, type Measures, macroF1, measures, type Tally, tally, triplesOf } from './compare-measures.ts';
import { type Cells, type CompareState, type Pair, SIDES } from './compare-state.ts';

const eceDifference = (of: Tally, n: number): number => eceOf(of, 0, n) - eceOf(of, 1, n);
const f1Difference = (of: Tally): number => macroF1(of, 0) - macroF1(of, 1);

/** Differences of the measures on one resample of the rows, row by row. */
const byRow = (kept: readonly Pair[], classes: number, random: Random): (() => Measures) => {
  const n = kept.length;
  const all = tally(classes);
  return () => {
    clear(all);
    let [accuracy, nll, brier] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const { label, said, confidence, cells, nll: l, brier: b } = kept[random.below(n)];
      accuracy += Number(said[0] === label) - Number(said[1] === label);
      nll += l[0] - l[1];
      brier += b[0] - b[1];
      addTriple(all, label, said, 1);
      addSure(all, 0, cells[0], 1, confidence[0]);
      addSure(all, 1, cells[1], 1, confidence[1]);
    }
    return { accuracy: accuracy / n, nll: nll / n, brier: brier / n, ece: eceDifference(all, n), macro_f1: f1Difference(all) };
  };
};

/** Occupied cells and a way to draw how n rows fall on them. */
const drawer = (counts: ArrayLike<number>, n: number, random: Random): { readonly at: Int32Array; draw(): Int32Array } => {
  const at = Int32Array.from(Array.from({ length: counts.length }, (_, k) => k).filter((k) => counts[k] > 0));
  const weights = Float64Array.from(at, (k) => counts[k]);
  const drawn = new Int32Array(at.length);
  return {
    at,
    draw() {
      multinomial(n, weights, n, drawn, random);
      return drawn;
    },
  };
};

const meanByCell = ({ count, sums: [sum] }: Cells, n: number, random: Random): (() => number) => {
  const { at, draw } = drawer(count, n, random);
  const means = Float64Array.from(at, (k) => sum[k] / count[k]);
  return () => draw().reduce((total, m, k) => total + m * means[k], 0) / n;
};

/** The same on counts in cells. Each measure is drawn by itself, on the cells that it needs. */
const byCell = (state: CompareState, random: Random): (() => Measures) => {
  const { rows: n, classes, sure } = state;
  const [nll, brier] = [meanByCell(state.nll, n, random), meanByCell(state.brier, n, random)];
  const triples = triplesOf(state);
  const answers = drawer(
    triples.map((t) => t.n),
    n,
    random,
  );
  const confidences = drawer(sure.count, n, random);
  const all = tally(classes);
  return () => {
    clear(all);
    const counts = answers.draw();
    for (let k = 0; k < triples.length; k++) if (counts[k] > 0) addTriple(all, triples[k].label, triples[k].said, counts[k]);
    const cells = confidences.draw();
    for (let k = 0; k < cells.length; k++) {
      if (cells[k] === 0) continue;
      const cell = confidences.at[k];
      const share = cells[k] / sure.count[cell];
      addSure(all, 0, Math.floor(cell / SIDES), cells[k], share * sure.sums[0][cell]);
      addSure(all, 1, cell % SIDES, cells[k], share * sure.sums[1][cell]);
    }
    const right = (s: 0 | 1): number => all.hits[s].reduce((sum, h) => sum + h, 0);
    return { accuracy: (right(0) - right(1)) / n, nll: nll(), brier: brier(), ece: eceDifference(all, n), macro_f1: f1Difference(all) };
  };
};

type PairDraws = Readonly<Record<keyof Measures, Float64Array>>;

export const resamplePairs = async (
  state: CompareState,
  draws: number,
  random: Random,
  pause: (done: number) => Promise<void>,
): Promise<PairDraws> => {
  const draw = state.kept ? byRow(state.kept, state.classes, random) : byCell(state, random);
  const out = Object.fromEntries(measures.map((name) => [name, new Float64Array(draws)])) as Record<keyof Measures, Float64Array>;
  for (let d = 0; d < draws; d++) {
    if (d % 20 === 0) await pause(d);
    const one = draw();
    for (const name of measures) out[name][d] = one[name];
  }
  return out;
};
