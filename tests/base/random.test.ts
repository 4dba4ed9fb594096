import assert from 'node:assert/strict';
import test from 'node:test';
import { random } from '../../src/base/random.ts';

// One-digit seeds once shared a stream: the seed entered the hash twice and cancelled itself.
test('every seed and every name has a stream of its own', () => {
  const first = (seed: number, name: string): string => {
    const r = random(seed, name);
    return `${r.next()} ${r.next()}`;
  };
  const names = ['split', 'shuffle', 'init'];
  const all = Array.from({ length: 200 }, (_, seed) => names.map((name) => first(seed, name))).flat();
  assert.equal(new Set(all).size, all.length);
  assert.equal(first(3, 'split'), first(3, 'split'));
});

test('uniform numbers have the mean and variance of the uniform law', () => {
  const r = random(1, 'uniform');
  const n = 20000;
  const x = Array.from({ length: n }, () => r.next());
  const mean = x.reduce((a, b) => a + b) / n;
  const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  // Five standard errors: sqrt(1/12/n) of the mean, about sqrt(1/180/n) of the variance.
  assert.ok(Math.abs(mean - 1 / 2) < 5 * Math.sqrt(1 / 12 / n));
  assert.ok(Math.abs(variance - 1 / 12) < 5 * Math.sqrt(1 / 180 / n));
});
