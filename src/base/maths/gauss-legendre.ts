/** Nodes in (0, 1), ascending, and weights that sum to 1: Newton on the Legendre polynomial of degree n from Tricomi's guess. */
export const gaussLegendre = (n: number): { readonly nodes: readonly number[]; readonly weights: readonly number[] } => {
  const nodes = new Array<number>(n);
  const weights = new Array<number>(n);
  for (let i = 0; i < (n + 1) >> 1; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 8; step++) {
      let [p, before] = [1, 0];
      for (let k = 1; k <= n; k++) [p, before] = [((2 * k - 1) * x * p - (k - 1) * before) / k, p];
      slope = (n * (x * p - before)) / (x * x - 1);
      x -= p / slope;
    }
    const w = 1 / ((1 - x * x) * slope * slope);
    nodes[n - 1 - i] = (1 + x) / 2;
    nodes[i] = (1 - x) / 2;
    weights[n - 1 - i] = w;
    weights[i] = w;
  }
  return { nodes, weights };
};
