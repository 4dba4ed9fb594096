import type { Architecture } from '../define.ts';
import { cnn } from './cnn.ts';
import { mlp } from './mlp.ts';

export const architectures: readonly Architecture[] = [mlp, cnn];
