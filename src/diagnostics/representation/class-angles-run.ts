import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { welchBound } from '../../base/maths/equiangular.ts';
import type { Subject, Tools, Values } from '../../evidence/evidence.ts';
import type { FeatureAsk, FeatureBatch } from '../../evidence/features.ts';
import { type AngleState, addAngles, angleState, cosinesOf, type Directions, directionsOf } from './class-angles-state.ts';

export interface AngleOptions {
  readonly directions: 'weights' | 'means' | 'file';
  readonly vectors: string;
  readonly layer: string;
  readonly pooling: NonNullable<FeatureAsk['pooling']>;
  readonly confidenceLevel: number;
}
export interface ClassAngles {
  readonly layer: string;
  readonly directions: Directions;
  readonly cosines: Float64Array;
  readonly bound: number;
  readonly state: AngleState;
  /** One logit stood for two classes. */
  readonly mirrored: boolean;
  /** Vectors in a file beyond those of the classes. */
  readonly spare: number;
}

const classNumber = ({ labels, rows }: FeatureBatch, i: number, classes: number): number => {
  const label = labels?.[i] ?? Number.NaN;
  if (Number.isNaN(label)) throw new Fault('diagnostic/no-label', { row: rows[i] });
  if (!Number.isInteger(label) || label < 0 || label >= classes) throw new Fault('diagnostic/label', { row: rows[i], label, classes });
  return label;
};

/** More classes than this are no classes. */
const MOST = 100_000;

/** Sums of unit features of every class: as many as are known, else as the labels tell. */
const meansOf = async (
  features: Tools['features'],
  ask: FeatureAsk,
  known: number,
  { signal, progress }: Job,
): Promise<{ readonly data: Float64Array; readonly classes: number; readonly width: number }> => {
  const { width, count, batches } = await features.open(ask);
  const sums = Array.from({ length: known }, () => new Float64Array(width));
  let seen = 0;
  for await (const batch of batches(signal)) {
    for (let i = 0; i < batch.rows.length; i++) {
      const label = classNumber(batch, i, known || MOST);
      while (sums.length <= label) sums.push(new Float64Array(width));
      const row = batch.features.subarray(i * width, (i + 1) * width);
      const length = Math.sqrt(row.reduce((s, v) => s + v * v, 0));
      if (length > 0) for (let k = 0; k < width; k++) sums[label][k] += row[k] / length;
    }
    seen += batch.rows.length;
    progress((0.5 * seen) / count, `means of ${seen} of ${count} rows`);
  }
  const data = new Float64Array(sums.length * width);
  for (const [c, sum] of sums.entries()) data.set(sum, c * width);
  return { data, classes: sums.length, width };
};

const fromFile = async (columns: Tools['columns'], path: string, classes: number, signal: AbortSignal): Promise<Values> => {
  if (path === '') throw new Fault('option/missing', { name: '--vectors', usage: '--directions file --vectors FILE' });
  const file = await columns.file(path, signal);
  const tables = file.list.filter((c) => c.dims.length === 2 && c.dtype !== 'string');
  if (tables.length !== 1)
    throw new Fault('data/corrupt', { path, where: 'its arrays', reason: `one matrix of numbers is due, and there are ${tables.length}` });
  const found = await file.read(tables[0].name, signal);
  if (found.dims[0] < classes)
    throw new Fault('option/value', {
      name: 'vectors',
      value: path,
      expected: `at least ${classes} vectors, one for each class; it holds ${found.dims[0]}`,
    });
  return found;
};

/** Angles between the directions of the classes, and of every row to its own and the nearest wrong one. */
export const anglesRun = async (
  { features, outputHead, columns }: Pick<Tools, 'features' | 'outputHead' | 'columns'>,
  { directions: from, vectors, layer, pooling }: AngleOptions,
  subject: Subject,
  job: Job,
): Promise<ClassAngles> => {
  const ask = { layer, pooling };
  const told = subject.classes.length;
  let [mirrored, spare] = [false, 0];
  let directions: Directions;
  if (from === 'means') {
    const { data, classes, width } = await meansOf(features, ask, told, job);
    directions = directionsOf(data, classes, width);
  } else {
    const { dims, data } = from === 'file' ? await fromFile(columns, vectors, told, job.signal) : await outputHead.classWeights();
    mirrored = from === 'weights' && dims[0] === 1;
    const count = from === 'file' ? told || dims[0] : dims[0];
    spare = dims[0] - count;
    directions = mirrored
      ? directionsOf([...Array.from(data, (v) => -v), ...data], 2, dims[1])
      : directionsOf(data.subarray(0, count * dims[1]), count, dims[1]);
  }
  const { classes, width } = directions;
  if (classes < 2) throw new Fault('diagnostic/one-class', { title: 'The map of class angles', rows: classes });
  const stream = await features.open(ask);
  if (stream.width !== width) throw new Fault('diagnostic/width', { found: stream.width, expected: width });
  const state = angleState(classes, width);
  let seen = 0;
  for await (const batch of stream.batches(job.signal)) {
    for (let i = 0; i < batch.rows.length; i++)
      addAngles(state, directions, batch.features, i * width, classNumber(batch, i, classes), batch.rows[i]);
    seen += batch.rows.length;
    job.progress(0.5 + (0.5 * seen) / stream.count, `angles of ${seen} of ${stream.count} rows`);
  }
  return { layer: stream.layer, directions, cosines: cosinesOf(directions), bound: welchBound(classes, width), state, mirrored, spare };
};
