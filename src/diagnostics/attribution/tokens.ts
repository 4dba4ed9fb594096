import type { Token } from '../../evidence/evidence.ts';
import type { TokenPiece } from '../../report/report.ts';
import type { AttributedSamples } from './attribute.ts';
import type { EmbeddedSamples } from './embedded.ts';
import type { Attributed } from './method.ts';
import { methods } from './methods.ts';

/** Rows of tokens with one score each. */
export interface TokenRows {
  /** [rows][tokens] */
  readonly words: readonly (readonly Token[])[];
  /** [rows, tokens]: sums over the embedding, or its L2 norm where the map is a slope (card 00-attribution-common, Text). */
  readonly scores: Float64Array;
  /** Tokens that fill rows up. */
  readonly padding: readonly (readonly boolean[])[];
}

/** Scores of `tokens` tokens a row. */
export const perToken = (
  { values, grid }: Pick<Attributed, 'values' | 'grid'>,
  rows: number,
  tokens: number,
  norm: boolean,
): Float64Array => {
  if (grid?.kind === 'map') return values;
  const width = values.length / (rows * tokens);
  return Float64Array.from({ length: rows * tokens }, (_, t) => {
    const own = values.subarray(t * width, (t + 1) * width);
    return norm ? Math.hypot(...own) : own.reduce((sum, v) => sum + v, 0);
  });
};

/** A word of a row: Σ of its pieces' scores (card 00-attribution-common, Text). */
export interface Word {
  readonly text: string;
  readonly score: number;
  /** Its tokens, from the first one on. */
  readonly from: number;
  readonly pieces: number;
  readonly special: boolean;
}

/** The words of row `b`, padding left out. */
export const wordsIn = ({ words, scores, padding }: TokenRows, b: number): readonly Word[] => {
  const row = words[b];
  const at = b * row.length;
  return row.flatMap(({ text, continues, special, word }, from) => {
    if (padding[b][from] || continues) return [];
    let [score, pieces] = [scores[at + from], 1];
    while (row[from + pieces]?.continues) score += scores[at + from + pieces++];
    return [{ text: word ?? text, score, from, pieces, special: special === true }];
  });
};

/** Seven digits, what 32-bit floats hold. */
const short = (v: number): number => Number(v.toPrecision(7));

/** The tokens of row `b` as they are shown, padding left out. */
export const piecesIn = (tokens: TokenRows, b: number): readonly TokenPiece[] =>
  wordsIn(tokens, b).flatMap(({ text, score, from, pieces, special }) =>
    Array.from(
      { length: pieces },
      (_, i): TokenPiece => ({
        text: tokens.words[b][from + i].text,
        score: short(tokens.scores[b * tokens.words[b].length + from + i]),
        ...(special ? { special: true } : {}),
        ...(i > 0 ? { continues: true } : {}),
        ...(i === 0 && pieces > 1 ? { word: { text, score: short(score) } } : {}),
      }),
    ),
  );

/** The tokens of the rows attributed, if they are tokens and the map is over them. */
export const tokenRows = async (
  { embedding, padding = 0, words }: EmbeddedSamples,
  rows: readonly number[],
  tokens: Float32Array | undefined,
  found: AttributedSamples,
  signal: AbortSignal,
): Promise<TokenRows | undefined> => {
  if (!embedding || !tokens || found.grid?.kind === 'units') return undefined;
  const n = rows.length;
  const t = embedding.tokens;
  const ids = rows.map((_, b) => Array.from(tokens.subarray(b * t, (b + 1) * t)));
  return {
    words:
      (await words?.(rows, signal)) ??
      ids.map((row) => row.map((id): Token => ({ text: String(id), ...(id === padding ? { special: true } : {}) }))),
    scores: perToken(found, n, t, methods[found.method].kind === 'sensitivity'),
    padding: ids.map((row) => row.map((id) => id === padding)),
  };
};
