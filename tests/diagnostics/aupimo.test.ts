import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/base/fault.ts';
import { quietJob } from '../../src/base/job.ts';
import { signedRank } from '../../src/base/maths/signed-rank.ts';
import { defaults } from '../../src/base/option.ts';
import { random } from '../../src/base/random.ts';
import { readNpz } from '../../src/data/npz.ts';
import { toFloats } from '../../src/data/values.ts';
import { aupimo } from '../../src/diagnostics/metrics/aupimo.ts';
import { aupimoCards, aupimoGuide, aupimoHeadline, aupimoIntervals } from '../../src/diagnostics/metrics/aupimo-cards.ts';
import { addPixels, contextOf, pixelBins, regionsOf } from '../../src/diagnostics/metrics/aupimo-context.ts';
import { type AupimoChoice, boxStatistics, runAupimo } from '../../src/diagnostics/metrics/aupimo-run.ts';
import {
  addNormal,
  chanceLevel,
  exactScore,
  type Levels,
  levelsOf,
  recallAt,
  referenceScore,
  tailOf,
  thresholdsOf,
} from '../../src/diagnostics/metrics/aupimo-scores.ts';
import type { MapsOpener, MapsTool } from '../../src/evidence/maps.ts';

const chosen = (given: Partial<AupimoChoice> = {}): AupimoChoice => ({
  ...(defaults(aupimo.options) as unknown as AupimoChoice),
  ...given,
});
const close = (a: number, b: number, tolerance: number): void => assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);
const levels = (maps: readonly ArrayLike<number>[], upper: number): Levels => {
  const tail = tailOf(maps.length, upper);
  for (const map of maps) addNormal(tail, map);
  return levelsOf(tail);
};
const near = (f: number): number => f + 1e-9;

/** Maps and masks in memory as the tool of a study. */
const toolOf = (maps: readonly ArrayLike<number>[], masks: readonly Uint8Array[], side: readonly [number, number]): MapsTool => ({
  name: 'memory',
  notes: [],
  count: maps.length,
  defects: async () => Float64Array.from(masks, (m) => m.reduce((a, b) => a + b, 0)),
  async *read(positions) {
    for (const i of positions) yield { row: i, height: side[0], width: side[1], map: Float64Array.from(maps[i]), mask: masks[i] };
  },
  plain: async () => undefined,
});
const opener = (tool: MapsTool, other = tool): MapsOpener => ({ open: async () => tool, other: async () => other });

// The card's example (a): two normal 2×5 images, two anomalous ones.
const n1 = [0, 0.1, 0.2, 0.3, 0.4, 0.05, 0.15, 0.25, 0.35, 0.45];
const n2 = [0.02, 0.12, 0.22, 0.32, 0.42, 0.07, 0.17, 0.27, 0.37, 0.9];
const a1 = Float64Array.of(0.95, 0.44, 0.6, 0.41).sort();
const a2 = Float64Array.of(0.31, 0.36);

test('card (a): the shared rate at each score, and both scores to ten digits', () => {
  const found = levels([n1, n2], 0.5);
  const share = (t: number): number => found.shares[found.scores.indexOf(t)];
  for (const [t, f] of [
    [0.45, 0.1],
    [0.42, 0.15],
    [0.4, 0.2],
    [0.37, 0.25],
    [0.35, 0.3],
    [0.32, 0.35],
    [0.3, 0.4],
    [0.27, 0.45],
    [0.25, 0.5],
  ] as const)
    close(share(t), f, 1e-12);
  close(exactScore(found, a1, 0.1, 0.5), 0.9370175909, 1e-10);
  close(exactScore(found, a1, 0.1, 0.5), 1 - Math.log(1.5) / Math.log(5) / 4, 1e-12);
  close(exactScore(found, a2, 0.1, 0.5), 0.3261455805, 1e-10);
  close(chanceLevel(1e-5, 1e-4), 3.908650337e-5, 1e-14);
});

