/** Scores [n, 2] of rows [n, d] on their first two principal components, by power iteration; the sign makes the largest loading positive. */
export const twoComponents = (rows: Float64Array, d: number): Float64Array => {
  const n = rows.length / d;
  const centred = Float64Array.from(rows);
  for (let k = 0; k < d; k++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += rows[i * d + k] / n;
    for (let i = 0; i < n; i++) centred[i * d + k] -= mean;
  }
  const out = new Float64Array(2 * n);
  for (let c = 0; c < 2; c++) {
    let v = Float64Array.from({ length: d }, (_, k) => 1 + (k % 7) / 7);
    for (let turn = 0; turn < 200; turn++) {
      const scores = new Float64Array(n);
      for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) scores[i] += centred[i * d + k] * v[k];
      const next = new Float64Array(d);
      for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) next[k] += scores[i] * centred[i * d + k];
      const norm = Math.hypot(...next);
      if (norm === 0) break;
      const change = next.reduce((sum, x, k) => sum + Math.abs(x / norm - v[k]), 0);
      v = next.map((x) => x / norm);
      if (change < 1e-10) break;
    }
    const most = v.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    if (most < 0) v = v.map((x) => 0 - x);
    for (let i = 0; i < n; i++) {
      let score = 0;
      for (let k = 0; k < d; k++) score += centred[i * d + k] * v[k];
      out[2 * i + c] = score;
      for (let k = 0; k < d; k++) centred[i * d + k] -= score * v[k];
    }
  }
  return out;
};
