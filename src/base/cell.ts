const missing = new Set(['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', 'None', '?']);
const infinity: Readonly<Record<string, number>> = { inf: Infinity, '+inf': Infinity, '-inf': -Infinity };

/** The letter of 0x, 0b or 0o in second place (JavaScript takes them without a sign only). */
const prefixed = (field: string): boolean => {
  const t = field.charCodeAt(0) === 48 ? field : field.trimStart();
  const letter = t.charCodeAt(1) | 32;
  return t.charCodeAt(0) === 48 && (letter === 120 || letter === 98 || letter === 111);
};

/** A field as a number; NaN for a missing one; undefined where it is text. */
export const numeric = (field: string): number | undefined => {
  const n = Number(field);
  // Number reads 0x10, 0b1 and 0o7 too, and nothing as 0.
  if (n !== 0 && !Number.isNaN(n)) return prefixed(field) ? undefined : n;
  const t = field.trim();
  if (missing.has(t)) return Number.NaN;
  if (n === 0) return prefixed(t) ? undefined : 0;
  return infinity[t.toLowerCase()];
};
const isNumber = (field: string): boolean => !missing.has(field.trim()) && numeric(field) !== undefined;
const isText = (field: string): boolean => numeric(field) === undefined;

/** A first line is names unless it has numbers; numbers count as names when they are 0..n-1 or head a column whose neighbour names one. */
export const isHeader = (first: readonly string[], second: readonly string[]): boolean =>
  !first.some(isNumber) || first.every((f, i) => f === String(i)) || first.some((f, i) => isText(f) && isNumber(second[i] ?? ''));

const separators = [',', ';', '\t', '|'];
/** The most frequent separator of the first line; a tab where the name promises one and the line holds it. */
export const separatorOf = (line: string, name: string): string => {
  const bare = line.replace(/"[^"]*"/g, '');
  const counts = separators.map((s) => bare.split(s).length);
  if (counts[2] > 1 && /\.tsv$/i.test(name)) return '\t';
  return separators[counts.indexOf(Math.max(...counts))];
};
