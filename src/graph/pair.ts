import type { Attribute, Graph, Node } from './types.ts';

/** Places in two lists that belong together. */
export type Pairs = readonly (readonly [first: number, other: number])[];

/** Cells of the table of common subsequences; larger remainders are paired in order, sign by sign. */
const mostCells = 2 ** 24;

const inOrder = (first: readonly string[], other: readonly string[]): Pairs => {
  const waiting = new Map<string, number[]>();
  other.forEach((sign, i) => {
    const list = waiting.get(sign);
    if (list) list.push(i);
    else waiting.set(sign, [i]);
  });
  const next = new Map<string, number>();
  return first.flatMap((sign, i): Pairs => {
    const at = next.get(sign) ?? 0;
    const twin = waiting.get(sign)?.[at];
    if (twin === undefined) return [];
    next.set(sign, at + 1);
    return [[i, twin]];
  });
};

/** A longest common subsequence of two lists of signs: what keeps its order is paired, so that an insertion shifts nothing. */
export const aligned = (first: readonly string[], other: readonly string[]): Pairs => {
  const [n, m] = [first.length, other.length];
  if (n * m > mostCells) return inOrder(first, other);
  const wide = m + 1;
  const longest = new Uint16Array((n + 1) * wide);
  for (let i = n - 1; i >= 0; i--)
    for (let j = m - 1; j >= 0; j--)
      longest[i * wide + j] =
        first[i] === other[j] ? longest[(i + 1) * wide + j + 1] + 1 : Math.max(longest[(i + 1) * wide + j], longest[i * wide + j + 1]);
  const out: [number, number][] = [];
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (first[i] === other[j]) out.push([i++, j++]);
    else if (longest[(i + 1) * wide + j] >= longest[i * wide + j + 1]) i++;
    else j++;
  }
  return out;
};

/** Pairs by a key that is unique on both sides, then what is left by the signs in their order. */
export const pairUp = <T>(
  first: readonly T[],
  other: readonly T[],
  keys: readonly ((item: T) => string | undefined)[],
  sign: (item: T) => string,
): Pairs => {
  const out: (readonly [number, number])[] = [];
  const [mine, theirs] = [new Set(first.keys()), new Set(other.keys())];
  const take = (i: number, j: number): void => {
    mine.delete(i);
    theirs.delete(j);
    out.push([i, j]);
  };
  const unique = (list: readonly T[], left: ReadonlySet<number>, key: (item: T) => string | undefined): Map<string, number> => {
    const found = new Map<string, number>();
    const twice = new Set<string>();
    for (const i of left) {
      const k = key(list[i]);
      if (k === undefined) continue;
      if (found.has(k)) twice.add(k);
      found.set(k, i);
    }
    for (const k of twice) found.delete(k);
    return found;
  };
  for (const key of keys) {
    const there = unique(other, theirs, key);
    for (const [k, i] of unique(first, mine, key)) {
      const j = there.get(k);
      if (j !== undefined) take(i, j);
    }
  }
  const [left, right] = [[...mine], [...theirs]];
  for (const [a, b] of aligned(
    left.map((i) => sign(first[i])),
    right.map((j) => sign(other[j])),
  ))
    take(left[a], right[b]);
  return out.sort((a, b) => a[0] - b[0]);
};

const operator = ({ op, domain }: Node): string => `${domain}.${op}`;
const shapesRead = (node: Node, graph: Graph): string =>
  node.inputs.map((name) => graph.initializers.get(name)?.dims.join('x') ?? '').join(',');

/** Nodes of two graphs: by name, then by the value they make, then by operator and weight shapes, then by operator, in their order. */
export const pairNodes = (first: Graph, other: Graph): Pairs => {
  const marked = ({ nodes }: Graph, graph: Graph) => nodes.map((node) => ({ node, shapes: shapesRead(node, graph) }));
  const [mine, theirs] = [marked(first, first), marked(other, other)];
  const known = pairUp(
    mine,
    theirs,
    [
      ({ node }) => (node.name ? `${operator(node)} ${node.name}` : undefined),
      ({ node }) => (node.name ? node.name : undefined),
      ({ node }) => (node.outputs[0] ? `${operator(node)} ${node.outputs[0]}` : undefined),
    ],
    ({ node, shapes }) => `${operator(node)} ${shapes}`,
  );
  const [gone, here] = [new Set(known.map(([i]) => i)), new Set(known.map(([, j]) => j))];
  const [left, right] = [[...mine.keys()].filter((i) => !gone.has(i)), [...theirs.keys()].filter((j) => !here.has(j))];
  // What is left has weights of other shapes, or lies in another order.
  const rest = aligned(
    left.map((i) => operator(mine[i].node)),
    right.map((j) => operator(theirs[j].node)),
  ).map(([a, b]) => [left[a], right[b]] as const);
  return [...known, ...rest].sort((a, b) => a[0] - b[0]);
};

const most = 80;
const short = (text: string): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** An attribute as a few words. */
export const attributeText = (attribute: Attribute): string => {
  switch (attribute.type) {
    case 'int':
    case 'float':
      return String(attribute.value);
    case 'string':
    case 'reference':
      return short(attribute.value);
    case 'ints':
    case 'floats':
    case 'strings':
      return short(`[${attribute.value.join(', ')}]`);
    case 'tensor':
      return `${attribute.value.dtype} [${attribute.value.dims.join(', ')}]`;
    case 'graph':
      return `graph of ${attribute.value.nodes.length} nodes`;
    case 'graphs':
    case 'tensors':
    case 'sparses':
    case 'types':
      return `${attribute.value.length} ${attribute.type}`;
    case 'sparse':
    case 'type':
      return attribute.type;
  }
};
