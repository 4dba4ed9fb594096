import type { Matrix } from './evidence.ts';

/** Rows of u in [0, 1], each number its place between the least and the greatest that an input may have, and their classes. */
export interface UnitRows {
  readonly u: Float32Array;
  readonly labels: Int32Array;
}
export interface Search {
  /** Toward the labels; else away from them. */
  readonly targeted: boolean;
  readonly confidence: number;
  /** Rounds of the search for c, its first value, and steps of Adam in each with their rate. */
  readonly rounds: number;
  readonly constant: number;
  readonly steps: number;
  readonly rate: number;
}
export interface Nearest {
  /** The nearest adversarial points found, shaped as the rows; the row itself where none was. */
  readonly u: Float32Array;
  /** ‖u′ − u‖₂ of each; Infinity where none was found. */
  readonly distances: Float64Array;
}

/** Attacks on the model, of inputs within their range. */
export interface OpenAttacks {
  readonly classes: number;
  /** The model gives probabilities that no logits lie behind: a logarithm is taken of at least 1e-12. */
  readonly bare: boolean;
  /** ln p of every class. */
  scores(u: Float32Array, signal: AbortSignal): Promise<Matrix>;
  /** The slope of −ln softmax(scores/T)[label], or of max_{j≠label} scores_j − scores_label, along u. */
  slopes(
    rows: UnitRows,
    of: { readonly kind: 'loss'; readonly temperature: number } | { readonly kind: 'margin' },
    signal: AbortSignal,
  ): Promise<Float32Array>;
  /** Carlini and Wagner's search for the nearest adversarial point. `told` hears the share that is done. */
  carliniWagner(rows: UnitRows, search: Search, signal: AbortSignal, told: (share: number) => void): Promise<Nearest>;
}

export interface AttackRange {
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** The output is no logits. */
  readonly probabilities: boolean;
}

export interface AttackTool {
  /** `low` and `high` are the least and greatest input values, [row]. Throws `graph/no-gradient`, `evidence/whole-input`. */
  open(range: AttackRange): Promise<OpenAttacks>;
  /** The same of another model of rows of the same shape, its path taken from the working directory. Throws also `evidence/attack-model`. */
  other(path: string, range: Omit<AttackRange, 'probabilities'>): Promise<OpenAttacks>;
}
