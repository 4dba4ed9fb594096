import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { choose } from '../../src/base/option.ts';
import { float32, sizeOf } from '../../src/base/tensor.ts';
import type { Findings, Study } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import type { GradientTool, SamplesTool, Subject, Tools } from '../../src/evidence/evidence.ts';
import type { CardOf } from '../../src/report/report.ts';
import { netA, toolOf, x } from './nets.ts';

const [found] = diagnostics.filter((d) => d.id === 'saliency');
const saliency = found as Study;

interface Case {
  readonly inputDims: readonly number[];
  readonly x: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
  readonly labels?: readonly number[];
  readonly tool: GradientTool;
  readonly classes?: readonly string[];
}

const samplesOf = ({ inputDims, x, outputs, labels }: Case): SamplesTool => ({
  count: x.length,
  inputDims,
  take: async (positions) => ({
    x: float32([positions.length, ...inputDims], Float32Array.from(positions.flatMap((p) => x[p]))),
    rows: positions.map((p) => 100 + p),
    outputs: {
      rows: positions.length,
      cols: outputs[0].length,
      data: Float64Array.from(positions.flatMap((p) => outputs[p])),
    },
    ...(labels ? { labels: Int32Array.from(positions, (p) => labels[p]) } : {}),
  }),
});

const run = async (c: Case, options: Record<string, unknown> = {}, seed = 0, job = quietJob(seed)): Promise<Findings> => {
  const subject: Subject = {
    classes: c.classes ?? ['cat', 'dog'],
    rows: c.x.length,
    scores: 'logits',
    dataName: 'cases',
    modelName: 'net',
  };
  const chosen = choose('saliency', saliency.options, { checks: false, ...options });
  const result = await saliency.study({ gradient: c.tool, samples: samplesOf(c) } as Tools, chosen, job, subject);
  return saliency.report(result, chosen, subject);
};

const table: Case = {
  inputDims: [3],
  x: [[...x], [0, 0, 0]],
  outputs: [
    [1.5, 0.275],
    [0.3, 0.2],
  ],
  labels: [1, 0],
  tool: toolOf(netA, [3], 2),
};
const card = <K extends 'table' | 'images' | 'bars' | 'curve' | 'heatmap'>(f: Findings, kind: K): CardOf<K> => {
  const one = f.cards.find((c) => c.kind === kind);
  assert.ok(one, kind);
  return one as CardOf<K>;
};
const near = (actual: unknown, expected: number, tolerance = 1.01e-10): void =>
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test('net A: integrated gradients with its completeness gap, per sample and in the headline', async () => {
  const f = await run(table, { baseline: 'zero' });
  near(f.headline.completeness_gap_max, 0.0404851765);
  near(f.headline.completeness_gap_relative_max, 0.0404851765 / 1.2);
  near(f.headline.completeness_gap_relative_median, 0.0404851765 / 2.4);
  assert.equal(f.headline.incomplete_rows, 0);
  assert.equal(f.headline.rows, 2);
  const [row] = card(f, 'table').rows;
  assert.deepEqual(row.slice(0, 4), [100, 'cat', 'dog', 'cat']);
  near(row[4], 1.5);
  near(row[5], 1.2 + 0.0404851765);
  near(row[6], 0.3);
  const heat = card(f, 'heatmap');
  assert.deepEqual(heat.columns.names, ['input 0', 'input 2', 'input 1']); // by mean size
  assert.deepEqual(heat.layers[0].values.slice(0, 3), [2.499524, -0.6299536, -0.6290852]);
  const [low, high] = heat.layers[0].domain ?? [0, 0];
  near(high, 2.4995239034);
  assert.equal(low, -high);
  const bars = card(f, 'bars');
  near(bars.series[0].values[0], 2.4995239034 / 2);
  assert.match(f.guide, /add up to the change of the output within 3\.4 %/);
});

