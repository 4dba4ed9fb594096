import type { Tensor } from '../base/tensor.ts';
import { augmentDraws, type Drawn } from '../training/augment.ts';
import type { Compiled } from '../training/compile.ts';
import type { Recipe } from '../training/recipe.ts';

/** What a call draws for changes of rows. */
export const augmentFeeds = (
  { inputs, precision }: Compiled,
  { augment }: Recipe,
  seed: number,
  steps: readonly [first: number, count: number],
  batch: number,
  row: readonly number[],
): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(augment ? augmentDraws(augment, precision, seed, steps, batch, row) : {}).flatMap(([kind, tensor]) => {
      const name = inputs.drawn[kind as Drawn];
      return name ? [[name, tensor]] : [];
    }),
  );
