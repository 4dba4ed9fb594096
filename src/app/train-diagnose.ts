import { Fault } from '../base/fault.ts';
import { breathe } from '../base/job.ts';
import { nearest } from '../base/nearest.ts';
import { type Chosen, defaults, type Options } from '../base/option.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { Fold } from '../diagnostics/define.ts';
import { diagnostics } from '../diagnostics/index.ts';
import type { Evidence, Noun, Subject } from '../evidence/evidence.ts';
import { leastProbability, logSoftmax } from '../evidence/providers/log-probs.ts';
import { givesLengths } from '../graph/class-lengths.ts';
import type { Card } from '../report/report.ts';
import type { State } from '../training/compile.ts';
import type { Recipe } from '../training/recipe.ts';
import type { Held } from './train-data.ts';
import type { Run } from './train-loop.ts';
import { weights } from './train-progress.ts';

const given: readonly Noun[] = ['rows', 'labels', 'probs', 'logProbs', 'logits', 'groups'];
const folds = (): readonly Fold[] =>
  diagnostics.filter((d): d is Fold => d.shape === 'fold' && d.needs.every((noun) => given.includes(noun)));

/** The diagnostics that a recipe names. Throws where one is not known, or does not read class scores. */
export const diagnosedBy = (recipe: Recipe): readonly Fold[] =>
  (recipe.extra.diagnose ?? []).map((id) => {
    const known = folds();
    const found = known.find((d) => d.id === id);
    const { part } = recipe.loss;
    const refused = (reason: string): Fault => new Fault('training/part', { path: recipe.path, key: 'diagnose', part: id, reason });
    if (found?.confidences && part.sizeless)
      throw refused(`judges confidences, and scores trained by '${part.id}' have no size: recalibrate the trained model, and judge that`);
    if (found && part.target === 'class' && !part.embeds) return found;
    const ids = known.map((d) => d.id);
    if (!found) throw new Fault('id/unknown', { what: 'diagnostic of class scores', id, nearest: nearest(id, ids), known: ids });
    throw refused(`reads class scores, which loss '${part.id}' does not train`);
  });

/** What is drawn to tell how sure a number is, and pictures beside the first: at the least while a model still trains. */
const costly: readonly string[] = ['bootstrap', 'nullDraws', 'resamples', 'classDiagrams'];
const chosenFor = ({ options }: Fold, brief: boolean): Chosen<Options> => ({
  ...defaults(options),
  ...(brief
    ? Object.fromEntries(Object.entries(options).flatMap(([name, o]) => (costly.includes(name) && o.kind === 'int' ? [[name, o.min]] : [])))
    : {}),
});

export interface Diagnosed {
  /** By `diagnostic/number`. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly cards: readonly Card[];
}

/** Diagnostics with their own defaults on the scores that a state gives the rows; `brief`: with as few draws as they allow. */
export const diagnoseRows = async (
  named: readonly Fold[],
  { evaluation, evaluator, job, recipe, facts, plan }: Pick<Run, 'evaluation' | 'evaluator' | 'job' | 'recipe' | 'facts' | 'plan'>,
  state: State,
  { rows, positions }: Held,
  brief: boolean,
): Promise<Diagnosed> => {
  const measured = weights(state);
  const feeds: Record<string, Tensor> = { ...evaluation.hyper };
  for (const [key, input] of Object.entries(evaluation.state)) feeds[input] = measured[key];
  const { classes } = facts;
  const lengths = givesLengths(plan.graph, plan.output);
  const names = rows.bound.classNames;
  const subject: Subject = {
    classes: names?.length === classes ? names : Array.from({ length: classes }, (_, c) => String(c)),
    rows: positions.length,
    scores: 'logits',
    modelName: recipe.id,
    dataName: rows.bound.name,
  };
  const running = named.map((fold) => {
    const chosen = chosenFor(fold, brief);
    return { fold, chosen, state: fold.start(chosen, subject) };
  });
  const size = Math.max(1, Math.min(256, Math.floor(2 ** 21 / Math.max(1, sizeOf(rows.bound.inputDims)))));
  for (let from = 0; from < positions.length; from += size) {
    await breathe(job);
    const part = positions.subarray(from, from + size);
    const { x, y } = await rows.take(part, [part.length], job.signal);
    const out = await evaluator.run({ ...feeds, [evaluation.inputs.x]: x, [evaluation.inputs.y]: y }, [evaluation.outputs.scores]);
    const scores = Float64Array.from(out[evaluation.outputs.scores].data as Float32Array);
    // The softmax of logarithms is the shares of the lengths.
    const data = lengths ? scores.map((v) => Math.log(Math.max(v, leastProbability))) : scores;
    const logits = { rows: part.length, cols: classes, data };
    const logs = logSoftmax(logits);
    const batch: Pick<Evidence, 'rows' | 'labels' | 'probs' | 'logProbs' | 'logits' | 'groups'> = {
      rows: Float64Array.from(part, rows.bound.rowAt),
      labels: Int32Array.from(part, (p) => rows.labels[p]),
      logits,
      logProbs: { ...logits, data: logs },
      probs: { ...logits, data: logs.map(Math.exp) },
      groups: {},
    };
    // `diagnosedBy` lets in only what reads these nouns.
    for (const one of running) one.fold.add(one.state, batch as Evidence, one.chosen);
  }
  const numbers: Record<string, number> = {};
  const cards: Card[] = [];
  for (const { fold, chosen, state: own } of running) {
    const result = await fold.result(own, chosen, { random: job.random, signal: job.signal, progress: () => {} });
    const findings = fold.report(result, chosen, subject);
    for (const [name, value] of Object.entries(findings.headline)) if (Number.isFinite(value)) numbers[`${fold.id}/${name}`] = value;
    cards.push(...findings.cards);
  }
  return { numbers, cards };
};
