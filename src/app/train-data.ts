import { Fault } from '../base/fault.ts';
import { breathe, type Job } from '../base/job.ts';
import { int64, sizeOf, type Tensor } from '../base/tensor.ts';
import { holdOut } from '../data/split.ts';
import type { Bound } from '../evidence/bound.ts';
import type { TargetKind } from '../training/define.ts';

/** What labels are to the loss: class numbers below `classes` (0 where the data decide), or numbers of shape `dims`. */
export interface Targets {
  readonly kind: TargetKind;
  readonly loss: string;
  readonly classes: number;
  readonly dims: readonly number[];
  /** Values in float64, as a model of float64 predicts them. */
  readonly double: boolean;
  /** Of scores: what a row of them holds. */
  readonly scores?: string;
  /** Of a row of scores so many, the first, are labels of 0 and 1. */
  readonly marks?: number;
}

export interface XY {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** The rows of one bound dataset with their labels, checked. */
export interface Rows {
  readonly bound: Bound;
  readonly count: number;
  /** One number per row, or as many as it has labels or scores. */
  readonly labels: Float64Array;
  /** Shape of a row of them: [1] for one value. */
  readonly labelDims: readonly number[];
  /** Number of classes, the model's or one more than the largest label; 0 for values. */
  readonly classes: number;
  /** Least and greatest input value. */
  readonly range: readonly [number, number];
  /** Columns that were asked for beside, by name: one word per row. */
  readonly beside: Readonly<Record<string, readonly string[]>>;
  readonly resident?: XY;
  /** The rows at `positions`, with these leading axes: [n] or [K, B]. */
  take(positions: ArrayLike<number>, lead: readonly number[], signal: AbortSignal): Promise<XY>;
}

const elements = (tensor: Tensor): Float32Array => tensor.data as Float32Array;

/** Counts values that are not finite over a pass, and remembers where the first is. */
const finiteInputs = (path: string) => {
  let count = 0;
  let first = { row: -1, column: -1 };
  let [min, max] = [Infinity, -Infinity];
  return {
    range: (): readonly [number, number] => [min, max],
    add(x: Tensor, rows: ArrayLike<number>): void {
      if (x.dtype === 'int64') {
        for (const v of x.data as BigInt64Array) {
          if (Number(v) < min) min = Number(v);
          if (Number(v) > max) max = Number(v);
        }
      }
      if (x.dtype !== 'float32' && x.dtype !== 'float64') return;
      const data = elements(x);
      const width = sizeOf(x.dims.slice(1));
      for (let i = 0; i < data.length; i++) {
        if (Number.isFinite(data[i])) {
          if (data[i] < min) min = data[i];
          if (data[i] > max) max = data[i];
        } else if (count++ === 0) first = { row: rows[Math.floor(i / width)], column: i % width };
      }
    },
    finish(): void {
      if (count > 0) throw new Fault('training/not-finite-input', { path, values: count, ...first });
    },
  };
};

/** Class numbers must be whole and below `classes` (or, where that is not known, not negative); values must be there. */
const checkLabels = ({ path, rowAt }: Bound, labels: Float64Array, { kind, loss, classes, dims, marks }: Targets): void => {
  const width = kind === 'class' ? 1 : sizeOf(dims);
  const count = (wrong: (v: number, i: number) => boolean): { count: number; row: number; label: number } => {
    const at = labels.findIndex(wrong);
    return { count: labels.filter(wrong).length, row: at < 0 ? at : rowAt(Math.floor(at / width)), label: labels[at] };
  };
  const missing = count(Number.isNaN);
  if (missing.count > 0) throw new Fault('data/label-missing', { path, ...missing });
  const leading = kind === 'marks' ? width : (marks ?? 0) <= width ? (marks ?? 0) : 0;
  if (leading > 0) {
    const other = count((v, i) => i % width < leading && v !== 0 && v !== 1);
    if (other.count > 0) throw new Fault('training/mark', { path, loss, ...other });
  }
  if (kind !== 'class') return;
  const fraction = count((v) => !Number.isInteger(v));
  if (fraction.count > 0) throw new Fault('training/fraction', { path, loss, ...fraction });
  const limit = classes || labels.reduce((most, v) => Math.max(most, v), 0) + 1;
  const outside = count((v) => v < 0 || v >= limit);
  if (outside.count > 0) throw new Fault('data/label-range', { path, classes: limit, ...outside });
};

const targetOf = (labels: Float64Array | Float32Array, lead: readonly number[], { kind, dims, double }: Targets): Tensor => {
  if (kind === 'class') return { dtype: 'int64', dims: lead, data: BigInt64Array.from(labels, BigInt) };
  const all = [...lead, ...dims];
  return double ? { dtype: 'float64', dims: all, data: labels.slice() } : { dtype: 'float32', dims: all, data: Float32Array.from(labels) };
};

const like = (data: Tensor['data'], size: number): Float32Array => new (data.constructor as Float32ArrayConstructor)(size);
const gathered = (data: Tensor['data'], width: number, positions: ArrayLike<number>): Float32Array => {
  const from = data as Float32Array;
  const to = like(data, positions.length * width);
  for (let i = 0; i < positions.length; i++) to.set(from.subarray(positions[i] * width, (positions[i] + 1) * width), i * width);
  return to;
};

/** Reads every row once: labels always, and inputs of up to `residentBytes`, which are then gathered inside the graph. */
export const readRows = async (
  bound: Bound,
  asked: Targets,
  residentBytes: number,
  job: Pick<Job, 'signal' | 'progress'>,
): Promise<Rows> => {
  const { path, count, inputDims } = bound;
  const { loss, scores } = asked;
  const unlabelled = (): Fault =>
    scores === undefined
      ? new Fault('training/unlabelled', { path, known: bound.known })
      : new Fault('training/unscored', { path, loss, scores, known: bound.known });
  if (!bound.labelled) throw unlabelled();
  const width = sizeOf(inputDims);
  const keep = count * width * 4 <= residentBytes;
  let targets = asked;
  let labels = new Float64Array(count);
  const check = finiteInputs(path);
  let x: Tensor | undefined;
  let at = 0;
  const beside: Record<string, string[]> = Object.fromEntries(bound.groups.map((name) => [name, []]));
  for await (const batch of bound.batches(4096, job.signal)) {
    const read = batch.labels ?? batch.marks?.data;
    if (!batch.x || !read) throw unlabelled();
    check.add(batch.x, batch.rows);
    for (const [name, words] of Object.entries(batch.groups ?? {})) beside[name].push(...words);
    if (at === 0 && batch.marks) {
      targets = { ...asked, dims: [batch.marks.cols] };
      labels = new Float64Array(count * batch.marks.cols);
    }
    labels.set(read, at * (batch.marks?.cols ?? 1));
    if (keep) {
      x ??= { dtype: batch.x.dtype, dims: [count, ...inputDims], data: like(batch.x.data, count * width) };
      elements(x).set(elements(batch.x), at * width);
    }
    at += batch.rows.length;
    job.progress(0, `reading ${bound.name}: ${at} of ${count} rows`);
    await breathe(job);
  }
  check.finish();
  checkLabels(bound, labels, targets);
  const whole = x && { x, y: targetOf(labels, [count], targets) };
  return {
    bound,
    count,
    labels,
    labelDims: targets.dims,
    classes: targets.kind === 'class' ? targets.classes || labels.reduce((most, v) => Math.max(most, v), -1) + 1 : 0,
    range: check.range(),
    beside,
    ...(whole ? { resident: whole } : {}),
    async take(positions, lead, signal) {
      const y = targetOf(gathered(labels, labels.length / Math.max(1, count), positions), lead, targets);
      const dims = [...lead, ...inputDims];
      if (whole) return { x: { dtype: whole.x.dtype, dims, data: gathered(whole.x.data, width, positions) }, y };
      const { x: read } = await bound.take(Array.from(positions), signal);
      if (!read) throw unlabelled();
      return { x: { dtype: read.dtype, dims, data: read.data }, y };
    },
  };
};

/** What steps and evaluations read of rows. */
export interface TrainingRows extends Pick<Rows, 'resident' | 'take'> {
  readonly bound: Pick<Bound, 'inputDims'>;
}
/** Some rows to train or measure on: read in chunks. */
export interface Held<R extends TrainingRows = Rows> {
  readonly rows: R;
  readonly positions: Float64Array;
}

/** Rows in memory. */
export const rowsInMemory = (x: Tensor, labels: ArrayLike<number>): TrainingRows => {
  const [count, ...inputDims] = x.dims;
  const width = sizeOf(inputDims);
  const whole: XY = { x, y: int64([count], labels) };
  return {
    bound: { inputDims },
    resident: whole,
    take: async (positions, lead) => ({
      x: { dtype: x.dtype, dims: [...lead, ...inputDims], data: gathered(x.data, width, positions) },
      y: int64(
        lead,
        Array.from(positions, (p) => labels[p]),
      ),
    }),
  };
};

/** Rows in parts of at most 256, and of 2²¹ input values where a row has fewer. */
export async function* inParts(
  { rows, positions }: Held<TrainingRows>,
  job: Pick<Job, 'signal'>,
): AsyncGenerator<XY & { readonly from: number; readonly count: number }, void, undefined> {
  const width = Math.max(1, sizeOf(rows.bound.inputDims));
  const size = Math.max(1, Math.min(256, Math.floor(2 ** 21 / width)));
  for (let from = 0; from < positions.length; from += size) {
    await breathe(job);
    const part = positions.subarray(from, from + size);
    yield { ...(await rows.take(part, [part.length], job.signal)), from, count: part.length };
  }
}

export const wholeOf = (rows: Rows): Held => ({ rows, positions: Float64Array.from({ length: rows.count }, (_, i) => i) });

/** Holds out a share of the rows for validation, each class giving its share where asked. */
export const divided = (
  rows: Rows,
  split: { readonly val: number; readonly seed: number; readonly stratified: boolean },
): { readonly train: Held; readonly held: Held } => {
  const classes = split.stratified && rows.classes > 0 ? Int32Array.from(rows.labels) : undefined;
  const { kept, held } = holdOut(rows.count, classes, split.val, split.seed);
  return { train: { rows, positions: kept }, held: { rows, positions: held } };
};

/** Classes below `classes` that none of the rows has. */
export const absentClasses = ({ rows, positions }: Held, classes: number): number[] => {
  const seen = new Set(Array.from(positions, (p) => rows.labels[p]));
  return Array.from({ length: classes }, (_, c) => c).filter((c) => !seen.has(c));
};
