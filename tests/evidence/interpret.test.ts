import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { Matrix } from '../../src/evidence/evidence.ts';
import { checkProbabilities, meaningOf } from '../../src/evidence/interpret.ts';
import { nouns } from '../../src/evidence/plan.ts';

const matrix = (...rows: readonly (readonly number[])[]): Matrix => ({
  rows: rows.length,
  cols: rows[0].length,
  data: Float64Array.from(rows.flat()),
});
const rows = [10, 11, 12, 13];
const read = (
  m: Matrix,
  hint: Parameters<typeof meaningOf>[3] = 'unknown',
  declared: Parameters<typeof meaningOf>[4] = 'auto',
  labels?: readonly number[],
) => meaningOf(m, rows, 'out', hint, declared, labels && Float64Array.from(labels));
const probs = matrix([0.2, 0.8], [0.9, 0.1]);
const logits = matrix([-3, 2], [0.5, 4]);
const unsummed = matrix([0.2, 0.8], [0.9, 0.3]);
const code = (wanted: string, message: RegExp) => (e: unknown) => e instanceof Fault && e.code === wanted && message.test(e.message);

test('what the output is: by declaration, then by its node, then by its values', () => {
  assert.equal(read(probs).scores, 'probabilities');
  assert.equal(read(logits).scores, 'logits');
  assert.equal(read(logits, 'probabilities').scores, 'probabilities');
  assert.equal(read(probs, 'log-probabilities').scores, 'logits');
  assert.equal(read(probs, 'probabilities', 'logits').scores, 'logits');
  // A linear layer whose values happen to lie in 0..1 makes logits, unless every row sums to 1.
  assert.equal(read(unsummed, 'linear').scores, 'logits');
  assert.throws(
    () => read(unsummed),
    code('data/not-probabilities', /^out was taken for probabilities, but row 11 sums to 1\.2; .*option logits/),
  );
  assert.equal(read(unsummed, 'unknown', 'logits').scores, 'logits');
  assert.throws(() => read(probs, 'sigmoid'), code('evidence/multi-label', /independent labels/));
});

test('one column: a probability, a logit where labels are 0 and 1, or nothing to classify by', () => {
  assert.deepEqual(read(matrix([0.2], [0.9])), { scores: 'probabilities', binary: true });
  const found = read(matrix([-2], [3]), 'linear', 'auto', [0, 1]);
  assert.deepEqual([found.scores, found.binary], ['logits', true]);
  assert.match(found.note ?? '', /logit of class 1/);
  assert.throws(() => read(matrix([152], [75]), 'linear', 'auto', [1, 75]), code('evidence/one-score', /row 11 has 75/));
  assert.throws(() => read(matrix([152], [75])), code('evidence/one-score', /row 10 has 152/));
});

test('rows taken for probabilities are checked, each of them', () => {
  checkProbabilities(probs, rows, 'out');
  assert.throws(() => checkProbabilities(unsummed, rows, 'out'), code('data/not-probabilities', /row 11/));
  assert.throws(() => checkProbabilities(matrix([1.5, -0.5]), rows, 'out'), code('data/probability', /row 10 holds 1\.5/));
});

test('nouns: softmax and sigmoid in float64 by hand, stable for large logits', () => {
  const all = (scores: Matrix, meaning: Parameters<typeof nouns>[0]['meaning']) =>
    nouns({ rows: Float64Array.of(7), scores, meaning }, ['rows', 'probs', 'logProbs']);
  // softmax(ln 1, ln 3) = (1/4, 3/4).
  const soft = all(matrix([0, Math.log(3)]), { scores: 'logits', binary: false });
  assert.deepEqual(soft.rows, Float64Array.of(7));
  for (const [i, p] of [0.25, 0.75].entries()) {
    assert.ok(Math.abs((soft.probs?.data[i] ?? 0) - p) < 1e-15);
    assert.ok(Math.abs((soft.logProbs?.data[i] ?? 0) - Math.log(p)) < 1e-15);
  }
  assert.deepEqual(all(matrix([1000, 0]), { scores: 'logits', binary: false }).logProbs?.data, Float64Array.of(0, -1000));
  // sigmoid(ln 3) = 3/4.
  const binary = all(matrix([Math.log(3)]), { scores: 'logits', binary: true });
  assert.ok(Math.abs((binary.probs?.data[1] ?? 0) - 0.75) < 1e-15 && Math.abs((binary.probs?.data[0] ?? 0) - 0.25) < 1e-15);
  assert.deepEqual(Array.from(all(matrix([-800]), { scores: 'logits', binary: true }).logProbs?.data ?? [], Math.abs), [0, 800]);
  const given = all(matrix([0.25]), { scores: 'probabilities', binary: true });
  assert.deepEqual(given.probs, { rows: 1, cols: 2, data: Float64Array.of(0.75, 0.25) });
  // log of a zero is cut at 1e-12 (card 00-calibration-common).
  assert.deepEqual(all(matrix([0, 1]), { scores: 'probabilities', binary: false }).logProbs?.data, Float64Array.of(Math.log(1e-12), 0));
});
