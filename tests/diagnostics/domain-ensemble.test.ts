import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { quietJob } from '../../src/base/job.ts';
import type { OptionValue } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { constantOf } from '../../src/graph/constant.ts';
import type { Node } from '../../src/graph/types.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { CardOf, Report } from '../../src/report/report.ts';
import { graph, int, ints, model, node, value } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-ensemble-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string): string => join(folder, name);
const save = (name: string, content: Uint8Array | string): string => {
  writeFileSync(place(name), content);
  return place(name);
};
const run = (of: Partial<RunRequest> & Pick<RunRequest, 'data'>, options: Record<string, OptionValue> = {}): Promise<Report> =>
  diagnose({ id: 'domain-weighted-ensemble', device: 'cpu', seed: 0, options, ...of }, ports, { ...quietJob(), live: () => {} });

interface Row {
  readonly domain: number;
  readonly label: number;
  readonly ids: readonly number[];
}
const DOMAINS = 4;
/** Ids: 20 words of polarity, then 15 of each domain. */
const POLAR = 20;
const OWN = 15;

/** Card 35, check (c): domain words leak to other domains for 30 %; the sign of a word of polarity is redrawn for each domain. */
const synthetic = (perDomain: number, seed: number, name: string, signs: readonly (readonly number[])[]): Row[] => {
  const r = random(seed, name);
  return Array.from({ length: DOMAINS * perDomain }, (_, i) => {
    const domain = i % DOMAINS;
    const own = Array.from({ length: 3 }, () => {
      const from = r.next() < 0.3 ? r.below(DOMAINS) : domain;
      return POLAR + from * OWN + r.below(OWN);
    });
    for (;;) {
      const polar = Array.from({ length: 5 }, () => r.below(POLAR));
      const sum = polar.reduce((s, w) => s + signs[domain][w], 0);
      if (sum !== 0) return { domain, label: Number(sum > 0), ids: [...own, ...polar] };
    }
  });
};
const signsOf = (seed: number): number[][] => {
  const r = random(seed, 'signs');
  return Array.from({ length: DOMAINS }, () => Array.from({ length: POLAR }, () => (r.next() < 0.5 ? -1 : 1)));
};
const names = ['books', 'phones', 'food', 'hotels'];
const asText = (rows: readonly Row[], fitted: number): string =>
  [
    'text,domain,label,split',
    ...rows.map(
      ({ domain, label, ids }, i) => `${ids.map((w) => `w${w}`).join(' ')},${names[domain]},${label},${i < fitted ? 'train' : 'test'}`,
    ),
  ].join('\n');
const asIds = (rows: readonly Row[], fitted: number): Uint8Array => {
  const whole = (values: readonly number[], ...dims: number[]) => ({
    dtype: 'int64' as const,
    dims,
    data: BigInt64Array.from(values, BigInt),
  });
  return writeNpz({
    ids: whole(
      rows.flatMap((r) => r.ids),
      rows.length,
      8,
    ),
    y: whole(
      rows.map((r) => r.label),
      rows.length,
    ),
    domain: whole(
      rows.map((r) => r.domain),
      rows.length,
    ),
    train_idx: whole(
      Array.from({ length: fitted }, (_, i) => i),
      fitted,
    ),
    test_idx: whole(
      Array.from({ length: rows.length - fitted }, (_, i) => fitted + i),
      rows.length - fitted,
    ),
  });
};
const signs = signsOf(1);
const rows = [...synthetic(200, 1, 'train', signs), ...synthetic(250, 1, 'test', signs)];
const fitted = 200 * DOMAINS;
const ids = save('ids.npz', asIds(rows, fitted));
const gatesOf = (r: Report): CardOf<'table'>['rows'] => {
  const card = r.cards.find((c): c is CardOf<'table'> => c.kind === 'table' && c.title === 'Gates');
  assert.ok(card);
  return card.rows;
};

test('the synthetic domains: a smoothed gate beats one head for all, frequency times uniqueness beats the smoothed gate', async () => {
  const totals = { global: 0, smooth: 0, unique: 0, oracle: 0, routed: 0, plainRouted: 0 };
  for (const seed of [1, 2, 3]) {
    const own = signsOf(seed);
    const some = [...synthetic(200, seed, 'train', own), ...synthetic(250, seed, 'test', own)];
    const report = await run({ data: { path: save(`text${seed}.csv`, asText(some, fitted)), split: 'test' } }, { fitOn: 'train' });
    assert.equal(report.outcome, 'measured', report.reason?.sentence);
    assert.equal(report.headline.fitted_rows, fitted);
    const gates = gatesOf(report);
    totals.global += report.headline.accuracy_global / 3;
    totals.oracle += report.headline.accuracy_oracle / 3;
    totals.smooth += Number(gates[0][3]) / 3;
    totals.unique += Number(gates[2][3]) / 3;
    totals.routed += Number(gates[2][1]) / 3;
    totals.plainRouted += Number(gates[1][1]) / 3;
    assert.equal(report.headline.accuracy_gated, gates[0][3]);
    assert.match(report.guide, /choose it \(gate freq-unique\)/);
  }
  assert.ok(totals.smooth > totals.global + 0.01, JSON.stringify(totals));
  assert.ok(totals.unique > totals.smooth, JSON.stringify(totals));
  assert.ok(totals.oracle > totals.unique, JSON.stringify(totals));
  assert.ok(totals.routed > totals.plainRouted, JSON.stringify(totals));
});

