import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { float32, type Tensor } from '../../src/base/tensor.ts';
import { constantOf, dataOf } from '../../src/graph/constant.ts';
import type { Emit } from '../../src/graph/emit.ts';
import { parse } from '../../src/graph/parse.ts';
import { writeExternal } from '../../src/graph/write-external.ts';
import { digitsData, workshop } from './workshop.ts';

const count = 20;
const points = (): Float32Array => Float32Array.from({ length: count * 2 }, (_, i) => Math.sin(i + 1));
const classes = (): number[] => Array.from({ length: count }, (_, i) => i % 2);
const recipe = { arch: { kind: 'mlp', hidden: '4' }, loss: 'cross-entropy', optimizer: { kind: 'sgd', lr: 0.1 }, batch: 5, epochs: 2 };

const refuses = async (x: Tensor, y: Tensor, more: object, code: FaultCode, ...words: string[]): Promise<void> => {
  const { arrays, run } = workshop();
  const data = { train: arrays('d.npz', { x, y }) };
  await assert.rejects(run({ ...recipe, data, ...more }), (e) => {
    assert.ok(Fault.is(e, code), `${e}`);
    for (const word of words) assert.ok(e.message.includes(word), `'${e.message}' says nothing of '${word}'`);
    return true;
  });
};
const x = float32([count, 2], points());
const y = float32([count], classes());
const with_ = (values: number[], at: number, value: number): Tensor =>
  float32(
    [values.length],
    values.map((v, i) => (i === at ? value : v)),
  );

test('labels that are no class are refused with their row', async () => {
  await refuses(x, with_(classes(), 7, 1.5), {}, 'training/fraction', 'Row 7', '1.5', "'mse'");
  await refuses(x, with_(classes(), 3, -1), {}, 'data/label-range', 'row 3', '-1');
  await refuses(x, with_(classes(), 4, Number.NaN), {}, 'data/label-missing', 'row 4');
  const model = fileURLToPath(new URL('../fixtures/models/mlp_digits.onnx', import.meta.url));
  const images = float32([count, 64], new Float32Array(count * 64));
  await refuses(images, with_(classes(), 5, 10), { arch: undefined, model }, 'data/label-range', 'row 5', '10 classes');
});

test('inputs that are not finite are refused with row and position', async () => {
  const bad = points();
  bad[13] = Number.NaN;
  bad[20] = Number.POSITIVE_INFINITY;
  await refuses(float32([count, 2], bad), y, {}, 'training/not-finite-input', '2 input values', 'row 6', 'position 1');
});

test('a batch larger than the training rows is refused; "full" is all of them', async () => {
  await refuses(x, y, { batch: 19 }, 'training/batch', '19', '18');
  const { arrays, run } = workshop();
  const { report } = await run({ ...recipe, data: { train: arrays('d.npz', { x, y }) }, batch: 'full' });
  assert.equal(report.headline.steps, 2);
});

test('frozen everything, and names that match no layer, are refused', async () => {
  await refuses(x, y, { trainable: [] }, 'training/frozen');
  await refuses(x, y, { trainable: ['dense9.*'] }, 'training/parameter', "'dense9.*'", 'dense1.weight');
  await refuses(
    x,
    y,
    { optimizer: { kind: 'sgd', groups: [{ match: 'dnse1.weight' }] } },
    'training/parameter',
    "Did you mean 'dense1.weight'?",
  );
});

test('an early stop without rows to stop by is refused', async () => {
  await refuses(x, y, { split: { val: 0 }, earlyStop: true }, 'training/no-validation', 'split.val');
});

test('rows that no such architecture can take are refused', async () => {
  await refuses(x, y, { arch: 'cnn' }, 'training/architecture', 'channels × height × width', '[2]');
  await refuses(x, y, { arch: { kind: 'mlp', input: [3] } }, 'data/shape', '[2]', '[3]');
  await refuses(
    float32([count, 1, 2, 2], new Float32Array(count * 4)),
    y,
    { arch: { kind: 'cnn', channels: '2,2,2' } },
    'training/architecture',
  );
});

test('data without labels are refused with what there is', async () => {
  const { arrays, run } = workshop();
  const data = { train: arrays('d.npz', { x, other: float32([count, 3], new Float32Array(count * 3)) }) };
  await assert.rejects(run({ ...recipe, data }), (e) => Fault.is(e, 'training/unlabelled') && e.message.includes('other'));
});

test('a model whose output does not fit the loss is refused with its shape', async () => {
  const model = fileURLToPath(new URL('../fixtures/models/mlp_diabetes.onnx', import.meta.url));
  await refuses(
    float32([count, 10], new Float32Array(count * 10)),
    y,
    { arch: undefined, model },
    'training/output',
    "'pred'",
    '[N]',
    'cross-entropy',
  );
});

