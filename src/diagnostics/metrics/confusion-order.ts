import { averageLinkage, leafOrder } from '../../base/maths/average-linkage.ts';
import type { ClassScores } from './class-scores.ts';

export const orders = ['auto', 'index', 'similarity', 'frequency', 'mistakes', 'recall', 'name'] as const;
export type Order = (typeof orders)[number];

/** From this many classes on, neighbours in the grid are those that are confused. */
const MANY = 31;

/** Mistakes of a class: its rows answered otherwise, and other rows answered with it. */
export const mistakesOf = ({ rows, predicted, hits }: ClassScores): number => rows + predicted - 2 * hits;

/** 1 less the mean of both shares of mistakes, i as j and j as i: classes that are never confused are at 1. */
const distances = (counts: Float64Array, classes: number, scores: readonly ClassScores[], shown: readonly number[]): Float64Array => {
  const n = shown.length;
  const out = new Float64Array(n * n);
  const share = (a: number, b: number): number => (scores[a].rows === 0 ? 0 : counts[a * classes + b] / scores[a].rows);
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const d = 1 - (share(shown[i], shown[j]) + share(shown[j], shown[i])) / 2;
      out[i * n + j] = d;
      out[j * n + i] = d;
    }
  return out;
};

/** Rows and columns of the grid: confused classes as neighbours by average linkage, or sorted by what the option says. */
export const ordered = (
  order: Order,
  shown: readonly number[],
  { counts, classes, scores }: { readonly counts: Float64Array; readonly classes: number; readonly scores: readonly ClassScores[] },
  names: readonly string[],
): readonly number[] => {
  const by = (value: (k: number) => number): number[] => [...shown].sort((a, b) => value(b) - value(a) || a - b);
  switch (order === 'auto' ? (shown.length < MANY ? 'index' : 'similarity') : order) {
    case 'index':
      return [...shown].sort((a, b) => a - b);
    case 'frequency':
      return by((k) => scores[k].rows);
    case 'mistakes':
      return by((k) => mistakesOf(scores[k]));
    case 'recall':
      return by((k) => -(scores[k].recall ?? 2));
    case 'name':
      return [...shown].sort((a, b) => names[a].localeCompare(names[b], 'en', { numeric: true }) || a - b);
    case 'similarity': {
      const n = shown.length;
      const between = distances(counts, classes, scores, shown);
      const order = leafOrder(averageLinkage(between.slice(), n), n, (i, j) => between[i * n + j]);
      return order.map((i) => shown[i]);
    }
  }
};
