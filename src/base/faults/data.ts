/** Faults of files, rows and labels. Row numbers are zero-based, as in the arrays; line numbers start at 1. */
const suggest = (nearest: string): string => (nearest ? ` Did you mean '${nearest}'?` : '');

export const dataFaults = {
  'file/missing': (d: { path: string }): string => `File '${d.path}' does not exist.`,
  'file/directory': (d: { path: string }): string => `'${d.path}' is a directory; name a file.`,
  'file/empty': (d: { path: string }): string => `File '${d.path}' is empty.`,
  'file/unreadable': (d: { path: string; reason: string }): string => `File '${d.path}' cannot be read: ${d.reason}.`,
  'file/unwritable': (d: { path: string; reason: string }): string => `File '${d.path}' cannot be written: ${d.reason}.`,
  'data/corrupt': (d: { path: string; where: string; reason: string }): string =>
    `'${d.path}', ${d.where}: ${d.reason}; write the file again.`,
  'data/pickled': (d: { path: string; array: string }): string =>
    `Array '${d.array}' of '${d.path}' holds pickled Python objects, which are never loaded; save it again as numbers or text (numpy.savez with astype).`,
  'data/dtype': (d: { path: string; array: string; dtype: string }): string =>
    `Array '${d.array}' of '${d.path}' has element type ${d.dtype}, which is not supported; save it again as integers, floats, booleans or text.`,
  'data/format': (d: { path: string; known: readonly string[] }): string =>
    `'${d.path}' is in no data format known here; give a file ending in ${d.known.join(', ')}.`,
  'data/no-rows': (d: { path: string }): string => `'${d.path}' holds no rows.`,
  'data/ragged': (d: { path: string; line: number; expected: number; found: number }): string =>
    `'${d.path}', line ${d.line}: ${d.found} fields where ${d.expected} are due; mend that line.`,
  'data/column': (d: { path: string; name: string; nearest: string; known: readonly string[] }): string =>
    `'${d.path}' has no array or column '${d.name}'.${suggest(d.nearest)} It has: ${d.known.join(', ')}.`,
  'data/split-row': (d: { path: string; name: string; row: number; length: number }): string =>
    `'@${d.name}' of '${d.path}' names row ${d.row}, but the rows are 0 to ${d.length - 1}.`,
  'data/split-empty': (d: { path: string; split: string; known: readonly string[] }): string =>
    `No row of '${d.path}' is in split '${d.split}'${d.known.length ? `; found: ${d.known.join(', ')}` : ''}.`,
};
