import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import type { Bound } from '../evidence/bound.ts';
import { type Ends, endsOf, type OpenedModel, openModel, repeated } from '../evidence/model.ts';
import { type Scorer, scorer } from '../evidence/scorer.ts';
import type { Model } from '../graph/types.ts';
import type { DeviceFacts } from '../report/report.ts';
import { bind } from './binding.ts';
import type { Ports } from './ports.ts';

export type SubjectAsk = Pick<RunRequest, 'model' | 'data' | 'device' | 'limit'>;

/** A model and how to run it. */
export interface RunnableModel {
  readonly opened: OpenedModel;
  readonly ends: Ends;
  readonly score: Scorer;
}

/** A model (or none) and the data bound to it, open until closed. */
export interface OpenSubject {
  readonly bound: Bound;
  readonly model?: RunnableModel;
  readonly device: DeviceFacts;
  readonly modelSha256?: string;
  readonly dataSha256: string;
  close(): Promise<void>;
}

/** Class names that training has written into the model. */
const namesIn = ({ metadata }: Model): readonly string[] | undefined => {
  const text = metadata.get('classes');
  if (text === undefined) return undefined;
  try {
    const names: unknown = JSON.parse(text);
    return Array.isArray(names) && names.every((n) => typeof n === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
};

/** Rows that devices are compared on. */
const probeRows = 32;

/** Opens model and data, binds one to the other and starts a session on the device asked for. */
export const openSubject = async (ask: SubjectAsk, ports: Ports, job: Pick<Job, 'note' | 'signal' | 'progress'>): Promise<OpenSubject> => {
  job.progress(0, 'Opening');
  const opened = ask.model && (await openModel(ask.model, ports, job));
  const ends = opened && ask.model && endsOf(opened, ask.model, job);
  const labels = ask.model?.labels ?? (opened && namesIn(opened.model));
  const bound = await bind(ask.data, ports, job, {
    ...(ends ? { target: ends.input } : {}),
    ...(labels ? { labels } : {}),
    ...(ask.limit === undefined ? {} : { limit: ask.limit }),
  });
  const dataSha256 = await ports.sha256(ask.data.path);
  if (!opened || !ends) {
    const device = { requested: ask.device, actual: 'none', reason: 'a table of predictions needs no device' };
    return { bound, device, dataSha256, close: () => bound.close() };
  }
  const first = Array.from({ length: Math.min(probeRows, bound.count) }, (_, i) => i);
  const { x } = await bound.take(first, job.signal);
  const { session, choice } = await ports.runtime.open(
    opened.path,
    {
      device: ask.device,
      name: opened.name,
      ...(x ? { probe: { [ends.input.name]: ends.fixedBatch === undefined ? x : repeated(x, ends.fixedBatch) } } : {}),
    },
    job,
  );
  return {
    bound,
    model: { opened, ends, score: scorer(session, ends, job) },
    device: { requested: choice.requested, actual: choice.actual, reason: choice.reason },
    modelSha256: opened.sha256,
    dataSha256,
    async close() {
      await session.release();
      await bound.close();
    },
  };
};
