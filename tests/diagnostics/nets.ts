import type { GradientTool } from '../../src/evidence/evidence.ts';
import { pointsBetween } from '../../src/evidence/providers/gradient-paths.ts';

/** Net A of the attribution card: 3 → ReLU(4) → 2, in double precision. */
const W1 = [
  [1, -2, 0.5],
  [0.5, 1, -1],
  [-1.5, 0.5, 2],
  [2, 1, 1],
];
const b1 = [0.1, -0.2, 0.3, -1];
const W2 = [
  [1, -1, 0.5, 2],
  [-0.5, 1.5, 1, -1],
];
const b2 = [0.05, -0.05];

export const x = Float32Array.of(1, 0.5, -0.25);

/** Pre-activations; what float32 points leave of a zero counts as zero (relu'(0) = 0). */
const hidden = (p: ArrayLike<number>, at: number): number[] =>
  W1.map((w, j) => {
    const z = b1[j] + w[0] * p[at] + w[1] * p[at + 1] + w[2] * p[at + 2];
    return Math.abs(z) < 1e-6 ? 0 : z;
  });

export const netA = (p: ArrayLike<number>, at: number, target: number): { readonly value: number; readonly gradient: number[] } => {
  const z = hidden(p, at);
  const value = z.reduce((sum, v, j) => sum + W2[target][j] * Math.max(0, v), b2[target]);
  const gradient = [0, 1, 2].map((k) => z.reduce((sum, v, j) => sum + (v > 0 ? W2[target][j] * W1[j][k] : 0), 0));
  return { value, gradient };
};

/** A gradient tool over any function with a known gradient; entries it leaves out are 0. */
export const toolOf = (
  f: (points: ArrayLike<number>, at: number, target: number) => { readonly value: number; readonly gradient: ArrayLike<number> },
  inputDims: readonly number[],
  targets: number,
): GradientTool => ({
  output: 'logits',
  targets,
  inputDims,
  atOnce: 7,
  values: async ({ points, targets: wanted }) =>
    Float64Array.from(wanted, (target, i) => f(points, (i * points.length) / wanted.length, target).value),
  sum: async ({ rows, points: given, nodes, weights, targets: wanted, square }) => {
    const s = weights.length;
    const d = given.length / rows / (nodes ? 2 : s);
    const points = nodes ? pointsBetween(given, nodes, d) : given;
    const gradient = new Float64Array(rows * d);
    const squared = new Float64Array(rows * d);
    const values = new Float64Array(rows * s);
    for (let b = 0; b < rows; b++)
      for (let i = 0; i < s; i++) {
        const at = f(points, (b * s + i) * d, wanted[b]);
        values[b * s + i] = at.value;
        for (let k = 0; k < d; k++) {
          gradient[b * d + k] += weights[i] * (at.gradient[k] ?? 0);
          squared[b * d + k] += weights[i] * (at.gradient[k] ?? 0) ** 2;
        }
      }
    return { gradient, values, ...(square ? { squared } : {}) };
  },
});