/** Mean embedding of token ids [N, 8] → scores of two classes. */
const embedding = (weights: readonly number[], probabilities: boolean) => {
  const nodes: Node[] = [node('Gather', ['table', 'tokens'], ['e']), node('ReduceMean', ['e'], ['m'], { axes: ints(1), keepdims: int(0) })];
  nodes.push(...(probabilities ? [node('Softmax', ['m'], ['out'])] : [node('Identity', ['m'], ['out'])]));
  return write(
    model(
      graph([value('tokens', ['N', 'T'], 'int64')], nodes, [value('out', ['N', 2])], {
        table: constantOf('float32', [POLAR + DOMAINS * OWN, 2], weights),
      }),
      13,
    ),
  );
};
const memberWeights = (domain: number): number[] =>
  Array.from({ length: POLAR + DOMAINS * OWN }, (_, w) => (w < POLAR ? 4 * signs[domain][w] : 0)).flatMap((s) => [-s, s]);
const members = names.map((_, d) => save(`member${d}.onnx`, embedding(memberWeights(d), d % 2 === 1)));
const asOption = (paths: readonly string[]): string => paths.map((p, d) => `${d}=${p}`).join(',');

/** The saved model on the same rows: its accuracy is the report's. */
const accuracyOf = async (path: string): Promise<number> => {
  const r = await diagnose(
    { id: 'confusion-matrix', device: 'cpu', seed: 0, options: {}, model: { path }, data: { path: ids, x: 'ids', y: 'y', split: 'test' } },
    ports,
    { ...quietJob(), live: () => {} },
  );
  assert.equal(r.outcome, 'measured', r.reason?.sentence);
  return r.headline.accuracy;
};

test('a model of each domain: exact on its own, gated, and saved as one model that says the same', async () => {
  const out = place('ensemble.onnx');
  const data = { path: ids, split: 'test', x: 'ids' };
  const report = await run({ data }, { models: asOption(members), fitOn: 'train', gate: 'freq-unique', save: out });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  // Every label is the sign of the sum that the model of its domain takes.
  assert.equal(report.headline.accuracy_oracle, 1);
  assert.ok(report.headline.accuracy_gated > report.headline.accuracy_mean);
  assert.ok(report.intervals.gain_over_mean.low > 0);
  assert.equal(await accuracyOf(out), report.headline.accuracy_gated);
  const known = report.cards.find((c): c is CardOf<'heatmap'> => c.kind === 'heatmap' && c.title.startsWith('Who'));
  assert.ok(known && [0, 5, 10, 15].every((at) => known.layers[0].values[at] === 1));
  const sent = report.cards.find((c): c is CardOf<'heatmap'> => c.kind === 'heatmap' && c.title.startsWith('Where'));
  assert.equal(
    sent?.layers[0].values.reduce<number>((a, b) => a + Number(b), 0),
    1000,
  );
  assert.ok(Object.values(sent.selections ?? {}).some((s) => s.rows.some((row) => report.samples.some((v) => v.row === row))));
});

test('heads on token counts and on features of a model, saved as one model', async () => {
  const out = place('heads.onnx');
  const tokens = await run({ data: { path: ids, split: 'test', x: 'ids' } }, { fitOn: 'train', save: out, voters: 'tokens' });
  assert.equal(tokens.outcome, 'measured', tokens.reason?.sentence);
  assert.ok(Math.abs((await accuracyOf(out)) - tokens.headline.accuracy_gated) <= 0.002);
  const backbone = save(
    'backbone.onnx',
    write(
      model(
        graph(
          [value('ids', ['N', 'T'], 'int64')],
          [
            node('Gather', ['table', 'ids'], ['e']),
            node('ReduceMean', ['e'], ['m'], { axes: ints(1), keepdims: int(0) }),
            node('MatMul', ['m', 'head'], ['out']),
          ],
          [value('out', ['N', 2])],
          {
            table: constantOf(
              'float32',
              [80, 80],
              Array.from({ length: 6400 }, (_, i) => Number(i % 81 === 0)),
            ),
            head: constantOf('float32', [80, 2], new Float64Array(160).fill(0.1)),
          },
        ),
        13,
      ),
    ),
  );
  const features = await run(
    { model: { path: backbone }, data: { path: ids, split: 'test' } },
    { fitOn: 'train', save: out, classWeights: 'inverse-frequency' },
  );
  assert.equal(features.outcome, 'measured', features.reason?.sentence);
  assert.ok(features.headline.accuracy_oracle > features.headline.accuracy_global);
  // Weights and features are float32 in the file: rows on the edge may change sides.
  assert.ok(Math.abs((await accuracyOf(out)) - features.headline.accuracy_gated) <= 0.002);
});

