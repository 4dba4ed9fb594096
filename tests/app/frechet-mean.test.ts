import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { newtonCg } from '../../src/base/maths/newton-cg.ts';
import { softmaxRegression } from '../../src/base/maths/softmax-regression.ts';
import { random } from '../../src/base/random.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Card, CardOf, Report } from '../../src/report/report.ts';
import { graph, int, model, node, value } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-frechet-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string): string => join(folder, name);
const save = (name: string, content: Uint8Array | string): string => {
  writeFileSync(place(name), content);
  return place(name);
};
const run = (of: Partial<RunRequest> & Pick<RunRequest, 'data'>): Promise<Report> =>
  diagnose({ id: 'frechet-mean-prediction', device: 'cpu', seed: 0, options: {}, ...of }, ports, { ...quietJob(), live: () => {} });
const card = <K extends Card['kind']>(cards: readonly Card[], kind: K, title: string): CardOf<K> => {
  const found = cards.find((c) => c.kind === kind && c.title === title);
  assert.ok(found, `${kind} '${title}'`);
  return found as CardOf<K>;
};
const code =
  (expected: FaultCode, words = /./) =>
  (error: unknown) =>
    Fault.is(error, expected) && words.test(error.message);

// Card 41, check (c): 20 labels on a path, seen as noisy points of a half circle; a logistic regression (C = 10) knows five of them.
const known = [0, 5, 10, 14, 19];
const drawn = (seed: number, labels: readonly number[], each: number) => {
  const r = random(seed, 'circle');
  const y = labels.flatMap((label) => new Array<number>(each).fill(label));
  return {
    y,
    x: y.flatMap((label) => [Math.cos((Math.PI * label) / 19) + 0.08 * r.normal(), Math.sin((Math.PI * label) / 19) + 0.08 * r.normal()]),
  };
};
const classifier = (seed: number): Uint8Array => {
  const { x, y } = drawn(seed, known, 100);
  const strength = new Float64Array(15).fill(1 / (10 * y.length), 0, 10);
  const theta = newtonCg(
    softmaxRegression({ classes: 5, width: 2, scores: Float64Array.from(x), labels: Int32Array.from(y, (l) => known.indexOf(l)) }, false, {
      strength,
      home: new Float64Array(15),
    }),
    new Float64Array(15),
  );
  return write(
    model(
      graph(
        [value('x', ['N', 2])],
        [node('Gemm', ['x', 'w', 'b'], ['z'], { transB: int(1) }), node('Softmax', ['z'], ['p'], { axis: int(1) })],
        [value('p', ['N', 5])],
        { w: constantOf('float32', [5, 2], theta.subarray(0, 10)), b: constantOf('float32', [5], theta.subarray(10)) },
      ),
      18,
    ),
  );
};
const all = Array.from({ length: 20 }, (_, i) => i);

test('a fifth of the labels known, the others reached: the experiment of the card', async () => {
  const [squared, unseen, accuracy]: number[][] = [[], [], []];
  for (let seed = 0; seed < 5; seed++) {
    const { x, y } = drawn(100 + seed, all, 50);
    const data = save(`circle${seed}.npz`, writeNpz({ x: float32([1000, 2], x), y: int64([1000], y) }));
    const report = await run({
      model: { path: save(`circle${seed}.onnx`, classifier(seed)) },
      data: { path: data },
      options: { metric: 'order', observed: known.join() },
    });
    assert.equal(report.outcome, 'measured', report.reason?.sentence);
    const h = report.headline;
    squared.push(1 - h.mean_squared_distance / h.mean_squared_distance_argmax);
    assert.ok(Math.abs(h.squared_distance_saved - (squared.at(-1) ?? 0)) < 1e-12);
    unseen.push(h.accuracy_unobserved);
    accuracy.push(h.accuracy - h.accuracy_argmax);
    assert.deepEqual([h.labels, h.classes, h.reachable, h.rows, h.accuracy_unobserved_argmax], [20, 5, 20, 1000, 0]);
  }
  const mean = (v: readonly number[]): number => v.reduce((s, w) => s + w, 0) / v.length;
  // The card: E[d²] −65 %, unseen labels 0 → .300, accuracy .250 → .470.
  assert.ok(mean(squared) >= 0.5, `${mean(squared)}`);
  assert.ok(mean(unseen) >= 0.2, `${mean(unseen)}`);
  assert.ok(mean(accuracy) > 0.15, `${mean(accuracy)}`);
});

