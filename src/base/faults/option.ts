/** Faults of options and identifiers given by the user. `nearest` is '' where nothing is near. */
const suggest = (nearest: string): string => (nearest ? ` Did you mean '${nearest}'?` : '');

export const optionFaults = {
  'option/unknown': (d: { name: string; of: string; nearest: string; known: readonly string[] }): string =>
    `Unknown option '${d.name}' for ${d.of}.${suggest(d.nearest)} Options: ${d.known.join(', ') || 'none'}.`,
  'option/value': (d: { name: string; value: string; expected: string }): string =>
    `Option '${d.name}' is '${d.value}' but must be ${d.expected}.`,
  'option/missing': (d: { name: string; usage: string }): string => `Missing ${d.name}. Usage: ${d.usage}`,
  'id/unknown': (d: { what: string; id: string; nearest: string; known: readonly string[] }): string =>
    `Unknown ${d.what} '${d.id}'.${suggest(d.nearest)} Known: ${d.known.join(', ')}.`,
};
