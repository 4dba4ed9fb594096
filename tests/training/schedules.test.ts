import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import { schedules } from '../../src/training/schedules/index.ts';
import { pick } from './subject.ts';

const rates = (id: string, given: Record<string, unknown>, lr: number, total: number, upTo = total): number[] => {
  const { part, chosen } = pick(schedules, id, given);
  return Array.from({ length: upTo }, (_, t) => part.rate({ t, total, lr, validation: [] }, chosen));
};
/** The card prints nine decimals. */
const near = (actual: readonly number[], wanted: readonly number[]): void => {
  assert.equal(actual.length, wanted.length);
  for (const [i, w] of wanted.entries()) assert.ok(Math.abs(actual[i] - w) < 6e-10, `at ${i}: ${actual[i]} is not ${w}`);
};

test('cosine', () => {
  const card = [0.1, 0.097552826, 0.09045085, 0.079389263, 0.06545085, 0.05, 0.03454915, 0.020610737, 0.00954915, 0.002447174, 0];
  near(rates('cosine', {}, 0.1, 10, 11), card);
  near(
    rates('cosine', { lrMin: 0.02 }, 0.1, 10, 11),
    card.map((r) => 0.02 + 0.8 * r),
  );
});
test('linear warm-up', () => {
  near(rates('warmup', { length: 5, from: 0.01 }, 0.1, 8), [0.001, 0.0208, 0.0406, 0.0604, 0.0802, 0.1, 0.1, 0.1]);
});
test('one cycle', () => {
  const card = [0.004, 0.052, 0.1, 0.095048463, 0.081174565, 0.061126202, 0.038874198, 0.018825835, 0.004951937, 4e-7];
  near(rates('one-cycle', {}, 0.1, 10), card);
  for (const total of [1, 2, 3])
    assert.ok(
      rates('one-cycle', {}, 0.1, total).every((r) => r > 0 && r <= 0.1),
      `of ${total}`,
    );
});
test('constant, step, multistep, exponential', () => {
  near(rates('constant', {}, 0.1, 3), [0.1, 0.1, 0.1]);
  near(rates('step', { size: 2, gamma: 0.1 }, 1, 5), [1, 1, 0.1, 0.1, 0.01]);
  near(rates('multistep', { milestones: '1,3', gamma: 0.5 }, 1, 5), [1, 0.5, 0.5, 0.25, 0.25]);
  near(rates('exponential', { gamma: 0.5 }, 1, 3), [1, 0.5, 0.25]);
});
test('milestones must be rising whole numbers', () => {
  for (const milestones of ['3,1', '1.5', 'x', '0'])
    assert.throws(
      () => rates('multistep', { milestones }, 1, 2),
      (e) => Fault.is(e, 'option/value'),
    );
});

interface Golden {
  readonly runs: readonly {
    readonly id: string;
    readonly options: Record<string, unknown>;
    readonly lr: number;
    readonly rates: readonly number[];
  }[];
  readonly losses: readonly number[];
  readonly plateau: readonly { readonly options: Record<string, unknown>; readonly rates: readonly number[] }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL('../golden/training/schedules.json', import.meta.url), 'utf8'));
/** PyTorch multiplies its rates step by step, so they differ by the rounding of some tens of products. */
const same = (actual: readonly number[], wanted: readonly number[]): void => {
  assert.equal(actual.length, wanted.length);
  for (const [i, w] of wanted.entries()) assert.ok(Math.abs(actual[i] - w) <= 1e-14 * Math.max(1, w), `at ${i}: ${actual[i]} is not ${w}`);
};
for (const { id, options, lr, rates: wanted } of golden.runs)
  test(`${id} ${JSON.stringify(options)}: every rate is PyTorch's`, () => same(rates(id, options, lr, wanted.length), wanted));

for (const { options, rates: wanted } of golden.plateau)
  test(`plateau ${JSON.stringify(options)}: the rate after every evaluation is PyTorch's`, () => {
    const { part, chosen } = pick(schedules, 'plateau', options);
    same(
      golden.losses.map((_, i) => part.rate({ t: i, total: 100, lr: 0.1, validation: golden.losses.slice(0, i + 1) }, chosen)),
      wanted,
    );
  });

test('on a plateau the rate never rises, not even to a least rate above it', () => {
  const { part, chosen } = pick(schedules, 'plateau', { patience: 0, lrMin: 1 });
  assert.equal(part.rate({ t: 0, total: 9, lr: 0.1, validation: [1, 1, 1] }, chosen), 0.1);
});
