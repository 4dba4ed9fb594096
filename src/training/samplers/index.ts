import type { Sampler } from '../define-run.ts';
import { balanced } from './balanced.ts';
import { shuffle } from './shuffle.ts';

export const samplers: readonly Sampler[] = [shuffle, balanced];
