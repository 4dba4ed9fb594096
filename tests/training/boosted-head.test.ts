import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { dataOf } from '../../src/graph/constant.ts';
import { parse } from '../../src/graph/parse.ts';
import { type Boosted, firstScores, measure, residuals, stepLength } from '../../src/training/regimes/boosting.ts';
import { openUnits, unitsOf } from '../../src/training/regimes/boosting-units.ts';
import { once, open } from './session.ts';
import { digitsData, workshop } from './workshop.ts';

/** The card prints twelve decimals. */
const near = (a: number, b: number, tolerance = 6e-13): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
const all = (a: ArrayLike<number>, b: readonly number[], tolerance?: number): void => {
  assert.equal(a.length, b.length);
  b.forEach((v, i) => {
    near(a[i], v, tolerance);
  });
};

test('two classes: first score, residuals, step and loss are those of the card', () => {
  const boosted: Boosted = { task: 'binary', labels: [1, 0, 1, 1], width: 1 };
  const first = firstScores(boosted, false);
  near(first[0], 0.549306144334);
  const scores = new Float64Array(4).fill(first[0]);
  const r = residuals(boosted, scores);
  all(r, [0.5, -1.5, 0.5, 0.5]);
  const f = Float64Array.of(0.4, -0.3, 0.1, 0.5);
  const rho = stepLength(boosted, scores, f, r);
  near(rho, 2.483660130719);
  near(measure(boosted, scores).loss, 0.562335144619);
  near(
    measure(
      boosted,
      scores.map((s, i) => s + rho * f[i]),
    ).loss,
    0.193302479848,
  );
});

const three: Boosted = { task: 'classes', labels: [0, 2, 1], width: 3 };
const scored = Float64Array.of(0, 0.2, -0.1, 0.3, 0, 0, -0.2, 0.1, 0.4);
const fitted = Float64Array.of(0.5, -0.2, -0.3, -0.1, -0.2, 0.4, -0.3, 0.6, -0.1);

test('three classes: residuals, step and loss are those of the card', () => {
  const r = residuals(three, scored);
  const due = [0.680126944, -0.390693833, -0.28943311, -0.402959911, -0.298520044, 0.701479956, -0.239694479, 0.676446296, -0.436751817];
  // The card prints nine decimals of these.
  all(r, due, 6e-10);
  for (let i = 0; i < 3; i++) near(r[3 * i] + r[3 * i + 1] + r[3 * i + 2], 0, 1e-15);
  const rho = stepLength(three, scored, fitted, r);
  near(rho, 6.271482455271);
  near(measure(three, scored).loss, 1.159046476236);
  near(
    measure(
      three,
      scored.map((s, i) => s + rho * fitted[i]),
    ).loss,
    0.03960115639,
  );
});

test('the step does not depend on the scale of the units, and a spent residual ends it', () => {
  const r = residuals(three, scored);
  const rho = stepLength(three, scored, fitted, r);
  near(
    3 *
      stepLength(
        three,
        scored,
        fitted.map((v) => 3 * v),
        r,
      ),
    rho,
    1e-12,
  );
  assert.equal(stepLength(three, scored, new Float64Array(9), r), 0);
  assert.equal(
    stepLength({ task: 'value', labels: [1, 2], width: 1 }, Float64Array.of(1, 2), Float64Array.of(1, 1), new Float64Array(2)),
    0,
  );
  const value: Boosted = { task: 'value', labels: [1, 2, 6], width: 1 };
  assert.deepEqual(Array.from(firstScores(value, false)), [3]);
  assert.deepEqual(Array.from(residuals(value, new Float64Array(3).fill(3))), [-2, -1, 3]);
  near(measure(value, new Float64Array(3).fill(3)).loss, 14 / 3, 1e-14);
});

