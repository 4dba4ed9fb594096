import { BINS, binOfSide, type CompareState, rightOfSide, SIDES } from './compare-state.ts';

export const measures = ['accuracy', 'nll', 'brier', 'ece', 'macro_f1'] as const;
export type Measure = (typeof measures)[number];
/** One value of each measure: of one model, or of the first less the other. */
export type Measures = Readonly<Record<Measure, number>>;

/** What ECE and macro F1 of both are made from: per bin Σ confidence and right answers, per class rows, answers and hits. */
export interface Tally {
  readonly confidence: readonly [Float64Array, Float64Array];
  readonly right: readonly [Float64Array, Float64Array];
  readonly labels: Float64Array;
  readonly said: readonly [Float64Array, Float64Array];
  readonly hits: readonly [Float64Array, Float64Array];
}

const two = (size: number): readonly [Float64Array, Float64Array] => [new Float64Array(size), new Float64Array(size)];
export const tally = (classes: number): Tally => ({
  confidence: two(BINS),
  right: two(BINS),
  labels: new Float64Array(classes),
  said: two(classes),
  hits: two(classes),
});
export const clear = ({ confidence, right, labels, said, hits }: Tally): void => {
  for (const array of [...confidence, ...right, labels, ...said, ...hits]) array.fill(0);
};

export const addTriple = (to: Tally, label: number, said: readonly [number, number], n: number): void => {
  to.labels[label] += n;
  to.said[0][said[0]] += n;
  to.said[1][said[1]] += n;
  if (said[0] === label) to.hits[0][label] += n;
  if (said[1] === label) to.hits[1][label] += n;
};
/** n rows of one confidence cell, their confidences summed. */
export const addSure = (to: Tally, s: 0 | 1, cell: number, n: number, confidence: number): void => {
  const bin = binOfSide(cell);
  to.confidence[s][bin] += confidence;
  if (rightOfSide(cell)) to.right[s][bin] += n;
};

/** Σ |confidence − right| over the bins, of n rows. */
export const eceOf = ({ confidence, right }: Tally, s: 0 | 1, n: number): number => {
  let sum = 0;
  for (let k = 0; k < BINS; k++) sum += Math.abs(confidence[s][k] - right[s][k]);
  return sum / n;
};

/** Mean F1 over the classes that occur as a label or an answer (scikit-learn's convention). */
export const macroF1 = ({ labels, said, hits }: Tally, s: 0 | 1): number => {
  let [sum, seen] = [0, 0];
  for (let k = 0; k < labels.length; k++) {
    const both = labels[k] + said[s][k];
    if (both === 0) continue;
    sum += (2 * hits[s][k]) / both;
    seen++;
  }
  return sum / seen;
};

/** Rows of one label, one answer of the first and one of the other. */
export interface Triple {
  readonly label: number;
  readonly said: readonly [number, number];
  readonly n: number;
}
export const triplesOf = ({ triples, classes: K }: Pick<CompareState, 'triples' | 'classes'>): Triple[] =>
  [...triples]
    .sort(([a], [b]) => a - b)
    .map(([key, n]) => ({ label: Math.floor(key / (K * K)), said: [Math.floor(key / K) % K, key % K], n }));

/** Every measure of both, on the rows as they are. */
export const measured = (
  state: CompareState,
  triples: readonly Triple[],
): { readonly all: Tally; readonly of: readonly [Measures, Measures] } => {
  const { rows: n, losses, sure } = state;
  const all = tally(state.classes);
  for (const { label, said, n: count } of triples) addTriple(all, label, said, count);
  for (let cell = 0; cell < sure.count.length; cell++) {
    if (sure.count[cell] === 0) continue;
    addSure(all, 0, Math.floor(cell / SIDES), sure.count[cell], sure.sums[0][cell]);
    addSure(all, 1, cell % SIDES, sure.count[cell], sure.sums[1][cell]);
  }
  const one = (s: 0 | 1): Measures => ({
    accuracy: all.hits[s].reduce((sum, h) => sum + h, 0) / n,
    nll: losses[s].nll / n,
    brier: losses[s].brier / n,
    ece: eceOf(all, s, n),
    macro_f1: macroF1(all, s),
  });
  return { all, of: [one(0), one(1)] };
};
