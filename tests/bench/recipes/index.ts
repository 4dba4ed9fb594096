import { digitsTrainer } from './digits-trainer.ts';
import type { RecipeEntry } from './entry.ts';

export const recipeEntries: readonly RecipeEntry[] = [digitsTrainer];
