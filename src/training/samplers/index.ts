import type { Sampler } from '../define-run.ts';
import { balanced } from './balanced.ts';
import { domains } from './domains.ts';
import { importance } from './importance.ts';
import { mPerClass } from './m-per-class.ts';
import { shuffle } from './shuffle.ts';

export const samplers: readonly Sampler[] = [shuffle, balanced, domains, importance, mPerClass];
