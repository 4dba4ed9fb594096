/** Faults of files, rows and labels. Row numbers are zero-based, as in the arrays; line numbers start at 1. */
const suggest = (nearest: string): string => (nearest ? ` Did you mean '${nearest}'?` : '');

/** The first names of what may be thousands. */
const listed = (names: readonly string[]): string =>
  names.slice(0, 30).join(', ') + (names.length > 30 ? `, … (${names.length} in all)` : '');

export const dataFaults = {
  'data/tokenizer': (d: { path: string; reason: string }): string =>
    `'${d.path}' cannot be used as a tokenizer: ${d.reason}. Give a tokenizer.json, or a vocabulary (JSON of words to numbers, or one word a line).`,
  'data/tokenizer-unknown': (d: { tokenizer: string; column: string; path: string; rows: number }): string =>
    `'${d.tokenizer}' knows no word of the first ${d.rows} rows of column '${d.column}' in '${d.path}'; give the vocabulary that the model was trained with (tokenizer), or name the column of text (x).`,
  'data/no-tokenizer': (d: { path: string; columns: readonly string[]; input: string }): string =>
    `Input '${d.input}' takes tokens, and '${d.path}' holds text (${d.columns.map((c) => `'${c.length > 24 ? `${c.slice(0, 24)}…` : c}'`).join(', ')}); name a tokenizer.json or a vocabulary (tokenizer), or lay tokenizer.json beside the model.`,
  'data/token-type': (d: { input: string; dtype: string }): string =>
    `Input '${d.input}' takes ${d.dtype}, not tokens, so a tokenizer has no use; leave tokenizer out, or name the input that takes them.`,
  'data/token-input': (d: { input: string; dims: string }): string =>
    `Input '${d.input}' has shape ${d.dims}; text becomes rows of tokens, [N, length]. Name the input that takes them (input).`,
  'data/given-width': (d: { path: string; expected: number; found: number }): string =>
    `The row has ${d.found} ${d.found === 1 ? 'field' : 'fields'}, but '${d.path}' has ${d.expected} ${d.expected === 1 ? 'column' : 'columns'}; mend the row, or save the file and look again.`,
  'data/given-field': (d: { column: string; value: string }): string =>
    d.value.trim() === ''
      ? `Column '${d.column}' is empty in this row, and the model takes a number there; fill it.`
      : `Column '${d.column}' holds '${d.value.slice(0, 40)}' in this row, and the model takes a number there; mend it.`,
  'data/given-text': (d: { input: string; path: string }): string =>
    `Input '${d.input}' takes no text but what '${d.path}' holds; choose a model that takes tokens, and its tokenizer.`,
  'data/mark': (d: { path: string; column: string; row: number; value: number }): string =>
    `Label '${d.column}' of row ${d.row} in '${d.path}' is ${Number.isNaN(d.value) ? 'missing' : d.value}; a label that a row has or has not is 1 or 0.`,
  'file/missing': (d: { path: string }): string => `File '${d.path}' does not exist.`,
  'file/directory': (d: { path: string }): string => `'${d.path}' is a directory; name a file.`,
  'file/empty': (d: { path: string }): string => `File '${d.path}' is empty.`,
  'file/unreadable': (d: { path: string; reason: string }): string => `File '${d.path}' cannot be read: ${d.reason}.`,
  'file/unwritable': (d: { path: string; reason: string }): string => `File '${d.path}' cannot be written: ${d.reason}.`,
  'file/overwrites': (d: { option: string; path: string; input: string }): string =>
    `${d.option} '${d.path}' would overwrite '${d.input}', which is read; give another path.`,
  'file/exists': (d: { path: string }): string => `'${d.path}' exists already; give another path, or say that it may be overwritten.`,
  'file/same': (d: { path: string; options: readonly string[] }): string =>
    `${d.options.join(' and ')} both name '${d.path}'; give each its own path.`,
  'data/corrupt': (d: { path: string; where: string; reason: string }): string =>
    `'${d.path}', ${d.where}: ${d.reason}; write the file again.`,
  'data/pickled': (d: { path: string; array: string }): string =>
    `Array '${d.array}' of '${d.path}' holds pickled Python objects, which are never loaded; save it again as numbers or text (numpy.savez with astype).`,
  'data/dtype': (d: { path: string; array: string; dtype: string }): string =>
    `Array '${d.array}' of '${d.path}' has element type ${d.dtype}, which is not supported; save it again as integers, floats, booleans or text.`,
  'data/image': (d: { path: string; reason: string }): string => `Image '${d.path}' cannot be read: ${d.reason}; replace or remove it.`,
  'data/no-images': (d: { path: string; files: number; known: readonly string[] }): string =>
    `Folder '${d.path}' holds no images (${d.files === 0 ? 'it holds no files at all' : `none of its ${d.files} files ends in ${d.known.join(', ')}`}).`,
  'data/image-sizes': (d: { path: string; sizes: number; first: string; other: string; file: string }): string =>
    `The images in '${d.path}' have ${d.sizes} sizes (${d.first}, but '${d.file}' ${d.other}); resize them to one (resize HxW).`,
  'data/no-grid': (d: { path: string; column: string; dims: string }): string =>
    `'${d.column}' of '${d.path}' has rows of shape ${d.dims}; maps and masks are grids [height, width].`,
  'data/mask-value': (d: { path: string; where: string; value: number }): string =>
    `In '${d.path}', ${d.where} holds ${Number.isNaN(d.value) ? 'colours' : d.value}; masks hold 0 for normal pixels and 1 or 255 for defects.`,
  'data/masks-unmatched': (d: { path: string; mask: string; image: string }): string =>
    `No mask in '${d.path}' is called like an image: a mask is '${d.mask}', an image '${d.image}'; give both the same name (a mask may end in _mask).`,
  'data/masks-by-name': (d: { path: string; data: string }): string =>
    `'${d.path}' is a folder of images, whose masks are found by the names of the data's files, but '${d.data}' is one file; give the images as a folder too, or the masks as an array.`,
  'data/mask-size': (d: { row: number; map: string; mask: string }): string =>
    `The map of row ${d.row} is ${d.map}, its mask ${d.mask}; let one of them be resized (resize maps or masks).`,
  'data/mask-vanished': (d: { row: number; map: string }): string =>
    `The defect of row ${d.row} vanishes where its mask is brought to ${d.map}, the size of the map; resize the maps instead (resize maps).`,
  'data/list-lengths': (d: { path: string; column: string }): string =>
    `Column '${d.column}' of '${d.path}' holds lists of different lengths, which have no common shape; pad them to one length or choose other columns.`,
  'data/list-length': (d: { path: string; column: string; row: number; expected: string }): string =>
    `Row ${d.row} of column '${d.column}' in '${d.path}' is no list of ${d.expected} values as the others are; pad or remove it.`,
  'data/format': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' is in no data format known here; give a file ending in ${d.known.join(', ')}.`,
  'data/no-rows': (d: { path: string }): string => `'${d.path}' holds no rows.`,
  'data/ragged': (d: { path: string; line: number; expected: number; found: number }): string =>
    `'${d.path}', line ${d.line}: ${d.found} fields where ${d.expected} are due; mend that line.`,
  'data/column': (d: { path: string; name: string; nearest: string; known: readonly string[] }): string =>
    `'${d.path}' has no array or column '${d.name}'.${suggest(d.nearest)} It has: ${listed(d.known)}.`,
  'data/group': (d: { path: string; name: string }): string =>
    `'${d.name}' of '${d.path}' holds several values a row, which name no group; name a column of single values (group).`,
  'data/split-row': (d: { path: string; name: string; row: number; length: number }): string =>
    `'@${d.name}' of '${d.path}' names row ${d.row}, but the rows are 0 to ${d.length - 1}.`,
  'data/split-empty': (d: { path: string; split: string; known: readonly string[] }): string =>
    `No row of '${d.path}' is in split '${d.split}'${d.known.length ? `; found: ${listed(d.known)}` : ''}.`,
  'data/no-input': (d: { path: string; input: string; known: readonly string[] }): string =>
    `No array or column of '${d.path}' is plainly the input '${d.input}'; name it with x. It has: ${listed(d.known)}.`,
  'data/shape': (d: {
    path: string;
    columns: string;
    row: string;
    elements: number;
    input: string;
    expected: string;
    /** Size that pictures could be resized to, or ''. */
    resize: string;
  }): string =>
    `Rows of ${d.columns} in '${d.path}' have shape ${d.row} (${d.elements} values), which input '${d.input}' of shape ${d.expected} cannot hold; ${d.resize ? `resize them (resize ${d.resize}) or ` : ''}choose other data or another model.`,
  'data/not-whole': (d: { path: string; columns: string; row: number; value: number; input: string; dtype: string }): string =>
    `Row ${d.row} of ${d.columns} in '${d.path}' holds ${d.value}, but input '${d.input}' takes whole numbers (${d.dtype}).`,
  'data/not-finite': (d: { what: string; values: number; rows: number; row: number }): string =>
    `${d.values === 1 ? 'One value' : `${d.values} values`} in the ${d.what} ${d.values === 1 ? 'is' : 'are'} NaN or infinite, in ${d.rows === 1 ? 'row' : `${d.rows} rows, the first being row`} ${d.row}; remove or fill them.`,
  'data/one-hot': (d: { path: string; column: string; row: number }): string =>
    `Row ${d.row} of '${d.column}' in '${d.path}' is neither a class number nor a vector with a single 1; name the label column with y, or run multi-label-calibration where a row may have several labels.`,
  'data/class-name': (d: { path: string; row: number; label: string; nearest: string; known: readonly string[] }): string =>
    `Row ${d.row} of '${d.path}' has label '${d.label}', which is no class name.${suggest(d.nearest)} Classes: ${listed(d.known)}.`,
  'data/predictions': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' is no table of predictions: it has no prob_<class>, logit_<class> or score column, no probs or logits array, and for a regression no prediction column. Give a model, or name them with columns. It has: ${listed(d.known)}.`,
  'data/score-shape': (d: { path: string; name: string; row: string }): string =>
    `'${d.name}' of '${d.path}' holds ${d.row} numbers a row, where predictions are one line of numbers a row, one for each class; reshape it to [rows, classes].`,
  'data/labels-length': (d: { path: string; labels: number; rows: number }): string =>
    `'${d.path}' holds ${d.labels} ${d.labels === 1 ? 'label' : 'labels'}, but the data have ${d.rows} rows.`,
  'data/label-missing': (d: { path: string; count: number; row: number }): string =>
    `${d.count === 1 ? 'One row' : `${d.count} rows`} of '${d.path}' ${d.count === 1 ? 'has' : 'have'} no label, the first being row ${d.row}; remove or label them.`,
  'data/label-range': (d: { path: string; count: number; row: number; label: number; classes: number }): string =>
    `${d.count === 1 ? 'One row' : `${d.count} rows`} of '${d.path}' ${d.count === 1 ? 'has a label' : 'have labels'} outside the ${d.classes} classes (0 to ${d.classes - 1}), the first being row ${d.row} with label ${d.label}; correct them, or name the output that has such classes.`,
  'data/not-probabilities': (d: { output: string; row: number; sum: number }): string =>
    `${d.output} was taken for probabilities, but row ${d.row} sums to ${Number(d.sum.toPrecision(4))}; correct it, or set the option logits to 'logits' if that is what they are.`,
  'data/classes': (d: { given: number; found: number }): string =>
    `${d.given} class names are known, but there are ${d.found} classes; name every class once, in index order (labels of the model, or classes).`,
  'data/probability': (d: { output: string; row: number; value: number }): string =>
    `${d.output} was taken for probabilities, but row ${d.row} holds ${d.value}; correct it, or set the option logits to 'logits' if that is what they are.`,
  'data/not-a-number': (d: { path: string; column: string; line: number; value: string; count: number }): string =>
    `Column '${d.column}' of '${d.path}' should hold numbers, but line ${d.line} holds '${d.value.slice(0, 40)}'${d.count > 1 ? `, and ${d.count - 1} more ${d.count === 2 ? 'field is' : 'fields are'} none` : ''}; mend ${d.count > 1 ? 'them' : 'it'}${/^-?\d+,\d+$/.test(d.value.trim()) ? ' (decimals take a point)' : ''}.`,
  'data/one-probability': (d: { path: string; column: string }): string =>
    `'${d.path}' has one column of class scores only, '${d.column}'; give one for each class, or name it as the score of class 1 (columns score=${d.column}).`,
  'data/array-text': (d: { path: string; name: string; value: string }): string =>
    `'${d.name}' of '${d.path}' should hold numbers, but holds '${d.value.slice(0, 40)}'; name an array of numbers.`,
  'data/array-rows': (d: { path: string; name: string; found: number; rows: number }): string =>
    `'${d.name}' of '${d.path}' holds ${d.found} ${d.found === 1 ? 'entry' : 'entries'}, but the data have ${d.rows} rows; name an array with one entry a row.`,
  'data/array-size': (d: { path: string; name: string; size: number; most: number }): string =>
    `'${d.name}' of '${d.path}' holds ${d.size} numbers, more than the ${d.most} that are kept in memory; store a part of it.`,
  'data/pair-rows': (d: { names: readonly string[]; rows: readonly number[] }): string =>
    `'${d.names[0]}' has ${d.rows[0]} rows and '${d.names[1]}' ${d.rows[1]}, so they cannot be compared row by row; give both the same rows.`,
  'data/pair-order': (d: { names: readonly string[]; position: number; column: string; values: readonly string[] }): string =>
    `In row ${d.position} of those compared, ${d.column} is '${d.values[0]}' in '${d.names[0]}' and '${d.values[1]}' in '${d.names[1]}', so these are not the same rows in the same order; sort both alike, or give predictions of the same data.`,
  'data/pair-classes': (d: { names: readonly string[]; classes: readonly string[] }): string =>
    `'${d.names[0]}' tells apart the classes ${d.classes[0]}, '${d.names[1]}' ${d.classes[1]}; compare models of the same classes.`,
  'data/filter': (d: { text: string; at: number; problem: string }): string =>
    `The filter '${d.text}' is not understood at character ${d.at + 1}: ${d.problem}.`,
  'data/sort': (d: { column: string; size: number }): string =>
    `Rows cannot be sorted by '${d.column}', which holds ${d.size} values a row; sort by a column of single values.`,
  'data/bag-missing': (d: { path: string; key: string; row: number }): string =>
    `Row ${d.row} of '${d.path}' has no value of '${d.key}', so its bag is not known; fill it in, or remove the row.`,
  'data/bag-label': (d: { path: string; key: string; rows: readonly number[]; labels: readonly string[] }): string =>
    `Rows ${d.rows[0]} and ${d.rows[1]} of '${d.path}' are of one bag by '${d.key}' and have different labels, ${d.labels[0]} and ${d.labels[1]}; a bag has one label.`,
  'data/bag-size': (d: { path: string; key: string; found: number; most: number }): string =>
    `A bag of '${d.path}' by '${d.key}' has ${d.found} instances, and the model takes ${d.most}; set the first number of arch.input to at least ${d.found}.`,
  'data/text-input': (d: { path: string; column: string; input: string }): string =>
    `Column '${d.column}' of '${d.path}' is text, but input '${d.input}' takes numbers; name numeric columns with x.`,
  'data/member-rows': (d: { path: string; found: number; rows: number }): string =>
    `'${d.path}' holds predictions for ${d.found} rows, but ${d.rows} are diagnosed; give one prediction for each of them, in their order.`,
};
