import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { argmax } from '../../src/base/maths/argmax.ts';
import type { OptionValue } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import type { Preprocess } from '../../src/base/request.ts';
import { float32, int64, type Tensor } from '../../src/base/tensor.ts';
import { readNpz } from '../../src/data/npz.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { radii, stepped } from '../../src/diagnostics/robustness/adversarial-run.ts';
import { endsOf, openModel } from '../../src/evidence/model.ts';
import { attacks } from '../../src/evidence/providers/attack.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import { modelOf } from '../../src/training/plan.ts';
import { numbers } from '../training/session.ts';
import { linearIn } from './linear-model.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-attacks-'));
const at = (name: string): string => join(folder, name);

const linear = linearIn(folder);
const data = (name: string, arrays: Readonly<Record<string, Tensor>>): string => {
  writeFileSync(at(name), writeNpz(arrays));
  return at(name);
};
const run = (model: string, path: string, options: Record<string, OptionValue> = {}, preprocess?: Preprocess): Promise<Report> =>
  diagnose(
    {
      id: 'adversarial-robustness',
      model: { path: model },
      data: { path, ...(preprocess ? { preprocess } : {}) },
      device: 'cpu',
      seed: 0,
      options,
    },
    ports,
    { ...quietJob(), live: () => {} },
  );
const tableOf = (report: Report, title: string): readonly (readonly unknown[])[] => {
  const card = report.cards.find((c) => c.kind === 'table' && c.title === title);
  assert.ok(card?.kind === 'table', `${title}: ${report.reason ?? ''}`);
  return card.rows as readonly (readonly unknown[])[];
};

const W = [
  [1, -2, 0.5],
  [0, 1, -1],
];
const B = [0.1, -0.1];
const COUNT = 60;
const chance = random(0, 'attack rows');
/** In the middle of [0, 1], so that no attack of 0.1 meets an end. */
const x = Float32Array.from({ length: 3 * COUNT }, () => 0.3 + 0.4 * chance.next());
const margins = Array.from({ length: COUNT }, (_, i) => x[3 * i] - 3 * x[3 * i + 1] + 1.5 * x[3 * i + 2] + 0.2);
/** A tenth of the labels is wrong. */
const y = margins.map((m, i) => (i % 10 === 3 ? Number(m > 0) : Number(m < 0)));
const rows = data('rows.npz', { x: float32([COUNT, 3], x), y: int64([COUNT], y) });
const signed = margins.map((m, i) => (y[i] === 0 ? m : -m));
const fast = { range: '0, 1', epsilons: '0, 0.05, 0.1', steps: 300, rate: 0.02, rounds: 7, nearestSamples: COUNT };

test('a linear model: FGSM takes what lies within ε·‖w‖₁ of the boundary, and the nearest row is as far as the boundary', async () => {
  const report = await run(linear('plain.onnx', W, B, [3]), rows, fast);
  const { headline } = report;
  const share = (margin: number): number => signed.filter((m) => m > margin).length / COUNT;
  for (const [name, epsilon] of [
    ['0', 0],
    ['0.05', 0.05],
    ['0.1', 0.1],
  ] as const)
    for (const kind of ['fgsm', 'margin', 'pgd', 'worst'])
      assert.equal(headline[`${kind}_accuracy_${name}`], share(5.5 * epsilon), `${kind} ${name}`);
  assert.equal(headline.accuracy, share(0));
  assert.equal(headline.searched, signed.filter((m) => m > 0).length);
  assert.equal(headline.left_out, COUNT - headline.searched);
  assert.equal(headline.nearest_success, 1);
  assert.equal(headline.masked, 0);
  assert.equal(headline.silent_share, 0);
  const found = tableOf(report, 'Most fragile rows');
  for (const [row, own, becomes, , after, distance, furthest] of found as [number, string, string, number, number, number, number][]) {
    const exact = signed[row] / 3.5;
    // The boundary is a plane, far from the ends of the range; steps of 0.02 pass one that is nearer than they are long.
    assert.ok(distance >= exact - 1e-5 && distance <= exact * 1.01 + 0.01, `row ${row}: ${distance} is not ${exact}`);
    assert.ok(furthest <= distance && after >= 0.5);
    assert.deepEqual([own, becomes], [String(y[row]), String(1 - y[row])]);
  }
  const distances = found.map((r) => Number(r[5]));
  assert.deepEqual(
    distances,
    distances.toSorted((a, b) => a - b),
  );
  assert.deepEqual(await run(at('plain.onnx'), rows, fast).then((r) => r.headline), headline);
});

