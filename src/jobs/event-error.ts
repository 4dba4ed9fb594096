import { Fault, type FaultCode, type FaultDetail, faults } from '../base/fault.ts';
import type { Event } from './protocol.ts';

/** An error of the job process as the same error here. */
export const errorOf = (event: Extract<Event, { type: 'fault' }>): Error => {
  if (Object.hasOwn(faults, event.code)) {
    const code = event.code as FaultCode;
    return new Fault(code, event.detail as FaultDetail<typeof code>);
  }
  const error = new Error(event.sentence);
  if (event.stack !== undefined) error.stack = event.stack;
  return error;
};
