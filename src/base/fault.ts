import { cudaFaults } from './faults/cuda.ts';
import { dataFaults } from './faults/data.ts';
import { diagnosticFaults } from './faults/diagnostic.ts';
import { evidenceFaults } from './faults/evidence.ts';
import { graphFaults } from './faults/graph.ts';
import { jobFaults } from './faults/job.ts';
import { optionFaults } from './faults/option.ts';
import { runtimeFaults } from './faults/runtime.ts';
import { suiteFaults } from './faults/suite.ts';
import { trainingFaults } from './faults/training.ts';

/** Every expected failure of the product: code → one sentence naming what is at fault and what to do. */
export const faults: typeof cudaFaults &
  typeof dataFaults &
  typeof diagnosticFaults &
  typeof evidenceFaults &
  typeof graphFaults &
  typeof jobFaults &
  typeof optionFaults &
  typeof runtimeFaults &
  typeof suiteFaults &
  typeof trainingFaults = {
  ...cudaFaults,
  ...dataFaults,
  ...diagnosticFaults,
  ...evidenceFaults,
  ...graphFaults,
  ...jobFaults,
  ...optionFaults,
  ...runtimeFaults,
  ...suiteFaults,
  ...trainingFaults,
};

export type FaultCode = keyof typeof faults;
export type FaultDetail<C extends FaultCode> = Parameters<(typeof faults)[C]>[0];

/** The one error class. Its message is the sentence shown to the user, on every surface. */
export class Fault<C extends FaultCode = FaultCode> extends Error {
  override readonly name = 'Fault';
  readonly code: C;
  readonly detail: FaultDetail<C>;

  constructor(code: C, detail: FaultDetail<C>, options?: { cause?: unknown }) {
    super((faults[code] as (detail: FaultDetail<C>) => string)(detail), options);
    this.code = code;
    this.detail = detail;
  }

  static is<C extends FaultCode>(error: unknown, code: C): error is Fault<C> {
    return error instanceof Fault && error.code === code;
  }
}
