import type { DataRef } from '../base/request.ts';
import type { AppJob, Ports } from './ports.ts';

/** A list of class names is no larger. */
const mostBytes = 2 ** 20;

type World = Pick<Ports, 'source' | 'resolve'>;
type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const isRef = (value: unknown): value is DataRef => isObject(value) && typeof value.path === 'string';
const areTexts = (values: readonly unknown[]): values is readonly string[] => values.every((v) => typeof v === 'string');

const textOf = async (path: string, ports: World, { signal }: Pick<AppJob, 'signal'>): Promise<string> => {
  const source = await ports.source(path);
  return source.size > mostBytes ? '' : new TextDecoder().decode(await source.read(0, source.size, signal));
};
const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Class names as lines of text, a JSON list, or a JSON object by index; none where it is no such file. */
export const listedNames = async (path: string, ports: World, job: Pick<AppJob, 'signal'>): Promise<readonly string[]> => {
  const text = await textOf(path, ports, job).catch(() => '');
  if (!/\.json$/i.test(path)) {
    const lines = text.split(/\r?\n/).map((line) => line.trim());
    return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  }
  const read = jsonOf(text);
  const values = Array.isArray(read) ? read : isObject(read) ? Object.keys(read).map((_, i) => read[String(i)]) : [];
  return areTexts(values) ? values : [];
};

/** How a training recipe reads a data file: its rows for testing before those for validation and training. */
export const recipeData = async (
  path: string,
  recipes: readonly string[],
  ports: World,
  job: Pick<AppJob, 'signal'>,
): Promise<DataRef | undefined> => {
  for (const recipe of recipes) {
    const read = jsonOf(await textOf(recipe, ports, job).catch(() => ''));
    const data = isObject(read) && isObject(read.data) ? read.data : {};
    for (const ref of [data.test, data.val, data.train])
      if (isRef(ref) && ports.resolve(recipe, ref.path) === path) {
        const { labels, preprocess } = ref;
        const tokenizer = preprocess?.tokenizer;
        return {
          ...ref,
          path,
          ...(labels === undefined ? {} : { labels: ports.resolve(recipe, labels) }),
          ...(tokenizer === undefined ? {} : { preprocess: { ...preprocess, tokenizer: ports.resolve(recipe, tokenizer) } }),
        };
      }
  }
  return undefined;
};
