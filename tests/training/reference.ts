/** A training step of a two-layer ReLU network under cross-entropy, written out in float64 without any graph. */
export interface Net {
  readonly inputs: number;
  readonly hidden: number;
  readonly classes: number;
}
type Params = Record<'dense1.weight' | 'dense1.bias' | 'dense2.weight' | 'dense2.bias', number[]>;

export const lossAndGradient = (
  { inputs, hidden, classes }: Net,
  p: Params,
  rows: readonly (readonly number[])[],
  labels: readonly number[],
): { loss: number; correct: number; gradient: Params } => {
  const g: Params = {
    'dense1.weight': Array(hidden * inputs).fill(0),
    'dense1.bias': Array(hidden).fill(0),
    'dense2.weight': Array(classes * hidden).fill(0),
    'dense2.bias': Array(classes).fill(0),
  };
  let loss = 0;
  let correct = 0;
  for (const [r, x] of rows.entries()) {
    const pre = Array.from({ length: hidden }, (_, j) =>
      x.reduce((s, v, i) => s + v * p['dense1.weight'][j * inputs + i], p['dense1.bias'][j]),
    );
    const h = pre.map((v) => Math.max(0, v));
    const z = Array.from({ length: classes }, (_, c) =>
      h.reduce((s, v, j) => s + v * p['dense2.weight'][c * hidden + j], p['dense2.bias'][c]),
    );
    const most = Math.max(...z);
    const lse = most + Math.log(z.reduce((s, v) => s + Math.exp(v - most), 0));
    loss += (lse - z[labels[r]]) / rows.length;
    correct += Number(z.indexOf(most) === labels[r]);
    const dz = z.map((v, c) => (Math.exp(v - lse) - Number(c === labels[r])) / rows.length);
    const dh = h.map((_, j) => (pre[j] > 0 ? dz.reduce((s, d, c) => s + d * p['dense2.weight'][c * hidden + j], 0) : 0));
    for (const [c, d] of dz.entries()) {
      g['dense2.bias'][c] += d;
      for (const [j, v] of h.entries()) g['dense2.weight'][c * hidden + j] += d * v;
    }
    for (const [j, d] of dh.entries()) {
      g['dense1.bias'][j] += d;
      for (const [i, v] of x.entries()) g['dense1.weight'][j * inputs + i] += d * v;
    }
  }
  return { loss, correct, gradient: g };
};

/** Adam as card 00-training-common writes it, over one long vector. */
export const adam = (lr: number, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) => {
  let t = 0;
  let m: number[] = [];
  let v: number[] = [];
  return (theta: readonly number[], g: readonly number[]): number[] => {
    t++;
    m = g.map((gi, i) => beta1 * (m[i] ?? 0) + (1 - beta1) * gi);
    v = g.map((gi, i) => beta2 * (v[i] ?? 0) + (1 - beta2) * gi * gi);
    return theta.map((w, i) => w - ((lr / (1 - beta1 ** t)) * m[i]) / (Math.sqrt(v[i]) / Math.sqrt(1 - beta2 ** t) + eps));
  };
};
