import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose, type OptionValue } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { readCosts } from '../../src/diagnostics/metrics/confusion-costs.ts';
import { confusionMatrix } from '../../src/diagnostics/metrics/confusion-matrix.ts';
import type { CardOf } from '../../src/report/report.ts';
import { fromLogits, measure, type Sample, subjectOf } from './cases.ts';

interface Golden {
  readonly labels: number[];
  readonly first: number[];
  readonly averages: Record<string, number>;
  readonly average_errors: Record<string, number>;
  readonly costs: {
    readonly table: number[];
    readonly mean: number;
    readonly se: number;
    readonly constant: number;
    readonly answer: number;
    readonly decided: number;
    readonly changed: number;
  };
}
const golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/comparison.json', import.meta.url), 'utf8')) as Golden;
const K = golden.first.length / golden.labels.length;
const samples = fromLogits(
  golden.labels.map((_, i) => golden.first.slice(i * K, (i + 1) * K)),
  golden.labels,
);
const near = (a: number, b: number, tolerance: number, what: string): void =>
  assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a} for ${b}`);
const plain = Array.from({ length: K }, (_, a) => golden.costs.table.slice(a * K, (a + 1) * K).join(',')).join('\n');
const run = async (options: Record<string, OptionValue>, of: readonly Sample[] = samples) =>
  (await measure('confusion-matrix', of, options)).findings;
const table = (cards: readonly { kind: string; title: string }[], title: string): CardOf<'table'> =>
  cards.find((c) => c.title === title) as CardOf<'table'>;

test('averages are scikit-learn’s, and their intervals as wide as its bootstrap', async () => {
  const { headline, intervals = {} } = await run({});
  for (const [name, value] of Object.entries(golden.averages)) near(headline[name], value, 1e-12, name);
  for (const [name, error] of Object.entries(golden.average_errors)) {
    if (name === 'weighted_recall') continue;
    const { low, high, method } = intervals[name];
    assert.equal(method, 'delta method');
    // Standard errors of 2,000 resamples carry 1.6 % of noise; the delta method leaves out terms of order 1/n, 30 rows of the rarest class.
    near((high - low) / (2 * 1.959964) / error, 1, 0.08, name);
  }
});

test('expected cost, the cheapest single answer, answers by least expected cost: NumPy', async () => {
  const { headline, intervals = {}, cards, guide } = await run({ costs: plain });
  assert.match(guide, /Under the costs given a row costs .*Answering by least expected cost would cost/);
  const { mean, se, constant, decided, changed } = golden.costs;
  near(headline.expected_cost, mean, 1e-12, 'mean');
  near((intervals.expected_cost.high - intervals.expected_cost.low) / (2 * 1.9599639845), se, 1e-9, 'standard error');
  near(headline.constant_cost, constant, 1e-12, 'constant');
  near(headline.least_expected_cost, decided, 1e-12, 'decided');
  assert.equal(headline.decisions_changed, changed);
  const costly = table(cards, 'Most costly confusions').rows;
  const costs = costly.map((row) => Number(row[4]));
  assert.deepEqual(
    costs,
    [...costs].sort((a, b) => b - a),
  );
  near(
    costs.reduce((sum, c) => sum + c, 0),
    mean * samples.length,
    1e-9,
    'all confusions',
  );
  const [actual, predicted, count, each] = costly[0];
  const at = (name: unknown): number => Number(String(name).replace('class ', ''));
  assert.equal(each, golden.costs.table[at(actual) * K + at(predicted)]);
  assert.ok(Number(count) > 0);
  assert.ok(!('expected_cost' in (await run({})).headline));
});

test('a table of costs with names in any order is the same table', async () => {
  const order = [3, 0, 4, 1, 2];
  const named = [
    ['actual', ...order.map((k) => `"class ${k}"`)].join(','),
    ...[...order].reverse().map((a) => [`class ${a}`, ...order.map((p) => golden.costs.table[a * K + p])].join(',')),
  ].join('\r\n');
  assert.deepEqual(readCosts(`${named}\r\n`, subjectOf(K, 0).classes).values, Float64Array.from(golden.costs.table));
  assert.deepEqual(readCosts('0;5\n1;0', ['a', 'b']).values, Float64Array.of(0, 5, 1, 0));
  assert.deepEqual(readCosts('\ta, b\tb\na, b\t0\t2\nb\t3\t0', ['a, b', 'b']).values, Float64Array.of(0, 2, 3, 0));
});

test('a broken table of costs is refused with its line', () => {
  for (const [text, wanted] of [
    ['', /line 1: there are 2 classes, and below a line of names 0 lines of costs/],
    ['0,1', /line 1: .*0 lines of costs/],
    ['0,1\n1', /line 1: .*1 line of costs/],
    ['0,1\n1,x', /line 2: 'x' is no number/],
    [',cat,dog\ncat,0,1\ndg,1,0', /line 3: 'dg' is no class \(did you mean 'dog'\?\)/],
    [',cat,cat\ncat,0,1\ndog,1,0', /line 1: 'cat' is there twice/],
    [',cat,dog\ncat,0,1\ndog,1', /line 3: there are 2 classes, and it has 1 cost\./],
    [',cat,dog\ncat,0,1\ndog,,0', /line 3: '' is no number/],
  ] as const)
    assert.throws(
      () => readCosts(text, ['cat', 'dog']),
      (e) => Fault.is(e, 'diagnostic/costs') && wanted.test(e.message),
      text,
    );
});

/** `n` rows of `classes` classes in blocks of `block`, half of a row's mistakes within its block. */
const blocks = (classes: number, n: number, block: number): Sample[] => {
  const chance = random(2, 'blocks');
  const names = chance.shuffle(Array.from({ length: classes }, (_, k) => k));
  return Array.from({ length: n }, (_, row) => {
    const at = chance.below(classes);
    const said = chance.next() < 0.5 ? at : at - (at % block) + chance.below(block);
    return { row, label: names[at], probs: Array.from({ length: classes }, (_, k) => Number(k === names[said])) };
  });
};

test('above 30 classes those that are confused stand beside each other; other orders are what they say', async () => {
  const of = blocks(40, 3000, 4);
  const grid = async (order: string) => {
    const { cards } = await run({ order }, of);
    return cards.find((c) => c.kind === 'heatmap') as CardOf<'heatmap'>;
  };
  const near = (card: CardOf<'heatmap'>): number => {
    const n = card.rows.names.length;
    let sum = 0;
    card.layers[0].values.forEach((v, cell) => {
      const [r, c] = [Math.floor(cell / n), cell % n];
      if (r !== c && Math.abs(r - c) < 4) sum += v ?? 0;
    });
    return sum;
  };
  const [auto, index] = [await grid('auto'), await grid('index')];
  const mistakes = index.layers[0].values.reduce<number>((sum, v, cell) => sum + (cell % 41 === 0 ? 0 : (v ?? 0)), 0);
  assert.equal(near(auto), mistakes);
  assert.ok(near(index) < mistakes / 2);
  assert.deepEqual(index.rows.names.slice(0, 3), ['class 0', 'class 1', 'class 2']);
  assert.deepEqual((await grid('name')).rows.names, index.rows.names);
  const classes = table((await run({}, of)).cards, 'Classes').rows;
  const column = async (order: string, c: number): Promise<number[]> =>
    (await grid(order)).rows.names.map((name) => Number(classes.find((row) => row[0] === name)?.[c]));
  for (const [order, c, sign] of [
    ['frequency', 1, -1],
    ['recall', 5, 1],
  ] as const) {
    const values = await column(order, c);
    assert.deepEqual(
      values,
      [...values].sort((a, b) => sign * (a - b)),
    );
  }
});

test('1,000 classes: what the report names is bounded, and the grid can hold them all', async () => {
  const [classes, n] = [1000, 60_000];
  const chance = random(9, 'many');
  const chosen = choose('confusion-matrix', confusionMatrix.options, { drawn: 1000 });
  if (confusionMatrix.shape !== 'fold') throw new Error('a fold');
  const subject = subjectOf(classes, n);
  const state = confusionMatrix.start(chosen, subject);
  const [size, data] = [500, new Float64Array(500 * classes)];
  for (let from = 0; from < n; from += size) {
    data.fill(0);
    const labels = Int32Array.from({ length: size }, () => chance.below(classes));
    for (let i = 0; i < size; i++) data[i * classes + chance.below(classes)] = 1;
    const rows = Float64Array.from({ length: size }, (_, i) => from + i);
    confusionMatrix.add(state, { labels, rows, probs: { rows: size, cols: classes, data } } as never, chosen);
  }
  const result = await confusionMatrix.result(state, chosen, quietJob());
  const { cards } = confusionMatrix.report(result, chosen, subject);
  const grid = cards.find((c) => c.kind === 'heatmap') as CardOf<'heatmap'>;
  assert.deepEqual([grid.rows.names.length, grid.layers.length, grid.layers[0].values.length], [1000, 2, 1e6]);
  const selections = Object.values(grid.selections ?? {});
  assert.equal(selections.length, 20_000);
  assert.ok(selections.reduce((sum, s) => sum + s.rows.length, 0) <= 120_000);
  const smaller = confusionMatrix.report(result, { ...chosen, drawn: 100 }, subject).cards;
  // What is written by default, whatever the number of rows.
  assert.ok(JSON.stringify(smaller).length < 3e6, String(JSON.stringify(smaller).length));
});
