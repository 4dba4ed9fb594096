import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Bound } from '../evidence/bound.ts';
import { type Ends, endsOf, type OpenedModel, openModel, type ProbeRows, repeated } from '../evidence/model.ts';
import { rowsHeld } from '../evidence/plan.ts';
import type { GradientSubject } from '../evidence/providers/gradient.ts';
import { rowRunner, type Scorer, scorer } from '../evidence/scorer.ts';
import type { Prepared } from '../graph/prepare.ts';
import type { Model } from '../graph/types.ts';
import { write } from '../graph/write.ts';
import type { DeviceFacts } from '../report/report.ts';
import { bind } from './binding.ts';
import type { Ports } from './ports.ts';

export interface SubjectAsk extends Pick<RunRequest, 'model' | 'data' | 'device' | 'limit'> {
  /** Columns to group by, where the data have them. */
  readonly groups?: readonly string[];
  /** Rows may have several labels. */
  readonly marks?: boolean;
  /** A study reads columns itself: without a model, the data need not be predictions. */
  readonly bare?: boolean;
}

/** A model and how to run it. */
export interface RunnableModel extends GradientSubject {
  /** As in the file. */
  readonly model: Model;
  /** What is run: the file's model, or the prepared one where that freed a fixed batch axis. */
  readonly run: Model;
  readonly score: Scorer;
  /** The diagnosed output of whatever shape, rows first. */
  readonly outputs: (x: Tensor) => Promise<Tensor>;
}

