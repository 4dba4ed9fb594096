import { Fault } from '../base/fault.ts';
import type { Outcome, Report } from '../report/report.ts';

export interface Unmeasured {
  readonly outcome: Exclude<Outcome, 'measured'>;
  readonly reason: NonNullable<Report['reason']>;
}

/** Families of faults that lie in what the user gave: they are thrown on, not reported. */
const wrongInput = /^(file|data|option|id|graph|diagnostic|training|report)\//;
/** Faults of the runtime that lie in what was asked for. */
const wrongAsk: ReadonlySet<string> = new Set(['runtime/device', 'runtime/session', 'runtime/platform', 'runtime/output']);

/**
 * What an error means for a report. Wrong input is thrown on: nothing was measured and the user must give something else.
 * What the subject cannot supply is `unavailable`; an end on request `stopped`; all else `failed`.
 */
export const outcomeOf = (error: unknown, signal: AbortSignal): Unmeasured => {
  if (signal.aborted || Fault.is(error, 'job/stopped'))
    return { outcome: 'stopped', reason: { code: 'job/stopped', sentence: new Fault('job/stopped', {}).message } };
  if (!(error instanceof Fault))
    return { outcome: 'failed', reason: { code: 'internal', sentence: error instanceof Error ? error.message : String(error) } };
  const reason = { code: error.code, sentence: error.message };
  if (error.code.startsWith('evidence/') || error.code === 'graph/no-gradient') return { outcome: 'unavailable', reason };
  if (wrongInput.test(error.code) || wrongAsk.has(error.code)) throw error;
  return { outcome: 'failed', reason };
};
