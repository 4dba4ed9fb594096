import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { keepUnits } from '../../src/app/keep-units.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { float32 } from '../../src/base/tensor.ts';
import { parse } from '../../src/graph/parse.ts';
import { world } from '../../src/jobs/world.ts';
import { once } from './session.ts';
import { digitsData, workshop } from './workshop.ts';

const job = { ...quietJob(), live: () => {} };
const regime = { kind: 'boosted-head', units: 12, unitsPerStep: 4, iterations: 30, shrinkage: 0.5 };
const recipe = { arch: { kind: 'mlp', hidden: '' }, data: digitsData, loss: 'cross-entropy', optimizer: 'adam', seed: 2 };

test('the first units of a saved model are the model of so many units, weight for weight, and can be cut again', async () => {
  const shop = workshop();
  const ports = await world();
  const long = await shop.run({ ...recipe, regime });
  const curve = long.report.cards.find((c) => c.title === 'Accuracy by units');
  assert.ok(curve?.kind === 'curve' && curve.cut === 'hidden units');
  assert.deepEqual(
    curve.lines[0].points.map(([x]) => x),
    [4, 8, 12],
  );
  const short = await workshop().run({ ...recipe, regime: { ...regime, units: 8 } });
  const given = await keepUnits({ model: long.out, units: 8, out: shop.at('eight.onnx') }, ports, job);
  assert.deepEqual([given.units, given.of, given.notes], [8, 12, []]);
  const [cut, own] = [given.out, short.out].map((path) => parse(readFileSync(path), path));
  assert.deepEqual([...cut.graph.initializers.keys()], [...own.graph.initializers.keys()]);
  for (const [name, { dims, bytes }] of own.graph.initializers) {
    assert.deepEqual(cut.graph.initializers.get(name)?.dims, dims);
    assert.deepEqual(cut.graph.initializers.get(name)?.bytes, bytes, name);
  }
  const x = {
    x: float32(
      [3, 64],
      Float32Array.from({ length: 192 }, (_, i) => (i % 17) / 16),
    ),
  };
  assert.deepEqual((await once(cut, x)).logits.data, (await once(own, x)).logits.data);
  const four = await keepUnits({ model: given.out, units: 4, out: shop.at('four.onnx') }, ports, job);
  assert.deepEqual(parse(readFileSync(four.out), 'four').graph.initializers.get('boosted.output.weight')?.dims, [4, 10]);
  const refused = (units: number, word: RegExp, model = long.out, code: Parameters<typeof Fault.is>[1] = 'training/units') =>
    assert.rejects(keepUnits({ model, units, out: shop.at('x.onnx') }, ports, job), (e) => Fault.is(e, code) && word.test(e.message));
  await refused(6, /12 hidden units made 4 at a time.*first 6 cannot.*4 to 12, a multiple of 4/);
  await refused(16, /first 16 cannot be kept/);
  await refused(12, /8 hidden units/, given.out);
  const plain = await shop.run({ ...recipe, epochs: 1, batch: 64 }, { out: shop.at('plain.onnx') });
  await refused(4, /has no boosted head/, plain.out, 'training/no-boosted-head');
});
