/** Faults of files, rows and labels. Row numbers are zero-based, as in the arrays. */
export const dataFaults = {
  'file/missing': (d: { path: string }): string => `File '${d.path}' does not exist.`,
  'file/directory': (d: { path: string }): string => `'${d.path}' is a directory; name a file.`,
  'file/empty': (d: { path: string }): string => `File '${d.path}' is empty.`,
  'file/unreadable': (d: { path: string; reason: string }): string => `File '${d.path}' cannot be read: ${d.reason}.`,
  'file/unwritable': (d: { path: string; reason: string }): string => `File '${d.path}' cannot be written: ${d.reason}.`,
};
