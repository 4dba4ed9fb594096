import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import type { Declared } from '../evidence/interpret.ts';
import { type OpenPair, openPair, type PairSide, rowName } from '../evidence/providers/pair.ts';
import { type Inspected, valueDifferences } from '../evidence/providers/value-differences.ts';
import type { Provenance } from '../report/report.ts';
import type { Ports } from './ports.ts';
import { passageOf } from './score-tools.ts';
import { type OpenSubject, openSubject } from './subject.ts';

export interface OpenComparison extends OpenPair {
  readonly against: NonNullable<Provenance['against']>;
  close(): Promise<void>;
}

/** What a model is shown of its first rows; nothing of a table. */
const inspected = async ({ bound, model }: OpenSubject, rows: number, job: Pick<Job, 'signal'>): Promise<Inspected | undefined> => {
  const { x } = await bound.take(
    Array.from({ length: Math.min(rows, bound.count) }, (_, i) => i),
    job.signal,
  );
  return model && x ? { name: model.name, folder: model.folder, model: model.model, input: model.ends.input.name, x } : undefined;
};

/** Rows looked at to tell classes from numbers. */
const LOOKED = 256;

/** Whether the first rows show that a model predicts numbers: it gives one a row, and labels are no classes, or not the two of one score. */
const showsNumbers = async ({ bound, model }: OpenSubject, job: Pick<Job, 'signal'>): Promise<boolean> => {
  if (!model || !bound.labelled || bound.labelNames) return false;
  const { x, labels } = await bound.take(
    Array.from({ length: Math.min(LOOKED, bound.count) }, (_, i) => i),
    job.signal,
  );
  const known = labels?.filter((v) => !Number.isNaN(v));
  const binary = model.ends.hint === 'sigmoid' ? known?.every(Number.isInteger) : known?.every((v) => v === 0 || v === 1);
  return x !== undefined && binary === false && (await model.score(x)).cols === 1;
};

/** Two predict numbers where it is said, where tables hold such, or where labels leave no other reading. */
const comparedAsNumbers = async (both: readonly [OpenSubject, OpenSubject], declared: Declared, job: Job): Promise<boolean> => {
  if (declared === 'values') return true;
  const tables = both.filter(({ bound }) => bound.table !== undefined);
  const valued = tables.find(({ bound }) => bound.table === 'values');
  const scored = tables.find(({ bound }) => bound.table !== 'values');
  if (valued && (scored || declared !== 'auto'))
    throw new Fault('evidence/numbers-compared', { path: valued.bound.path, ...(scored ? { other: scored.bound.path } : {}) });
  if (valued) return true;
  if (declared !== 'auto' || scored || !(await showsNumbers(both[0], job))) return false;
  job.note(`The labels of '${both[0].bound.path}' are numbers and no classes, so what was compared are predicted numbers.`);
  return true;
};

/** Opens what the subject is compared with: a model on the subject's data or on its own, or a table. */
export const openComparison = async (
  open: OpenSubject,
  request: RunRequest,
  declared: Declared,
  ports: Ports,
  job: Job,
): Promise<OpenComparison> => {
  const { model, data } = request.against ?? {};
  const path = model?.path ?? data?.path;
  if (path === undefined) throw new Fault('option/against', { id: request.id });
  const other = await openSubject(
    {
      data: data ?? request.data,
      device: request.device,
      groups: [rowName],
      ...(model ? { model } : {}),
      ...(request.limit === undefined ? {} : { limit: request.limit }),
    },
    ports,
    // On the subject's own data it has the same to tell, which the report says once.
    data ? { ...job, note: (text) => job.note(`'${path}': ${text}`) } : job,
  );
  const numbers = await comparedAsNumbers([open, other], declared, job);
  if (other.model && open.model && other.device.actual !== open.device.actual)
    job.note(`The models ran on different devices: ${open.device.actual} and ${other.device.actual} (${other.device.reason}).`);
  const side = (subject: OpenSubject, of: string): PairSide => ({
    passage: passageOf(subject.bound, subject.model, numbers ? 'values' : declared),
    path: of,
  });
  const pair = openPair(
    request.id,
    side(open, request.model?.path ?? request.data.path),
    side(other, path),
    numbers,
    async (rows) => {
      const [a, b] = [await inspected(open, rows, job), await inspected(other, rows, job)];
      return a && b ? valueDifferences(a, b, ports.runtime, job) : undefined;
    },
    { ...job, progress: (fraction, text) => job.progress(0.8 * fraction, text) },
  );
  return {
    ...pair,
    against: {
      ...(model ? { modelPath: model.path } : {}),
      ...(other.modelSha256 ? { modelSha256: other.modelSha256 } : {}),
      dataPath: (data ?? request.data).path,
      dataSha256: other.dataSha256,
    },
    close: () => other.close(),
  };
};
