import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import type { OptionValue } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { crossingOf, crossingWithRange, drawOf, regimeOf, sizesOf } from '../../src/diagnostics/representation/linear-probe-curve.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { CardOf, Report } from '../../src/report/report.ts';
import { graph, int, model, node, value } from '../graph/build.ts';

const ports = await world();
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const folder = mkdtempSync(join(tmpdir(), 'assay-probe-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string): string => join(folder, name);

const run = (of: Partial<RunRequest> & Pick<RunRequest, 'data'>, options: Record<string, OptionValue> = {}): Promise<Report> =>
  diagnose({ id: 'linear-probe', device: 'cpu', seed: 0, options: { bootstrap: 200, ...options }, ...of }, ports, {
    ...quietJob(),
    live: () => {},
  });
const digits = { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } };

const table = (name: string, x: Float32Array, y: readonly number[], more: Record<string, readonly number[]> = {}): string => {
  const ints = (values: readonly number[]) => ({
    dtype: 'int64' as const,
    dims: [values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  const path = place(name);
  writeFileSync(
    path,
    writeNpz({
      x: { dtype: 'float32', dims: [y.length, x.length / y.length], data: x },
      y: y.every(Number.isInteger) ? ints(y) : { dtype: 'float32', dims: [y.length], data: Float32Array.from(y) },
      ...Object.fromEntries(Object.entries(more).map(([key, values]) => [key, ints(values)])),
    }),
  );
  return path;
};
const verdictOf = (r: Report): string | undefined =>
  r.cards.flatMap((c) => (c.kind === 'number' ? c.values : [])).find((v) => v.name === 'crossing')?.note;
const errorsOf = (r: Report): CardOf<'table'>['rows'] => {
  const card = r.cards.find((c): c is CardOf<'table'> => c.kind === 'table' && c.title.startsWith('Errors'));
  assert.ok(card);
  return card.rows;
};

/** Card 20, check (c): means −1 and +1 on all coordinates, variance n on the first half of them and 1 on the rest. */
const mixture = (n: number, rows: number, r = random(5, `mixture/${n}`)): { x: Float32Array; y: number[] } => {
  const y = Array.from({ length: rows }, (_, i) => i % 2);
  const x = Float32Array.from({ length: rows * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return (y[i] === 0 ? -1 : 1) + Math.sqrt(j < n / 2 ? n : 1) * r.normal();
  });
  return { x, y };
};

test('the easy mixture: naive Bayes needs few examples whatever the width, logistic regression more the wider', async () => {
  const logistic: number[] = [];
  for (const n of [100, 400]) {
    const { x, y } = mixture(n, 1256);
    const rows = Array.from(y.keys());
    const path = table(`mixture${n}.npz`, x, y, { train_idx: rows.slice(0, 256), test_idx: rows.slice(256) });
    const report = await run({ data: { path, split: 'test' } }, { fitOn: 'train', minmax: false, sizes: '16,64' });
    assert.equal(report.outcome, 'measured', report.reason?.sentence);
    const [sixteen, more] = errorsOf(report);
    assert.ok(Number(sixteen[2]) < 0.02, `naive Bayes ${sixteen[2]} at 16 of ${n}`);
    assert.ok(Number(sixteen[4]) > 0.2, `logistic ${sixteen[4]} at 16 of ${n}`);
    assert.equal(verdictOf(report), 'Naive Bayes always');
    logistic.push(Number(more[4]));
  }
  assert.ok(logistic[1] > 2 * logistic[0], logistic.join(' '));
});

test('raw digits: pixels depend on each other, logistic regression always', async () => {
  const report = await run({ data: digits }, { fitOn: 'train', sizes: '20,100,1438', repeats: 4 });
  assert.equal(verdictOf(report), 'Logistic regression always');
  assert.equal(report.headline.fitted_rows, 1438);
  // scikit-learn on the same 1,438 and 359 rows, scaled alike: 35 and 7 wrong.
  assert.equal(Math.round(report.headline.naive_bayes_error * 359), 35);
  assert.equal(Math.round(report.headline.logistic_error * 359), 7);
  assert.ok(report.intervals.error_difference.low > 0);
  assert.match(report.guide, /Logistic regression errs less wherever the two differ/);
  const bars = report.cards.find((c): c is CardOf<'bars'> => c.kind === 'bars' && c.title.startsWith('Which rows'));
  const wrong = bars?.series[0].selections?.[0];
  assert.ok(wrong && wrong.total === bars.series[0].values[0] && wrong.rows.length > 0);
  assert.ok(wrong.rows.every((row) => report.samples.some((s) => s.row === row)));
});

test('features of a model: two regimes, and a head saved as a model that says the same', async () => {
  const out = place('head.onnx');
  const model = { path: fixture('models/mlp_digits.onnx') };
  for (const saveHead of ['naive-bayes', 'logistic'] as const) {
    const report = await run({ model, data: digits }, { fitOn: 'train', sizes: '20,1438', saveHead, varFloor: 0, save: out });
    assert.equal(verdictOf(report), 'Two regimes');
    assert.ok(report.headline.crossing > 20 && report.headline.crossing < 1438);
    assert.ok(report.intervals.crossing.low <= report.headline.crossing && report.headline.crossing <= report.intervals.crossing.high);
    const saved = await diagnose(
      { id: 'confusion-matrix', device: 'cpu', seed: 0, options: {}, model: { path: out }, data: digits },
      ports,
      {
        ...quietJob(),
        live: () => {},
      },
    );
    const error = saveHead === 'logistic' ? report.headline.logistic_error : report.headline.naive_bayes_error;
    // Weights are rounded to float32: at most one row may change sides.
    assert.ok(Math.abs(1 - saved.headline.accuracy - error) <= 1 / 359 + 1e-12);
    const made = parse(await ports.source(out).then((s) => s.read(0, s.size)), 'head.onnx');
    assert.equal(JSON.parse(made.metadata.get('assay.head') ?? '{}').head, saveHead);
    assert.deepEqual([...made.graph.initializers.keys()].filter((k) => k.startsWith('head.')).sort(), ['head.bias', 'head.weight']);
  }
});

test('a head behind pooled features, and one in the place of a Softmax', async () => {
  const [out, from] = [place('pooled.onnx'), place('maps.onnx')];
  const shape = (...dims: number[]) => constantOf('int64', [dims.length], dims);
  writeFileSync(
    from,
    write(
      model(
        graph(
          [value('x', ['N', 64])],
          [
            node('Reshape', ['x', 'tall'], ['maps']),
            node('Reshape', ['x', 'wide'], ['tokens']),
            node('Reshape', ['maps', 'flat'], ['h']),
            node('MatMul', ['h', 'w'], ['z']),
            node('Add', ['tokens', 'zero'], ['unused']),
            node('Softmax', ['z'], ['p'], { axis: int(1) }),
          ],
          [value('p', ['N', 10]), value('unused', ['N', 4, 16])],
          {
            tall: shape(-1, 16, 2, 2),
            wide: shape(-1, 4, 16),
            flat: shape(-1, 64),
            zero: constantOf('float32', [], [0]),
            w: constantOf('float32', [64, 10], new Float64Array(640).fill(0.01)),
          },
        ),
      ),
    ),
  );
  for (const [layer, pooling, width] of [
    ['', 'none', 64],
    ['maps', 'flatten', 64],
    ['maps', 'channels-first', 16],
    ['tokens', 'channels-last', 16],
  ] as const) {
    const report = await run(
      { model: { path: from, output: 'p' }, data: digits },
      { layer, pooling, fitOn: 'train', sizes: '1438', saveHead: 'naive-bayes', varFloor: 0, save: out },
    );
    assert.equal(report.outcome, 'measured', report.reason?.sentence);
    assert.equal(report.headline.features, width);
    const saved = await diagnose(
      { id: 'confusion-matrix', device: 'cpu', seed: 0, options: {}, model: { path: out }, data: digits },
      ports,
      {
        ...quietJob(),
        live: () => {},
      },
    );
    assert.equal(saved.outcome, 'measured', saved.reason?.sentence);
    // Weights are rounded to float32: two rows may change sides where variances are tiny.
    assert.ok(Math.abs(1 - saved.headline.accuracy - report.headline.naive_bayes_error) <= 2 / 359 + 1e-12, `${layer} ${pooling}`);
    assert.equal(parse(await ports.source(out).then((f) => f.read(0, f.size)), 'p').graph.nodes.at(-1)?.op, 'Softmax');
  }
});

test('columns without a model: the saved head is a model of its own, also where labels leave numbers out', async () => {
  const r = random(1, 'gaps');
  const y = Array.from({ length: 60 }, (_, i) => [1, 4][i % 2]);
  const x = Float32Array.from({ length: 120 }, (_, i) => (y[i >> 1] === 4 ? 2 : -2) + r.normal());
  const data = { path: table('gaps.npz', x, y) };
  const out = place('gaps.onnx');
  const report = await run({ data }, { save: out });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  assert.equal(report.headline.classes, 2);
  assert.equal(report.headline.rows + report.headline.fitted_rows, 60);
  const saved = await diagnose({ id: 'confusion-matrix', device: 'cpu', seed: 0, options: {}, model: { path: out }, data }, ports, {
    ...quietJob(),
    live: () => {},
  });
  assert.ok(saved.headline.accuracy > 0.95);
});

test('sizes, draws, crossings and verdicts', () => {
  assert.deepEqual(sizesOf('', 10, 1437), [20, 50, 100, 200, 500, 1000, 1437]);
  assert.deepEqual(sizesOf('', 3, 100), [9, 15, 30, 60, 100]);
  assert.deepEqual(sizesOf('50, 20,5000', 10, 300), [20, 50, 300]);
  // Linear in ln m: from −0.1 at 10 to 0.1 at 1000 the middle is 100.
  assert.ok(Math.abs(crossingOf([10, 1000], [-0.1, 0.1]) - 100) < 1e-9);
  assert.ok(Math.abs(crossingOf([10, 20, 40, 80], [-0.1, 0.1, -0.1, 0.3]) - 40 * 2 ** 0.25) < 1e-9);
  assert.ok(Number.isNaN(crossingOf([10, 20], [0.1, -0.1])) && Number.isNaN(crossingOf([10, 20], [-0.1, 0])));
  assert.deepEqual(
    [
      [-1, 1],
      [1, -1],
      [0, 1],
      [-1, 0],
      [0, 0],
    ].map(regimeOf),
    ['two-regimes', 'reversed', 'logistic', 'naive-bayes', 'equal'],
  );
  const labels = Int32Array.from({ length: 20_000 }, (_, i) => Number(i === 0));
  const drawn = drawOf(labels, 2, 3, random(0, 'draw'));
  assert.equal(drawn.stratified, true);
  assert.ok(drawn.places.includes(0) && new Set(drawn.places).size === 3);
  const points = [10, 1000].map((size, i) => ({
    size,
    naiveBayes: Float64Array.of(0.3, 0.32, 0.31),
    logistic: Float64Array.of(0.3, 0.32, 0.31).map((v) => v + (i === 0 ? 0.1 : -0.1)),
  }));
  const certain = crossingWithRange(points, 100, 0.95, random(0, 'crossing'));
  assert.deepEqual([certain.regime, certain.share], ['two-regimes', 1]);
  assert.ok(certain.range?.every((c) => Math.abs(c - 100) < 1e-9));
});

test('bad input', async () => {
  const model = { path: fixture('models/mlp_digits.onnx') };
  const reasonOf = async (...args: Parameters<typeof run>): Promise<string> => {
    const report = await run(...args);
    assert.notEqual(report.outcome, 'measured');
    return `${report.outcome} ${report.reason?.code}: ${report.reason?.sentence}`;
  };
  const thrown = async (...args: Parameters<typeof run>): Promise<string> =>
    run(...args).then(
      (r) => `${r.outcome} ${r.reason?.code}: ${r.reason?.sentence}`,
      (error: Error) => error.message,
    );
  assert.match(await thrown({ model, data: digits }, { layer: 'fc9' }), /layer 'fc9'/);
  assert.match(await thrown({ data: digits }, { sizes: '5' }), /5 examples cannot hold one of each of 10 classes/);
  assert.match(await thrown({ data: digits }, { sizes: 'a,b' }), /whole numbers/);
  assert.match(await thrown({ data: digits }, { fitOn: 'test' }), /all among those shown/);
  const x = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
  const y = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
  assert.match(
    await thrown({ data: { path: table('constant.npz', new Float32Array(24).fill(3), y) } }),
    /All 2 features .* the same in every row/,
  );
  assert.match(await reasonOf({ data: { path: table('half.npz', x, [...y.slice(1), 0.5]) } }), /unavailable evidence\/no-classes.*0\.5/);
  assert.match(await thrown({ data: { path: table('nan.npz', x.with(5, Number.NaN), y) } }), /NaN or infinite, in row 2/);
  assert.match(
    await thrown({
      data: {
        path: table(
          'one.npz',
          x,
          y.map(() => 1),
        ),
      },
    }),
    /same label/,
  );
  const measured = Array.from({ length: 60 }, (_, i) => 3 * (i % 40));
  assert.match(
    await thrown({
      data: {
        path: table(
          'measured.npz',
          Float32Array.from({ length: 120 }, (_, i) => Math.sin(i)),
          measured,
        ),
      },
    }),
    /Labels take 40 values on the \d+ rows to fit on.*regression-report/,
  );
  assert.match(await thrown({ data: { path: table('two.npz', x.slice(0, 4), [0, 1]) } }), /0 to be judged on, which is too few/);
  assert.match(await thrown({ data: digits }, { save: digits.path }), /would overwrite/);
  const single = await run({ data: { path: table('single.npz', x, [...y.slice(1), 7]) } });
  assert.ok(
    single.notes.some((n) => /1 example of class 7/.test(n)),
    single.notes.join('\n') + single.reason?.sentence,
  );
  assert.ok(!existsSync(place('never.onnx')));
});