test('a gap above 5 % is counted, noted and named in the guide', async () => {
  const f = await run(table, { baseline: 'zero', quadrature: 'riemann_left', steps: 10 });
  assert.equal(f.headline.incomplete_rows, 1);
  assert.match(f.notes?.[0] ?? '', /1 of 2 samples have a completeness gap above 5 %.*steps to 200/);
  assert.match(f.guide, /Set steps to 200, or quadrature to adaptive/);
});

test('target: the predicted class, the label, or one class by name or index', async () => {
  const values = async (options: Record<string, unknown>) =>
    card(await run(table, { method: 'gradient', ...options }), 'table').rows.map((r) => [r[3], r[5]]);
  assert.deepEqual((await values({}))[0], ['cat', 7.5]);
  assert.deepEqual((await values({ target: 'label' }))[0], ['dog', -3.25]);
  assert.deepEqual(await values({ class: 'dog' }), await values({ class: '1' }));
  assert.deepEqual((await values({ class: 'dog' }))[0], ['dog', -3.25]);
});

test('one score per row speaks for class 1 and, with the sign changed, for class 0', async () => {
  const score = (p: ArrayLike<number>, at: number) => ({ value: p[at] + 2 * p[at + 1], gradient: [1, 2] });
  const mirrored = (p: ArrayLike<number>, at: number, target: number) => {
    const { value, gradient } = score(p, at);
    return target === 1 ? { value, gradient } : { value: -value, gradient: gradient.map((g) => -g) };
  };
  const single: Case = {
    inputDims: [2],
    x: [
      [1, 2],
      [-1, -2],
    ],
    outputs: [[5], [-5]],
    tool: { ...toolOf(score, [2], 1), asked: async () => toolOf(mirrored, [2], 2) } as GradientTool,
  };
  const rows = card(await run(single, { method: 'gradient' }), 'table').rows;
  assert.deepEqual(rows[0].slice(1), ['dog', 'dog', 5, 3]);
  assert.deepEqual(rows[1].slice(1), ['cat', 'cat', 5, -3]);
  const ig = card(await run(single, { baseline: 'zero' }), 'table').rows[1];
  near(ig[4], 5, 1e-6);
  near(ig[6], 0, 1e-6);
});

test('a signal is drawn with its attribution, each as a share of its largest size', async () => {
  const slope = [1, -2, 0, 4, 0, 0];
  const signal: Case = {
    inputDims: [2, 3],
    x: [[1, 2, 3, 1, -1, 0.5]],
    outputs: [[1, 0]],
    tool: toolOf((p, at) => ({ value: slope.reduce((s, w, k) => s + w * p[at + k], 0), gradient: slope }), [2, 3], 2),
  };
  const said = await run(signal, { method: 'gradient-x-input' });
  assert.match(said.guide, /The strongest is channel 0, place 1, with a mean size of 4,/);
  const curve = card(said, 'curve');
  assert.deepEqual(
    curve.lines.map((l) => l.name),
    ['Signal, channel 0', 'Signal, channel 1', 'Attribution'],
  );
  assert.deepEqual(
    curve.lines[0].points.map(([, y]) => y),
    [1 / 3, 2 / 3, 1],
  );
  // Places hold 1 + 4, −4 + 0 and 0 + 0.
  assert.deepEqual(
    curve.lines[2].points.map(([, y]) => y),
    [1, -0.8, 0],
  );
});

