type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What people read in package.json. What language models read stays as it is. */
const read = new Set([
  'title',
  'shortTitle',
  'description',
  'contents',
  'displayName',
  'userDescription',
  'label',
  'enumDescriptions',
  'markdownDescription',
]);
/** Parts whose words are not for people, or are names of files. */
const left = new Set(['inputSchema', 'modelDescription', 'media', 'icon', 'mcpServerDefinitionProviders']);
/** By what an entry of a list is known. */
const ids = ['command', 'id', 'view', 'viewType', 'name', 'type'] as const;

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const idOf = (value: Json, index: number): string => {
  if (typeof value !== 'object' || value === null || isList(value)) return String(index);
  const known = ids.map((key) => value[key]).find((id) => typeof id === 'string');
  return typeof known === 'string' ? known : String(index);
};

export interface Localised {
  readonly value: unknown;
  /** Key → English, for `package.nls.json`. */
  readonly words: Readonly<Record<string, string>>;
}

/** Puts `%key%` in place of what people read; keys follow the place, by id where an entry has one. */
export const localise = (whole: unknown): Localised => {
  const words: Record<string, string> = {};
  const put = (key: string, text: string): string => {
    // Two entries of one id, as for the welcome of one view: the later ones are numbered.
    let own = key;
    for (let n = 2; Object.hasOwn(words, own) && words[own] !== text; n++) own = `${key}.${n}`;
    words[own] = text;
    return `%${own}%`;
  };
  const walk = (value: Json, path: readonly string[]): Json => {
    if (isList(value)) return value.map((one, i) => walk(one, [...path, idOf(one, i)]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]): [string, Json] => {
        if (left.has(key)) return [key, inner];
        const at = [...path, key];
        // Names of views are read, those of tools and icons are not.
        const named = key === 'name' && path[0] === 'contributes' && path[1] === 'views';
        if (typeof inner === 'string' && (read.has(key) || named)) return [key, put(at.join('.'), inner)];
        if (key === 'enumDescriptions' && isList(inner))
          return [key, inner.map((text, i) => (typeof text === 'string' ? put(`${at.join('.')}.${i}`, text) : text))];
        return [key, walk(inner, at)];
      }),
    );
  };
  // Order and nothing but plain JSON, as it is written.
  return { value: walk(JSON.parse(JSON.stringify(whole)) as Json, []), words };
};