test('the saved model answers as the report does, whatever its operator set', async () => {
  const { x, y } = drawn(3, all, 10);
  const data = save('saved.npz', writeNpz({ x: float32([200, 2], x), y: int64([200], y) }));
  for (const opset of [11, 17, 18, 21]) {
    const made = parse(classifier(1), 'm');
    const from = save(`from${opset}.onnx`, write({ ...made, opsets: new Map([['', opset]]) }));
    const out = place(`answers${opset}.onnx`);
    const report = await run({
      model: { path: from },
      data: { path: data },
      options: { metric: 'order', observed: known.join(), save: out, temperature: 2 },
    });
    assert.equal(report.outcome, 'measured', report.reason?.sentence);
    const { session } = await ports.runtime.open(out, { device: 'cpu', name: out });
    const found = await session.run({ x: float32([200, 2], x) }, ['p', 'label', 'cost']);
    await session.release();
    assert.deepEqual([found.label.dtype, found.label.dims, found.cost.dims], ['int64', [200], [200, 20]]);
    const hits = y.filter((label, i) => Number(found.label.data[i]) === label).length;
    assert.equal(hits / 200, report.headline.accuracy);
    const changes = card(report.cards, 'table', 'Rows answered differently');
    for (const row of changes.rows) {
      const at = Number(row[0]);
      assert.equal(String(found.label.data[at]), row[4]);
      // Costs leave the graph as float32.
      assert.ok(Math.abs(Number(found.cost.data[at * 20 + Number(row[4])]) - Number(row[5])) < 1e-5);
    }
    assert.match(report.notes.join(' '), /saved with the answer in its new outputs 'label' and 'cost'/);
  }
});

const taxonomy = save(
  'taxonomy.csv',
  'parent,child\nanimal,dog\nanimal,cat\nthing,car\nthing,bus\nentity,animal\nentity,thing\ncat,lynx\n',
);
const table = save(
  'table.csv',
  'prob_dog,prob_cat,prob_car,label\n0.5,0.4,0.1,cat\n0.4,0.35,0.25,animal\n0.1,0.1,0.8,bus\n0.3,0.3,0.4,\n0.9,0.05,0.05,dog\n',
);

test('a table of predictions and a tree of parents: labels that are no class, selections, what to label next', async () => {
  const report = await run({ data: { path: table }, options: { metricFile: taxonomy } });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  assert.equal(report.headline.labels, 8);
  // On paths between dog, cat and car: animal, entity, thing as well; bus and lynx are not.
  assert.equal(report.headline.reachable, 6);
  assert.deepEqual(
    card(report.cards, 'table', 'What to label next').rows.map((r) => r.slice(0, 2)),
    [
      ['bus', 1],
      ['lynx', 1],
    ],
  );
  assert.equal(card(report.cards, 'graph', 'Labels').edges.length, 7);
  assert.match(report.notes.join(' '), /1 row has no label/);
  const matrix = card(report.cards, 'heatmap', 'Confusion matrix, near labels together');
  assert.equal(
    Object.values(matrix.selections ?? {}).reduce((n, s) => n + s.total, 0),
    4,
  );
  assert.ok(report.samples.some((s) => s.label === 'animal'));
});

