import type { Architecture } from '../define-layers.ts';
import { capsule } from './capsule.ts';
import { cnn } from './cnn.ts';
import { linear } from './linear.ts';
import { milAttention } from './mil-attention.ts';
import { mlp } from './mlp.ts';
import { resnet } from './resnet.ts';
import { textTransformer } from './text-transformer.ts';
import { vitTiny } from './vit-tiny.ts';

export const architectures: readonly Architecture[] = [linear, mlp, cnn, resnet, vitTiny, textTransformer, milAttention, capsule];