test('a class without a validation row is noted', async () => {
  const { arrays, run } = workshop();
  const rare = float32(
    [count],
    classes().map((c, i) => (i === 0 ? 2 : c)),
  );
  const { notes } = await run({ ...recipe, data: { train: arrays('d.npz', { x, y: rare }) } });
  assert.ok(
    notes.some((n) => /validation rows hold no example of class \d/.test(n)),
    notes.join('\n'),
  );
});

const weight = (emit: Emit, rows: number, cols: number): string =>
  emit.constant({ dtype: 'float32', dims: [rows, cols], bytes: new Uint8Array(rows * cols * 4) });

test('model files that cannot be trained are refused, saying why', async () => {
  const { model } = workshop();
  const none = model('none.onnx', ['N', 2], ['N', 2], (emit) => emit.Relu('x'));
  await refuses(x, y, { arch: undefined, model: none }, 'training/no-parameters', 'no float parameters');
  // Two rows are mixed by a matrix from the left: no batch axis to free.
  const fixed = model('fixed.onnx', [2, 2], [2, 2], (emit) => emit.MatMul(weight(emit, 2, 2), 'x'));
  await refuses(x, y, { arch: undefined, model: fixed }, 'training/fixed-batch', 'exactly 2 rows', 'fixed.onnx');
  const blocked = model('blocked.onnx', ['N', 2], ['N', 2], (emit) => emit.call('Floor', [emit.MatMul('x', weight(emit, 2, 2))]));
  await refuses(x, y, { arch: undefined, model: blocked }, 'training/cut-off', 'Floor', 'blocked.onnx');
});

test('what an operator without a derivative cuts off is listed, with the node', async () => {
  const { model } = workshop();
  const path = model('cut.onnx', ['N', 2], ['N', 2], (emit) => {
    const first = emit.MatMul('x', emit.hold('first', constantOf('float32', [2, 3], [1, 0, 0, 1, 1, 1])));
    const second = emit.MatMul(first, emit.hold('second', constantOf('float32', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])));
    return emit.MatMul(emit.call('Floor', [second]), emit.hold('last', constantOf('float32', [3, 2], [1, 0, 0, 1, 1, 1])));
  });
  const given = { arch: undefined, model: path };
  await refuses(x, y, { ...given, trainable: ['first', 'last'] }, 'training/cut-off', 'no gradient reaches first,', 'Floor', 'cut.onnx');
  await refuses(x, y, { ...given, trainable: ['*'] }, 'training/cut-off', 'first, second,');
});

test('quantised weights are refused with what to train in their place, and float parameters beside them by name alone', async () => {
  const { model, run, arrays } = workshop();
  const whole = (emit: Emit, name: string, values: readonly number[]): string =>
    emit.call('DequantizeLinear', [
      emit.hold(name, constantOf('int8', [2, 2], values)),
      emit.hold(`${name}.scale`, constantOf('float32', [2], [0.02, 0.05])),
      emit.hold(`${name}.zero`, constantOf('int8', [2], [0, 0])),
    ]);
  const path = model('int8.onnx', ['N', 2], ['N', 2], (emit) =>
    emit.Add(emit.MatMul('x', whole(emit, 'w', [90, -30, 20, 70])), emit.hold('bias', constantOf('float32', [2], [0.1, -0.1]))),
  );
  const given = { arch: undefined, model: path };
  await refuses(x, y, given, 'training/no-parameters', 'quantised', 'Train the float model', 'int8.onnx');
  const { report } = await run({ ...recipe, ...given, trainable: ['bias'], data: { train: arrays('d.npz', { x, y }) } });
  assert.equal(report.headline.parameters, 2);
});

test('weights that should lie beside the model and do not are named', async () => {
  const { at, model } = workshop();
  const path = model('whole.onnx', ['N', 2], ['N', 2], (emit) =>
    // Of 1,600 bytes, as smaller ones stay in the file.
    emit.MatMul(emit.MatMul('x', weight(emit, 2, 200)), weight(emit, 200, 2)),
  );
  const { model: bytes } = writeExternal(parse(readFileSync(path), path), 'weights.bin');
  writeFileSync(at('without.onnx'), bytes);
  await refuses(x, y, { arch: undefined, model: at('without.onnx') }, 'graph/external', "'weights.bin'", 'missing beside the model');
});

