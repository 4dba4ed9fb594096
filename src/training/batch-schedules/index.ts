import type { BatchSchedule } from '../define-run.ts';
import { adaptive } from './adaptive.ts';
import { constantBatch } from './constant.ts';
import { doubling } from './doubling.ts';

export const batchSchedules: readonly BatchSchedule[] = [constantBatch, doubling, adaptive];
