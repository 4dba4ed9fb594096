import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equiangularVectors, largestCosine, SLACK, spreadApart, welchBound } from '../../src/base/maths/equiangular.ts';
import { random } from '../../src/base/random.ts';

const near = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

test('Welch bounds of the card', () => {
  for (const [n, d, bound] of [
    [3, 2, 0.5],
    [4, 3, 1 / 3],
    [6, 3, 0.447213595],
    [10, 5, 1 / 3],
    [20, 10, 0.229415734],
    [10, 10, 0],
  ])
    near(welchBound(n, d), bound, 1e-9);
});

// numpy.random.RandomState(42).randn(3, 2) and (4, 3).
const drawn = [
  0.4967141530112327, -0.13826430117118466, 0.6476885381006925, 1.5230298564080254, -0.23415337472333597, -0.23413695694918055,
  1.5792128155073915, 0.7674347291529088, -0.4694743859349521, 0.5425600435859647, -0.46341769281246226, -0.46572975357025687,
];

test('the descent with a constant rate takes the steps of the card', () => {
  const steady = (): number => 1e-3;
  const three = spreadApart(drawn.slice(0, 6), [3, 2], 0.5, steady, 100000);
  assert.equal(three.steps, 2077);
  near(three.worst, 0.5000992403722988, 1e-9);
  const four = spreadApart(drawn, [4, 3], 1 / 3, steady, 100000);
  assert.equal(four.steps, 6967);
  assert.ok(four.worst <= 1 / 3 + SLACK);
});

test('orthonormal rows and simplices are exact, at any width', () => {
  for (const [n, d] of [
    [10, 10],
    [4, 9],
    [2, 2],
  ])
    assert.ok(equiangularVectors(n, d, 0, random(0, 'v')).worst < 1e-12);
  for (const d of [2, 3, 7]) near(equiangularVectors(d + 1, d, 1 / d, random(0, 'v')).worst, 1 / d, 1e-12);
});

test('rows have length 1 and their cosines stay below the angle asked for, where it can be found', () => {
  for (const [n, d, alpha] of [
    [10, 5, 0.4],
    [20, 10, 0.3],
  ]) {
    const { vectors, worst } = equiangularVectors(n, d, alpha, random(0, 'v'));
    assert.ok(worst <= alpha + SLACK);
    near(largestCosine(vectors, n, d), worst, 1e-12);
    for (let i = 0; i < n; i++) near(Math.hypot(...vectors.subarray(i * d, (i + 1) * d)), 1, 1e-12);
  }
});

test('10 vectors in 5 dimensions at the Welch bound exist, but the descent gives only its best', () => {
  // Gram matrix I + C/3 with C the conference matrix of Paley, q = 9, has rank 5: cosines of ±1/3 throughout.
  const { worst } = equiangularVectors(10, 5, 1 / 3, random(0, 'v'));
  assert.ok(worst >= 1 / 3 - 1e-12 && worst < 0.4);
});

test('equal streams give equal vectors', () => {
  assert.deepEqual(equiangularVectors(12, 5, 0.45, random(3, 'v')), equiangularVectors(12, 5, 0.45, random(3, 'v')));
});