test('a regression output has no classes: nothing is predicted, right or wrong', async () => {
  const regression: Case = {
    inputDims: [2],
    x: [[1, 2]],
    outputs: [[213.4]],
    labels: [151],
    classes: ['0'],
    tool: toolOf((p, at) => ({ value: p[at] + 2 * p[at + 1], gradient: [1, 2] }), [2], 1),
  };
  const f = await run(regression, { method: 'gradient' });
  assert.deepEqual(card(f, 'table').rows, [[100, 5, 3]]);
  assert.doesNotMatch(f.guide, /wrongly/);
  await assert.rejects(run(regression, { target: 'label' }), (e) => Fault.is(e, 'diagnostic/no-label'));
  const refused = {
    message: "The model has one value a row and no classes, so there is no class '1'; leave class and againstClass empty.",
  };
  await assert.rejects(run(regression, { class: '1' }), refused);
  await assert.rejects(run(regression, { againstClass: '1' }), refused);
  for (const outputScale of ['probability', 'loss'])
    await assert.rejects(run(regression, { outputScale }), {
      message: new RegExp(`^'logits' has no classes, so there is no ${outputScale}`),
    });
});

/** A linear model of 4 × 4 pictures: the attribution of a pixel is its weight times its value. */
const weights: readonly number[] = Array.from({ length: 16 }, (_, k) => (k === 5 ? 3 : k === 10 ? -1 : 0));
const picture: Case = {
  inputDims: [1, 4, 4],
  x: [Array.from({ length: 16 }, (_, k) => k / 15), Array.from({ length: 16 }, () => 0.5), new Array<number>(16).fill(1)],
  outputs: [
    [1, 0],
    [1, 0],
    [0, 1],
  ],
  labels: [0, 1, 1],
  tool: toolOf((p, at) => ({ value: weights.reduce<number>((sum, w, k) => sum + w * p[at + k], 0), gradient: weights }), [1, 4, 4], 2),
};

test('images: the map lies over an 8-bit picture, with a scale that leaves out 2 % of the total', async () => {
  const f = await run(picture, {});
  const { images } = card(f, 'images');
  assert.equal(images.length, 3);
  const [first, second] = images;
  assert.equal(first.row, 100);
  assert.equal(second.title, 'predicted cat, label dog');
  assert.deepEqual(
    Array.from(atob(first.picture?.base64 ?? ''), (c) => c.charCodeAt(0)),
    Array.from({ length: 16 }, (_, k) => 17 * k),
  );
  near(first.overlays[0].values[5], 1, 1e-6);
  near(first.overlays[0].values[10], -10 / 15, 1e-6);
  near(first.overlays[0].scale, 1, 1e-6);
  assert.ok(first.overlays[0].values.every((v, k) => v === 0 || k === 5 || k === 10));
  const fact = (label: string) => first.facts.find((x) => x.label === label)?.value;
  assert.deepEqual([fact('Model'), fact('Class attributed'), fact('Method')], ['net', 'cat', 'Integrated Gradients']);
  assert.equal(fact('Baseline'), '0 in every input');
  near(fact('Completeness gap'), 0, 1e-6);
  near(card(f, 'heatmap').layers[0].values[5], (1 + 1.5 + 3) / 3, 1e-6);
});

test('baselines: mean of the rows for tables, extremes per channel, averaged noise; each is named', async () => {
  const named = async (options: Record<string, unknown>): Promise<[unknown, number]> => {
    const f = await run(picture, options);
    return [card(f, 'images').images[0].facts.find((x) => x.label === 'Baseline')?.value, Number(card(f, 'table').rows[0][6])];
  };
  const mean5 = (5 / 15 + 0.5 + 1) / 3;
  const mean10 = (10 / 15 + 0.5 + 1) / 3;
  const [name, value] = await named({ baseline: 'mean' });
  assert.equal(name, 'mean of 3 rows, input by input');
  near(value, 3 * mean5 - mean10, 1e-6);
  assert.deepEqual(await named({ baseline: 'black' }), ['lowest value of each channel in 3 rows', 0]);
  near((await named({ baseline: 'white' }))[1], 2, 1e-6);
  assert.match(String((await named({ baseline: 'uniform' }))[0]), /uniform noise.*averaged over 10/);
  const tabular = await run(table);
  near(
    card(tabular, 'table').rows[0][6],
    netA(
      x.map((v) => v / 2),
      0,
      0,
    ).value,
    1e-6,
  );
});

