import type { EmbeddedSamples } from './embedded.ts';
import type { Attributed } from './method.ts';
import { methods } from './methods.ts';
import type { AttributionChoice } from './options.ts';

/** Rows of tokens with one score each. */
export interface TokenRows {
  /** [rows][tokens] */
  readonly words: readonly (readonly string[])[];
  /** [rows, tokens]: sums over the embedding, or its L2 norm where the map is a slope (card 00-attribution-common, Text). */
  readonly scores: Float64Array;
  /** Tokens that fill rows up. */
  readonly padding: readonly (readonly boolean[])[];
}

/** Scores of `tokens` tokens a row. */
const perToken = ({ values, grid }: Pick<Attributed, 'values' | 'grid'>, rows: number, tokens: number, norm: boolean): Float64Array => {
  if (grid?.kind === 'map') return values;
  const width = values.length / (rows * tokens);
  return Float64Array.from({ length: rows * tokens }, (_, t) => {
    const own = values.subarray(t * width, (t + 1) * width);
    return norm ? Math.hypot(...own) : own.reduce((sum, v) => sum + v, 0);
  });
};

/** The tokens of the rows attributed, if they are tokens and the map is over them. */
export const tokenRows = async (
  { embedding, padding = 0, words }: EmbeddedSamples,
  rows: readonly number[],
  tokens: Float32Array | undefined,
  found: Attributed,
  method: AttributionChoice['method'],
  signal: AbortSignal,
): Promise<TokenRows | undefined> => {
  if (!embedding || !tokens || found.grid?.kind === 'units') return undefined;
  const n = rows.length;
  const t = embedding.tokens;
  const ids = rows.map((_, b) => Array.from(tokens.subarray(b * t, (b + 1) * t)));
  return {
    words: (await words?.(rows, signal)) ?? ids.map((row) => row.map(String)),
    scores: perToken(found, n, t, methods[method].kind === 'sensitivity'),
    padding: ids.map((row) => row.map((id) => id === padding)),
  };
};
