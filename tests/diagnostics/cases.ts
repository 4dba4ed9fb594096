import { quietJob } from '../../src/base/job.ts';
import { choose, type OptionValue } from '../../src/base/option.ts';
import type { Findings, Fold } from '../../src/diagnostics/define.ts';
import { diagnostics } from '../../src/diagnostics/index.ts';
import type { Evidence, Subject } from '../../src/evidence/evidence.ts';

/** One row as a fold sees it. */
export interface Sample {
  readonly row: number;
  readonly label: number;
  readonly probs: readonly number[];
  readonly logProbs?: readonly number[];
  /** Labels of which the row has several. */
  readonly marks?: readonly number[];
  /** Value of the column 'group'. */
  readonly group?: string;
  /** Prediction and target of a regression. */
  readonly x?: number;
  readonly target?: number;
}

export const batchOf = (samples: readonly Sample[]): Evidence => {
  const cols = samples[0]?.probs.length ?? 0;
  const matrix = (of: (s: Sample) => readonly number[]) => ({
    rows: samples.length,
    cols,
    data: Float64Array.from(samples.flatMap((s) => of(s))),
  });
  return {
    rows: Float64Array.from(samples, (s) => s.row),
    labels: Int32Array.from(samples, (s) => s.label),
    probs: matrix((s) => s.probs),
    logProbs: matrix((s) => s.logProbs ?? s.probs.map((p) => Math.log(Math.max(p, 1e-12)))),
    logits: matrix((s) => s.logProbs ?? s.probs.map((p) => Math.log(Math.max(p, 1e-25)))),
    targets: Float64Array.from(samples, (s) => s.target ?? Number.NaN),
    predictions: { rows: samples.length, cols: 1, data: Float64Array.from(samples, (s) => s.x ?? 0) },
    marks: matrix((s) => s.marks ?? s.probs.map((_, k) => Number(k === s.label))),
    labelProbs: matrix((s) => s.probs),
    groups: samples.some((s) => s.group !== undefined) ? { group: samples.map((s) => s.group ?? '') } : {},
  };
};

export const subjectOf = (classes: number, rows: number, scores: Subject['scores'] = 'probabilities'): Subject => ({
  classes: Array.from({ length: classes }, (_, k) => `class ${k}`),
  rows,
  scores,
  dataName: 'cases',
});

const fold = (id: string): Fold => {
  const found = diagnostics.find((d) => d.id === id);
  if (found?.shape !== 'fold') throw new Error(`${id} is not a registered fold`);
  return found;
};

/** A registered fold over the samples in one pass. */
export const measure = async (
  id: string,
  samples: readonly Sample[],
  options: Record<string, OptionValue> = {},
  { classes = samples[0]?.probs.length ?? 2, scores = 'probabilities' as Subject['scores'], seed = 0 } = {},
): Promise<{ readonly result: unknown; readonly findings: Findings }> => {
  const d = fold(id);
  const chosen = choose(id, d.options, options);
  const subject = subjectOf(classes, samples.length, scores);
  const state = d.start(chosen, subject);
  d.add(state, batchOf(samples), chosen);
  const result = await d.result(state, chosen, quietJob(seed));
  return { result, findings: d.report(result, chosen, subject) };
};

/** Rows with the given confidences (above ¼) and correctness: of four classes the first is predicted, the others share the rest. */
export const topLabel = (confidences: readonly number[], right: readonly number[]): Sample[] =>
  confidences.map((c, row) => ({ row, label: right[row] ? 0 : 1, probs: [c, (1 - c) / 3, (1 - c) / 3, (1 - c) / 3] }));

/** Softmax of logits, with its logarithm. */
export const fromLogits = (logits: readonly (readonly number[])[], labels: readonly number[]): Sample[] =>
  logits.map((z, row) => {
    const top = Math.max(...z);
    const norm = Math.log(z.reduce((sum, v) => sum + Math.exp(v - top), 0));
    const logProbs = z.map((v) => v - top - norm);
    return { row, label: labels[row], probs: logProbs.map(Math.exp), logProbs };
  });
