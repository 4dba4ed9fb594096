/** Signal levels ᾱ_0 … ᾱ_T, rising from almost none to almost all, cut off at `low` and `high`. */
export const levelsOf = (
  schedule: 'cosine' | 'linear',
  blocks: number,
  { low, high }: { readonly low: number; readonly high: number },
): Float64Array => {
  const s = 0.008;
  return Float64Array.from({ length: blocks + 1 }, (_, t) => {
    const level = schedule === 'linear' ? t / blocks : Math.cos(((1 - t / blocks + s) / (1 + s)) * (Math.PI / 2)) ** 2;
    return Math.min(high, Math.max(low, level));
  });
};

/** ᾱ/(1 − ᾱ). */
export const signalToNoise = (level: number): number => level / (1 - level);

/**
 * One step of the chain, z_t = a·û + b·z_{t−1} + √c·ε, the posterior of z_t given û and z_{t−1}, with α_{t−1} = ᾱ_{t−1}/ᾱ_t:
 * a = √ᾱ_t(1 − α_{t−1})/(1 − ᾱ_{t−1}), b = √α_{t−1}(1 − ᾱ_t)/(1 − ᾱ_{t−1}), c = (1 − ᾱ_t)(1 − α_{t−1})/(1 − ᾱ_{t−1}).
 */
export const chainStep = (before: number, level: number): { readonly a: number; readonly b: number; readonly c: number } => {
  const alpha = before / level;
  return {
    a: (Math.sqrt(level) * (1 - alpha)) / (1 - before),
    b: (Math.sqrt(alpha) * (1 - level)) / (1 - before),
    c: ((1 - level) * (1 - alpha)) / (1 - before),
  };
};

/** KL(N(√ᾱ_0·u, (1 − ᾱ_0)I) ‖ N(0, I)) in `width` dimensions, `square` = ‖u‖². */
export const firstDivergence = (width: number, square: number, level: number): number =>
  0.5 * (width * (1 - level) + level * square - width - width * Math.log(1 - level));
