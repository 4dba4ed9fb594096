import { dirname, isAbsolute, join } from 'node:path';

/** `path` of an entry as seen from the `assay.json` that holds it. */
export const located = <T extends { readonly path: string }>(suite: string, ref: T): T =>
  isAbsolute(ref.path) ? ref : { ...ref, path: join(dirname(suite), ref.path) };
