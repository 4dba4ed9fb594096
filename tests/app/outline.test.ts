import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { outline } from '../../src/app/outline.ts';
import { quietJob } from '../../src/base/job.ts';
import { world } from '../../src/jobs/world.ts';
import type { FileOutline } from '../../src/report/tasks.ts';

const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const of = async (...names: readonly string[]): Promise<readonly FileOutline[]> =>
  outline({ paths: names.map(fixture) }, await world(), { ...quietJob(), live: () => {} });

test('a model is told by its inputs and outputs, data by their columns and arrays of another length', async () => {
  const [model, data] = await of('models/mlp_digits.onnx', 'data/digits.npz');
  ok(model.kind === 'model' && data.kind === 'data');
  deepEqual(model.inputs, [{ name: 'x', dtype: 'float32', dims: ['N', 1, 8, 8] }]);
  deepEqual(model.outputs, [{ name: 'logits', dtype: 'float32', dims: ['N', 10] }]);
  equal(data.format, 'npz');
  equal(data.rows, 1797);
  const dims = new Map(data.columns.map((column) => [column.name, column.dims]));
  deepEqual([dims.get('x'), dims.get('y')], [[64], []]);
  ok(data.extras.some(({ name, length }) => name === 'test_idx' && length === 359));
});

test('a file that cannot be read says why, and the others are told', async () => {
  const [missing, damaged, fine] = await of('models/none.onnx', 'data/README.md', 'models/softmax_digits.onnx');
  ok(missing.kind === 'unreadable' && damaged.kind === 'unreadable');
  match(missing.reason, /none\.onnx/);
  match(damaged.reason, /README\.md/);
  equal(fine.kind, 'model');
});
