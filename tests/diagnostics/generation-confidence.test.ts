import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { sigmoid } from '../../src/base/maths/logistic.ts';
import { choose } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { openDataset } from '../../src/data/open.ts';
import { openSource } from '../../src/data/source.node.ts';
import { memorySource } from '../../src/data/source.ts';
import { type GenerationConfidence, generationConfidence } from '../../src/diagnostics/calibration/generation-confidence.ts';
import type { Generations } from '../../src/diagnostics/calibration/generation-read.ts';
import { crossRescaled, fitPlatt, foldsOf, rescaled } from '../../src/diagnostics/calibration/generation-rescale.ts';
import { skillOf } from '../../src/diagnostics/calibration/generation-scores.ts';
import { aggregate, linesOf } from '../../src/diagnostics/calibration/generation-tokens.ts';
import type { Findings } from '../../src/diagnostics/define.ts';
import { columns } from '../../src/evidence/providers/columns.ts';

const golden: Record<string, Record<string, unknown> & { logit: Record<string, number>; probability: Record<string, number> }> = JSON.parse(
  readFileSync(new URL('../golden/diagnostics/generations.json', import.meta.url), 'utf8'),
);
const near = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);

type Dataset = Awaited<ReturnType<typeof openDataset>>;
const fixture = (): Promise<Dataset> =>
  openSource(join(import.meta.dirname, '../fixtures/data/generations.jsonl')).then((s) => openDataset(s));
const rowsOf = (rows: readonly object[]): Promise<Dataset> =>
  openDataset(memorySource('rows.jsonl', new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join('\n'))));

const run = async (
  dataset: Dataset,
  options: Record<string, unknown> = {},
  seed = 0,
  note: (text: string) => void = () => undefined,
): Promise<{ readonly result: GenerationConfidence; readonly findings: Findings; readonly notes: readonly string[] }> => {
  const d = generationConfidence;
  assert.ok(d.shape === 'study');
  const chosen = choose(d.id, d.options, { nullDraws: 100, bootstrap: 100, ...options });
  const subject = { classes: [], rows: dataset.length, scores: 'none', dataName: 'rows' } as const;
  const bound = { dataset, count: dataset.length, rowAt: (i: number) => i } as unknown as Parameters<typeof columns>[0];
  const tools = { columns: columns(bound, async () => dataset) } as Parameters<typeof d.study>[0];
  const result = (await d.study(tools, chosen, { ...quietJob(seed), note }, subject)) as GenerationConfidence;
  const findings = d.report(result, chosen, subject);
  return { result, findings, notes: findings.notes ?? [] };
};
const refused = async (rows: readonly object[], options: Record<string, unknown>, code: string, words: RegExp): Promise<void> => {
  await assert.rejects(
    rowsOf(rows).then((data) => run(data, options)),
    (error: unknown) => error instanceof Fault && error.code === code && words.test(error.message),
  );
};

/** Ten digits are printed in the card. */
const PRINTED = 1.01e-10;
const card = { c: Float64Array.of(0.95, 0.9, 0.9, 0.85, 0.8, 0.8, 0.75, 0.7, 0.6, 0.55), a: Uint8Array.of(1, 1, 0, 1, 0, 0, 1, 0, 0, 0) };
const unitsOf = (correct: Uint8Array): Generations => ({
  rows: Float64Array.from(correct, (_, i) => i),
  correct,
  measures: [],
  what: 'generations',
});

test('card 48, 1: four confidences of one sequence', () => {
  const made = aggregate([0.99, 0.8, 0.95, 0.6, 0.99].map(Math.log));
  near(made['mean-prob'], 0.866, 1e-15);
  near(made['geometric-mean'], 0.8512302455, PRINTED);
  near(made['total-prob'], 0.4469256, 1e-7);
  near(made['min-prob'], 0.6, 1e-15);
});

