/** Faults found by a diagnostic in what it was given. */
export const diagnosticFaults = {
  'diagnostic/audit-level': (d: { level: number; places: number }): string =>
    `A level of ${d.level} % keeps none of ${d.places} inputs; choose higher levels.`,
  'diagnostic/audit-size': (d: { rows: number; width: number; most: number }): string =>
    `${d.rows} rows of ${d.width} inputs are more than the ${d.most} numbers that the audit keeps in memory; use fewer rows (limit).`,
  'diagnostic/audit-split': (d: { split: string; rows: number }): string =>
    `${d.rows} rows of split '${d.split}' are among those trained on; name splits without rows in common (split, test).`,
  'diagnostic/audit-tokens': (d: { model: string }): string =>
    `'${d.model}' takes tokens, which cannot be filled with a mean; audit a model of pictures or numbers (of text, hide tokens behind a mask token in the data).`,
  'diagnostic/audit-classes': (d: { model: string }): string =>
    `'${d.model}' tells no classes apart, and the audit measures accuracy; audit a classifier.`,
  'diagnostic/audit-grid': (d: { method: string; values: number; inputs: number }): string =>
    `Method '${d.method}' gives ${d.values} values for a row of ${d.inputs} inputs, so inputs cannot be ranked by it; choose a method that attributes to inputs.`,
  'diagnostic/label-randomisation': (d: { model: string; reason: string }): string =>
    `Label randomisation trains copies on classes, and ${d.model} ${d.reason}; leave labelRandomisation off.`,
  'diagnostic/block-model': (d: { path: string; shape: string; dims: readonly number[] }): string =>
    `'${d.path}' takes rows of shape ${d.shape}, and the pictures stacked with their block have [N,${d.dims.join(',')}]; name a model that was trained on such pictures.`,
  'diagnostic/block-alone': (_: object): string =>
    'With references off nothing is trained, so there is nothing to measure; name the model to measure with trained.',
  'diagnostic/block-images': (d: { dims: readonly number[]; image: string }): string =>
    d.image === ''
      ? `Rows of shape [${d.dims.join(', ')}] are no pictures that blocks can be stacked on; give images, or name the shape of a flat row with image (HxW or CxHxW).`
      : `Rows of shape [${d.dims.join(', ')}] are no pictures of ${d.image} with 1 or 3 channels and sides of at least 4; correct image.`,
  'diagnostic/sweep-classes': (d: { classes: number }): string =>
    `Z-loss needs at least 3 classes, and the rows have ${d.classes}: of two standardised scores one is always 1 and the other -1.`,
  'diagnostic/dense-softmax': (d: { tensor: string }): string =>
    `Tensor '${d.tensor}' is made by a Softmax, whose classes share each anchor; scores with a sigmoid of their own are due: name another tensor, or look at Gradient Dilution.`,
  'diagnostic/dense-probabilities': (d: { tensor: string }): string =>
    `All values of tensor '${d.tensor}' lie between 0 and 1, as probabilities do; name the tensor of logits before them.`,
  'diagnostic/dense-shape': (d: { tensor: string; shape: string; layout: string; due: string }): string =>
    `A row of tensor '${d.tensor}' has the shape ${d.shape}; with layout '${d.layout}' ${d.due} is due.`,
  'diagnostic/dense-source': (_: object): string =>
    'Name what the anchors should be: targets, an array of class numbers per anchor, or boxes, boxClasses and anchors to match.',
  'diagnostic/dense-array': (d: { name: string; shape: string; due: string }): string =>
    `Array '${d.name}' has the shape ${d.shape}, where ${d.due} is due.`,
  'diagnostic/dense-class': (d: { name: string; row: number; value: number; classes: number }): string =>
    `Array '${d.name}' has ${d.value} in row ${d.row}; -1 (ignored), 0 (background) and classes 1 to ${d.classes} are due.`,
  'diagnostic/box': (d: { name: string; row: number; box: string; format: string }): string =>
    `Array '${d.name}' has the box [${d.box}] in row ${d.row}, which as ${d.format} has no area; look at boxFormat.`,
  'diagnostic/no-foreground': (d: { anchors: number }): string =>
    `None of ${d.anchors} anchors is foreground: check the format of boxes (boxFormat), their units beside those of the anchors, and the thresholds.`,
  'diagnostic/nothing-to-separate': (d: { rows: number }): string =>
    `All ${d.rows} rows are of one class, so there is nothing to separate; give rows of at least two.`,
  'diagnostic/two-classes': (_: object): string =>
    "Name two different classes with 'positive' and 'negative', or neither for every class against the rest.",
  'diagnostic/zero-features': (d: { layer: string }): string =>
    `Every feature of ${d.layer} is 0 for all rows, so nothing can be separated by them; choose another layer, or check that the model's weights were loaded.`,
  'diagnostic/batch-rows': (d: { rows: number }): string =>
    `The data have ${d.rows} labelled ${d.rows === 1 ? 'row' : 'rows'}, and statistics of a batch need at least 2; give more rows.`,
  'diagnostic/probe-loss': (d: { rows: number }): string =>
    `The loss of the ${d.rows} rows is not finite, so there is no gradient to test; check the rows for extreme values and the weights for NaN.`,
  'diagnostic/no-weights': (_: object): string =>
    'No parameter of the model has two axes or more, so there is no weight to test; give a model with dense layers or convolutions.',
  'diagnostic/zero-attribution': (d: { method: string; rows: number; of: number; row: number }): string =>
    `Attributions by '${d.method}' are all zero for ${d.rows} of ${d.of} rows, the first being row ${d.row}: ranks are arbitrary there; choose the logit (outputScale), another target or another method.`,
  'diagnostic/forecast': (d: { columns: number; names: readonly string[]; form: string }): string =>
    `The predictions hold ${d.columns} ${d.columns === 1 ? 'value' : 'values'} a row${d.names.length > 0 ? ` (${d.names.join(', ')})` : ''}, which is no forecast of form '${d.form}'; choose form (mean-sd, mean-variance, mean-log-variance and interval take two values), give levels with one number for each value, or name a column of standard deviations (spread).`,
  'diagnostic/spread': (d: { row: number; value: number }): string =>
    `Row ${d.row} has the predicted spread ${d.value}; a standard deviation or variance is a number above 0. Correct the row, or choose the form that these values have (form).`,
  'diagnostic/label': (d: { row: number; label: number; classes: number }): string =>
    `Row ${d.row} has label ${d.label}, but the model has ${d.classes} classes (0 to ${d.classes - 1}); correct the label, or name the output that has this class.`,
  'diagnostic/width': (d: { found: number; expected: number }): string =>
    `One batch has ${d.found} class probabilities per row and another ${d.expected}; diagnose one output of one model at a time.`,
  'diagnostic/target': (d: { target: string; nearest: string; classes: readonly string[] }): string =>
    `There is no class '${d.target}'.${d.nearest ? ` Did you mean '${d.nearest}'?` : ''} Classes: ${d.classes.join(', ')}; give a name or an index from 0 to ${d.classes.length - 1}.`,
  'diagnostic/costs': (d: { line: number; reason: string }): string =>
    `The file of costs cannot be used: line ${d.line}: ${d.reason}. Give one line of numbers for each actual class and one column for each predicted one, in class order, or named in the first line and before each line.`,
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
  'diagnostic/domain-count': (d: { column: string; domains: number; most: number }): string =>
    `Column '${d.column}' names ${d.domains} ${d.domains === 1 ? 'domain' : 'domains'} among the rows; domains are compared where there are 2 to ${d.most}: name another column in 'group'.`,
  'diagnostic/class-missing': (d: { title: string; class: number; rows: number }): string =>
    `${d.title} cannot be fitted: none of the ${d.rows} rows of the fit is of class ${d.class}; fit it on more rows, or choose temperature.`,
  'diagnostic/one-class': (d: { title: string; rows: number }): string =>
    `${d.title} cannot be fitted: all ${d.rows} rows of the fit have the same label; fit it on rows of every class.`,
  'diagnostic/calibration-empty': (d: { split: string }): string =>
    `The rows of split '${d.split}' are all among those shown, so none are left to fit on; name another split with fitOn, or leave it out for cross-fitting.`,
  'diagnostic/folds': (d: { rows: number; folds: number }): string =>
    `${d.rows} ${d.rows === 1 ? 'row' : 'rows'} cannot be dealt to ${d.folds} folds; give more rows, fewer folds, or a split to fit on (fitOn).`,
  'diagnostic/no-group': (_: object): string =>
    'Rows are to be deduplicated, but no column groups them; name it with group, or set dedupe to off.',
  'diagnostic/quantity': (_: object): string =>
    'predictedQuantity alone gives no offset: name the column of the same quantity measured with trueQuantity, too.',
  'diagnostic/duplicate-id': (d: { column: string; count: number; first: number; again: number }): string =>
    `Ids in '${d.column}' are not unique: row ${d.again} has that of row ${d.first}${d.count > 1 ? `, and ${d.count - 1} more ${d.count === 2 ? 'row repeats one' : 'rows repeat one'}` : ''}; remove the rows given twice, or leave id empty.`,
  'diagnostic/no-predictions': (d: { rows: number }): string =>
    `All ${d.rows} predictions are missing, so nothing can be measured; name the column that holds them.`,
  'diagnostic/no-confidence': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' has neither token log-probabilities nor a confidence under a usual name; name a column with logProbs or score. It has: ${d.known.join(', ')}.`,
  'diagnostic/no-correct': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' does not say which generations are correct; name the column of 0 and 1 with correct. It has: ${d.known.join(', ')}.`,
  'diagnostic/no-lines': (d: { path: string; known: readonly string[] }): string =>
    `Lines need the texts of the tokens beside their log-probabilities, and '${d.path}' lacks one of them; add a column tokens, or choose level completion. It has: ${d.known.join(', ')}.`,
  'diagnostic/no-units': (d: { path: string; what: string }): string => `'${d.path}' holds no ${d.what}.`,
  'diagnostic/correct': (d: { column: string; rows: readonly number[]; count: number }): string =>
    `Column '${d.column}' must hold 0 or 1, and does not in ${d.count === 1 ? 'row' : 'rows'} ${d.rows.join(', ')}${d.count > d.rows.length ? ` and ${d.count - d.rows.length} more` : ''}; mend them, or, where it holds similarities from 0 to 1, say from where on they count as correct (threshold).`,
  'diagnostic/confidence': (d: { column: string; row: number; value: number; percent: boolean }): string =>
    Number.isNaN(d.value)
      ? `Row ${d.row} has no number in '${d.column}'; fill it or remove the row.`
      : `Found ${d.value} in '${d.column}', row ${d.row}, which is no confidence ${d.percent ? 'in percent' : 'from 0 to 1'}; ${d.percent ? 'mend it' : "declare scoreScale 'percent' if that is what it holds, or mend it"}.`,
  'diagnostic/list': (d: { column: string; row: number; found: string }): string =>
    `Row ${d.row} of '${d.column}' should hold a list, and holds '${d.found}'; write a JSON list.`,
  'diagnostic/no-tokens': (d: { column: string; row: number }): string =>
    `Row ${d.row} of '${d.column}' holds no tokens; remove the row, or record the tokens generated.`,
  'diagnostic/log-prob': (d: { column: string; row: number; token: number; value: string }): string =>
    `Row ${d.row} of '${d.column}', token ${d.token}: ${d.value} is no log-probability, which is a number of at most 0; give natural logarithms of the probabilities of the tokens generated.`,
  'diagnostic/token-count': (d: { column: string; row: number; tokens: number; found: number }): string =>
    `Row ${d.row} has ${d.tokens} tokens in '${d.column}' and ${d.found} log-probabilities; give one for each.`,
  'diagnostic/line-count': (d: { column: string; row: number; lines: number; found: number }): string =>
    `Row ${d.row} has ${d.lines} lines that are not blank, and ${d.found} outcomes in '${d.column}'; give one for each such line.`,
  'diagnostic/single-outcome': (d: { what: string; count: number; passed: boolean }): string =>
    `All ${d.count} ${d.what} ${d.passed ? 'pass' : 'fail'}: calibration is undefined; give some of either outcome.`,
  'diagnostic/fold-outcomes': (d: { fewest: number; folds: number }): string =>
    `There is no rescaling: only ${d.fewest} units have the rarer outcome, and each of ${d.folds} folds needs 10; give more, or fewer folds.`,
  'diagnostic/fold-groups': (d: { column: string; groups: number; folds: number }): string =>
    `There is no rescaling: '${d.column}' has ${d.groups} ${d.groups === 1 ? 'group' : 'groups'}, fewer than ${d.folds} folds; give fewer folds, or another column to group by.`,
  'diagnostic/layer': (d: { layer: string; known: readonly string[] }): string =>
    `The model has no value '${d.layer}' between its input and its output; name one of ${d.known.length > 24 ? `${d.known.slice(0, 24).join(', ')} and ${d.known.length - 24} more` : d.known.join(', ')} (layer).`,
  'diagnostic/layer-rank': (d: { layer: string; shape: string }): string =>
    `Grad-CAM needs feature maps [N, channels, height, width], and '${d.layer}' has shape ${d.shape}; name another layer.`,
  'diagnostic/no-feature-maps': (d: { layers: readonly string[] }): string =>
    `The model has no feature maps [N, channels, height, width] for Grad-CAM: its layers are ${d.layers.slice(0, 12).join(', ') || 'none'}. Use Integrated Gradients.`,
  'diagnostic/against': (d: { output: string }): string =>
    `'${d.output}' has one value a row, so there is no second class to take away; leave againstClass empty.`,
  'diagnostic/output-scale': (d: { output: string; scale: string }): string =>
    `'${d.output}' has no classes, so there is no ${d.scale} of one; leave outputScale at logit, which takes the value itself.`,
  'diagnostic/no-class': (d: { target: string }): string =>
    `The model has one value a row and no classes, so there is no class '${d.target}'; leave class and againstClass empty.`,
  'diagnostic/same-class': (d: { target: string }): string =>
    `Class '${d.target}' less itself is 0 everywhere; choose another class to take away (againstClass).`,
  'diagnostic/window': (d: { window: number; height: number; width: number }): string =>
    `A window of ${d.window} is larger than the ${d.height === 1 ? `${d.width} inputs` : `picture of ${d.height} × ${d.width}`}; choose a smaller window.`,
  'diagnostic/stride': (d: { window: number; stride: number }): string =>
    `A stride of ${d.stride} leaves gaps between windows of ${d.window}; choose a stride of at most the window.`,
  'diagnostic/coalitions': (d: { players: number; masks: number }): string =>
    `KernelSHAP of ${d.players} parts needs at least ${2 * d.players} coalitions, and ${d.masks} were allowed; raise masks.`,
  'diagnostic/no-embeddings': (d: { path: string; what: string; known: readonly string[] }): string =>
    `'${d.path}' holds no ${d.what} under a usual name; name the array. It has: ${d.known.join('; ')}.`,
  'diagnostic/embeddings-shape': (d: { path: string; name: string; shape: string; due: string }): string =>
    `'${d.name}' of '${d.path}' is [${d.shape}], where ${d.due} is due.`,
  'diagnostic/embedding-width': (d: { what: string; found: number; text: number }): string =>
    `Embeddings do not belong together: ${d.what} ${d.found}, text ${d.text} values; take both from one pair of encoders.`,
  'diagnostic/vector': (d: { what: string; place: string; finite: boolean }): string =>
    `${d.what} at ${d.place} ${d.finite ? 'is all zero, which has no direction' : 'holds NaN or infinity'}; correct or remove it.`,
  'diagnostic/no-reference': (d: { debias: string }): string =>
    `debias '${d.debias}' needs reference images, and there are none; name their embeddings with reference or referenceFile, or set debias to test.`,
  'diagnostic/no-folding': (_: object): string =>
    'Weights of every image cannot be saved in one matrix; leave perExample off to save the model.',
  'diagnostic/few-shards': (d: { rows: number; shards: number; least: number; due: number }): string =>
    `${d.rows} rows give ${d.shards} ${d.shards === 1 ? 'shard' : 'shards'} of at least ${d.least} rows; a curve needs at least ${d.due}: give more rows, or lower leastRows.`,
  'diagnostic/few-sizes': (d: { path: string; sizes: number; due: number }): string =>
    `'${d.path}' holds errors at ${d.sizes} usable ${d.sizes === 1 ? 'size' : 'sizes'}; a curve needs at least ${d.due}.`,
  'diagnostic/curve-columns': (d: { path: string; what: string; known: readonly string[] }): string =>
    `'${d.path}' has no column of ${d.what} under a usual name; name it with ${d.what === 'sizes' ? 'size' : 'error'}, or give a recipe to train. It has: ${d.known.join(', ')}.`,
  'diagnostic/curve-size': (d: { path: string; row: number; column: string; value: number }): string =>
    `Row ${d.row} of '${d.path}' holds ${d.value} in '${d.column}', which is no ${d.column === 'error' ? 'error' : 'number'} above 0; correct or remove it.`,
  'diagnostic/higher-better': (d: { column: string }): string =>
    `'${d.column}' is better where it is higher; give what falls with more data, such as 1 − accuracy.`,
  'diagnostic/validation-repeated': (d: { path: string; repeated: number; rows: number }): string =>
    `${d.repeated} of the ${d.rows} validation rows of '${d.path}' are among the training rows, so their error would tell nothing; hold other rows out.`,
  'diagnostic/no-temperature': (_: object): string =>
    'No row has the label of a class, so no temperature can be fitted; give one (temperature), or rows with such labels.',
  'diagnostic/metric-missing': (_: object): string =>
    'Nothing says how far labels are apart: name a file of distances, edges or embeddings with metricFile, or set metric to order, or, with a model, to weights.',
  'diagnostic/metric-shape': (d: { path: string; shape: string }): string =>
    `Distances in '${d.path}' are ${d.shape}, not a square table; give one row and one column for every label.`,
  'diagnostic/metric-cell': (d: { path: string; row: number; column: number; value: number; due: string }): string =>
    `Distances in '${d.path}': row ${d.row}, column ${d.column} holds ${d.value} where ${d.due} is due; correct it.`,
  'diagnostic/metric-edge': (d: { path: string; row: number; from: string; to: string; weight: number }): string =>
    `Row ${d.row} of '${d.path}' gives the edge from '${d.from}' to '${d.to}' the length ${d.weight}; lengths are above 0.`,
  'diagnostic/metric-apart': (d: { path: string; from: string; to: string; reached: number; labels: number }): string =>
    `The edges in '${d.path}' do not connect all labels: '${d.to}' cannot be reached from '${d.from}', which reaches ${d.reached} of ${d.labels}; add the edges that are missing.`,
  'diagnostic/metric-array': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' holds several tables, and which one tells distances is not plain; name it with metricArray. It has: ${d.known.join(', ')}.`,
  'diagnostic/embedding-shape': (d: { path: string; shape: string }): string =>
    `Embeddings of labels in '${d.path}' are ${d.shape}; give one row for every label, [labels, width].`,
  'diagnostic/embedding': (d: { path: string; row: number; finite: boolean }): string =>
    `Row ${d.row} of the embeddings in '${d.path}' ${d.finite ? 'is all zero, which has no direction' : 'holds NaN or infinity'}; correct it.`,
  'diagnostic/label-names': (d: { missing: readonly string[]; known: readonly string[] }): string =>
    `${d.missing.length === 1 ? 'A class or label is' : `${d.missing.length} classes or labels are`} not among those with distances: ${d.missing.slice(0, 10).join(', ')}${d.missing.length > 10 ? ', …' : ''}; say with observed which label each class is, in order. Labels: ${d.known.slice(0, 20).join(', ')}${d.known.length > 20 ? `, … (${d.known.length} in all)` : ''}.`,
  'diagnostic/observed': (d: { given: number; classes: number }): string =>
    `observed names ${d.given} ${d.given === 1 ? 'label' : 'labels'}, but there are ${d.classes} classes; name the label of every class once, in the order of the classes.`,
  'diagnostic/observed-twice': (d: { label: string }): string =>
    `Label '${d.label}' stands for two classes; every class is another label (observed).`,
  'diagnostic/metric-order': (d: { labels: readonly string[] }): string =>
    `Labels in order must be whole numbers from 0, or be named in order in a file (metricFile); found: ${d.labels.slice(0, 10).join(', ')}${d.labels.length > 10 ? ', …' : ''}.`,
  'diagnostic/metric-label': (d: { row: number; label: string; labels: number }): string =>
    `Row ${d.row} has label ${d.label}, but distances are known for ${d.labels} labels (0 to ${d.labels - 1}); correct it, or add that label.`,
  'diagnostic/window-events': (d: { window: number; events: number; rows: number; classes: number }): string =>
    `window ${d.window} needs ≥ ${d.window + 1} events; have ${d.events} (${d.rows} rows × ${d.classes} classes, the most frequent class left out); lower window, or fit on more rows.`,
  'diagnostic/local-window': (d: { window: number; events: number; rows: number }): string =>
    `A window of ${d.window} needs at least ${d.window + 1} probabilities, and ${d.rows} ${d.rows === 1 ? 'row gives' : 'rows give'} ${d.events}; lower window, or give more rows.`,
  'diagnostic/fit-not-finite': (d: { title: string; step: number }): string =>
    `${d.title} stopped at step ${d.step}: its loss is no longer finite; lower rate.`,
  'diagnostic/one-outcome': (d: { right: number; wrong: number }): string =>
    `Correctness-aware calibration needs both right and wrong predictions, found ${d.right} right and ${d.wrong} wrong; fit it on other rows.`,
  'diagnostic/perturbations': (d: { text: string; known: readonly string[] }): string =>
    `'${d.text}' names no perturbations: write NAME=SIZE with commas between them, of ${d.known.join(', ')}.`,
  'diagnostic/unnamed-perturbations': (d: { shape: string }): string =>
    `Inputs of shape ${d.shape} are no pictures, so changes that keep their label must be named: give three with perturbations, such as noise=0.1,dropout=0.1,scale=1.1.`,
  'diagnostic/picture-perturbation': (d: { name: string; shape: string }): string =>
    `'${d.name}' changes pictures${d.name === 'greyscale' ? ' of three channels' : ''}, and inputs have shape ${d.shape}; leave it out of perturbations.`,
  'diagnostic/few-rows': (d: { rows: number; least: number; data: string }): string =>
    `'${d.data}' has ${d.rows === 1 ? 'one row' : `${d.rows} rows`} to work on, and this needs at least ${d.least}; choose a split that holds more.`,
  'diagnostic/no-samples': (d: { data: string }): string => `'${d.data}' has no rows to attribute; choose a split that holds some.`,
  'diagnostic/few-examples': (d: { size: number; classes: number }): string =>
    `${d.size} examples cannot hold one of each of ${d.classes} classes; give sizes from ${d.classes} on.`,
  'diagnostic/probe-rows': (d: { fit: number; shown: number }): string =>
    `Of the rows ${d.fit} are left to fit on and ${d.shown} to be judged on, which is too few; give more rows, at least three of a class.`,
  'diagnostic/labels-measured': (d: { classes: number; rows: number }): string =>
    `Labels take ${d.classes} values on the ${d.rows} rows to fit on, fewer than two rows each, as a measured number does and classes do not; run regression-report, or name the labels with y.`,
  'diagnostic/probe-classes': (d: { classes: number; most: number }): string =>
    `There are ${d.classes} different labels, more than the ${d.most} classes that a probe takes; name the column of labels with y.`,
  'diagnostic/constant-features': (d: { layer: string; features: number }): string =>
    `All ${d.features} features (${d.layer}) are the same in every row, so nothing can be told from them; name another layer.`,
  'diagnostic/domains': (d: { column: string; found: readonly string[] }): string =>
    `Column '${d.column}' holds ${d.found.length === 1 ? `1 domain ('${d.found[0]}')` : `${d.found.length} domains`}; need at least 2 (domain).`,
  'diagnostic/many-domains': (d: { column: string; found: number; most: number }): string =>
    `Column '${d.column}' holds ${d.found} different values, more than the ${d.most} domains that an ensemble takes; name a column of domains (domain).`,
  'diagnostic/tokens': (d: { known: readonly string[] }): string =>
    `No column is plainly the text or the token ids of a row; name it (tokens). There are: ${d.known.join(', ')}.`,
  'diagnostic/token-id': (d: { column: string; row: number; value: number }): string =>
    `Row ${d.row} of '${d.column}' holds ${d.value}, which is no token id: whole numbers from 0 are due.`,
  'diagnostic/domain-rows': (d: { domain: string; rows: number; least: number }): string =>
    `Domain '${d.domain}' has ${d.rows} rows to fit a head on; need at least ${d.least}, or give its model (models).`,
  'diagnostic/domain-model': (d: { found: readonly string[]; domains: readonly string[] }): string =>
    `Models are given for ${d.found.join(', ') || 'no domain'}, but the domains are ${d.domains.join(', ')}; give one for each (models DOMAIN=PATH,…).`,
  'diagnostic/member-classes': (d: { first: string; other: string; classes: readonly [string, string] }): string =>
    `'${d.first}' has classes ${d.classes[0]}, but '${d.other}' has ${d.classes[1]}; members of an ensemble need the same classes in the same order.`,
  'diagnostic/class-weight': (d: { class: string; domain: string }): string =>
    `Class '${d.class}' has no row in domain '${d.domain}', so its weight there would be infinite; set classWeights to none, or give such rows.`,
  'diagnostic/no-normal-images': (d: { images: number }): string =>
    `AUPIMO needs normal images: every mask has defect pixels (${d.images} images); add images without a defect, with an empty mask or none.`,
  'diagnostic/no-anomalous-images': (d: { images: number }): string =>
    `AUPIMO needs anomalous images: every mask is empty (${d.images} images); add images with defects and their masks.`,
  'diagnostic/bounds': (d: { lower: number; upper: number }): string =>
    `The bounds of the false-positive rate are ${d.lower} and ${d.upper}; fprLower must be below fprUpper.`,
  'diagnostic/fpr-resolution': (d: { images: number; pixels: number; least: string; lower: number }): string =>
    `${d.images} normal ${d.images === 1 ? 'image' : 'images'} with ${d.pixels} pixels in all give a smallest FPR of ${d.least}, but five such steps must fit below the lower bound ${d.lower}; give more normal images, or raise fprLower and fprUpper.`,
  'diagnostic/equal-scores': (d: { value: number }): string =>
    `All scores of normal pixels are ${d.value}, so there is no false-positive rate between 0 and 1; check that this output is the anomaly map.`,
  'diagnostic/loss-not-finite': (d: { row: number }): string =>
    `The loss or its gradient is not finite in row ${d.row}; look at its inputs and label, or at the weights.`,
  'diagnostic/few-thresholds': (d: { found: number; fewest: number }): string =>
    `Only ${d.found} of the thresholds of the reference lie between the bounds, and more than ${d.fewest} are needed; choose mode exact.`,
  'diagnostic/input-range': (d: { low: number; high: number; least: number; most: number }): string =>
    `The rows go from ${d.least} to ${d.most} before mean and standard deviation, outside the range ${d.low} to ${d.high}; give a range that holds them.`,
  'diagnostic/unknown-range': (d: { least: number; most: number }): string =>
    `Between which values attacks may move a pixel cannot be told from the rows, which go from ${d.least} to ${d.most}; give it with range, such as 0, 1 (before mean and standard deviation).`,
  'diagnostic/no-couplings': (_: object): string =>
    'The model has no couplings under the name that Assay gives those of routed capsules (of one round they are all equal, and not stored); name the value that holds them with layer.',
  'diagnostic/couplings': (d: { layer: string; width: number; classes: number }): string =>
    `'${d.layer}' holds ${d.width} numbers a row, and these are no couplings of capsules to ${d.classes} classes, which are shares that sum to 1 over the classes of each capsule; name another value with layer.`,
  'diagnostic/surrogate': (d: { path: string; found: number; classes: number }): string =>
    `'${d.path}' tells ${d.found} classes apart, and the model attacked ${d.classes}; name one of the same classes.`,
  'diagnostic/attack-scores': (_: object): string =>
    'The output holds no class scores, so there is no class to attack; name an output of logits or probabilities.',
  'diagnostic/attack-labels': (_: object): string =>
    'An attack needs the class of every row, and the data have no whole-numbered labels; name them with y.',
  'diagnostic/attack-label': (d: { row: number; label: number; classes: number }): string =>
    `Row ${d.row} has the label ${d.label}, and the model tells ${d.classes} classes apart (0 to ${d.classes - 1}); check which column holds the labels.`,
  'diagnostic/attack-target': (_: object): string =>
    "Attacks toward a class need its name or index; give it with class, or choose targeted 'none'.",
};
