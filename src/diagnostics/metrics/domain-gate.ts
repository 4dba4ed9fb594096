/** How much a token belongs to a domain: term frequency times inverse domain frequency, smoothed or not, or times its share. */
export type GateKind = 'tf-idf-smooth' | 'tf-idf' | 'freq-unique';
export const gateKinds: readonly GateKind[] = ['tf-idf-smooth', 'tf-idf', 'freq-unique'];
/** As they are called in the field. */
export const gateTitles: Readonly<Record<GateKind, string>> = {
  'tf-idf-smooth': 'tf-idf, smoothed',
  'tf-idf': 'tf-idf',
  'freq-unique': 'frequency × uniqueness',
};

/** Counts of tokens by domain, as plain data: they merge by adding. */
export interface TokenCounts {
  readonly domains: number;
  /** Tokens of a domain in all. */
  readonly totals: Float64Array;
  readonly tokens: Map<string, Float64Array>;
}

export const noTokens = (domains: number): TokenCounts => ({ domains, totals: new Float64Array(domains), tokens: new Map() });

export const addTokens = ({ domains, totals, tokens }: TokenCounts, words: readonly string[], domain: number): void => {
  totals[domain] += words.length;
  for (const word of words) {
    let counts = tokens.get(word);
    if (!counts) {
      counts = new Float64Array(domains);
      tokens.set(word, counts);
    }
    counts[domain]++;
  }
};

export const mergeTokens = (to: TokenCounts, from: TokenCounts): void => {
  for (const [d, n] of from.totals.entries()) to.totals[d] += n;
  for (const [word, counts] of from.tokens) {
    const own = to.tokens.get(word);
    if (own) for (const [d, n] of counts.entries()) own[d] += n;
    else to.tokens.set(word, counts.slice());
  }
};

/** Belonging of each token to each domain. Tokens counted fewer than `least` times belong to none (card 35). */
export type GateTable = ReadonlyMap<string, Float64Array>;

export const gateTable = ({ domains, totals, tokens }: TokenCounts, kind: GateKind, least: number): GateTable => {
  const out = new Map<string, Float64Array>();
  for (const [word, counts] of tokens) {
    const all = counts.reduce((a, b) => a + b, 0);
    if (all < least) continue;
    const df = counts.reduce((n, c) => n + Number(c > 0), 0);
    const idf = kind === 'tf-idf' ? Math.log(domains / df) : Math.log((1 + domains) / (1 + df)) + 1;
    out.set(
      word,
      counts.map((c, d) => (totals[d] === 0 ? 0 : (c / totals[d]) * (kind === 'freq-unique' ? c / all : idf))),
    );
  }
  return out;
};

/** Σ over tokens of their belonging; unknown tokens belong nowhere. */
export const belonging = (table: GateTable, words: readonly string[], domains: number): Float64Array => {
  const out = new Float64Array(domains);
  for (const word of words) {
    const own = table.get(word);
    if (own) for (let d = 0; d < domains; d++) out[d] += own[d];
  }
  return out;
};

/** Weights of the domains for a row: belonging divided by its sum, equal ones where that is 0. */
export const gateOf = (table: GateTable, words: readonly string[], domains: number): Float64Array => {
  const dbd = belonging(table, words, domains);
  const sum = dbd.reduce((a, b) => a + b, 0);
  return sum > 0 ? dbd.map((v) => v / sum) : dbd.fill(1 / domains);
};

/** Words of a text: runs of letters, digits and marks within them, in lower case. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}\p{M}_]+(?:['’\u200c][\p{L}\p{N}\p{M}]+)*/gu) ?? [];
