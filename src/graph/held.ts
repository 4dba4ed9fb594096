import type { Node } from './types.ts';

/** In the doc of an Identity: training counts what it gives as constant. */
export const HELD = 'Constant in training: no gradient flows through.';
export const isHeld = ({ op, doc }: Node): boolean => op === 'Identity' && doc === HELD;
