import type { Regularizer } from '../define.ts';
import { diagExact } from './diag-exact.ts';
import { hgp } from './hgp.ts';
import { hutchinson } from './hutchinson.ts';
import { inputGradient } from './input-gradient.ts';
import { l1 } from './l1.ts';

export const regularizers: readonly Regularizer[] = [l1, inputGradient, hgp, diagExact, hutchinson];
