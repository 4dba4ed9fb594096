import type { Evidence } from './evidence.ts';

/** One batch of rows as both models, or tables, see them; classes stand in the order of the first. */
export interface PairBatch extends Pick<Evidence, 'rows' | 'labels' | 'probs' | 'logProbs'> {
  readonly other: Pick<Evidence, 'probs' | 'logProbs'>;
}

/** The same where numbers are predicted. */
export interface NumberPairBatch extends Pick<Evidence, 'rows' | 'targets' | 'predictions'> {
  readonly other: Pick<Evidence, 'predictions'>;
}

/** How far a value that both models compute lies from the other's, over some rows. */
export interface ValueDifference {
  readonly name: string;
  readonly op: string;
  readonly elements: number;
  readonly maxAbs: number;
  /** ‖first − other‖₂ / ‖other‖₂; null where the other is all zeros and the first is not. */
  readonly relative: number | null;
  /** null where either is all zeros. */
  readonly cosine: number | null;
}

/** Values of the main graphs that are called the same (or made by nodes called the same), in the order of the first model. */
export interface ValueDifferences {
  readonly rows: number;
  readonly values: readonly ValueDifference[];
  /** Values of the first and of the other graph in all. */
  readonly of: readonly [number, number];
}

/** Two models, or tables of predictions, on the same rows. */
export interface PairTool {
  /** The first and the other, told apart. */
  readonly names: readonly [string, string];
  /** Both predict numbers, so that rows are had from `eachNumber`; else from `each`. */
  readonly numbers: boolean;
  /** Every row once, in step. Gives the class names. */
  each(visit: (batch: PairBatch) => void): Promise<readonly string[]>;
  eachNumber(visit: (batch: NumberPairBatch) => void): Promise<void>;
  /** Values inside both models on the first rows; undefined where one of the two is a table. */
  values(rows: number): Promise<ValueDifferences | undefined>;
}
