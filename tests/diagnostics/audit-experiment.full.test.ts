import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditExperiment } from './audit-experiment.ts';

const { blocks, digits, blockDigits } = await auditExperiment();
const near = (found: number, card: number, limit: number, what: string): void =>
  assert.ok(Math.abs(found - card) <= limit, `${what}: ${found}, card ${card}`);

test('card 05 (c), blocks: the standard model leaks, adversarial training and a fixed place cure it', () => {
  // The card's thresholds.
  assert.ok(blocks.standard_mass_in_signal < 0.65, `${blocks.standard_mass_in_signal}`);
  assert.ok(blocks.top_standard_mass_in_signal > 0.8 && blocks.top_robust_mass_in_signal > 0.8);
  assert.ok(blocks.robust_mass_in_signal >= blocks.standard_mass_in_signal + 0.15);
  // Other first values, order and division of the rows: 0.03 for masses, 0.05 for accuracies of 500 rows over two runs.
  for (const [name, mass, accuracy] of [
    ['standard', 0.577, 0.954],
    ['robust', 0.818, 0.863],
    ['top_standard', 0.879, 0.969],
    ['top_robust', 0.882, 0.919],
  ] as const) {
    near(blocks[`${name}_mass_in_signal`], mass, 0.03, name);
    near(blocks[`${name}_test_accuracy`], accuracy, 0.05, name);
  }
  assert.ok(blocks.standard_attacked_accuracy < 0.05 && blocks.robust_attacked_accuracy > 0.2);
  assert.ok(blocks.robust_top_tenth_in_signal > 0.99);
});

test('card 05 (c), digits: maps of the robust copy tell far more than those of the standard model', () => {
  const h = digits.headline;
  // Five per cent are 3 of 64 pixels: what few pixels tell depends on the model; 0.1 on accuracies, 0.15 on their differences.
  near(h.predpower_top_5, 0.821, 0.1, 'top 5 %');
  near(h.predpower_bottom_5, 0.483, 0.1, 'bottom 5 %');
  near(h.diffroar_5, 0.338, 0.15, '5 %');
  near(h.predpower_top_20, 0.998, 0.02, 'top 20 %');
  near(h.diffroar_20, 0.059, 0.05, '20 %');
  near(h.robust_diffroar_5, 0.65, 0.15, 'robust 5 %');
  near(h.robust_diffroar_20, 0.654, 0.15, 'robust 20 %');
  assert.ok(h.predpower_top_20 > h.fresh_accuracy);
});

test('card 05 (c), digits with blocks: the standard model does no better than a random order, the robust copy does', () => {
  const h = blockDigits.headline;
  near(h.diffroar_5, 0.042, 0.08, '5 %');
  near(h.diffroar_20, 0.003, 0.02, '20 %');
  assert.ok(h.robust_diffroar_5 > h.diffroar_5 + 0.3 && h.robust_diffroar_20 > h.diffroar_20 + 0.05);
  near(h.robust_diffroar_5, 0.614, 0.15, 'robust 5 %');
});

test('card 05 (c), masks alone do better than masked rows, so every verdict is downgraded', () => {
  const h = digits.headline;
  // One run: the card's own has one as well.
  near(h.mask_only_top_5, 0.99, 0.03, 'top 5 %');
  near(h.mask_only_bottom_5, 0.82, 0.1, 'bottom 5 %');
  near(h.mask_only_top_20, 1, 0.01, 'top 20 %');
  near(h.mask_only_bottom_20, 0.998, 0.01, 'bottom 20 %');
  const verdicts = digits.cards.find((c) => c.kind === 'table' && c.title === 'Verdicts');
  assert.ok(verdicts?.kind === 'table' && verdicts.rows.every((r) => r.at(-1) === 'dominated by mask leak'));
  assert.match(digits.guide, /does not say whether maps of .* can be trusted/);
});

test('a random order tells nothing: less than three standard errors', () => {
  for (const level of [5, 20]) {
    const { low, high } = digits.intervals[`random_diffroar_${level}`];
    assert.ok(Math.abs(low + high) / 2 < (3 * (high - low)) / (2 * 1.96), `${level} %`);
  }
});
