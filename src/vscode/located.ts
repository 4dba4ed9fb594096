import { dirname, isAbsolute, join } from 'node:path';
import type { Catalogue } from '../base/catalogue.ts';
import type { DataRef, ModelRef } from '../base/request.ts';

/** An entry as seen from the `assay.json` that holds it: `x` and `y` may name files, by the endings that readers know. */
export const located = <T extends ModelRef | DataRef>(suite: string, ref: T, readers: Catalogue['readers'] = []): T => {
  const at = (path: string): string => (isAbsolute(path) ? path : join(dirname(suite), path));
  const file = (name: string): string =>
    readers.some(({ endings }) => endings.some((ending) => name.toLowerCase().endsWith(ending))) ? at(name) : name;
  const { x, y, labels, preprocess }: { readonly labels?: string | readonly string[] } & Pick<DataRef, 'x' | 'y' | 'preprocess'> = ref;
  const tokenizer = preprocess?.tokenizer;
  return {
    ...ref,
    path: at(ref.path),
    ...(x === undefined ? {} : { x: file(x) }),
    ...(y === undefined ? {} : { y: file(y) }),
    ...(typeof labels === 'string' ? { labels: at(labels) } : {}),
    ...(tokenizer === undefined ? {} : { preprocess: { ...preprocess, tokenizer: at(tokenizer) } }),
  };
};
