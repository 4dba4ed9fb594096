import type { Monitor } from '../define.ts';
import { batchSize } from './batch-size.ts';
import { effectiveStep } from './effective-step.ts';
import { flatLogits } from './flat-logits.ts';
import { friction } from './friction.ts';
import { gradientNoise } from './gradient-noise.ts';
import { projection } from './projection.ts';
import { selectionMisses } from './selection-misses.ts';
import { updateRatio } from './update-ratio.ts';
import { weightNorm } from './weight-norm.ts';
import { zeroEmbeddings } from './zero-embeddings.ts';

export const monitors: readonly Monitor[] = [
  updateRatio,
  effectiveStep,
  flatLogits,
  gradientNoise,
  batchSize,
  weightNorm,
  projection,
  friction,
  zeroEmbeddings,
  selectionMisses,
];
