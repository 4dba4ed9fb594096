import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cosineTransform } from '../../src/base/maths/cosine-transform.ts';
import { random } from '../../src/base/random.ts';

// Sums of at most 256 terms below 1 in float64: 256 · 2⁻⁵² and a factor for the passes.
const ROUNDING = 1e-12;

test('the cosine transform is its defining sum, and the inverse takes it back', () => {
  for (const n of [2, 4, 8, 64, 256]) {
    const r = random(1, `n ${n}`);
    const x = Float64Array.from({ length: n }, () => r.next() - 0.5);
    const transform = cosineTransform(n);
    const found = transform.forward(x);
    for (let k = 0; k < n; k++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += x[i] * Math.cos((Math.PI * k * (i + 0.5)) / n);
      assert.ok(Math.abs(found[k] - sum) < ROUNDING, `n ${n}, k ${k}: ${found[k]} is not ${sum}`);
    }
    const into = new Float64Array(n);
    assert.equal(transform.inverse(found, into), into);
    for (let i = 0; i < n; i++) assert.ok(Math.abs(into[i] - x[i]) < ROUNDING, `n ${n}, i ${i}: ${into[i]} is not ${x[i]}`);
  }
});
