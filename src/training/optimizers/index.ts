import type { Optimizer } from '../define.ts';
import { adagrad } from './adagrad.ts';
import { adagradNorm } from './adagrad-norm.ts';
import { adam } from './adam.ts';
import { adamp } from './adamp.ts';
import { adamw } from './adamw.ts';
import { diffgrad } from './diffgrad.ts';
import { gnsNewton } from './gns-newton.ts';
import { lbfgs } from './lbfgs.ts';
import { normalizedLrGd } from './normalized-lr-gd.ts';
import { rmsprop } from './rmsprop.ts';
import { sgd } from './sgd.ts';
import { sgdp } from './sgdp.ts';

export const optimizers: readonly Optimizer[] = [
  sgd,
  adam,
  adamw,
  adagrad,
  adagradNorm,
  rmsprop,
  sgdp,
  adamp,
  diffgrad,
  normalizedLrGd,
  lbfgs,
  gnsNewton,
];
