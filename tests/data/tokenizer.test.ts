import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/base/fault.ts';
import type { Dataset, Source } from '../../src/data/define.ts';
import { fitText } from '../../src/data/text-fit.ts';
import { tokensIn } from '../../src/data/text-words.ts';
import { openTokenizer } from '../../src/data/tokenizer.ts';

/** Files of a folder in memory. */
const file = (name: string, content: unknown, others: Readonly<Record<string, unknown>> = {}): Source => {
  const bytes = new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content));
  return {
    name,
    path: `/m/${name}`,
    size: bytes.length,
    read: async (from, to) => bytes.slice(from, to),
    async beside(other) {
      if (!Object.hasOwn(others, other)) throw new Fault('file/missing', { path: other, reason: 'there is no such file' } as never);
      return file(other, others[other]);
    },
  };
};

/** WordPiece as BERT has it, with the vocabulary of Devlin et al.'s own example, unaffable. */
const wordPiece = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, un: 4, '##aff': 5, '##able': 6, hello: 7, '!': 8 },
  },
};

test('tokenizer.json: pieces, special tokens, padding and length from its configuration', async () => {
  const config = { pad_token: '[PAD]', unk_token: '[UNK]', model_max_length: 6 };
  const own = await openTokenizer(file('tokenizer.json', wordPiece, { 'tokenizer_config.json': config }));
  assert.deepEqual(own.encode('Hello UNAFFABLE!'), {
    ids: [2, 7, 4, 5, 6, 8, 3],
    words: ['[CLS]', 'hello', 'un', 'aff', 'able', '!', '[SEP]'],
  });
  assert.deepEqual(own.encode('xyz').ids, [2, 1, 3]);
  assert.deepEqual([own.padding, own.unknown, own.length, own.word(5), own.size], [0, 1, 6, 'aff', 9]);
  const more = { ...wordPiece, added_tokens: [...wordPiece.added_tokens, { id: 11, content: '[MORE]', special: true }] };
  assert.equal((await openTokenizer(file('tokenizer.json', more))).size, 12);
  assert.equal((await openTokenizer(file('tokenizer.json', wordPiece))).length, undefined);
});

test('pieces of a word are known by where they stand; what the tokenizer adds is special; a strange word is shown as it is written', async () => {
  const own = await openTokenizer(
    file('tokenizer.json', wordPiece, { 'tokenizer_config.json': { unk_token: '[UNK]', pad_token: '[PAD]' } }),
  );
  assert.deepEqual(tokensIn('UNAFFABLE! Hello', own, 9), [
    { text: '[CLS]', special: true },
    { text: 'un', word: 'unaffable' },
    { text: 'aff', continues: true },
    { text: 'able', continues: true },
    { text: '!' },
    { text: 'hello' },
    { text: '[SEP]', special: true },
    { text: '[PAD]', special: true },
    { text: '[PAD]', special: true },
  ]);
  // A gap parts words, punctuation is one of its own, and a row that is cut ends within a word.
  assert.deepEqual(
    tokensIn('un hello!hello', own, 6).map(({ continues }) => continues === true),
    [false, false, false, false, false, false],
  );
  assert.deepEqual(tokensIn('unaffable', own, 3), [
    { text: '[CLS]', special: true },
    { text: 'un', word: 'unaff' },
    { text: 'aff', continues: true },
  ]);
  assert.deepEqual(tokensIn('Xyz un', own, 3), [{ text: '[CLS]', special: true }, { text: 'Xyz' }, { text: 'un' }]);
  assert.deepEqual(own.mask, undefined);
  const masked = await openTokenizer(file('vocab.json', { '<pad>': 0, '<mask>': 1, good: 2 }));
  assert.deepEqual([masked.mask, [...masked.specials], masked.decode([2, 0])], [1, [0], 'good <pad>']);
});

