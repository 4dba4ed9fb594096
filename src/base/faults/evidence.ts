/** What a subject cannot supply: a report with one of these is 'unavailable', not failed. */
export const evidenceFaults = {
  'evidence/no-labels': (d: { id: string; path: string; known: readonly string[] }): string =>
    `'${d.id}' needs labels, and '${d.path}' has none under a usual name; name them with y or give a file with labels. It has: ${d.known.join(', ')}.`,
  'evidence/score-size': (d: { id: string; path: string }): string =>
    `'${d.id}' judges confidences, and '${d.path}' was trained by a loss to which the size of scores does not matter (z-loss), so that their softmax is no probability; run 'recalibration' with save first, and judge the model that it writes.`,
  'evidence/attack-model': (d: { path: string; row: string; due: string }): string =>
    `'${d.path}' takes rows of ${d.row}, and the model attacked takes rows of ${d.due}; name one that reads the same inputs.`,
  'evidence/no-marks': (d: { id: string; path: string; known: readonly string[] }): string =>
    `'${d.id}' needs 0 or 1 for every label of a row, and '${d.path}' has no such labels: give an array [rows, labels] (y), or beside the scores a column label_<name> for each. It has: ${d.known.join(', ')}.`,
  'evidence/marks-width': (d: { labels: number; scores: number }): string =>
    `A row has ${d.labels} labels and ${d.scores} scores; give one score for each label, in the same order.`,
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
  'evidence/biases': (d: { tensor: string; reason: string }): string =>
    `The biases of tensor '${d.tensor}' cannot be written: ${d.reason}.`,
  'evidence/class-weights': (d: { output: string }): string =>
    `Output '${d.output}' does not end in a Gemm, MatMul or Conv with stored weights, so classes have no vectors of their own; give distances, a graph or embeddings in a file.`,
  'evidence/perturbed-input': (d: { input: string; dtype: string }): string =>
    `Input '${d.input}' takes ${d.dtype}, which cannot be changed by a little; correctness-aware calibration needs a model whose input is a float.`,
  'evidence/whole-input': (d: { input: string; dtype: string }): string =>
    `Input '${d.input}' takes ${d.dtype}, which has no gradient; name a model whose input is a float.`,
  'evidence/chance': (d: { model: string; node: string; op: string }): string =>
    `'${d.node}' (${d.op === 'Dropout' ? 'Dropout in training mode' : d.op}) of '${d.model}' draws random numbers, so one row has another gradient at every run; export the model for inference.`,
  'evidence/layer': (d: { model: string; layer: string; nearest: string; known: readonly string[] }): string =>
    `'${d.model}' has no value '${d.layer}' of floats between its input and its output, one row for each row of the batch${d.nearest ? `; did you mean '${d.nearest}'?` : ''}. It has: ${d.known.length > 24 ? `${d.known.slice(0, 24).join(', ')} and ${d.known.length - 24} more` : d.known.join(', ')}.`,
  'evidence/fixed-pairs': (d: { model: string; batch: number }): string =>
    `DeepLIFT takes a row and its baseline in one batch, and '${d.model}' has a fixed batch of ${d.batch}: use Integrated Gradients.`,
  'evidence/no-head': (d: { output: string; at: string; known: readonly string[] }): string =>
    `No single Gemm, MatMul or Conv makes output '${d.output}'${d.at ? ` (several values meet in ${d.at})` : ''}, so its features are not plain; name a layer (layer)${d.known.length > 0 ? `, such as ${d.known.join(', ')}` : ''}.`,
  'evidence/feature-layer': (d: { layer: string; dtype: string }): string =>
    `Layer '${d.layer}' holds ${d.dtype}, no numbers to use as features; name another layer (layer).`,
  'evidence/feature-rows': (d: { layer: string; shape: string; rows: number }): string =>
    `Layer '${d.layer}' has shape ${d.shape} for ${d.rows} rows, whose first axis is not the rows; name another layer (layer).`,
  'evidence/feature-rank': (d: { layer: string; shape: string }): string =>
    `A row of '${d.layer}' has shape ${d.shape}, no list of features; choose pooling channels-first (means over the last axes), channels-last (over the first) or flatten.`,
  'evidence/features-size': (d: { layer: string; rows: number; width: number; most: number }): string =>
    `${d.rows} rows of ${d.width} features of '${d.layer}' are more than the ${d.most} numbers that are kept in memory; use fewer rows (limit), a narrower layer or pooling.`,
  'evidence/ensemble-input': (d: { reason: string }): string =>
    `The ensemble cannot be saved as one model: ${d.reason}; leave save out, or name a column of token ids (tokens) that the models take.`,
  'evidence/no-map': (d: { output: string; shape: string }): string =>
    `Output '${d.output}' has shape ${d.shape}, which is no map [N, height, width] for each image; name the output that is the anomaly map (output).`,
  'evidence/no-maps': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' holds no anomaly maps; give a model whose output is a map, or name an array [N, height, width] (maps). It has: ${d.known.join(', ')}.`,
  'evidence/no-masks': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' holds no masks of defects; name an array [N, height, width], or a folder of images called like the data (masks). It has: ${d.known.join(', ')}.`,
  'evidence/numbers-compared': (d: { path: string; other?: string }): string =>
    `'${d.path}' holds predicted numbers, ${d.other === undefined ? "which are no class scores: set logits to values, or leave it 'auto'" : `and '${d.other}' scores of classes, which have no measure in common: give two of one kind`}.`,
  'evidence/no-scores': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' holds predicted numbers, and this diagnostic needs scores of classes: choose a regression diagnostic, or name the scores with columns. It has: ${d.known.join(', ')}.`,
};
