import { type BiasInit, defineBiasInit } from '../define-run.ts';

/** Biases of the last layer as `init` leaves them. */
export const keep: BiasInit = defineBiasInit({ id: 'keep', source: 'none', options: {}, values: () => undefined });
