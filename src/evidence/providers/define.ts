import type { Evidence, Matrix, Noun } from '../evidence.ts';
import type { Meaning } from '../interpret.ts';

/** One scored batch: what every noun is made from. */
export interface Scored {
  readonly rows: Float64Array;
  readonly scores: Matrix;
  readonly meaning: Meaning;
  /** Checked class numbers; absent where the data have none. */
  readonly labels?: Int32Array;
  /** Labels as in the data. */
  readonly targets?: Float64Array;
  /** Labels of which a row may have several. */
  readonly marks?: Matrix;
  /** Values of the columns to group by. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

/** Makes one noun of a batch; `of` gives the other nouns, each made once a batch. */
export type Provider<N extends Noun> = (batch: Scored, of: <M extends Noun>(noun: M) => Evidence[M]) => Evidence[N];