test('a weight that two layers share gets the sum of their gradients', async () => {
  const { model, run, arrays } = workshop();
  const identity = constantOf('float32', [2, 2], [1, 0, 0, 1]);
  const weights = [0.5, -0.25, 0.125, 0.75];
  const twice = model('shared.onnx', ['N', 2], ['N', 2], (emit) => {
    const w = emit.hold('w', constantOf('float32', [2, 2], weights));
    return emit.MatMul(emit.Tanh(emit.MatMul('x', w)), w);
  });
  const apart = model('apart.onnx', ['N', 2], ['N', 2], (emit) => {
    const [a, b] = ['a', 'b'].map((name) => emit.hold(name, constantOf('float32', [2, 2], weights)));
    return emit.MatMul(emit.Tanh(emit.MatMul('x', a)), emit.MatMul(emit.hold('one', identity), b));
  });
  const data = { train: arrays('d.npz', { x, y }) };
  const after = async (path: string, trainable: string[], names: readonly string[]): Promise<number[][]> => {
    const { out } = await run({ ...recipe, arch: undefined, model: path, trainable, data, split: { val: 0 }, batch: 'full', epochs: 1 });
    const { initializers } = parse(readFileSync(out), out).graph;
    return names.map((name) => {
      const stored = initializers.get(name);
      assert.ok(stored, name);
      return Array.from(dataOf(stored) as Float32Array, (v, i) => v - weights[i]);
    });
  };
  const [[shared], [a, b]] = [await after(twice, ['w'], ['w']), await after(apart, ['a', 'b'], ['a', 'b'])];
  assert.ok(shared.some((v) => Math.abs(v) > 1e-3));
  // Steps of about 0.01 on weights below 1 in float32.
  for (const [i, v] of shared.entries()) assert.ok(Math.abs(v - (a[i] + b[i])) < 2e-7, `${i}: ${v} is not ${a[i]} + ${b[i]}`);
});

test('a model of an operator without a rule of initialisation is refused by name when drawn anew, and trained when kept', async () => {
  const { model, run, arrays } = workshop();
  const path = model('div.onnx', ['N', 2], ['N', 2], (emit) => {
    const hidden = emit.MatMul('x', emit.constant(constantOf('float32', [2, 2], [1, 0, 0, 1])));
    return emit.Div(hidden, emit.constant(constantOf('float32', [2], [1, 2])));
  });
  const given = { arch: undefined, model: path };
  await refuses(x, y, { ...given, init: 'torch-default' }, 'training/initialisation', 'Div', 'div.onnx');
  const { report } = await run({ ...recipe, ...given, data: { train: arrays('d.npz', { x, y }) } });
  assert.equal(report.outcome, 'measured');
});

test('parameters that no gradient reaches are noted with the node that stops it, and stay', async () => {
  const { arrays, model, run } = workshop();
  const path = model('part.onnx', ['N', 2], ['N', 2], (emit) =>
    emit.MatMul(
      emit.call('Floor', [emit.MatMul('x', weight(emit, 2, 3))]),
      emit.constant(constantOf('float32', [3, 2], [1, 0, 0, 1, 1, 1])),
    ),
  );
  const { report, notes } = await run({ ...recipe, arch: undefined, model: path, data: { train: arrays('d.npz', { x, y }) } });
  assert.equal(report.headline.parameters, 6);
  assert.ok(
    notes.some((n) => n.includes('no gradient reaches') && n.includes('Floor')),
    notes.join('\n'),
  );
});

test('a gradient whose square overflows is told apart from the loss; a run that learnt nothing says so', async () => {
  const { arrays, run } = workshop();
  const data = { train: arrays('d.npz', { x: float32([count, 2], points()), y }) };
  const far = { ...recipe, data, split: { val: 0 }, loss: 'mse', optimizer: { kind: 'sgd', lr: 1e6 }, epochs: 20 };
  const { report } = await run({
    ...far,
    data: {
      train: arrays('v.npz', {
        x: float32([count, 2], points()),
        y: float32(
          [count],
          Array.from({ length: count }, (_, i) => 1 + i),
        ),
      }),
    },
  });
  assert.equal(report.outcome, 'failed');
  assert.match(
    report.reason?.sentence ?? '',
    /the first such tensor is the (gradient of '[^']+'|length of the gradient, whose square is too large a number)/,
  );
  const still = await run({ ...recipe, data, split: { val: 0 }, optimizer: { kind: 'sgd', lr: 0 }, batch: 2, epochs: 2 });
  assert.match(still.report.guide, /^Nothing was learnt: the loss of the last epoch/);
  const falling = await run({ ...recipe, data, split: { val: 0 }, optimizer: { kind: 'sgd', lr: 0.1 }, batch: 2, epochs: 40 });
  assert.doesNotMatch(falling.report.guide, /^Nothing was learnt/);
});

