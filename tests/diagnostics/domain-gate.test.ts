import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  addTokens,
  belonging,
  type GateKind,
  gateKinds,
  gateOf,
  gateTable,
  mergeTokens,
  noTokens,
  type TokenCounts,
  wordsOf,
} from '../../src/diagnostics/metrics/domain-gate.ts';

const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void => {
  assert.equal(actual.length, expected.length);
  for (const [i, v] of expected.entries())
    assert.ok(Math.abs(actual[i] - v) <= tolerance, `[${i}] ${actual[i]} is not ${v} ± ${tolerance}`);
};

/** Card 35, check (a) 3. */
const corpora = [['good story good plot', 'boring story'], ['good battery', 'battery bad screen bad'], ['tasty good meal']];
const counted = (order: readonly number[] = [0, 1, 2]): TokenCounts => {
  const out = noTokens(3);
  order.forEach((from, d) => {
    for (const text of corpora[from]) addTokens(out, wordsOf(text), d);
  });
  return out;
};
// The card's numbers have ten decimals.
const ten = 5e-11;

test('card 35: belonging and gates of the three corpora', () => {
  const cases: readonly (readonly [kind: GateKind, text: string, dbd: readonly number[] | undefined, gate: readonly number[]])[] = [
    ['tf-idf', 'good battery story', [0.3662040962, 0.3662040962, 0], [0.5, 0.5, 0]],
    ['tf-idf-smooth', 'good battery story', [0.8977157269, 0.7310490602, 0.3333333333], [0.4575284577, 0.3725853731, 0.1698861692]],
    ['tf-idf-smooth', 'battery screen', [0, 0.8465735903, 0], [0, 1, 0]],
    ['tf-idf', 'good', [0, 0, 0], [1 / 3, 1 / 3, 1 / 3]],
    ['tf-idf-smooth', 'good', undefined, [0.4, 0.2, 0.4]],
    ['freq-unique', 'good battery story', [0.5, 0.375, 0.0833333333], [0.5217391304, 0.3913043478, 0.0869565217]],
    ['freq-unique', 'good', undefined, [0.5714285714, 0.1428571429, 0.2857142857]],
    ...gateKinds.map((kind) => [kind, 'unknown', [0, 0, 0], [1 / 3, 1 / 3, 1 / 3]] as const),
  ];
  for (const [kind, text, dbd, gate] of cases) {
    const table = gateTable(counted(), kind, 1);
    if (dbd) near(belonging(table, wordsOf(text), 3), dbd, ten);
    near(gateOf(table, wordsOf(text), 3), gate, ten);
  }
});

test('gates sum to 1, follow a permutation of the domains, and are 1 for one domain', () => {
  const words = fc.array(fc.constantFrom('good', 'story', 'battery', 'meal', 'plot', 'never'), { maxLength: 8 });
  fc.assert(
    fc.property(words, fc.constantFrom(...gateKinds), (text, kind) => {
      const gate = gateOf(gateTable(counted(), kind, 1), text, 3);
      assert.ok(Math.abs(gate.reduce((a, b) => a + b, 0) - 1) < 1e-12);
      const turned = gateOf(gateTable(counted([2, 0, 1]), kind, 1), text, 3);
      near(turned, [gate[2], gate[0], gate[1]], 1e-12);
      const one = noTokens(1);
      addTokens(one, ['good', 'story'], 0);
      near(gateOf(gateTable(one, kind, 1), text, 1), [1], 0);
    }),
  );
});

test('counts of parts, merged, are those of the whole', () => {
  const [left, right] = [noTokens(3), noTokens(3)];
  corpora.forEach((texts, d) => {
    texts.forEach((text, i) => void addTokens(i === 0 ? left : right, wordsOf(text), d));
  });
  mergeTokens(left, right);
  assert.deepEqual(left.totals, counted().totals);
  assert.deepEqual(Object.fromEntries(left.tokens), Object.fromEntries(counted().tokens));
});

test('rare tokens are left out; words of any script', () => {
  assert.deepEqual([...gateTable(counted(), 'tf-idf', 2).keys()].sort(), ['bad', 'battery', 'good', 'story']);
  assert.deepEqual(wordsOf("It's GOOD, 3-D; کتاب\u200cها خوب"), ["it's", 'good', '3', 'd', 'کتاب\u200cها', 'خوب']);
});
