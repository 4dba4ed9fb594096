import type { Emit } from '../graph/emit.ts';
import type { Dim } from '../graph/types.ts';
import { precise } from './half.ts';
import { logitsOf } from './loss.ts';
import { castLike, dimsOf, num } from './shapes.ts';

/**
 * What is differentiated of an output of class scores: the logit of the class (behind a final Softmax, LogSoftmax or Sigmoid
 * where there is one), its probability, or −log of it.
 */
export type Scale = 'logit' | 'probability' | 'loss';

/** One entry of a value per row. */
export interface EntryOptions {
  /** An output, or any float value of the graph: a neuron is an entry of its layer's value. */
  readonly output: string;
  /** Default 'logit'; 'as given' is the value itself. */
  readonly scale?: Scale | 'as given';
  /** A single score s stands for two classes: its entries are −s and s. */
  readonly mirrored?: boolean;
  /** The output is a probability although no Softmax, LogSoftmax or Sigmoid node says so. */
  readonly probabilities?: boolean;
}

export interface Entry {
  /** The value whose entry it is, as messages name it. */
  readonly of: string;
  /** [N, C]: the value, a row flattened. */
  readonly rows: string;
  /** C, where known. */
  readonly targets?: number;
}

/** Two columns for one score s: (0, s). */
const twoColumns = (emit: Emit, rows: string): string => emit.Concat(emit.Mul(num(emit, 0, rows), rows), rows, { axis: 1 });

/** The value asked for, one row per row of the batch. */
export const entriesOf = (emit: Emit, { output, scale = 'logit', probabilities = false, mirrored = false }: EntryOptions): Entry => {
  const found = scale === 'as given' ? { logits: precise(emit, output), by: 'none' as const } : logitsOf(emit, output);
  const of = found.logits;
  const size = dimsOf(emit, of)
    ?.slice(1)
    .reduce<Dim>((n, d) => (typeof n === 'number' && typeof d === 'number' ? n * d : undefined), 1);
  const flat = emit.Reshape(of, emit.ints([0, -1]));
  const targets = typeof size === 'number' ? size : undefined;
  if (scale === 'logit' && mirrored && targets === 1) return { of, rows: emit.Concat(emit.Neg(flat), flat, { axis: 1 }), targets: 2 };
  if (scale === 'logit' || scale === 'as given') return { of, rows: flat, ...(targets === undefined ? {} : { targets }) };
  const single = targets === 1;
  const given = found.by === 'none' && probabilities;
  const both = { targets: single ? 2 : targets };
  const known = both.targets === undefined ? {} : { targets: both.targets };
  if (given) {
    const p = single ? emit.Concat(emit.Sub(num(emit, 1, flat), flat), flat, { axis: 1 }) : flat;
    return { of, rows: scale === 'probability' ? p : emit.Neg(emit.Log(emit.Max(p, num(emit, 1e-12, p)))), ...known };
  }
  const z = single ? twoColumns(emit, flat) : flat;
  // Independent sigmoids of several labels stay as they are.
  if (found.by === 'Sigmoid' && !single) {
    return { of, rows: scale === 'probability' ? emit.Sigmoid(z) : emit.Softplus(emit.Neg(z)), ...known };
  }
  return { of, rows: scale === 'probability' ? emit.Softmax(z, { axis: 1 }) : emit.Neg(emit.LogSoftmax(z, { axis: 1 })), ...known };
};

/** 1 at the entry `each` [N, 1] of every row, else 0. */
export const oneHot = (emit: Emit, { rows, targets }: Entry, each: string): string => {
  const width = targets === undefined ? emit.call('Shape', [rows], { start: 1 }) : emit.ints([targets]);
  const index = emit.Range(emit.scalar(0, 'int64'), emit.Squeeze(width, emit.ints([0])), emit.scalar(1, 'int64'));
  return castLike(emit, emit.Equal(each, index), rows);
};
