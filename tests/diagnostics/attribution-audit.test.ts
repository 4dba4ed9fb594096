import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { differenceOf, levelOf, powerOf } from '../../src/diagnostics/attribution/audit-statistics.ts';
import {
  fillOf,
  keptAt,
  maskOf,
  newRanks,
  placesOf,
  type Ranks,
  rankInto,
  type Side,
  unmasked,
} from '../../src/diagnostics/attribution/unmasking.ts';

const ranked = (values: readonly number[], dims = [values.length], granularity: 'element' | 'pixel' = 'element') => {
  const places = placesOf(dims, granularity);
  const ranks = newRanks(1, places.count);
  rankInto(ranks, 0, values, 0, places);
  return { ranks, places };
};
const zeros = (n: number): Float32Array => new Float32Array(n);
const keptPlaces = (ranks: Ranks, side: Side, kept: number, n: number): number[] =>
  Array.from(maskOf(ranks, placesOf([n], 'element'), side, kept)).flatMap((v, i) => (v ? [i] : []));

test('card 05 (a): the highest and the lowest 40 % of five values, the others filled', () => {
  const { ranks, places } = ranked([0.1, -0.9, 0.3, -0.2, 0.5]);
  const x = Float32Array.of(5, 6, 7, 8, 9);
  const kept = keptAt(40, 5);
  assert.deepEqual(Array.from(unmasked(x, ranks, places, 'top', kept, zeros(5))), [0, 6, 0, 0, 9]);
  assert.deepEqual(Array.from(unmasked(x, ranks, places, 'bottom', kept, zeros(5))), [5, 0, 0, 8, 0]);
  const ties = ranked([2, 2, 2, 2, 2]);
  assert.deepEqual(keptPlaces(ties.ranks, 'top', kept, 5), [0, 1]);
  assert.deepEqual(keptPlaces(ties.ranks, 'bottom', kept, 5), [3, 4]);
});

test('card 05 (b): top k and bottom 100 − k share out the values; the reversed order swaps the sides', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 20, maxLength: 20 }),
      fc.integer({ min: 1, max: 19 }),
      (values, n) => {
        const { ranks } = ranked(values);
        const [top, bottom] = [keptPlaces(ranks, 'top', n, 20), keptPlaces(ranks, 'bottom', 20 - n, 20)];
        assert.deepEqual(
          [...top, ...bottom].sort((a, b) => a - b),
          Array.from({ length: 20 }, (_, i) => i),
        );
        const reversed = ranks.map((r) => 19 - r);
        assert.deepEqual(keptPlaces(reversed, 'bottom', n, 20), top);
        assert.deepEqual(
          keptPlaces(ranks, 'top', keptAt(100, 20), 20),
          Array.from({ length: 20 }, (_, i) => i),
        );
      },
    ),
  );
});

test('pixels are kept with all their channels', () => {
  const dims = [3, 4, 4];
  const values = new Array<number>(48).fill(0);
  values[16 + 5] = -3;
  values[2] = 1;
  values[34] = 1;
  const { ranks, places } = ranked(values, dims, 'pixel');
  assert.equal(places.count, 16);
  const mask = maskOf(ranks, places, 'top', 2);
  assert.deepEqual(
    Array.from(mask).flatMap((v, i) => (v ? [i] : [])),
    [2, 5, 18, 21, 34, 37],
  );
});

test('values are filled with the mean of their channel, or of their column', () => {
  const rows = Float32Array.from({ length: 2 * 48 }, (_, i) => Math.floor((i % 48) / 16) + Math.floor(i / 48));
  const fill = fillOf(rows, [3, 4, 4], 'mean');
  assert.deepEqual([fill[0], fill[20], fill[47]], [0.5, 1.5, 2.5]);
  assert.deepEqual(Array.from(fillOf(Float32Array.of(1, 2, 3, 4, 5, 9), [3], 'mean')), [2.5, 3.5, 6]);
  assert.deepEqual(Array.from(fillOf(rows, [3], 'zero')), [0, 0, 0]);
});

const right = (n: number, of: number): Uint8Array => Uint8Array.from({ length: of }, (_, i) => Number(i < n));

test('a difference and its standard error: equal sides give 0, swapped sides its negative', () => {
  const [top, bottom] = [powerOf([right(80, 100), right(84, 100)]), powerOf([right(40, 100), right(40, 100)])];
  const found = differenceOf(top, bottom);
  assert.ok(Math.abs(found.value - 0.42) < 1e-12);
  // Rows: 40 make no difference, 40 make 1, 4 make ½, 16 none: variance 0.2416·100/99; runs .40 and .44: variance 8e-4.
  const rows = (40 * (1 - 0.42) ** 2 + 4 * (0.5 - 0.42) ** 2 + 56 * 0.42 ** 2) / 99;
  assert.ok(Math.abs(found.error - Math.sqrt(rows / 100 + 8e-4 / 2)) < 1e-12);
  assert.equal(differenceOf(bottom, top).value, -found.value);
  assert.deepEqual([differenceOf(top, top).value, differenceOf(top, top).error], [0, 0]);
});

test('verdicts: by the interval, and downgraded where masks alone do as well', () => {
  const level = (top: number, bottom: number, maskTop: number, maskBottom: number) =>
    levelOf(
      5,
      3,
      {
        top: powerOf([right(top, 400)]),
        bottom: powerOf([right(bottom, 400)]),
        maskTop: powerOf([right(maskTop, 400)]),
        maskBottom: powerOf([right(maskBottom, 400)]),
        randomTop: powerOf([right(200, 400)]),
        randomBottom: powerOf([right(200, 400)]),
      },
      0.1,
    );
  assert.equal(level(360, 200, 40, 40).verdict, 'discriminative');
  assert.equal(level(200, 360, 40, 40).verdict, 'inverted');
  assert.equal(level(300, 299, 40, 40).verdict, 'random');
  // 0.02 of 400 rows are 8.
  assert.deepEqual(level(360, 200, 352, 40).leaks, ['top']);
  assert.equal(level(360, 200, 352, 40).verdict, 'mask leak');
  assert.deepEqual(level(360, 200, 351, 191).leaks, []);
  assert.deepEqual(level(360, 200, 360, 200).leaks, ['top', 'bottom']);
  // A tenth of the rows are of the most frequent class: masks that say no more leak nothing.
  assert.deepEqual(level(360, 48, 40, 48).leaks, []);
  assert.deepEqual(level(360, 49, 40, 49).leaks, ['bottom']);
});
