import type { Random } from '../random.ts';
import { solvePositive } from './cholesky.ts';

/** A coalition: 1 where a player takes part. */
export type Coalition = Uint8Array;

const choose = (n: number, k: number): number => {
  let out = 1;
  for (let i = 1; i <= k; i++) out *= (n - k + i) / i;
  return out;
};

/** Every coalition but none and all, each with its kernel weight (n − 1)/(C(n, s)·s·(n − s)). */
const every = (n: number): { readonly coalitions: Coalition[]; readonly weights: number[] } => {
  const coalitions = Array.from({ length: 2 ** n - 2 }, (_, i) => Uint8Array.from({ length: n }, (_, p) => ((i + 1) >> p) & 1));
  const weights = coalitions.map((c) => {
    const s = c.reduce((sum, v) => sum + v, 0);
    return (n - 1) / (choose(n, s) * s * (n - s));
  });
  return { coalitions, weights };
};

/** Coalitions drawn by the kernel: sizes with chance ∝ 1/(s·(n − s)), members evenly, each with its complement. */
const drawn = (n: number, count: number, random: Random): { readonly coalitions: Coalition[]; readonly weights: number[] } => {
  const chances = Array.from({ length: n - 1 }, (_, i) => 1 / ((i + 1) * (n - 1 - i)));
  const total = chances.reduce((sum, c) => sum + c, 0);
  const players = Array.from({ length: n }, (_, p) => p);
  const coalitions: Coalition[] = [];
  while (coalitions.length < count) {
    let u = random.next() * total;
    let size = 1;
    while (size < n - 1 && u >= chances[size - 1]) u -= chances[size++ - 1];
    random.shuffle(players);
    const one = new Uint8Array(n);
    for (const p of players.slice(0, size)) one[p] = 1;
    coalitions.push(one);
    if (coalitions.length < count) coalitions.push(one.map((v) => 1 - v));
  }
  return { coalitions, weights: coalitions.map(() => 1) };
};

/**
 * Shapley values by weighted least squares under Σφ = f(all) − f(none) (Lundberg and Lee 2017, theorem 2): exact where every
 * coalition can be asked about, else from `count` drawn ones.
 */
export const shapleyValues = async (
  players: number,
  count: number,
  [whole, none]: readonly [number, number],
  random: Random,
  /** f at coalitions. */
  ask: (coalitions: readonly Coalition[]) => Promise<Float64Array>,
): Promise<Float64Array> => {
  const total = whole - none;
  if (players === 1) return Float64Array.of(total);
  const all = players <= 30 && 2 ** players - 2 <= count;
  const { coalitions, weights } = all ? every(players) : drawn(players, count, random);
  const f = await ask(coalitions);
  // φ of the last player is total − Σ of the others.
  const n = players - 1;
  const [a, b] = [new Float64Array(n * n), new Float64Array(n)];
  coalitions.forEach((c, i) => {
    const last = c[n];
    const y = f[i] - none - last * total;
    const row = Float64Array.from({ length: n }, (_, p) => c[p] - last);
    for (let p = 0; p < n; p++) {
      if (row[p] === 0) continue;
      b[p] += weights[i] * row[p] * y;
      for (let q = 0; q < n; q++) a[p * n + q] += weights[i] * row[p] * row[q];
    }
  });
  // A part that no coalition tells apart from another is held near 0.
  const ridge = 1e-9 * Math.max(...Array.from({ length: n }, (_, p) => a[p * n + p]), 1e-300);
  for (let p = 0; p < n; p++) a[p * n + p] += ridge;
  const found = solvePositive(a, b) ?? new Float64Array(n).fill(Number.NaN);
  return Float64Array.of(...found, total - found.reduce((sum, v) => sum + v, 0));
};
