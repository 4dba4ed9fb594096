import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { argmax } from '../base/maths/argmax.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Dataset } from '../data/define.ts';
import { writeNpz } from '../data/npz-write.ts';
import type { BoundBatch } from '../evidence/bound.ts';
import type { Matrix } from '../evidence/evidence.ts';
import { type Declared, type Meaning, meaningOf } from '../evidence/interpret.ts';
import { batchRows, classesOf, nouns, scoresName } from '../evidence/plan.ts';
import type { PredictedFacts } from '../report/data-view.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';
import { type OpenSubject, openSubject } from './subject.ts';

/** Columns of a file of predictions: class numbers (or the number predicted), probability of that class, and loss, as float32 with NaN where there is none. */
export const predictedColumns = ['prediction', 'confidence', 'loss'] as const;
type Columns = Readonly<Record<(typeof predictedColumns)[number], Float32Array>>;

/** What the scores are: class scores where they may be, else labels of their own, else numbers. */
const readAs = ({ bound, model }: OpenSubject, scores: Matrix, { rows, labels }: BoundBatch): Meaning => {
  const output = scoresName(bound, model?.ends.output);
  const hint = model?.ends.hint ?? (bound.table === 'score' || bound.table === 'probabilities' ? bound.table : 'linear');
  const declared: Declared = model ? 'auto' : bound.table === 'values' || bound.table === 'logits' ? bound.table : 'auto';
  const read = (as: Declared): Meaning => meaningOf(scores, rows, output, hint, as, labels);
  try {
    return read(declared);
  } catch (error) {
    if (Fault.is(error, 'evidence/one-score')) return read('values');
    if (Fault.is(error, 'evidence/multi-label')) return read('independent');
    throw error;
  }
};

/** −log of the probability of the label; of numbers the squared error. */
const fillRows = (out: Columns, batch: BoundBatch, scores: Matrix, meaning: Meaning): void => {
  const { rows, labels } = batch;
  if (meaning.scores === 'values') {
    if (scores.cols !== 1) return;
    for (const [i, row] of rows.entries()) {
      out.prediction[row] = scores.data[i];
      if (labels) out.loss[row] = (scores.data[i] - labels[i]) ** 2;
    }
    return;
  }
  const needs = meaning.independent ? (['labelProbs'] as const) : (['probs', 'logProbs'] as const);
  const made = nouns({ rows, scores, meaning }, needs);
  const probs = made.probs ?? made.labelProbs;
  if (!probs) return;
  for (const [i, row] of rows.entries()) {
    const best = argmax(probs.data, i * probs.cols, probs.cols);
    const confidence = probs.data[i * probs.cols + best];
    if (Number.isNaN(confidence)) continue;
    out.prediction[row] = best;
    out.confidence[row] = confidence;
    const label = labels?.[i] ?? Number.NaN;
    if (made.logProbs && label >= 0 && label < probs.cols) out.loss[row] = -made.logProbs.data[i * probs.cols + label];
  }
};

/** One pass of the model (or of a table's scores) over the rows. Memory: 12 bytes a row, and as much again while it is written. */
export const predict: UseCase<'predict'> = async (ask, ports, job): Promise<PredictedFacts> => {
  const notes: string[] = [];
  const own = { ...job, note: (text: string) => void notes.push(text) };
  const open = await openSubject(ask, ports, own);
  try {
    const { bound, model } = open;
    if (bound.unscored) throw bound.unscored;
    const column = (): Float32Array => new Float32Array(bound.dataset.length).fill(Number.NaN);
    const out: Columns = { prediction: column(), confidence: column(), loss: column() };
    let meaning: Meaning | undefined;
    let classes: readonly string[] = [];
    let done = 0;
    for await (const batch of bound.batches(batchRows(bound), job.signal)) {
      await breathe(job);
      const scores = batch.scores ?? (batch.x && (await model?.score(batch.x)));
      if (!scores) throw new Fault('evidence/no-scores', { path: bound.path, known: bound.known });
      if (!meaning) {
        meaning = readAs(open, scores, batch);
        if (meaning.note !== undefined) notes.push(meaning.note);
        if (meaning.scores !== 'values') classes = classesOf(bound, meaning.binary ? 2 : scores.cols);
      }
      fillRows(out, batch, scores, meaning);
      done += batch.rows.length;
      job.progress(done / bound.count, `${done} of ${bound.count} rows`);
    }
    const facts: PredictedFacts = {
      ...(model ? { model: model.name } : {}),
      classes,
      device: open.device.actual,
      rows: done,
      notes,
    };
    const text = new TextEncoder().encode(JSON.stringify(facts));
    const float = (data: Float32Array): Tensor => ({ dtype: 'float32', dims: [data.length], data });
    await ports.write(
      ask.out,
      writeNpz({
        prediction: float(out.prediction),
        confidence: float(out.confidence),
        loss: float(out.loss),
        facts: { dtype: 'uint8', dims: [1, text.length], data: text },
      }),
    );
    return facts;
  } finally {
    await open.close();
  }
};

/** A file of predictions of the rows of `dataset`. */
export const openPredicted = async (
  path: string,
  { length, path: of }: Dataset,
  ports: Pick<Ports, 'dataset'>,
  job: Pick<AppJob, 'signal'>,
): Promise<{ readonly dataset: Dataset; readonly facts: PredictedFacts }> => {
  const stored = await ports.dataset(path, job.signal);
  const dataset = stored.view?.('prediction') ?? stored;
  if (dataset.length !== length) throw new Fault('data/member-rows', { path: of, found: dataset.length, rows: length });
  const inside = [...dataset.columns, ...dataset.extras].some((c) => c.name === 'facts');
  if (!inside) throw new Fault('data/column', { path, name: 'facts', nearest: '', known: dataset.columns.map((c) => c.name) });
  const { data } = await dataset.extra('facts', job.signal);
  return { dataset, facts: JSON.parse(new TextDecoder().decode(data as Uint8Array)) as PredictedFacts };
};
