import type { AttributionMethod } from './method.ts';
import { gradientMethods } from './method-gradient.ts';
import { layerMethods } from './method-layer.ts';
import type { MethodId } from './method-names.ts';
import { pathMethods } from './method-path.ts';
import { perturbationMethods } from './method-perturbation.ts';
import { ruleMethods } from './method-rules.ts';

/** Every attribution method. A new one is a line in method-names.ts and an entry in one of these. */
export const methods: Readonly<Record<MethodId, AttributionMethod>> = {
  ...gradientMethods,
  ...pathMethods,
  ...layerMethods,
  ...ruleMethods,
  ...perturbationMethods,
};