test('card (a): the authors’ thresholds give the same to the eight digits they print', () => {
  const tail = tailOf(2, 0.5);
  for (const map of [n1, n2]) addNormal(tail, map);
  const found = levelsOf(tail);
  for (const count of [2000, 30_000]) {
    const { thresholds } = thresholdsOf(tail, found, { lower: 0.1, upper: 0.5, count });
    close(referenceScore(thresholds, a1, 0.1, 0.5), 0.93701759, 5e-9);
    close(referenceScore(thresholds, a2, 0.1, 0.5), 0.32614558, 5e-9);
  }
  assert.throws(
    () => thresholdsOf(tail, found, { lower: 0.1, upper: 0.5, count: 30 }),
    (e) => Fault.is(e, 'diagnostic/few-thresholds'),
  );
});

const golden = readNpz(Uint8Array.from(readFileSync(join(import.meta.dirname, '../golden/diagnostics/aupimo.npz'))));
const numbers = (name: string): number[] => Array.from(toFloats(golden[name]));
const split = <T extends { subarray(a: number, b: number): T }>(data: T, size: number, count: number): T[] =>
  Array.from({ length: count }, (_, i) => data.subarray(i * size, (i + 1) * size));
const [images, height, width] = golden.maps.dims;
const goldenTool = toolOf(
  split(toFloats(golden.maps) as Float64Array, height * width, images),
  split(golden.masks.data as Uint8Array, height * width, images),
  [height, width],
);

test('golden: scores, AUROC and AUPRO as NumPy, SciPy and scikit-learn compute them', async () => {
  const bounds = { fprLower: 1e-3, fprUpper: 1e-2 };
  for (const mode of ['exact', 'reference'] as const) {
    const found = await runAupimo(opener(goldenTool), chosen({ ...bounds, mode }), quietJob());
    assert.deepEqual(
      found.images.map((i) => i.row),
      numbers('rows'),
    );
    // Sums of a few dozen float64 logarithms; the reference's thresholds differ by an ulp of linspace.
    for (const [i, score] of numbers(mode).entries()) close(found.images[i].score, score, 1e-9);
    // Scores are hundredths: every bin holds one of them, so that binning loses nothing.
    close(found.context.auroc, numbers('auroc')[0], 1e-12);
    close(found.context.aupro, numbers('aupro')[0], 1e-12);
  }
});

test('golden: signed-rank tests of SciPy, exact and approximate, with ties and zeros', () => {
  for (const name of ['d0', 'd1', 'd2', 'd3']) close(signedRank(numbers(name)).p, numbers(`p_${name}`)[0], 1e-12);
  assert.equal(signedRank([0, 0]).p, 1);
});

// Card (c): N(0, 1) maps of 64×64, 20 normal and 10 anomalous with a 10×10 defect shifted by 0.8·d.
const experiment = (seed: number): MapsTool => {
  const draw = random(seed, 'maps');
  const masks = Array.from({ length: 30 }, () => new Uint8Array(4096));
  const maps = masks.map((mask, i) => {
    if (i >= 20) for (let y = 20; y < 30; y++) mask.fill(1, y * 64 + 20, y * 64 + 30);
    return Float64Array.from(mask, (m) => draw.normal() + 0.8 * m * (i - 19));
  });
  return toolOf(maps, masks, [64, 64]);
};

