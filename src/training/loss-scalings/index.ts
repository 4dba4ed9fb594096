import type { LossScaling } from '../define.ts';
import { guided } from './guided.ts';
import { none } from './none.ts';

export const lossScalings: readonly LossScaling[] = [none, guided];
