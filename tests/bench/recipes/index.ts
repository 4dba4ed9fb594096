import { adadagrad } from './adadagrad.ts';
import { adamp } from './adamp.ts';
import { boostedHead } from './boosted-head.ts';
import { capsuleHead } from './capsule-head.ts';
import { categoryQueries } from './category-queries.ts';
import { defensiveDistillation } from './defensive-distillation.ts';
import { diffgrad } from './diffgrad.ts';
import { digitsTrainer } from './digits-trainer.ts';
import { ebv } from './ebv.ts';
import type { RecipeEntry } from './entry.ts';
import { gnsNewtonEntry } from './gns-newton.ts';
import { hessianAlignment } from './hessian-alignment.ts';
import { importance } from './importance.ts';
import { largeStepLogistic } from './large-step-logistic.ts';
import { noprop } from './noprop.ts';
import { psKd } from './ps-kd.ts';
import { samplingFree } from './sampling-free.ts';
import { supernet } from './supernet.ts';
import { zLoss } from './z-loss.ts';

export const recipeEntries: readonly RecipeEntry[] = [
  digitsTrainer,
  zLoss,
  adadagrad,
  psKd,
  ebv,
  samplingFree,
  boostedHead,
  adamp,
  diffgrad,
  largeStepLogistic,
  gnsNewtonEntry,
  capsuleHead,
  defensiveDistillation,
  noprop,
  hessianAlignment,
  importance,
  categoryQueries,
  supernet,
];
