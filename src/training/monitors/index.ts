import type { Monitor } from '../define.ts';
import { batchSize } from './batch-size.ts';
import { effectiveStep } from './effective-step.ts';
import { flatLogits } from './flat-logits.ts';
import { gradientNoise } from './gradient-noise.ts';
import { updateRatio } from './update-ratio.ts';

export const monitors: readonly Monitor[] = [updateRatio, effectiveStep, flatLogits, gradientNoise, batchSize];
