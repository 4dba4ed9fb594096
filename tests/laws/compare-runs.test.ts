import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { compareRuns } from '../../src/app/compare.ts';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import type { OptionValue } from '../../src/base/option.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { comparesTwo, type Diagnostic } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import { world } from '../../src/jobs/world.ts';
import { fromJson, toJson } from '../../src/report/json.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import type { Card, Report } from '../../src/report/report.ts';
import { toText } from '../../src/report/text.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-compare-runs-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fixture = (name: string): string => join(import.meta.dirname, '../fixtures', name);
const wave = (i: number): number => Number((0.5 + 0.45 * Math.sin(12.9898 * i)).toFixed(4));
let tables = 0;
const table = (header: string, rows: number, line: (i: number) => string): RunRequest['data'] => {
  const path = join(folder, `${tables++}.csv`);
  writeFileSync(path, [header, ...Array.from({ length: rows }, (_, i) => line(i))].join('\n'));
  return { path };
};
type Of = Pick<RunRequest, 'data' | 'model'> & { readonly options?: RunRequest['options'] };

const classes = (s: number): Of => ({
  data: table('prob_a,prob_b,prob_c,label', 300, (i) => {
    const [a, b, c] = [wave(i), wave(2 * i + s), wave(5 * i)];
    const sum = a + b + c;
    return `${a / sum},${b / sum},${1 - a / sum - b / sum},${[a, b, c].indexOf(Math.max(a, b, c, i % 3 === 0 ? c : 0))}`;
  }),
});
const digits = (name: string): Of => ({
  model: { path: fixture(`models/${name}.onnx`) },
  data: { path: fixture('data/digits.npz'), split: 'test', preprocess: { scale: 0.0625 } },
});
const labels = ['cat', 'dog', 'red'];

/** Two subjects of one kind, in the order in which they are tried on a diagnostic; the first that it measures stands for it. */
const pairs: Readonly<Record<string, readonly Of[]>> = {
  forecasts: [1, 2].map((s) => ({
    data: table('mean,sd,target', 80, (i) => `${10 * wave(i) + s * wave(9 * i)},${s},${10 * wave(i) + wave(7 * i)}`),
  })),
  numbers: [1, 2].map((s) => ({
    data: table('prediction,target', 80, (i) => `${10 * wave(i) + s * wave(9 * i)},${10 * wave(i) + wave(7 * i)}`),
  })),
  classes: [classes(0), classes(1)],
  models: [digits('mlp_digits'), digits('softmax_digits')],
  sizes: [0.02, -0.03].map((s) => ({
    data: table('size,error', 6, (i) => `${100 * 2 ** i},${[0.52, 0.41, 0.335, 0.262, 0.21, 0.17][i] + s * wave(i)}`),
  })),
  marks: [1, 3].map((s) => ({
    data: table([...labels.map((l) => `prob_${l}`), ...labels.map((l) => `label_${l}`)].join(','), 90, (i) =>
      [...labels.map((_, k) => wave(3 * i + k)), ...labels.map((_, k) => Number(wave(3 * i + k) > wave(s * i + k)))].join(','),
    ),
  })),
  generations: ['mean-prob', 'total-prob'].map((aggregate) => ({
    data: { path: fixture('data/generations.jsonl') },
    options: { scoreScale: 'percent', aggregate },
  })),
};
/** They need more than a law can lay out in a line each; `tests/app` has their own. */
const elsewhere = [
  'aupimo',
  'prompt-ensemble',
  'domain-weighted-ensemble',
  'domain-alignment',
  'routing-couplings',
  'dense-balance',
  'foreground-background-balance',
];

const few = ({ options }: Diagnostic): Record<string, OptionValue> =>
  Object.fromEntries(
    Object.entries({
      bootstrap: 100,
      nullDraws: 100,
      draws: 20,
      rows: 4,
      samples: 4,
      seeds: 2,
      epochs: 2,
      steps: 2,
      iterations: 5,
    }).flatMap(([name, n]) => {
      const option = options[name];
      return option?.kind === 'int' ? [[name, Math.max(n, option.min)]] : [];
    }),
  );
