import { Fault } from '../base/fault.ts';
import { breathe, type Job } from '../base/job.ts';
import { toFloats } from '../data/values.ts';
import type { Bound, BoundBatch } from './bound.ts';
import { type LabelCheck, labelCheck } from './class-labels.ts';
import type { Evidence, Matrix, Noun, Subject } from './evidence.ts';
import { finiteCheck } from './finite.ts';
import { checkProbabilities, type Declared, type Meaning, meaningOf } from './interpret.ts';
import type { ScoreHint } from './model.ts';
import type { Scored } from './providers/define.ts';
import { providers } from './providers/index.ts';
import type { Scorer } from './scorer.ts';

/** One fold's part in a pass. */
export interface Listener {
  readonly needs: readonly Noun[];
  /** Takes rows whose prediction is missing (NaN), where scores are values. */
  readonly missing?: boolean;
  begin(subject: Subject): void;
  /** The pass goes on when this is done. */
  add(batch: Partial<Evidence>): void | Promise<void>;
  /** What it asked for cannot be had; nothing more is added. */
  fail(fault: Fault): void;
}

export interface Passage {
  readonly bound: Bound;
  /** Absent for a table of predictions. */
  readonly model?: { readonly name: string; readonly output: string; readonly hint: ScoreHint; readonly score: Scorer };
  readonly declared: Declared;
}

export interface Passed {
  readonly subject: Subject;
  readonly meaning: Meaning;
  /** Range of the model's inputs; absent for a table. */
  readonly range?: { readonly min: number; readonly max: number };
}

/** Bytes of input held by one batch. */
const batchBytes = 2 ** 26;
/** Rows that may be held at once. */
export const rowsHeld = ({ rowSize }: Bound): number => Math.max(1, Math.floor(batchBytes / (8 * Math.max(1, rowSize))));
/** A table's rows cost little each, so that more of them are read at once. */
export const batchRows = (bound: Bound): number => Math.min(bound.table ? 4096 : 256, rowsHeld(bound));

/** Class names as the report shows them. Names that labels were read by, or that the user gave, must fit the output. */
export const classesOf = ({ classNames, namesFrom }: Pick<Bound, 'classNames' | 'namesFrom'>, found: number): readonly string[] => {
  if (classNames && classNames.length !== found && namesFrom !== 'stored')
    throw new Fault('data/classes', { given: classNames.length, found });
  return classNames?.length === found ? classNames : Array.from({ length: found }, (_, i) => String(i));
};

/** What the scores are called in sentences. */
export const scoresName = ({ name }: Pick<Bound, 'name'>, output: string | undefined): string =>
  output === undefined ? `The table '${name}'` : `Output '${output}'`;

/** The nouns asked for, of one scored batch. */
export const nouns = (batch: Scored, needs: readonly Noun[]): Partial<Evidence> => {
  const made = new Map<Noun, Evidence[Noun]>();
  const of = <N extends Noun>(noun: N): Evidence[N] => {
    const known = made.get(noun) ?? providers[noun](batch, of);
    made.set(noun, known);
    return known as Evidence[N];
  };
  return Object.fromEntries(needs.map((noun) => [noun, of(noun)]));
};

/** What the first scored batch settles for the whole pass. */
interface Settled {
  readonly meaning: Meaning;
  readonly subject: Subject;
  readonly check?: LabelCheck;
}

const settle = (
  { bound, model, declared }: Passage,
  output: string,
  wantsLabels: boolean,
  scores: Matrix,
  { rows, labels }: BoundBatch,
): Settled => {
  if (bound.table === 'values' && declared !== 'values') throw new Fault('evidence/no-scores', { path: bound.path, known: bound.known });
  const hint = model?.hint ?? (bound.table === 'score' ? 'score' : bound.table === 'probabilities' ? 'probabilities' : 'linear');
  const told = !model && bound.table === 'logits' && declared === 'auto' ? 'logits' : declared;
  const meaning: Meaning =
    bound.table === 'logits' && declared === 'independent'
      ? { scores: 'logits', binary: false, independent: true }
      : meaningOf(scores, rows, output, hint, told, labels);
  const classes = meaning.scores === 'values' ? [] : classesOf(bound, meaning.binary ? 2 : scores.cols);
  return {
    meaning,
    subject: {
      classes,
      ...(meaning.scores === 'values' && bound.predictionNames ? { predictions: bound.predictionNames } : {}),
      rows: bound.count,
      scores: meaning.scores,
      ...(model ? { modelName: model.name } : {}),
      dataName: bound.name,
    },
    ...(bound.labelled && wantsLabels ? { check: labelCheck(classes.length, bound.path) } : {}),
  };
};

