/** Faults found by a diagnostic in what it was given. */
export const diagnosticFaults = {
  'diagnostic/label': (d: { row: number; label: number; classes: number }): string =>
    `Row ${d.row} has label ${d.label}, but the model has ${d.classes} classes (0 to ${d.classes - 1}); correct the label, or name the output that has this class.`,
  'diagnostic/width': (d: { found: number; expected: number }): string =>
    `One batch has ${d.found} class probabilities per row and another ${d.expected}; diagnose one output of one model at a time.`,
};
