import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/base/fault.ts';
import { auroc, averagePrecision, logitInterval } from '../../src/base/maths/auroc.ts';
import { random } from '../../src/base/random.ts';
import { operatingPoints } from '../../src/diagnostics/metrics/ranking-curves.ts';
import { type Mistake, mistakesOf } from '../../src/diagnostics/metrics/ranking-mistakes.ts';
import type { Card, CardOf } from '../../src/report/report.ts';
import { measure, type Sample } from './cases.ts';
import { tally } from './tally.ts';

interface Binary {
  readonly labels: number[];
  readonly scores: number[];
  readonly auroc: number;
  readonly auprc: number;
  readonly partial: number;
  readonly auroc_variance: number;
  readonly auprc_variance: number;
  /** False-positive and true-positive rate, precision and recall, false-positive and false-negative rate, each with thresholds. */
  readonly roc: [number[], number[], number[]];
  readonly pr: [number[], number[], number[]];
  readonly det: [number[], number[], number[]];
}
interface Many {
  readonly labels: number[];
  readonly probs: number[];
  readonly macro: [number, number];
  readonly weighted: [number, number];
  readonly micro: [number, number];
  readonly classes: [number, number][];
}
const golden: { readonly distinct: Binary; readonly ties: Binary; readonly rare: Binary; readonly many: Many } = JSON.parse(
  readFileSync(new URL('../golden/diagnostics/ranking.json', import.meta.url), 'utf8'),
);

const near = (actual: unknown, expected: number, tolerance = 1e-13): void =>
  assert.ok(Math.abs(Number(actual) - expected) <= tolerance, `${actual} is not ${expected} ± ${tolerance}`);

const rows = (labels: readonly number[], scores: readonly number[], groups?: readonly string[]): Sample[] =>
  labels.map((label, row) => ({ row, label, probs: [1 - scores[row], scores[row]], ...(groups ? { group: groups[row] } : {}) }));
const card = <K extends Card['kind']>(cards: readonly Card[], kind: K, title: string): CardOf<K> => {
  const found = cards.find((c) => c.kind === kind && c.title === title);
  assert.ok(found, `${kind} '${title}'`);
  return found as CardOf<K>;
};

