import { defineTargets, type Targets } from '../define-run.ts';

/** The labels of the data. */
export const labels: Targets = defineTargets({ id: 'labels', source: 'the data', options: {} });
