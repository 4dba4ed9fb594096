import type { Emit } from '../../graph/emit.ts';

const codes = { float32: 1, float64: 11 } as const;

/** Rows of a batch in pairs: cosines of their embeddings, and who belongs together. All [N, N] but for `z` and `count`. */
export interface Pairs {
  /** Rows brought to length 1, [N, D]. */
  readonly z: string;
  readonly cosines: string;
  /** 1 for two different rows of one class, and of two classes. */
  readonly positive: string;
  readonly negative: string;
  /** Number of rows, a float. */
  readonly count: string;
}

export const floatCode = (emit: Emit, value: string): number => (emit.type(value)?.dtype === 'float64' ? codes.float64 : codes.float32);

/** Rows brought to length 1, the length floored at 1e-12. */
export const unitRows = (emit: Emit, rows: string): string => {
  const length = emit.call('ReduceL2', [rows, emit.ints([1])], { keepdims: 1 });
  return emit.Div(rows, emit.Max(length, emit.scalar(1e-12)));
};

export const pairsOf = (emit: Emit, embedding: string, labels: string): Pairs => {
  const z = unitRows(emit, embedding);
  const cosines = emit.MatMul(z, emit.Transpose(z, { perm: [1, 0] }));
  const to = floatCode(emit, embedding);
  const column = (v: string): string => emit.Unsqueeze(v, emit.ints([1]));
  const row = (v: string): string => emit.Unsqueeze(v, emit.ints([0]));
  const rows = emit.Size(labels);
  const order = emit.Range(emit.scalar(0, 'int64'), rows, emit.scalar(1, 'int64'));
  const same = emit.Equal(column(labels), row(labels));
  const self = emit.Equal(column(order), row(order));
  return {
    z,
    cosines,
    positive: emit.Cast(emit.And(same, emit.Not(self)), { to }),
    negative: emit.Cast(emit.Not(same), { to }),
    count: emit.Cast(rows, { to }),
  };
};

/** Euclidean distances of unit rows, √(2 − 2s) with 2 − 2s floored at 1e-12, so that the slope at 0 is finite. */
export const distances = (emit: Emit, cosines: string): string =>
  emit.Sqrt(emit.Max(emit.Sub(emit.scalar(2), emit.Add(cosines, cosines)), emit.scalar(1e-12)));

/** x where the mask is 1, and far below everything elsewhere. */
const among = (emit: Emit, x: string, mask: string): string => emit.Where(emit.Greater(mask, emit.scalar(0.5)), x, emit.scalar(-1e30));

/** ln(1 + Σ_j e^{x_ij}) over the j with a mask of 1, along `axis`. */
export const logOnePlusSum = (emit: Emit, x: string, mask: string, axis: number): string => {
  const axes = emit.ints([axis]);
  const masked = among(emit, x, mask);
  const most = emit.Max(emit.ReduceMax(masked, axes, { keepdims: 1 }), emit.scalar(0));
  const sum = emit.ReduceSum(emit.Exp(emit.Sub(masked, most)), axes, { keepdims: 1 });
  const whole = emit.Add(most, emit.Log(emit.Add(sum, emit.Exp(emit.Neg(most)))));
  return emit.Squeeze(whole, axes);
};

/** ln Σ_j e^{x_ij} over the j with a mask of 1, along `axis`, which is kept; far below everything where there are none. */
export const logSum = (emit: Emit, x: string, mask: string, axis: number): string => {
  const masked = among(emit, x, mask);
  const most = emit.ReduceMax(masked, emit.ints([axis]), { keepdims: 1 });
  return emit.Add(most, emit.Log(emit.ReduceSum(emit.Exp(emit.Sub(masked, most)), emit.ints([axis]), { keepdims: 1 })));
};

/** Whether the nearest other row of the batch has the same label, [N]: recall at 1 within the batch. */
export const nearestIsSame = (emit: Emit, { cosines, positive, negative }: Pairs): string => {
  const others = emit.Greater(emit.Add(positive, negative), emit.scalar(0.5));
  const nearest = emit.ArgMax(emit.Where(others, cosines, emit.scalar(-2)), { axis: 1, keepdims: 1 });
  return emit.Squeeze(emit.GatherElements(positive, nearest, { axis: 1 }), emit.ints([1]));
};

/** Σ_j of each row as its share of a mean over `count` terms of the whole batch: the mean over rows is Σ / count. */
export const rowShares = (emit: Emit, terms: string, counted: string, rows: string): string => {
  const sums = emit.ReduceSum(terms, emit.ints([1]), { keepdims: 0 });
  const total = emit.Max(emit.ReduceSum(counted, { keepdims: 0 }), emit.scalar(1));
  return emit.Mul(sums, emit.Div(rows, total));
};
