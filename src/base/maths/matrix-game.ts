/**
 * min over w ≥ 0, Σw = 1 of max over rows of (Aw): the value of a matrix game, by the simplex method on max Σx, A⁺x ≤ 1, x ≥ 0, where A⁺ is
 * A made positive by a constant (Dantzig 1951). Starts feasible; Bland's rule after many steps keeps it from going round.
 */
export const gameValue = (rows: readonly Float64Array[], columns: number): { readonly value: number; readonly weights: Float64Array } => {
  const m = rows.length;
  const n = columns;
  if (m === 0) return { value: Number.NEGATIVE_INFINITY, weights: new Float64Array(n).fill(1 / n) };
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const row of rows)
    for (const v of row) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
  const scale = Math.max(high - low, Math.abs(high), 1e-300);
  const shift = 1 - low / scale;
  // Columns of the tableau: x, slacks, right side. The last row is that of the costs.
  const width = n + m + 1;
  const t = Array.from({ length: m + 1 }, (_, i) => {
    const line = new Float64Array(width);
    if (i === m) return line.fill(-1, 0, n);
    for (let k = 0; k < n; k++) line[k] = rows[i][k] / scale + shift;
    line[n + i] = 1;
    line[width - 1] = 1;
    return line;
  });
  const basis = Int32Array.from({ length: m }, (_, i) => n + i);
  for (let step = 0; step < 50 * (m + n); step++) {
    const bland = step > 5 * (m + n);
    let enter = -1;
    for (let k = 0; k < width - 1; k++)
      if (t[m][k] < -1e-12 && (enter < 0 || t[m][k] < t[m][enter])) {
        enter = k;
        if (bland) break;
      }
    if (enter < 0) break;
    let leave = -1;
    for (let i = 0; i < m; i++) {
      if (t[i][enter] <= 1e-12) continue;
      const gap = leave < 0 ? -1 : t[i][width - 1] / t[i][enter] - t[leave][width - 1] / t[leave][enter];
      if (gap < 0 || (gap === 0 && basis[i] < basis[leave])) leave = i;
    }
    if (leave < 0) break;
    const pivot = t[leave][enter];
    for (let k = 0; k < width; k++) t[leave][k] /= pivot;
    for (let i = 0; i <= m; i++) {
      const factor = i === leave ? 0 : t[i][enter];
      if (factor !== 0) for (let k = 0; k < width; k++) t[i][k] -= factor * t[leave][k];
    }
    basis[leave] = enter;
  }
  const weights = new Float64Array(n);
  for (const [i, k] of basis.entries()) if (k < n) weights[k] = Math.max(0, t[i][width - 1]);
  const sum = weights.reduce((s, v) => s + v, 0);
  return { value: (1 / sum - shift) * scale, weights: weights.map((v) => v / sum) };
};
