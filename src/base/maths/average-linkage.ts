/** Two clusters joined: leaves are 0..n−1, the i-th join makes cluster n + i. */
export interface Join {
  readonly left: number;
  readonly right: number;
  /** Mean distance between members of the two. */
  readonly height: number;
}

/**
 * Average linkage (UPGMA, Sokal, Michener 1958) by chains of nearest neighbours (Murtagh 1983), O(n²): of the distances between n items,
 * row-major and symmetric, which are overwritten. Joins come in the order in which chains close, not by height. Ties go to the lowest item.
 */
export const averageLinkage = (distances: Float64Array, n: number): Join[] => {
  const size = new Float64Array(n).fill(1);
  /** Cluster that item i now stands for; −1 where it was joined to another. */
  const cluster = Int32Array.from({ length: n }, (_, i) => i);
  const joins: Join[] = [];
  const chain: number[] = [];
  while (joins.length < n - 1) {
    if (chain.length === 0) chain.push(cluster.findIndex((c) => c >= 0));
    const tip = chain[chain.length - 1];
    const before = chain[chain.length - 2];
    // The one before is kept on ties, so that chains end.
    let [near, least] = before === undefined ? [-1, Number.POSITIVE_INFINITY] : [before, distances[tip * n + before]];
    for (let i = 0; i < n; i++)
      if (i !== tip && cluster[i] >= 0 && distances[tip * n + i] < least) [near, least] = [i, distances[tip * n + i]];
    if (near !== before) {
      chain.push(near);
      continue;
    }
    chain.length -= 2;
    const [a, b] = tip < near ? [tip, near] : [near, tip];
    joins.push({ left: cluster[a], right: cluster[b], height: least });
    for (let i = 0; i < n; i++) {
      if (i === a || i === b || cluster[i] < 0) continue;
      const d = (size[a] * distances[a * n + i] + size[b] * distances[b * n + i]) / (size[a] + size[b]);
      distances[a * n + i] = d;
      distances[i * n + a] = d;
    }
    size[a] += size[b];
    cluster[a] = n + joins.length - 1;
    cluster[b] = -1;
  }
  return joins;
};

/**
 * The leaves in an order that the tree allows: each join lays its two sides so that the closest of their four ends meet
 * (Gruvaeus, Wainer 1972). `distance` is between leaves.
 */
export const leafOrder = (joins: readonly Join[], n: number, distance: (i: number, j: number) => number): number[] => {
  if (n === 0) return [];
  const sides: (number[] | undefined)[] = Array.from({ length: n }, (_, i) => [i]);
  for (const { left, right } of joins) {
    const [a, b] = [sides[left] ?? [], sides[right] ?? []];
    sides[left] = undefined;
    sides[right] = undefined;
    const [a0, a1, b0, b1] = [a[0], a[a.length - 1], b[0], b[b.length - 1]];
    const ways = [distance(a1, b0), distance(a1, b1), distance(a0, b0), distance(a0, b1)];
    const best = ways.indexOf(Math.min(...ways));
    if (best >= 2) a.reverse();
    if (best % 2 === 1) b.reverse();
    sides.push([...a, ...b]);
  }
  return sides[sides.length - 1] ?? [];
};