// Card 25, check (a), verified there against scikit-learn to ten digits.
const y = [0, 0, 1, 0, 1, 0, 1, 1, 0, 1];
const s = [0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const tied = [0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.5, 0.7, 0.8, 0.9];

test('known answers of the card: areas, ties, mistakes', () => {
  near(auroc(tally(y, s)).value, 0.72);
  near(averagePrecision(tally(y, s)).value, 0.7416666667, 5e-11);
  near(auroc(tally(y, tied)).value, 0.72);
  near(averagePrecision(tally(y, tied)).value, 0.7116666667, 5e-11);
  const found = mistakesOf(tally(y, s));
  assert.deepEqual(
    found.map((m) => m.rank),
    [2, 5, 7],
  );
  for (const [i, gain] of [0.0666666667, 0.0266666667, 0.0178571429].entries()) near(found[i].gain, gain, 5e-11);
});

test('both areas average the same false-positive rates, AUPRC divided by the firing rate (exact without ties)', () => {
  const at = (t: number, keep: (label: number) => boolean): number => {
    const of = s.filter((_, i) => keep(y[i]));
    return of.filter((v) => v >= t).length / of.length;
  };
  const positives = s.filter((_, i) => y[i] === 1);
  const mean = (of: (t: number) => number): number => positives.reduce((sum, t) => sum + of(t), 0) / positives.length;
  const fpr = (t: number): number => at(t, (label) => label === 0);
  near(auroc(tally(y, s)).value, 1 - mean(fpr), 1e-15);
  near(averagePrecision(tally(y, s)).value, 1 - 0.5 * mean((t) => fpr(t) / at(t, () => true)), 1e-15);
});

for (const name of ['distinct', 'ties', 'rare'] as const)
  test(`${name}: areas, variances and curves are scikit-learn's`, async () => {
    const g = golden[name];
    const counts = tally(g.labels, g.scores);
    const [area, precision] = [auroc(counts), averagePrecision(counts)];
    near(area.value, g.auroc);
    near(area.variance, g.auroc_variance, 1e-15);
    near(precision.value, g.auprc);
    // The reference takes central differences of step 1e-4: their error is about 1e-8 of a derivative.
    near(precision.variance / g.auprc_variance, 1, 1e-6);
    const points = operatingPoints(counts).slice(1);
    const { tp: positives, fp: negatives } = points[points.length - 1];
    const rates = (x: readonly number[], of: (p: (typeof points)[number]) => number): void =>
      x.forEach((v, i) => {
        near(of(points[i]), v);
      });
    assert.deepEqual(
      points.map((p) => p.threshold),
      g.roc[2],
    );
    rates(g.roc[0], (p) => p.fp / negatives);
    rates(g.roc[1], (p) => p.tp / positives);
    rates(g.pr[0].toReversed(), (p) => p.tp / (p.tp + p.fp));
    rates(g.pr[1].toReversed(), (p) => p.tp / positives);
    // scikit-learn's DET curve starts at the last point without misses and ends at the first one with a false positive.
    const det = points.toReversed();
    const from = det.findIndex((p) => p.threshold === g.det[2][0]);
    g.det[2].forEach((threshold, i) => {
      const p = det[from + i];
      assert.equal(p.threshold, threshold);
      near(p.fp / negatives, g.det[0][i]);
      near(1 - p.tp / positives, g.det[1][i]);
    });
    const { findings } = await measure('ranking-metrics', rows(g.labels, g.scores), { bootstrap: 100 });
    near(findings.headline.auroc, g.auroc);
    near(findings.headline.auprc, g.auprc);
    near(findings.headline.partial_auroc, g.partial);
    const roc = card(findings.cards, 'curve', 'ROC curve');
    assert.deepEqual(roc.lines[0].points.at(-1), [1, 1]);
    assert.deepEqual(
      roc.lines[0].points.slice(1),
      g.roc[0].map((x, i) => [x, g.roc[1][i]]),
    );
  });

test('every class against the rest: areas and averages are scikit-learn’s', async () => {
  const { labels, probs, classes, ...averages } = golden.many;
  const samples = labels.map((label, row) => ({ row, label, probs: probs.slice(4 * row, 4 * row + 4) }));
  const { findings } = await measure('ranking-metrics', samples);
  for (const [name, [area, precision]] of Object.entries(averages)) {
    near(findings.headline[`${name}_auroc`], area);
    near(findings.headline[`${name}_auprc`], precision);
  }
  card(findings.cards, 'table', 'Classes').rows.forEach((row, k) => {
    near(row[3], classes[k][0]);
    near(row[5], classes[k][1]);
  });
  assert.equal(card(findings.cards, 'curve', 'Precision–recall curve').lines.length, 4);
  const one = await measure('ranking-metrics', samples, { positive: 'class 2', bootstrap: 100 });
  near(one.findings.headline.auroc, classes[2][0]);
  near(one.findings.headline.auprc, classes[2][1]);
});

const cases = fc
  .array(fc.tuple(fc.nat(1), fc.nat(64)), { minLength: 4, maxLength: 60 })
  .filter((c) => new Set(c.map(([l]) => l)).size === 2);

test('AUROC ignores monotone maps and copies of negatives, AUPRC only the maps; a fix is worth more higher up', () => {
  let moved = 0;
  fc.assert(
    fc.property(cases, (found) => {
      const labels = found.map(([label]) => label);
      const scores = found.map(([, k]) => k / 64);
      const plain = tally(labels, scores);
      const mapped = tally(
        labels,
        scores.map((v) => v ** 3 / 2),
      );
      assert.deepEqual([auroc(mapped), averagePrecision(mapped)], [auroc(plain), averagePrecision(plain)]);
      const more = { hits: plain.hits, misses: plain.misses.map((n) => 3 * n) };
      near(auroc(more).value, auroc(plain).value);
      assert.ok(averagePrecision(more).value <= averagePrecision(plain).value + 1e-12);
      if (averagePrecision(more).value < averagePrecision(plain).value - 1e-3) moved++;
      const fixes = mistakesOf(plain);
      assert.ok(fixes.every((m, i) => i === 0 || m.rank > fixes[i - 1].rank));
    }),
  );
  assert.ok(moved > 10);
  const worth = (tp: number, k: number): number => (tp + 1) / (k * (k + 1));
  assert.ok(worth(3, 7) > worth(3, 8));
});

test('random scores: AUROC ½, AUPRC the prevalence; DeLong’s interval covers as often as it says', () => {
  const r = random(5, 'coverage');
  let [covered, areas, precisions] = [0, 0, 0];
  const draws = 400;
  for (let d = 0; d < draws; d++) {
    const labels = Array.from({ length: 200 }, (_, i) => Number(i % 5 === 0));
    const counts = tally(
      labels,
      labels.map(() => r.next()),
    );
    const area = auroc(counts);
    const [low, high] = logitInterval(area, 0.95) ?? [1, 0];
    covered += Number(low <= 0.5 && 0.5 <= high);
    areas += area.value / draws;
    precisions += averagePrecision(counts).value / draws;
  }
  // Four standard errors: of a share of 400, of means whose single draws scatter by about 0.05 and 0.03; AUPRC is biased upwards by about 1/P.
  assert.ok(Math.abs(covered / draws - 0.95) < 4 * Math.sqrt((0.95 * 0.05) / draws), `covered ${covered / draws}`);
  near(areas, 0.5, 0.01);
  near(precisions, 0.2, 0.04);
});

// Two groups of 200 with prevalence .40 and .05, scores normal with AUROC ≈ .85 within each; 800 swaps of neighbours.
test('fixing the mistakes at the top first (AUPRC) favours the group with more positives; at random (AUROC) it does not', () => {
  interface Row {
    readonly label: number;
    readonly group: number;
  }
  const within = (order: readonly Row[], group: number): number => {
    const own = order.filter((row) => row.group === group);
    return auroc({ hits: own.map((row) => row.label).reverse(), misses: own.map((row) => 1 - row.label).reverse() }).value;
  };
  const gain = (greedy: boolean): readonly [number, number] => {
    const total = [0, 0];
    for (let seed = 0; seed < 20; seed++) {
      const r = random(seed, 'two groups');
      const made = [0.4, 0.05].flatMap((share, group) =>
        Array.from({ length: 200 }, (_, i) => {
          const label = Number(i < 200 * share);
          // The log-odds of a positive given a normal score, so that both groups are calibrated: that of more positives stands higher.
          const prior = Math.log(share / (1 - share));
          return { label, group, score: prior + 1.466 * (r.normal() + 1.466 * (label - 0.5)) };
        }),
      );
      const order: Row[] = made.sort((a, b) => b.score - a.score);
      const before = [0, 1].map((g) => within(order, g));
      for (let fix = 0; fix < 800; fix++) {
        const open: number[] = [];
        for (let k = 0; k + 1 < order.length; k++) {
          if (order[k].label === 0 && order[k + 1].label === 1) open.push(k);
          if (greedy && open.length > 0) break;
        }
        if (open.length === 0) break;
        const k = open[greedy ? 0 : r.below(open.length)];
        [order[k], order[k + 1]] = [order[k + 1], order[k]];
      }
      for (const g of [0, 1]) total[g] += (within(order, g) - before[g]) / 20;
    }
    return [total[0], total[1]];
  };
  const [greedy, chance] = [gain(true), gain(false)];
  assert.ok(greedy[0] - greedy[1] > chance[0] - chance[1], `${greedy} against ${chance}`);
});

test('groups: areas within and across by their definition, shares of what is to gain, a verdict', async () => {
  const group = ['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a', 'b'];
  const { findings } = await measure('ranking-metrics', rows(y, s, group), { bootstrap: 100 });
  const table = card(findings.cards, 'table', 'Groups').rows;
  const outranks = (from: string, against: (g: string) => boolean): number => {
    const pairs = s.flatMap((v, i) =>
      y[i] && group[i] === from ? s.flatMap((w, j) => (!y[j] && against(group[j]) ? [Number(v > w)] : [])) : [],
    );
    return pairs.reduce((sum, v) => sum + v, 0) / pairs.length;
  };
  table.forEach((row, k) => {
    const name = 'ab'[k];
    assert.equal(row[0], name);
    near(
      row[4],
      outranks(name, (g) => g === name),
    );
    near(
      row[6],
      outranks(name, (g) => g !== name),
    );
  });
  // Positives under mistakes: rank 3 (0.7, b), rank 6 (0.4, a), rank 8 (0.3, a).
  const gains = [0.0266666667 + 0.0178571429, 0.0666666667];
  near(table[0][10], 2 / 3);
  near(table[0][11], gains[0] / (gains[0] + gains[1]), 1e-9);
  near(table[1][11], gains[1] / (gains[0] + gains[1]), 1e-9);
  assert.match(findings.guide, /AUPRC rewards group b \(prevalence 0\.4\) 2\.99 times more per mistake than group a \(0\.6\)/);
});

test('a group without positives or without negatives has no area', async () => {
  const { findings } = await measure('ranking-metrics', rows([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5], ['a', 'a', 'b', 'c', 'c']), {
    bootstrap: 100,
  });
  const [a, b, c] = card(findings.cards, 'table', 'Groups').rows;
  assert.deepEqual([a[4], a[6], a[8]], [null, null, null]);
  assert.deepEqual([b[4], b[8]], [null, null]);
  assert.deepEqual([b[6], c[4]], [2 / 3, 1]);
});

test('thresholds: least cost by hand, and how it moves with the costs', async () => {
  const table = async (falsePositiveCost: number, falseNegativeCost: number) =>
    card(
      (await measure('ranking-metrics', rows(y, s), { bootstrap: 100, falsePositiveCost, falseNegativeCost })).findings.cards,
      'table',
      'Thresholds',
    ).rows[0];
  // At 0.6: 3 of 5 positives, 1 of 5 negatives: (1 + 2)/10, as at 0.9 (0 + 4 = 4) and 0.3 (3 + 0 = 3): the highest of equals.
  assert.deepEqual((await table(1, 1)).slice(0, 3), ['Least cost', 0.6, 0.3]);
  assert.deepEqual((await table(1, 10)).slice(0, 3), ['Least cost', 0.3, 0.3]);
  assert.deepEqual((await table(100, 1)).slice(0, 3), ['Least cost', 0.9, 0.4]);
  const [never] = card(
    (await measure('ranking-metrics', rows([1, 0, 0], [0.1, 0.5, 0.6]), { bootstrap: 100 })).findings.cards,
    'table',
    'Thresholds',
  ).rows;
  assert.deepEqual([never[1], never[3], never[5]], [null, null, 0], 'raising nothing has no precision');
});

test('precision at k shares out the run that k cuts', async () => {
  const { findings } = await measure('ranking-metrics', rows([1, 0, 1, 0, 0], [0.9, 0.5, 0.5, 0.5, 0.1]), { topK: 3, bootstrap: 100 });
  near(findings.headline.precision_at_k, (1 + 2 / 3) / 3);
  near(findings.headline.enrichment_at_k, (1 + 2 / 3) / 3 / 0.4);
  const { precision_at_k: precision, enrichment_at_k: enriched } = findings.intervals ?? {};
  assert.ok(precision && enriched);
  near(enriched.low, precision.low / 0.4);
  near(enriched.high, precision.high / 0.4);
});

test('the most surprising rows are named', async () => {
  const { findings } = await measure('ranking-metrics', rows(y, s), { bootstrap: 100 });
  assert.deepEqual(card(findings.cards, 'table', 'Most surprising rows').rows[0], [2, 0.3, 8, 0.8]);
  const bars = card(findings.cards, 'bars', 'Scores of positives and negatives');
  assert.deepEqual(bars.series[0].selections?.[17], { label: 'class 1, score 0.85 to 0.9', total: 1, rows: [9] });
});

test('bad input: one class only, constant scores, too many groups, an unknown class', async () => {
  const only = await measure('ranking-metrics', rows([0, 0, 0], [0.1, 0.2, 0.3]));
  assert.ok(Number.isNaN(only.findings.headline.auroc));
  assert.deepEqual(only.findings.notes, ['AUROC is undefined: no positives.']);
  assert.match(only.findings.guide, /no positives: none of 3 rows is of class class 1/);
  assert.match((await measure('ranking-metrics', rows([1], [0.1]))).findings.guide, /no negatives: all of 1 row are of class class 1/);
  const flat = await measure('ranking-metrics', rows([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]), { bootstrap: 100 });
  assert.deepEqual([flat.findings.headline.auroc, flat.findings.headline.auprc], [0.5, 0.5]);
  assert.match(flat.findings.notes?.[0] ?? '', /All scores are equal/);
  assert.match(flat.findings.guide, /^All 4 scores are equal, so nothing is ranked/);
  assert.equal(card(flat.findings.cards, 'curve', 'ROC curve').diagonalName, 'chance');
  assert.equal(flat.findings.intervals?.auprc, undefined, 'draws that all agree tell nothing');
  const many = Array.from({ length: 201 }, (_, i) => i);
  await assert.rejects(
    measure(
      'ranking-metrics',
      rows(
        many.map((i) => i % 2),
        many.map((i) => i / 201),
        many.map(String),
      ),
    ),
    (e) => Fault.is(e, 'diagnostic/groups'),
  );
  await assert.rejects(measure('ranking-metrics', rows(y, s), { positive: 'spam' }), (e) => Fault.is(e, 'diagnostic/target'));
  await assert.rejects(measure('ranking-metrics', [...rows([0], [0.5]), { row: 7, label: 2, probs: [0.5, 0.5] }]), (e) =>
    Fault.is(e, 'diagnostic/label'),
  );
  const empty = await measure('ranking-metrics', []);
  assert.deepEqual(empty.findings.cards, []);
});

test('mistakes need distinct scores', () => {
  const none: Mistake[] = mistakesOf(tally([0, 1, 0, 1], [0.5, 0.5, 0.2, 0.2]));
  assert.deepEqual(none, []);
});