test('the fit has the gradient of its objective, and goes to its least', async () => {
  const sizes = { inputs: 2, units: 3, outputs: 2 };
  const draw = random(3, 'fit');
  const x = Float64Array.from({ length: 20 }, () => draw.normal());
  const r = Float64Array.from({ length: 20 }, () => draw.normal());
  const alpha = 0.1;
  const value = (theta: Float64Array): number => {
    const { W, b, V, c } = unitsOf(sizes, theta);
    let [sum, decay] = [0, 0];
    for (let i = 0; i < 10; i++) {
      const h = [0, 1, 2].map((j) => 1 / (1 + Math.exp(-(x[2 * i] * W[j] + x[2 * i + 1] * W[3 + j] + b[j]))));
      for (let k = 0; k < 2; k++) sum += (h.reduce((s, v, j) => s + v * V[2 * j + k], c[k]) - r[2 * i + k]) ** 2;
    }
    for (const w of [...W, ...V]) decay += w * w;
    return sum / 20 + (alpha / 20) * decay;
  };
  const asked: { theta: Float64Array; loss: number; gradient: Float64Array }[] = [];
  const units = await openUnits(
    {
      async open(model) {
        const session = await open(model);
        return {
          async run(feeds) {
            const out = await session.run(feeds);
            if (out.loss)
              asked.push({
                theta: Float64Array.from(feeds.theta.data as Float64Array),
                loss: Number(out.loss.data[0]),
                gradient: Float64Array.from(out.gradient.data as Float64Array),
              });
            return out;
          },
        };
      },
    },
    sizes,
    { activation: 'logistic', solver: 'lbfgs', iterations: 500, tolerance: 0, alpha, rate: 0 },
  );
  const theta = await units.fit(x, r, random(0, 'start'));
  const [first] = asked;
  near(first.loss, value(first.theta), 1e-12);
  for (let p = 0; p < first.theta.length; p++) {
    const moved = (by: number): number => value(first.theta.map((v, i) => (i === p ? v + by : v)));
    // Central differences at 1e-5: the error is about 1e-10.
    near(first.gradient[p], (moved(1e-5) - moved(-1e-5)) / 2e-5, 1e-8);
  }
  assert.ok(value(theta) < first.loss);
  const least = asked.at(-1)?.gradient ?? new Float64Array(1).fill(1);
  assert.ok(least.every((g) => Math.abs(g) < 1e-3));
  const f = await units.values(x, theta);
  const { W, b, V, c } = unitsOf(sizes, theta);
  const h = [0, 1, 2].map((j) => 1 / (1 + Math.exp(-(x[0] * W[j] + x[1] * W[3 + j] + b[j]))));
  near(
    f[0],
    h.reduce((s, v, j) => s + v * V[2 * j], c[0]),
    1e-12,
  );
});

test('the fit by Adam is that of plain steps on shuffled batches, the last one shorter', async () => {
  const sizes = { inputs: 2, units: 2, outputs: 1 };
  const [n, batch, epochs, alpha, rate] = [450, 200, 3, 0.3, 0.01];
  const draw = random(4, 'adam');
  const x = Float64Array.from({ length: 2 * n }, () => draw.normal());
  const r = Float64Array.from({ length: n }, (_, i) => Math.tanh(x[2 * i] - x[2 * i + 1]));
  const units = await openUnits({ open: (model) => open(model) }, sizes, {
    activation: 'tanh',
    solver: 'adam',
    iterations: epochs,
    tolerance: 0,
    alpha,
    rate,
  });
  const found = await units.fit(x, r, random(5, 'fit'));

  // The same draws: first the units, U(±√(6/(in + out))), then an order for each epoch.
  const chance = random(5, 'fit');
  const [first, second] = [Math.sqrt(6 / 4), Math.sqrt(6 / 3)];
  const theta = Float64Array.from({ length: 9 }, (_, i) => (2 * chance.next() - 1) * (i < 6 ? first : second));
  const [m, v] = [new Float64Array(9), new Float64Array(9)];
  const order = Array.from({ length: n }, (_, i) => i);
  let t = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    chance.shuffle(order);
    for (let from = 0; from < n; from += batch) {
      const rows = order.slice(from, from + batch);
      const g = new Float64Array(9);
      const [a, b, c, d] = [0, 1, 2, 3].map((i) => theta[i]);
      for (const i of rows) {
        const [p, q] = [x[2 * i], x[2 * i + 1]];
        const h = [Math.tanh(p * a + q * c + theta[4]), Math.tanh(p * b + q * d + theta[5])];
        const e = (h[0] * theta[6] + h[1] * theta[7] + theta[8] - r[i]) / rows.length;
        for (const j of [0, 1]) {
          const back = e * theta[6 + j] * (1 - h[j] ** 2);
          g[j] += back * p;
          g[2 + j] += back * q;
          g[4 + j] += back;
          g[6 + j] += e * h[j];
        }
        g[8] += e;
      }
      for (const j of [0, 1, 2, 3, 6, 7]) g[j] += (alpha / rows.length) * theta[j];
      t++;
      for (let j = 0; j < 9; j++) {
        m[j] = 0.9 * m[j] + 0.1 * g[j];
        v[j] = 0.999 * v[j] + 0.001 * g[j] ** 2;
        theta[j] -= (rate * (m[j] / (1 - 0.9 ** t))) / (Math.sqrt(v[j] / (1 - 0.999 ** t)) + 1e-8);
      }
    }
  }
  // Sums in another order, in float64.
  all(found, Array.from(theta), 1e-9);
});

