import type { Schedule } from '../define.ts';
import { constant } from './constant.ts';
import { cosine } from './cosine.ts';
import { exponential } from './exponential.ts';
import { multistep } from './multistep.ts';
import { oneCycle } from './one-cycle.ts';
import { plateau } from './plateau.ts';
import { step } from './step.ts';
import { warmup } from './warmup.ts';
import { warmupCosine } from './warmup-cosine.ts';

export const schedules: readonly Schedule[] = [constant, cosine, step, multistep, exponential, warmup, warmupCosine, oneCycle, plateau];
