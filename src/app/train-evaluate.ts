import type { Tensor } from '../base/tensor.ts';
import { type Held, inParts, type TrainingRows } from './train-data.ts';
import type { Run } from './train-loop.ts';
import { type Snapshot, weights } from './train-progress.ts';

/** What an evaluation is fed besides rows and labels. */
export const evaluationFeeds = ({ evaluation }: Pick<Run, 'evaluation'>, state: Snapshot['state']): Record<string, Tensor> => {
  const measured = weights(state);
  return { ...evaluation.hyper, ...Object.fromEntries(Object.entries(evaluation.state).map(([key, input]) => [input, measured[key]])) };
};

/** Mean loss and accuracy of some rows in inference form. */
export const evaluate = async (
  { evaluation, evaluator, job }: Pick<Run, 'evaluation' | 'evaluator' | 'job'>,
  state: Snapshot['state'],
  held: Held<TrainingRows>,
): Promise<{ readonly loss: number; readonly accuracy?: number }> => {
  const feeds = evaluationFeeds({ evaluation }, state);
  const { total, weight, correct } = evaluation.outputs;
  const sums = { total: 0, weight: 0, correct: 0 };
  for await (const { x, y } of inParts(held, job)) {
    const wanted = [total, weight, ...(correct ? [correct] : [])];
    const out = await evaluator.run({ ...feeds, [evaluation.inputs.x]: x, [evaluation.inputs.y]: y }, wanted);
    sums.total += Number(out[total].data[0]);
    sums.weight += Number(out[weight].data[0]);
    if (correct) sums.correct += Number(out[correct].data[0]);
  }
  return { loss: sums.total / sums.weight, ...(correct ? { accuracy: sums.correct / held.positions.length } : {}) };
};
