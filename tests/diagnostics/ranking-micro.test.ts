import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { random } from '../../src/base/random.ts';
import { fromLogits, measure, type Sample } from './cases.ts';

interface Micro {
  readonly auroc: number;
  readonly auprc: number;
  readonly errors: { readonly auroc: number; readonly auprc: number };
}
const golden = JSON.parse(readFileSync(new URL('../golden/diagnostics/comparison.json', import.meta.url), 'utf8')) as {
  readonly labels: number[];
  readonly first: number[];
  readonly micro: Micro;
};
const K = golden.first.length / golden.labels.length;
const samples = fromLogits(
  golden.labels.map((_, i) => golden.first.slice(i * K, (i + 1) * K)),
  golden.labels,
);

test('micro AUROC and AUPRC are scikit-learn’s, with intervals as wide as a bootstrap of whole rows', async () => {
  const { headline, intervals = {} } = (await measure('ranking-metrics', samples)).findings;
  for (const name of ['auroc', 'auprc'] as const) {
    assert.ok(Math.abs(headline[`micro_${name}`] - golden.micro[name]) < 1e-12, name);
    const { low, high } = intervals[`micro_${name}`];
    const error = (high - low) / (2 * 1.959964);
    // The standard error of 1,000 resamples carries 2.2 % of noise.
    assert.ok(Math.abs(error / golden.micro.errors[name] - 1) < 0.1, `${name}: ${error} for ${golden.micro.errors[name]}`);
  }
});

test('the same rows twice narrow the interval by √2', async () => {
  const { intervals = {} } = (await measure('ranking-metrics', samples)).findings;
  const width = (of: typeof intervals): number => of.micro_auroc.high - of.micro_auroc.low;
  const twice = (await measure('ranking-metrics', [...samples, ...samples.map((s) => ({ ...s, row: s.row + samples.length }))])).findings;
  assert.ok(Math.abs(width(twice.intervals ?? {}) * Math.SQRT2 - width(intervals)) < 1e-9);
});

test('beyond the rows that are kept whole there is no such interval, however the rows are parted', async () => {
  const chance = random(4, 'rows');
  const classes = 60;
  const many: Sample[] = Array.from({ length: 17_500 }, (_, row) => {
    const probs = Array.from({ length: classes }, () => chance.next());
    const sum = probs.reduce((a, b) => a + b, 0);
    return { row, label: chance.below(classes), probs: probs.map((p) => p / sum) };
  });
  const { headline, intervals = {} } = (await measure('ranking-metrics', many)).findings;
  assert.ok(Math.abs(headline.micro_auroc - 0.5) < 0.02);
  assert.equal(intervals.micro_auroc, undefined);
  assert.ok(intervals.macro_auroc);
});
