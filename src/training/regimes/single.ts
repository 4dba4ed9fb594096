import { defineRegime, type Regime } from '../define-run.ts';

/** One run. */
export const single: Regime = defineRegime({ id: 'single', source: 'none', options: {} });
