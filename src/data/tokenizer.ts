import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import { Fault } from '../base/fault.ts';
import type { Source } from './define.ts';
import { type TextRange, type TokenBytes, tokenBytes, tokenRanges } from './token-ranges.ts';

/** Text to the whole numbers that a model takes. */
export interface Tokenizer {
  /** File name. */
  readonly name: string;
  /** One more than the largest token. */
  readonly size: number;
  /** The token that fills rows up. */
  readonly padding: number;
  /** The token of a word that is not known, if there is one. */
  readonly unknown?: number;
  /** The token that hides a word, if there is one. */
  readonly mask?: number;
  /** Tokens that stand for nothing in a text: its beginning, its end, what fills rows up. */
  readonly specials: ReadonlySet<number>;
  /** Most tokens of a row, where the file says so. */
  readonly length?: number;
  encode(text: string): { readonly ids: readonly number[]; readonly words: readonly string[] };
  /** The word behind a token. */
  word(id: number): string;
  /** The text of tokens that follow each other. */
  decode(ids: readonly number[]): string;
  /** Where the tokens of `encode` stand in the text, as far as the first `most` of them. */
  ranges(text: string, most: number): readonly (TextRange | undefined)[];
}

/** Spaces inside subword tokens, as they are stored: ByteLevel's Ġ, SentencePiece's ▁, and the continuation of WordPiece. */
const shown = (token: string): string => token.replace(/^(?:Ġ|▁)/u, '').replace(/^##/, '') || token;

type Json = Readonly<Record<string, unknown>>;
const isObject = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v);

/** The characters that stand for bytes in tokens of byte-level vocabularies (GPT-2): printable ones for themselves, the others from U+0100 on. */
const byteOf: ReadonlyMap<string, number> = new Map(
  (() => {
    let next = 0x100;
    const printable = (b: number): boolean => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    return Array.from({ length: 256 }, (_, b): [string, number] => [String.fromCodePoint(printable(b) ? b : next++), b]);
  })(),
);

/** What tokens of this `tokenizer.json` look like in the text: without marks of spaces, of word parts and of bytes. */
const bytesOf = (json: Json): ((token: string) => Uint8Array) => {
  const model = isObject(json.model) ? json.model : {};
  const [part, end] = [model.continuing_subword_prefix, model.end_of_word_suffix];
  const bytewise = JSON.stringify([json.pre_tokenizer, json.decoder]).includes('"ByteLevel"');
  return (token) => {
    const single = /^<0x([0-9A-F]{2})>$/.exec(token);
    if (single) return Uint8Array.of(Number.parseInt(single[1], 16));
    if (bytewise) {
      const bytes = Array.from(token, (c) => byteOf.get(c) ?? -1).map((b) => (b >= 9 && b <= 13 ? 0x20 : b));
      const at = bytes.findIndex((b) => b !== 0x20);
      if (!bytes.includes(-1)) return Uint8Array.from(at < 0 ? [] : bytes.slice(at));
    }
    const start = typeof part === 'string' && part !== '' && token.startsWith(part) ? token.slice(part.length) : token;
    const whole = typeof end === 'string' && end !== '' && start.endsWith(end) ? start.slice(0, -end.length) : start;
    return tokenBytes(whole.replaceAll('\u2581', ' '));
  };
};

