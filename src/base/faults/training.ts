/** Faults of recipes and training runs. */
const suggest = (nearest: string): string => (nearest ? ` Did you mean '${nearest}'?` : '');

export const trainingFaults = {
  'training/recipe': (d: { path: string; where: string; reason: string }): string => `Recipe '${d.path}', ${d.where}: ${d.reason}.`,
  'training/key': (d: { path: string; where: string; nearest: string; known: readonly string[] }): string =>
    `Recipe '${d.path}' has an unknown key '${d.where}'.${suggest(d.nearest)} Keys there: ${d.known.join(', ')}.`,
  'training/absent': (d: { path: string; where: string; does: string; instead: string }): string =>
    `Recipe '${d.path}' sets ${d.where}, which ${d.does}; this trainer has no such thing. ${d.instead}.`,
  'training/architecture': (d: { arch: string; reason: string }): string => `Architecture '${d.arch}' does not fit the data: ${d.reason}.`,
  'training/token': (d: { path: string; token: number; size: number }): string =>
    `'${d.path}' holds token ${d.token}, and there are tokens 0 to ${d.size - 1}; set vocabulary of the architecture to one more than the largest.`,
  'training/class-weight': (d: { path: string; class: number }): string =>
    `Recipe '${d.path}' weighs classes by their inverse frequency, but no training row has class ${d.class}: give the weights as numbers, or more rows.`,
  'training/parameter': (d: { path: string; pattern: string; nearest: string; known: readonly string[] }): string =>
    `Recipe '${d.path}' names '${d.pattern}', which matches no parameter.${suggest(d.nearest)} Parameters: ${d.known.join(', ') || 'none'}.`,
  'training/initialisation': (d: { model: string; parameter: string; node: string }): string =>
    `'${d.model}' cannot be drawn anew: there is no rule for parameter '${d.parameter}', which ${d.node} reads; set init to 'keep', or leave it out of 'trainable'.`,
  'training/fresh-not-finite': (d: { step: number; lr: number }): string =>
    `A fresh model could not be trained: loss or gradient was not finite at step ${d.step} with rate ${d.lr}; lower rate, or scale the inputs.`,
  'training/frozen': (d: { path: string }): string =>
    `Recipe '${d.path}' leaves nothing to train: let 'trainable' match at least one parameter.`,
  'training/cut-off': (d: { model: string; parameters: readonly string[]; stops: readonly string[] }): string =>
    `'${d.model}' cannot be trained so: no gradient reaches ${d.parameters.slice(0, 20).join(', ')}${d.parameters.length > 20 ? ` and ${d.parameters.length - 20} more` : ''}, as it stops at ${d.stops.join(', ')}; leave them out of 'trainable', or change that part of the model.`,
  'training/no-parameters': (d: { model: string; quantised: boolean; floats: number }): string =>
    d.quantised
      ? `'${d.model}' is quantised: no gradient moves its weights. Train the float model and quantise it again${d.floats > 0 ? ", or name in 'trainable' what is to be trained of its float parameters" : ''}.`
      : `'${d.model}' has no float parameters to train.`,
  'training/output': (d: { model: string; output: string; dims: string; loss: string; wanted: string }): string =>
    `Loss '${d.loss}' needs ${d.wanted}, but output '${d.output}' of '${d.model}' has shape ${d.dims}.`,
  'training/no-last-layer': (d: { model: string; output: string; node: string }): string =>
    `'${d.model}' cannot be given a new head: on the way back from output '${d.output}' there is no single last layer with weights, but ${d.node}.`,
  'training/column': (d: { path: string; key: string; name: string; known: readonly string[] }): string =>
    `'${d.path}' has no column '${d.name}' with one value per row, which data.${d.key} names. It has: ${d.known.join(', ')}.`,
  'training/teacher': (d: { model: string; found: number; due: number }): string =>
    `Teacher '${d.model}' tells ${d.found} classes apart, and the data have ${d.due}; give a teacher of the same classes.`,
  'training/examples': (d: { output: string }): string =>
    `Gradients of single rows cannot be had on the way to '${d.output}': rows mix there, or a layer has no rule for them; keep the stored statistics of batch normalisation ("statistics": "stored"), set variance 'micro-batches' of the adaptive batch schedule, or leave out the monitor or batch schedule that needs them.`,
  'training/batch-schedule': (d: { start: number; max: number }): string =>
    `Batch schedule 'adaptive' starts with ${d.start} rows, more than its max of ${d.max}; raise max or lower start.`,
  'training/micro-batches': (d: { reason: string }): string => `Batch schedule 'adaptive': micro-batches ${d.reason}.`,
  'training/no-baseline': (d: { path: string }): string =>
    `No part of recipe '${d.path}' has a natural baseline; name the recipe to compare with in place of 'baseline'.`,
  'training/no-pairs': (d: { path: string; seeds: number }): string =>
    `Nothing can be compared: with none of ${d.seeds} seeds both recipes of '${d.path}' kept a finite loss; lower the rate.`,
  'training/part': (d: { path: string; key: string; part: string; reason: string }): string =>
    `Recipe '${d.path}': ${d.key} '${d.part}' ${d.reason}.`,
  'training/class-batch': (d: { batch: number; instances: number; classes: number }): string =>
    d.classes < 2
      ? `Sampler 'm-per-class' needs two classes with at least two rows each; the training rows have ${d.classes}.`
      : `Sampler 'm-per-class' fills a batch with ${d.instances} rows of each of its classes, so the batch must be a multiple of ${d.instances} between ${2 * d.instances} and ${d.classes * d.instances}, as ${d.classes} classes have two rows or more; it is ${d.batch}. Change 'batch' or the sampler's 'instances'.`,
  'training/domain-batch': (d: { batch: number; domains: number }): string =>
    `Sampler 'domains' puts every domain into every step, but a batch of ${d.batch} cannot hold ${d.domains} domains; raise 'batch' to ${d.domains} or more.`,
  'training/column-values': (d: { path: string; key: string; name: string; reason: string }): string =>
    `'${d.path}': column '${d.name}', which the recipe names in data.${d.key}, ${d.reason}.`,
  'training/sampler-rows': (d: { sampler: string; rows: number; limit: number }): string =>
    `Sampler '${d.sampler}' keeps numbers of every row and takes up to ${d.limit} rows, and there are ${d.rows}; train on fewer rows, or shuffle them.`,
  'training/target-store': (d: { targets: string; rows: number; classes: number; bytes: number; limit: number }): string =>
    `Targets '${d.targets}' keep a prediction of every row: ${d.rows} rows of ${d.classes} classes take ${(d.bytes / 2 ** 30).toFixed(1)} GiB, more than ${d.limit / 2 ** 30} GiB; train on fewer rows, or leave them out.`,
  'training/resumed-store': (d: { path: string; targets: string; name: string; found: number; due: number }): string =>
    `Recipe '${d.path}' cannot be resumed: of what targets '${d.targets}' keep of the rows, the checkpoint has ${d.found} numbers '${d.name}' where ${d.due} are due; start without --resume.`,
  'training/regime': (d: { regime: string; reason: string }): string => `Regime '${d.regime}' ${d.reason}.`,
  'training/fixed-batch': (d: { model: string; rows: number }): string =>
    `'${d.model}' takes exactly ${d.rows} ${d.rows === 1 ? 'row' : 'rows'} at a time; export it with a free batch axis (dynamic_axes) to train it.`,
  'training/unlabelled': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' has no label column; name it with labelKey or y. It has: ${d.known.join(', ')}.`,
  'training/unscored': (d: { path: string; loss: string; scores: string; known: readonly string[] }): string =>
    `Loss '${d.loss}' needs an array [rows, numbers] with ${d.scores}, and '${d.path}' names none: store it in that file beside the inputs and name it with y, or as columns label_… of a table. It has: ${d.known.join(', ')}.`,
  'training/fraction': (d: { path: string; row: number; label: number; loss: string }): string =>
    `Row ${d.row} of '${d.path}' has label ${d.label}, but loss '${d.loss}' needs whole class numbers; use 'mse' for a regression.`,
  'training/mark': (d: { path: string; row: number; label: number; loss: string }): string =>
    `Row ${d.row} of '${d.path}' has label ${d.label}, but loss '${d.loss}' needs 0 or 1; use 'cross-entropy' for more classes.`,
  'training/label-width': (d: { path: string; loss: string; found: number; due: number }): string =>
    `Rows of '${d.path}' have ${d.found} ${d.found === 1 ? 'number' : 'numbers'} for loss '${d.loss}', where the model predicts ${d.due}; name another array with y or labelKey.`,
  'training/not-finite-input': (d: { path: string; values: number; row: number; column: number }): string =>
    `${d.values === 1 ? 'One input value' : `${d.values} input values`} of '${d.path}' ${d.values === 1 ? 'is' : 'are'} NaN or infinite, the first in row ${d.row} at position ${d.column}; remove or fill them.`,
  'training/batch': (d: { path: string; batch: number; rows: number }): string =>
    `Recipe '${d.path}' has a batch of ${d.batch}, but there are ${d.rows} training rows: use at most that many, or "full".`,
  'training/no-held-out': (d: { path: string }): string =>
    `Recipe '${d.path}' holds out no rows to judge by: set split.val above 0, or name data.val.`,
  'training/other-data': (d: { path: string; data: string; given: string }): string =>
    `Recipe '${d.path}' trains on '${d.data}', which is not '${d.given}'; give the data that the recipe names.`,
  'training/no-validation': (d: { path: string; what: string }): string =>
    `Recipe '${d.path}' ${d.what} by a validation metric, but no rows are held out: set split.val above 0, or name data.val.`,
  'training/not-finite': (d: { step: number; epoch: number; lr: number; rows: readonly number[]; where: string; kept: string }): string =>
    `Training stopped: loss or gradient was not finite at step ${d.step} (epoch ${d.epoch}, learning rate ${d.lr}, rows ${d.rows.slice(0, 8).join(', ')}${d.rows.length > 8 ? ', …' : ''}); the first such tensor is ${d.where}. The last good parameters are in '${d.kept}'; lower the rate, clip the gradient, or look at those rows.`,
  'training/stage-not-finite': (d: { stage: string; step: number; lr: number }): string =>
    `Training stopped in ${d.stage}: loss or gradient was not finite at its step ${d.step} with rate ${d.lr}; lower the rate, or clip the gradient.`,
  'training/kept-results': (d: { path: string; other: readonly string[] }): string =>
    d.other.length === 0
      ? `'${d.path}' holds no kept results of trainings; give another path to resume.`
      : `The results kept in '${d.path}' are of another run: ${d.other.join(', ')} ${d.other.length === 1 ? 'differs' : 'differ'}; give another path, or remove the file.`,
  'training/no-boosted-head': (d: { path: string }): string =>
    `'${d.path}' has no boosted head that could be cut; train one with the regime 'boosted-head'.`,
  'training/units': (d: { path: string; units: number; all: number; step: number }): string =>
    `'${d.path}' has ${d.all} hidden units made ${d.step} at a time, and the first ${d.units} cannot be kept; keep ${d.step === 1 ? `1 to ${d.all}` : `${d.step} to ${d.all}, a multiple of ${d.step}`}.`,
  'training/no-checkpoint': (d: { path: string }): string => `There is no checkpoint '${d.path}' to resume; start without --resume.`,
  'training/checkpoint': (d: { path: string; reason: string }): string =>
    `Checkpoint '${d.path}' cannot be resumed: ${d.reason}; start without --resume.`,
  'training/changed': (d: { path: string; fields: readonly string[] }): string =>
    `Checkpoint '${d.path}' was made by another recipe, or from other files: ${d.fields.join(', ')} ${d.fields.length === 1 ? 'differs' : 'differ'}. Use --force to go on with the new one.`,
};