const caught = (work: () => void): Fault | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
};

/** One pass over the data for all listeners: every row is read, scored and checked once. */
export const pass = async (passage: Passage, listeners: readonly Listener[], job: Job): Promise<Passed> => {
  const { bound, model } = passage;
  if (bound.unscored) throw bound.unscored;
  const output = scoresName(bound, model?.output);
  const wantsLabels = listeners.some((l) => l.needs.includes('labels'));
  const inputs = finiteCheck(`inputs from '${bound.path}'`);
  const outputs = finiteCheck(model ? `output '${model.output}' of '${model.name}'` : `scores of '${bound.path}'`);
  let settled: Settled | undefined;
  let wrong: Fault | undefined;
  let done = 0;

  // Infinite values are refused by who takes missing ones, too.
  const some = passage.declared === 'values' && listeners.some((l) => l.missing);
  const infinite = finiteCheck(model ? `output '${model.output}' of '${model.name}'` : `scores of '${bound.path}'`);
  const hear = async (batch: BoundBatch, scores: Matrix, heard: readonly Listener[]): Promise<void> => {
    const { rows } = batch;
    if (!settled) {
      settled = settle(passage, output, wantsLabels, scores, batch);
      if (settled.meaning.note) job.note(settled.meaning.note);
      for (const listener of listeners) listener.begin(settled.subject);
    }
    const { meaning, check } = settled;
    if (meaning.scores === 'probabilities') checkProbabilities(scores, rows, output, meaning.independent);
    const labels = attempt(() => (check && batch.labels && !wrong ? check.read(batch.labels, rows) : undefined));
    const usable = heard.filter((l) => labels || !l.needs.includes('labels'));
    const made = nouns(
      {
        rows,
        scores,
        meaning,
        ...(labels ? { labels } : {}),
        ...(batch.labels ? { targets: batch.labels } : {}),
        ...(batch.marks ? { marks: batch.marks } : {}),
        ...(batch.groups ? { groups: batch.groups } : {}),
      },
      [...new Set(usable.flatMap((l) => l.needs))],
    );
    for (const listener of usable) await listener.add(made);
  };
  const attempt = <T>(work: () => T): T | undefined => {
    let made: T | undefined;
    const found = caught(() => {
      made = work();
    });
    wrong ??= found;
    return made;
  };

  for await (const batch of bound.batches(batchRows(bound), job.signal)) {
    await breathe(job);
    const { rows, x } = batch;
    if (x && x.dtype !== 'string') inputs.add(toFloats(x), rows);
    // Once a bad input was met the rest is only counted: running the model on it would tell nothing.
    const scores = inputs.clean ? (batch.scores ?? (x && (await model?.score(x)))) : undefined;
    if (scores) {
      outputs.add(scores.data, rows);
      if (some)
        infinite.add(
          scores.data.map((v) => (Number.isNaN(v) ? 0 : v)),
          rows,
        );
      const heard = outputs.clean ? listeners : some && infinite.clean ? listeners.filter((l) => l.missing) : [];
      if (heard.length > 0) await hear(batch, scores, heard);
    }
    done += rows.length;
    job.progress(done / bound.count, `${done} of ${bound.count} rows`);
  }
  inputs.finish();
  infinite.finish();
  const gaps = caught(() => outputs.finish());
  if (gaps && !some) throw gaps;
  if (gaps) for (const listener of listeners) if (!listener.missing) listener.fail(gaps);
  if (!settled) throw new Fault('data/no-rows', { path: bound.path });
  const { subject, meaning, check } = settled;
  attempt(() => check?.finish());
  if (wrong) for (const listener of listeners) if (listener.needs.includes('labels')) listener.fail(wrong);
  return { subject, meaning, ...(model && inputs.max >= inputs.min ? { range: { min: inputs.min, max: inputs.max } } : {}) };
};
