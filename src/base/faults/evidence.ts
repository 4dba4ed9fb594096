/** What a subject cannot supply: a report with one of these is 'unavailable', not failed. */
export const evidenceFaults = {
  'evidence/no-labels': (d: { id: string; path: string; known: readonly string[] }): string =>
    `'${d.id}' needs labels, and '${d.path}' has none under a usual name; name them with y or give a file with labels. It has: ${d.known.join(', ')}.`,
  'evidence/no-model': (d: { id: string; tool: string }): string =>
    `'${d.id}' asks the model itself (${d.tool}), and a table of predictions has none; give a model.`,
  'evidence/one-score': (d: { output: string; row: number; value: number }): string =>
    `${d.output} has one score per row, and row ${d.row} has ${d.value}, no probability: choose binary (labels 0 and 1) or a regression diagnostic.`,
  'evidence/no-classes': (d: { path: string; row: number; label: number }): string =>
    `Labels of '${d.path}' are no classes (row ${d.row} has ${d.label}); this diagnostic needs whole class numbers from 0.`,
  'evidence/output-shape': (d: { output: string; shape: string }): string =>
    `Output '${d.output}' has shape ${d.shape}; this diagnostic needs one score per class and row, [rows, classes].`,
  'evidence/multi-label': (d: { output: string }): string =>
    `${d.output} ends in a Sigmoid over several columns, which are independent labels and not one class per row; this diagnostic needs one class per row.`,
  'evidence/scores-size': (d: { rows: number; classes: number; most: number }): string =>
    `${d.rows} rows of ${d.classes} scores are more than the ${d.most} numbers that are kept in memory; use fewer rows (limit).`,
  'evidence/whole-input': (d: { input: string; dtype: string }): string =>
    `Input '${d.input}' takes ${d.dtype}, which has no gradient; name a model whose input is a float.`,
};
