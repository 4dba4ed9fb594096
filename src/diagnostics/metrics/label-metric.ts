import { Fault } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';

/** Labels and the distances between them. */
export interface LabelMetric {
  readonly kind: 'matrix' | 'tree' | 'graph' | 'order' | 'embeddings';
  readonly size: number;
  /** Names of the labels, where they have any. */
  readonly names?: readonly string[];
  /** Distances from one label to all. */
  from(label: number): Float64Array;
  /** Of embeddings: the points, [size, width], whose distances these are. */
  readonly points?: { readonly width: number; readonly data: Float64Array };
  /** Of a tree: neighbours of every label. */
  readonly edges?: readonly (readonly { readonly to: number; readonly weight: number }[])[];
}

const named = (names: readonly string[] | undefined): Pick<LabelMetric, 'names'> => (names ? { names } : {});

/** Square, symmetric, without negative distances, zero on the diagonal; the first cell that is not is named. */
export const matrixMetric = (data: Float64Array, dims: readonly number[], path: string, names?: readonly string[]): LabelMetric => {
  const [size, cols] = dims;
  if (dims.length !== 2 || size !== cols || size === 0) throw new Fault('diagnostic/metric-shape', { path, shape: dims.join(' × ') });
  const at = (i: number, j: number): number => data[i * size + j];
  const most = data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      const cell = { path, row: i, column: j, value: at(i, j) };
      if (!Number.isFinite(cell.value) || cell.value < 0)
        throw new Fault('diagnostic/metric-cell', { ...cell, due: 'a distance of at least 0' });
      if (i === j && cell.value !== 0) throw new Fault('diagnostic/metric-cell', { ...cell, due: '0, the distance of a label to itself' });
      // Distances are often written with few digits, both cells alike; rounding of computed ones is allowed for.
      if (Math.abs(cell.value - at(j, i)) > 1e-9 * most)
        throw new Fault('diagnostic/metric-cell', { ...cell, due: `${at(j, i)}, as in row ${j}, column ${i}` });
    }
  return { kind: 'matrix', size, ...named(names), from: (label) => data.subarray(label * size, (label + 1) * size) };
};

/** Positions on a line, one apart. */
export const orderMetric = (size: number, names?: readonly string[]): LabelMetric => ({
  kind: 'order',
  size,
  ...named(names),
  from: (label) => Float64Array.from({ length: size }, (_, v) => Math.abs(v - label)),
});

export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly weight: number;
}

/** Shortest paths by Dijkstra; without a heap where all weights are equal, since the queue is then in order. */
const shortest = (edges: NonNullable<LabelMetric['edges']>, start: number): Float64Array => {
  const found = new Float64Array(edges.length).fill(Number.POSITIVE_INFINITY);
  found[start] = 0;
  const heap: (readonly [distance: number, node: number])[] = [[0, start]];
  const swap = (i: number, j: number): void => {
    [heap[i], heap[j]] = [heap[j], heap[i]];
  };
  const pop = (): readonly [number, number] => {
    const top = heap[0];
    const last = heap.pop();
    if (last && heap.length > 0) {
      heap[0] = last;
      for (let i = 0; ; ) {
        const [l, r] = [2 * i + 1, 2 * i + 2];
        let least = l < heap.length && heap[l][0] < heap[i][0] ? l : i;
        if (r < heap.length && heap[r][0] < heap[least][0]) least = r;
        if (least === i) break;
        swap(i, least);
        i = least;
      }
    }
    return top;
  };
  while (heap.length > 0) {
    const [distance, node] = pop();
    if (distance > found[node]) continue;
    for (const { to, weight } of edges[node]) {
      if (distance + weight >= found[to]) continue;
      found[to] = distance + weight;
      heap.push([found[to], to]);
      for (let i = heap.length - 1; i > 0 && heap[i][0] < heap[(i - 1) >> 1][0]; i = (i - 1) >> 1) swap(i, (i - 1) >> 1);
    }
  }
  return found;
};

