/** Faults found by a diagnostic in what it was given. */
export const diagnosticFaults = {
  'diagnostic/label': (d: { row: number; label: number; classes: number }): string =>
    `Row ${d.row} has label ${d.label}, but the model has ${d.classes} classes (0 to ${d.classes - 1}); correct the label, or name the output that has this class.`,
  'diagnostic/width': (d: { found: number; expected: number }): string =>
    `One batch has ${d.found} class probabilities per row and another ${d.expected}; diagnose one output of one model at a time.`,
  'diagnostic/target': (d: { target: string; nearest: string; classes: readonly string[] }): string =>
    `There is no class '${d.target}'.${d.nearest ? ` Did you mean '${d.nearest}'?` : ''} Classes: ${d.classes.join(', ')}; give a name or an index from 0 to ${d.classes.length - 1}.`,
  'diagnostic/no-label': (d: { row: number }): string =>
    `Row ${d.row} has no label to attribute to; choose target 'predicted', or name a class.`,
  'diagnostic/not-finite': (d: { row: number; what: string }): string =>
    `Row ${d.row}: ${d.what} holds NaN or infinity, so it cannot be attributed; correct the row, or choose other samples.`,
  'diagnostic/entry': (d: { columns: number; entry: number }): string =>
    d.entry === 0
      ? `The output holds ${d.columns} values a row, so which one is the prediction is not plain; choose it with entry (1 to ${d.columns}), or name an output of one value.`
      : `There is no value ${d.entry}: the output holds ${d.columns} a row; choose entry from 1 to ${d.columns}.`,
  'diagnostic/groups': (d: { column: string; most: number }): string =>
    `Column '${d.column}' has more than ${d.most} different values; name a column that groups rows (group), not one that tells them apart.`,
  'diagnostic/separable': (d: { title: string; rows: number }): string =>
    `${d.title} cannot be fitted: all ${d.rows} rows are classified correctly, so ever larger confidence would fit them ever better; fit it on rows that the model was not trained on, among them wrong ones.`,
  'diagnostic/unbounded-temperature': (d: { rows: number }): string =>
    `Temperature scaling has an unbounded temperature: on the ${d.rows} rows of the fit the logits tell no more than chance about the labels; check that labels and classes are in the same order.`,
  'diagnostic/class-missing': (d: { title: string; class: number; rows: number }): string =>
    `${d.title} cannot be fitted: none of the ${d.rows} rows of the fit is of class ${d.class}; fit it on more rows, or choose temperature.`,
  'diagnostic/one-class': (d: { title: string; rows: number }): string =>
    `${d.title} cannot be fitted: all ${d.rows} rows of the fit have the same label; fit it on rows of every class.`,
  'diagnostic/calibration-empty': (d: { split: string }): string =>
    `The rows of split '${d.split}' are all among those shown, so none are left to fit on; name another split with fitOn, or leave it out for cross-fitting.`,
  'diagnostic/folds': (d: { rows: number; folds: number }): string =>
    `${d.rows} ${d.rows === 1 ? 'row' : 'rows'} cannot be dealt to ${d.folds} folds; give more rows, fewer folds, or a split to fit on (fitOn).`,
  'diagnostic/no-samples': (d: { data: string }): string => `'${d.data}' has no rows to attribute; choose a split that holds some.`,
};
