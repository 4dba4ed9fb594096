import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { diagnose } from '../../src/app/diagnose.ts';
import { Fault, type FaultCode } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { random } from '../../src/base/random.ts';
import type { RunRequest } from '../../src/base/request.ts';
import { sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { type Embeddings, unitVectors } from '../../src/diagnostics/metrics/prompt-embeddings.ts';
import {
  foldedLogits,
  foldedTexts,
  scorePrompts,
  scoreWeights,
  softmaxWeights,
  weigh,
  zScores,
} from '../../src/diagnostics/metrics/prompt-scores.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Card, CardOf, Report } from '../../src/report/report.ts';
import { graph, model, node, value } from '../graph/build.ts';

const ports = await world();
const folder = mkdtempSync(join(tmpdir(), 'assay-prompts-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const place = (name: string): string => join(folder, name);
const save = (name: string, content: Uint8Array): string => {
  writeFileSync(place(name), content);
  return place(name);
};
const float64 = (dims: readonly number[], data: readonly number[]): Tensor => {
  assert.equal(data.length, sizeOf(dims));
  return { dtype: 'float64', dims, data: Float64Array.from(data) };
};
const int64 = (data: readonly number[]): Tensor => ({ dtype: 'int64', dims: [data.length], data: BigInt64Array.from(data, BigInt) });
const run = (of: Partial<RunRequest> & Pick<RunRequest, 'data'>): Promise<Report> =>
  diagnose({ id: 'prompt-ensemble', device: 'cpu', seed: 0, options: {}, ...of }, ports, { ...quietJob(), live: () => {} });
const near = (actual: ArrayLike<number>, expected: readonly number[], tolerance = 5.1e-11): void => {
  assert.equal(actual.length, expected.length);
  for (const [i, v] of expected.entries()) assert.ok(Math.abs(actual[i] - v) <= tolerance, `${actual[i]} is not ${v}`);
};
const card = <K extends Card['kind']>(cards: readonly Card[], kind: K, title: string): CardOf<K> => {
  const found = cards.find((c) => c.kind === kind && c.title === title);
  assert.ok(found, `${kind} '${title}'`);
  return found as CardOf<K>;
};
const code =
  (expected: FaultCode, words = /./) =>
  (error: unknown) =>
    Fault.is(error, expected) && words.test(error.message);

type Rows = readonly (readonly number[])[];
const embeddings = (images: Rows, texts: readonly Rows[], scale: number, reference?: Rows): Embeddings => {
  const vectors = (rows: Rows) =>
    unitVectors({ dims: [rows.length, rows[0].length], data: Float64Array.from(rows.flat()) }, 'A vector', String);
  return {
    images: vectors(images),
    rows: Float64Array.from(images, (_, i) => i),
    texts: vectors(texts.flat()),
    prompts: texts.length,
    classes: texts[0].length,
    ...(reference ? { reference: vectors(reference) } : {}),
    scale,
    templates: texts.map((_, p) => `prompt ${p + 1}`),
    classNames: texts[0].map((_, c) => String(c)),
    notes: [],
  };
};
// Card 54, check (a).
const images = [
  [1, 0, 0],
  [0, 1, 0],
  [0.6, 0.8, 0],
  [0, 0.6, 0.8],
];
const texts = [
  [
    [1, 0, 0],
    [0, 1, 0],
  ],
  [
    [0.8, 0.6, 0],
    [0.6, 0.8, 0],
  ],
  [
    [0, 0, 1],
    [0, 0, 1],
  ],
];
// Printed to eight digits there; the unit vector is meant.
const reference = [
  [0.5, 0.5, Math.SQRT1_2],
  [0, 0, 1],
];

test('known answers of the card: scores, weights, logits, z-scores and what is selected', async () => {
  const e = embeddings(images, texts, 10, reference);
  const { of } = await scorePrompts(e, undefined, quietJob());
  const scores = (d: 'none' | 'test' | 'both') => of.get(d)?.scores ?? new Float64Array();
  near(scores('none'), [8.5, 7.7, 2], 1e-12);
  near(softmaxWeights(scores('none')), [0.6892594884, 0.3097042519, 0.0010362597]);
  near(scores('test'), [3, 0.6, 0], 1e-12);
  near(softmaxWeights(scores('test')), [0.8768045568, 0.0795419148, 0.0436535284]);
  near(foldedLogits(e, foldedTexts(e, softmaxWeights(scores('test')))).slice(4, 6), [6.0244297229, 7.8098556023]);
  near(scores('both'), [4.5, 2.4, -3.26776695], 5.1e-9);
  const weights = softmaxWeights(scores('both'));
  near(weights, [0.890567442, 0.1090557081, 0.00037685]);
  near(
    foldedLogits(e, foldedTexts(e, weights)),
    [9.7781200841, 0.6543342484, 0.6543342484, 9.7781200841, 6.3903394492, 8.2150966163, 0.3956153488, 5.8698868503],
  );
  // The card's third score comes from an entry printed to eight digits.
  near(zScores(scores('both')) ?? [], [1, 0, -2.6989366429], 2e-9);
  const selected = weigh(scores('both'), 'select', 0.5, 'equal');
  assert.deepEqual([selected.kept, [...selected.weights]], [[0], [1, 0, 0]]);
});

interface Golden {
  readonly images: number[][];
  readonly texts: number[][][];
  readonly reference: number[][];
  readonly labels: number[];
  readonly scale: number;
  readonly [debias: string]: unknown;
}
interface Reference {
  readonly scores: number[];
  readonly errors: number[];
  readonly z: number[];
  readonly weights: number[];
  readonly accuracy: number;
  readonly accuracy_each: number;
}
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/prompts.json', import.meta.url), 'utf8'));

test('NumPy’s scores, weights and accuracies, under every debiasing, whole and by image', async () => {
  const path = save(
    'golden.npz',
    writeNpz({
      images: float64([40, 6], golden.images.flat()),
      text_embeddings: float64([5, 4, 6], golden.texts.flat(2)),
      reference: float64([25, 6], golden.reference.flat()),
      y: int64(golden.labels),
    }),
  );
  for (const debias of ['none', 'test', 'pretrain', 'both']) {
    const expected = golden[debias] as Reference;
    const report = await run({ data: { path }, options: { debias, logitScale: golden.scale } });
    assert.equal(report.outcome, 'measured', report.reason?.sentence);
    const table = card(report.cards, 'table', 'Prompts');
    for (const [name, score, z, weight] of table.rows) {
      const p = Number(String(name).split(' ')[1]) - 1;
      near([Number(score), Number(z), Number(weight)], [expected.scores[p], expected.z[p], expected.weights[p]], 1e-9);
    }
    assert.equal(report.headline.accuracy, expected.accuracy);
    const each = await run({ data: { path }, options: { debias, logitScale: golden.scale, perExample: true } });
    assert.equal(each.headline.accuracy, expected.accuracy_each);
    assert.match(report.notes.join(' '), /Embeddings of images were no unit vectors/);
  }
});

test('laws: a constant of a prompt moves only raw scores; one prompt weighs 1; order of images is no matter; equal prompts weigh the same', async () => {
  const r = random(3, 'laws');
  const draw = (n: number): number[][] => Array.from({ length: n }, () => Array.from({ length: 5 }, () => r.normal()));
  const z = draw(20);
  const t = [draw(3), draw(3)];
  const e = embeddings(z, t, 30);
  const { of } = await scorePrompts(e, undefined, quietJob());
  const turned = await scorePrompts(embeddings([...z].reverse(), t, 30), undefined, quietJob());
  for (const d of ['none', 'test'] as const) near(turned.of.get(d)?.scores ?? [], [...(of.get(d)?.scores ?? [])], 1e-12);
  // All images share a last entry, and so does the second prompt of every class: its logits move by one constant.
  const lifted = z.map((v) => [...v.map((x) => x / (2 * Math.hypot(...v))), Math.sqrt(0.75)]);
  const plain = t.map((p) => p.map((v) => [...v.map((x) => x / (2 * Math.hypot(...v))), 0, Math.sqrt(0.75)]));
  const shifted = [plain[0], t[1].map((v) => [...v.map((x) => x / (2 * Math.hypot(...v))), Math.sqrt(0.75), 0])];
  const wide = lifted.map((v) => [...v, 0]);
  const [before, after] = await Promise.all([plain, shifted].map((p) => scorePrompts(embeddings(wide, p, 30), undefined, quietJob())));
  near(after.of.get('test')?.scores ?? [], [...(before.of.get('test')?.scores ?? [])], 1e-10);
  assert.ok(Math.abs((after.of.get('none')?.scores[1] ?? 0) - (before.of.get('none')?.scores[1] ?? 0) - 30 * 0.75) < 1e-9);
  near(weigh(Float64Array.of(3), 'softmax-weights', 0.5, 'equal').weights, [1]);
  const twice = await scorePrompts(embeddings(z, [t[0], t[0]], 30), undefined, quietJob());
  near(softmaxWeights(twice.of.get('test')?.scores ?? new Float64Array()), [0.5, 0.5], 1e-15);
  const weights = Float64Array.of(0.3, 0.7);
  const sum = foldedLogits(e, foldedTexts(e, weights));
  for (const [i, row] of z.entries())
    for (let c = 0; c < 3; c++) {
      const cosine = (p: number) => row.reduce((s, v, d) => s + v * t[p][c][d], 0) / Math.hypot(...row) / Math.hypot(...t[p][c]);
      assert.ok(Math.abs(sum[i * 3 + c] - 30 * (0.3 * cosine(0) + 0.7 * cosine(1))) < 1e-12);
    }
  assert.equal(scoreWeights(Float64Array.of(-1, -2)), undefined);
  assert.equal(weigh(Float64Array.of(2, 2, 2), 'select', 0.5, 'equal').fallback, 'mad');
  assert.equal(weigh(Float64Array.of(1, 2, 4), 'select', 50, 'equal').fallback, 'empty');
});

/** Card 54, check (c): 20 prompts of which 6 tell classes apart, the others weakly and with a direction that all classes share. */
const synthetic = (seed: number) => {
  const r = random(seed, 'prompts');
  const [D, C, N] = [64, 10, 500];
  const vector = (): number[] => Array.from({ length: D }, () => r.normal());
  const unit = (v: readonly number[]): number[] => v.map((x) => x / Math.hypot(...v));
  const mix = (...parts: readonly (readonly [number, readonly number[]])[]): number[] =>
    unit(parts[0][1].map((_, d) => parts.reduce((s, [w, v]) => s + w * v[d], 0)));
  const centres = Array.from({ length: C }, () => unit(vector()));
  const shared = unit(vector());
  const image = (label: number): number[] => mix([1, centres[label]], [0.9, shared], [1.8, unit(vector())]);
  const y = Array.from({ length: N }, () => r.below(C));
  const prompts = Array.from({ length: 20 }, (_, p) => {
    return centres.map((c) => (p < 6 ? mix([1, c], [0.5, unit(vector())]) : mix([0.05, c], [0.3, shared], [1, unit(vector())])));
  });
  return { y, images: y.map(image), prompts, reference: Array.from({ length: 200 }, () => image(r.below(C))) };
};

test('weighting beats averaging by at least three points where most prompts are weak (card 54, check c)', async () => {
  let [gain, equal] = [0, 0];
  for (let seed = 0; seed < 5; seed++) {
    const s = synthetic(seed);
    const path = save(
      `synthetic${seed}.npz`,
      writeNpz({
        images: float64([500, 64], s.images.flat()),
        texts: float64([20, 10, 64], s.prompts.flat(2)),
        references: float64([200, 64], s.reference.flat()),
        labels: int64(s.y),
      }),
    );
    const report = await run({ data: { path } });
    assert.equal(report.provenance.options.debias, 'auto');
    gain += (report.headline.accuracy - report.headline.accuracy_equal) / 5;
    equal += report.headline.accuracy_equal / 5;
    assert.ok(Math.abs(report.headline.gain - (report.headline.accuracy - report.headline.accuracy_equal)) < 1e-12);
    const changed = card(report.cards, 'bars', 'Images answered otherwise').series[0].selections?.[1];
    assert.equal(changed?.total, report.headline.changed);
  }
  assert.ok(gain >= 0.03 && equal > 0.5, `${equal} + ${gain}`);
});

test('images through a model, prompts through a text encoder, and the model saved with the classes in one matrix', async () => {
  const r = random(8, 'model');
  const draw = (n: number): number[] => Array.from({ length: n }, () => r.normal());
  const encoder = (rows: number, width: number, dtype: 'float32' | 'int64', weights: readonly number[]): Uint8Array =>
    write(
      model(
        graph(
          [value('in', ['N', rows], dtype)],
          [
            ...(dtype === 'int64' ? [node('Cast', ['in'], ['f'], { to: { type: 'int', value: 1 } })] : []),
            node('MatMul', [dtype === 'int64' ? 'f' : 'in', 'w'], ['embedding']),
          ],
          [value('embedding', ['N', width])],
          { w: constantOf('float32', [rows, width], weights) },
        ),
        18,
      ),
    );
  const image = save('image.onnx', encoder(7, 4, 'float32', draw(28)));
  const text = save('text.onnx', encoder(3, 4, 'int64', draw(12)));
  const x = draw(35 * 7);
  const tokens = Array.from({ length: 2 * 3 * 3 }, () => 1 + r.below(9));
  const y = Array.from({ length: 35 }, () => r.below(3));
  const data = save('x.npz', writeNpz({ x: float64([35, 7], x), y: int64(y) }));
  const prompts = save('tokens.npz', writeNpz({ tokens: { dtype: 'int64', dims: [2, 3, 3], data: BigInt64Array.from(tokens, BigInt) } }));
  const out = place('zero-shot.onnx');
  const options = { textsFile: prompts, textEncoder: text, logitScale: 50, save: out };
  const report = await run({ model: { path: image }, data: { path: data }, options });
  assert.equal(report.outcome, 'measured', report.reason?.sentence);
  const { session } = await ports.runtime.open(out, { device: 'cpu', name: out });
  const found = await session.run({ in: { dtype: 'float32', dims: [35, 7], data: Float32Array.from(x) } }, ['logits', 'embedding']);
  await session.release();
  const logits = found.logits.data as Float32Array;
  const right = y.filter(
    (label, i) => label === [0, 1, 2].reduce((best, c) => (logits[3 * i + c] > logits[3 * i + best] ? c : best), 0),
  ).length;
  assert.equal(right / 35, report.headline.accuracy);
  // A reference of other images, which the model embeds.
  const others = save('others.npz', writeNpz({ x: float64([40, 7], draw(280)) }));
  const both = await run({ model: { path: image }, data: { path: data }, options: { ...options, save: '', referenceFile: others } });
  assert.equal(both.outcome, 'measured', both.reason?.sentence);
  assert.ok(card(both.cards, 'table', 'What is taken off the logits').rows.length === 12);
  await assert.rejects(
    run({ model: { path: image }, data: { path: data }, options: { ...options, perExample: true } }),
    code('diagnostic/no-folding'),
  );
});

test('bad input: shapes, widths, directions, labels, too few images, no reference', async () => {
  const arrays = (more: Readonly<Record<string, Tensor>> = {}) => ({
    images: float64([4, 3], images.flat()),
    texts: float64([3, 2, 3], texts.flat(2)),
    ...more,
  });
  const of = (name: string, more: Readonly<Record<string, Tensor>> = {}) => ({ data: { path: save(name, writeNpz(arrays(more))) } });
  const fine = await run(of('fine.npz'));
  assert.match(fine.notes.join(' '), /Scores from 4 images are unreliable/);
  assert.match(fine.guide, /no labels to judge by/);
  await assert.rejects(run(of('flat.npz', { texts: float64([6, 3], texts.flat(2)) })), code('diagnostic/no-embeddings', /texts \[6, 3\]/));
  await assert.rejects(
    run({ ...of('rank.npz'), options: { texts: 'images' } }),
    code('diagnostic/embeddings-shape', /'images' of .* \[4, 3\], where \[prompts, classes, width\]/),
  );
  await assert.rejects(
    run(of('width.npz', { images: float64([4, 2], images.flat().slice(0, 8)) })),
    code('diagnostic/embedding-width', /image 2, text 3/),
  );
  await assert.rejects(
    run(of('zero.npz', { images: float64([4, 3], [...images.flat().slice(0, 9), 0, 0, 0]) })),
    code('diagnostic/vector', /row 3 is all zero/),
  );
  await assert.rejects(
    run(of('nan.npz', { texts: float64([3, 2, 3], [...texts.flat(2).slice(0, 17), Number.NaN]) })),
    code('diagnostic/vector', /prompt 2, class 1 holds NaN/),
  );
  await assert.rejects(
    run(of('labels.npz', { y: int64([0, 1, 2, 0]) })),
    code('diagnostic/label', /Row 2 has label 2, but the model has 2 classes/),
  );
  await assert.rejects(run({ ...of('both.npz'), options: { debias: 'both' } }), code('diagnostic/no-reference', /'both'/));
  const same = await run({
    ...of('same.npz', { texts: float64([3, 2, 3], [...texts[0], ...texts[0], ...texts[0]].flat()) }),
    options: { aggregate: 'select' },
  });
  assert.match(same.notes.join(' '), /MAD 0/);
  await assert.rejects(run({ ...of('save.npz'), options: { save: place('no.onnx') } }), code('option/without-model'));
});
