import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import type { OptionValue } from '../../src/base/option.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { workshop } from '../training/workshop.ts';

const ports = await world();
const run = (model: string, path: string, options: Record<string, OptionValue> = {}): Promise<Report> =>
  diagnose({ id: 'routing-couplings', model: { path: model }, data: { path }, device: 'cpu', seed: 0, options }, ports, {
    ...quietJob(),
    live: () => {},
  });

const shop = workshop();
const COUNT = 12;
const x = Array.from({ length: COUNT * 6 }, (_, i) => Math.sin(1 + 1.7 * i));
const y = Array.from({ length: COUNT }, (_, i) => i % 3);
const data = shop.arrays('d.npz', { x: float32([COUNT, 6], x), y: int64([COUNT], y) });

test('couplings that are known: shares, entropies and the own class', async () => {
  // Row by row [capsules 2, classes 3] = softmax of x itself.
  const model = shop.model('known.onnx', ['N', 6], ['N', 3], (emit) => {
    const shape = emit.hold('shape', constantOf('int64', [3], [0, 2, 3]));
    const wide = emit.Reshape('x', shape);
    emit.node({
      op: 'Softmax',
      domain: '',
      name: 'c',
      inputs: [wide],
      outputs: ['routing.2.couplings'],
      attributes: { axis: { type: 'int', value: 2 } },
    });
    return emit.ReduceSum('routing.2.couplings', emit.ints([1]), { keepdims: 0 });
  });
  const shares = Array.from({ length: COUNT }, (_, i) =>
    [0, 1].flatMap((k) => {
      const e = [0, 1, 2].map((c) => Math.exp(Math.fround(x[6 * i + 3 * k + c])));
      return e.map((v) => v / (e[0] + e[1] + e[2]));
    }),
  );
  const report = await run(model, data, { rows: 2 });
  const { headline, intervals } = report;
  assert.equal(headline.capsules, 2);
  assert.equal(headline.rows, COUNT);
  const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-6, `${a} is not ${b}`);
  near(headline.entropy, shares.flat().reduce((s, v) => s - v * Math.log(v), 0) / Math.log(3) / (2 * COUNT));
  near(headline.own_class, shares.reduce((s, row, i) => s + row[y[i]] + row[3 + y[i]], 0) / (2 * COUNT));
  assert.ok(intervals.entropy.low < headline.entropy && headline.entropy < intervals.entropy.high);
  const map = report.cards.find((c) => c.kind === 'heatmap');
  assert.ok(map?.kind === 'heatmap');
  assert.deepEqual(
    map.layers.map((l) => l.name),
    ['mean', 'row 0 (0)', 'row 1 (1)'],
  );
  for (const [k, v] of shares[0].entries()) near(Number(map.layers[1].values[k]), v);
  for (let k = 0; k < 6; k++) near(Number(map.layers[0].values[k]), shares.reduce((s, row) => s + row[k], 0) / COUNT);
  // The same value under its own name.
  assert.deepEqual((await run(model, data, { rows: 2, layer: 'routing.2.couplings' })).headline, headline);
});

test('a capsule network trained here: couplings of its last round, every capsule shares out one vote', async () => {
  const recipe = {
    arch: { kind: 'capsule', primaryCapsules: 4, primaryDim: 3, classDim: 5 },
    data: { train: data },
    split: { val: 0 },
    loss: 'margin',
    optimizer: 'adam',
    batch: 6,
    epochs: 2,
  };
  const { out } = await shop.run(recipe, { force: true });
  const report = await run(out, data);
  assert.equal(report.headline.capsules, 4);
  const map = report.cards.find((c) => c.kind === 'heatmap');
  assert.ok(map?.kind === 'heatmap');
  assert.equal(map.layers.length, 7);
  for (const { values } of map.layers)
    for (let k = 0; k < 4; k++)
      assert.ok(Math.abs(Number(values[3 * k]) + Number(values[3 * k + 1]) + Number(values[3 * k + 2]) - 1) < 1e-5);
  assert.match(report.guide, /nearly even/);
});

test('bad input: no couplings, values that are none, one round of routing', async () => {
  const said = async (model: string, options: Record<string, OptionValue> = {}): Promise<string> =>
    run(model, data, options).then(
      (r) => `${r.outcome}: ${r.reason?.sentence ?? ''}`,
      (e: unknown) => String(e),
    );
  const plain = shop.model('plain.onnx', ['N', 6], ['N', 3], (emit) =>
    emit.MatMul(
      'x',
      emit.hold(
        'W',
        constantOf(
          'float32',
          [6, 3],
          Array.from({ length: 18 }, (_, i) => i),
        ),
      ),
    ),
  );
  assert.match(await said(plain), /has no couplings under the name/);
  assert.match(await said(plain, { layer: 'x' }), /no couplings of capsules to 3 classes|no layer/i);
  const arch = { kind: 'capsule', primaryCapsules: 4, routingIterations: 1 };
  const recipe = { arch, data: { train: data }, split: { val: 0 }, loss: 'margin', optimizer: 'adam', batch: 6, epochs: 1 };
  const { out } = await shop.run(recipe, { force: true });
  assert.match(await said(out), /of one round they are all equal/);
});
