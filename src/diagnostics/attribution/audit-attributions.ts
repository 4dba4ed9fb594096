import { Fault } from '../../base/fault.ts';
import { imageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import type { Matrix, ModelGradients, Subject } from '../../evidence/evidence.ts';
import type { LabelledRows } from '../../evidence/fresh.ts';
import { attributeSamples, type Samples } from './attribute.ts';
import type { EmbeddedSamples } from './embedded.ts';
import type { How } from './method.ts';
import type { AttributionChoice } from './options.ts';
import { predictions } from './targets.ts';
import { newRanks, type Places, type Ranks, rankInto } from './unmasking.ts';

/** A model whose attributions are audited. */
export interface Audited {
  readonly name: string;
  readonly gradient: ModelGradients;
  scores(x: Float32Array, dims: readonly number[]): Promise<Matrix>;
}

/** Values attributed at a time. */
const CHUNK = 2_000_000;
/** Share of rows whose attributions may all be zero: the order of such a row means nothing. */
const ZERO = 0.05;

const sliced = ({ rows, cols, data }: Matrix, from: number, to: number): Matrix => ({
  rows: Math.min(rows, to) - from,
  cols,
  data: data.subarray(from * cols, to * cols),
});

/** Attributions of some rows: for one class each, or the length of those for all classes. */
const attributed = async (
  tools: { readonly gradient: ModelGradients; readonly samples: EmbeddedSamples },
  asked: Omit<Samples, 'targets'>,
  targets: Int32Array | undefined,
  chosen: AttributionChoice,
  subject: Subject,
  job: Pick<Job, 'random' | 'signal' | 'progress'>,
): Promise<{ readonly values: Float64Array; readonly how: How }> => {
  const each = targets ? [targets] : subject.classes.map((_, c) => new Int32Array(asked.rows.length).fill(c));
  let squares: Float64Array | undefined;
  let how: How = [];
  for (const target of each) {
    const found = await attributeSamples(tools, { ...asked, targets: target }, chosen, subject, job);
    const d = asked.x.length / asked.rows.length;
    if (found.values.length !== asked.x.length)
      throw new Fault('diagnostic/audit-grid', { method: chosen.method, values: found.values.length / asked.rows.length, inputs: d });
    how = found.how;
    if (each.length === 1) return found;
    squares ??= new Float64Array(found.values.length);
    for (let i = 0; i < squares.length; i++) squares[i] += found.values[i] ** 2;
  }
  return { values: (squares ?? new Float64Array()).map(Math.sqrt), how };
};

/** Ranks of all values of all rows by the attributions of a model, which are not kept: 2 or 4 bytes a value. */
export const ranksOf = async (
  { gradient, scores }: Audited,
  samples: EmbeddedSamples,
  data: LabelledRows,
  places: Places,
  target: 'label' | 'predicted' | 'class-free',
  chosen: AttributionChoice,
  subject: Subject,
  job: Job,
  told: (share: number) => void,
): Promise<{ readonly ranks: Ranks; readonly how: How; readonly outputs: Matrix }> => {
  const count = data.labels.length;
  const d = data.x.length / count;
  const outputs = await scores(data.x, data.dims);
  const said = target === 'label' ? data.labels : target === 'predicted' ? predictions(outputs, subject) : undefined;
  const axes = imageAxes(data.dims);
  const ranks = newRanks(count, places.count);
  const size = Math.max(1, Math.min(512, Math.floor(CHUNK / d)));
  let how: How = [];
  let [zeros, first] = [0, -1];
  for (let from = 0; from < count; from += size) {
    const to = Math.min(count, from + size);
    const asked: Omit<Samples, 'targets'> = {
      x: data.x.subarray(from * d, to * d),
      rows: Array.from(data.rows.subarray(from, to)),
      outputs: sliced(outputs, from, to),
      ...(axes ? { axes } : {}),
    };
    const found = await attributed({ gradient, samples }, asked, said?.subarray(from, to), chosen, subject, { ...job, progress: () => {} });
    ({ how } = found);
    for (let b = 0; b < to - from; b++) {
      if (found.values.subarray(b * d, (b + 1) * d).every((v) => v === 0)) {
        zeros++;
        if (first < 0) first = data.rows[from + b];
      }
      rankInto(ranks, (from + b) * places.count, found.values, b * d, places);
    }
    told(to / count);
  }
  if (zeros > ZERO * count) throw new Fault('diagnostic/zero-attribution', { method: chosen.method, rows: zeros, of: count, row: first });
  return { ranks, how, outputs };
};

/** Ranks drawn at random: what attributions are compared with. */
export const randomRanks = (rows: ArrayLike<number>, places: Places, name: string, job: Pick<Job, 'random'>): Ranks => {
  const ranks = newRanks(rows.length, places.count);
  for (let i = 0; i < rows.length; i++) {
    const part = ranks.subarray(i * places.count, (i + 1) * places.count);
    for (let k = 0; k < places.count; k++) part[k] = k;
    job.random(`${name}/${rows[i]}`).shuffle(part);
  }
  return ranks;
};
