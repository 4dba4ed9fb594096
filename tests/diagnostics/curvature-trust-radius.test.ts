import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Fault } from '../../src/base/fault.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { write } from '../../src/graph/write.ts';
import type { Report } from '../../src/report/report.ts';
import { modelOf } from '../../src/training/plan.ts';
import { measure, smallNet } from './small-net.ts';

const near = (found: number, due: number, tolerance: number, what = ''): void =>
  assert.ok(Math.abs(found - due) <= tolerance * Math.max(1, Math.abs(due)), `${what} ${found}, not ${due}`);

/** Rows of the table: verdict, γ, λ, ‖d‖, achieved, predicted, error. */
const radii = (report: Report) => {
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const table = report.cards.find((c) => c.kind === 'table' && c.title === 'Trust radius by curvature');
  assert.ok(table?.kind === 'table');
  return table.rows.map(([curvature, verdict, ...rest]) => ({ curvature, verdict, numbers: rest.map(Number) }));
};

test('the small net of card 00-landscape-common: gradient, largest eigenvalue, and what an accepted step owes', async () => {
  const { model, data } = smallNet();
  const report = await measure('curvature-trust-radius', model, data);
  const { headline } = report;
  near(headline.loss, 0.923173533777, 1e-11);
  near(headline.gradient_norm, 0.649429580821, 1e-11);
  near(headline.largest_eigenvalue, 1.026098358, 1e-8);
  for (const {
    verdict,
    numbers: [gamma, lambda, length, achieved],
  } of radii(report)) {
    assert.equal(verdict, 'accepted');
    // γ halves or doubles from 1; λ = ‖g‖/(γ + 1e-8).
    assert.ok(Number.isInteger(Math.log2(gamma)));
    near(lambda, headline.gradient_norm / gamma, 1e-6);
    assert.ok(achieved > 0);
    if (gamma <= 1) assert.ok(length <= gamma);
  }
  // ‖(H + λI)⁻¹g‖ ≤ γ needs H ⪰ 0: that of Gauss–Newton and Fisher alone.
  for (const {
    numbers: [gamma, , length],
  } of radii(report).filter((r) => r.curvature !== 'Hessian'))
    assert.ok(length <= gamma);
});

test('in the norm of the curvature steps keep to the radius, too', async () => {
  const { model, data } = smallNet();
  const report = await measure('curvature-trust-radius', model, data, { norm: 'curvature' });
  const found = radii(report);
  for (const {
    numbers: [gamma, , length, achieved],
  } of found.filter((r) => r.curvature !== 'Hessian')) {
    assert.ok(achieved > 0 && (gamma > 1 || length <= gamma));
    assert.ok(Number.isInteger(Math.log2(gamma)));
  }
  // The dual norm is another number, so λ is.
  const plain = radii(await measure('curvature-trust-radius', model, data));
  assert.notEqual(found[0].numbers[1] * found[0].numbers[0], plain[0].numbers[1] * plain[0].numbers[0]);
});

test('formed and factored, or by conjugate gradients: the same radii, and nearly the same steps', async () => {
  const { model, data } = smallNet();
  const [formed, conjugate] = [
    await measure('curvature-trust-radius', model, data),
    await measure('curvature-trust-radius', model, data, { dense: 0 }),
  ];
  for (const [
    i,
    {
      numbers: [gamma, , length],
    },
  ] of radii(formed).entries()) {
    const other = radii(conjugate)[i].numbers;
    assert.equal(other[0], gamma);
    near(other[2], length, 1e-2);
  }
});

test('a linear model with a square loss is its own quadratic: Newton’s step, as predicted, to the least squares', async () => {
  const { at } = smallNet();
  const emit = emitter({});
  const type = (dims: readonly (number | string)[]) => ({ kind: 'tensor', dtype: 'float64', dims }) as const;
  emit.typed('x', type(['N', 1]));
  emit.hold('w', constantOf('float64', [1, 1], [3]));
  emit.hold('b', constantOf('float64', [1], [-1]));
  const y = emit.call('Gemm', ['x', 'w', 'b'], { transB: 1 });
  const graph = emit.graph('line', [{ name: 'x', type: type(['N', 1]) }], [{ name: y, type: type(['N', 1]) }]);
  writeFileSync(at('line.onnx'), write(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph)));
  const column = (values: readonly number[], dims: readonly number[]) => ({
    dtype: 'float64' as const,
    dims,
    data: Float64Array.from(values),
  });
  writeFileSync(at('line.npz'), writeNpz({ x: column([0, 1, 2, 3], [4, 1]), y: column([1, 3.5, 4.5, 7], [4]) }));
  const report = await measure('curvature-trust-radius', at('line.onnx'), at('line.npz'), { loss: 'mse' });
  // Residuals 2, 1.5, −0.5, −1: mean square 1.875. Least squares 1.15 + 1.9x leave mean square 0.1125.
  near(report.headline.loss, 1.875, 1e-12);
  for (const { curvature, verdict, numbers } of radii(report).slice(0, 2)) {
    assert.match(String(verdict), /Newton/, String(curvature));
    near(numbers[3], numbers[4], 1e-9);
    near(numbers[3], 1.875 - 0.1125, 1e-3);
    near(numbers[5], 0, 1e-6);
  }
});

test('a linear softmax head: Gauss–Newton is the Hessian', async () => {
  const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  const report = await measure('curvature-trust-radius', fixture('models/softmax_digits.onnx'), fixture('data/digits.npz'), {
    rows: 64,
    l2: 1e-2,
    tries: 6,
  });
  const [gaussNewton, hessian] = radii(report).map((r) => r.numbers);
  assert.equal(gaussNewton[0], hessian[0]);
  for (const k of [2, 3, 4]) near(gaussNewton[k], hessian[k], 1e-6);
});

test('options out of range are refused', async () => {
  const { model, data } = smallNet();
  for (const options of [{ l2: -1 }, { tries: 0 }, { dense: 9000 }])
    await assert.rejects(measure('curvature-trust-radius', model, data, options), (error) => Fault.is(error, 'option/value'));
});