test('card 48, 2: base rate, Brier and skill score, ECE', async () => {
  const data = await rowsOf(Array.from(card.c, (confidence, i) => ({ confidence, correct: card.a[i] })));
  const { findings, notes } = await run(data);
  near(findings.headline.base_rate, 0.4, 1e-15);
  near(findings.headline.brier, 0.334, 1e-15);
  near(findings.headline.skill_score, -0.3916666667, PRINTED);
  near(findings.headline.ece, 0.39, 1e-15);
  assert.match(notes.join(), /no rescaling: only 4 units/);
  assert.equal(findings.headline.skill_score_rescaled, undefined);
});

test('card 48, 3: Platt scaling in sample, on log-odds and on probabilities', () => {
  for (const [form, slope, offset, brier, skill] of [
    ['logit', 1.8693831577, -3.2564241913, 0.1698870939, 0.2921371085],
    ['probability', 13.2067839017, -11.0291147933, 0.1708187544, 0.2882551901],
  ] as const) {
    const fit = fitPlatt(card.c, card.a, form, false);
    // The fit stops where the mean gradient is below 1e-10; the least curvature is near 0.01.
    near(fit.slope, slope, 2e-8);
    near(fit.offset, offset, 2e-8);
    const q = card.c.map((c) => rescaled(fit, c));
    const scores = skillOf(q, unitsOf(card.a), 0.95);
    near(scores.brier.value, brier, PRINTED);
    near(scores.skill.value, skill, PRINTED);
    if (form === 'logit') {
      near(q[0], 0.9044658217, PRINTED);
      near(q[9], 0.0530860635, PRINTED);
    }
  }
});

test('skill is 0 for the base rate, 1 for the outcomes, at most 1, and scaling with a positive slope keeps the order', () => {
  const outcomes = fc.array(fc.boolean(), { minLength: 4, maxLength: 40 }).filter((a) => a.includes(true) && a.includes(false));
  fc.assert(
    fc.property(outcomes, fc.infiniteStream(fc.integer({ min: 1, max: 999 })), (flags, stream) => {
      const a = Uint8Array.from(flags, Number);
      const base = a.reduce((s, v) => s + v, 0) / a.length;
      near(skillOf(new Float64Array(a.length).fill(base), unitsOf(a), 0.95).skill.value, 0, 1e-12);
      near(skillOf(Float64Array.from(a), unitsOf(a), 0.95).skill.value, 1, 1e-12);
      const c = Float64Array.from(a, () => Number(stream.next().value) / 1000);
      assert.ok(skillOf(c, unitsOf(a), 0.95).skill.value <= 1);
      const fit = fitPlatt(c, a, 'logit', false);
      assert.ok(Math.abs(fit.slope) <= 100);
      const q = c.map((v) => rescaled(fit, v));
      if (fit.slope > 0) for (let i = 1; i < c.length; i++) assert.ok(c[i] < c[i - 1] ? q[i] <= q[i - 1] : q[i] >= q[i - 1]);
    }),
    { numRuns: 100 },
  );
});

test('the fixture as scikit-learn scores it', async () => {
  const { result, findings } = await run(await fixture(), { scoreScale: 'percent' });
  assert.equal(result.measures.length, 5);
  for (const m of result.measures) {
    const { brier, skill, ece, auroc, logit } = golden[m.id];
    // Sums of 160 terms in another order; the fit of scikit-learn stops at a gradient of 1e-14.
    near(m.raw.brier.value, Number(brier), 1e-12);
    near(m.raw.skill.value, Number(skill), 1e-12);
    near(m.raw.ece, Number(ece), 1e-12);
    near(m.raw.auroc, Number(auroc), 1e-12);
    near(m.platt?.slope ?? Number.NaN, logit.slope, 1e-7);
    near(m.platt?.offset ?? Number.NaN, logit.offset, 1e-7);
  }
  assert.equal(result.groups, 16);
  assert.deepEqual(
    result.tasks.map(({ name, units }) => [name, units]),
    [
      ['c', 80],
      ['python', 80],
    ],
  );
  assert.equal(findings.headline.units, 160);
  assert.ok(findings.cards.some(({ kind }) => kind === 'heatmap'));
  const probability = await run(await fixture(), { scoreScale: 'percent', rescale: 'probability', aggregate: 'min-prob' });
  near(probability.result.measures[0].platt?.slope ?? Number.NaN, golden.min_prob.probability.slope, 1e-7);
});