/** Lower case, and the range of the text that some of its characters come from. */
const lowered = (text: string): { readonly text: string; from(start: number, end: number): TextRange } => {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return { text: lower, from: (start, end) => [start, end] };
  const places: TextRange[] = [];
  let index = 0;
  for (const character of text) {
    const range: TextRange = [index, index + character.length];
    for (let i = 0; i < character.toLowerCase().length; i++) places.push(range);
    [, index] = range;
  }
  return { text: lower, from: (start, end) => [places[start][0], places[end - 1][1]] };
};
/** A `tokenizer.json`, with `tokenizer_config.json` beside it where there is one. */
const fromLibrary = (name: string, json: Json, config: Json, bad: (reason: string) => Fault): Tokenizer => {
  let own: HuggingFace;
  try {
    own = new HuggingFace(json, config);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
  const idOf = (token: unknown): number | undefined => {
    const text = isObject(token) ? token.content : token;
    const [id] = typeof text === 'string' ? own.encode(text, { add_special_tokens: false }).ids : [];
    return id;
  };
  const pad = isObject(json.padding) ? json.padding.pad_id : undefined;
  const padding = typeof pad === 'number' ? pad : (idOf(config.pad_token) ?? 0);
  const unknown = idOf(config.unk_token ?? (isObject(json.model) ? json.model.unk_token : undefined));
  const added = Array.isArray(json.added_tokens) ? json.added_tokens.filter(isObject) : [];
  const maskId = idOf(config.mask_token) ?? added.find(({ content }) => content === '[MASK]' || content === '<mask>')?.id;
  const { vocab } = isObject(json.model) ? json.model : {};
  const known = Array.isArray(vocab) ? [vocab.length - 1] : Object.values(isObject(vocab) ? vocab : {});
  const ids = [...known, ...added.map(({ id }) => id)].filter((id) => typeof id === 'number');
  const specials = new Set(added.flatMap(({ id, special }) => (special === true && typeof id === 'number' && id !== unknown ? [id] : [])));
  const bytes = bytesOf(json);
  const truncation = isObject(json.truncation) ? json.truncation.max_length : undefined;
  const most = typeof truncation === 'number' ? truncation : config.model_max_length;
  return {
    name,
    size: ids.reduce((most, id) => Math.max(most, id), -1) + 1,
    padding,
    ...(unknown === undefined ? {} : { unknown }),
    ...(typeof maskId === 'number' ? { mask: maskId } : {}),
    specials: specials.add(padding),
    // Configurations write 1e30 for no limit.
    ...(typeof most === 'number' && most > 0 && most < 1e6 ? { length: most } : {}),
    encode(text) {
      const { ids, tokens } = own.encode(text);
      return { ids, words: tokens.map(shown) };
    },
    word: (id) => shown(own.decode([id], { skip_special_tokens: false })),
    decode: (ids) => own.decode([...ids], { skip_special_tokens: false }).trim(),
    ranges(text, most) {
      const { ids, tokens } = own.encode(text);
      const known = (id: number, token: string): TokenBytes => (id === unknown ? undefined : bytes(token));
      const { normalizer } = own;
      return tokenRanges(
        text,
        ids.slice(0, most).map((id, k) => known(id, tokens[k])),
        (c) => normalizer?.normalize(c) ?? c,
      );
    },
  };
};

/**
 * A vocabulary: `{"word": id}`, a list of words, `{"vocab": …, "pad", "unk", "length", "token_regex", "lowercase"}`, or a text file with
 * one word a line. Texts fall into runs of letters and digits and single other signs, or what `token_regex` matches.
 */
const fromVocabulary = (name: string, given: unknown, bad: (reason: string) => Fault): Tokenizer => {
  const facts: Json = isObject(given) && 'vocab' in given ? given : {};
  const words = 'vocab' in facts ? facts.vocab : given;
  const ids = new Map<string, number>(
    Array.isArray(words)
      ? words.map((word, id): [string, number] => [String(word), id])
      : Object.entries(words as Json).flatMap(([word, id]): [string, number][] => (typeof id === 'number' ? [[word, id]] : [])),
  );
  if (ids.size === 0) throw bad('it holds no words');
  const names = new Map([...ids].map(([word, id]) => [id, word]));
  const special = (key: string, usual: readonly string[]): number | undefined => {
    const value = facts[key];
    if (typeof value === 'number') return value;
    return usual.map((w) => ids.get(w)).find((id) => id !== undefined);
  };
  const padding = special('pad', ['<pad>', '[PAD]', '<PAD>', 'pad']) ?? 0;
  const unknown = special('unk', ['<unk>', '[UNK]', '<UNK>', 'unk']);
  const mask = special('mask', ['<mask>', '[MASK]', '<MASK>']);
  let pattern: RegExp;
  try {
    pattern = new RegExp(typeof facts.token_regex === 'string' ? facts.token_regex : '[\\p{L}\\p{N}]+|[^\\s\\p{L}\\p{N}]', 'gu');
  } catch (error) {
    throw bad(`its token_regex is no regular expression (${error instanceof Error ? error.message : ''})`);
  }
  const cased = [...ids.keys()].some((w) => /\p{Lu}/u.test(w.replace(/^[<[].*[>\]]$/, '')));
  const lower = typeof facts.lowercase === 'boolean' ? facts.lowercase : !cased;
  const { length } = facts;
  const parts = (text: string): { readonly id: number; readonly word: string; readonly index: number }[] =>
    Array.from(text.matchAll(pattern)).flatMap(({ 0: word, index }) => {
      const id = ids.get(word) ?? unknown;
      return id === undefined ? [] : [{ id, word, index }];
    });
  return {
    name,
    size: [...ids.values(), padding].reduce((most, id) => Math.max(most, id), -1) + 1,
    padding,
    ...(unknown === undefined ? {} : { unknown }),
    ...(mask === undefined ? {} : { mask }),
    specials: new Set([padding]),
    ...(typeof length === 'number' && length > 0 ? { length } : {}),
    encode(text) {
      const kept = parts(lower ? text.toLowerCase() : text);
      return { ids: kept.map(({ id }) => id), words: kept.map(({ word }) => word) };
    },
    word: (id) => names.get(id) ?? String(id),
    decode: (all) => all.map((id) => names.get(id) ?? String(id)).join(' '),
    ranges(text, most) {
      const own = lower ? lowered(text) : undefined;
      return parts(own?.text ?? text)
        .slice(0, most)
        .map(({ word, index }) => own?.from(index, index + word.length) ?? [index, index + word.length]);
    },
  };
};

/** Reads `tokenizer.json` or a vocabulary. Throws `data/tokenizer`. */
export const openTokenizer = async (source: Source, signal?: AbortSignal): Promise<Tokenizer> => {
  const bad = (reason: string): Fault => new Fault('data/tokenizer', { path: source.path, reason });
  const textOf = async (file: Source): Promise<string> => new TextDecoder().decode(await file.read(0, file.size, signal));
  const text = await textOf(source);
  if (!source.name.endsWith('.json'))
    return fromVocabulary(
      source.name,
      text.split(/\r?\n/).filter((line) => line !== ''),
      bad,
    );
  const parsed = (content: string, of: (reason: string) => Fault): unknown => {
    try {
      return JSON.parse(content);
    } catch (error) {
      throw of(error instanceof Error ? error.message : 'it is no JSON');
    }
  };
  const json = parsed(text, bad);
  if (!isObject(json) && !Array.isArray(json)) throw bad('it is neither a tokenizer.json nor a vocabulary');
  if (Array.isArray(json) || !isObject(json.model)) return fromVocabulary(source.name, json, bad);
  const beside = await source.beside('tokenizer_config.json').catch((): undefined => undefined);
  const config = beside ? parsed(await textOf(beside), (reason) => new Fault('data/tokenizer', { path: beside.path, reason })) : {};
  return fromLibrary(source.name, json, isObject(config) ? config : {}, bad);
};
