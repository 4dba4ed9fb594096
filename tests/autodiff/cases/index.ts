import { attention } from './attention.ts';
import type { Case } from './case.ts';
import {
  contribActivation,
  contribAttention,
  contribGroupAttention,
  contribNormalisation,
  contribPacked,
  contribProduct,
  contribRotary,
  contribShape,
} from './contrib.ts';
import { control } from './control.ts';
import { convolution } from './convolution.ts';
import { einsum } from './einsum.ts';
import { elementwise } from './elementwise.ts';
import { gridSample } from './grid-sample.ts';
import { matmul } from './matmul.ts';
import { neighbourhood } from './neighbourhood.ts';
import { normalisation } from './normalisation.ts';
import { pooling } from './pooling.ts';
import { recurrent } from './recurrent.ts';
import { reduce } from './reduce.ts';
import { resampling } from './resampling.ts';
import { selection } from './selection.ts';
import { shape } from './shape.ts';
import { spectral } from './spectral.ts';

/** Every operator and attribute variant with a rule: a new one is one line in its family. */
export const families: Readonly<Record<string, readonly Case[]>> = {
  elementwise,
  reduce,
  matmul,
  attention,
  einsum,
  resampling,
  gridSample,
  shape,
  selection,
  convolution,
  pooling,
  neighbourhood,
  spectral,
  normalisation,
  control,
  recurrent,
  contribActivation,
  contribNormalisation,
  contribProduct,
  contribShape,
  contribAttention,
  contribGroupAttention,
  contribRotary,
  contribPacked,
};
