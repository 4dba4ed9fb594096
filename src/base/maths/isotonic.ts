/** A non-decreasing function given by its corners: linear between them, constant outside. */
export interface Corners {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Least-squares non-decreasing fit (pool adjacent violators; Ayer et al. 1955). Equal x are pooled first; a block of several values
 * keeps its two ends as corners. `order` sorts x.
 */
export const isotonic = (x: ArrayLike<number>, y: ArrayLike<number>, order: ArrayLike<number>): Corners => {
  const low: number[] = [];
  const high: number[] = [];
  const sum: number[] = [];
  const weight: number[] = [];
  for (let i = 0; i < order.length; i++) {
    const [value, target] = [x[order[i]], y[order[i]]];
    const last = low.length - 1;
    if (last >= 0 && high[last] === value) {
      sum[last] += target;
      weight[last]++;
    } else {
      low.push(value);
      high.push(value);
      sum.push(target);
      weight.push(1);
    }
    if (i + 1 < order.length && x[order[i + 1]] === value) continue;
    for (let k = low.length - 1; k > 0 && sum[k - 1] * weight[k] >= sum[k] * weight[k - 1]; k--) {
      sum[k - 1] += sum[k];
      weight[k - 1] += weight[k];
      high[k - 1] = high[k];
      for (const list of [low, high, sum, weight]) list.pop();
    }
  }
  const corners = low.flatMap((l, k) => {
    const mean = sum[k] / weight[k];
    return l === high[k]
      ? [[l, mean]]
      : [
          [l, mean],
          [high[k], mean],
        ];
  });
  return { x: Float64Array.from(corners, ([at]) => at), y: Float64Array.from(corners, ([, mean]) => mean) };
};
