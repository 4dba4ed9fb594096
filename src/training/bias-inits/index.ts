import type { BiasInit } from '../define-run.ts';
import { keep } from './keep.ts';
import { optimal } from './optimal.ts';
import { prior } from './prior.ts';

export const biasInits: readonly BiasInit[] = [keep, optimal, prior];