/** Shortest paths between the ends of edges; with one edge less than labels it is a tree. */
export const graphMetric = (list: readonly Edge[], path: string): LabelMetric => {
  const index = new Map<string, number>();
  const links: Map<number, number>[] = [];
  const place = (name: string): number => {
    const known = index.get(name);
    if (known !== undefined) return known;
    index.set(name, links.push(new Map()) - 1);
    return links.length - 1;
  };
  for (const [i, { from, to, weight }] of list.entries()) {
    if (!(weight > 0 && Number.isFinite(weight))) throw new Fault('diagnostic/metric-edge', { path, row: i, from, to, weight });
    const [a, b] = [place(from), place(to)];
    if (a === b) continue;
    // Of two edges between the same labels the shorter counts.
    links[a].set(b, Math.min(weight, links[a].get(b) ?? weight));
    links[b].set(a, Math.min(weight, links[b].get(a) ?? weight));
  }
  const names = [...index.keys()];
  const edges = links.map((out) => Array.from(out, ([to, weight]) => ({ to, weight })));
  const reached = shortest(edges, 0);
  const lost = reached.indexOf(Number.POSITIVE_INFINITY);
  if (lost >= 0)
    throw new Fault('diagnostic/metric-apart', {
      path,
      from: names[0],
      to: names[lost],
      reached: reached.filter(Number.isFinite).length,
      labels: names.length,
    });
  const distinct = edges.reduce((n, out) => n + out.length, 0) / 2;
  const kept = new Map<number, Float64Array>();
  return {
    kind: distinct === names.length - 1 ? 'tree' : 'graph',
    size: names.length,
    names,
    edges,
    from(label) {
      const made = kept.get(label) ?? shortest(edges, label);
      if (kept.size * names.length < 2 ** 24) kept.set(label, made);
      return made;
    },
  };
};

/** ‖a − b‖ of points, unit vectors where `normalise`. */
export const embeddingMetric = (
  data: Float64Array,
  dims: readonly number[],
  path: string,
  normalise: boolean,
  names?: readonly string[],
): LabelMetric => {
  const [size, width] = dims;
  if (dims.length !== 2 || size === 0 || width === 0) throw new Fault('diagnostic/embedding-shape', { path, shape: dims.join(' × ') });
  const points = data.slice();
  for (let i = 0; i < size; i++) {
    let square = 0;
    for (let k = i * width; k < (i + 1) * width; k++) square += points[k] ** 2;
    if (!Number.isFinite(square) || (normalise && square === 0))
      throw new Fault('diagnostic/embedding', { path, row: i, finite: Number.isFinite(square) });
    if (normalise) for (let k = i * width; k < (i + 1) * width; k++) points[k] /= Math.sqrt(square);
  }
  return {
    kind: 'embeddings',
    size,
    ...named(names),
    points: { width, data: points },
    from(label) {
      const out = new Float64Array(size);
      for (let v = 0; v < size; v++) {
        let square = 0;
        for (let k = 0; k < width; k++) square += (points[v * width + k] - points[label * width + k]) ** 2;
        out[v] = Math.sqrt(square);
      }
      return out;
    },
  };
};

export interface Triple {
  readonly from: number;
  readonly over: number;
  readonly to: number;
  /** d(from, to) − d(from, over) − d(over, to), positive. */
  readonly excess: number;
  /** Whether all triples were looked at. */
  readonly all: boolean;
}

/** Above so many labels, triples are drawn. */
const TRIPLES = 250;
const DRAWN = 1_000_000;

/** The worst breach of the triangle inequality, where there is any. Only a given matrix can have one. */
export const worstTriple = ({ kind, size, from }: LabelMetric, random: Random): Triple | undefined => {
  if (kind !== 'matrix') return undefined;
  const all = size <= TRIPLES;
  let worst: Triple | undefined;
  let most = 0;
  for (let i = 0; i < size; i++) for (const v of from(i)) most = Math.max(most, v);
  const look = (i: number, k: number, j: number): void => {
    const excess = from(i)[j] - from(i)[k] - from(k)[j];
    if (excess > Math.max(worst?.excess ?? 0, 1e-9 * most)) worst = { from: i, over: k, to: j, excess, all };
  };
  if (all) for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) for (let k = 0; k < size; k++) look(i, k, j);
  else for (let d = 0; d < DRAWN; d++) look(random.below(size), random.below(size), random.below(size));
  return worst;
};