test('SmoothGrad repeats with the seed, differs with another, and does not depend on which samples are shown', async () => {
  const of = async (options: Record<string, unknown>, seed = 1) =>
    card(await run(table, { method: 'smoothgrad', noiseScale: 1, noiseSamples: 7, ...options }, seed), 'table').rows[0];
  assert.deepEqual(await of({}), await of({}));
  assert.notDeepEqual(await of({}), await of({}, 2));
  assert.deepEqual(await of({}), await of({ samples: 1 }));
});

test('samples are spread evenly over the split, or are its first ones', async () => {
  const many: Case = {
    ...picture,
    x: Array.from({ length: 10 }, () => picture.x[0]),
    outputs: Array.from({ length: 10 }, () => [1, 0]),
    labels: new Array<number>(10).fill(0),
  };
  const rows = async (order: string) => card(await run(many, { samples: 4, order }), 'images').images.map((i) => i.row);
  assert.deepEqual(await rows('evenly'), [100, 102, 105, 107]);
  assert.deepEqual(await rows('first'), [100, 101, 102, 103]);
});

test('a model that does not react says so', async () => {
  const dead: Case = { ...picture, tool: toolOf(() => ({ value: 1, gradient: [] }), [1, 4, 4], 2) };
  const f = await run(dead, { method: 'gradient' });
  assert.match(f.guide, /All maps are almost zero/);
});

test('bad input: an unknown class, no labels, NaN in a row, an empty split', async () => {
  const fault = (code: Parameters<typeof Fault.is>[1]) => (e: unknown) => Fault.is(e, code);
  await assert.rejects(run(table, { class: 'cart' }), (e: Error) => {
    assert.equal(e.message, "There is no class 'cart'. Did you mean 'cat'? Classes: cat, dog; give a name or an index from 0 to 1.");
    return fault('diagnostic/target')(e);
  });
  await assert.rejects(run(table, { class: '2' }), fault('diagnostic/target'));
  const { labels: _, ...unlabelled } = table;
  await assert.rejects(run(unlabelled, { target: 'label' }), fault('diagnostic/no-label'));
  await assert.rejects(run({ ...table, x: [[...x], [0, Number.NaN, 0]] }), { message: /^Row 101: the input holds NaN/ });
  await assert.rejects(run({ ...table, labels: [0, 2] }, { target: 'label' }), { message: /^Row 101 has label 2/ });
  // Labels of other classes only matter where they are attributed.
  assert.equal((await run({ ...table, labels: [0, 2] })).headline.rows, 2);
  await assert.rejects(run({ ...table, x: [] }), fault('diagnostic/no-samples'));
  await assert.rejects(run(table, { class: 'cat', againstClass: '0' }), fault('diagnostic/same-class'));
});

test('samples whose class is the one taken away are counted in a note', async () => {
  const job = quietJob(0);
  await run({ ...table, outputs: [table.outputs[0], [0, 1]] }, { method: 'gradient', againstClass: 'dog' }, 0, job);
  assert.match(job.notes.join(' '), /1 of 2 samples is attributed to 'dog' itself: .* maps are zero/);
});

test('large pictures and maps are shrunk to what a report can carry', async () => {
  const side = 200;
  const d = side * side;
  const big: Case = {
    inputDims: [1, side, side],
    x: [new Array<number>(d).fill(1)],
    outputs: [[1, 0]],
    tool: toolOf(() => ({ value: d, gradient: new Float64Array(d).fill(1) }), [1, side, side], 2),
  };
  const [image] = card(await run(big, { method: 'gradient' }), 'images').images;
  assert.deepEqual([image.picture?.width, image.overlays[0].width], [128, 50]);
  assert.equal(image.overlays[0].values[0], 16);
  assert.equal(sizeOf([50, 50]), image.overlays[0].values.length);
});
