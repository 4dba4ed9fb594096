import { deepEqual, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import { world } from '../../src/jobs/world.ts';

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const digits = {
  model: { path: fixture('models/mlp_digits.onnx') },
  data: { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } },
};
const cells = {
  model: { path: fixture('models/mlp_breast_cancer.onnx') },
  data: { path: fixture('data/breast_cancer.npz'), split: 'test' },
};
const few = { nullDraws: 100, bootstrap: 100 };

/** Subjects and options that bring out every kind of headline that a diagnostic with declared numbers has. */
const cases: readonly (Pick<RunRequest, 'id' | 'data'> & Partial<RunRequest>)[] = [
  { id: 'confusion-matrix', ...digits },
  { id: 'reliability', ...digits, options: few },
  { id: 'reliability', ...cells, options: { ...few, positive: '1' } },
  { id: 'ranking-metrics', ...digits, options: { bootstrap: 100 } },
  { id: 'ranking-metrics', ...cells, options: { bootstrap: 100 } },
  { id: 'regression-report', data: { path: fixture('data/iris.csv'), columns: 'prediction=petal_length_(cm)', y: 'petal_width_(cm)' } },
];

for (const ask of cases)
  test(`${ask.id}: every number of a headline is among those that it declares`, async () => {
    const { numbers = [] } = diagnostics.find(({ id }) => id === ask.id) ?? {};
    const report = await diagnose({ options: {}, device: 'cpu', seed: 0, ...ask }, await world(), { ...quietJob(), live: () => {} });
    deepEqual([report.outcome, report.reason], ['measured', undefined]);
    const patterns = numbers.map((name) => new RegExp(`^${name.replace('*', '.+')}$`));
    const strange = Object.keys(report.headline).filter((name) => !patterns.some((pattern) => pattern.test(name)));
    deepEqual(strange, []);
    ok(Object.keys(report.headline).length > 2);
  });

test('declared numbers are named once each', () => {
  for (const { id, numbers = [] } of diagnostics) deepEqual([...new Set(numbers)], numbers, id);
});
