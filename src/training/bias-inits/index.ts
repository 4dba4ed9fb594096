import type { BiasInit } from '../define-run.ts';
import { keep } from './keep.ts';
import { optimal } from './optimal.ts';

export const biasInits: readonly BiasInit[] = [keep, optimal];
