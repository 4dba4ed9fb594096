import type { Regularizer } from '../define.ts';
import { inputGradient } from './input-gradient.ts';
import { l1 } from './l1.ts';

export const regularizers: readonly Regularizer[] = [l1, inputGradient];
