import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Saliency } from '../../src/diagnostics/attribution/saliency-result.ts';
import { shadedTokens, strongestWords } from '../../src/diagnostics/attribution/token-cards.ts';
import { type TokenRows, wordsIn } from '../../src/diagnostics/attribution/tokens.ts';
import { cardText } from '../../src/report/text-cards.ts';
import { twinsOf } from '../../src/report/twin.ts';

/** [CLS] un aff able ! [SEP] [PAD], twice. */
const row = [
  { text: '[CLS]', special: true },
  { text: 'un', word: 'unaffable' },
  { text: 'aff', continues: true },
  { text: 'able', continues: true },
  { text: '!' },
  { text: '[SEP]', special: true },
  { text: '[PAD]', special: true },
] as const;
const tokens: TokenRows = {
  words: [row, row],
  scores: Float64Array.of(0.5, 1, -0.25, 0.5, 2, -1, 0.125, 0, 3, 0, 0, 0, 0, 0),
  padding: [row, row].map((one) => one.map(({ text }) => text === '[PAD]')),
};
const saliency = {
  rows: [4, 7],
  targets: Int32Array.of(1, 1),
  predicted: Int32Array.of(1, 1),
  tokens,
  found: { values: tokens.scores, output: Float64Array.of(1, 1), how: [{ label: 'Method', value: 'Gradient × Input' }] },
} as unknown as Saliency;
const subject = { classes: ['ham', 'spam'], modelName: 'net', ran: { device: 'cpu', seconds: 1 } };

test('the score of a word is the sum of its pieces; special tokens are marked and padding is left out', () => {
  assert.deepEqual(wordsIn(tokens, 0), [
    { text: '[CLS]', score: 0.5, from: 0, pieces: 1, special: true },
    { text: 'unaffable', score: 1.25, from: 1, pieces: 3, special: false },
    { text: '!', score: 2, from: 4, pieces: 1, special: false },
    { text: '[SEP]', score: -1, from: 5, pieces: 1, special: true },
  ]);
});

test('the card holds one number per token and one per word, and says what made them', () => {
  const card = shadedTokens(saliency, tokens, 0, 2, subject);
  assert.deepEqual(card.tokens, [
    { text: '[CLS]', score: 0.5, special: true },
    { text: 'un', score: 1, word: { text: 'unaffable', score: 1.25 } },
    { text: 'aff', score: -0.25, continues: true },
    { text: 'able', score: 0.5, continues: true },
    { text: '!', score: 2 },
    { text: '[SEP]', score: -1, special: true },
  ]);
  assert.match(
    card.caption ?? '',
    /^Model: net; Class attributed: spam; Method: Gradient × Input; .*Device: cpu; Time for the run: 1 s\. Full strength is reached where the values hold all but 2 % of the total\. Padding, not shown, holds 0\.125/,
  );
  const plain = (text: string): string => text;
  const lines = cardText({ width: 80, bold: plain, dim: plain, good: plain, bad: plain }, card);
  assert.equal(lines[0], '[CLS] unaffable ! [SEP]');
  const [twin] = twinsOf(card) ?? [];
  assert.deepEqual(twin.rows[1], [1, 'un', 1, 'unaffable', 1.25, null]);
  assert.deepEqual(twin.rows[2], [2, 'aff', -0.25, null, null, null]);
  assert.deepEqual(twin.rows[0].slice(4), [0.5, 'not of the text']);
});

test('the most influential words of a class are whole words, without special tokens', () => {
  const [table] = strongestWords(saliency, tokens, subject);
  assert.ok(table.kind === 'table');
  assert.deepEqual(table.rows, [
    ['spam', 'unaffable', (1.25 + 3) / 2, (1.25 + 3) / 2, 2, 4],
    ['spam', '!', 1, 1, 2, 4],
  ]);
});
