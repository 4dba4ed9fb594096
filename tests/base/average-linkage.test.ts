import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { averageLinkage, type Join, leafOrder } from '../../src/base/maths/average-linkage.ts';
import { random } from '../../src/base/random.ts';

const { linkage } = JSON.parse(readFileSync(new URL('../golden/diagnostics/comparison.json', import.meta.url), 'utf8')) as {
  readonly linkage: { readonly distances: number[]; readonly heights: number[]; readonly cophenetic: number[] };
};

/** Height at which two leaves first share a cluster, for every pair i < j. */
const cophenetic = (joins: readonly Join[], n: number): number[] => {
  const members: number[][] = Array.from({ length: n }, (_, i) => [i]);
  const out = new Float64Array(n * n);
  for (const { left, right, height } of joins) {
    for (const i of members[left]) for (const j of members[right]) out[Math.min(i, j) * n + Math.max(i, j)] = height;
    members.push([...members[left], ...members[right]]);
  }
  return Array.from({ length: n }, (_, i) => Array.from({ length: n - i - 1 }, (_, j) => out[i * n + i + 1 + j])).flat();
};

test('average linkage joins at the heights, and parts the pairs, that SciPy gives', () => {
  const n = linkage.heights.length + 1;
  const joins = averageLinkage(Float64Array.from(linkage.distances), n);
  const heights = joins.map((j) => j.height).sort((a, b) => a - b);
  // Means of means in another order.
  for (const [i, h] of heights.entries()) assert.ok(Math.abs(h - linkage.heights[i]) < 1e-12);
  for (const [i, h] of cophenetic(joins, n).entries()) assert.ok(Math.abs(h - linkage.cophenetic[i]) < 1e-12, `pair ${i}`);
});

test('leaves: every one once, clusters in one piece, and a hidden line is found again', () => {
  const n = 60;
  const chance = random(5, 'line');
  const place = chance.shuffle(Float64Array.from({ length: n }, (_, i) => i + 0.3 * chance.next()));
  const between = (i: number, j: number): number => Math.abs(place[i] - place[j]);
  const joins = averageLinkage(
    Float64Array.from({ length: n * n }, (_, at) => between(Math.floor(at / n), at % n)),
    n,
  );
  const order = leafOrder(joins, n, between);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: n }, (_, i) => i),
  );
  const path = (leaves: readonly number[]): number => leaves.slice(1).reduce((sum, leaf, i) => sum + between(leaf, leaves[i]), 0);
  // The line itself is about 59 long; items in the order given about 60·20.
  assert.ok(path(order) < 1.5 * n, String(path(order)));
  assert.ok(path(Array.from({ length: n }, (_, i) => i)) > 10 * n);
});

test('ties, one item, none: no loop and every leaf', () => {
  assert.deepEqual(
    leafOrder(averageLinkage(new Float64Array(49).fill(1), 7), 7, () => 1).sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6],
  );
  assert.deepEqual(
    leafOrder(averageLinkage(new Float64Array(1), 1), 1, () => 0),
    [0],
  );
  assert.deepEqual(
    leafOrder(averageLinkage(new Float64Array(0), 0), 0, () => 0),
    [],
  );
});
