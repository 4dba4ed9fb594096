/** Where a token stands in its text: UTF-16 offsets, the second one past its end. */
export type TextRange = readonly [number, number];

/** A token as bytes of the text that it was cut from; undefined where it stands for what the vocabulary does not hold. */
export type TokenBytes = Uint8Array | undefined;

/** UTF-8 of a text after a change of each of its characters, with the range that each byte comes from. White space is a space. */
interface Traced {
  readonly bytes: Uint8Array;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
}

const SPACE = 32;
/** A token that does not follow at once is looked for this many bytes ahead. */
const AHEAD = 256;
/** A character with the marks that combine with it. */
const characters = /\P{M}\p{M}*|\p{M}+/gu;
const spaces = /\s/g;

const utf8 = new TextEncoder();

/** Bytes of a token as they are compared: white space is a space, and does not count where a token begins. */
export const tokenBytes = (token: string): Uint8Array => utf8.encode(token.replace(spaces, ' ').replace(/^ +/, ''));

const trace = (text: string, change: (character: string) => string): Traced => {
  const bytes: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  for (const { 0: character, index } of text.matchAll(characters)) {
    for (const byte of utf8.encode(change(character).replace(spaces, ' '))) {
      bytes.push(byte);
      from.push(index);
      to.push(index + character.length);
    }
  }
  return { bytes: Uint8Array.from(bytes), from: Uint32Array.from(from), to: Uint32Array.from(to) };
};

const standsAt = (bytes: Uint8Array, token: Uint8Array, at: number): boolean => {
  if (at + token.length > bytes.length) return false;
  for (let i = 0; i < token.length; i++) if (bytes[at + i] !== token[i]) return false;
  return true;
};

const find = ({ bytes }: Traced, token: Uint8Array, from: number): number | undefined => {
  for (let at = from; at <= Math.min(bytes.length - token.length, from + AHEAD); at++) if (standsAt(bytes, token, at)) return at;
  return undefined;
};

/** A word that no token is known for: letters, digits and marks together, any other sign alone. */
const word = /[\p{L}\p{N}\p{M}]+|\S/uy;

/**
 * Where tokens stand in the text, in their order. A byte-level token may hold part of a character: then it stands where the whole
 * character does. Undefined where a token stands nowhere, as those that a template adds do.
 */
export const tokenRanges = (
  text: string,
  tokens: readonly TokenBytes[],
  change: (character: string) => string,
): readonly (TextRange | undefined)[] => {
  const traced = trace(text, change);
  const { bytes, from, to } = traced;
  let cursor = 0;
  const skipSpace = (): void => {
    while (cursor < bytes.length && bytes[cursor] === SPACE) cursor++;
  };
  return tokens.map((token): TextRange | undefined => {
    if (token === undefined) {
      skipSpace();
      if (cursor >= bytes.length) return undefined;
      word.lastIndex = from[cursor];
      const [found] = word.exec(text) ?? [];
      if (found === undefined) return undefined;
      const range: TextRange = [from[cursor], from[cursor] + found.length];
      while (cursor < bytes.length && from[cursor] < range[1]) cursor++;
      return range;
    }
    if (token.length === 0) return undefined;
    skipSpace();
    const at = find(traced, token, cursor);
    if (at === undefined) return undefined;
    cursor = at + token.length;
    return [from[at], to[cursor - 1]];
  });
};
