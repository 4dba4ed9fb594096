import type { Regime } from '../define-run.ts';
import { boostedHead } from './boosted-head.ts';
import { defensiveDistillation } from './defensive-distillation.ts';
import { noprop } from './noprop.ts';
import { single } from './single.ts';
import { stages } from './stages.ts';
import { supernet } from './supernet.ts';

export const regimes: readonly Regime[] = [single, stages, boostedHead, defensiveDistillation, noprop, supernet];
