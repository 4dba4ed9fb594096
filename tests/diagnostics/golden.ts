import { readFileSync } from 'node:fs';
import { fromLogits, type Sample } from './cases.ts';

/** Reference values of one set of predictions (golden/make/diagnostics.py). */
export interface Golden {
  readonly confusion: number[];
  readonly labels: number[];
  readonly support: number[];
  readonly precision: number[];
  readonly recall: number[];
  readonly f1: number[];
  readonly curve: [number[], number[]];
  readonly [scalar: string]: unknown;
}

const read = (name: string): Golden & { readonly logits: number[]; readonly probs: number[] } =>
  JSON.parse(readFileSync(new URL(`../golden/diagnostics/${name}.json`, import.meta.url), 'utf8'));

const rowsOf = (flat: readonly number[], cols: number): number[][] =>
  Array.from({ length: flat.length / cols }, (_, i) => flat.slice(i * cols, (i + 1) * cols));

const digitsFile = read('digits');
const sparseFile = read('sparse');

/** Test split of the UCI digits under a small MLP: 359 rows, 10 classes; logits are float32, printed as such. */
export const digits: { readonly golden: Golden; readonly samples: Sample[] } = {
  golden: digitsFile,
  samples: fromLogits(rowsOf(digitsFile.logits.map(Math.fround), 10), digitsFile.labels),
};
/** 90 rows where one class is never predicted, one only predicted, one absent. */
export const sparse: { readonly golden: Golden; readonly samples: Sample[] } = {
  golden: sparseFile,
  samples: rowsOf(sparseFile.probs, 6).map((probs, row) => ({ row, label: sparseFile.labels[row], probs })),
};