const measuredOf = async (d: Diagnostic, { options, ...of }: Of): Promise<Report | undefined> => {
  try {
    const own = Object.fromEntries(Object.entries(options ?? {}).filter(([name]) => name in d.options));
    const ask = { id: d.id, device: 'cpu', seed: 0, limit: 60, options: { ...few(d), ...own }, ...of } as const;
    const found = await diagnose(ask, ports, { ...quietJob(), live: () => {} });
    return found.outcome === 'measured' ? found : undefined;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
};
const twoRuns = async (d: Diagnostic): Promise<readonly [Report, Report] | undefined> => {
  for (const [a, b] of Object.values(pairs)) {
    const first = await measuredOf(d, a);
    const other = first && (await measuredOf(d, b));
    if (first && other) return [first, other];
  }
  return undefined;
};

const names = ['one', 'two'] as const;
const unwritten = /\[object |'undefined'|[:=] undefined\b|\bNaN\b(?! or| \(not)|\bnull\b/;
const whole = (a: Report, b: Report): Report => {
  const found = { ...compareRuns(a, b, names), provenance: a.provenance };
  const written = toJson(found);
  assert.deepEqual(JSON.parse(toJson(fromJson(written))), JSON.parse(written));
  for (const said of [found.guide, ...found.notes, toText(found), toMarkdown(found)]) assert.doesNotMatch(said, unwritten);
  return found;
};
const titleKept = (title: string, { cards, notes }: Report): boolean =>
  cards.some((card) => card.title === title || card.title === `${title}: difference`) ||
  notes.some((note) => note.startsWith('Cards that could not be laid on each other') && note.includes(title));

/** What holds of any two runs of one diagnostic. */
const holds = (a: Report, b: Report): void => {
  const shared = Object.keys(a.headline).filter((name) => Object.hasOwn(b.headline, name));
  const [found, back] = [whole(a, b), whole(b, a)];
  assert.equal(
    Object.keys(found.headline).length,
    3 * shared.length,
    'each number, that of the other, and the difference have names of their own',
  );
  for (const name of shared) {
    const difference = found.headline[`${name}_difference`];
    assert.equal(difference, a.headline[name] - b.headline[name], name);
    const [ia, ib, ends, mirrored] = [
      a.intervals[name],
      b.intervals[name],
      ...[found, back].map((of) => of.intervals[`${name}_difference`]),
    ];
    assert.equal(ends !== undefined, ia !== undefined && ib?.level === ia.level, `${name}: an interval where both have one of one level`);
    if (!ends) continue;
    const size = Math.abs(ends.high) + Math.abs(ends.low) + Math.abs(difference);
    // Sums and roots of float64.
    const slack = 1e-9 * (1 + size);
    assert.ok(ends.low <= difference + slack && difference <= ends.high + slack, `${name}: ${difference} in ${ends.low} to ${ends.high}`);
    assert.ok(Math.abs(ends.low + mirrored.high) <= slack && Math.abs(ends.high + mirrored.low) <= slack, `${name}: the other way round`);
  }
  for (const { title } of [...a.cards, ...b.cards]) assert.ok(titleKept(title, found), `card '${title}' is laid on its twin, or named`);
  for (const card of found.cards) {
    if (card.kind === 'table') for (const row of card.rows) assert.equal(row.length, card.columns.length, card.title);
    if (card.kind === 'heatmap')
      for (const { values } of card.layers) assert.equal(values.length, card.rows.names.length * card.columns.names.length, card.title);
    if (card.kind === 'bars')
      for (const { values } of card.series)
        assert.equal(values.length, card.categories?.length ?? (card.edges?.length ?? values.length + 1) - 1, card.title);
  }
};

/** What a card says that the first is more than the other: a column after that of the other, or the cells of a grid of differences. */
const differences = (card: Card): readonly unknown[] => {
  if (card.kind === 'heatmap') return card.title.endsWith(': difference') ? card.layers.flatMap(({ values }) => values) : [];
  if (card.kind !== 'table') return [];
  return card.columns.flatMap((_, c) =>
    /^(against_.*|other)$/.test(card.columns[c - 1]?.name ?? '') ? card.rows.map((row) => row[c]) : [],
  );
};

for (const d of diagnostics) {
  if (comparesTwo(d) || elsewhere.includes(d.id)) continue;
  test(`${d.id}: two runs, a run and itself, and runs that lack what the other has`, async () => {
    const two = await twoRuns(d);
    assert.ok(two, 'no pair of subjects above is measured: add one, or name it among those elsewhere');
    const [a, b] = two;
    holds(a, b);

    const itself = whole(a, a);
    assert.match(itself.guide, /are equal: nothing here speaks for either/);
    for (const card of itself.cards)
      for (const value of differences(card)) assert.ok(value === 0 || value === null, `${card.title}: ${String(value)}`);

    holds(a, { ...b, cards: [], intervals: {} });
    holds({ ...a, cards: a.cards.slice(0, 1) }, b);
    const some = Object.fromEntries(Object.entries(b.headline).slice(0, 1));
    holds(a, { ...b, headline: some, intervals: {} });
    // Classes and layers of other names, and fewer of them.
    const renamed = JSON.parse(JSON.stringify(b.cards).replaceAll(/"names":\["[^"]*",?/g, '"names":[')) as Card[];
    const cells = renamed.filter(
      (card) =>
        card.kind !== 'heatmap' || card.layers.every(({ values }) => values.length === card.rows.names.length * card.columns.names.length),
    );
    holds(a, { ...b, cards: cells });
    assert.throws(
      () => compareRuns(a, { ...b, outcome: 'unavailable', reason: { code: 'x', sentence: 'It has no labels.' } }, names),
      /'one' and 'two' cannot be compared: the other measured nothing \(unavailable: It has no labels\.\)/,
    );
    assert.throws(() => compareRuns(a, { ...b, headline: {} }, names), /no headline number in common/);
  });
}
