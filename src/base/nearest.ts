/** Damerau–Levenshtein distance (optimal string alignment), case-insensitive. */
const distance = (a: string, b: string): number => {
  const [s, t] = [a.toLowerCase(), b.toLowerCase()];
  const d = Array.from({ length: s.length + 1 }, (_, i) => Array.from({ length: t.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)));
  for (let i = 1; i <= s.length; i++) {
    for (let j = 1; j <= t.length; j++) {
      const same = s[i - 1] === t[j - 1] ? 0 : 1;
      d[i][j] = Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + same);
      if (i > 1 && j > 1 && s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1]) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[s.length][t.length];
};

/** The known name closest to `name`, or '' where none is within a third of its length (at least 2 edits, but fewer than it has letters). */
export const nearest = (name: string, known: readonly string[]): string => {
  const limit = Math.min(name.length - 1, Math.max(2, Math.floor(name.length / 3)));
  let best = '';
  let least = limit + 1;
  for (const k of known) {
    const n = distance(name, k);
    if (n < least) [best, least] = [k, n];
  }
  return best;
};
