import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quietJob } from '../../src/base/job.ts';
import { choose, type Option, type OptionValue } from '../../src/base/option.ts';
import type { Fold } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import { batchOf, type Sample, subjectOf } from '../diagnostics/cases.ts';

/** Probabilities k/256 and their "logarithms" −k/8 are dyadic: sums are exact in any order, so equality is exact. */
const samples: fc.Arbitrary<Sample[]> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 256 }), fc.integer({ min: 0, max: 256 }), fc.nat(2)), { maxLength: 50 })
  .map((rows) =>
    rows.map(([a, b, label], row) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      return {
        row,
        label,
        group: 'ab'[a % 2],
        x: a / 16,
        target: b / 16,
        probs: [low / 256, (high - low) / 256, (256 - high) / 256],
        logProbs: [-a / 8, -b / 8, -(a + b) / 8],
      };
    }),
  );

/** Draws are the same whatever the split, so few of them show as much as many. */
const fewDraws = (d: Fold): Record<string, OptionValue> =>
  Object.fromEntries(['nullDraws', 'bootstrap'].filter((name) => name in d.options).map((name) => [name, 100]));

/** How scores or forecasts are read is settled by what they are. */
const reading: ReadonlySet<string> = new Set(['logits', 'form']);

const valuesOf = (name: string, o: Option): readonly (OptionValue | undefined)[] =>
  o.kind === 'choice' && !reading.has(name) ? o.of : o.kind === 'pick' && o.from === 'class' ? ['', '1'] : [undefined];

/** All choices of every option of kind `choice`, of a class none and one, the others at their defaults; how scores are read is the planner's affair. */
const choices = (d: Fold): Record<string, OptionValue>[] =>
  Object.entries(d.options).reduce<Record<string, OptionValue>[]>(
    (all, [name, o]) => all.flatMap((given) => valuesOf(name, o).map((v) => (v === undefined ? given : { ...given, [name]: v }))),
    [fewDraws(d)],
  );

for (const d of diagnostics) {
  if (d.shape !== 'fold') continue;
  for (const given of choices(d)) {
    const chosen = choose(d.id, d.options, given);
    const subject = subjectOf(3, 0);
    const over = (rows: readonly Sample[]): unknown => {
      const state = d.start(chosen, subject);
      if (rows.length > 0) d.add(state, batchOf(rows), chosen);
      return state;
    };
    const name = [d.id, ...Object.values(given)].join(' ');

    test(`${name}: folding parts and merging them equals one pass`, async () => {
      await fc.assert(
        fc.asyncProperty(samples, fc.nat(50), fc.boolean(), async (rows, at, reverse) => {
          const parts = [over(rows.slice(0, at)), over(rows.slice(at))];
          const [into, from] = reverse ? parts.reverse() : parts;
          d.merge(into, from);
          assert.deepStrictEqual(await d.result(into, chosen, quietJob()), await d.result(over(rows), chosen, quietJob()));
        }),
        { numRuns: 40 },
      );
    });

    test(`${name}: batches may be cut anywhere`, async () => {
      await fc.assert(
        fc.asyncProperty(samples, fc.nat(50), async (rows, at) => {
          const state = over(rows.slice(0, at));
          if (at < rows.length) d.add(state, batchOf(rows.slice(at)), chosen);
          assert.deepStrictEqual(await d.result(state, chosen, quietJob()), await d.result(over(rows), chosen, quietJob()));
        }),
        { numRuns: 40 },
      );
    });

    test(`${name}: the state is plain data`, async () => {
      await fc.assert(
        fc.asyncProperty(samples, async (rows) => {
          const state = over(rows);
          assert.deepStrictEqual(await d.result(structuredClone(state), chosen, quietJob()), await d.result(state, chosen, quietJob()));
        }),
        { numRuns: 20 },
      );
    });
  }
}
