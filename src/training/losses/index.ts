import type { Loss } from '../define.ts';
import { binaryCrossEntropy } from './binary-cross-entropy.ts';
import { binomialDeviance } from './binomial-deviance.ts';
import { contrastive } from './contrastive.ts';
import { correctnessAware } from './correctness-aware.ts';
import { crossEntropy } from './cross-entropy.ts';
import { detection } from './detection.ts';
import { focal } from './focal.ts';
import { huber } from './huber.ts';
import { klDistillation } from './kl-distillation.ts';
import { mae } from './mae.ts';
import { margin } from './margin.ts';
import { mse } from './mse.ts';
import { multiSimilarity } from './multi-similarity.ts';
import { nPair } from './n-pair.ts';
import { proxyAnchor } from './proxy-anchor.ts';
import { sigmoidFocal } from './sigmoid-focal.ts';
import { triplet } from './triplet.ts';
import { zLoss } from './z-loss.ts';

export const losses: readonly Loss[] = [
  crossEntropy,
  focal,
  sigmoidFocal,
  zLoss,
  margin,
  binaryCrossEntropy,
  detection,
  klDistillation,
  mse,
  mae,
  huber,
  correctnessAware,
  contrastive,
  triplet,
  multiSimilarity,
  proxyAnchor,
  binomialDeviance,
  nPair,
];
