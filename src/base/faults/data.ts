/** Faults of files, rows and labels. Row numbers are zero-based, as in the arrays. */
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
};
