/** Faults of options and identifiers given by the user. `nearest` is '' where nothing is near. */
const suggest = (nearest: string): string => (nearest ? ` Did you mean '${nearest}'?` : '');

export const optionFaults = {
  'option/unknown': (d: { name: string; of: string; nearest: string; known: readonly string[] }): string =>
    `Unknown option '${d.name}' for ${d.of}.${suggest(d.nearest)} Options: ${d.known.join(', ') || 'none'}.`,
  'option/value': (d: { name: string; value: string; expected: string }): string =>
    `Option '${d.name}' is '${d.value}' but must be ${d.expected}.`,
  'option/twice': (d: { name: string }): string => `Option '${d.name}' is given twice; give it once.`,
  'option/word': (d: { word: string; after: string; usage: string }): string =>
    `Unexpected '${d.word}' after ${d.after}. Usage: ${d.usage}`,
  'option/without-model': (d: { names: readonly string[] }): string =>
    `Without a model the data is a table of predictions, which has no use for ${d.names.map((n) => `'${n}'`).join(', ')}; give a model, or leave ${d.names.length === 1 ? 'it' : 'them'} out.`,
  'option/with-model': (d: { name: string }): string =>
    `Option '${d.name}' is for tables of predictions; with a model, name the inputs with x and the labels with y.`,
  'option/against': (d: { id: string }): string =>
    `'${d.id}' compares two models or tables of predictions, and one was given; name the other with against.`,
  'option/no-against': (d: { id: string }): string => `'${d.id}' looks at one model or table, so 'against' has no use; leave it out.`,
  'option/compare': (d: { run: string; other: string }): string =>
    `'${d.run}' is a saved run and '${d.other}' is none; compare two runs, or two models or tables of predictions.`,
  'option/apart': (d: { name: string; other: string }): string => `${d.name} and ${d.other} do not go together; leave one out.`,
  'option/missing': (d: { name: string; usage: string }): string => `Missing ${d.name}. Usage: ${d.usage}`,
  'id/ambiguous': (d: { what: string; id: string; places: readonly string[] }): string =>
    `Several assay.json files have a ${d.what} '${d.id}'; say which: ${d.places.join(', ')}.`,
  'id/unknown': (d: { what: string; id: string; nearest: string; known: readonly string[] }): string =>
    `Unknown ${d.what} '${d.id}'.${suggest(d.nearest)} Known: ${d.known.join(', ')}.`,
};