test('training rows of one class are told', async () => {
  const { arrays, run } = workshop();
  const same = float32([count], new Float32Array(count));
  const { notes } = await run({ ...recipe, data: { train: arrays('d.npz', { x, y: same }) }, split: { val: 0 } });
  assert.ok(
    notes.some((n) => /training rows are of class 0/.test(n)),
    notes.join(),
  );
});

/** One row of 3e38 overflows the first layer, whenever its batch comes. */
const poisoned = (): Tensor => {
  const values = points();
  values.set([3e38, -3e38], 2 * 11);
  return float32([count, 2], values);
};

test('a step that is not finite stops the run, says which and why, and keeps the last good parameters', async () => {
  const { arrays, run, at } = workshop();
  const data = { train: arrays('d.npz', { x: poisoned(), y }) };
  const { report, out } = await run({ ...recipe, data, split: { val: 0 }, optimizer: { kind: 'sgd', lr: 0.125 } });
  assert.equal(report.outcome, 'failed');
  assert.equal(report.reason?.code, 'training/not-finite');
  const [, rows] = /rows ([\d, ]+)\)/.exec(report.reason?.sentence ?? '') ?? [];
  assert.ok(rows.split(', ').map(Number).includes(11), report.reason?.sentence);
  assert.match(
    report.reason?.sentence ?? '',
    /learning rate 0.125.*(the output of 'dense1' \(Gemm\)|the loss|the gradient|the output of 'dense2')/,
  );
  assert.equal(out, at('out.checkpoint.onnx'));
  assert.ok(!existsSync(at('out.onnx')));
  for (const c of parse(readFileSync(out), out).graph.initializers.values())
    if (c.dtype === 'float32') assert.ok(Array.from(dataOf(c) as Float32Array).every(Number.isFinite));
});

test('such a step is left out where the recipe says so, and the rate halved', async () => {
  for (const nonfinite of ['skip', 'halve-lr']) {
    const { arrays, run } = workshop();
    const data = { train: arrays('d.npz', { x: poisoned(), y }) };
    const { report, notes } = await run({ ...recipe, data, split: { val: 0 }, nonfinite, epochs: 3 });
    assert.equal(report.outcome, 'measured');
    assert.equal(report.headline.steps, 12);
    assert.ok(
      notes.some((n) => n.startsWith('3 of 12 steps were left out')),
      notes.join('\n'),
    );
    const table = report.cards.find((c) => c.kind === 'table');
    const last = table?.kind === 'table' ? table.rows.map((r) => Number(r[2])) : [];
    assert.equal(Math.min(...last), nonfinite === 'skip' ? 0.1 : last[2]);
    if (nonfinite === 'halve-lr') assert.ok(last[1] < 0.1 && last[2] <= last[1] / 2, `${last}`);
  }
  const { arrays, run } = workshop();
  const all = Float32Array.from({ length: count * 2 }, (_, i) => (i % 2 ? 3e38 : -3e38));
  const { report } = await run({
    ...recipe,
    data: { train: arrays('d.npz', { x: float32([count, 2], all), y }) },
    nonfinite: 'skip',
    epochs: 9,
  });
  assert.equal(report.outcome, 'failed');
});

test('ten steps in a row may be left out, and not one more', async () => {
  const { arrays, model, run } = workshop();
  const data = { train: arrays('d.npz', { x: float32([count, 2], new Float32Array(2 * count).fill(3e38)), y }) };
  // Every row overflows the first layer, which is not trained.
  const path = model('m.onnx', ['N', 2], ['N', 2], (emit) => {
    const hidden = emit.MatMul('x', emit.hold('first', constantOf('float32', [2, 2], [2, 2, 2, 2])));
    return emit.MatMul(hidden, emit.hold('last', constantOf('float32', [2, 2], [0.1, -0.1, 0.2, 0.3])));
  });
  for (const nonfinite of ['skip', 'halve-lr']) {
    const given = { ...recipe, arch: undefined, model: path, trainable: ['last'], epochs: undefined, data, split: { val: 0 }, nonfinite };
    const ten = await run({ ...given, steps: 10 });
    assert.equal(ten.report.outcome, 'measured', nonfinite);
    assert.match(ten.notes.join('\n'), /^10 of 10 steps were left out/m);
    const more = await run({ ...given, steps: 11 });
    assert.equal(more.report.outcome, 'failed', nonfinite);
    assert.match(more.report.reason?.sentence ?? '', /at step 11 /);
  }
});

test('a place that cannot be written is said before the first step', async () => {
  const shop = workshop();
  let steps = 0;
  await assert.rejects(
    shop.run({ ...recipe, arch: 'mlp', data: digitsData }, { out: shop.at('r.train.json/out.onnx'), live: () => steps++ }),
    (e) => e instanceof Fault && e.code.startsWith('file/'),
  );
  assert.equal(steps, 0);
});
