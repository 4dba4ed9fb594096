import type { Attributed } from './method.ts';

/** Columns of a table, of which those of a one-hot code are one feature. */
export interface Features {
  readonly names: readonly string[];
  /** Feature of each input. */
  readonly of: Int32Array;
  /** What the values of a one-hot feature stand for, by feature. */
  readonly levels: ReadonlyMap<number, readonly string[]>;
}

/** Every beginning of a name that ends before a separator, the shortest first: the feature that a column may be a value of. */
const stems = (name: string): string[] =>
  Array.from(name.matchAll(/[_=:.[\s-]+/g), ({ index }) => name.slice(0, index)).filter((stem) => stem !== '');

/** Value of each column where it is on; columns that take more than two values have none. */
const highs = (x: Float32Array, d: number): (number | undefined)[] =>
  Array.from({ length: d }, (_, k) => {
    const seen = new Set<number>();
    for (let i = k; i < x.length && seen.size <= 2; i += d) seen.add(x[i]);
    return seen.size > 2 ? undefined : Math.max(...seen);
  });

/** Place, among the members, of the one that is on in a row; −1 where none is or several are. */
const onIn = (x: Float32Array, at: number, members: readonly number[], high: readonly (number | undefined)[]): number => {
  const on = members.flatMap((k, i) => (x[at + k] === high[k] ? [i] : []));
  return on.length === 1 ? on[0] : -1;
};

/**
 * Columns that share the beginning of their name, take two values each, and of which one is on in every row looked at, are one feature.
 * Undefined where there are none.
 */
export const oneHotFeatures = (names: readonly string[], x: Float32Array): Features | undefined => {
  const d = names.length;
  const high = highs(x, d);
  const binary = high.flatMap((value, k) => (value === undefined ? [] : [k]));
  const rows = x.length / d;
  const constant = (k: number): boolean => Array.from({ length: rows }, (_, i) => x[i * d + k]).every((v) => v === x[k]);
  // A column that never changes is never on, if it is a member at all.
  const varying = high.map((value, k) => (value !== undefined && constant(k) ? Number.NaN : value));
  const group = new Map<number, string>();
  const all = [...new Set(binary.flatMap((k) => stems(names[k])))].sort((a, b) => a.length - b.length);
  for (const stem of all) {
    const members = binary.filter((k) => !group.has(k) && stems(names[k]).includes(stem));
    if (members.length < 2 || members.every((k) => Number.isNaN(varying[k]))) continue;
    let exact = true;
    for (let i = 0; exact && i < rows; i++) exact = onIn(x, i * d, members, varying) >= 0;
    const longest = all.findLast((s) => members.every((k) => stems(names[k]).includes(s))) ?? stem;
    if (exact) for (const k of members) group.set(k, longest);
  }
  if (group.size === 0) return undefined;
  const found: { readonly name: string; readonly members: number[] }[] = [];
  const of = Int32Array.from(names, (name, k) => {
    const stem = group.get(k);
    const at = stem === undefined ? -1 : found.findIndex((f) => f.name === stem && group.get(f.members[0]) === stem);
    if (at >= 0) {
      found[at].members.push(k);
      return at;
    }
    return found.push({ name: stem ?? name, members: [k] }) - 1;
  });
  const levels = found.flatMap(({ name, members }, f): [number, readonly string[]][] =>
    members.length > 1 ? [[f, members.map((k) => names[k].slice(name.length).replace(/^[_=:.[\s-]+|\]$/g, ''))]] : [],
  );
  return { names: found.map(({ name }) => name), of, levels: new Map(levels) };
};

/** Signed sums over the inputs of each feature. */
export const summedBy = <A extends Attributed>(found: A, { names, of }: Features): A => {
  const [d, size] = [of.length, names.length];
  const values = new Float64Array((found.values.length / d) * size);
  for (let k = 0; k < found.values.length; k++) values[Math.floor(k / d) * size + of[k % d]] += found.values[k];
  return { ...found, values };
};

/** The value of each feature in each row: of a one-hot code the number of the member with the largest value. */
export const featureValues = (x: Float32Array, { names, of, levels }: Features): Float32Array => {
  const [d, size] = [of.length, names.length];
  const out = new Float32Array((x.length / d) * size);
  const rank = new Float32Array(d);
  const counts = new Map<number, number>();
  of.forEach((f, k) => {
    rank[k] = counts.get(f) ?? 0;
    counts.set(f, rank[k] + 1);
  });
  for (let i = 0; i < x.length / d; i++) {
    const most = new Float32Array(size).fill(Number.NEGATIVE_INFINITY);
    for (let k = 0; k < d; k++) {
      const v = x[i * d + k];
      const f = of[k];
      if (!levels.has(f)) out[i * size + f] = v;
      else if (v > most[f]) {
        most[f] = v;
        out[i * size + f] = rank[k];
      }
    }
  }
  return out;
};
