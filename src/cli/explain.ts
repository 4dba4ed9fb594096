import { Fault } from '../base/fault.ts';
import { exits } from './define.ts';

/** Says on the error stream what went wrong, in one sentence (an internal fault also shows where), and gives the exit code. */
export const explain = (error: unknown): number => {
  if (error instanceof Fault) {
    process.stderr.write(`assay: ${error.message}\n`);
    if (Fault.is(error, 'job/stopped')) return exits.stopped;
    return Fault.is(error, 'job/crashed') ? exits.internal : exits.input;
  }
  process.stderr.write(`assay: internal fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return exits.internal;
};
