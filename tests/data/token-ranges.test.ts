import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Source } from '../../src/data/define.ts';
import { tokenBytes, tokenRanges } from '../../src/data/token-ranges.ts';
import { openTokenizer, type Tokenizer } from '../../src/data/tokenizer.ts';

const tokenizer = (content: unknown): Promise<Tokenizer> => {
  const bytes = new TextEncoder().encode(JSON.stringify(content));
  const source: Source = {
    name: 'tokenizer.json',
    path: '/m/tokenizer.json',
    size: bytes.length,
    read: async (from, to) => bytes.slice(from, to),
    beside: () => Promise.reject(new Error('nothing lies beside it')),
  };
  return openTokenizer(source);
};
const slices = (own: Tokenizer, text: string, most = 1000): (string | undefined)[] =>
  own.ranges(text, most).map((range) => range && text.slice(range[0], range[1]));
const added = (tokens: readonly string[]) =>
  tokens.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }));

const wordPiece = {
  version: '1.0',
  added_tokens: added(['[PAD]', '[UNK]', '[CLS]', '[SEP]']),
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
    special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] } },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: { '[PAD]': 0, '[UNK]': 1, '[CLS]': 2, '[SEP]': 3, un: 4, '##aff': 5, '##able': 6, hello: 7, '!': 8, cafe: 9, 東: 10 },
  },
};

test('subwords, accents, unknown words and line ends of WordPiece stand where the text has them', async () => {
  const own = await tokenizer(wordPiece);
  const text = 'Hello,\r\n  UNaffable 😀 Café 東京 cafe\u0301!';
  assert.deepEqual(slices(own, text), [
    undefined,
    'Hello',
    ',',
    'UN',
    'aff',
    'able',
    '😀',
    'Café',
    '東',
    '京',
    'cafe\u0301',
    '!',
    undefined,
  ]);
  assert.equal(own.ranges(text, 1000).length, own.encode(text).ids.length);
  assert.deepEqual(slices(own, text, 3), [undefined, 'Hello', ',']);
  assert.deepEqual(slices(own, ''), [undefined, undefined]);
});

test('byte-level tokens: spaces are left out, parts of a character stand where all of it does', async () => {
  const own = await tokenizer({
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    // 😀 is F0 9F 98 80, é C3 A9.
    model: {
      type: 'BPE',
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      vocab: { h: 0, i: 1, hi: 2, Ġ: 3, ð: 4, Ł: 5, ĺ: 6, Ģ: 7, Ã: 8, '©': 9, 'Ã©': 10, Ġh: 11, Ġhi: 12, ðŁ: 13, č: 14, Ċ: 15 },
      merges: ['h i', 'Ã ©', 'Ġ hi', 'ð Ł'],
    },
  });
  const text = 'hi hi\r\n😀é hi';
  const found = slices(own, text);
  assert.equal(found.length, own.encode(text).ids.length);
  assert.deepEqual(
    found.filter((slice) => slice !== undefined),
    ['hi', 'hi', '😀', '😀', '😀', 'é', 'hi'],
  );
});

test('a vocabulary: words in the text’s own case, unknown ones too, where nothing stands for those left out', async () => {
  const own = await tokenizer({ vocab: ['<pad>', '<unk>', 'free', 'call', '!'], pad: 0, unk: 1, lowercase: true });
  assert.deepEqual(slices(own, 'FREE\r\n\t😀 call me!'), ['FREE', '😀', 'call', 'me', '!']);
  // The small letter of İ is two characters long, i and a dot: both stand where the letter does.
  assert.deepEqual(slices(own, 'İ free'), ['İ', 'İ', 'free']);
  const closed = await tokenizer({ vocab: ['free', 'call'], token_regex: '[a-z]+', lowercase: true });
  assert.deepEqual(slices(closed, 'now free, call'), ['free', 'call']);
});

test('tokens that do not follow at once are looked for ahead, and what is nowhere has no place', () => {
  const same = (c: string): string => c;
  assert.deepEqual(
    tokenRanges('one -- two three', [tokenBytes('one'), tokenBytes('two'), tokenBytes('four'), tokenBytes(' three')], same),
    [[0, 3], [7, 10], undefined, [11, 16]],
  );
  assert.deepEqual(tokenRanges('a  b', [undefined, undefined, undefined], same), [[0, 1], [3, 4], undefined]);
  assert.deepEqual(tokenRanges('', [tokenBytes('a')], same), [undefined]);
});