test('logits 1000 times as large: the loss hides its gradient, FGSM finds nothing, and the report says so', async () => {
  const report = await run(linear('steep.onnx', W, B, [3], 1000), rows, fast);
  const plain = await run(linear('plain.onnx', W, B, [3]), rows, fast);
  assert.ok(report.headline.silent_share > 0.7);
  assert.ok(report.headline['fgsm_accuracy_0.1'] > plain.headline['fgsm_accuracy_0.1'] + 0.3);
  // A linear model has the same margins at any scale.
  assert.equal(report.headline['margin_accuracy_0.1'], plain.headline['margin_accuracy_0.1']);
  assert.equal(report.headline['cooled_accuracy_0.1'], plain.headline['fgsm_accuracy_0.1']);
  assert.equal(report.headline.nearest_success, 1);
  assert.equal(report.headline.masked, 1);
  const text = report.cards.find((c) => c.kind === 'text');
  assert.match(JSON.stringify(text), /Gradients are masked: the FGSM result is not evidence/);
  assert.match(report.guide, /never be read as safety/);
  const checks = tableOf(report, 'Is the gradient masked?');
  assert.deepEqual(
    checks.map((c) => c[3]),
    ['no', 'no', 'no', 'yes', 'no', 'yes'],
  );
  assert.deepEqual(
    tableOf(plain, 'Is the gradient masked?').map((c) => c[3]),
    ['yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
  );
});

test('probabilities of 0 are told where no logits lie behind them, and only there', async () => {
  const behind = (name: string, last: (emit: ReturnType<typeof emitter>, p: string) => string): string => {
    const emit = emitter({});
    const type = { kind: 'tensor', dtype: 'float32', dims: ['N', 3] } as const;
    emit.typed('x', type);
    const w = emit.hold(
      'W',
      constantOf(
        'float32',
        [2, 3],
        W.flat().map((v) => 1e4 * v),
      ),
    );
    const p = emit.Softmax(emit.call('Gemm', ['x', w], { transB: 1 }), { axis: 1 });
    const y = last(emit, p);
    const graph = emit.graph('p', [{ name: 'x', type }], [{ name: y, type: { ...type, dims: ['N', 2] } }]);
    writeFileSync(at(name), write(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph)));
    return at(name);
  };
  const told = async (model: string): Promise<boolean> =>
    (await run(model, rows, { ...fast, nearestSamples: 0 })).notes.some((n) => /one of them is 0, where a logarithm has no slope/.test(n));
  assert.equal(await told(behind('softmax.onnx', (_, p) => p)), false);
  assert.equal(await told(behind('bare.onnx', (emit, p) => emit.Abs(p))), true);
});

test('attacks made on another model reach one whose own gradient is hidden', async () => {
  const steep = linear('steep.onnx', W, B, [3], 1000);
  const report = await run(steep, rows, { ...fast, nearestSamples: 0, surrogate: linear('plain.onnx', W, B, [3]) });
  assert.equal(report.headline['transfer_accuracy_0.1'], report.headline['margin_accuracy_0.1']);
  assert.ok(tableOf(report, 'Is the gradient masked?').some(([name, , , passes]) => /another model/.test(String(name)) && passes === 'no'));
  const others = [
    [linear('three.onnx', [...W, [1, 1, 1]], [0, 0, 0], [3]), /tells 3 classes apart, and the model attacked 2/],
    [
      linear(
        'two.onnx',
        [
          [1, 1],
          [0, 1],
        ],
        [0, 0],
        [2],
      ),
      /takes rows of 2, and the model attacked takes rows of 3/,
    ],
  ] as const;
  for (const [surrogate, words] of others) {
    const said = run(steep, rows, { ...fast, surrogate }).then(
      (r) => r.reason?.sentence ?? '',
      (e: unknown) => String(e),
    );
    assert.match(await said, words);
  }
});

test('toward a class: rows that have it already are left out, and the search ends there', async () => {
  const report = await run(linear('plain.onnx', W, B, [3]), rows, { ...fast, targeted: 'class', class: '1' });
  assert.ok(tableOf(report, 'Most fragile rows').every(([, own, becomes]) => own === '0' && becomes === '1'));
  assert.equal(report.headline.searched, y.filter((c, i) => c === 0 && margins[i] > 0).length);
  const reached = report.cards.find((c) => c.kind === 'curve' && c.title === 'Target reached');
  assert.ok(reached?.kind === 'curve');
  assert.deepEqual(
    reached.lines[0].points.map(([, share]) => share),
    [0, 0.05, 0.1].map((e) => margins.filter((m) => m - 5.5 * e < 0).length / COUNT),
  );
  const least = await run(at('plain.onnx'), rows, { ...fast, targeted: 'least-likely', nearestSamples: 0 });
  assert.equal(least.headline.searched, 0);
  assert.equal(least.headline.nearest_success, undefined);
});

