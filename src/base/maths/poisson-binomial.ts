/** P(S = k), k = 0..n, of a sum of independent Bernoulli(p_i): one convolution per trial. */
export const poissonBinomial = (p: ArrayLike<number>): Float64Array => {
  const mass = new Float64Array(p.length + 1);
  mass[0] = 1;
  for (let i = 0; i < p.length; i++) {
    const [hit, miss] = [p[i], 1 - p[i]];
    for (let k = i + 1; k > 0; k--) mass[k] = mass[k] * miss + mass[k - 1] * hit;
    mass[0] *= miss;
  }
  return mass;
};

/** E|S − Σp| of the same sum. */
export const meanAbsoluteDeviation = (p: ArrayLike<number>): number => {
  let mean = 0;
  for (let i = 0; i < p.length; i++) mean += p[i];
  return poissonBinomial(p).reduce((sum, mass, k) => sum + mass * Math.abs(k - mean), 0);
};