test('tables of predictions stand for models', async () => {
  const table = (name: string, sure: number): string =>
    save(
      name,
      [
        'prob_0,prob_1,label',
        ...rows.slice(fitted).map(({ domain, label }) => (domain === sure ? `${1 - label},${label},${label}` : `0.5,0.5,${label}`)),
      ].join('\n'),
    );
  const given = asOption(names.map((_, d) => table(`t${d}.csv`, d)));
  const report = await run({ data: { path: ids, split: 'test', x: 'ids' } }, { models: given, fitOn: 'train' });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  assert.equal(report.headline.accuracy_oracle, 1);
  assert.equal(report.headline.accuracy_mean, 1);
});

test('bad input', async () => {
  const said = (...args: Parameters<typeof run>): Promise<string> =>
    run(...args).then(
      (r) => `${r.outcome} ${r.reason?.code}: ${r.reason?.sentence}`,
      (error: Error) => error.message,
    );
  const data = { path: ids, split: 'test', x: 'ids' };
  const lines = (of: (r: Row, i: number) => string): string => ['text,domain,label', ...rows.slice(0, 120).map(of)].join('\n');
  const words = ({ ids: w }: Row): string => w.map((id) => `w${id}`).join(' ');
  assert.match(await said({ data }, { domain: 'place' }), /no array or column 'place'/);
  assert.match(
    await said({
      data: {
        path: save(
          'one.csv',
          lines((r) => `${words(r)},books,${r.label}`),
        ),
      },
    }),
    /1 domain \('books'\); need at least 2/,
  );
  assert.match(
    await said({ data: { path: save('no-text.csv', 'domain,label\na,0\nb,1\na,0\nb,1\na,0\nb,1\na,0\nb,1') } }),
    /No column is plainly the text/,
  );
  assert.match(await said({ data }, { tokens: 'nothing', fitOn: 'train' }), /no array or column 'nothing'/);
  assert.match(
    await said({
      data: {
        path: save(
          'few.csv',
          lines((r, i) => `${words(r)},${i < 6 ? 'rare' : 'books'},${r.label}`),
        ),
      },
    }),
    /'rare' has \d rows to fit a head on; need at least 20/,
  );
  const lacking = lines((r) => `${words(r)},${r.domain < 2 ? 'books' : 'food'},${r.domain < 2 ? 0 : r.label}`);
  const kept = await run({ data: { path: save('lacking.csv', lacking) } });
  assert.ok(
    kept.notes.some((n) => /'books' has no row of class 1/.test(n)),
    kept.notes.join('\n'),
  );
  assert.match(
    await said({ data: { path: place('lacking.csv') } }, { classWeights: 'inverse-frequency' }),
    /Class '1' has no row in domain 'books'.*infinite/,
  );
  assert.match(
    await said({ data }, { models: asOption(members.slice(1)), fitOn: 'train' }),
    /Models are given for 0, 1, 2, but the domains are 0, 1, 2, 3/,
  );
  const three = save('three.csv', ['prob_0,prob_1,prob_2,label', ...rows.slice(fitted).map((r) => `0.2,0.3,0.5,${r.label}`)].join('\n'));
  assert.match(
    await said({ data }, { models: asOption([...members.slice(0, 3), three]), fitOn: 'train' }),
    /same classes in the same order/,
  );
  const short = save('short.csv', 'prob_0,prob_1,label\n0.5,0.5,1');
  assert.match(
    await said({ data }, { models: asOption([...members.slice(0, 3), short]), fitOn: 'train' }),
    /predictions for 1 rows, but 1000 are diagnosed/,
  );
  assert.match(
    await said({ data: { path: place('text1.csv'), split: 'test' } }, { fitOn: 'train', save: place('no.onnx') }),
    /is text, which no model input takes/,
  );
  const negative = writeNpz({
    ids: { dtype: 'int64', dims: [4, 1], data: BigInt64Array.of(1n, -2n, 3n, 4n) },
    domain: { dtype: 'int64', dims: [4], data: BigInt64Array.of(0n, 1n, 0n, 1n) },
    y: { dtype: 'int64', dims: [4], data: BigInt64Array.of(0n, 1n, 0n, 1n) },
    train_idx: { dtype: 'int64', dims: [2], data: BigInt64Array.of(0n, 1n) },
    test_idx: { dtype: 'int64', dims: [2], data: BigInt64Array.of(2n, 3n) },
  });
  assert.match(
    await said({ data: { path: save('negative.npz', negative), split: 'test' } }, { fitOn: 'train' }),
    /Row 1 of 'ids' holds -2/,
  );
});