test('vocabularies: words to numbers, a list, one word a line, and one with its own rules', async () => {
  const map = await openTokenizer(file('vocab.json', { '<pad>': 0, '<unk>': 1, good: 2, day: 3, ',': 4 }));
  assert.deepEqual(map.encode('Good day, sir').ids, [2, 3, 4, 1]);
  const lines = await openTokenizer(file('vocab.txt', 'good\nDay\n'));
  // It has capitals, so text keeps its own; words it does not know have no number and are left out.
  assert.deepEqual(lines.encode('Good good Day').ids, [0, 1]);
  assert.deepEqual([map.size, lines.size], [5, 2]);
  const ruled = await openTokenizer(
    file('v.json', {
      vocab: ['<pad>', '<unk>', 'a', '1', '?'],
      pad: 0,
      unk: 1,
      length: 3,
      token_regex: '[a-z]|[0-9]|[?]',
      lowercase: true,
    }),
  );
  assert.deepEqual([ruled.encode('A1? b').ids, ruled.length, ruled.word(4)], [[2, 3, 4, 1], 3, '?']);
});

test('files that are no tokenizer are told, with what one is', async () => {
  const refused = (content: unknown, pattern: RegExp) =>
    assert.rejects(openTokenizer(file('t.json', content)), (e) => Fault.is(e, 'data/tokenizer') && pattern.test(e.message));
  await refused('{', /'\/m\/t.json' cannot be used as a tokenizer/);
  await refused('7', /neither a tokenizer.json nor a vocabulary/);
  await refused({}, /holds no words/);
  await refused({ vocab: ['a'], token_regex: '[' }, /no regular expression/);
  await refused({ model: { type: 'Magic' } }, /cannot be used/);
});

const texts = ['Good day', 'good good good good', ''];
const dataset = (names: readonly string[]): Dataset => ({
  format: 'csv',
  path: 'd.csv',
  length: texts.length,
  columns: names.map((name) => ({ name, dtype: 'string', dims: [] })),
  extras: [],
  slice: async (columns, from, to) => columns.map((c) => ({ dtype: 'string', dims: [to - from], data: read(c).slice(from, to) })),
  take: async (columns, rows) => columns.map((c) => ({ dtype: 'string', dims: [rows.length], data: Array.from(rows, (r) => read(c)[r]) })),
  extra: async () => {
    throw new Error('none');
  },
  close: async () => {},
});
const read = (column: string): string[] => (column === 'kind' ? ['a', 'b', 'a'] : texts);
const vocabulary = openTokenizer(file('vocab.json', ['<pad>', '<unk>', 'good', 'day']));
const signal = new AbortController().signal;

test('a column of text becomes rows of tokens: cut, filled up, and readable again', async () => {
  const target = { name: 'ids', dtype: 'int64', dims: [3] } as const;
  const found = await fitText(dataset(['kind', 'words']), undefined, 'kind', await vocabulary, target, signal);
  assert.ok(found);
  assert.equal(found.x, 'words');
  const [ids] = await found.dataset.slice(['words'], 0, 3);
  assert.deepEqual(
    [ids.dims, Array.from(ids.data as BigInt64Array, Number)],
    [
      [3, 3],
      [2, 3, 0, 2, 2, 2, 0, 0, 0],
    ],
  );
  assert.deepEqual(await found.words([1, 0], signal), [
    [{ text: 'good' }, { text: 'good' }, { text: 'good' }],
    [{ text: 'good' }, { text: 'day' }, { text: '<pad>', special: true }],
  ]);
  assert.match(found.note, /'words' was read as tokens by 'vocab.json', 3 a row/);
  // A free length is that of the longest of the first rows.
  const free = await fitText(
    dataset(['words']),
    undefined,
    undefined,
    await vocabulary,
    { name: 'ids', dtype: 'int64', dims: ['T'] },
    signal,
  );
  assert.deepEqual(free?.dataset.columns[0].dims, [4]);
});

test('the column with the longest fields is the text; a vocabulary of another language is refused', async () => {
  const target = { name: 'ids', dtype: 'int64', dims: [3] } as const;
  assert.equal((await fitText(dataset(['kind', 'words']), undefined, undefined, await vocabulary, target, signal))?.x, 'words');
  const other = await openTokenizer(file('vocab.json', ['<pad>', '<unk>', 'bonjour']));
  await assert.rejects(
    fitText(dataset(['words']), undefined, undefined, other, target, signal),
    (e) => Fault.is(e, 'data/tokenizer-unknown') && /knows no word of the first 3 rows/.test(e.message),
  );
  await assert.rejects(
    fitText(dataset(['words']), undefined, undefined, await vocabulary, { name: 'x', dtype: 'int64', dims: [3, 4] }, signal),
    (e) => Fault.is(e, 'data/token-input'),
  );
});
