/** A non-decreasing function given by its corners: linear between them, constant outside. */
export interface Corners {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Least-squares non-decreasing fit by pooling adjacent violators (Ayer et al. 1955), one point after another in ascending x; blocks
 * [low, high] with Σy and Σ1 stand in the first `count` places.
 */
export interface Pool {
  count: number;
  low: Float64Array;
  high: Float64Array;
  sum: Float64Array;
  weight: Float64Array;
}

export const pool = (capacity = 64): Pool => ({
  count: 0,
  low: new Float64Array(capacity),
  high: new Float64Array(capacity),
  sum: new Float64Array(capacity),
  weight: new Float64Array(capacity),
});

const grow = (of: Pool): void => {
  for (const key of ['low', 'high', 'sum', 'weight'] as const) {
    const wider = new Float64Array(2 * of[key].length);
    wider.set(of[key]);
    of[key] = wider;
  }
};

/** Adds `weight` points at `x` whose y sum to `sum`; each x is given once, its points together. */
export const addToPool = (to: Pool, x: number, sum: number, weight: number): void => {
  if (to.count === to.low.length) grow(to);
  let [low, s, w, k] = [x, sum, weight, to.count];
  while (k > 0 && to.sum[k - 1] * w >= s * to.weight[k - 1]) {
    k--;
    low = to.low[k];
    s += to.sum[k];
    w += to.weight[k];
  }
  to.low[k] = low;
  to.high[k] = x;
  to.sum[k] = s;
  to.weight[k] = w;
  to.count = k + 1;
};

/** The ends of all blocks; a block of one x is one corner. */
export const cornersOf = ({ count, low, high, sum, weight }: Pool): Corners => {
  const x: number[] = [];
  const y: number[] = [];
  for (let k = 0; k < count; k++) {
    for (const at of low[k] === high[k] ? [low[k]] : [low[k], high[k]]) {
      x.push(at);
      y.push(sum[k] / weight[k]);
    }
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y) };
};

/** The fit to y over x, `order` sorting x; equal x are pooled first. */
export const isotonic = (x: ArrayLike<number>, y: ArrayLike<number>, order: ArrayLike<number>): Corners => {
  const fit = pool(Math.max(1, Math.min(order.length, 1024)));
  let [sum, weight] = [0, 0];
  for (let i = 0; i < order.length; i++) {
    sum += y[order[i]];
    weight++;
    if (i + 1 < order.length && x[order[i + 1]] === x[order[i]]) continue;
    addToPool(fit, x[order[i]], sum, weight);
    [sum, weight] = [0, 0];
  }
  return cornersOf(fit);
};
