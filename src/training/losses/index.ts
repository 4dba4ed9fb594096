import type { Loss } from '../define.ts';
import { correctnessAware } from './correctness-aware.ts';
import { crossEntropy } from './cross-entropy.ts';
import { mse } from './mse.ts';

export const losses: readonly Loss[] = [crossEntropy, mse, correctnessAware];
