import type { TextRange } from './token-ranges.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A token of a text, as it is shown. */
export interface Token {
  readonly text: string;
  /** Goes on with the word of the token before it. */
  readonly continues?: true;
  /** Put there by the tokenizer and not by the text: where it begins, ends, or is filled up. */
  readonly special?: true;
  /** The whole word, at the first of its several tokens. */
  readonly word?: string;
}

/** Signs that a word goes on with; those of scripts without spaces between words are words of their own. */
const within = /^[\p{L}\p{N}\p{M}_]$/u;
const apart = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]$/u;
const inWord = (sign: string | undefined): boolean => sign !== undefined && within.test(sign) && !apart.test(sign);

/** Whether two tokens are pieces of one word: they share a character, or letters or digits meet without a gap. */
const joined = (text: string, [start, end]: TextRange, [next, last]: TextRange): boolean =>
  next < end || (next === end && inWord([...text.slice(start, end)].at(-1)) && inWord([...text.slice(next, last)].at(0)));

/** The tokens of a text, cut or filled up to `size` of them, with the words that they are pieces of. */
export const tokensIn = (text: string, tokenizer: Tokenizer, size: number): readonly Token[] => {
  const { ids, words } = tokenizer.encode(text);
  const ranges = tokenizer.ranges(text, size);
  const count = Math.min(size, ids.length);
  /** A strange word as it is written. */
  const shown = (k: number): string => {
    const range = ids[k] === tokenizer.unknown ? ranges[k] : undefined;
    return range ? text.slice(range[0], range[1]) : words[k];
  };
  const continues = (k: number): boolean => {
    const [before, own] = [ranges[k - 1], ranges[k]];
    return k > 0 && k < count && before !== undefined && own !== undefined && joined(text, before, own);
  };
  return Array.from({ length: size }, (_, k): Token => {
    if (k >= count) return { text: tokenizer.word(tokenizer.padding), special: true };
    if (tokenizer.specials.has(ids[k])) return { text: words[k], special: true };
    if (continues(k)) return { text: shown(k), continues: true };
    let end = k + 1;
    while (continues(end)) end++;
    if (end === k + 1) return { text: shown(k) };
    const pieces = ids.slice(k, end);
    const [first, last] = [ranges[k], ranges[end - 1]];
    const strange = tokenizer.unknown !== undefined && pieces.includes(tokenizer.unknown);
    return { text: shown(k), word: strange && first && last ? text.slice(first[0], last[1]) : tokenizer.decode(pieces) };
  });
};