test('pictures: mean and standard deviation are undone, triples are shown, and radii are shares of the range before them', async () => {
  const size = 16;
  const r = random(1, 'pictures');
  const weights = [0, 1].map(() => Array.from({ length: size }, () => r.normal()));
  const pixels = Float32Array.from({ length: 40 * size }, (_, k) => (k === 0 ? 0 : k === 1 ? 1 : r.next()));
  const logit = (i: number, c: number): number => weights[c].reduce((s, w, k) => s + w * pixels[i * size + k], 0);
  const labels = Array.from({ length: 40 }, (_, i) => Number(logit(i, 1) > logit(i, 0)));
  const path = data('pictures.npz', { x: float32([40, 1, 4, 4], pixels), y: int64([40], labels) });
  const options = { epsilons: '8/255, 0.1', steps: 100, rate: 0.05, nearestSamples: 10, pictures: 2 };
  const plain = await run(linear('pixels.onnx', weights, [0, 0], [1, 4, 4]), path, options);
  // f(x) = W(0.25·z + 0.5) of z = (x − 0.5)/0.25.
  const sums = weights.map((w) => 0.5 * w.reduce((a, b) => a + b, 0));
  const shifted = linear(
    'shifted.onnx',
    weights.map((w) => w.map((v) => 0.25 * v)),
    sums,
    [1, 4, 4],
  );
  const normal = await run(shifted, path, options, { mean: [0.5], std: [0.25] });
  for (const key of ['accuracy', 'fgsm_accuracy_0.0314', 'fgsm_accuracy_0.1', 'nearest_success'])
    assert.equal(normal.headline[key], plain.headline[key], key);
  assert.ok(Math.abs(normal.headline.nearest_mean - plain.headline.nearest_mean) < 1e-3);
  const images = plain.cards.find((c) => c.kind === 'images');
  assert.ok(images?.kind === 'images');
  assert.equal(images.images.length, 6);
  assert.match(images.images[1].title, /^change × \d/);
  assert.ok(plain.notes.some((n) => /within 0 to 1, which was taken from the rows; confirm/.test(n)));
});

test('a column moves within its own range, and one that never changes stays', async () => {
  const wide = Float32Array.from(x, (v, k) => (k % 3 === 0 ? 7 : k % 3 === 1 ? 100 * v : v));
  const z = (i: number): number => 0.03 * wide[3 * i + 1] - wide[3 * i + 2] - 1;
  const path = data('wide.npz', {
    x: float32([COUNT, 3], wide),
    y: int64(
      [COUNT],
      Array.from({ length: COUNT }, (_, i) => Number(z(i) > 0)),
    ),
  });
  const report = await run(
    linear(
      'wide.onnx',
      [
        [0, 0, 0],
        [5, 0.03, -1],
      ],
      [0, -36],
      [3],
    ),
    path,
    { ...fast, range: '' },
  );
  assert.equal(report.headline.accuracy, 1);
  const least = (k: number): number => Math.min(...Array.from({ length: COUNT }, (_, i) => wide[3 * i + k]));
  const most = (k: number): number => Math.max(...Array.from({ length: COUNT }, (_, i) => wide[3 * i + k]));
  const reach = (i: number): number => {
    // Both columns move by 0.1 of their range, up to its ends, against the class.
    const moved = [1, 2].map((k) => {
      const sign = (z(i) > 0 ? -1 : 1) * (k === 1 ? 1 : -1);
      return Math.min(most(k), Math.max(least(k), wide[3 * i + k] + sign * 0.1 * (most(k) - least(k))));
    });
    return 0.03 * moved[0] - moved[1] - 1;
  };
  const kept = Array.from({ length: COUNT }, (_, i) => i).filter((i) => reach(i) > 0 === z(i) > 0).length;
  assert.ok(Math.abs(report.headline['fgsm_accuracy_0.1'] - kept / COUNT) < 1e-9);
});