test('distances by table, names from its header; a single class more is refused by name', async () => {
  const square = save('square.csv', 'dog,cat,car\n0,1,4\n1,0,4\n4,4,0\n');
  const report = await run({
    data: { path: save('plain.csv', 'prob_dog,prob_cat,prob_car,label\n0.4,0.3,0.3,cat\n0.2,0.1,0.7,car\n') },
    options: { metricFile: square },
  });
  assert.deepEqual([report.headline.labels, report.headline.reachable], [3, 3]);
  await assert.rejects(
    run({ data: { path: table }, options: { metricFile: square } }),
    code('diagnostic/label-names', /2 classes or labels .* animal, bus|bus, animal/),
  );
  const other = save('other.csv', 'dog,cat,truck\n0,1,4\n1,0,4\n4,4,0\n');
  await assert.rejects(
    run({ data: { path: table }, options: { metricFile: other } }),
    code('diagnostic/label-names', /car.*Labels: dog, cat, truck/),
  );
  await assert.rejects(
    run({ data: { path: table }, options: { metricFile: square, observed: 'dog,cat' } }),
    code('diagnostic/observed', /names 2 labels, but there are 3/),
  );
  await assert.rejects(
    run({ data: { path: table }, options: { metricFile: square, observed: 'dog,cat,dog' } }),
    code('diagnostic/observed-twice', /'dog'/),
  );
  await assert.rejects(run({ data: { path: table } }), code('diagnostic/metric-missing'));
  await assert.rejects(run({ data: { path: table }, options: { metric: 'order' } }), code('diagnostic/metric-order'));
  await assert.rejects(
    run({ data: { path: table }, options: { metricFile: taxonomy, save: place('x.onnx') } }),
    code('option/without-model'),
  );
  await assert.rejects(run({ data: { path: table }, options: { metricFile: place('none.csv') } }), code('file/missing'));
});

test('labels in order: the name of a class stands for the label that observed gives it', async () => {
  const path = save('named.csv', 'prob_low,prob_high,label\n0.5,0.5,low\n0.9,0.1,low\n0.1,0.9,high\n');
  const report = await run({ data: { path }, options: { metric: 'order', observed: '0,4' } });
  // The known answer of the card: equal weights on the ends of five labels answer the middle.
  const [changed] = card(report.cards, 'table', 'Rows answered differently').rows;
  assert.deepEqual([changed[0], changed[1], changed[4]], [0, '0', '2']);
  assert.deepEqual([report.headline.accuracy_argmax, report.headline.accuracy], [1, 2 / 3]);
});

test('a file of names alone is an order, with or without a line that heads it', async () => {
  const data = { path: save('ordered.csv', 'prob_low,prob_mid,prob_high,label\n0.45,0.2,0.35,mid\n0.9,0.1,0,low\n0,0.1,0.9,high\n') };
  for (const head of ['name\n', '']) {
    const report = await run({ data, options: { metricFile: save('order.csv', `${head}low\nmid\nhigh\n`) } });
    assert.deepEqual([report.headline.labels, report.headline.accuracy, report.headline.accuracy_argmax], [3, 1, 2 / 3], head);
  }
});

test('vectors of labels from a file, or the weights of the last layer', async () => {
  const { x, y } = drawn(5, known, 10);
  const data = save(
    'own.npz',
    writeNpz({
      x: float32([50, 2], x),
      y: int64(
        [50],
        Array.from(y, (l, i) => (known.indexOf(l) + Number(i % 10 === 0)) % 5),
      ),
    }),
  );
  const path = save('own.onnx', classifier(2));
  const own = await run({ model: { path }, data: { path: data } });
  assert.equal(own.outcome, 'measured', own.reason?.sentence);
  const weights = parse(classifier(2), 'm').graph.initializers.get('w');
  assert.ok(weights?.bytes);
  const vectors = save('vectors.npz', writeNpz({ vectors: float32([5, 2], new Float32Array(weights.bytes.slice().buffer)) }));
  const given = await run({ model: { path }, data: { path: data }, options: { metricFile: vectors } });
  assert.deepEqual(given.headline, own.headline);
  assert.equal(own.headline.temperature, 1);
  const fitted = await run({ model: { path }, data: { path: data }, options: { metricFile: vectors, temperature: 0 } });
  assert.ok(fitted.headline.temperature !== 1 && fitted.headline.temperature > 0);
});
