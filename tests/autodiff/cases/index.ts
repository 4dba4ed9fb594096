import type { Case } from './case.ts';
import {
  contribActivation,
  contribAttention,
  contribGroupAttention,
  contribNormalisation,
  contribPacked,
  contribProduct,
  contribShape,
} from './contrib.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { normalisation } from './normalisation.ts';
import { pooling } from './pooling.ts';
import { reduce } from './reduce.ts';
import { selection } from './selection.ts';
import { shape } from './shape.ts';

/** Every operator and attribute variant with a rule: a new one is one line in its family. */
export const families: Readonly<Record<string, readonly Case[]>> = {
  elementwise,
  reduce,
  matmul,
  shape,
  selection,
  convolution,
  pooling,
  normalisation,
  contribActivation,
  contribNormalisation,
  contribProduct,
  contribShape,
  contribAttention,
  contribGroupAttention,
  contribPacked,
};
