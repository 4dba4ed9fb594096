import { type BatchSchedule, defineBatchSchedule } from '../define-run.ts';

/** The batch of the recipe throughout. */
export const constantBatch: BatchSchedule = defineBatchSchedule({ id: 'constant', source: 'none', options: {} });
