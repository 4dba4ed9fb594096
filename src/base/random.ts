/** xoshiro128** (Blackman, Vigna 2018), seeded by SplitMix32; one named substream per use: hash(seed, name). */
export interface Random {
  /** Uniform in [0, 1) with 32 random bits. */
  next(): number;
  /** Whole number in [0, n). */
  below(n: number): number;
  /** Standard normal (Box–Muller, both values used). */
  normal(): number;
  /** Fisher–Yates, in place. */
  shuffle<T extends { [i: number]: unknown; readonly length: number }>(items: T): T;
}

const fnv = (name: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** The substream `name` of `seed` (uint32). Equal arguments give equal numbers on every machine. */
export const random = (seed: number, name: string): Random => {
  let z = fnv(`${seed >>> 0}/${name}`);
  const split = (): number => {
    z = (z + 0x9e3779b9) | 0;
    let t = z ^ (z >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return t ^ (t >>> 15);
  };
  let [a, b, c, d] = [split(), split(), split(), split()];
  let spare: number | undefined;
  const bits = (): number => {
    const r = Math.imul(b, 5);
    const out = Math.imul((r << 7) | (r >>> 25), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return out >>> 0;
  };
  const next = (): number => bits() / 4294967296;
  return {
    next,
    below: (n) => Math.floor(next() * n),
    normal() {
      if (spare !== undefined) {
        const out = spare;
        spare = undefined;
        return out;
      }
      const r = Math.sqrt(-2 * Math.log((bits() + 1) / 4294967297));
      const phi = 2 * Math.PI * next();
      spare = r * Math.sin(phi);
      return r * Math.cos(phi);
    },
    shuffle(items) {
      const x = items as { [i: number]: unknown };
      for (let i = items.length - 1; i > 0; i--) {
        const j = Math.floor(next() * (i + 1));
        [x[i], x[j]] = [x[j], x[i]];
      }
      return items;
    },
  };
};
