import { breathe } from '../base/job.ts';
import type { AppJob } from './ports.ts';

const lookAgainMs = 40;

/** Waits until the training is asked to go on or to end. Throws `job/stopped` where it is cancelled meanwhile. */
export const pause = async (job: AppJob, text: string, fraction: number): Promise<void> => {
  job.live({ kind: 'standing', paused: true });
  job.progress(fraction, text);
  while (job.steer?.() === 'pause') {
    await new Promise<void>((done) => setTimeout(done, lookAgainMs));
    await breathe(job);
  }
  job.live({ kind: 'standing', paused: false });
};
