/** Faults of `assay.json`. Lines start at 1. */
const suggest = (nearest: string): string => (nearest ? ` Did you mean '${nearest}'?` : '');

export const suiteFaults = {
  'suite/syntax': (d: { path: string; line: number; reason: string }): string => `'${d.path}', line ${d.line}: ${d.reason}.`,
  'suite/value': (d: { path: string; line: number; where: string; expected: string }): string =>
    `'${d.path}', line ${d.line}: ${d.where} must be ${d.expected}.`,
  'suite/key': (d: { path: string; line: number; where: string; nearest: string; known: readonly string[] }): string =>
    `'${d.path}', line ${d.line}: unknown key ${d.where}.${suggest(d.nearest)} Keys there: ${d.known.join(', ')}.`,
  'suite/key-twice': (d: { path: string; line: number; where: string }): string =>
    `'${d.path}', line ${d.line}: ${d.where} is there twice; remove one.`,
  'suite/name': (d: {
    path: string;
    line: number;
    where: string;
    what: string;
    id: string;
    nearest: string;
    known: readonly string[];
  }): string =>
    `'${d.path}', line ${d.line}: ${d.where} names the ${d.what} '${d.id}', which is not there.${suggest(d.nearest)} Known: ${d.known.join(', ') || 'none'}.`,
  'suite/twice': (d: { path: string; line: number; where: string; id: string }): string =>
    `'${d.path}', line ${d.line}: ${d.where} is called '${d.id}' like an earlier check; give each its own name.`,
};
