import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { Subject } from '../evidence/evidence.ts';
import type { Meaning } from '../evidence/interpret.ts';
import { type OpenGradient, openGradient } from '../evidence/providers/gradient.ts';
import { samples } from '../evidence/providers/samples.ts';
import type { AttributeRequest } from '../report/tasks.ts';
import { type GivenSamples, withGiven } from './given-row.ts';
import { lookAt } from './look-at.ts';
import type { AppJob, Ports } from './ports.ts';
import { type OpenSubject, openSubject } from './subject.ts';
import { alone, aloneKey } from './text-alone.ts';

/** A model with its data and compiled gradients, open for one question after another. */
export interface KeptSubject {
  readonly open: OpenSubject;
  readonly subject: Subject;
  readonly meaning?: Meaning;
  readonly samples: GivenSamples;
  readonly gradient: OpenGradient;
  /** What was said while it was opened. */
  readonly notes: readonly string[];
}
interface Kept extends KeptSubject {
  readonly key: string;
  /** From now on this job is asked whether to stop, and told how far it is. */
  serve(job: AppJob): void;
  close(): Promise<void>;
}

type Ask = Pick<AttributeRequest, 'model' | 'data' | 'device' | 'given'>;

/** So many stay open when they are not in use, as long as the process: it ends when nothing was asked of it for minutes. */
const most = 2;
const shelves = new WeakMap<Ports, Kept[]>();

/** Changes with everything that was read; a path that names no file is told of when it is opened. */
const keyOf = async ({ model, data, device, given }: Ask, ports: Ports): Promise<string> => {
  const { path, x, y, labels, preprocess } = data;
  const beside = `${model.path.replace(/[^\\/]*$/, '')}tokenizer.json`;
  const read = [model.path, path, x, y, labels, preprocess?.tokenizer, beside];
  const digests = await Promise.all(read.map((one) => (one === undefined || one === '' ? '' : ports.sha256(one).catch(() => ''))));
  return JSON.stringify([model, data, device, digests, aloneKey(data, given)]);
};

const opening = async (key: string, ask: Ask, ports: Ports, first: AppJob): Promise<Kept> => {
  let now = first;
  const notes: string[] = [];
  // Sessions outlive the job that opened them.
  const job: Job = {
    get signal() {
      return now.signal;
    },
    progress: (fraction, text) => now.progress(fraction, text),
    note(text) {
      notes.push(text);
      now.note(text);
    },
    random: (name) => now.random(name),
  };
  const open = await openSubject(ask, alone(ask, ports), job);
  try {
    const { bound, model } = open;
    if (!model) throw new Fault('evidence/no-model', { id: 'saliency', tool: 'gradient' });
    const look = await lookAt(open, 'auto', job);
    job.progress(0.2, 'Compiling the gradient');
    const gradient = await openGradient(model, bound.inputDims, { runtime: ports.runtime, device: ask.device }, job);
    return {
      ...look,
      key,
      open,
      gradient,
      notes,
      samples: withGiven(samples(bound, model.score).tool, bound, model.score),
      serve(job) {
        now = job;
      },
      async close() {
        await gradient.release();
        await open.close();
      },
    };
  } catch (error) {
    await open.close();
    throw error;
  }
};

/** What was refused, or stopped between two runs, leaves sessions as they were; what failed may not have. */
const unharmed = (error: unknown): boolean =>
  error instanceof Fault && (/^data\/given-/.test(error.code) || error.code === 'job/stopped' || !/^(runtime|job|data)\//.test(error.code));

/** Asks something of a subject that was kept open, or opens it, and keeps it for the next question. */
export const withSubject = async <T>(ask: Ask, ports: Ports, job: AppJob, question: (kept: KeptSubject) => Promise<T>): Promise<T> => {
  const shelf = shelves.get(ports) ?? [];
  shelves.set(ports, shelf);
  const key = await keyOf(ask, ports);
  // In use it is off the shelf, so that nobody else asks or closes it.
  const at = shelf.findIndex((kept) => kept.key === key);
  const kept = at < 0 ? await opening(key, ask, ports, job) : shelf.splice(at, 1)[0];
  kept.serve(job);
  const back = async (): Promise<void> => {
    shelf.push(kept);
    while (shelf.length > most) await shelf.shift()?.close();
  };
  try {
    const answer = await question(kept);
    await back();
    return answer;
  } catch (error) {
    await (unharmed(error) ? back() : kept.close());
    throw error;
  }
};