test('card (c): AUROC is saturated where a third of the images are missed', async () => {
  const bounds = { fprLower: 1e-4, fprUpper: 1e-3 };
  const exact = await runAupimo(opener(experiment(0)), chosen(bounds), quietJob());
  const reference = await runAupimo(opener(experiment(0)), chosen({ ...bounds, mode: 'reference' }), quietJob());
  const scores = exact.images.map((i) => i.score);
  assert.ok(exact.context.auroc > 0.94);
  assert.ok(scores.filter((s) => s < 0.25).length >= 3);
  for (const [i, s] of scores.entries()) close(s, reference.images[i].score, 0.015);
  // Population values of the card; 100 pixels a defect have a standard deviation of at most 0.05 in recall, and the thresholds of 8 to 82
  // normal pixels move recall by as much.
  for (const [i, p] of [0.0051, 0.0372, 0.1594, 0.417, 0.7182, 0.9138, 0.9843, 0.9984, 0.9999, 1].entries()) close(scores[i], p, 0.2);
  const h = aupimoHeadline(exact, chosen(bounds));
  assert.match(aupimoGuide(exact, chosen(bounds)), /AUROC is 0\.9\d+ all the same/);
  const { low, high } = aupimoIntervals(exact, chosen(bounds)).aupimo;
  assert.ok(low < h.aupimo && h.aupimo < high);
  const cards = aupimoCards(exact, chosen(bounds));
  assert.deepEqual(
    cards.map((c) => c.kind),
    ['number', 'images', 'bars', 'table', 'curve', 'table'],
  );
});

const arrays = fc.array(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 12, maxLength: 12 }), { minLength: 1, maxLength: 4 });

test('card (b): laws', () => {
  fc.assert(
    fc.property(arrays, fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 9 }), (maps, values) => {
      const defect = Float64Array.from(values).sort();
      const found = levels(maps, 0.5);
      const score = exactScore(found, defect, 0.1, 0.5);
      assert.ok(score >= 0 && score <= 1);
      // A strictly increasing transform changes nothing.
      const turn = (v: number): number => Math.exp(v / 7) - 3;
      close(
        exactScore(
          levels(
            maps.map((m) => m.map(turn)),
            0.5,
          ),
          defect.map(turn),
          0.1,
          0.5,
        ),
        score,
        1e-12,
      );
      // Nor do duplicates of the normal images.
      close(exactScore(levels([...maps, ...maps], 0.5), defect, 0.1, 0.5), score, 1e-9);
      // Perfect separation, and a map below all normal scores.
      assert.equal(exactScore(found, Float64Array.of(60, 70), 0.1, 0.5), 1);
      if (found.shares[0] <= 0.1) assert.equal(exactScore(found, Float64Array.of(-1), 0.1, 0.49), 0);
      // Recall rises with the rate.
      let before = 0;
      for (let f = 0; f <= 0.5; f += 0.01) {
        const recall = recallAt(found, defect, near(f));
        assert.ok(recall >= before);
        before = recall;
      }
    }),
  );
});

test('only the tail is kept, and gives what all scores give', () => {
  const draw = random(1, 'tail');
  const maps = Array.from({ length: 30 }, () => Float64Array.from({ length: 4096 }, () => Math.round(1000 * draw.normal()) / 1000));
  const small = tailOf(maps.length, 1e-3);
  for (const map of maps) addNormal(small, map);
  const all = levels(maps, 0.5);
  const kept = levelsOf(small);
  assert.ok(small.size < 600, `${small.size} of ${30 * 4096}`);
  const defect = Float64Array.from({ length: 200 }, () => 2 + draw.normal()).sort();
  close(exactScore(kept, defect, 1e-4, 1e-3), exactScore(all, defect, 1e-4, 1e-3), 1e-12);
});

test('images of other sizes weigh as much: the shared rate is a mean over images', () => {
  // One of two pixels, one of four: the score 5 is half of the first, none of the second.
  const found = levels(
    [
      [5, 1],
      [2, 2, 1, 0],
    ],
    0.5,
  );
  assert.deepEqual(Array.from(found.scores), [5, 2, 1, 0]);
  assert.deepEqual(Array.from(found.shares), [0.25, 0.5, 0.875, 1]);
});

test('regions touch by corners too', () => {
  // Two arms that meet below, a diagonal, and one alone.
  const mask = Uint8Array.of(1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0);
  const { of, sizes } = regionsOf(mask, 6, 5);
  assert.deepEqual(sizes, [8, 1, 1]);
  assert.deepEqual([of[9], of[18], of[25]], [2, 1, 3]);
});

