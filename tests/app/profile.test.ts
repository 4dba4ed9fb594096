import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { layers } from '../../src/app/layers.ts';
import type { AppJob } from '../../src/app/ports.ts';
import { profile } from '../../src/app/profile.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { addValues, deviationOf, noValues } from '../../src/base/maths/running-moments.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { ModelProfile } from '../../src/report/model-study.ts';
import { timesIn } from '../../src/runtime/onnxruntime/times.ts';
import { body, graph, model, node, value } from '../graph/build.ts';

const folder = mkdtempSync(join(tmpdir(), 'profile-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const ports = await world();
const job = (): AppJob => ({ ...quietJob(), live: () => {} });
const fixture = (path: string): string => join(import.meta.dirname, '../fixtures', path);
const run = (path: string, data: string, rows = 40): Promise<ModelProfile> =>
  profile({ model: { path }, data: { path: data }, device: 'cpu', rows }, ports, job());
const saved = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

test('every layer of a trained network has a time and the moments of what it gives', async () => {
  const path = fixture('models/mlp_digits.onnx');
  const found = await run(path, fixture('data/digits.npz'));
  const { layers: rows } = await layers({ model: { path }, run: false }, ports, job());
  equal(found.layers.length, rows.length);
  equal(found.rows, 40);
  ok(found.runs >= 1 && found.optimisedMs > 0);
  for (const [i, { ms, values }] of found.layers.entries()) {
    ok(ms !== null && ms >= 0, rows[i].name);
    ok(values);
    equal(values.nan, 0);
    if (rows[i].op !== 'Relu') continue;
    equal(values.min, 0);
    ok(values.zeros > 0 && values.zeros < 1);
  }
});

test('moments are those of the values themselves, whatever the batches', async () => {
  const x = [1, -2, 3, 0, Number.NaN, 4];
  const data = saved('x.csv', `a,b\n1,-2\n3,0\n${'5,7\n'.repeat(60)}`);
  const double = constantOf('float32', [], [2]);
  const net = model(
    graph([value('x', ['N', 2])], [node('Mul', ['x', 'two'], ['d']), node('Relu', ['d'], ['y'])], [value('y', ['N', 2])], { two: double }),
  );
  const found = await run(saved('double.onnx', write(net)), data, 1000);
  const all = [2, -4, 6, 0, ...Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? 10 : 14))];
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const [doubled, relu] = found.layers;
  equal(doubled.values?.count, 124);
  equal(doubled.values?.min, -4);
  equal(doubled.values?.max, 14);
  ok(Math.abs((doubled.values?.mean ?? 0) - mean) < 1e-12);
  ok(Math.abs((doubled.values?.deviation ?? 0) - Math.sqrt(all.reduce((s, v) => s + (v - mean) ** 2, 0) / all.length)) < 1e-12);
  equal(relu.values?.zeros, 2 / 124);
  const moments = noValues();
  addValues(moments, x.slice(0, 3));
  addValues(moments, [...x.slice(3), Number.POSITIVE_INFINITY]);
  deepEqual([moments.count, moments.nan, moments.infinite, moments.zeros], [5, 1, 1, 1]);
  ok(Math.abs(deviationOf(moments) - Math.sqrt(22.8 / 5)) < 1e-12);
});

test('values that are not numbers are counted: the logarithm of what is negative', async () => {
  const net = model(graph([value('x', ['N', 2])], [node('Log', ['x'], ['l']), node('Relu', ['l'], ['y'])], [value('y', ['N', 2])]));
  const found = await run(saved('log.onnx', write(net)), saved('log.csv', 'a,b\n1,-1\n0,1\n'));
  deepEqual([found.layers[0].values?.nan, found.layers[0].values?.infinite], [0.25, 0.25]);
});

test('branches, text outputs and a batch fixed in the file are profiled as they stand', async () => {
  const branch = (op: string) => graph([], [node(op, ['x'], ['t'])], [value('t', [4, 2])]);
  const net = model(
    graph(
      [value('x', [4, 2])],
      [
        node('If', ['c'], ['z'], { then_branch: body(branch('Relu')), else_branch: body({ ...branch('Neg'), name: 'e' }) }),
        node('Neg', ['z'], ['y']),
      ],
      [value('y', [4, 2])],
      { c: { dtype: 'bool', dims: [], bytes: Uint8Array.of(1) } },
    ),
  );
  const found = await run(saved('if.onnx', write(net)), saved('rows.csv', `a,b\n${'1,-1\n'.repeat(10)}`));
  equal(found.batch, 4);
  // Two batches of four; the two rows left fill none.
  equal(found.layers[0].values?.count, 16);
  equal(found.layers[0].values?.zeros, 0.5);
  ok(found.layers[1].ms !== null);
});

test('several inputs are refused by name, and a job that is stopped ends', async () => {
  const two = model(graph([value('x', ['N', 2]), value('z', ['N', 2])], [node('Add', ['x', 'z'], ['y'])], [value('y', ['N', 2])]));
  const path = saved('two.onnx', write(two));
  await rejects(run(path, saved('two.csv', 'a,b\n1,2\n')), (error) => Fault.is(error, 'graph/inputs'));
  const stop = AbortSignal.abort();
  await rejects(
    profile(
      { model: { path: fixture('models/mlp_digits.onnx') }, data: { path: fixture('data/digits.npz') }, device: 'cpu', rows: 9 },
      ports,
      {
        ...job(),
        signal: stop,
      },
    ),
  );
});

test('times are read from the lines of a profile, in order', () => {
  const line = (name: string, dur: number): string => `{"cat" : "Node","dur" :${dur},"name" :"${name}","args" : {}},`;
  const text = [
    line('assay/0_kernel_time', 1500),
    line('assay/0_fence_before', 3),
    line('assay/0_kernel_time', 500),
    'cut short {"na',
  ].join('\n');
  deepEqual([...timesIn(text)], [['assay/0', [1.5, 0.5]]]);
});
