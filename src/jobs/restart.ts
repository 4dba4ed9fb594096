import { stat } from 'node:fs/promises';
import type { TrainRequest } from '../report/tasks.ts';

/** What a run says of a process that was lost on the way. */
export const restartNote = (how: string): string =>
  `The job process ended unexpectedly (${how}); it was started again, and these numbers are of the second attempt.`;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

/** A result with a note in each of its reports: a report itself, that of a training, those of a suite's checks. */
export const noted = (give: unknown, note: string): unknown => {
  if (!isRecord(give)) return give;
  if (Array.isArray(give.notes) && Array.isArray(give.cards)) return { ...give, notes: [note, ...give.notes] };
  if (Array.isArray(give.checks)) return { ...give, checks: give.checks.map((check: unknown) => noted(check, note)) };
  return isRecord(give.report) ? { ...give, report: noted(give.report, note) } : give;
};

/** What is asked the second time: a training goes on from the checkpoint that the first attempt left. */
export const askAgain = async (task: string, ask: unknown, began: number): Promise<unknown> => {
  if (task !== 'train') return ask;
  const train = ask as TrainRequest;
  const left = await stat(train.out.replace(/\.onnx$/i, '.checkpoint.state')).catch(() => undefined);
  return left && left.mtimeMs >= began ? { ...train, resume: true } : ask;
};