test('no group is on both sides of a fold, and the order of rows changes nothing', async () => {
  const data = await fixture();
  const [{ data: group }, { data: correct }] = await data.slice(['group', 'correct'], 0, data.length);
  const names = [...new Set(group as string[])].sort();
  const of = Int32Array.from(group as string[], (name) => names.indexOf(name));
  const outcome = Uint8Array.from(correct as Uint8Array);
  const fold = foldsOf({ ...unitsOf(outcome), groups: { column: 'group', names, of } }, 5, random(0, 'folds'));
  for (const g of names.keys()) assert.equal(new Set(fold.filter((_, i) => of[i] === g)).size, 1);
  const order = random(1, 'order').shuffle(Array.from({ length: data.length }, (_, i) => i));
  const text = readFileSync(join(import.meta.dirname, '../fixtures/data/generations.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const shuffled = await openDataset(memorySource('rows.jsonl', new TextEncoder().encode(order.map((i) => text[i]).join('\n'))));
  const [one, two] = [await run(data, { scoreScale: 'percent' }), await run(shuffled, { scoreScale: 'percent' })];
  for (const [name, value] of Object.entries(one.findings.headline)) near(two.findings.headline[name], value, 1e-9);
});

/** Card 48, (c): reports that are over-confident by a known law. */
const synthetic = (seed: number) => {
  const r = random(seed, 'synthetic');
  const x = Float64Array.from({ length: 2000 }, () => r.normal());
  return {
    truth: x.map((v) => sigmoid(v - 1)),
    c: x.map((v) => sigmoid(0.5 * v + 3)),
    a: Uint8Array.from(x, (v) => Number(r.next() < sigmoid(v - 1))),
  };
};

test('card 48, (c): over-confident reports get the skill of the true probability back out of fold', async () => {
  for (const seed of [0, 1, 2]) {
    const { truth, c, a } = synthetic(seed);
    const units = unitsOf(a);
    const after = crossRescaled(c, a, foldsOf(units, 5, random(seed, 'folds')), 5, { rescale: 'logit', smoothed: false });
    assert.ok(skillOf(c, units, 0.95).skill.value < -1);
    near(skillOf(after, units, 0.95).skill.value, skillOf(truth, units, 0.95).skill.value, 0.01);
  }
});

test('card 48, (c): a report that never changes is flagged once it is calibrated', async () => {
  const { a } = synthetic(0);
  const { result, notes, findings } = await run(await rowsOf(Array.from(a, (correct) => ({ correct, confidence: 0.95 }))));
  near(result.measures[0].after?.skill.value ?? Number.NaN, 0, 0.01);
  assert.match(notes.join(), /calibrated but uninformative once rescaled/);
  assert.match(findings.guide, /calibrated but uninformative/);
});

test('lines: tokens are grouped by line, outcomes come as lists or from a reference', async () => {
  assert.deepEqual(linesOf(['a', ' b\n', '\n', '  c', '\nd'], [-1, -2, -3, -4, -5], { column: 'tokens', row: 0 }), [
    { text: 'a b', logProbs: [-1, -2] },
    { text: '  c', logProbs: [-4, -5] },
  ]);
  const listed = await run(await fixture(), { level: 'line' });
  assert.equal(listed.result.units, 319);
  assert.equal(listed.result.groups, 16);
  const rows = [
    { tokens: ['x', '\n', 'y', '\n'], token_logprobs: [-0.1, -0.2, -1, -0.1], reference: 'x\n\nz\n' },
    { tokens: [{ token: 'q' }], token_logprobs: [{ logprob: -0.3 }], reference: ' q' },
  ];
  const { result, findings } = await run(await rowsOf(rows), { level: 'line' });
  assert.equal(result.units, 3);
  assert.equal(result.groups, 2);
  near(result.base.value, 2 / 3, 1e-15);
  assert.match(findings.guide, /3 lines/);
  await refused(
    [
      { ...rows[0], line_correct: [1] },
      { ...rows[1], line_correct: [1] },
    ],
    { level: 'line' },
    'diagnostic/line-count',
    /2 lines that are not blank, and 1/,
  );
  await refused([{ correct: 1, confidence: 0.5 }], { level: 'line' }, 'diagnostic/no-lines', /tokens/);
  await refused(
    [{ tokens: ['a'], token_logprobs: [-1, -2], line_correct: [1] }],
    { level: 'line' },
    'diagnostic/token-count',
    /1 tokens .* 2 log/,
  );
});

test('P(True) over both answers, similarities from a threshold on, percents', async () => {
  const { result } = await run(
    await rowsOf([
      { p_true: 0.3, p_false: 0.1, similarity: 0.9 },
      { p_true: 0.1, p_false: 0.1, similarity: 0.2 },
    ]),
    {
      correct: 'similarity',
      threshold: 0.8,
    },
  );
  near(result.measures[0].raw.brier.value, (0.25 ** 2 + 0.5 ** 2) / 2, 1e-15);
  near(result.base.value, 0.5, 0);
});

test('percents that are all fractions are told', async () => {
  const told: string[] = [];
  const note = (text: string): void => void told.push(text);
  const rows = [0.2, 0.9, 0.4].map((confidence, i) => ({ correct: i % 2, confidence }));
  await run(await rowsOf(rows), { scoreScale: 'percent' }, 0, note);
  assert.match(told.join(), /none is above 1/);
  told.length = 0;
  await run(await rowsOf([...rows, { correct: 1, confidence: 80 }]), { scoreScale: 'percent' }, 0, note);
  assert.deepEqual(told, []);
});

test('what cannot be judged is refused by name and row', async () => {
  const good = { correct: 1, confidence: 0.5, token_logprobs: [-1, -2] };
  const bad = { ...good, correct: 0 };
  await refused([good, { ...bad, correct: 2 }, { confidence: 0.1, token_logprobs: [-1] }], {}, 'diagnostic/correct', /rows 1, 2;/);
  await refused([good, { ...bad, confidence: 87 }], {}, 'diagnostic/confidence', /Found 87 in 'confidence', row 1.*percent/);
  await refused([good, { ...bad, confidence: null }], {}, 'diagnostic/confidence', /Row 1 has no number/);
  await refused([good, { ...bad, confidence: 101 }], { scoreScale: 'percent' }, 'diagnostic/confidence', /Found 101 .*in percent/);
  await refused([good, { ...bad, token_logprobs: [] }], {}, 'diagnostic/no-tokens', /Row 1/);
  await refused([good, { ...bad, token_logprobs: [-1, 0.5, 0] }], {}, 'diagnostic/log-prob', /Row 1 .*token 1: 0.5/);
  await refused([good, { ...bad, token_logprobs: 'x' }], {}, 'diagnostic/list', /Row 1 .*'x'/);
  await refused([good, good], {}, 'diagnostic/single-outcome', /All 2 generations pass: calibration is undefined/);
  await refused([{ correct: 1, text: 'a' }], {}, 'diagnostic/no-confidence', /It has: correct, text/);
  await refused([{ ok: 1, confidence: 0.5 }], {}, 'diagnostic/no-correct', /with correct/);
});

test('too few groups, and confidence that separates the outcomes', async () => {
  const rows = Array.from({ length: 120 }, (_, i) => ({ correct: i % 2, confidence: (i % 2 ? 0.7 : 0.3) + i / 1000, group: `g${i % 4}` }));
  assert.match((await run(await rowsOf(rows))).notes.join(), /'group' has 4 groups, fewer than 5 folds/);
  const { result, notes } = await run(await rowsOf(rows.map(({ group, ...row }) => row)));
  assert.match(notes.join(), /without error/);
  assert.ok(Math.abs(result.measures[0].platt?.slope ?? Number.NaN) <= 100);
});