test('laws on a net: in the box, within the radius, adversarial in the model itself, no farther than attacks by signs', async () => {
  const model = fileURLToPath(new URL('../fixtures/models/mlp_digits.onnx', import.meta.url));
  const source = readNpz(readFileSync(new URL('../golden/autodiff/mlp_digits.npz', import.meta.url)));
  const dims = source.x.dims.slice(1);
  const size = dims.reduce((a, b) => a * b, 1);
  const u = Float32Array.from(numbers(source.x));
  const job = quietJob();
  const found = await openModel({ path: model }, ports, job);
  const ends = endsOf(found, { path: model }, job);
  const subject = { name: 'mlp', folder: found.folder, ends, prepared: () => found.prepared({ input: ends.input.name, x: source.x }) };
  const tool = attacks(subject, dims, { runtime: ports.runtime, device: 'cpu' }, job);
  const attack = await tool.open({ low: new Float64Array(size), high: new Float64Array(size).fill(1), probabilities: false });
  const { signal } = job;
  const classes = await attack.scores(u, signal);
  const labels = Int32Array.from({ length: classes.rows }, (_, i) => argmax(classes.data, i * classes.cols, classes.cols));
  const right = async (points: Float32Array): Promise<boolean[]> => {
    const { data: scores, cols } = await attack.scores(points, signal);
    return Array.from(labels, (c, i) => argmax(scores, i * cols, cols) === c);
  };
  const away = (a: Float32Array, i: number): number =>
    Math.hypot(...Array.from(a.subarray(i * size, (i + 1) * size), (v, k) => v - u[i * size + k]));
  const clean = await right(u);
  const slope = await attack.slopes({ u, labels }, { kind: 'loss', temperature: 1 }, signal);
  assert.deepEqual(await right(stepped(u, u, slope, 0, 0)), clean);
  const bySigns = Array.from(labels, () => Infinity);
  for (const epsilon of [0.05, 0.1, 0.2, 0.4]) {
    const moved = stepped(u, u, slope, epsilon, epsilon);
    assert.ok(moved.every((v, k) => v >= 0 && v <= 1 && Math.abs(v - u[k]) <= epsilon + 1e-7));
    (await right(moved)).forEach((r, i) => {
      if (!r) bySigns[i] = Math.min(bySigns[i], away(moved, i));
    });
  }
  const search = { targeted: false, confidence: 0, rounds: 9, constant: 1e-3, steps: 1000, rate: 0.01 };
  const { u: moved, distances } = await attack.carliniWagner({ u, labels }, search, signal, () => {});
  assert.ok(moved.every((v) => v >= 0 && v <= 1));
  const still = await right(moved);
  const hit = Array.from(labels, (_, i) => i).filter((i) => clean[i]);
  assert.equal(hit.length, 8);
  for (const i of hit) {
    assert.ok(distances[i] < Infinity && !still[i]);
    assert.ok(Math.abs(away(moved, i) - distances[i]) < 1e-5);
  }
  const both = hit.filter((i) => bySigns[i] < Infinity);
  assert.ok(both.filter((i) => distances[i] <= bySigns[i]).length >= 0.95 * both.length);
  await tool.release();
});

test('radii are shares of the range, in order', () => {
  assert.deepEqual(radii('0.2 8/255,0.1, 0.1'), [8 / 255, 0.1, 0.2]);
  assert.equal(radii('').length, 6);
  for (const text of ['1.5', '-0.1', 'x', '1/', ',', '0.1,,y'])
    assert.throws(
      () => radii(text),
      (e) => Fault.is(e, 'option/value'),
      text,
    );
});

test('bad input: ranges, labels, classes, inputs and outputs that cannot be attacked', async () => {
  const model = linear('plain.onnx', W, B, [3]);
  const refused = async (path: string, options: Record<string, OptionValue>, words: RegExp, of = model): Promise<void> => {
    const found = await run(of, path, options).then(
      (r) => `${r.outcome} ${r.reason?.sentence ?? ''}`,
      (e: unknown) => String(e instanceof Error ? e.message : e),
    );
    assert.match(found, words);
    assert.doesNotMatch(found, /^measured/);
  };
  await refused(rows, { range: '0.4, 0.6' }, /outside the range 0.4 to 0.6/);
  await refused(rows, { range: '1, 0' }, /least and the greatest input value/);
  await refused(rows, { epsilons: '2' }, /shares of the range/);
  await refused(rows, { targeted: 'class' }, /need its name or index/);
  await refused(rows, { targeted: 'class', class: 'seven' }, /no class 'seven'/);
  const pictures = data('dark.npz', {
    x: float32(
      [4, 1, 4, 4],
      Float32Array.from({ length: 64 }, (_, k) => k * 20 - 300),
    ),
    y: int64([4], [0, 1, 0, 1]),
  });
  const picture = linear('dark.onnx', [new Array(16).fill(1), new Array(16).fill(0)], [0, 0], [1, 4, 4]);
  await refused(pictures, {}, /cannot be told from the rows, which go from -300 to 960/, picture);
  await refused(data('bare.npz', { x: float32([4, 3], x.slice(0, 12)) }), {}, /label/);
  await refused(data('over.npz', { x: float32([4, 3], x.slice(0, 12)), y: int64([4], [0, 1, 2, 0]) }), fast, /label 2|2 classes|class 2/);
  await refused(
    data('nan.npz', {
      x: float32([4, 3], x.slice(0, 11).length === 11 ? [...x.slice(0, 11), Number.NaN] : []),
      y: int64([4], [0, 1, 1, 0]),
    }),
    fast,
    /NaN|finite/,
  );
  const whole = linear('whole.onnx', W, B, [3], 1, 'int64');
  await refused(
    data('whole.npz', { x: int64([4, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2]), y: int64([4], [0, 1, 1, 0]) }),
    { range: '0, 9' },
    /whole|no gradient/,
    whole,
  );
});
