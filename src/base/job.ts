import { Fault } from './fault.ts';
import { type Random, random } from './random.ts';

/** What a long piece of work is given: a way to be stopped, to tell how far it is, and its only source of chance. */
export interface Job {
  readonly signal: AbortSignal;
  /** `fraction` in 0..1; `text` is what is being done now. */
  progress(fraction: number, text: string): void;
  /** A sentence that belongs in the report (a fallback, a rescaling, a chunk halved). */
  note(text: string): void;
  /** A named substream of the run's seed. */
  random(name: string): Random;
}

/** Throws `job/stopped` if the job was cancelled, after letting pending messages in. Call between batches. */
export const breathe = async (job: Pick<Job, 'signal'>): Promise<void> => {
  await new Promise<void>((done) => setImmediate(done));
  if (job.signal.aborted) throw new Fault('job/stopped', {});
};

/** Tells how far a fold's result is, and lets a cancelled one end there. */
export const paced =
  (job: Pick<Job, 'progress' | 'signal'>) =>
  async (fraction: number, text: string): Promise<void> => {
    job.progress(fraction, text);
    await breathe(job);
  };

/** A job that reports to nobody, for tests and small synchronous uses. */
export const quietJob = (seed = 0): Job & { readonly notes: string[] } => {
  const notes: string[] = [];
  return {
    signal: new AbortController().signal,
    progress: () => {},
    note: (t) => void notes.push(t),
    random: (name) => random(seed, name),
    notes,
  };
};
