import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { quietJob } from '../../src/base/job.ts';
import { mcNemar, pairedDifference } from '../../src/base/maths/mcnemar.ts';
import { choose, type OptionValue } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import type { Findings } from '../../src/diagnostics/define.ts';
import { compareModels } from '../../src/diagnostics/metrics/compare-models.ts';
import { type Comparison, compareScores } from '../../src/diagnostics/metrics/compare-scores.ts';
import { addPair, compareState } from '../../src/diagnostics/metrics/compare-state.ts';
import type { PairBatch, PairTool, ValueDifferences } from '../../src/evidence/pair.ts';
import type { CardOf, TableCard } from '../../src/report/report.ts';
import { batchOf, fromLogits, type Sample, subjectOf } from './cases.ts';

interface Test {
  readonly b: number;
  readonly c: number;
  readonly exact: number;
  readonly mid_p: number;
  readonly chi2: number;
  readonly chi2_p: number;
}
type Name = 'accuracy' | 'nll' | 'brier' | 'ece' | 'macro_f1';
interface Golden {
  readonly labels: number[];
  readonly first: number[];
  readonly other: number[];
  readonly measures: readonly [Record<Name, number>, Record<Name, number>];
  readonly difference: Record<
    Name,
    { readonly value: number; readonly se: number; readonly low: number; readonly high: number; readonly p: number }
  >;
  readonly mcnemar: Test;
  readonly accuracy_interval: [number, number];
  readonly disagreement: number;
  readonly classes: readonly {
    readonly recall: number[];
    readonly precision: number[];
    readonly f1: number[];
    readonly f1_se: number;
    readonly precision_se: number;
    readonly recall_interval: [number, number];
  }[];
  readonly mcnemar_cases: readonly Test[];
  readonly binary: { readonly first: number[]; readonly other: number[] } & Record<
    'auroc' | 'auprc',
    { readonly of: [number, number]; readonly se: number }
  >;
}
const golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/comparison.json', import.meta.url), 'utf8')) as Golden;

const samplesOf = (flat: readonly number[], labels: readonly number[]): Sample[] => {
  const cols = flat.length / labels.length;
  return fromLogits(
    labels.map((_, i) => flat.slice(i * cols, (i + 1) * cols)),
    labels,
  );
};
const pairBatch = (first: readonly Sample[], other: readonly Sample[]): PairBatch => ({ ...batchOf(first), other: batchOf(other) });

