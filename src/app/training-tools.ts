import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import type { Tools } from '../evidence/evidence.ts';
import type { DeviceFacts } from '../report/report.ts';
import { attackTool } from './attack-tool.ts';
import { freshTool } from './fresh-tool.ts';
import { lossTool } from './loss-tool.ts';
import type { Ports } from './ports.ts';
import { retrainTool } from './retrain-tool.ts';
import type { OpenSubject } from './subject.ts';
import { weightsTool } from './weights-tool.ts';

/** What asks about the training of a model and about attacks on it. Nothing runs before a study asks. */
export const trainingTools = (
  open: OpenSubject,
  ask: RunRequest,
  ports: Ports,
  job: Job,
): {
  readonly tools: Pick<Tools, 'retrain' | 'fresh' | 'weights' | 'loss' | 'attacks'>;
  /** Where one of them ran, in their order. */
  device(): DeviceFacts | undefined;
  release(): Promise<void>;
} => {
  const retrain = retrainTool(ask, open.dataSha256, ports, job);
  const fresh = freshTool(open, ask, ports, job);
  const weights = weightsTool(ask, ports, job);
  const loss = lossTool(open, ask, ports, job);
  const attacks = attackTool(open, ask, ports, job);
  return {
    tools: { retrain: retrain.tool, fresh: fresh.tool, weights: weights.tool, loss: loss.tool, attacks: attacks.tool },
    device: () => retrain.device().device ?? fresh.device() ?? weights.device() ?? loss.device() ?? attacks.device(),
    async release() {
      for (const tool of [attacks, loss, weights, retrain, fresh]) await tool.release();
    },
  };
};
