import type { Head } from '../define-layers.ts';
import { capsule } from './capsule.ts';
import { categoryQueries } from './category-queries.ts';
import { cosine } from './cosine.ts';
import { ebv } from './ebv.ts';
import { embedding } from './embedding.ts';
import { linear } from './linear.ts';

export const heads: readonly Head[] = [linear, cosine, embedding, ebv, categoryQueries, capsule];
