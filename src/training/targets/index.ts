import type { Targets } from '../define-run.ts';
import { labels } from './labels.ts';
import { psKd } from './ps-kd.ts';
import { teacher } from './teacher.ts';

export const targets: readonly Targets[] = [labels, psKd, teacher];