const base = {
  arch: { kind: 'mlp', hidden: '' },
  data: digitsData,
  loss: 'cross-entropy',
  optimizer: 'adam',
  seed: 2,
};
const stored = (path: string, name: string): { readonly dims: readonly number[]; readonly values: number[] } => {
  const c = parse(readFileSync(path), 'model').graph.initializers.get(name);
  assert.ok(c, name);
  return { dims: c.dims, values: Array.from(dataOf(c) as ArrayLike<number>) };
};

test('the first units of a longer run are those of a shorter one, and the saved model scores as the last step said', async () => {
  const regime = { kind: 'boosted-head', units: 12, unitsPerStep: 4, iterations: 40, shrinkage: 0.5, subsample: 1 };
  const long = await workshop().run({ ...base, regime });
  const short = await workshop().run({ ...base, regime: { ...regime, units: 8 } });
  const [a, b] = [stored(long.out, 'boosted.output.weight'), stored(short.out, 'boosted.output.weight')];
  assert.deepEqual(
    [a.dims, b.dims],
    [
      [12, 10],
      [8, 10],
    ],
  );
  assert.deepEqual(a.values.slice(0, 80), b.values);
  const table = short.report.cards.find((c) => c.title === 'Stages');
  assert.ok(table?.kind === 'table');
  const at = (name: string): number => table.columns.findIndex((c) => c.name === name);
  const last = table.rows.at(-1) ?? [];
  // Scores of the saved model are float32, those of the step float64.
  near(short.report.headline.validation_loss, Number(last[at('validation_loss')]), 1e-5);
  assert.equal(short.report.headline.validation_accuracy, last[at('validation_accuracy')]);
  // On all rows, the exact step and half of it: the training loss does not rise.
  const losses = table.rows.map((row) => Number(row[at('train_loss')]));
  assert.ok(losses.every((v, i) => i === 0 || v <= losses[i - 1]));
  assert.equal(short.report.headline.parameters, 64 * 8 + 8 + 8 * 10 + 10);
  const curve = short.report.cards.find((c) => c.title === 'Accuracy by units');
  assert.ok(curve?.kind === 'curve');
  assert.deepEqual(
    curve.lines.map((l) => l.name),
    ['training', 'validation', 'fewest within 0.005 of the best'],
  );
  const [[units, accuracy]] = curve.lines[2].points;
  const best = Math.max(...curve.lines[1].points.map(([, v]) => v));
  assert.ok(accuracy >= best - 0.005 && curve.lines[1].points.every(([x, v]) => x >= units || v < best - 0.005));
  // A fit that may end at once leaves its units as they were drawn.
  const loose = await workshop().run({ ...base, regime: { ...regime, units: 8, tolerance: 1 } });
  assert.notDeepEqual(stored(loose.out, 'boosted.hidden.weight').values, stored(short.out, 'boosted.hidden.weight').values);
  assert.ok(long.report.headline.test_accuracy > 0.8, String(long.report.headline.test_accuracy));
});

test('boosted by Adam, too, the layer learns', async () => {
  const regime = { kind: 'boosted-head', units: 40, unitsPerStep: 20, solver: 'adam', rate: 0.01, iterations: 60, subsample: 1 };
  const { report } = await workshop().run({ ...base, regime });
  assert.ok(report.headline.test_accuracy > 0.8, String(report.headline.test_accuracy));
});

const rows = 60;
const draw = random(1, 'rows');
const x = Float64Array.from({ length: rows * 2 }, () => draw.normal());
const small = { ...base, split: { val: 0 }, arch: { kind: 'mlp', hidden: '' } };
const regime = { kind: 'boosted-head', units: 6, unitsPerStep: 2, iterations: 60 };
const outer = Array.from({ length: rows }, (_, i) => Number(x[2 * i] ** 2 + x[2 * i + 1] ** 2 > 1.4));