test('AUROC and AUPRO in bins are those of the scores, far from 0 as well', () => {
  const draw = random(2, 'bins');
  const mask = Uint8Array.from({ length: 2500 }, (_, i) => Number(i % 50 < 10 && i < 1000));
  const map = Float64Array.from(mask, (m) => 1000 + (draw.normal() + 1.5 * m) / 100);
  const found = [0, 1].map((shift) => {
    const bins = pixelBins(shift === 0 ? 1000 : 0);
    addPixels(
      bins,
      map.map((v) => v - 1000 * shift),
      mask,
      50,
      50,
    );
    return contextOf(bins, 0.3);
  });
  assert.deepEqual(found[0], found[1]);
  let [wins, pairs] = [0, 0];
  for (let i = 0; i < map.length; i++)
    for (let j = 0; j < map.length; j += 7)
      if (mask[i] > mask[j]) {
        pairs++;
        wins += map[i] > map[j] ? 1 : 0;
      }
  // Every seventh normal pixel only: 300 of them, a standard error of at most 0.02.
  close(found[0].auroc, wins / pairs, 0.05);
});

test('the box plot names the nearest image, the next one where it is used and near', () => {
  const found = boxStatistics([0.1, 0.2, 0.3, 0.301, 0.9]);
  assert.deepEqual(
    found.map((s) => `${s.name} ${s.image}`),
    ['Lower whisker 0', 'First quartile 1', 'Median 2', 'Mean 3', 'Third quartile 3', 'Upper whisker 3'],
  );
  close(found[3].value, 1.801 / 5, 1e-12);
  // The median image is used, the next one is 0.001 farther.
  assert.equal(boxStatistics([0.4, 0.4, 0.4, 0.401])[2].image, 2);
});

test('two models: wins, ties within the tolerance, losses and the test', async () => {
  const bounds = { fprLower: 1e-4, fprUpper: 1e-3, compareWith: 'b' };
  const found = await runAupimo(opener(experiment(0), experiment(5)), chosen(bounds), quietJob());
  const same = await runAupimo(opener(experiment(0)), chosen(bounds), quietJob());
  assert.deepEqual([same.other?.wins, same.other?.ties, same.other?.losses, same.other?.test.p], [0, 10, 0, 1]);
  const { wins = 0, ties = 0, losses = 0, test: result } = found.other ?? {};
  assert.equal(wins + ties + losses, 10);
  assert.equal(result?.n, wins + losses);
  assert.ok(aupimoCards(found, chosen(bounds)).some((c) => c.kind === 'scatter'));
});

const refusal = async (tool: MapsTool, given: Partial<AupimoChoice> = {}): Promise<Fault> =>
  runAupimo(opener(tool), chosen(given), quietJob()).then(
    () => assert.fail('it was measured'),
    (e: unknown) => (e instanceof Fault ? e : assert.fail(String(e))),
  );

test('bad input: each in one sentence', async () => {
  const draw = random(0, 'bad');
  const noise = (): Float64Array => Float64Array.from({ length: 4096 }, () => draw.normal());
  const empty = new Uint8Array(4096);
  const full = new Uint8Array(4096).fill(1, 0, 9);
  const side = [64, 64] as const;
  assert.match((await refusal(toolOf([noise()], [full], side))).message, /AUPIMO needs normal images: every mask has defect pixels/);
  assert.match((await refusal(toolOf([noise()], [empty], side))).message, /needs anomalous images/);
  const ten = Array.from({ length: 11 }, noise);
  const few = await refusal(
    toolOf(
      ten,
      ten.map((_, i) => (i === 10 ? full : empty)),
      side,
    ),
  );
  assert.match(few.message, /10 normal images .* smallest FPR of 2\.4[0-9]*e-5/);
  assert.equal((await refusal(toolOf([new Float64Array(4096), noise()], [empty, full], side))).code, 'diagnostic/equal-scores');
  assert.equal((await refusal(experiment(0), { fprLower: 1e-3, fprUpper: 1e-3 })).code, 'diagnostic/bounds');
});