/** The diagnostic on rows in memory, in batches of `size`. */
const compared = async (
  first: readonly Sample[],
  other: readonly Sample[],
  options: Record<string, OptionValue> = {},
  { size = first.length, values }: { size?: number; values?: ValueDifferences } = {},
): Promise<{ readonly result: Comparison; readonly findings: Findings }> => {
  if (compareModels.shape !== 'study') throw new Error('not a study');
  const subject = subjectOf(first[0]?.probs.length ?? 2, first.length);
  const pair: PairTool = {
    names: ['new', 'old'],
    numbers: false,
    eachNumber: async () => {},
    async each(visit) {
      for (let at = 0; at < first.length; at += size) visit(pairBatch(first.slice(at, at + size), other.slice(at, at + size)));
      return subject.classes;
    },
    values: async () => values,
  };
  const chosen = choose('compare-models', compareModels.options, options);
  const result = (await compareModels.study({ pair } as never, chosen, quietJob(3), subject)) as Comparison;
  return { result, findings: compareModels.report(result, chosen, subject) };
};
const near = (a: number, b: number, tolerance: number, what: string): void =>
  assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a} for ${b}`);

const [first, other] = [samplesOf(golden.first, golden.labels), samplesOf(golden.other, golden.labels)];

test('McNemar: exact, mid-p and χ² as SciPy gives them, and which is read', () => {
  for (const { b, c, exact, mid_p, chi2, chi2_p } of golden.mcnemar_cases) {
    const found = mcNemar(b, c);
    // Above 1,000 the binomial is taken as normal: its relative error there is below 2 %.
    const exactly = b + c <= 1000 ? 1e-12 : 0.02;
    near(found.exact / exact, 1, exactly, `exact ${b}:${c}`);
    near(found.midP / mid_p, 1, exactly, `mid-p ${b}:${c}`);
    near(found.chi2, chi2, 1e-12, `χ² ${b}:${c}`);
    near(found.chi2P, chi2_p, 1e-12, `p of χ² ${b}:${c}`);
    assert.equal(found.p, b + c < 25 ? found.exact : b + c <= 1000 ? found.midP : found.chi2P);
  }
  assert.deepEqual([mcNemar(0, 0).p, mcNemar(0, 0).midP, mcNemar(0, 0).chi2], [1, 1, 0]);
});

test('paired difference: symmetric, within ±1, and never of no width', () => {
  assert.equal(pairedDifference(0, 0, 0, 0.95), null);
  const [low, high] = pairedDifference(0, 0, 50, 0.95) ?? [0, 0];
  assert.ok(low < 0 && high > 0 && Math.abs(low + high) < 1e-12);
  const [a, b] = [pairedDifference(7, 2, 40, 0.9) ?? [0, 0], pairedDifference(2, 7, 40, 0.9) ?? [0, 0]];
  near(a[0], -b[1], 1e-12, 'mirror');
  assert.deepEqual(pairedDifference(3, 0, 3, 0.999)?.[1], 1);
});

test('every measure of both models and their differences: NumPy, SciPy and scikit-learn', async () => {
  const { result, findings } = await compared(first, other, { bootstrap: 4000 });
  const { headline, intervals = {} } = findings;
  for (const name of ['accuracy', 'nll', 'brier', 'ece', 'macro_f1'] as const) {
    near(headline[name], golden.measures[0][name], 1e-12, name);
    near(headline[`against_${name}`], golden.measures[1][name], 1e-12, name);
    const { value, se, low, high, p } = golden.difference[name];
    near(headline[`${name}_difference`], value, 1e-12, name);
    // Two bootstraps of 4,000 and 20,000 draws: ends at 2.5 % differ by 0.05 standard errors of noise each way; p by its binomial error.
    if (name !== 'accuracy') {
      near(intervals[`${name}_difference`].low, low, 0.17 * se, `${name} low`);
      near(intervals[`${name}_difference`].high, high, 0.17 * se, `${name} high`);
    }
    near(headline[`${name}_p`], p, 4 * Math.sqrt((p * (1 - p)) / 4000) + 3e-4, `${name} p`);
  }
  near(headline.mcnemar_p, golden.mcnemar.mid_p, 1e-15, 'McNemar');
  assert.deepEqual([headline.right_alone, headline.against_right_alone], [golden.mcnemar.b, golden.mcnemar.c]);
  near(intervals.accuracy_difference.low, golden.accuracy_interval[0], 1e-9, 'Bonett–Price low');
  near(intervals.accuracy_difference.high, golden.accuracy_interval[1], 1e-9, 'Bonett–Price high');
  near(headline.disagreement, golden.disagreement, 1e-12, 'disagreement');

  for (const [k, want] of golden.classes.entries()) {
    const found = result.classes[k];
    for (const name of ['recall', 'precision', 'f1'] as const) {
      near(found[name].of[0] ?? Number.NaN, want[name][0], 1e-12, `${name} ${k}`);
      near(found[name].value ?? Number.NaN, want[name][0] - want[name][1], 1e-12, `${name} ${k}`);
    }
    near(found.recall.interval?.[0] ?? Number.NaN, want.recall_interval[0], 1e-9, `recall ${k}`);
    // The delta method against a bootstrap: within 8 % of its standard error, the rarest class of 30 rows least close.
    for (const [name, se] of [
      ['f1', want.f1_se],
      ['precision', want.precision_se],
    ] as const) {
      const [low, high] = found[name].interval ?? [0, 0];
      near((high - low) / (2 * 1.959964) / se, 1, 0.08, `${name} ${k}`);
    }
  }
});

test('both accuracies stand beside their difference as shares, with the intervals of the headline', async () => {
  const { findings } = await compared(first, other);
  const numbers = findings.cards.find((c): c is CardOf<'number'> => c.title === 'Differences');
  for (const [name, label] of [
    ['accuracy', 'Accuracy of new'],
    ['against_accuracy', 'Accuracy of old'],
  ]) {
    const found = numbers?.values.find((v) => v.name === name);
    assert.deepEqual([found?.label, found?.value, found?.unit], [label, findings.headline[name], 'fraction']);
    assert.deepEqual(found?.interval, findings.intervals?.[name]);
  }
});

test('batches of any size give the same comparison, and the order of the two turns the signs', async () => {
  const whole = await compared(first, other);
  assert.deepEqual((await compared(first, other, {}, { size: 7 })).findings, whole.findings);
  const turned = await compared(other, first);
  for (const name of ['accuracy', 'nll', 'brier', 'ece', 'macro_f1'])
    near(turned.findings.headline[`${name}_difference`], -whole.findings.headline[`${name}_difference`], 1e-12, name);
  assert.equal(turned.findings.headline.mcnemar_p, whole.findings.headline.mcnemar_p);
});

test('a model against itself: no difference, no row to tell them apart, no interval that resampling cannot give', async () => {
  const { findings } = await compared(first, first);
  assert.equal(findings.headline.disagreement, 0);
  assert.equal(findings.headline.mcnemar_p, 1);
  assert.equal(findings.headline.nll_difference, 0);
  assert.ok(Number.isNaN(findings.headline.nll_p));
  assert.equal(findings.intervals?.nll_difference, undefined);
  assert.match(findings.guide, /cannot be told apart/);
});

test('cells name rows: who is right, and which answers differ', async () => {
  const { result, findings } = await compared(first, other);
  const right = findings.cards.find((c): c is CardOf<'heatmap'> => c.title === 'Who is right');
  const cell = right?.selections?.['1'];
  assert.equal(cell?.total, golden.mcnemar.b);
  const argmax = (p: readonly number[]): number => p.indexOf(Math.max(...p));
  for (const row of cell?.rows ?? []) {
    assert.equal(argmax(first[row].probs), first[row].label);
    assert.notEqual(argmax(other[row].probs), other[row].label);
  }
  for (const { said, rows, right: hits, first: named } of result.disagreements) {
    const found = first.filter((s, i) => argmax(s.probs) === said[0] && argmax(other[i].probs) === said[1]);
    assert.deepEqual(named, found.map((s) => s.row).slice(0, 24));
    assert.deepEqual([rows, hits[0]], [found.length, found.filter((s) => s.label === said[0]).length]);
  }
  const table = findings.cards.find((c): c is TableCard => c.title === 'Rows that change most');
  const [best] = table?.rows ?? [];
  const gains = first.map((s, i) => s.probs[s.label] - other[i].probs[s.label]);
  assert.equal(best?.[1], Math.max(...gains));
  assert.equal(best?.[0], gains.indexOf(Math.max(...gains)));
});

for (const K of [4, 2])
  test(`on counts in cells the bootstrap agrees with that of rows, at 20,000 rows of ${K} classes`, async () => {
    const chance = random(11, 'rows');
    const n = 20_000;
    const labels = Int32Array.from({ length: n }, () => chance.below(K));
    const state = compareState();
    const logits = (label: number, skill: number): number[] =>
      Array.from({ length: K }, (_, k) => chance.normal() + (k === label ? skill : 0));
    for (let at = 0; at < n; at += 1000) {
      const part = Array.from(labels.subarray(at, at + 1000));
      const of = (skill: number): Sample[] =>
        fromLogits(
          part.map((label) => logits(label, skill)),
          part,
        );
      addPair(state, pairBatch(of(1.5), of(1.45)));
    }
    const options = { confidenceLevel: 0.95, bootstrap: 400, probeRows: 0, deviation: 0.001 };
    const about = { names: ['a', 'b'] as const, classNames: ['0', '1', '2', '3'].slice(0, K), values: undefined };
    const rows = await compareScores(state, about, options, random(1, 'rows'), async () => {});
    state.kept = null;
    const cells = await compareScores(state, about, options, random(2, 'cells'), async () => {});
    assert.deepEqual([rows.byCells, cells.byCells], [false, true]);
    for (const [i, { name, value, interval }] of rows.compared.entries()) {
      const again = cells.compared[i];
      assert.equal(again.value, value);
      const [low, high] = interval ?? [0, 0];
      // Ends at 2.5 % of 400 draws each carry 0.134 standard errors of noise: four times that of two.
      const tolerance = (4 * Math.SQRT2 * 0.134 * (high - low)) / 3.92;
      near(again.interval?.[0] ?? Number.NaN, low, tolerance, `${name} low`);
      near(again.interval?.[1] ?? Number.NaN, high, tolerance, `${name} high`);
    }
  });

const two = (scores: readonly number[]): Sample[] =>
  fromLogits(
    scores.map((s) => [0, s]),
    golden.labels.map((label) => Number(label === 0)),
  );

test('two classes: AUROC and AUPRC of both and their paired difference, as scikit-learn and its bootstrap give them', async () => {
  const { binary } = golden;
  const { findings } = await compared(two(binary.first), two(binary.other), { bootstrap: 2000 });
  const { headline, intervals = {} } = findings;
  for (const name of ['auroc', 'auprc'] as const) {
    const { of, se } = binary[name];
    near(headline[name], of[0], 1e-12, name);
    near(headline[`against_${name}`], of[1], 1e-12, name);
    near(headline[`${name}_difference`], of[0] - of[1], 1e-12, name);
    const { low, high } = intervals[`${name}_difference`];
    // Standard errors of 2,000 and 4,000 resamples: 1.9 % of noise; percentiles of a tail twice that.
    near((high - low) / (2 * 1.959964) / se, 1, 0.1, name);
  }
  assert.equal((await compared(first, other)).findings.headline.auroc, undefined);
});

test('AUROC and AUPRC that point to different models are told', async () => {
  const labels = [0, 1, 1, 1, 1, 1, 0, 0, 0, 0];
  const ranked = (...scores: number[]): Sample[] =>
    fromLogits(
      scores.map((s) => [0, s]),
      labels,
    );
  // One negative above all positives; or one, two positives below all negatives.
  const top = ranked(9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const one = ranked(4.5, 9, 8, 7, 6, 0.5, 4, 3, 2, 1);
  const two = ranked(4.5, 9, 8, 7, 0.6, 0.5, 4, 3, 2, 1);
  const { headline, notes = [] } = (await compared(top, two)).findings;
  near(headline.auroc, 20 / 25, 1e-12, 'first');
  near(headline.against_auroc, 15 / 25, 1e-12, 'other');
  near(headline.auprc, (1 / 2 + 2 / 3 + 3 / 4 + 4 / 5 + 5 / 6) / 5, 1e-12, 'first');
  near(headline.against_auprc, (3 + 4 / 9 + 5 / 10) / 5, 1e-12, 'other');
  assert.match(notes.join(' '), /AUROC favours 'new' and AUPRC 'old'/);
  const same = (await compared(top, one)).findings;
  assert.equal(same.headline.auroc_difference, 0);
  assert.ok(!(same.notes ?? []).some((n) => n.startsWith('AUROC favours')));
});

test('values inside: the first that deviates is named, and whether the last agree again', async () => {
  const value = (name: string, relative: number | null) => ({ name, op: 'Conv', elements: 8, maxAbs: 1, relative, cosine: 1 });
  const inside = (...relatives: (number | null)[]): ValueDifferences => ({
    rows: 8,
    of: [relatives.length, relatives.length + 1],
    values: relatives.map((r, i) => value(`v${i}`, r)),
  });
  const far = await compared(first, other, {}, { values: inside(0, 1e-5, 0.01, 0.2) });
  assert.deepEqual([far.findings.headline.values_compared, far.findings.headline.values_deviating], [4, 2]);
  assert.equal(far.findings.headline.largest_relative_difference, 0.2);
  assert.match(far.findings.guide, /the first being 'v2' \(Conv\): look there first/);
  const table = far.findings.cards.find((c): c is TableCard => c.title === 'Values inside');
  assert.deepEqual(
    table?.rows.map((r) => r[7]),
    ['', '', 'first', 'yes'],
  );
  assert.match((await compared(first, other, {}, { values: inside(0, 2, 1e-7) })).findings.guide, /the last values agree again/);
  assert.match((await compared(first, other, {}, { values: inside(0, 1e-7) })).findings.guide, /all 2 values compared agree/);
  const none = await compared(first, other, {}, { values: inside() });
  assert.match((none.findings.notes ?? []).join(' '), /nothing inside them could be compared/);
});