test('two classes: the logit of the second is 2F, alike with one output and with two', async () => {
  const shop = workshop();
  const train = shop.arrays('rows.npz', { x: float32([rows, 2], Float32Array.from(x)), y: int64([rows], outer) });
  const two = await shop.run({ ...small, data: { train }, regime }, { out: shop.at('two.onnx') });
  const one = await shop.run({ ...small, data: { train }, loss: 'binary-cross-entropy', regime }, { out: shop.at('one.onnx') });
  const run = async (path: string): Promise<number[]> => {
    const out = await once(parse(readFileSync(path), 'model'), { x: float32([rows, 2], Float32Array.from(x)) });
    return Array.from(out.logits.data as Float32Array);
  };
  const [both, single] = [await run(two.out), await run(one.out)];
  for (let i = 0; i < rows; i++) {
    assert.equal(both[2 * i], 0);
    near(both[2 * i + 1], single[i], 1e-5);
  }
  const right = single.filter((z, i) => z > 0 === outer[i] > 0).length / rows;
  // The classes are a disc and what is around it: no plane has them apart.
  assert.ok(right >= 0.8, String(right));
});

test('a value: the mean, then what is left of it', async () => {
  const shop = workshop();
  const y = Array.from({ length: rows }, (_, i) => 5 + Math.sin(2 * x[2 * i]));
  const train = shop.arrays('rows.npz', { x: float32([rows, 2], Float32Array.from(x)), y: float32([rows], y) });
  const { report, out } = await shop.run({ ...small, loss: 'mse', data: { train, test: train }, regime: { ...regime, subsample: 1 } });
  const mean = y.reduce((a, b) => a + b, 0) / rows;
  const variance = y.reduce((sum, v) => sum + (v - mean) ** 2, 0) / rows;
  assert.ok(report.headline.test_loss < 0.3 * variance, `${report.headline.test_loss} of ${variance}`);
  assert.deepEqual(stored(out, 'boosted.output.weight').dims, [6, 1]);
});

test('on the features of a trained body its own head is replaced; enough units are kept', async () => {
  const shop = workshop();
  const recipe = { ...base, arch: { kind: 'mlp', hidden: '32' }, epochs: 8, optimizer: { kind: 'adam', lr: 0.005 } };
  const own = {
    kind: 'boosted-head',
    units: 40,
    unitsPerStep: 10,
    shrinkage: 0.5,
    subsample: 1,
    iterations: 60,
    bodyEpochs: 8,
    keep: 'enough',
  };
  const { report, out, notes } = await shop.run({ ...recipe, regime: own });
  assert.ok(report.headline.test_accuracy > 0.9, String(report.headline.test_accuracy));
  assert.deepEqual(stored(out, 'dense1.weight').dims, [32, 64]);
  const names = [...parse(readFileSync(out), 'model').graph.initializers.keys()];
  assert.ok(!names.includes('dense2.weight'));
  const said = notes.find((n) => n.includes('come within 0.005 of the best validation accuracy'));
  const [units] = stored(out, 'boosted.hidden.bias').dims;
  assert.ok(said?.startsWith(`${units} hidden units`) && said.includes(`${units} of 40 are kept`), said);
});

test('what cannot be boosted is refused, saying why', async () => {
  const shop = workshop();
  const rowsOf = (y: readonly number[], values: ArrayLike<number> = x) => ({
    train: shop.arrays('rows.npz', { x: float32([rows, 2], Array.from(values)), y: int64([rows], y) }),
  });
  const refused = (recipe: object, word: RegExp) =>
    assert.rejects(shop.run({ ...small, regime, ...recipe }), (e) => Fault.is(e, 'training/regime') && word.test(e.message));
  const data = rowsOf(outer);
  await refused({ data, regime: { ...regime, unitsPerStep: 7 } }, /unitsPerStep 7, more than its units 6/);
  await refused({ data, regime: { ...regime, subsample: 0.01 } }, /draws no row/);
  await refused({ data, loss: 'focal' }, /boosts plain cross-entropy/);
  await refused({ data, loss: { kind: 'cross-entropy', labelSmoothing: 0.1 } }, /without options/);
  await refused({ data: rowsOf(outer, new Float64Array(2 * rows)) }, /same features in every row/);
  await refused({ data: rowsOf(outer.map(() => 1)) }, /two classes; there is one/);
  const gap = { data: rowsOf(outer.map((v) => 2 * v)), regime: { ...regime, init: 'prior' } };
  await refused(gap, /class 1 has none/);
  await assert.rejects(shop.run({ ...small, data: rowsOf(outer), regime: { ...regime, shrinkage: 1.5 } }), (e) =>
    Fault.is(e, 'training/recipe'),
  );
});
