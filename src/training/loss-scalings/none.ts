import { defineLossScaling, type LossScaling } from '../define.ts';

/** The loss as it is. */
export const none: LossScaling = defineLossScaling({ id: 'none', source: 'none', options: {} });
