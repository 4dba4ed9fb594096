import type { Options } from '../base/option.ts';
import type { DataRef } from '../base/request.ts';
import type { Picked } from '../training/plan.ts';
import type { Recipe } from '../training/recipe.ts';
import type { Ports } from './ports.ts';

type AnyPart = Picked<{ readonly options: Options }>;

/** Files that options of a part name, by option. */
const filesOfPart = (key: string, { part, chosen }: AnyPart): [string, string][] =>
  Object.entries(part.options).flatMap(([name, option]): [string, string][] =>
    option.kind === 'text' && option.reads && chosen[name] !== '' ? [[`${key}.${name}`, String(chosen[name])]] : [],
  );
const filesOfData = (key: string, ref: DataRef | undefined): [string, string | undefined][] => [
  [`${key}.labels`, ref?.labels],
  [`${key}.preprocess.tokenizer`, ref?.preprocess?.tokenizer],
];

/**
 * SHA-256 of the files that the numbers of a run hang on, besides its training rows and its model, by the key that names them. Test rows
 * are none of them: a run is the same whatever it is tested on.
 */
export const hashFiles = async ({ path: recipe, data, loss, optimizer, extra }: Recipe, ports: Ports): Promise<Record<string, string>> => {
  const { head, targets, regime, sampler, regularizers = [] } = extra;
  const parts: readonly [string, AnyPart | undefined][] = [
    ...Object.entries({ loss, optimizer, head, targets, regime, sampler }),
    ...regularizers.map((part): [string, AnyPart] => ['regularizers', part]),
  ];
  const named = [
    ...filesOfData('data.train', data.train),
    ['data.val', data.val?.path] as const,
    ...filesOfData('data.val', data.val),
    ...parts.flatMap(([key, part]) => (part ? filesOfPart(key, part) : [])),
  ];
  const files: Record<string, string> = {};
  for (const [key, path] of named) if (path !== undefined) files[key] = await ports.sha256(ports.resolve(recipe, path));
  return files;
};
