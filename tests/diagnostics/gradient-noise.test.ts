import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../src/base/fault.ts';
import { int64 } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { noiseOf } from '../../src/diagnostics/landscape/noise-statistics.ts';
import { measure, smallNet } from './small-net.ts';

const near = (found: number, due: number, tolerance = 1e-9, what = ''): void =>
  assert.ok(Math.abs(found - due) <= tolerance * Math.max(1, Math.abs(due)), `${what} ${found}, not ${due}`);

const tensors = [
  { name: 'a', size: 2 },
  { name: 'b', size: 1 },
];
/** Noise of gradients given row by row, the last coordinate a tensor of its own. */
const of = (g: readonly (readonly number[])[]) => {
  const mean = Float64Array.from(g[0], (_, j) => g.reduce((s, row) => s + row[j], 0) / g.length);
  const squares = g.flatMap(([a, b, c]) => [a * a + b * b, c * c]);
  const along = g.flatMap(([a, b, c]) => [a * mean[0] + b * mean[1], c * mean[2]]);
  const second = Float64Array.from(g[0], (_, j) => g.reduce((s, row) => s + row[j] ** 2, 0));
  const table = { squares: Float64Array.from(squares), along: Float64Array.from(along), second, losses: new Float64Array(g.length) };
  return noiseOf(table, mean, tensors, 0.95);
};
const card = [
  [1, 0, 2],
  [3, 1, 0],
  [2, -1, 1],
  [0, 2, 1],
];

test('the card’s four gradients', () => {
  const n = of(card);
  near(n.squaredNorm, 3.5);
  near(n.variance, 4);
  near(n.innerProduct, 1.5);
  near(n.orthogonal, 3.571428571);
  near(n.scale, 4 / 3.5);
  near(n.unbiasedNorm, 3.5 - 1);
  // Variances of the coordinates are 5/3, 5/3 and 2/3; squared means 9/4, 1/4 and 1.
  near(n.tensors[0].variance, 10 / 3);
  near(n.tensors[1].variance, 2 / 3);
  near(n.coordinates.median, 5 / 3 / 2.25);
  assert.equal(n.coordinates.moving, 3);
  near(n.norms[1], Math.sqrt(10));
});

test('the jackknife from lengths and products is the one from the gradients', () => {
  const n = of(card);
  const logs = card.map((_, i) => {
    const left = of(card.filter((_, k) => k !== i));
    return Math.log(left.scale);
  });
  const middle = logs.reduce((a, b) => a + b) / 4;
  const error = Math.sqrt((3 / 4) * logs.reduce((s, l) => s + (l - middle) ** 2, 0));
  near(Math.log((n.interval?.high ?? 0) / n.scale), 1.959963984540054 * error);
  near((n.interval?.low ?? 0) * (n.interval?.high ?? 0), n.scale ** 2);
});

test('equal rows have no noise; a loss times ten changes no ratio; a gradient of zero has no scale', () => {
  const same = of([card[0], card[0], card[0]]);
  near(same.variance, 0);
  near(same.scale, 0);
  const ten = of(card.map((row) => row.map((v) => 10 * v)));
  near(ten.scale, of(card).scale);
  near(ten.coordinates.ninety, of(card).coordinates.ninety);
  const zero = of([
    [1, 0, 0],
    [-1, 0, 0],
  ]);
  near(zero.variance, 2);
  assert.ok(Number.isNaN(zero.scale) && zero.interval === undefined);
});

test('the small net of card 00-landscape-common: gradient, and gradients of single rows, in float64', async () => {
  const { model, data } = smallNet();
  const report = await measure('gradient-noise', model, data, { batch: 2 });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const { headline } = report;
  near(headline.loss, 0.923173533777, 1e-11);
  near(headline.squared_gradient_norm, 0.649429580821 ** 2, 1e-11);
  near(headline.variance, (6 / 5) * (3.367267652091 - 0.649429580821 ** 2), 1e-11);
  near(headline.noise_at_batch, Math.sqrt(headline.variance / headline.squared_gradient_norm / 2));
  assert.equal(headline['batch_at_0.5'], Math.ceil(headline.noise_scale / 0.25));
  const longest = report.cards.find((c) => c.kind === 'table' && c.title.startsWith('Rows with'));
  assert.ok(longest?.kind === 'table');
  assert.deepEqual(longest.rows[0].slice(0, 1), [4]);
  near(Number(longest.rows[0][1]), 2.892036741, 1e-8);
});

const digits = fileURLToPath(new URL('../fixtures/data/digits.npz', import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/models/${name}.onnx`, import.meta.url));

test('layers without a rule for all rows at once are taken row by row: a GRU, V is the sum over its tensors', async () => {
  const report = await measure('gradient-noise', fixture('gru_digits'), digits, { rows: 24 });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const shares = report.cards.find((c) => c.kind === 'bars' && c.title.startsWith('Where'));
  assert.ok(shares?.kind === 'bars');
  for (const { values } of shares.series)
    near(
      values.reduce((s: number, v) => s + (v ?? 0), 0),
      1,
      1e-4,
    );
});

/** Why there is no report of numbers. */
const told = async (...given: [model: string, data: string, options?: Record<string, string>]): Promise<string> => {
  try {
    const { outcome, reason } = await measure('gradient-noise', ...given);
    return outcome === 'measured' ? outcome : (reason?.sentence ?? '');
  } catch (error) {
    return error instanceof Fault ? error.message : '';
  }
};

test('what cannot be measured says why', async () => {
  const { model, at } = smallNet();
  const one = at('one.npz');
  writeFileSync(one, writeNpz({ x: { dtype: 'float64', dims: [1, 2], data: Float64Array.of(1, 2) }, y: int64([1], [0]) }));
  assert.match(await told(model, one), /one row/);
  const far = at('far.npz');
  writeFileSync(
    far,
    writeNpz({ x: { dtype: 'float64', dims: [3, 2], data: Float64Array.of(1, 2, Number.NaN, 2, 1, 1) }, y: int64([3], [0, 1, 0]) }),
  );
  assert.match(await told(model, far), /row 1/);
  assert.match(await told(model, at('six.npz'), { loss: 'mse' }), /'mse'/);
  for (const options of [{ rows: 1 }, { theta: 0 }, { nu: -1 }])
    await assert.rejects(measure('gradient-noise', model, at('six.npz'), options), (error) => Fault.is(error, 'option/value'));
});
