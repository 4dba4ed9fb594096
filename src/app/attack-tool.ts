import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import { attacks, type OpenAttackTool } from '../evidence/providers/attack.ts';
import type { Ports } from './ports.ts';
import type { OpenSubject } from './subject.ts';

/** Attacks on the diagnosed model. Nothing runs before a study asks. */
export const attackTool = (
  { model, bound }: OpenSubject,
  request: RunRequest,
  { runtime }: Pick<Ports, 'runtime'>,
  job: Job,
): OpenAttackTool =>
  model
    ? attacks(model, bound.inputDims, { runtime, device: request.device }, job)
    : {
        tool: {
          open: () => Promise.reject(new Fault('evidence/no-model', { id: request.id, tool: 'attacks' })),
        },
        device: () => undefined,
        release: async () => {},
      };