/** A model (or none) and the data bound to it, open until closed. */
export interface OpenSubject {
  readonly bound: Bound;
  readonly model?: RunnableModel;
  readonly device: DeviceFacts;
  readonly modelSha256?: string;
  readonly dataSha256: string;
  /** Another split of the same data, all its rows, bound in the same way. */
  split(name: string): Promise<Bound>;
  /**
   * The rows diagnosed, or all of another split, as the model takes them; without a model as columns of numbers. Labels may be names
   * that are no class of the model.
   */
  inputs(split: string | undefined): Promise<Bound>;
  /** Another data file, all its rows, bound in the same way; its labels are not looked for. */
  other(path: string): Promise<Bound>;
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

/** Without a model, columns become rows of whatever length they have. */
const columnsTarget = { name: 'x', dtype: 'float32' } as const;

/** Rows that devices are compared on. */
const probeRows = 32;
/** A fixed batch is compared with a free one on three batches of rows, where so many are no burden. */
const checkedRows = 512;

/** The prepared model, its notes told once. */
const preparedOnce = (opened: OpenedModel, rows: ProbeRows | undefined, job: Pick<Job, 'note'>): (() => Promise<Prepared>) => {
  let told = false;
  return async () => {
    const found = await opened.prepared(rows);
    if (!told) for (const note of found.notes) job.note(note);
    told = true;
    return found;
  };
};

/** What is run for scores: the file; where its batch axis is fixed and can be freed, that model. */
const scored = async (
  opened: OpenedModel,
  ends: Ends,
  prepared: () => Promise<Prepared>,
  job: Pick<Job, 'note'>,
): Promise<{ readonly file: Uint8Array | string; readonly model: Model; readonly ends: Ends }> => {
  const { fixedBatch, ...free } = ends;
  const asItIs = { file: opened.path, model: opened.model, ends };
  if (fixedBatch === undefined) return asItIs;
  try {
    const { model, freedFrom } = await prepared();
    return freedFrom === undefined ? asItIs : { file: write(model), model, ends: free };
  } catch (error) {
    // What cannot be probed may still run as it is.
    if (!Fault.is(error, 'runtime/session') && !Fault.is(error, 'runtime/run')) throw error;
    job.note(
      `The file is written for batches of ${fixedBatch} and could not be probed, so rows run ${fixedBatch} at a time: ${error.message}`,
    );
    return asItIs;
  }
};

/** Whether the scores of the first row change with the rows beside it, by more than devices and batch sizes do. */
const sharesBatch = async (score: Scorer, x: Tensor): Promise<boolean> => {
  const among = await score(repeated(x, Math.min(x.dims[0], 8)));
  const alone = await score(repeated(x, 1));
  const most = alone.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  return alone.data.some((v, i) => Math.abs(v - among.data[i]) > 1e-2 * most);
};

/** Opens model and data, binds one to the other and starts a session on the device asked for. */
export const openSubject = async (ask: SubjectAsk, ports: Ports, job: Pick<Job, 'note' | 'signal' | 'progress'>): Promise<OpenSubject> => {
  job.progress(0, 'Opening');
  const opened = ask.model && (await openModel(ask.model, ports, job));
  const ends = opened && ask.model && endsOf(opened, ask.model, job);
  const labels = ask.model?.labels ?? (opened && namesIn(opened.model));
  const binding = { ...(ends ? { target: ends.input } : {}), ...(opened ? { beside: opened.folder } : {}), ...(labels ? { labels } : {}) };
  const bound = await bind(ask.data, ports, job, {
    ...binding,
    ...(ask.limit === undefined ? {} : { limit: ask.limit }),
    ...(ask.groups ? { groups: ask.groups } : {}),
    ...(ask.bare ? { bare: true } : {}),
    ...(ask.marks ? { marks: true } : {}),
  });
  const split = (name: string): Promise<Bound> => bind({ ...ask.data, split: name }, ports, job, binding);
  const inputs: OpenSubject['inputs'] = (split) =>
    bind(
      { ...ask.data, ...(split === undefined ? {} : { split }) },
      ports,
      opened && split === undefined ? { ...job, note: () => {} } : job,
      {
        target: columnsTarget,
        ...binding,
        bare: true,
        ...(ask.limit === undefined || split !== undefined ? {} : { limit: ask.limit }),
      },
    );
  const other: OpenSubject['other'] = (path) => {
    const { x, preprocess } = ask.data;
    return bind({ path, ...(x === undefined ? {} : { x }), ...(preprocess ? { preprocess } : {}) }, ports, job, { ...binding, bare: true });
  };
  const dataSha256 = await ports.sha256(ask.data.path);
  if (!opened || !ends) {
    const device = { requested: ask.device, actual: 'none', reason: 'a table of predictions needs no device' };
    return { bound, device, dataSha256, split, inputs, other, close: () => bound.close() };
  }
  const wanted = Math.max(probeRows, Math.min(checkedRows, 3 * (ends.fixedBatch ?? 0)));
  const first = Array.from({ length: Math.min(wanted, rowsHeld(bound), bound.count) }, (_, i) => i);
  const { x } = await bound.take(first, job.signal);
  const prepared = preparedOnce(opened, x && { input: ends.input.name, x }, job);
  const run = await scored(opened, ends, prepared, job);
  const { session, choice } = await ports.runtime
    .open(
      run.file,
      {
        device: ask.device,
        name: opened.name,
        folder: opened.folder,
        ...(x ? { probe: { [ends.input.name]: repeated(x, run.ends.fixedBatch ?? Math.min(probeRows, x.dims[0])) } } : {}),
      },
      job,
    )
    .catch((error: unknown) => {
      // Where the file is no legal graph, that says more than ONNX Runtime does.
      if (Fault.is(error, 'runtime/session')) opened.verify();
      throw error;
    });
  const score = scorer(session, run.ends, job);
  // What is wrong with the scores is for the run itself to say.
  if (x && x.dims[0] > 1 && run.ends.fixedBatch === undefined && (await sharesBatch(score, x).catch(() => false)))
    job.note(
      'Scores of a row depend on the rows that share its batch, or on chance, as with BatchNormalization or Dropout in training mode: export the model in evaluation mode, or read the numbers as those of these batches.',
    );
  return {
    bound,
    model: {
      name: opened.name,
      folder: opened.folder,
      model: opened.model,
      run: run.model,
      ends: run.ends,
      prepared,
      score,
      outputs: rowRunner(session, run.ends, job),
    },
    device: { requested: choice.requested, actual: choice.actual, reason: choice.reason },
    modelSha256: opened.sha256,
    dataSha256,
    split,
    inputs,
    other,
    async close() {
      await session.release();
      await bound.close();
    },
  };
};
